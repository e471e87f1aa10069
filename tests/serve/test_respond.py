"""What is kept of responses: whatever was asked before, a response is that of a responder that has kept nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from google.protobuf.message import Message

from engine.decide.answers import given, read_answers
from engine.decide.canonical import decision_digest, outcome_bytes, outcome_content
from engine.decide.evaluate import Evaluated, Evaluator
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.canonical import canonical_json, digest_of
from engine.rules.load import load
from engine.rules.model import Question, QuestionType
from engine.serve import respond as module
from engine.serve.respond import Responder
from tests.serve.conftest import SMALL

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(
    scope="module", params=[SMALL / "small", ROOT / "rulesets" / "low_back_pain"], ids=lambda each: each.name
)
def evaluator(request: pytest.FixtureRequest) -> Evaluator:
    return Evaluator(load(request.param))


def evaluations(evaluator: Evaluator, number: int) -> Iterator[Evaluated]:
    rng = random.Random(8)
    ruleset = evaluator.checked.ruleset
    numbers = ("0", "3", "17", "65", "70")
    for _ in range(number):
        answers = {}
        for name, question in ruleset.questions.items():
            values = question.options
            if question.type.is_number:
                values = tuple(each for each in numbers if in_range(question, Decimal(each)))
            value = rng.choice([*values, "no", "no", "no", "unknown", "missing"])
            if value == "no" and "no" not in question.options:
                value = "none" if "none" in question.options else "missing"
            if question.type is QuestionType.SEVERAL and value in question.options:
                answers[name] = given((value,))
            elif value != "missing":
                answers[name] = given(value)
        yield evaluator.evaluate(read_answers(ruleset, answers))


def in_range(question: Question, number: Decimal) -> bool:
    low = number if question.low is None else question.low
    high = number if question.high is None else question.high
    return low <= number <= high


def of(part: bytes) -> Message:
    return pb.EvaluateResponse.FromString(part)


def test_what_is_kept_changes_nothing(evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REASONS", 40)  # so that it begins anew now and then
    kept = {language: Responder(evaluator.checked, language) for language in ("nl", "en")}
    for evaluated in evaluations(evaluator, 60):
        answers = evaluated.reading.answers
        for language, responder in kept.items():
            fresh = Responder(evaluator.checked, language)
            assert of(responder.full(evaluated, answers)) == of(fresh.full(evaluated, answers))
            assert of(responder.basic(evaluated)) == of(fresh.basic(evaluated))


def test_reasons_are_those_of_the_explanation(evaluator: Evaluator) -> None:
    responder = Responder(evaluator.checked, "nl")
    settled = 0
    for evaluated in evaluations(evaluator, 200):
        explanation, answers = evaluated.explain(), evaluated.reading.answers
        response = pb.EvaluateResponse.FromString(responder.full(evaluated, answers))
        told = response.decision if evaluated.outcome.settled else response.needs_answers
        assert [(rule.id, [each.question for each in rule.answers]) for rule in told.rules] == [
            (each.rule, [*each.questions]) for each in explanation.reasons
        ]
        for rule in told.rules:
            assert [each.value for each in rule.answers] == [answers.word(each.question) for each in rule.answers]
        if evaluated.outcome.settled:
            settled += 1
            why_not = response.decision.why_not
            assert response.decision.HasField("why_not") == (explanation.next_higher is not None)
            assert [(each.id, [one.question for one in each.answers], each.open) for each in why_not.rules] == [
                (each.rule, [*each.questions], each.open) for each in explanation.obstacles
            ]
    assert settled > 20


def test_the_bytes_of_an_outcome_are_canonical(evaluator: Evaluator) -> None:
    checked = evaluator.checked
    for evaluated in evaluations(evaluator, 100):
        outcome = evaluated.outcome
        odd = outcome._replace(rules=('a"b', "c\\d", "é\n"), within_hours=None, guidance=None)
        for each in (outcome, odd):
            content = outcome_content(checked, each)
            assert outcome_bytes(checked, each) == canonical_json(content)
            assert decision_digest(checked, each) == digest_of(content)
