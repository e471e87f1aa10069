"""What the benches ask and whom, and how they tell what came of it: seeded patients, servers of their own, ratios.

Each server runs in a process of its own, so that what asks takes no time from what answers but that of the machine.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from pathlib import Path
from statistics import quantiles
from typing import TypeVar

import grpc

from engine.decide.answers import EVERY_GROUP, Given, plain_number
from engine.decide.cases import case_answers
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.load import load_cases
from engine.rules.model import NO, NOTHING, Question, QuestionType
from tests.clinical.patients import partial, patient

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
RULESETS = ROOT / "rulesets"
NAME = "low_back_pain"
SEED = 20261122
EVALUATE = "/triage.v1.TriageService/Evaluate"
PATIENCE = 30.0
"""Seconds after which a call has failed."""
VIGNETTE = "LBP-V"
"""How the ids of the patients begin that come from case reports, guidelines and clinicians' desks."""


class Kind(StrEnum):
    """What was answered."""

    TYPICAL = "typical"
    """A vignette, or one with other numbers: what it lists is said, `none_of` denies the rest of the groups."""
    COMPLETE = "complete"
    """Every question of the ruleset is answered by itself."""
    PARTIAL = "partial"
    """Some questions are not asked yet."""
    EMPTY = "empty"
    """Nothing is asked yet."""


def requests(evaluator: Evaluator, kind: Kind, number: int) -> list[pb.EvaluateRequest]:
    """So many requests of one kind, in the default view; no patient comes twice, unless nothing is answered.

    Patients who contradict themselves are left out.
    """
    rng = random.Random(f"{SEED} {kind}")
    if kind is Kind.EMPTY:
        return [to_request({})] * number
    if kind is Kind.TYPICAL:
        return list(islice(_typical(evaluator, rng), number))
    make = patient if kind is Kind.COMPLETE else partial
    made: list[pb.EvaluateRequest] = []
    while len(made) < number:
        answers = make(rng)
        if _consistent(evaluator, answers):
            made.append(to_request(answers))
    return made


def _typical(evaluator: Evaluator, rng: random.Random) -> Iterator[pb.EvaluateRequest]:
    """The vignettes in which what is not listed was denied, then the same again and again with other numbers.

    What `none_of` does not cover is answered as the case says: `none` where a choice has it, otherwise unknown.
    """
    ruleset = evaluator.checked.ruleset
    known = []
    for case in load_cases(RULESETS / NAME, evaluator.checked):
        if not case.id.startswith(VIGNETTE) or case.unlisted != NO:
            continue
        every = case_answers(ruleset, case)
        sent = {
            name: answer
            for name, answer in every.items()
            if name in case.answers or not by_group(ruleset.questions[name])
        }
        assert evaluator.read(sent, [EVERY_GROUP]) == evaluator.read(every), case.id
        known.append(sent)
        yield to_request(sent, [EVERY_GROUP])
    seen = set()
    while True:
        for sent in known:
            other = {name: _another(ruleset.questions[name], answer, rng) for name, answer in sent.items()}
            request = to_request(other, [EVERY_GROUP])
            told = request.SerializeToString(deterministic=True)
            if told not in seen and _consistent(evaluator, other, [EVERY_GROUP]):
                seen.add(told)
                yield request


def _another(question: Question, answer: Given, rng: random.Random) -> Given:
    """For a number one that is not far from it; any other answer as it is."""
    if answer.kind is None or not question.type.is_number or not isinstance(answer.value, int | Decimal):
        return answer
    assert question.low is not None and question.high is not None
    near = float(answer.value) * rng.uniform(0.5, 1.5)
    within = min(max(Decimal(f"{near:.1f}"), question.low), question.high)
    return Given(question.type, int(within) if question.type is QuestionType.INTEGER else within)


def _consistent(evaluator: Evaluator, answers: Mapping[str, Given], none_of: Sequence[str] = ()) -> bool:
    try:
        evaluator.read(answers, none_of)
    except AnswersError:
        return False
    return True


