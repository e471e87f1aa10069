"""The two evaluators agree on every pair of ruleset and answers that has ever been tried, and a broken one is found."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest

from engine.decide import inputs, literals, writing
from engine.decide.answers import Placed
from engine.decide.evaluate import Evaluator
from engine.decide.inputs import Feed
from engine.decide.literals import Polarity
from engine.rules.condition import Count, Operator
from tests.decide.agreement import FOUND, Tally, fails, keep, run

KINDS = ("true", "open", "unknown", "at_least")
FAST = 3_000
SLOW = int(os.environ.get("PLUIS_PAIRS", "20000"))
"""`make agreement` tries more."""


def report(tally: Tally, seed: int) -> str:
    shares = ", ".join(f"{kind} {tally.share(kind):.1%}" for kind in KINDS)
    return f"seed {seed}: {tally.pairs} pairs, {tally.checks} rule checks: {shares}"


def agree(pairs: int, seed: int) -> None:
    tally = run(pairs, seed)
    if tally.failure is not None:
        pytest.fail(f"the evaluators differ; kept as {keep(tally, seed).name}")
    print(report(tally, seed))
    assert tally.pairs == pairs
    assert all(tally.share(kind) >= 0.02 for kind in KINDS), report(tally, seed)


def test_thousands_of_pairs_agree() -> None:
    agree(FAST, seed=20_261_122)


@pytest.mark.slow
def test_many_more_pairs_agree() -> None:
    agree(SLOW, seed=int(os.environ.get("PLUIS_SEED", "7")))


def test_found_pairs_stay_mended() -> None:
    for path in sorted(FOUND.glob("*.json")):
        pair = json.loads(path.read_text())
        assert not fails(pair["ruleset"], pair["answers"]), path.name


def above_as_at_least(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(inputs._SIGNS, Operator.ABOVE, {0, 1})


def unknown_as_false(patch: pytest.MonkeyPatch) -> None:
    original = inputs.QuestionInput._without_value

    def broken(self: inputs.QuestionInput, compared: str, unknown: str, answered: str) -> Feed:
        return original(self, "f" if compared == "u" else compared, unknown, answered)

    patch.setattr(inputs.QuestionInput, "_without_value", broken)


def gate_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(inputs, "_gate", lambda *_: None)


def unless_as_not(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(literals, "_UNLESS", literals._OPPOSITE)


def count_off_by_one(patch: pytest.MonkeyPatch) -> None:
    original = literals.Book.formula

    def broken(self: literals.Book, condition: object, polarity: Polarity = Polarity.TRUE) -> literals.Formula:
        formula = original(self, condition, polarity)  # type: ignore[arg-type]
        if isinstance(condition, Count) and isinstance(formula, literals.AtLeast) and formula.number > 1:
            return literals.AtLeast(formula.number - 1, formula.parts)
        return formula

    patch.setattr(literals.Book, "formula", broken)


def one_literal_lost(patch: pytest.MonkeyPatch) -> None:
    original = inputs.Inputs.answers

    def broken(self: inputs.Inputs, placed: Placed) -> Feed:
        feed = original(self, placed)
        return Feed(feed.certain - {"a3"}, feed.possible - {"a3"})

    patch.setattr(inputs.Inputs, "answers", broken)


def written_above_as_at_least(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(writing._SIGNS, Operator.ABOVE, ">=")


def written_gate_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(writing.Writer, "_gate", lambda *_: "False")


def written_unless_as_not(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        writing.Writer,
        "_not_true",
        lambda self, condition, ask: self._expression(condition, writing._NEGATED[ask]),
    )


BREAKS: tuple[Callable[[pytest.MonkeyPatch], None], ...] = (
    above_as_at_least,
    unknown_as_false,
    gate_ignored,
    unless_as_not,
    count_off_by_one,
    one_literal_lost,
    written_above_as_at_least,
    written_gate_ignored,
    written_unless_as_not,
)


@pytest.mark.parametrize("broken", BREAKS, ids=lambda each: each.__name__)
def test_a_broken_evaluator_is_found(
    broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    tally = run(2_000, seed=1)
    assert tally.failure is not None, f"{broken.__name__} went unnoticed"


def test_a_broken_network_is_found() -> None:
    def spoil(evaluator: Evaluator) -> None:
        run = evaluator.rete.run
        evaluator.rete.run = lambda held: run(frozenset(sorted(held)[1:]))  # type: ignore[method-assign]

    assert run(2_000, seed=1, spoil=spoil).failure is not None
