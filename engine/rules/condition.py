"""The condition tree: what a rule, a finding, an advice item or a programme row asks of the answers.

A condition is data. Its meaning is given once, in `engine/decide/direct.py`; everything else (the inference network,
the questionnaire, explanations) reads the tree. Leaves carry the place where the author wrote them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import TypeAlias

from engine.rules.scale import Disposition, Programme
from engine.rules.source import NOWHERE, Span

Value: TypeAlias = int | Decimal | str
"""A typed answer value: int (integer), Decimal (decimal), str (an option; yes_no uses `yes` and `no`)."""


class Operator(Enum):
    """How a leaf compares the answer with its operands, by the author's word."""

    IN = "in"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Text:
    """An operand as the author wrote it, before `check` gives it its question's type."""

    text: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Parameter:
    """A reference to one of the ruleset's parameters; `check` replaces it by the parameter's value."""

    name: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of a bound: `times` the answer to `question`."""

    question: str
    times: Decimal
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Sum:
    """A bound made of other answers: the terms plus `constant`; only in `refuse`."""

    terms: tuple[Term, ...]
    constant: Decimal
    span: Span = NOWHERE


Operand: TypeAlias = Value | Text | Parameter | Sum


@dataclass(frozen=True, slots=True)
class Compare:
    """`{q: value}` and `{q: {in: [...]}}` (operator IN, one or more operands) or one bound (one operand)."""

    question: str
    operator: Operator
    operands: tuple[Operand, ...]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Unknown:
    """`{unknown: q}`: asked, and the person does not know."""

    question: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Answered:
    """`{answered: q}`: a value was given."""

    question: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class FindingIs:
    """`{finding: f}`: the named finding holds."""

    finding: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class RuleIs:
    """`{rule: r}`: rule r is true; only in programme rows and advice."""

    rule: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class DispositionIn:
    """`{disposition: {at_least: d}}` or `{disposition: {in: [...]}}`; only in programme rows and advice."""

    dispositions: frozenset[Disposition]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class ProgrammeIn:
    """`{programme: {in: [...]}}`; only in advice."""

    programmes: frozenset[Programme]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class All:
    """True when every member is; strong Kleene."""

    members: tuple[Condition, ...]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when one member is; strong Kleene."""

    members: tuple[Condition, ...]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Not:
    """True becomes false and false true; unknown stays."""

    member: Condition
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Unless:
    """The careful *not*: true becomes false; false and unknown become true."""

    member: Condition
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Surely:
    """Unknown becomes false; true and false stay."""

    member: Condition
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Count:
    """`{count: {at_least: n, of: [...]}}`: true when n or more members are; strong Kleene."""

    at_least: int
    members: tuple[Condition, ...]
    span: Span = NOWHERE


Leaf: TypeAlias = Compare | Unknown | Answered | FindingIs | RuleIs | DispositionIn | ProgrammeIn
Condition: TypeAlias = Leaf | All | AnyOf | Not | Unless | Surely | Count
_LISTS = (All, AnyOf, Count)
_SINGLES = (Not, Unless, Surely)


def members(condition: Condition) -> tuple[Condition, ...]:
    """The direct parts of a condition; empty for a leaf."""
    if isinstance(condition, _LISTS):
        return condition.members
    return (condition.member,) if isinstance(condition, _SINGLES) else ()


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Every leaf, in the order in which the author wrote them."""
    waiting = [condition]  # a walk: every check asks for all leaves, and generators inside each other are slow
    while waiting:
        now = waiting.pop()
        if isinstance(now, _LISTS):
            waiting.extend(reversed(now.members))
        elif isinstance(now, _SINGLES):
            waiting.append(now.member)
        else:
            yield now


def rewrite(condition: Condition, leaf: Callable[[Leaf], Condition]) -> Condition:
    """The same tree with every leaf replaced by `leaf(it)`."""
    match condition:
        case All(parts, span) | AnyOf(parts, span):
            return type(condition)(tuple(rewrite(part, leaf) for part in parts), span)
        case Count(at_least, parts, span):
            return Count(at_least, tuple(rewrite(part, leaf) for part in parts), span)
        case Not(part, span) | Unless(part, span) | Surely(part, span):
            return type(condition)(rewrite(part, leaf), span)
        case _:
            return leaf(condition)


def questions_of(condition: Condition) -> Iterator[str]:
    """The questions that the leaves read, in order, with repetitions; findings are not followed."""
    for leaf in leaves(condition):
        match leaf:
            case Compare(question, _, operands):
                yield question
                for operand in operands:
                    if isinstance(operand, Sum):
                        yield from (term.question for term in operand.terms)
            case Unknown(question) | Answered(question):
                yield question
            case _:
                pass
