"""Somebody who has only the printed handbook reaches the decision that the service gives."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from engine.author.handbook import conditions
from engine.author.handbook.content import Handbook as Content
from engine.author.handbook.markup import Markup, tag
from engine.author.handbook.page import render_handbook
from engine.author.labels import LABELS
from engine.decide.answers import read_answers
from engine.decide.cases import case_answers
from engine.rules.cases import Case
from engine.rules.condition import AnyOf, Unless
from engine.rules.load import load_cases
from tests.author.printed import Handbook, Misprint, Patient
from tests.clinical.patients import RULESETS, evaluator

CHECKED = evaluator().checked
CASES = {case.id: case for case in load_cases(RULESETS / "low_back_pain", CHECKED)}
TEN = (
    "LBP-V002", "LBP-V005", "LBP-V008", "LBP-V011", "LBP-V014",
    "LBP-V033", "LBP-V035", "LBP-V061", "LBP-V085", "LBP-V089",
)  # fmt: skip
"""Vignettes with all five dispositions."""


def printed(language: str = "nl") -> Handbook:
    return Handbook(render_handbook(Content(CHECKED, language)))


@cache
def page(language: str) -> Handbook:
    """The handbook as it is; printed once."""
    return printed(language)


def follow(book: Handbook, case: Case) -> Patient:
    answers = read_answers(CHECKED.ruleset, case_answers(CHECKED.ruleset, case), case.none_of)
    return Patient(book, answers.values, answers.unknown)


Decided = tuple[str, str, int | None, str, list[str]]


def told(case: Case) -> Decided:
    """What the case expects: disposition, call, hours, programme, and the rules that are true."""
    told = case.expect
    assert told.disposition is not None and told.call is not None and told.programme is not None
    rules = sorted(set(told.rules or ()) - {CHECKED.ruleset.default.id})
    return told.disposition.word, told.call.word, told.within_hours, told.programme.word, rules


def reached(patient: Patient) -> Decided:
    """What the printed handbook gives."""
    return patient.disposition, patient.call, patient.hours, patient.programme, sorted(patient.true_rules)


def test_the_ten_have_every_disposition() -> None:
    assert {told(CASES[name])[0] for name in TEN} == set(page("nl").dispositions)


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("name", TEN)
def test_the_printed_rules_lead_to_the_same_decision(name: str, language: str) -> None:
    case = CASES[name]
    assert reached(follow(page(language), case)) == told(case)


@pytest.mark.slow
def test_all_vignettes_are_followed_to_the_last_text() -> None:
    """Not the ten alone, and not the decision alone: advice and safety net too."""
    for name, case in CASES.items():
        expect = case.expect
        if not name.startswith("LBP-V") or expect.disposition is None or not case.unlisted:
            continue
        patient = follow(page("nl"), case)
        assert reached(patient) == told(case), name
        assert patient.shown("advice") == list(expect.advice or ()), name
        assert patient.shown("safety-net") == list(expect.safety_net or ()), name


def _any_as_all(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(conditions.OPS, AnyOf, "all")


def _unless_as_not(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(conditions.OPS, Unless, "not")


def _threshold_off_by_one(patch: pytest.MonkeyPatch) -> None:
    """In the words and in the attributes, so that nothing but the decision can tell."""
    right = conditions.plain_number

    def wrong(value: object) -> str:
        return str(int(value) + 1) if isinstance(value, int) else right(value)  # type: ignore[arg-type]

    patch.setattr(conditions, "plain_number", wrong)
    patch.setattr(conditions.Words, "number", lambda self, value: wrong(value))


def _threshold_misprinted(patch: pytest.MonkeyPatch) -> None:
    """The number that a person reads, and not the attribute."""
    patch.setattr(conditions.Words, "number", lambda self, value: f"1{value}")


def _at_least_as_above(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(LABELS["nl"], "at_least", LABELS["nl"]["above"])


def _negation_lost(patch: pytest.MonkeyPatch) -> None:
    right = conditions._node

    def wrong(words: object, ruleset: object, condition: object) -> Markup:
        inner = condition.member if isinstance(condition, Unless) else condition
        return right(words, ruleset, inner)  # type: ignore[arg-type]

    patch.setattr(conditions, "_node", wrong)


def _option_swapped(patch: pytest.MonkeyPatch) -> None:
    """`no` printed for `yes`."""
    right = conditions._operand

    def wrong(words: conditions.Words, ruleset: object, question: str, operand: object) -> Markup:
        if operand == "yes":
            return tag("q", words.text("answers", "no"))
        return right(words, ruleset, question, operand)  # type: ignore[arg-type]

    patch.setattr(conditions, "_operand", wrong)


@pytest.mark.parametrize(
    "plant",
    [
        _any_as_all, _unless_as_not, _threshold_off_by_one, _threshold_misprinted,
        _at_least_as_above, _negation_lost, _option_swapped,
    ],
)  # fmt: skip
def test_a_planted_fault_leads_astray(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    book = printed()
    astray = []
    for name in TEN:
        try:
            if reached(follow(book, CASES[name])) != told(CASES[name]):
                astray.append(name)
        except Misprint:
            astray.append(name)
    assert astray
