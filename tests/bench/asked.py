"""What the benches ask, whom, and how they tell what came of it: seeded patients, servers of their own, ratios.

Each server runs in a process of its own, so that what asks takes no time from what answers but that of the machine.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from statistics import quantiles

from engine.decide.answers import Given, plain_number
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.model import QuestionType
from tests.clinical.patients import partial, patient

RULESETS = Path(__file__).parents[2] / "rulesets"
NAME = "low_back_pain"
SEED = 20261122
EVALUATE = "/triage.v1.TriageService/Evaluate"
PATIENCE = 30.0
"""Seconds after which a call has failed."""


def patients(evaluator: Evaluator, kind: str, number: int) -> list[bytes]:
    """Requests of one kind, as they come over the wire; patients who contradict themselves are left out."""
    rng = random.Random(f"{SEED} {kind}")
    made: list[bytes] = []
    while len(made) < number:
        answers = {"complete": patient, "partial": partial, "empty": lambda rng: {}}[kind](rng)
        try:
            evaluator.read(answers)
        except AnswersError:
            continue
        request = pb.EvaluateRequest(ruleset=NAME, answers={name: message(each) for name, each in answers.items()})
        made.append(request.SerializeToString())
    return made


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


@contextmanager
def serving(module: str, *what: str) -> Iterator[int]:
    """A module that serves in a process of its own, until its standard input ends; the port that it prints."""
    command = [sys.executable, "-m", module, "--serve", *what]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def of(ratios: Sequence[float]) -> str:
    """The median, with the quartiles."""
    low, middle, high = quantiles(ratios, n=4)
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"
