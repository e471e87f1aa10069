"""A condition on one line, as its author would write it: for reports that name a part of a ruleset."""

from __future__ import annotations

from engine.decide.answers import plain_number
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
from engine.rules.scale import Disposition

LONGEST = 80
"""Characters of a list of members; what is longer ends in three dots."""


def written(condition: Condition) -> str:
    """The condition as the author's file has it, without the outer brackets; long lists are cut short.

    >>> written(All((Compare("fever", Operator.IN, ("yes",)), Not(Compare("age", Operator.AT_LEAST, (60,))))))
    'all: [{fever: yes}, {not: {age: {at_least: 60}}}]'
    """
    match condition:
        case Compare(question, Operator.IN, (operand,)):
            return f"{question}: {_operand(operand)}"
        case Compare(question, Operator.IN, operands):
            return f"{question}: {{in: [{', '.join(map(_operand, operands))}]}}"
        case Compare(question, operator, (operand, *_)):
            return f"{question}: {{{operator.value}: {_operand(operand)}}}"
        case Unknown(name):
            return f"unknown: {name}"
        case Answered(name):
            return f"answered: {name}"
        case FindingIs(name):
            return f"finding: {name}"
        case RuleIs(name):
            return f"rule: {name}"
        case DispositionIn(dispositions):
            return f"disposition: {_dispositions(dispositions)}"
        case ProgrammeIn(programmes):
            words = sorted(programmes, key=lambda each: each.value)
            return f"programme: {{in: [{', '.join(each.word for each in words)}]}}"
        case All(parts):
            return f"all: {_list(parts)}"
        case AnyOf(parts):
            return f"any: {_list(parts)}"
        case Count(at_least, parts):
            return f"count: {{at_least: {at_least}, of: {_list(parts)}}}"
        case Not(part):
            return f"not: {{{written(part)}}}"
        case Unless(part):
            return f"unless: {{{written(part)}}}"
        case Surely(part):
            return f"surely: {{{written(part)}}}"
        case _:
            raise TypeError(f"`{condition}` is no condition")


def _list(parts: tuple[Condition, ...]) -> str:
    """The first of them always, the others as far as they fit."""
    told: list[str] = []
    for part in parts:
        text = f"{{{written(part)}}}"
        if told and len(", ".join([*told, text])) > LONGEST:
            told.append("...")
            break
        told.append(text)
    return f"[{', '.join(told)}]"


def _dispositions(dispositions: frozenset[Disposition]) -> str:
    lowest = min(dispositions)
    if len(dispositions) > 1 and dispositions == {each for each in Disposition if each >= lowest}:
        return f"{{at_least: {lowest.word}}}"
    return f"{{in: [{', '.join(each.word for each in sorted(dispositions))}]}}"


def _operand(operand: Operand) -> str:
    match operand:
        case Sum((term,), constant) if term.times == 1 and constant == 0:
            return f"{{answer: {term.question}}}"
        case Sum(terms, constant):
            parts = [f"{{answer: {each.question}, times: {plain_number(each.times)}}}" for each in terms]
            return f"{{sum: [{', '.join([*parts, plain_number(constant)])}]}}"
        case Text(text):
            return text
        case Parameter(name):
            return f"{{parameter: {name}}}"
        case _:
            return plain_number(operand)
