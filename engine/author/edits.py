"""Every small change to one condition that an author could make by a slip, each with its place and in plain words.

A change is one step: a bound moved by one, a member lost, a word swapped. What it does to patients is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from functools import partial

from engine.rules import scalar
from engine.rules.condition import (
    All,
    Answered,
    AnyOf,
    Compare,
    Condition,
    Count,
    DispositionIn,
    FindingIs,
    Not,
    Operand,
    Operator,
    Parameter,
    ProgrammeIn,
    RuleIs,
    Sum,
    Surely,
    Text,
    Unknown,
    Unless,
)
from engine.rules.model import NO, YES, Question, QuestionType
from engine.rules.scale import Disposition
from engine.rules.source import Span

LONGEST = 70
"""Characters of a condition that are quoted; the place tells the rest."""

_STEPS = {QuestionType.INTEGER: Decimal(1), QuestionType.DECIMAL: Decimal("0.1")}
"""How far a bound moves: to the next whole number, or by a tenth."""


class Kind(Enum):
    """What sort of slip a change is; the word is the last part of a mutant's id."""

    UP = "up"
    DOWN = "down"
    DROPPED = "dropped"
    ANY_ALL = "any_all"
    YES_NO = "yes_no"
    OTHER = "another"
    UNLESS_NOT = "unless_not"
    LOWER = "lower"
    DOUBLED = "doubled"
    SWAPPED = "swapped"
    WHEN_UNKNOWN = "when_unknown"


@dataclass(frozen=True, slots=True)
class Edit:
    """One change: `path` from the condition to the changed part, and the condition that comes of it.

    `said` is a clause in the past: what became what.
    """

    path: tuple[str, ...]
    kind: Kind
    said: str
    span: Span
    condition: Condition


def edits(condition: Condition, questions: Mapping[str, Question]) -> Iterator[Edit]:
    """Every change to a condition as its author wrote it (before `check` gave its operands types)."""
    match condition:
        case All(members) | AnyOf(members) | Count(_, members):
            yield from _of_list(condition, members, questions)
        case Not(member) | Unless(member) | Surely(member):
            yield from _of_wrapper(condition, member, questions)
        case Compare():
            yield from _of_compare(condition, questions)
        case DispositionIn(places, span):
            yield from _of_dispositions(condition, places, span)
        case ProgrammeIn(choices, span):
            for each in sorted(choices, key=lambda it: it.value) if len(choices) > 1 else ():
                yield _edit(condition, replace(condition, programmes=choices - {each}), each.word, span)
        case _:
            pass


def step(question: Question | None) -> Decimal:
    """How far a bound on a question's answer moves in one step."""
    return _STEPS.get(question.type, Decimal(1)) if question is not None else Decimal(1)


def written(condition: Condition) -> str:
    """The condition on one line, as an author would write it.

    >>> written(AnyOf((Compare("age", Operator.AT_LEAST, (75,)), Unless(FindingIs("old")))))
    '{any: [{age: {at_least: 75}}, {unless: {finding: old}}]}'
    """
    match condition:
        case Compare(question, Operator.IN, (operand,)):
            return f"{{{question}: {_operand(operand)}}}"
        case Compare(question, Operator.IN, operands):
            return f"{{{question}: {{in: [{', '.join(map(_operand, operands))}]}}}}"
        case Compare(question, operator, operands):
            return f"{{{question}: {{{operator.value}: {_operand(operands[0])}}}}}"
        case Unknown(name) | Answered(name) | FindingIs(name) | RuleIs(name):
            return f"{{{_WORDS[type(condition)]}: {name}}}"
        case DispositionIn(places):
            return f"{{disposition: {{in: [{', '.join(each.word for each in sorted(places))}]}}}}"
        case ProgrammeIn(choices):
            words = (each.word for each in sorted(choices, key=lambda it: it.value))
            return f"{{programme: {{in: [{', '.join(words)}]}}}}"
        case All(members) | AnyOf(members):
            return f"{{{_WORDS[type(condition)]}: [{', '.join(map(written, members))}]}}"
        case Count(least, members):
            return f"{{count: {{at_least: {least}, of: [{', '.join(map(written, members))}]}}}}"
        case Not(member) | Unless(member) | Surely(member):
            return f"{{{_WORDS[type(condition)]}: {written(member)}}}"


def quoted(condition: Condition) -> str:
    """The condition in backticks, cut where it is long."""
    text = written(condition)
    return f"`{text if len(text) <= LONGEST else f'{text[: LONGEST - 3]}...'}`"


_WORDS: Mapping[type, str] = {
    All: "all",
    AnyOf: "any",
    Count: "count",
    Not: "not",
    Unless: "unless",
    Surely: "surely",
    Unknown: "unknown",
    Answered: "answered",
    FindingIs: "finding",
    RuleIs: "rule",
}


def _of_list(
    condition: All | AnyOf | Count, members: tuple[Condition, ...], questions: Mapping[str, Question]
) -> Iterator[Edit]:
    word, span = _WORDS[type(condition)], condition.span
    if isinstance(condition, Count):
        for kind, least in ((Kind.UP, condition.at_least + 1), (Kind.DOWN, condition.at_least - 1)):
            if 0 < least <= len(members):
                said = f"at_least: {condition.at_least} became {least} in {quoted(condition)}"
                yield Edit(("count",), kind, said, span, replace(condition, at_least=least))
    elif len(members) > 1:
        other = AnyOf(members, span) if isinstance(condition, All) else All(members, span)
        said = f"`{word}` became `{_WORDS[type(other)]}` in {quoted(condition)}"
        yield Edit((word,), Kind.ANY_ALL, said, span, other)

    def put(number: int, *instead: Condition) -> Condition:
        return replace(condition, members=(*members[:number], *instead, *members[number + 1 :]))

    for number, member in enumerate(members):
        path = (word, str(number))
        if len(members) > 1:
            said = f"{quoted(member)} was left out of `{word}`"
            yield Edit(path, Kind.DROPPED, said, member.span, put(number))
        yield from _below(edits(member, questions), path, partial(put, number))


