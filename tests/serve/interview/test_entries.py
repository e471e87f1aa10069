"""One screen: what counts as an answer, what is asked again, and that blank is neither no nor unknown."""

from __future__ import annotations

import pytest

from engine.decide.interview import Screen
from engine.rules.load import load
from engine.serve.errors import MalformedRequest
from engine.serve.interview.entries import Fault, enter, typed
from tests.serve.conftest import SMALL

RULESET = load(SMALL / "small").ruleset
FLAGS = Screen("flags", ("trauma", "numb", "fever"), deniable=True)


def entered(question: str, *said: str) -> tuple[str, ...] | Fault:
    found = enter(RULESET, Screen("", (question,), deniable=False), {question: said}, denied=False)
    return found.answers[question] if question in found.answers else found.remarks[question].fault


@pytest.mark.parametrize(
    ("question", "said", "expected"),
    [
        ("age", ("40",), ("40",)),
        ("age", (" 040 ", ""), ("40",)),
        ("age", ("40,0",), ("40",)),
        ("age", ("0",), ("0",)),
        ("age", ("120",), ("120",)),
        ("age", ("121",), Fault.OUT_OF_RANGE),
        ("age", ("-1",), Fault.OUT_OF_RANGE),
        ("age", ("40.5",), Fault.NOT_WHOLE),
        ("age", ("forty",), Fault.NO_NUMBER),
        ("age", ("4 0",), Fault.NO_NUMBER),
        ("age", ("1e2",), Fault.NO_NUMBER),
        ("age", ("NaN",), Fault.NO_NUMBER),
        ("age", ("\u0664\u0660",), Fault.NO_NUMBER),
        ("age", ("9" * 50,), Fault.NO_NUMBER),
        ("age", ("",), Fault.BLANK),
        ("age", (), Fault.BLANK),
        ("age", ("", "unknown"), ("unknown",)),
        ("age", ("40", "unknown"), Fault.TWO_ANSWERS),
        ("weeks", ("0,5",), ("0.5",)),
        ("weeks", ("0.50",), ("0.5",)),
        ("weeks", ("3",), ("3",)),
        ("weeks", ("1.000",), Fault.NO_NUMBER),
        ("weeks", ("1,000",), Fault.NO_NUMBER),
        ("weeks", ("5201",), Fault.OUT_OF_RANGE),
        ("numb", ("yes",), ("yes",)),
        ("numb", ("unknown",), ("unknown",)),
        ("numb", ("yes", "no"), Fault.TWO_ANSWERS),
        ("trauma", (), Fault.BLANK),
        ("trauma", ("minor",), ("minor",)),
        ("wants", ("strength", "posture"), ("strength", "posture")),
        ("wants", ("strength", "unknown"), Fault.TWO_ANSWERS),
        ("wants", (), Fault.BLANK),
    ],
)
def test_what_is_filled_in_is_read(question: str, said: tuple[str, ...], expected: tuple[str, ...] | Fault) -> None:
    assert entered(question, *said) == expected


def test_none_of_these_denies_what_is_blank() -> None:
    found = enter(RULESET, FLAGS, {"numb": ("no",)}, denied=True)
    assert found.answers == {"trauma": ("none",), "numb": ("no",), "fever": ("no",)}
    assert found.remarks == {}


@pytest.mark.parametrize("said", ["yes", "unknown"])
def test_none_of_these_beside_an_answer_is_asked_about(said: str) -> None:
    found = enter(RULESET, FLAGS, {"numb": (said,)}, denied=True)
    assert "numb" not in found.answers
    assert found.remarks["numb"].fault is Fault.DENIED_TOO


@pytest.mark.parametrize(
    ("screen", "entries", "denied"),
    [
        (FLAGS, {"age": ("40",)}, False),
        (FLAGS, {"nothing": ("yes",)}, False),
        (FLAGS, {"numb": ("maybe",)}, False),
        (FLAGS, {"trauma": ("yes",)}, False),
        (Screen("", ("wants",), deniable=False), {"wants": ("strength", "flight")}, False),
        (Screen("", ("wants",), deniable=False), {}, True),
    ],
)
def test_what_a_screen_does_not_offer_is_refused(
    screen: Screen, entries: dict[str, tuple[str, ...]], denied: bool
) -> None:
    with pytest.raises(MalformedRequest):
        enter(RULESET, screen, entries, denied)


@pytest.mark.parametrize("answers", [{"nothing": ("yes",)}, {"numb": ("yes", "no")}, {"age": ("1", "2")}])
def test_answers_that_no_screen_gave_are_refused(answers: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(MalformedRequest):
        typed(RULESET, answers)
