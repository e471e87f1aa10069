"""What conditions come to is never told wrongly, as random answers show, and is told where it can be seen."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from engine.decide.answers import Answers
from engine.decide.direct import Reading
from engine.rules.alternatives import FALSE, NOT_FALSE, NOT_TRUE, TRUE, UNKNOWN, Space, implies
from engine.rules.condition import (
    All,
    Answered,
    AnyOf,
    Compare,
    Condition,
    Count,
    FindingIs,
    Not,
    Operator,
    Surely,
    Unknown,
    Unless,
)
from engine.rules.model import CheckedRuleset
from tests.rules.bicycle import valid

RULESET: CheckedRuleset = valid()
QUESTIONS = {
    "bike_age": [0, 5, 10, 11, 80],
    "brakes_fail": ["yes", "no"],
    "noise": ["none", "click", "grind"],
    "tyre_bar": [Decimal("0"), Decimal("1"), Decimal("2.5"), Decimal("3"), Decimal("12")],
    "loose_parts": [("chain",), ("light", "saddle"), ("chain", "light")],
    "rides_better": ["yes", "no"],
}
LEAVES: list[Condition] = [
    Compare("bike_age", Operator.ABOVE, (10,)),
    Compare("bike_age", Operator.BELOW, (5,)),
    Compare("bike_age", Operator.AT_LEAST, (1,)),
    Compare("tyre_bar", Operator.AT_MOST, (Decimal("2.5"),)),
    Compare("tyre_bar", Operator.ABOVE, (Decimal("1"),)),
    Compare("brakes_fail", Operator.IN, ("yes",)),
    Compare("noise", Operator.IN, ("click", "grind")),
    Compare("noise", Operator.IN, ("none",)),
    Compare("loose_parts", Operator.IN, ("chain",)),
    Compare("loose_parts", Operator.IN, ("light",)),
    Compare("rides_better", Operator.IN, ("yes",)),
    Unknown("rides_better"),
    Unknown("noise"),
    Answered("tyre_bar"),
    FindingIs("neglected"),
]


def grown(rng: random.Random, depth: int) -> Condition:
    if depth == 0 or rng.random() < 0.2:
        return rng.choice(LEAVES)
    parts = tuple(grown(rng, depth - 1) for _ in range(rng.randint(1, 3)))
    return rng.choice(
        [
            All(parts),
            AnyOf(parts),
            Count(rng.randint(1, len(parts)), parts),
            Not(parts[0]),
            Unless(parts[0]),
            Surely(parts[0]),
        ]
    )


def answered(rng: random.Random) -> Answers:
    """Every question has an answer or is unknown; what is not asked is then not applicable."""
    values = {key: rng.choice(options) for key, options in QUESTIONS.items() if rng.random() < 0.7}
    return Answers(values=values, unknown=frozenset(QUESTIONS) - set(values))


def test_no_situation_that_can_occur_is_ruled_out() -> None:
    """Against the meaning itself: a condition without alternatives has no such outcome, and what implies does."""
    rng = random.Random(7)
    never = 0
    for _ in range(150):
        one, other = grown(rng, 3), grown(rng, 3)
        space = Space(RULESET.ruleset)
        follows = implies(space.holding(one), space.holding(other))
        for _ in range(60):
            reading = Reading(RULESET.ruleset, answered(rng))
            outcome = {1: TRUE, 2: FALSE, 4: UNKNOWN}[reading.outcomes(one)]
            for wanted in (TRUE, FALSE, NOT_TRUE, NOT_FALSE):
                assert space.holding(one, wanted) or not outcome & wanted
            if follows and outcome == TRUE:
                assert reading.outcomes(other) == TRUE
        never += not space.holding(one)
    assert never > 3


@pytest.mark.parametrize(
    ("one", "other", "follows"),
    [
        (LEAVES[0], LEAVES[2], True),
        (LEAVES[2], LEAVES[0], False),
        (All((LEAVES[0], LEAVES[5])), LEAVES[5], True),
        (LEAVES[5], AnyOf((LEAVES[5], LEAVES[6])), True),
        (LEAVES[5], Unless(Compare("brakes_fail", Operator.IN, ("no",))), True),
        (Unless(Compare("brakes_fail", Operator.IN, ("no",))), AnyOf((LEAVES[5], Unknown("brakes_fail"))), True),
        (Count(2, (LEAVES[0], LEAVES[5], LEAVES[6])), AnyOf((LEAVES[0], LEAVES[5])), True),
        (Surely(LEAVES[5]), LEAVES[5], True),
        (Not(LEAVES[6]), LEAVES[7], True),
        (Unless(LEAVES[6]), LEAVES[7], False),
    ],
)  # fmt: skip
def test_what_follows_is_seen(one: Condition, other: Condition, follows: bool) -> None:
    space = Space(RULESET.ruleset)
    assert implies(space.holding(one), space.holding(other)) is follows


@pytest.mark.slow
def test_what_is_too_long_stands_for_itself() -> None:
    """A condition with too many alternatives is neither never nor always true, and implies itself."""
    pairs = tuple(AnyOf((LEAVES[number], LEAVES[number + 1])) for number in range(0, 12, 2)) * 4
    many = Count(11, tuple(All((each, LEAVES[number % 12])) for number, each in enumerate(pairs)))
    space = Space(RULESET.ruleset)
    assert space.holding(many) and space.holding(many, NOT_TRUE)
    assert implies(space.holding(many), space.holding(many))
