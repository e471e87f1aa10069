"""The exact test of a record, held against trying every completion that there is."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import product

import pytest

from engine.author.proof_report import render_exact
from engine.decide.answers import UNKNOWN, Given
from engine.decide.direct import FALSE
from engine.decide.evaluate import Evaluated, Evaluator
from engine.errors import AnswersError
from engine.prove.conditions import readers
from engine.prove.exact import Exact, ExactTest, measure
from engine.prove.pairs import numbers
from engine.rules.load import load
from engine.rules.model import CheckedRuleset, Question, QuestionType
from engine.rules.scale import Disposition
from tests.clinical.patients import RULESETS
from tests.decide.generate import load_content
from tests.prove.rulesets import tiny_content

Record = Mapping[str, Given]
MOST_COMPLETIONS = 1500


def _values(checked: CheckedRuleset, question: Question) -> list[Given]:
    if question.type.is_number:
        return [Given(question.type, each) for each in numbers(checked.ruleset, question)]
    options = question.options
    if question.type is QuestionType.SEVERAL:
        sets = (
            tuple(each for each, taken in zip(options, bits, strict=True) if taken)
            for bits in product((0, 1), repeat=len(options))
        )
        return [Given(question.type, each) for each in sets if each]
    return [Given(question.type, each) for each in options]


def completions(evaluator: Evaluator, record: Record) -> Iterator[tuple[Record, Evaluated]]:
    """Every record that adds answers, all of which apply by then, with what is decided on it."""
    ruleset = evaluator.checked.ruleset
    missing = [each for each in ruleset.questions.values() if each.id not in record]
    for added in product(*([None, UNKNOWN, *_values(evaluator.checked, each)] for each in missing)):
        given = {each.id: answer for each, answer in zip(missing, added, strict=True) if answer is not None}
        try:
            evaluated = evaluator.evaluate(evaluator.read({**record, **given}))
        except AnswersError:
            continue
        if all(evaluated.reading.asked(name) != FALSE for name in given):
            yield {**record, **given}, evaluated


def by_hand(evaluator: Evaluator, record: Record) -> tuple[Disposition, set[str], set[str]]:
    """The exact ceiling, the rules that can become true, and the questions that change some completed disposition."""
    ruleset = evaluator.checked.ruleset
    asked_by = readers(ruleset).asked
    ceiling, rules = Disposition.SELF_CARE, set[str]()
    floors: dict[tuple[str, frozenset[tuple[str, Given]]], set[Disposition]] = {}
    for answers, evaluated in completions(evaluator, record):
        ceiling = max(ceiling, evaluated.outcome.floor)
        rules |= set(evaluated.outcome.rules)
        if all(name in answers or evaluated.reading.asked(name) == FALSE for name in ruleset.questions):
            for name in ruleset.questions:
                varied = {name, *(key for key in asked_by[name] if key not in record)}
                rest = frozenset((key, answer) for key, answer in answers.items() if key not in varied)
                floors.setdefault((name, rest), set()).add(evaluated.outcome.floor)
    return ceiling, rules, {name for (name, _), found in floors.items() if len(found) > 1}


def test_every_completion_of_tiny_rulesets() -> None:
    rng = random.Random(41)
    inexact = looked = 0
    while looked < 20:
        checked = load_content(tiny_content(rng))
        test = ExactTest(checked)
        sizes = [len(_values(checked, each)) + 2 for each in checked.ruleset.questions.values()]
        total = 1
        for size in sizes:
            total *= size
        record = {
            each.id: rng.choice([UNKNOWN, *_values(checked, each)])
            for each in checked.ruleset.questions.values()
            if rng.random() < 0.3
        }
        if total > MOST_COMPLETIONS:
            continue
        try:
            found = test.look(record)
        except AnswersError:
            continue
        looked += 1
        ceiling, rules, questions = by_hand(test.evaluator, record)
        assert found.ceiling is max(ceiling, found.bound.floor)
        assert set(found.open_rules) == rules & set(found.bound.open_rules)
        listed = {each.question for each in found.bound.next_questions}
        assert set(found.next_questions) == questions & listed
        inexact += bool(found.idle_rules or found.idle_questions)
    assert inexact > 1


def _contradiction() -> CheckedRuleset:
    """A rule that two readings of one answer exclude, though each of them alone is open."""
    content = tiny_content(random.Random(3))
    content["groups"] = {}
    content["questions"] = {"q0": {"type": "yes_no"}, "q1": {"type": "yes_no"}}
    content["findings"] = {"f0": {"q0": "yes"}, "f1": {"q1": "yes"}}
    rules = list(content["rules"].values())
    then = {"disposition": "emergency", "call": "112", "within_hours": "1"}
    content["rules"] = {"R00": rules[0] | {"when": {"all": [{"q0": "yes"}, {"not": {"q0": "yes"}}]}, "then": then}}
    content["programme"] = content["programme"][-1:]
    content["advice"] = {}
    content["refuse"] = {}
    content["advice_policies"] = {}
    content["safety_net"] = {"SN-0": {}}
    content["claims"] = {}
    return load_content(content)


def test_a_rule_that_can_never_become_true_is_told() -> None:
    found = ExactTest(_contradiction()).look({})
    assert (found.bound.settled, found.settled) == (False, True)
    assert (found.idle_rules, found.idle_questions) == (("R00",), ("q0",))
    told = "\n".join(line.text for line in render_exact([found], 80))
    assert "1 sampled, 1 of them not settled" in told
    assert "1 are settled all the same" in told
    assert "open, and never true: R00" in told


@pytest.mark.slow
def test_how_exact_the_bound_is_on_the_real_ruleset() -> None:
    """The ceiling is a safe bound, and mostly an exact one; some questions are asked for nothing."""
    found: list[Exact] = list(measure(load(RULESETS / "low_back_pain"), 12, 1))
    unsettled = [each for each in found if not each.bound.settled]
    assert len(unsettled) >= 4
    assert all(each.bound.floor <= each.ceiling <= each.bound.ceiling for each in found)
    rules = sum(len(each.bound.open_rules) for each in unsettled)
    assert sum(len(each.idle_rules) for each in unsettled) < rules / 10