def _of_wrapper(
    condition: Not | Unless | Surely, member: Condition, questions: Mapping[str, Question]
) -> Iterator[Edit]:
    word, span = _WORDS[type(condition)], condition.span
    if isinstance(condition, Surely):
        yield Edit((word,), Kind.DROPPED, f"`surely` was left out before {quoted(member)}", span, member)
    else:
        other = Not(member, span) if isinstance(condition, Unless) else Unless(member, span)
        said = f"`{word}` became `{_WORDS[type(other)]}` before {quoted(member)}"
        yield Edit((word,), Kind.UNLESS_NOT, said, span, other)
    yield from _below(edits(member, questions), (word,), lambda it: replace(condition, member=it))


def _below(found: Iterator[Edit], path: tuple[str, ...], around: Callable[[Condition], Condition]) -> Iterator[Edit]:
    """Changes of a part as changes of the whole."""
    for each in found:
        yield replace(each, path=(*path, *each.path), condition=around(each.condition))


def _of_compare(condition: Compare, questions: Mapping[str, Question]) -> Iterator[Edit]:
    question = questions.get(condition.question)
    if question is None:
        return
    if question.type.is_number:
        for operand in condition.operands:
            yield from _of_number(condition, operand, step(question))
        return
    words = [str(_operand(operand)) for operand in condition.operands]
    if len(words) > 1:
        for operand, word in zip(condition.operands, words, strict=True):
            rest = tuple(each for each in condition.operands if each != operand)
            yield _edit(condition, replace(condition, operands=rest), word, condition.span)
        return
    kind = Kind.YES_NO if question.type is QuestionType.YES_NO else Kind.OTHER
    other = {YES: NO, NO: YES}.get(words[0]) if kind is Kind.YES_NO else _next(question.options, words[0])
    if other is not None:
        changed = replace(condition, operands=(Text(other, condition.span),))
        said = f"{words[0]} became {other} in {quoted(condition)}"
        yield Edit((), kind, said, condition.span, changed)


def _of_number(condition: Compare, operand: Operand, by: Decimal) -> Iterator[Edit]:
    for kind, move in ((Kind.UP, by), (Kind.DOWN, -by)):
        moved: Operand
        match operand:
            case Text(text, span):
                number = scalar.decimal(text)
                if number is None:
                    return
                was, became = text, f"{number + move:f}"
                moved = Text(became, span)
            case Sum(constant=constant):
                was, became = f"{constant:f}", f"{constant + move:f}"
                moved = replace(operand, constant=constant + move)
            case _:  # a parameter is changed where it is named
                return
        operands = tuple(moved if each is operand else each for each in condition.operands)
        said = f"{was} became {became} in {quoted(condition)}"
        path = (was,) if len(condition.operands) > 1 else ()
        yield Edit(path, kind, said, condition.span, replace(condition, operands=operands))


def _of_dispositions(condition: DispositionIn, places: frozenset[Disposition], span: Span) -> Iterator[Edit]:
    """A set from one disposition upwards is a bound, which moves; of any other an option is left out."""
    scale = sorted(Disposition)
    lowest = min(places)
    if places != frozenset(each for each in scale if each >= lowest):
        for each in sorted(places) if len(places) > 1 else ():
            yield _edit(condition, replace(condition, dispositions=places - {each}), each.word, span)
        return
    below = scale[scale.index(lowest) - 1 : scale.index(lowest)]
    above = scale[scale.index(lowest) + 1 : scale.index(lowest) + 2]
    for kind, became, changed in (
        *((Kind.UP, each, places - {lowest}) for each in above),
        *((Kind.DOWN, each, places | {each}) for each in below),
    ):
        said = f"{lowest.word} became {became.word} in `{{disposition: {{at_least: {lowest.word}}}}}`"
        yield Edit((), kind, said, span, replace(condition, dispositions=changed))


def _edit(condition: Condition, changed: Condition, word: str, span: Span) -> Edit:
    """An option was left out."""
    return Edit((word,), Kind.DROPPED, f"{word} was left out of {quoted(condition)}", span, changed)


def _next(options: tuple[str, ...], word: str) -> str | None:
    """The option after a word, or before it where it is the last."""
    if word not in options or len(options) < 2:
        return None
    place = options.index(word)
    return options[place + 1] if place + 1 < len(options) else options[place - 1]


def _operand(operand: Operand) -> str:
    match operand:
        case Text(text):
            return text
        case Parameter(name):
            return f"{{parameter: {name}}}"
        case Sum((term,), constant) if term.times == 1 and not constant:
            return f"{{answer: {term.question}}}"
        case Sum(terms, constant):
            parts = [f"{{answer: {term.question}, times: {term.times:f}}}" for term in terms]
            return f"{{sum: [{', '.join([*parts, f'{constant:f}'])}]}}"
        case Decimal():
            return f"{operand:f}"
        case _:
            return str(operand)
