"""Authors' examples, run: does each case get the decision that its author expects?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from engine.decide.answers import Given, given, unlisted
from engine.decide.decision import Outcome
from engine.decide.evaluate import Evaluator
from engine.errors import PluisError
from engine.rules.cases import Case, Expectation
from engine.rules.model import QuestionType, Ruleset
from engine.rules.scale import Call, Disposition, Programme

NEEDS_ANSWERS = "needs_answers"


@dataclass(frozen=True, slots=True)
class Difference:
    """A key of `expect` and what came instead, both in the ruleset's words."""

    key: str
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of a case. `outcome` is None where it could not be evaluated; `error` then says why."""

    case: Case
    differences: tuple[Difference, ...] = ()
    outcome: Outcome | None = None
    error: str = ""

    @property
    def passed(self) -> bool:
        return not self.differences and not self.error


def run_cases(evaluator: Evaluator, cases: Iterable[Case]) -> tuple[CaseResult, ...]:
    """Runs each case on both evaluators. A case that cannot be evaluated fails; it stops no other."""
    return tuple(run_case(evaluator, case) for case in cases)


def run_case(evaluator: Evaluator, case: Case) -> CaseResult:
    """Runs one case. Only what `expect` names is compared; `acceptable` is a note and never a second chance."""
    try:
        answers = evaluator.read(case_answers(evaluator.checked.ruleset, case), case.none_of)
        outcome = evaluator.evaluate(answers).outcome
    except PluisError as error:
        return CaseResult(case, error=str(error))
    return CaseResult(case, tuple(_differences(case.expect, outcome)), outcome)


def case_answers(ruleset: Ruleset, case: Case) -> dict[str, Given]:
    """The answers that a case gives, what it leaves to `unlisted` written out; `none_of` is not expanded."""
    answers = {name: _given(ruleset, name, text) for name, text in case.answers.items()}
    if case.unlisted:
        answers.update(unlisted(ruleset, answers, case.unlisted))
    return answers


def _given(ruleset: Ruleset, name: str, text: str | tuple[str, ...]) -> Given:
    """An author may write a single option of several without a list."""
    question = ruleset.questions.get(name)
    answer = given(text)
    if question is not None and question.type is QuestionType.SEVERAL and answer.kind is QuestionType.CHOICE:
        return Given(QuestionType.SEVERAL, (str(answer.value),))
    return answer


def _differences(expect: Expectation, outcome: Outcome) -> Iterator[Difference]:
    disposition = NEEDS_ANSWERS if outcome.disposition is None else outcome.disposition.word
    expected = NEEDS_ANSWERS if expect.needs_answers else _word(expect.disposition)
    yield from _compare("disposition", expected, disposition)
    yield from _compare("floor", _word(expect.floor), outcome.floor.word)
    yield from _compare("ceiling", _word(expect.ceiling), outcome.ceiling.word)
    yield from _compare("call", _word(expect.call), outcome.call.word)
    yield from _compare("within_hours", _text(expect.within_hours), _text(outcome.within_hours) or "not set")
    yield from _compare("programme", _word(expect.programme), outcome.programme.choice.word)
    # Their order follows from urgency and id alone; an author lists which rules are true.
    rules = None if expect.rules is None else sorted(expect.rules)
    yield from _compare("rules", _listed(rules), _listed(sorted(outcome.rules)))
    yield from _compare("advice", _listed(expect.advice), _listed(outcome.advice))
    yield from _compare("safety_net", _listed(expect.safety_net), _listed(outcome.safety_net))


def _compare(key: str, expected: str | None, got: str | None) -> Iterator[Difference]:
    if expected is not None and expected != got:
        yield Difference(key, expected, got or "")


def _word(member: Disposition | Call | Programme | None) -> str | None:
    return None if member is None else member.word


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _listed(ids: Sequence[str] | None) -> str | None:
    return None if ids is None else f"[{', '.join(ids)}]"
