"""Interviews in low_back_pain: the order in which is asked, and that they end where the whole form ends."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

import pytest

from engine.decide.answers import Given, given, read_answers
from engine.decide.evaluate import Rehearsal
from engine.decide.interview import MOST, Interview, Screen
from engine.rules.scale import Disposition
from tests.clinical.interviews import interviews
from tests.clinical.patients import evaluator

REHEARSAL = Rehearsal(evaluator().checked)
RULESET = REHEARSAL.checked.ruleset
INTERVIEW = Interview(RULESET, lambda answers: REHEARSAL.evaluate(answers).outcome)


def after(**answers: str) -> Screen | None:
    told: Mapping[str, Given] = {name: given(answer) for name, answer in answers.items()}
    return INTERVIEW.next(read_answers(RULESET, told))[1]


def test_it_begins_with_danger_that_can_be_denied_at_once() -> None:
    first = after()
    assert first is not None
    assert first.deniable
    assert 1 < len(first.questions) <= MOST
    wanted = {
        each.question: each.disposition for each in REHEARSAL.evaluate(read_answers(RULESET, {})).outcome.next_questions
    }
    assert {wanted[name] for name in first.questions} == {Disposition.EMERGENCY}


def test_an_emergency_ends_it() -> None:
    assert after(saddle_numbness="yes") is None


def test_a_question_without_a_group_stands_alone_and_is_not_deniable() -> None:
    screen: Screen | None
    told: dict[str, Given] = {}
    for _ in range(len(RULESET.questions)):
        _, screen = INTERVIEW.next(read_answers(RULESET, told))
        assert screen is not None
        if not screen.group:
            break
        told.update((name, Given(None)) for name in screen.questions)
    assert screen is not None
    assert len(screen.questions) == 1
    assert not screen.deniable


def test_unknown_all_the_way_ends_and_sends_nobody_home() -> None:
    told: dict[str, Given] = {}
    while True:
        outcome, screen = INTERVIEW.next(read_answers(RULESET, told))
        if screen is None:
            break
        told.update((name, Given(None)) for name in screen.questions)
    assert outcome.settled
    assert outcome.floor > Disposition.SELF_CARE


def test_it_goes_on_until_the_programme_is_settled_too() -> None:
    assert [held for held in interviews(12) if held.ended.programme.open] == []


@pytest.mark.parametrize("number", [60, pytest.param(600, marks=pytest.mark.slow)])
def test_interviews_end_where_the_whole_form_ends(number: int) -> None:
    held = list(interviews(number))
    assert [each for each in held if not each.agrees] == []
    assert median(each.screens for each in held) <= 25
    assert all(each.questions < each.form for each in held)
