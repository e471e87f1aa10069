"""Answers are typed, in range and complete in what they refuse; denied groups say exactly what they say."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st

from engine.decide.answers import UNKNOWN, Given, given, read_answers, unlisted
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError
from engine.rules.model import QuestionType
from tests.decide.generate import as_given, load_content, small_content

QUESTIONS = {
    "smoke": {"type": "yes_no", "group": "g0"},
    "size": {"type": "choice", "options": ["none", "small", "large"], "group": "g0"},
    "colour": {"type": "choice", "options": ["red", "blue"], "group": "g0"},
    "weight": {"type": "decimal", "unit": "kg", "range": [0, 20]},
    "wheels": {"type": "integer", "unit": "wheels", "range": [1, 4]},
    "parts": {"type": "several", "options": ["chain", "bell", "lamp"]},
    "age": {"type": "integer", "unit": "years", "range": [0, 99]},
}
CONTENT = small_content(QUESTIONS, {"smoke": "yes"}) | {
    "groups": {"g0": {}},
    "refuse": {
        "older_than_age": {"weight": {"above": {"sum": [{"answer": "age", "times": 2}, 1]}}},
        "wheels_of_nothing": {"all": [{"size": "none"}, {"answered": "wheels"}]},
    },
}
EVALUATOR = Evaluator(load_content(CONTENT))
RULESET = EVALUATOR.checked.ruleset


def violations(**answers: str | list[str]) -> list[tuple[str, str]]:
    with pytest.raises(AnswersError) as caught:
        EVALUATOR.read(as_given(answers))
    return [(each.field, each.code) for each in caught.value.violations]


def test_values_take_the_type_of_their_question() -> None:
    answers = EVALUATOR.read(as_given({"weight": "3", "wheels": "2", "parts": ["lamp", "chain"], "smoke": "true"}))
    assert answers.values == {"weight": Decimal(3), "wheels": 2, "parts": ("chain", "lamp"), "smoke": "yes"}
    assert answers.word("parts") == "chain, lamp"
    assert (answers.word("age"), answers.word("weight")) == ("missing", "3")


@pytest.mark.parametrize(
    ("question", "answer", "code"),
    [
        ("smoke", "maybe", "wrong-type"),
        ("smoke", "1", "wrong-type"),
        ("size", "yes", "wrong-type"),
        ("size", "huge", "unknown-option"),
        ("wheels", "2.5", "wrong-type"),
        ("wheels", "0", "out-of-range"),
        ("wheels", "5", "out-of-range"),
        ("weight", "20.01", "out-of-range"),
        ("weight", "-0.1", "out-of-range"),
        ("weight", "heavy", "wrong-type"),
        ("weight", "9" * 5_000, "wrong-type"),
        ("parts", ["chain", "wing"], "unknown-option"),
        ("parts", [], "wrong-type"),
        ("parts", "chain", "wrong-type"),
        ("wings", "yes", "unknown-question"),
    ],
)
def test_a_bad_answer_is_refused_by_name(question: str, answer: str | list[str], code: str) -> None:
    assert violations(**{question: answer}) == [(f'answers["{question}"]', code)]


def test_every_violation_is_named_at_once_and_in_order() -> None:
    assert violations(wheels="9", smoke="3", wings="yes") == [
        ('answers["smoke"]', "wrong-type"),
        ('answers["wheels"]', "out-of-range"),
        ('answers["wings"]', "unknown-question"),
    ]


def test_bounds_are_inclusive() -> None:
    assert EVALUATOR.read(as_given({"wheels": "1", "weight": "20"})).values == {"wheels": 1, "weight": Decimal(20)}


def test_a_denied_group_answers_only_what_is_missing() -> None:
    answers = EVALUATOR.read(as_given({"size": "unknown"}), ["g0"])
    assert answers.values == {"smoke": "no"}
    assert answers.unknown == {"size"}
    assert EVALUATOR.read({}, ["*"]).values == {"smoke": "no", "size": "none"}
    assert EVALUATOR.read(as_given({"smoke": "yes"}), ["g0"]).values == {"smoke": "yes", "size": "none"}


def test_a_group_that_does_not_exist_is_refused() -> None:
    with pytest.raises(AnswersError) as caught:
        EVALUATOR.read({}, ["g0", "g9"])
    assert [(each.field, each.code) for each in caught.value.violations] == [("none_of", "unknown-group")]


def test_contradictions_name_both_answers() -> None:
    with pytest.raises(AnswersError) as caught:
        EVALUATOR.read(as_given({"weight": "12", "age": "5"}))
    assert [each.field for each in caught.value.violations] == ['answers["age"]', 'answers["weight"]']
    assert "`weight` (12) and `age` (5)" in caught.value.violations[0].message
    EVALUATOR.read(as_given({"weight": "11", "age": "5"}))
    EVALUATOR.read(as_given({"weight": "12", "age": "unknown"}))
    EVALUATOR.read(as_given({"weight": "12"}))


def test_a_denied_group_can_contradict_a_value() -> None:
    with pytest.raises(AnswersError):
        EVALUATOR.read(as_given({"wheels": "2"}), ["g0"])


def test_unlisted_answers_follow_the_convention_of_cases() -> None:
    rest = dict(unlisted(RULESET, {"smoke": UNKNOWN}, "no"))
    assert "smoke" not in rest
    assert rest["size"] == Given(QuestionType.CHOICE, "none")
    assert rest["colour"] == UNKNOWN
    assert rest["wheels"] == UNKNOWN
    assert set(dict(unlisted(RULESET, {}, "unknown")).values()) == {UNKNOWN}


@generated(st.dictionaries(st.text(max_size=12) | st.sampled_from(sorted(QUESTIONS)), st.text(max_size=50)))
def test_any_text_is_read_or_refused(texts: dict[str, str]) -> None:
    try:
        read_answers(RULESET, {name: given(text) for name, text in texts.items()})
    except AnswersError as error:
        assert error.violations
        assert all("\n" not in each.message and "\x1b" not in each.message for each in error.violations)
