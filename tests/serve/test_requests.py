"""Requests become answers, or every violation at once; silence and half answers never become a *no*."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.load import load
from engine.serve.config import Config
from engine.serve.convert import read_answers
from tests.serve.conftest import SMALL

LIMITS = Config(rulesets=Path())
OPAQUE = "q7Xw3-Lp_9Zk2VtR" * 4


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return Evaluator(load(SMALL / "small"))


def request(**fields: Any) -> pb.EvaluateRequest:
    return pb.EvaluateRequest(ruleset="small", **fields)


def violations(evaluator: Evaluator, message: pb.EvaluateRequest, limits: Config = LIMITS) -> list[tuple[str, str]]:
    with pytest.raises(AnswersError) as caught:
        read_answers(evaluator, message, limits)
    return [(each.field, each.code) for each in caught.value.violations]


def test_every_kind_of_answer_is_read(evaluator: Evaluator) -> None:
    answers = {
        "age": pb.Answer(integer=40),
        "weeks": pb.Answer(decimal="0.70"),
        "trauma": pb.Answer(choice="minor"),
        "numb": pb.Answer(yes_no=pb.YES_NO_NO),
        "fever": pb.Answer(yes_no=pb.YES_NO_YES),
        "fever_days": pb.Answer(unknown=pb.Unknown()),
        "wants": pb.Answer(several=pb.Options(options=["posture", "strength", "posture"])),
    }
    typed = read_answers(evaluator, request(answers=answers), LIMITS)
    assert typed.values == {
        "age": 40,
        "weeks": Decimal("0.7"),
        "trauma": "minor",
        "numb": "no",
        "fever": "yes",
        "wants": ("strength", "posture"),
    }
    assert typed.unknown == {"fever_days"}
    whole = read_answers(evaluator, request(answers={"weeks": pb.Answer(integer=3)}), LIMITS)
    assert whole.values == {"weeks": Decimal(3)}


def test_silence_is_missing_and_only_a_denied_group_answers_no(evaluator: Evaluator) -> None:
    nothing = read_answers(evaluator, request(), LIMITS)
    assert (nothing.values, nothing.unknown) == ({}, frozenset())
    denied = read_answers(evaluator, request(none_of=["flags"]), LIMITS)
    assert denied.values == {"numb": "no", "fever": "no", "trauma": "none"}


@pytest.mark.parametrize(
    ("name", "answer", "code"),
    [
        ("numb", pb.Answer(), "missing-kind"),
        ("numb", pb.Answer(yes_no=pb.YES_NO_UNSPECIFIED), "missing-kind"),
        ("numb", pb.Answer(yes_no=7), "unknown-value"),  # a number of a newer contract
        ("numb", pb.Answer(choice="no"), "wrong-type"),
        ("numb", pb.Answer(integer=0), "wrong-type"),
        ("age", pb.Answer(decimal="12"), "wrong-type"),
        ("age", pb.Answer(integer=121), "out-of-range"),
        ("age", pb.Answer(integer=-(2**63)), "out-of-range"),
        ("weeks", pb.Answer(decimal=""), "wrong-type"),
        ("weeks", pb.Answer(decimal="1e3"), "wrong-type"),
        ("weeks", pb.Answer(decimal="NaN"), "wrong-type"),
        ("weeks", pb.Answer(decimal="0,7"), "wrong-type"),
        ("weeks", pb.Answer(decimal="unknown"), "wrong-type"),
        ("weeks", pb.Answer(decimal="yes"), "wrong-type"),
        ("weeks", pb.Answer(decimal="0." + "1" * 39), "wrong-type"),
        ("trauma", pb.Answer(choice="mild"), "unknown-option"),
        ("trauma", pb.Answer(choice=""), "unknown-option"),
        ("wants", pb.Answer(several=pb.Options()), "wrong-type"),
        ("wants", pb.Answer(several=pb.Options(options=["strength", "sleep"])), "unknown-option"),
        ("nothing", pb.Answer(unknown=pb.Unknown()), "unknown-question"),
    ],
)
def test_an_answer_that_says_nothing_certain_is_refused(
    evaluator: Evaluator, name: str, answer: pb.Answer, code: str
) -> None:
    assert violations(evaluator, request(answers={name: answer})) == [(f'answers["{name}"]', code)]


def test_everything_wrong_is_told_at_once(evaluator: Evaluator) -> None:
    message = request(
        answers={
            "age": pb.Answer(integer=20),
            "onset": pb.Answer(integer=30),
            "weeks": pb.Answer(decimal="many"),
            "fever_days": pb.Answer(integer=999),
            "numb": pb.Answer(),
            "strange": pb.Answer(),
        },
        none_of=["flags", "ghosts"],
        view=9,
        context=pb.RequestContext(request_id="a\nb", subject_reference="x" * 65, respondent=9, on_behalf_of="x" * 129),
    )
    assert violations(evaluator, message) == [
        ('answers["age"]', "contradiction"),
        ('answers["fever_days"]', "out-of-range"),
        ('answers["numb"]', "missing-kind"),
        ('answers["onset"]', "contradiction"),
        ('answers["strange"]', "missing-kind"),
        ('answers["strange"]', "unknown-question"),
        ('answers["weeks"]', "wrong-type"),
        ("context.on_behalf_of", "bad-name"),
        ("context.request_id", "bad-request-id"),
        ("context.respondent", "unknown-value"),
        ("context.subject_reference", "bad-subject"),
        ("none_of", "unknown-group"),
        ("view", "unknown-value"),
    ]


@pytest.mark.parametrize("request_id", ["x" * 129, "tab\there", "é", " \x7f"])
def test_a_request_id_that_cannot_be_repeated_is_refused(evaluator: Evaluator, request_id: str) -> None:
    message = request(context=pb.RequestContext(request_id=request_id))
    assert violations(evaluator, message) == [("context.request_id", "bad-request-id")]


def test_the_bounds_themselves_are_allowed(evaluator: Evaluator) -> None:
    context = pb.RequestContext(request_id="x" * 128, subject_reference=OPAQUE, on_behalf_of="é" * 128)
    assert read_answers(evaluator, request(context=context), LIMITS).values == {}


@pytest.mark.parametrize("subject", ["111222333", "jan.jansen@example.org", "1980-02-29", "Jansen", "x" * 65, "a\nb"])
def test_a_subject_that_names_somebody_is_refused_and_not_repeated(evaluator: Evaluator, subject: str) -> None:
    message = request(context=pb.RequestContext(subject_reference=subject))
    with pytest.raises(AnswersError) as caught:
        read_answers(evaluator, message, LIMITS)
    (violation,) = caught.value.violations
    assert (violation.field, violation.code) == ("context.subject_reference", "bad-subject")
    assert subject not in violation.message + str(caught.value)


def test_too_much_is_not_read(evaluator: Evaluator) -> None:
    many = request(answers={f"q{number}": pb.Answer() for number in range(501)})
    assert violations(evaluator, many) == [("answers", "too-many")]
    assert len(violations(evaluator, request(answers={f"q{number}": pb.Answer() for number in range(500)}))) == 1000
    assert violations(evaluator, request(none_of=["x"] * 501)) == [("none_of", "too-many")]
    large = request(answers={"trauma": pb.Answer(choice="x" * 300_000)})
    assert violations(evaluator, large) == [("answers", "too-large")]
    assert violations(evaluator, request(none_of=["x"]), Config(rulesets=Path(), max_request_size=5)) == [
        ("answers", "too-large")
    ]