def by_group(question: Question) -> bool:
    """Whether `none_of` answers it."""
    deniable = question.type is QuestionType.YES_NO or (
        question.type is QuestionType.CHOICE and NOTHING in question.options
    )
    return bool(question.group) and deniable


def to_request(answers: Mapping[str, Given], none_of: Sequence[str] = ()) -> pb.EvaluateRequest:
    written = {name: message(each) for name, each in answers.items()}
    return pb.EvaluateRequest(ruleset=NAME, answers=written, none_of=none_of)


def message(answer: Given) -> pb.Answer:
    match answer.kind, answer.value:
        case None, _:
            return pb.Answer(unknown=pb.Unknown())
        case QuestionType.YES_NO, value:
            return pb.Answer(yes_no=pb.YES_NO_YES if value == "yes" else pb.YES_NO_NO)
        case _, int() as value:
            return pb.Answer(integer=value)
        case _, Decimal() as value:
            return pb.Answer(decimal=plain_number(value))
        case _, tuple() as value:
            return pb.Answer(several=pb.Options(options=value))
        case _, value:
            return pb.Answer(choice=str(value))


def in_bytes(request: pb.EvaluateRequest, view: pb.ResponseView) -> bytes:
    """A request as it is sent, for a view."""
    viewed = pb.EvaluateRequest(view=view)
    viewed.MergeFrom(request)
    return viewed.SerializeToString()


def parted(these: Sequence[T], length: int) -> list[Sequence[T]]:
    """In pieces of a length."""
    return [these[start : start + length] for start in range(0, len(these), length)]


# ---- servers ----


class Serving:
    """A server in a process of its own: where it listens, and what it has spent."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin and process.stdout
        self._asks, self._tells = process.stdin, process.stdout
        told = self._tells.readline()
        assert told, "the server did not start: see what it wrote above"
        self.port = int(told)

    def spent(self) -> float:
        """Seconds of processor time since it began, of all its threads."""
        print(file=self._asks, flush=True)
        return float(self._tells.readline())


def tell(port: int) -> None:
    """What a server does while it serves: says its port, and at every line of its input what it has spent."""
    print(port, flush=True)
    for _ in sys.stdin:
        print(time.process_time(), flush=True)


@contextmanager
def serving(module: str, *what: str) -> Iterator[Serving]:
    """A module that serves, until its standard input ends. Its log lines go to a file that is gone afterwards."""
    command = [sys.executable, "-m", module, "--serve", *what]
    with (
        tempfile.TemporaryFile("w+") as lines,
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=lines, text=True
        ) as process,
    ):
        assert process.stdin
        try:
            yield Serving(process)
        except BaseException:
            lines.seek(0)
            sys.stderr.writelines(lines.readlines()[-20:])
            raise
        finally:
            process.stdin.close()


def answered(port: int, method: str, message: bytes) -> bytes:
    """What a real client gets for a message: it raises where the call fails."""
    with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.max_receive_message_length", -1)]) as channel:
        answer: bytes = channel.unary_unary(method, bytes, bytes)(message, timeout=PATIENCE)
    return answer


# ---- ratios ----


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of the rounds' ratios, with the quartiles."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        places = 3 if self.middle < 0.1 else 2 if self.middle < 10 else 1 if self.middle < 100 else 0
        return f"{self.middle:,.{places}f} ({self.low:,.{places}f} to {self.high:,.{places}f})"


def ratio(ratios: Sequence[float]) -> Ratio:
    """Of at least two rounds."""
    low, middle, high = quantiles(ratios, n=4, method="inclusive")
    return Ratio(middle, low, high)


def ratios(these: Sequence[float], those: Sequence[float]) -> Ratio:
    """These over those, round by round."""
    return ratio([one / other for one, other in zip(these, those, strict=True)])
