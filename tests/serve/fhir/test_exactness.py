"""Every case of the shipped rulesets goes through FHIR and comes back the same, to the same decision digest."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache

import pytest

from engine.decide.answers import Answers, Given
from engine.decide.cases import case_answers
from engine.decide.direct import FALSE, Reading
from engine.errors import AnswersError
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.cases import Case
from engine.rules.load import load_cases
from engine.serve.fhir.answers import Read, read_response
from engine.serve.fhir.shape import resource
from tests.clinical.patients import partial, patient
from tests.serve.conftest import PUBLISHED
from tests.serve.fhir.conftest import BASE, form, shelf_of
from tests.serve.fhir.written import direct, enabled, every_item, respond, sent

RULESETS = ("low_back_pain", "neck_pain")


@cache
def cases(ruleset: str) -> tuple[Case, ...]:
    return load_cases(PUBLISHED / ruleset, shelf_of(ruleset).served(ruleset).evaluator.checked)


def read(ruleset: str, answers: Mapping[str, Given], none_of: tuple[str, ...] = ()) -> Read:
    """What the service reads in the response that a client sends with these answers."""
    shelf = shelf_of(ruleset)
    response = resource(sent(respond(form(ruleset), answers, none_of)), "QuestionnaireResponse")
    return read_response(response, shelf.served(ruleset), "nl", BASE, shelf.config)


def same(request: pb.EvaluateRequest, wanted: pb.EvaluateRequest, groups: Mapping[str, object]) -> None:
    """Value, unknown and missing of every question, and every denied group."""
    assert {name: numbers(answer) for name, answer in request.answers.items()} == {
        name: numbers(answer) for name, answer in wanted.answers.items()
    }
    denied = set(groups) if "*" in wanted.none_of else set(wanted.none_of)
    assert set(request.none_of) == denied


def numbers(answer: pb.Answer) -> pb.Answer:
    """A whole number counts the same as an integer and as a decimal."""
    if answer.WhichOneof("kind") == "integer":
        return pb.Answer(decimal=str(answer.integer))
    return answer


@pytest.mark.parametrize(
    ("ruleset", "step"),
    [("low_back_pain", 7), pytest.param("low_back_pain", 1, marks=pytest.mark.slow), ("neck_pain", 1)],
)
def test_every_case_comes_back_the_same_and_gets_the_same_decision(ruleset: str, step: int) -> None:
    shelf = shelf_of(ruleset)
    checked = shelf.served(ruleset).evaluator.checked
    assert len(cases(ruleset)) > 50
    for case in cases(ruleset)[::step]:
        answers = case_answers(checked.ruleset, case)
        wanted = direct(ruleset, answers, case.none_of)
        found = read(ruleset, answers, case.none_of)
        same(found.request, wanted, checked.ruleset.groups)
        one, other = shelf.service.answer(found.request), shelf.service.answer(wanted)
        assert one.decision_digest == other.decision_digest, case.id
        assert one.WhichOneof("outcome") == other.WhichOneof("outcome")


def test_the_cases_hold_what_could_get_lost() -> None:
    """Denied groups, unknown answers, missing ones, and values that are not asked for: all come through above."""
    ruleset = shelf_of("low_back_pain").served("low_back_pain").evaluator.checked.ruleset
    every = [(case, case_answers(ruleset, case)) for case in cases("low_back_pain")]
    assert any(case.none_of == ("*",) for case, _ in every)
    assert any(case.none_of and case.none_of != ("*",) for case, _ in every)
    assert any(Given(None) in answers.values() for _, answers in every)
    assert any(not case.none_of and len(answers) < len(ruleset.questions) for case, answers in every)
    assert any(read("low_back_pain", answers, case.none_of).warnings for case, answers in every)


@pytest.mark.parametrize("ruleset", RULESETS)
def test_partial_patients_come_back_the_same(ruleset: str) -> None:
    rng = random.Random(7)
    groups = shelf_of(ruleset).served(ruleset).evaluator.checked.ruleset.groups
    for _ in range(30):
        answers = partial(rng, ruleset)
        none_of = tuple(rng.sample(sorted(groups), rng.randint(0, 2)))
        try:
            found = read(ruleset, answers, none_of)
        except AnswersError as error:  # a denied group may contradict what was answered
            assert {each.code for each in error.violations} == {"contradiction"}
            continue
        same(found.request, direct(ruleset, answers, none_of), groups)


@pytest.mark.parametrize(
    ("ruleset", "number"),
    [("low_back_pain", 80), pytest.param("low_back_pain", 500, marks=pytest.mark.slow), ("neck_pain", 500)],
)
def test_nothing_that_is_asked_is_ever_disabled(ruleset: str, number: int) -> None:
    """For every case, and for seeded random patients, whole and partial, with and without denied groups."""
    rng = random.Random(20261201)
    checked = shelf_of(ruleset).served(ruleset).evaluator.checked.ruleset
    patients = [(case_answers(checked, case), case.none_of) for case in cases(ruleset)]
    for _ in range(number):
        made = patient(rng, ruleset) if rng.random() < 0.2 else partial(rng, ruleset)
        patients.append((made, tuple(rng.sample(sorted(checked.groups), rng.randint(0, 3)))))
    asked = hidden = 0
    for answers, none_of in patients:
        try:
            typed = shelf_of(ruleset).served(ruleset).evaluator.read(answers, none_of)
        except AnswersError:
            continue
        shown = enabled(form(ruleset), respond(form(ruleset), answers, none_of))
        reading = Reading(checked, Answers(typed.values, typed.unknown))
        for question in checked.questions:
            if not reading.asked(question) & FALSE:  # certainly asked: true, or unknown
                assert question in shown, (question, answers, none_of)
                assert not (question in typed.unknown and checked.questions[question].type.is_number) or (
                    f"{question}-unknown" in shown
                ), question
                asked += 1
            hidden += question not in shown
    assert asked > 1000
    assert hidden > 1000


def test_enable_when_says_exactly_what_it_can() -> None:
    """Of one `asked_when` that fits and one that does not; the latter's group shows what its questions cannot."""
    items = {item["linkId"]: item for item in every_item(form("low_back_pain")["item"])}
    numbness = items["leg_numbness_days"]
    assert numbness["enableBehavior"] == "any"
    assert [test["answerCoding"]["code"] for test in numbness["enableWhen"]] == [
        "leg_numbness.one", "leg_numbness.both", "asked-unknown"
    ]  # fmt: skip
    group, inside = items["group-inflammatory"], items["buttock_pain"]
    assert {test["question"] for test in group["enableWhen"]} == {"age_at_onset", "age_at_onset-unknown"}
    assert {test["question"] for test in inside["enableWhen"]} == {"duration_weeks", "duration_weeks-unknown"}
