"""Authors' examples, run: does each case get the decision that its author expects?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from engine.decide.answers import Given, given, unlisted
from engine.decide.decision import Outcome
from engine.decide.evaluate import Evaluated, Evaluator, Rehearsal
from engine.errors import AnswersError, PluisError
from engine.rules.cases import Case, Expectation
from engine.rules.model import NO, YES, QuestionType, Ruleset, Wording
from engine.rules.scale import Call, Disposition, Guidance, Programme
from engine.rules.values import NEEDS_ANSWERS, NO_GUIDANCE

NOT_SHOWN = "not shown"
"""What came instead of a text that the person does not get to see."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A key of `expect` and what came instead, both in the ruleset's words.

    Of a list `missing` are the ids that were expected and did not come, `surplus` those that came unexpected.
    """

    key: str
    expected: str
    got: str
    missing: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of a case. `evaluated` is None where it could not be evaluated; `error` then says why."""

    case: Case
    differences: tuple[Difference, ...] = ()
    evaluated: Evaluated | None = None
    error: str = ""

    @property
    def passed(self) -> bool:
        return not self.differences and not self.error

    @property
    def outcome(self) -> Outcome | None:
        return None if self.evaluated is None else self.evaluated.outcome


def run_cases(evaluator: Evaluator, cases: Iterable[Case]) -> tuple[CaseResult, ...]:
    """Runs each case on both evaluators. A case that cannot be evaluated fails; it stops no other."""
    return tuple(run_case(evaluator, case) for case in cases)


def run_case(evaluator: Evaluator | Rehearsal, case: Case) -> CaseResult:
    """Runs one case. Only what `expect` names is compared; `acceptable` is a note and never a second chance."""
    try:
        answers = evaluator.read(case_answers(evaluator.checked.ruleset, case), case.none_of)
        evaluated = evaluator.evaluate(answers)
    except AnswersError as error:
        return CaseResult(case, error="; ".join(dict.fromkeys(each.message for each in error.violations)))
    except PluisError as error:
        return CaseResult(case, error=str(error))
    expect, outcome = case.expect, evaluated.outcome
    differences = (
        *_differences(expect, outcome),
        *_listed_differences(expect, outcome),
        *_text_differences(case, evaluator.checked.ruleset, outcome),
    )
    return CaseResult(case, differences, evaluated)


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
    yield from _compare("act_now", _yes_or_no(expect.act_now), _yes_or_no(outcome.act_now))
    yield from _compare("call", _word(expect.call), outcome.call.word)
    yield from _compare("within_hours", _text(expect.within_hours), _text(outcome.within_hours) or "not set")
    yield from _compare("guidance", expect.guidance, _word(outcome.guidance) or NO_GUIDANCE)
    yield from _compare("programme", _word(expect.programme), outcome.programme.choice.word)


def _listed_differences(expect: Expectation, outcome: Outcome) -> Iterator[Difference]:
    """Of lists: whole ones in their order (of rules the order says nothing), and the parts that are in or out."""
    rules = None if expect.rules is None else tuple(sorted(expect.rules))
    for key, whole, found in (
        ("rules", rules, tuple(sorted(outcome.rules))),
        ("advice", expect.advice, outcome.advice),
        ("safety_net", expect.safety_net, outcome.safety_net),
    ):
        if whole is not None and whole != found:
            missing, surplus = _without(whole, found), _without(found, whole)
            yield Difference(key, _listed(whole), _listed(found), missing, surplus)
        yield from _included(f"{key}_include", getattr(expect, f"{key}_include"), found)
        if kept := _without(getattr(expect, f"{key}_exclude"), _without(getattr(expect, f"{key}_exclude"), found)):
            yield Difference(f"{key}_exclude", f"without {_listed(kept)}", _listed(found), surplus=kept)
    yield from _included("open_rules_include", expect.open_rules_include, outcome.open_rules)
    first = expect.next_questions_first
    asked = tuple(each.question for each in outcome.next_questions)[: len(first)]
    if asked != first:
        yield Difference("next_questions_first", _listed(first), _listed(asked), _without(first, asked))


def _included(key: str, wanted: tuple[str, ...], found: tuple[str, ...]) -> Iterator[Difference]:
    if missing := _without(wanted, found):
        yield Difference(key, f"with {_listed(missing)}", _listed(found), missing)


def _text_differences(case: Case, ruleset: Ruleset, outcome: Outcome) -> Iterator[Difference]:
    """Frozen wordings: what the person is shown must be this text to the letter; the clinician's where it is named."""
    for name, wanted in case.expect.texts.items():
        found = _shown(ruleset, outcome, name, case.language) or Wording(NOT_SHOWN, NOT_SHOWN)
        yield from _compare(f"texts {name}", wanted.patient, found.patient)
        yield from _compare(f"texts {name} (clinician)", wanted.clinician or None, found.clinician)


def _shown(ruleset: Ruleset, outcome: Outcome, name: str, language: str) -> Wording | None:
    """The wording that goes with an id in this outcome; None where it is not shown."""
    texts = ruleset.texts[language]
    for section, ids in (("advice", outcome.advice), ("safety_net", outcome.safety_net)):
        if name in ids:
            return texts.get(section, name)
    if name in outcome.rules:
        rule = ruleset.rules.get(name, ruleset.default)
        return texts.get("reasons", rule.because)
    return texts.get("reasons", outcome.programme.because) if name == outcome.programme.row else None


def _compare(key: str, expected: str | None, got: str | None) -> Iterator[Difference]:
    if expected is not None and expected != got:
        yield Difference(key, expected, got or "")


def _word(member: Disposition | Call | Guidance | Programme | None) -> str | None:
    return None if member is None else member.word


def _yes_or_no(truth: bool | None) -> str | None:
    return None if truth is None else YES if truth else NO


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _without(ids: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in ids if name not in others)


def _listed(ids: Sequence[str]) -> str:
    return f"[{', '.join(ids)}]"
