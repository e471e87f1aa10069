"""Seeded random patients for a real ruleset: mostly healthy, so that a single answer can still change the decision."""

from __future__ import annotations

import random
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path

from engine.decide.answers import Given, read_answers, unlisted
from engine.decide.direct import TRUE, Reading
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError
from engine.rules.condition import Compare, Condition, leaves
from engine.rules.load import load
from engine.rules.model import Question, QuestionType, Ruleset
from engine.rules.scale import Disposition

RULESETS = Path(__file__).parents[2] / "rulesets"
UNKNOWN = Given(None)


@cache
def evaluator(name: str = "low_back_pain") -> Evaluator:
    """The shipped ruleset, loaded once."""
    return Evaluator(load(RULESETS / name))


def conditions(ruleset: Ruleset) -> list[Condition]:
    """Every condition of a ruleset that reads answers."""
    found = [each.when for each in (*ruleset.rules.values(), *ruleset.findings.values())]
    found += [each.when for each in ruleset.programme if each.when is not None]
    gates = [*ruleset.questions.values(), *ruleset.groups.values()]
    return found + [each.asked_when for each in gates if each.asked_when is not None]


@cache
def telling_values(name: str) -> Mapping[str, tuple[Given, ...]]:
    """For every question the values that can make a difference: each option; numbers on and beside each threshold."""
    ruleset = evaluator(name).checked.ruleset
    points: dict[str, set[Decimal]] = {each: set() for each in ruleset.questions}
    for condition in conditions(ruleset):
        for leaf in leaves(condition):
            if isinstance(leaf, Compare):
                points[leaf.question].update(Decimal(each) for each in leaf.operands if isinstance(each, int | Decimal))
    return {each.id: _values(each, points[each.id]) for each in ruleset.questions.values()}


def _values(question: Question, points: set[Decimal]) -> tuple[Given, ...]:
    if not question.type.is_number:
        return tuple(Given(question.type, option) for option in question.options)
    assert question.low is not None and question.high is not None
    step = Decimal(1) if question.type is QuestionType.INTEGER else Decimal("0.1")
    near = {point + offset for point in points for offset in (-step, Decimal(0), step)} | {question.low, question.high}
    within = sorted(each for each in near if question.low <= each <= question.high)
    return tuple(Given(question.type, int(each) if question.type is QuestionType.INTEGER else each) for each in within)


def patient(rng: random.Random, name: str = "low_back_pain") -> dict[str, Given]:
    """Answers to every question, without contradictions: all denied, numbers and courses at random, up to five changed.

    Questions that are not asked of this patient are answered unknown, as a form that sends all its fields would.
    """
    each = evaluator(name)
    values = telling_values(name)
    while True:
        answers = dict(unlisted(each.checked.ruleset, {}, "no"))
        changed = rng.sample(sorted(each.checked.ruleset.questions), rng.randint(0, 5))
        for question in each.checked.ruleset.questions:
            if question in changed:
                answers[question] = UNKNOWN if rng.random() < 0.25 else rng.choice(values[question])
            elif answers[question] == UNKNOWN and rng.random() < 0.9 and _is_asked(answers, question, name):
                answers[question] = rng.choice(values[question])
        if span(answers, name) is not None:
            return answers


def _is_asked(answers: Mapping[str, Given], question: str, name: str) -> bool:
    """Whether the answers so far make it certain that the question is asked."""
    ruleset = evaluator(name).checked.ruleset
    return Reading(ruleset, read_answers(ruleset, answers)).asked(question) == TRUE


def partial(rng: random.Random, name: str = "low_back_pain") -> dict[str, Given]:
    """A patient of whom some questions have not been asked yet."""
    keep = rng.choice((0.3, 0.7, 0.9, 0.97))
    return {question: answer for question, answer in patient(rng, name).items() if rng.random() < keep}


def span(answers: Mapping[str, Given], name: str = "low_back_pain") -> tuple[Disposition, Disposition] | None:
    """Floor and ceiling; None where the answers contradict each other."""
    each = evaluator(name)
    try:
        outcome = each.evaluate(each.read(answers)).outcome
    except AnswersError:
        return None
    return outcome.floor, outcome.ceiling
