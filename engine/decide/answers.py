"""One patient's answers, typed and in range, against the questions of one ruleset.

An answer is a *value*, *unknown* (asked, the person does not know) or *missing* (not asked yet: absent here). Whether a
missing or unknown answer is *not applicable* follows from `asked_when` and is found where conditions are evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter
from typing import TypeAlias

from engine.errors import AnswersError, Violation
from engine.rules.condition import Value
from engine.rules.model import NO, NOTHING, YES, Question, QuestionType, Ruleset

EVERY_GROUP = "*"
"""In `none_of`: every group was asked and wholly denied."""
MAX_DIGITS = 40
"""A longer number is refused before it is read; no range needs it, and reading huge numbers costs time."""

GivenValue: TypeAlias = Value | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it came in: its kind (None: unknown) and value, not yet held against a question."""

    kind: QuestionType | None
    value: GivenValue = ""


UNKNOWN = Given(None)


@dataclass(frozen=True, slots=True)
class Answers:
    """Typed answers by question id; a question in neither mapping nor set is missing.

    INVARIANT: each value has its question's type and lies in its range; `none_of` has been written out.
    """

    values: Mapping[str, GivenValue]
    unknown: frozenset[str]

    def word(self, question: str) -> str:
        """The answer in the ruleset's own terms: a number, an option, options, `unknown` or `missing`."""
        if question in self.unknown:
            return "unknown"
        value = self.values.get(question)
        if value is None:
            return "missing"
        return ", ".join(value) if isinstance(value, tuple) else plain_number(value)


class Unanswered:
    """Stands where an answer is not there; compared by identity alone."""

    __slots__ = ()


MISSING, DONT_KNOW = Unanswered(), Unanswered()
"""Not asked yet; asked, and the person does not know."""


Row: TypeAlias = tuple[GivenValue | Unanswered, ...]


@dataclass(slots=True)
class Placed:
    """One patient's answers, and in `row` for each question of the ruleset its value, or why there is none.

    `missing`: whether any question was not asked yet.
    """

    answers: Answers
    row: Row
    missing: bool


class Order:
    """The questions of a ruleset in their order, for evaluators that read answers by place."""

    def __init__(self, questions: Iterable[str]) -> None:
        self._blank: dict[str, GivenValue | Unanswered] = dict.fromkeys(questions, MISSING)
        self.places = {question: place for place, question in enumerate(self._blank)}
        """Where each question's answer stands in a row."""

    def picking(self, questions: Iterable[str]) -> Callable[[Row], Row]:
        """A function that takes the answers to these questions out of a row, in their order."""
        places = [self.places[question] for question in questions]
        if len(places) > 1:
            return itemgetter(*places)
        return lambda row: tuple(row[place] for place in places)

    def place(self, answers: Answers) -> Placed:
        """The answers by place."""
        merged = {**self._blank, **answers.values}
        if answers.unknown:
            merged.update(dict.fromkeys(answers.unknown, DONT_KNOW))
        missing = len(answers.values) + len(answers.unknown) < len(merged)
        return Placed(answers, tuple(merged.values()), missing)


def plain_number(value: Value) -> str:
    """A value as text without exponent or trailing zeros.

    >>> plain_number(Decimal("1.50")), plain_number(Decimal("2E+1")), plain_number("mild")
    ('1.5', '20', 'mild')
    """
    if not isinstance(value, Decimal):
        return str(value)
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")


def given(text: str | tuple[str, ...]) -> Given:
    """What a person wrote, by its look: yes/no (also true/false), `unknown`, a number, several options, or one option.

    No ruleset can have options that look like one of the others; `check` refuses them.

    >>> given("yes").kind.value, given("0.7").value, given("unknown").kind, given("012").kind.value
    ('yes_no', Decimal('0.7'), None, 'choice')
    """
    if isinstance(text, tuple):
        return Given(QuestionType.SEVERAL, text)
    if text == "unknown":
        return UNKNOWN
    if text in (YES, NO, "true", "false"):
        return Given(QuestionType.YES_NO, YES if text in (YES, "true") else NO)
    if len(text) <= MAX_DIGITS and _INTEGER.fullmatch(text):
        return Given(QuestionType.INTEGER, int(text))
    if len(text) <= MAX_DIGITS and _DECIMAL.fullmatch(text):
        return Given(QuestionType.DECIMAL, Decimal(text))
    return Given(QuestionType.CHOICE, text)


