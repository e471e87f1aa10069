"""The two evaluators agree on every pair of ruleset and answers that has ever been tried, and a broken one is found."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest

from engine.decide import literals
from engine.decide.evaluate import Evaluator
from engine.decide.literals import Feed, Polarity
from tests.decide.agreement import FOUND, Tally, fails, keep, run

KINDS = ("true", "open", "unknown", "at_least")
FAST, SLOW = 3_000, 100_000


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
def test_hundred_thousand_pairs_agree() -> None:
    agree(SLOW, seed=int(os.environ.get("PLUIS_SEED", "7")))


def test_found_pairs_stay_mended() -> None:
    for path in sorted(FOUND.glob("*.json")):
        pair = json.loads(path.read_text())
        assert not fails(pair["ruleset"], pair["answers"]), path.name


def above_as_at_least(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(literals._SIGNS, literals.Operator.ABOVE, {0, 1})


def unknown_as_false(patch: pytest.MonkeyPatch) -> None:
    original = literals.QuestionInput.__init__

    def broken(self: literals.QuestionInput, *arguments: object) -> None:
        original(self, *arguments)  # type: ignore[arg-type]
        self.unknown = self.not_applicable

    patch.setattr(literals.QuestionInput, "__init__", broken)


def gate_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(literals, "_gate", lambda *_: None)


def unless_as_not(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(literals, "_UNLESS", literals._OPPOSITE)


def count_off_by_one(patch: pytest.MonkeyPatch) -> None:
    original = literals.Book.formula

    def broken(self: literals.Book, condition: object, polarity: Polarity = Polarity.TRUE) -> literals.Formula:
        formula = original(self, condition, polarity)  # type: ignore[arg-type]
        if isinstance(condition, literals.Count) and isinstance(formula, literals.AtLeast) and formula.number > 1:
            return literals.AtLeast(formula.number - 1, formula.parts)
        return formula

    patch.setattr(literals.Book, "formula", broken)


def one_literal_lost(patch: pytest.MonkeyPatch) -> None:
    original = literals.Inputs.answers

    def broken(self: literals.Inputs, answers: object) -> Feed:
        feed = original(self, answers)  # type: ignore[arg-type]
        return Feed(feed.certain - {"a3"}, feed.possible - {"a3"})

    patch.setattr(literals.Inputs, "answers", broken)


BREAKS: tuple[Callable[[pytest.MonkeyPatch], None], ...] = (
    above_as_at_least,
    unknown_as_false,
    gate_ignored,
    unless_as_not,
    count_off_by_one,
    one_literal_lost,
)


@pytest.mark.parametrize("broken", BREAKS, ids=lambda each: each.__name__)
def test_a_broken_literal_is_found(
    broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    tally = run(2_000, seed=1)
    assert tally.failure is not None, f"{broken.__name__} went unnoticed"


def test_a_broken_network_is_found() -> None:
    def spoil(evaluator: Evaluator) -> None:
        fire = evaluator.rete._run
        evaluator.rete._run = lambda network, held: fire(network, frozenset(sorted(held)[1:]))  # type: ignore[method-assign]

    assert run(2_000, seed=1, spoil=spoil).failure is not None
