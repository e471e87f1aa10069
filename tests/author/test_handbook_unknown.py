"""What the handbook says of an unknown answer is what the evaluator does with it."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from engine.author.handbook.conditions import Unanswered, questions_in, when_unknown
from engine.decide.answers import Given, read_answers, unlisted
from engine.decide.direct import TRUE, Reading
from engine.rules.model import Rule
from tests.clinical.patients import UNKNOWN, evaluator, telling_values

RULESET = evaluator().checked.ruleset
IDLE = {("S02", "leg_weakness_days")}
"""Fulfilled by not knowing, and by every value as well: weakness that increases is new, however long it lasts."""


def holds(rule: Rule, answers: dict[str, Given]) -> bool:
    return Reading(RULESET, read_answers(RULESET, answers)).outcomes(rule.when) == TRUE


def counts_as_fulfilled(rule: Rule, question: str, tries: int, rng: random.Random) -> bool:
    """Whether somebody is found for whom the rule holds by not knowing, and would not hold by some value."""
    values = telling_values("low_back_pain")
    denied = dict(unlisted(RULESET, {}, "no"))
    asked = questions_in(RULESET, rule.when)
    gates = [each.asked_when for name in asked if (each := RULESET.questions[name]).asked_when is not None]
    asked = tuple(dict.fromkeys((*asked, *(name for gate in gates for name in questions_in(RULESET, gate)))))
    for _ in range(tries):
        share = rng.choice((0.1, 1.0))
        changed = [each for each in asked if rng.random() < share]
        answers = denied | {each: rng.choice((*values[each], UNKNOWN)) for each in changed}
        if holds(rule, answers | {question: UNKNOWN}) and not all(
            holds(rule, answers | {question: value}) for value in values[question]
        ):
            return True
    return False


def checked_pairs(rules: Iterable[Rule], tries: int) -> int:
    """Holds what is said against what happens, for every question of the rules; gives how many count as fulfilled."""
    rng = random.Random(4)
    fulfilled = 0
    for rule in rules:
        for question in questions_in(RULESET, rule.when):
            said = when_unknown(RULESET, rule.when, question) is Unanswered.MET
            found = counts_as_fulfilled(rule, question, tries * 10 if said else tries, rng)
            assert found == said or (rule.id, question) in IDLE, (rule.id, question)
            fulfilled += said
    return fulfilled


def test_what_is_said_of_unknown_answers_is_what_happens() -> None:
    """Both ways, of the rules that are read most."""
    assert checked_pairs([each for each in RULESET.rules.values() if each.id in ("S19", "S20", "P03", "P04")], 30) > 8


@pytest.mark.slow
def test_so_it_is_of_every_rule() -> None:
    assert checked_pairs(RULESET.rules.values(), 120) > 60