def read_answers(ruleset: Ruleset, answers: Mapping[str, Given], none_of: Iterable[str] = ()) -> Answers:
    """The typed answers, with the denied groups written out.

    Raises AnswersError with every violation, sorted by field: unknown questions, groups and options, wrong types,
    numbers out of range.
    """
    violations: list[Violation] = []
    values: dict[str, GivenValue] = {}
    unknown: set[str] = set()
    for name, answer in answers.items():
        question = ruleset.questions.get(name)
        if question is None:
            violations.append(Violation(field(name), "unknown-question", f"no question `{shown(name)}`"))
        elif answer.kind is None:
            unknown.add(name)
        else:
            value = _typed(question, answer)
            if isinstance(value, Violation):
                violations.append(value)
            else:
                values[name] = value
    denied, unknown_groups = _denied(ruleset, none_of)
    violations.extend(unknown_groups)
    if violations:
        raise AnswersError(tuple(sorted(violations, key=lambda each: (each.field, each.code))))
    for question in denied:
        if question.id not in values and question.id not in unknown:
            values[question.id] = NO if question.type is QuestionType.YES_NO else NOTHING
    return Answers(values, frozenset(unknown))


def field(question: str) -> str:
    """The path of an answer in a request."""
    return f'answers["{shown(question)}"]'


def shown(text: str) -> str:
    """A caller's text for use in a message: one line, at most 60 characters, nothing that a terminal acts on."""
    clean = "".join(char if char.isprintable() else "?" for char in text[:61])
    return clean if len(clean) <= 60 else clean[:57] + "..."


def _denied(ruleset: Ruleset, none_of: Iterable[str]) -> tuple[list[Question], list[Violation]]:
    """The questions that the denied groups answer, and a violation for every group that does not exist."""
    names = set(none_of)
    violations = [
        Violation("none_of", "unknown-group", f"no question group `{shown(name)}`")
        for name in sorted(names)
        if name != EVERY_GROUP and name not in ruleset.groups
    ]
    covered = [
        question
        for question in ruleset.questions.values()
        if question.group
        and (EVERY_GROUP in names or question.group in names)
        and (question.type is QuestionType.YES_NO or NOTHING in _choices(question))
    ]
    return covered, violations


def _choices(question: Question) -> tuple[str, ...]:
    return question.options if question.type is QuestionType.CHOICE else ()


_EXPECTED = {
    QuestionType.YES_NO: "yes or no",
    QuestionType.INTEGER: "a whole number",
    QuestionType.DECIMAL: "a number",
    QuestionType.CHOICE: "one option",
    QuestionType.SEVERAL: "a list of options",
}


def _typed(question: Question, answer: Given) -> GivenValue | Violation:
    value, kind = answer.value, answer.kind
    whole = kind is QuestionType.INTEGER and question.type is QuestionType.DECIMAL
    if kind is not question.type and not whole:
        message = f"`{question.id}` takes {_EXPECTED[question.type]}, not `{shown(_written(value))}`"
        return Violation(field(question.id), "wrong-type", message)
    if isinstance(value, tuple):
        return _several(question, value)
    if isinstance(value, str):
        return value if value in question.options else _no_option(question, value)
    number = Decimal(value)
    below = question.low is not None and number < question.low
    above = question.high is not None and number > question.high
    if below or above:
        message = (
            f"`{question.id}` is {shown(plain_number(value))}, outside "
            f"{plain_number(question.low or Decimal(0))} to {_high(question)} {question.unit}"
        )
        return Violation(field(question.id), "out-of-range", message.rstrip())
    return number if question.type is QuestionType.DECIMAL else value


def _high(question: Question) -> str:
    return "any" if question.high is None else plain_number(question.high)


def _several(question: Question, chosen: tuple[str, ...]) -> tuple[str, ...] | Violation:
    for option in chosen:
        if option not in question.options:
            return _no_option(question, option)
    if not chosen:
        message = f"`{question.id}` takes a list of options, and the list is empty"
        return Violation(field(question.id), "wrong-type", message)
    return tuple(option for option in question.options if option in chosen)


def _no_option(question: Question, option: str) -> Violation:
    allowed = ", ".join(question.options[:12])
    return Violation(
        field(question.id), "unknown-option", f"`{question.id}` has no option `{shown(option)}`; it has {allowed}"
    )


def _written(value: GivenValue) -> str:
    return ", ".join(value) if isinstance(value, tuple) else plain_number(value)


def unlisted(ruleset: Ruleset, answers: Mapping[str, Given], rest: str) -> Iterator[tuple[str, Given]]:
    """The answers that a case leaves to `unlisted: no | unknown`: for every question that it does not list.

    `no` answers no to a yes_no question, `none` to a choice that has that option and unknown to any other; `unknown`
    answers unknown to all.
    """
    for question in ruleset.questions.values():
        if question.id in answers:
            continue
        if rest == NO and question.type is QuestionType.YES_NO:
            yield question.id, Given(QuestionType.YES_NO, NO)
        elif rest == NO and NOTHING in _choices(question):
            yield question.id, Given(QuestionType.CHOICE, NOTHING)
        else:
            yield question.id, UNKNOWN
