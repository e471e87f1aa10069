"""A ruleset of hundreds of rules loads and decides as a small one does, and its cost grows no faster than it does.

Cost is counted in lines of our code that ran, never in seconds.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from engine.decide.evaluate import Evaluator, Rehearsal
from engine.rules import document
from engine.rules.load import load, read_ruleset
from engine.rules.model import CheckedRuleset
from tests.bench.invented import write_ruleset
from tests.bench.large import Rest, patient

COUNTED = (str(Path(document.__file__).parent), __file__)
"""Where the lines stand that are counted: the room of rules, and this file, whose last test slows it down."""
MUCH = 1.1
"""So much faster than the ruleset its cost may grow: the sizes of the parts are random."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ruleset of three hundred rules."""
    made = tmp_path_factory.mktemp("large")
    write_ruleset(made, 300)
    return made


@pytest.fixture(scope="module")
def checked(folder: Path) -> CheckedRuleset:
    read, problems = read_ruleset(folder)
    assert read is not None, problems.render()
    return read


def test_hundreds_of_rules_are_read_whole(checked: CheckedRuleset) -> None:
    ruleset = checked.ruleset
    assert (len(ruleset.rules), len(ruleset.questions), len(ruleset.findings)) == (300, 150, 30)
    assert {len(texts.of["reasons"]) for texts in ruleset.texts.values()} == {303}


def test_the_same_size_is_the_same_ruleset(checked: CheckedRuleset, tmp_path: Path) -> None:
    write_ruleset(tmp_path, 300)
    assert load(tmp_path).digest == checked.digest


@pytest.mark.parametrize("rest", Rest)
def test_both_evaluators_agree_on_hundreds_of_rules(checked: CheckedRuleset, rest: Rest) -> None:
    evaluator, alone = Evaluator(checked), Rehearsal(checked)
    rng = random.Random(8)
    seen = set()
    try:
        for number in (0, 1, 5, 20, 60, 150):
            answers = patient(evaluator, rng, number, rest).answers
            outcome = evaluator.evaluate(answers).outcome  # raises where the two differ
            assert outcome == alone.evaluate(answers).outcome
            seen.add((outcome.floor, outcome.settled, len(outcome.rules)))
    finally:
        evaluator.close()
    assert len(seen) > 3


def lines(work: Callable[[], object]) -> int:
    """How many of the lines that are counted run, turns of a loop one by one."""
    count = 0

    def within(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        count += event == "line"
        return within

    def called(frame: FrameType, event: str, _: Any) -> Any:
        return within if frame.f_code.co_filename.startswith(COUNTED) else None

    before = sys.gettrace()
    sys.settrace(called)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def growth(few: Path, many: Path) -> tuple[float, float]:
    """How much larger the files of the second ruleset are, and how much more is done to load it."""
    sizes = [sum(file.stat().st_size for file in each.iterdir()) for each in (few, many)]
    costs = [lines(lambda each=each: load(each)) for each in (few, many)]  # type: ignore[misc]
    return sizes[1] / sizes[0], costs[1] / costs[0]


@pytest.fixture(scope="module")
def two_sizes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Rulesets of one hundred and of four hundred rules."""
    few, many = (tmp_path_factory.mktemp(name) for name in ("few", "many"))
    write_ruleset(few, 100)
    write_ruleset(many, 400)
    return few, many


def test_loading_costs_no_more_than_there_is_to_read(two_sizes: tuple[Path, Path]) -> None:
    larger, dearer = growth(*two_sizes)
    assert dearer < larger * MUCH


def test_a_walk_through_everything_for_each_place_is_found(
    two_sizes: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = document.Places._entry

    def slow(
        places: document.Places, node: document.Node, step: document.Step
    ) -> tuple[document.Scalar | None, document.Node] | None:
        if isinstance(node, document.Mapping):
            for key, _ in node.entries:
                if key.text == step:
                    break
        return quick(places, node, step)

    monkeypatch.setattr(document.Places, "_entry", slow)
    larger, dearer = growth(*two_sizes)
    assert dearer > larger * MUCH
