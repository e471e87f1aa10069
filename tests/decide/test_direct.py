"""The meaning of a condition, held against the definition: every combination of what its parts can still be."""

from __future__ import annotations

import random
from itertools import product

import pytest

from engine.decide.answers import Answers
from engine.decide.direct import FALSE, OPEN, TRUE, UNDECIDED, UNKNOWN, Reading
from engine.rules.condition import (
    All,
    Answered,
    AnyOf,
    Compare,
    Condition,
    Count,
    Not,
    Operator,
    Surely,
    Unknown,
    Unless,
    leaves,
    rewrite,
)
from tests.decide.generate import load_content, small_content

# Strong Kleene logic on single outcomes, written as the textbook has it: false < unknown < true.
ORDER = {FALSE: 0, UNKNOWN: 1, TRUE: 2}


def kleene(condition: Condition, leaf: dict[str, int]) -> int:
    """The outcome when every leaf has exactly one, by leaf name."""
    match condition:
        case Compare(name):
            return leaf[name]
        case All(parts):
            return min((kleene(part, leaf) for part in parts), key=ORDER.__getitem__)
        case AnyOf(parts):
            return max((kleene(part, leaf) for part in parts), key=ORDER.__getitem__)
        case Not(part):
            return {TRUE: FALSE, FALSE: TRUE, UNKNOWN: UNKNOWN}[kleene(part, leaf)]
        case Unless(part):
            return FALSE if kleene(part, leaf) == TRUE else TRUE
        case Surely(part):
            return TRUE if kleene(part, leaf) == TRUE else FALSE
        case Count(number, parts):
            outcomes = [kleene(part, leaf) for part in parts]
            if outcomes.count(TRUE) >= number:
                return TRUE
            return FALSE if len(outcomes) - outcomes.count(FALSE) < number else UNKNOWN
    raise TypeError(condition)


def random_tree(rng: random.Random, names: list[str], depth: int) -> Condition:
    """A tree in which every leaf occurs once, so that the parts really vary on their own."""
    if depth == 0 or len(names) == 1:
        return Compare(names.pop(), Operator.IN, ("yes",))
    kind = rng.choice((All, AnyOf, Count, Not, Unless, Surely))
    if kind in (Not, Unless, Surely):
        return kind(random_tree(rng, names, depth - 1))
    parts: list[Condition] = []
    while names and len(parts) < 3:
        parts.append(random_tree(rng, names, depth - 1))
    return Count(rng.randint(1, len(parts)), tuple(parts)) if kind is Count else kind(tuple(parts))


def test_the_outcomes_are_those_of_all_combinations() -> None:
    rng = random.Random(2)
    names = [f"q{number}" for number in range(6)]
    ruleset = load_content(small_content({name: {"type": "yes_no"} for name in names}, {"q0": "yes"})).ruleset
    sets = {"yes": TRUE, "no": FALSE, "unknown": UNKNOWN, "missing": OPEN}
    seen = set()
    for _ in range(400):
        tree = random_tree(rng, names[:], rng.randint(1, 3))
        states = {each.question: rng.choice(list(sets)) for each in leaves(tree) if isinstance(each, Compare)}
        values = {name: state for name, state in states.items() if state in ("yes", "no")}
        unknown = frozenset(name for name, state in states.items() if state == "unknown")
        possible = [[bit for bit in (TRUE, FALSE, UNKNOWN) if sets[state] & bit] for state in states.values()]
        expected = 0
        for choice in product(*possible):
            expected |= kleene(tree, dict(zip(states, choice, strict=True)))
        assert Reading(ruleset, Answers(values, unknown)).outcomes(tree) == expected
        seen.add(expected)
    assert len(seen) >= 6


GATE = {
    "yes": ({"gate": "yes"}, set()),
    "no": ({"gate": "no"}, set()),
    "unknown": ({}, {"gate"}),
    "missing": ({}, set()),
}
STATES = ("value", "unknown", "missing")
IS, IS_UNKNOWN, IS_ANSWERED = Compare("gated", Operator.IN, ("yes",)), Unknown("gated"), Answered("gated")
CASES = [
    # gate, state of the gated question, outcomes of: {gated: yes}, {unknown: gated}, {answered: gated}
    ("yes", "value", TRUE, FALSE, TRUE),
    ("yes", "unknown", UNKNOWN, TRUE, FALSE),
    ("yes", "missing", OPEN, UNDECIDED, UNDECIDED),
    ("no", "value", TRUE, FALSE, TRUE),
    ("no", "unknown", FALSE, FALSE, FALSE),
    ("no", "missing", FALSE, FALSE, FALSE),
    ("unknown", "value", TRUE, FALSE, TRUE),
    ("unknown", "unknown", UNKNOWN, TRUE, FALSE),
    ("unknown", "missing", OPEN, UNDECIDED, UNDECIDED),
    ("missing", "value", TRUE, FALSE, TRUE),
    ("missing", "unknown", UNKNOWN | FALSE, UNDECIDED, FALSE),
    ("missing", "missing", OPEN, UNDECIDED, UNDECIDED),
]


@pytest.mark.parametrize(("gate", "state", "compared", "unknown", "answered"), CASES)
def test_every_state_of_an_answer_behind_every_state_of_its_gate(
    gate: str, state: str, compared: int, unknown: int, answered: int
) -> None:
    questions = {"gate": {"type": "yes_no"}, "gated": {"type": "yes_no", "asked_when": {"gate": "yes"}}}
    content = small_content(questions, {"gated": "yes"})
    values, unknowns = GATE[gate]
    values = values | ({"gated": "yes"} if state == "value" else {})
    unknowns = unknowns | ({"gated"} if state == "unknown" else set())
    reading = Reading(load_content(content).ruleset, Answers(values, frozenset(unknowns)))
    assert (reading.outcomes(IS), reading.outcomes(IS_UNKNOWN), reading.outcomes(IS_ANSWERED)) == (
        compared,
        unknown,
        answered,
    )


def test_not_at_least_is_not_below_where_the_question_is_not_applicable() -> None:
    score = {"type": "integer", "range": [0, 9], "unit": "points", "asked_when": {"gate": "yes"}}
    content = small_content({"gate": {"type": "yes_no"}, "score": score}, {"gate": "yes"})
    reading = Reading(load_content(content).ruleset, Answers({"gate": "no"}, frozenset()))
    assert reading.outcomes(Not(Compare("score", Operator.AT_LEAST, (3,)))) == TRUE
    assert reading.outcomes(Compare("score", Operator.BELOW, (3,))) == FALSE


def test_rewriting_with_the_same_leaves_gives_the_same_tree() -> None:
    tree = random_tree(random.Random(3), [f"q{number}" for number in range(6)], 3)
    assert rewrite(tree, lambda leaf: leaf) == tree
