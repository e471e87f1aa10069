"""Answers as the log keeps them, joined from pieces: the bytes that the canonical form of the whole has."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from engine.decide.answers import Answers, Given, plain_number, read_answers
from engine.errors import AnswersError
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.canonical import canonical_json
from engine.serve import kit as module
from engine.serve.convert import read_answers as read_request
from engine.serve.kit import WrittenAnswers
from engine.serve.registry import Registry, Served
from tests.serve.conftest import SMALL
from tests.serve.test_asked import LIMITS, answer


@pytest.fixture(scope="module")
def served() -> Served:
    return next(iter(Registry(SMALL).current()))


def canonical(answers: Answers) -> bytes:
    said = {name: each if isinstance(each, tuple) else plain_number(each) for name, each in answers.values.items()}
    return canonical_json({**said, **dict.fromkeys(answers.unknown)})


def drawn(served: Served, rng: random.Random) -> Answers | None:
    questions = served.evaluator.checked.ruleset.questions
    names = rng.sample(sorted(questions), rng.randrange(len(questions) + 1))
    try:
        asked = pb.EvaluateRequest(answers={name: answer(rng, questions[name]) for name in names})
        return read_request(served.evaluator, asked, LIMITS, "nl")
    except AnswersError:
        return None


def test_it_is_the_canonical_form(served: Served) -> None:
    written, rng = WrittenAnswers(served.evaluator.order), random.Random(3)
    found = [answers for _ in range(600) if (answers := drawn(served, rng)) is not None]
    assert len(found) > 100
    assert any(answers.unknown for answers in found) and any(not answers.values for answers in found)
    for answers in found:
        assert written.json(answers) == canonical(answers)


def test_equal_numbers_are_written_alike(served: Served) -> None:
    ruleset, written = served.evaluator.checked.ruleset, WrittenAnswers(served.evaluator.order)
    (name,) = [each.id for each in ruleset.questions.values() if each.type.value == "decimal"][:1]
    kind = ruleset.questions[name].type
    for text in ("1.50", "1.5", "1.500", "1", "1.0"):
        answers = read_answers(ruleset, {name: Given(kind, Decimal(text))})
        assert written.json(answers) == canonical(answers)


def test_no_caller_fills_the_memory(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_VALUES", 10)
    written = WrittenAnswers(served.evaluator.order)
    for age in range(100):
        answers = Answers({"age": age}, frozenset())
        assert written.json(answers) == canonical(answers)
        assert all(len(each) <= 10 for each in written._members)
