"""Requests that are read piece by piece: to the same answers, or the same violations, as those that are read whole."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.message import DecodeError

from engine.decide.answers import EVERY_GROUP
from engine.errors import AnswersError
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.model import Question, QuestionType
from engine.serve import asked as module
from engine.serve.asked import Asked, Pieces, ask, ask_many
from engine.serve.config import Config
from engine.serve.convert import read_answers
from engine.serve.registry import Registry, Served
from tests.serve.conftest import SMALL

LIMITS = Config(rulesets=SMALL, max_answers=40)
ROUNDS = 1500


@pytest.fixture(scope="module")
def served() -> Served:
    return next(iter(Registry(SMALL).current()))


@pytest.fixture(scope="module")
def pieces(served: Served) -> Pieces:
    return Pieces(served.evaluator.checked.ruleset)


def answer(rng: random.Random, question: Question) -> pb.Answer:
    """Mostly right."""
    kind = question.type if rng.random() < 0.97 else rng.choice(list(QuestionType))
    if rng.random() < 0.2:
        return pb.Answer(unknown=pb.Unknown())
    match kind:
        case QuestionType.YES_NO:
            return pb.Answer.FromString(bytes([8, rng.choice([1, 2, 1, 2, 1, 2, 0, 7])]))
        case QuestionType.INTEGER:
            return pb.Answer(integer=rng.randrange(-2, 130))
        case QuestionType.DECIMAL:
            return pb.Answer(decimal=rng.choice(["1", "0.50", "3.25", "4", "2", "1e3", "-1", ""]))
        case QuestionType.CHOICE:
            return pb.Answer(choice=rng.choice([*question.options, "other"]))
        case _:
            return pb.Answer(several=pb.Options(options=rng.sample(question.options, min(2, len(question.options)))))


def requests(served: Served, rng: random.Random) -> Iterator[bytes]:
    ruleset = served.evaluator.checked.ruleset
    before = b""
    for _ in range(ROUNDS):
        names = rng.sample(sorted(ruleset.questions), rng.randrange(len(ruleset.questions) + 1))
        request = pb.EvaluateRequest(
            ruleset=rng.choice(["small"] * 9 + ["other"]),
            ruleset_version=rng.choice(["", "", served.version]),
            answers={name: answer(rng, ruleset.questions[name]) for name in names},
            none_of=rng.sample([*ruleset.groups, EVERY_GROUP], rng.randrange(2)) + ["no-group"] * (rng.random() < 0.05),
            context=pb.RequestContext(request_id=rng.choice(["", "visit", "é"])),
        )
        message = request.SerializeToString()
        if rng.random() < 0.3:  # bytes that are nearly right, or come in another order
            half = rng.randrange(len(message) + 1)
            message = rng.choice(
                (
                    message + before,
                    message + pb.EvaluateRequest(none_of=[EVERY_GROUP]).SerializeToString(),
                    message[:half] + bytes([rng.randrange(256)]) + message[half + 1 :],
                    message[:half],
                )
            )
        before = request.SerializeToString()
        yield message


def outcome(served: Served, asked: Asked) -> object:
    try:
        answers = asked.read(served, LIMITS, "nl")
    except AnswersError as error:
        return sorted((each.field, each.code, each.message, each.text) for each in error.violations)
    return answers.values, answers.unknown


def test_it_comes_to_the_same(served: Served, pieces: Pieces) -> None:
    by_piece = 0
    for message in requests(served, random.Random(8)):
        try:
            whole = Asked.of(pb.EvaluateRequest.FromString(message))
        except DecodeError:
            with pytest.raises(DecodeError):
                ask(message, lambda ruleset, version: (served, pieces))
            continue
        asked = ask(message, lambda ruleset, version: (served, pieces))
        by_piece += asked.answers is not None
        assert outcome(served, asked) == outcome(served, whole)
        assert asked.whole() == whole.head
        assert asked.head.context == whole.head.context
    assert by_piece > ROUNDS / 4


def test_another_ruleset_than_was_looked_up_reads_it_anew(served: Served, pieces: Pieces) -> None:
    (other,) = Registry(SMALL).current()
    message = pb.EvaluateRequest(answers={"age": pb.Answer(integer=4)}).SerializeToString()
    asked = ask(message, lambda ruleset, version: (served, pieces))
    assert asked.answers is not None
    asked.answers.values["age"] = 5  # type: ignore[index]  # to tell where an answer comes from
    assert asked.read(served, LIMITS, "nl").values == {"age": 5}
    assert asked.read(other, LIMITS, "nl").values == {"age": 4}


def test_what_was_made_of_the_head_is_in_the_whole(served: Served, pieces: Pieces) -> None:
    message = pb.EvaluateRequest(answers={"age": pb.Answer(integer=4)}).SerializeToString()
    asked = ask(message, lambda ruleset, version: (served, pieces))
    asked.head.context.request_id = "made"
    whole = asked.whole()
    assert (whole.context.request_id, whole.answers["age"].integer) == ("made", 4)


def test_no_caller_fills_the_memory(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PIECES", 10)
    few = Pieces(served.evaluator.checked.ruleset)
    for age in range(100):
        request = pb.EvaluateRequest(answers={"age": pb.Answer(integer=age)}, none_of=[EVERY_GROUP])
        read = ask(request.SerializeToString(), lambda ruleset, version: (served, few)).answers
        assert read is not None and read == read_answers(served.evaluator, request, Config(rulesets=Path()))
        assert len(few._known) <= 10


def test_a_batch_is_told_apart() -> None:
    requests = [pb.EvaluateRequest(ruleset=name, answers={"age": pb.Answer(integer=4)}) for name in ("a", "b" * 300)]
    message = pb.EvaluateBatchRequest(requests=requests).SerializeToString()
    assert [pb.EvaluateRequest.FromString(each) for each in ask_many(message)] == requests
    with pytest.raises(DecodeError):
        ask_many(message[:-1])
