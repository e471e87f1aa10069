"""Two mistakes in one ruleset are both told, and neither makes up a third."""

from __future__ import annotations

import random
from itertools import combinations
from pathlib import Path

import pytest

from engine.rules import document
from engine.rules.problem import Problems
from engine.rules.source import Source
from tests.rules.bicycle import FILES, Change, built, sources

INVALID = sorted((Path(__file__).parent.parent / "data" / "invalid").glob("*.yaml"))


def changes_of(file: Path) -> tuple[Change, ...]:
    node, _ = document.read(Source(file.name, file.read_text(encoding="utf-8")))
    assert node is not None
    return tuple((each["file"], each["replace"], each.get("with", "")) for each in document.plain(node))


def told(problems: Problems) -> set[str]:
    return {problem.code for problem in problems.errors}


def test_a_wrong_shape_hides_no_wrong_name() -> None:
    _, problems = built(
        ("ruleset.yaml", "disposition: emergency, call: gp_or_hap_now", "disposition: urgent, call: gp_or_hap_now"),
        ("ruleset.yaml", "soft_tyre: {tyre_bar:", "soft_tyre: {tire_bar:"),
        ("texts.nl.yaml", "  own_choice: U kiest zelf\n", ""),
    )
    assert told(problems) == {"outside-scale", "unknown-question", "text-missing"}


def test_what_was_left_out_is_not_told_to_be_missing() -> None:
    """A question of the wrong shape is still there for its author: no rule that reads it is told to be wrong."""
    _, problems = built(("ruleset.yaml", "bike_age: {type: integer", "bike_age: {type: whole_number"))
    assert told(problems) == {"outside-scale"}, problems.render()


def test_a_text_that_cannot_be_read_is_not_told_to_be_missing() -> None:
    _, problems = built(
        ("texts.nl.yaml", "language: nl", "language: [nl"),
        ("ruleset.yaml", "strength: policy", "strength: habit"),
    )
    assert told(problems) == {"yaml-syntax", "outside-scale"}


@pytest.mark.slow
def test_two_mistakes_never_make_a_third() -> None:
    rng = random.Random(5)
    within = [file for file in INVALID if {name for name, _, _ in changes_of(file)} <= {*FILES}]
    pairs = rng.sample(list(combinations(within, 2)), 150)
    tried = 0
    for one, other in pairs:
        first, second = changes_of(one), changes_of(other)
        try:
            sources([*first, *second])
        except AssertionError:
            continue  # the two change the same spot
        alone = told(built(*first)[1]) | told(built(*second)[1])
        together = built(*first, *second)[1]
        extra = told(together) - alone - _FOLLOWING
        assert not extra, f"{one.stem} and {other.stem}: {extra}"
        assert together or not alone
        tried += 1
    assert tried > 60


_FOLLOWING = frozenset({"duplicate-id", "duplicate-key", "repeated-rule", "yaml-syntax"})
"""Two changes can really make these between them: both give the same new name, or one puts a line between braces."""
