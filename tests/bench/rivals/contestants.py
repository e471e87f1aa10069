"""Whom a bench times, and on what: one way to run Pluis and its rivals over the same patients.

A patient comes as one JSON object with every question of the ruleset, null where the answer is unknown. Each is timed
in two forms. *Prepared*: nothing but the evaluation, on what the engine takes in the form it is fastest with; for Pluis
that is typed answers. *From raw answers*: from the JSON text to the disposition, because no caller has the other at
hand; Pluis checks types, ranges and contradictions on the way, which no rival does.

Pluis' evaluation is the whole of `Evaluator.evaluate` (both evaluators, programme, advice and safety net); a rival
works out the disposition, and nothing else. Parts of Pluis that do no more than that run beside it, to show what the
rest costs; no decision is ever reached so.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Generic, Protocol, TypeVar

from engine.decide.answers import UNKNOWN, Answers, Given
from engine.decide.decision import stand
from engine.decide.evaluate import Evaluator
from engine.decide.targets import Matcher
from engine.rules.model import CheckedRuleset, QuestionType, Ruleset
from tests.bench.rivals.json_logic import plain

PLUIS: Final = "Pluis"


class Form(Enum):
    """From what an evaluation starts."""

    PREPARED = "prepared"
    RAW = "from raw answers"


@dataclass(frozen=True, slots=True)
class Timed:
    """What came of a run: the seconds that it took, and the word of each patient's disposition."""

    seconds: float
    dispositions: tuple[str, ...]


class Contestant(Protocol):
    """An engine with the ruleset compiled."""

    @property
    def name(self) -> str: ...

    def run(self, form: Form, patients: Sequence[str], warm_up: Sequence[str]) -> Timed:
        """Evaluates the patients one after the other, on the clock, after others that are not."""


Prepared = TypeVar("Prepared")


@dataclass(frozen=True, slots=True)
class InProcess(Generic[Prepared]):
    """An engine in this process: how a patient is prepared and then decided on, and how one is from raw answers."""

    name: str
    prepare: Callable[[str], Prepared]
    decide: Callable[[Prepared], str]
    decide_raw: Callable[[str], str]

    def run(self, form: Form, patients: Sequence[str], warm_up: Sequence[str]) -> Timed:
        if form is Form.RAW:
            return _timed(self.decide_raw, patients, warm_up)
        return _timed(self.decide, list(map(self.prepare, patients)), list(map(self.prepare, warm_up)))


Context = TypeVar("Context")


def _timed(decide: Callable[[Context], str], patients: Sequence[Context], warm_up: Sequence[Context]) -> Timed:
    for each in warm_up:
        decide(each)
    start = time.perf_counter()
    dispositions = [decide(each) for each in patients]
    return Timed(time.perf_counter() - start, tuple(dispositions))


def reader(evaluator: Evaluator) -> Callable[[str], Answers]:
    """From a patient's JSON to typed answers; raises AnswersError where they contradict each other."""
    kinds = {question.id: question.type for question in evaluator.checked.ruleset.questions.values()}

    def read(patient: str) -> Answers:
        answers = json.loads(patient, parse_float=Decimal)
        return evaluator.read({question: given(kinds[question], value) for question, value in answers.items()})

    def given(kind: QuestionType, value: Any) -> Given:
        if value is None:
            return UNKNOWN
        return Given(kind, tuple(value) if isinstance(value, list) else value)

    return read


def pluis(checked: CheckedRuleset) -> InProcess[Answers]:
    """Pluis, on an evaluator of its own."""
    evaluator = Evaluator(checked)
    read = reader(evaluator)

    def decide(answers: Answers) -> str:
        disposition = evaluator.evaluate(answers).outcome.disposition
        if disposition is None:
            raise ValueError("a patient with missing answers cannot be compared")
        return disposition.word

    return InProcess(PLUIS, read, decide, lambda patient: decide(read(patient)))


def parts(checked: CheckedRuleset) -> tuple[InProcess[Answers], ...]:
    """What each evaluator of Pluis takes by itself for a disposition."""
    evaluator = Evaluator(checked)
    read = reader(evaluator)
    matchers: dict[str, Matcher] = {
        f"{PLUIS}, disposition alone, direct evaluator": evaluator.written,
        f"{PLUIS}, disposition alone, inference network": evaluator.rete,
    }

    def part(name: str, matcher: Matcher) -> InProcess[Answers]:
        def decide(answers: Answers) -> str:
            rules = matcher.session(evaluator.order.place(answers)).rules()
            (disposition,) = stand(checked.ruleset, rules).dispositions
            return disposition.word

        return InProcess(name, read, decide, lambda patient: decide(read(patient)))

    return tuple(part(name, matcher) for name, matcher in matchers.items())


def as_json(ruleset: Ruleset, answers: Mapping[str, Given]) -> str:
    """A patient's answers as every contestant takes them; what is not there counts as unknown."""
    texts = {}
    for question in ruleset.questions:
        answer = answers.get(question, UNKNOWN)
        value = list(answer.value) if isinstance(answer.value, tuple) else plain(answer.value)
        texts[question] = None if answer.kind is None else value
    return json.dumps(texts)
