"""Literals: what the inference network is told about one patient's answers.

A *literal* is a leaf of a condition with a polarity: it is true, false, not true or not false. This module gives every
literal a short key, turns a condition into a formula over literals without any negation, and works out for a set of
answers which literals certainly hold and which still could.

Comparisons are looked up in tables that are built once per ruleset; `direct.py` compares values by code of its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import TypeAlias

from engine.decide.answers import Answers, GivenValue
from engine.decide.targets import Standing
from engine.rules.condition import (
    All,
    Answered,
    AnyOf,
    Compare,
    Condition,
    Count,
    DispositionIn,
    FindingIs,
    Leaf,
    Not,
    Operator,
    ProgrammeIn,
    RuleIs,
    Surely,
    Unknown,
    Unless,
    leaves,
)
from engine.rules.model import Finding, Ruleset
from engine.rules.scale import Programme
from engine.rules.source import NOWHERE


class Polarity(Enum):
    """What a literal says of its leaf; the value is the set of outcomes (t, f, u) that it accepts."""

    TRUE = "t"
    FALSE = "f"
    NOT_TRUE = "fu"
    NOT_FALSE = "tu"


_ACCEPTS = {polarity: frozenset(polarity.value) for polarity in Polarity}
_OPPOSITE = {
    Polarity.TRUE: Polarity.FALSE,
    Polarity.FALSE: Polarity.TRUE,
    Polarity.NOT_TRUE: Polarity.NOT_FALSE,
    Polarity.NOT_FALSE: Polarity.NOT_TRUE,
}
_UNLESS = {
    Polarity.TRUE: Polarity.NOT_TRUE,
    Polarity.FALSE: Polarity.TRUE,
    Polarity.NOT_TRUE: Polarity.TRUE,
    Polarity.NOT_FALSE: Polarity.NOT_TRUE,
}
_SURELY = {
    Polarity.TRUE: Polarity.TRUE,
    Polarity.FALSE: Polarity.NOT_TRUE,
    Polarity.NOT_TRUE: Polarity.NOT_TRUE,
    Polarity.NOT_FALSE: Polarity.TRUE,
}
_CONJUNCTIVE = (Polarity.TRUE, Polarity.NOT_FALSE)
"""The polarities under which `all` stays an *and*; under the others it becomes an *or*."""


@dataclass(frozen=True, slots=True)
class AtLeast:
    """At least `number` of the parts hold: an *and* where it is all of them, an *or* where it is one."""

    number: int
    parts: tuple[Formula, ...]


Formula: TypeAlias = str | AtLeast
"""A literal's key, or a threshold over formulas. Monotone: more literals never make it false."""


def holds(formula: Formula, literals: set[str]) -> bool:
    """Whether the formula is true when exactly these literals hold."""
    if isinstance(formula, str):
        return formula in literals
    return sum(holds(part, literals) for part in formula.parts) >= formula.number


class Book:
    """Gives every literal of a ruleset its key, and writes conditions as formulas over those keys."""

    def __init__(self, findings: Mapping[str, Finding]) -> None:
        self._findings = findings
        self._keys: dict[tuple[Leaf, Polarity], str] = {}

    def formula(self, condition: Condition, polarity: Polarity = Polarity.TRUE) -> Formula:
        """`condition` with negation pushed down to its leaves and findings written out."""
        match condition:
            case All(parts):
                number = len(parts) if polarity in _CONJUNCTIVE else 1
            case AnyOf(parts):
                number = 1 if polarity in _CONJUNCTIVE else len(parts)
            case Count(at_least, parts):
                number = at_least if polarity in _CONJUNCTIVE else len(parts) - at_least + 1
            case Not(part):
                return self.formula(part, _OPPOSITE[polarity])
            case Unless(part):
                return self.formula(part, _UNLESS[polarity])
            case Surely(part):
                return self.formula(part, _SURELY[polarity])
            case FindingIs(name):
                return self.formula(self._findings[name].when, polarity)
            case _:
                return self.key(condition, polarity)
        return AtLeast(number, tuple(self.formula(part, polarity) for part in parts))

    def key(self, leaf: Leaf, polarity: Polarity) -> str:
        """The literal's key: short ASCII, the same for equal leaves wherever they stand."""
        literal = (replace(leaf, span=NOWHERE), polarity)
        return self._keys.setdefault(literal, f"a{len(self._keys)}")

    def literals(self) -> Iterator[tuple[Leaf, Polarity, str]]:
        """Every literal that has been given a key, in order."""
        for (leaf, polarity), key in self._keys.items():
            yield leaf, polarity, key


@dataclass(frozen=True, slots=True)
class Feed:
    """The keys of the literals that certainly hold, and of those that could still hold (a superset)."""

    certain: frozenset[str]
    possible: frozenset[str]


def _feed(literals: list[tuple[Leaf, Polarity, str]], outcomes: Mapping[type, str] | str) -> Feed:
    """The literals' keys when their leaves have these outcomes still possible (by kind of leaf, or all alike)."""
    certain, possible = [], []
    for leaf, polarity, key in literals:
        still = frozenset(outcomes if isinstance(outcomes, str) else outcomes[type(leaf)])
        if still <= _ACCEPTS[polarity]:
            certain.append(key)
        if still & _ACCEPTS[polarity]:
            possible.append(key)
    return Feed(frozenset(certain), frozenset(possible))


class QuestionInput:
    """What each state of one question's answer feeds."""

    def __init__(self, literals: list[tuple[Leaf, Polarity, str]], gate: Formula | None) -> None:
        self._compared = [each for each in literals if isinstance(each[0], Compare)]
        self._literals = literals
        self.gate = gate
        """When it certainly holds, the question is not applicable unless a value was given."""
        self.missing = _feed(literals, {Compare: "tfu", Unknown: "tf", Answered: "tf"})
        self.unknown = _feed(literals, {Compare: "u", Unknown: "t", Answered: "f"})
        self.unknown_if_asked = _feed(literals, {Compare: "uf", Unknown: "tf", Answered: "f"})
        self.not_applicable = _feed(literals, "f")
        self._points = sorted(
            {
                operand
                for leaf, _, _ in self._compared
                if isinstance(leaf, Compare)
                for operand in leaf.operands
                if isinstance(operand, int | Decimal)
            }
        )
        self._segments = [self._value_feed(value) for value in _representatives(self._points)]
        self._options: dict[str, Feed] = {}

    def value(self, value: GivenValue) -> Feed:
        """The feed of a value: numbers by their place among the thresholds, options by name."""
        if isinstance(value, str):
            if value not in self._options:
                self._options[value] = self._value_feed((value,))
            return self._options[value]
        if isinstance(value, tuple):
            return self._value_feed(value)
        place = bisect_left(self._points, value)
        exact = place < len(self._points) and self._points[place] == value
        return self._segments[2 * place + exact]

    def _value_feed(self, value: tuple[str, ...] | Decimal) -> Feed:
        feeds = [
            _feed([each], "t" if _compares(each[0], value) else "f")
            for each in self._compared
            if isinstance(each[0], Compare)
        ]
        feeds.append(
            _feed([each for each in self._literals if not isinstance(each[0], Compare)], {Unknown: "f", Answered: "t"})
        )
        return Feed(
            frozenset().union(*(feed.certain for feed in feeds)), frozenset().union(*(feed.possible for feed in feeds))
        )


def _representatives(points: list[int | Decimal]) -> list[Decimal]:
    """One number below, on and between each of the points: 2 * len(points) + 1 of them."""
    if not points:
        return [Decimal(0)]
    numbers = [Decimal(point) for point in points]
    found = [numbers[0] - 1]
    for lower, upper in zip(numbers, [*numbers[1:], numbers[-1] + 2], strict=True):
        found += [lower, (lower + upper) / 2]
    return found


def _compares(leaf: Leaf, value: tuple[str, ...] | Decimal) -> bool:
    if not isinstance(leaf, Compare):
        raise TypeError("only a comparison reads a value")
    if isinstance(value, tuple):
        return not set(value).isdisjoint(leaf.operands)
    sign = {(value > operand) - (value < operand) for operand in leaf.operands if isinstance(operand, int | Decimal)}
    return bool(sign & _SIGNS[leaf.operator])


_SIGNS = {
    Operator.IN: {0},
    Operator.AT_LEAST: {0, 1},
    Operator.AT_MOST: {-1, 0},
    Operator.ABOVE: {1},
    Operator.BELOW: {-1},
}


class Inputs:
    """The feeds of a whole ruleset: from answers, and from what an earlier stage gave."""

    def __init__(self, ruleset: Ruleset, book: Book) -> None:
        gates = {name: _gate(ruleset, book, name) for name in ruleset.questions}
        by_question: dict[str, list[tuple[Leaf, Polarity, str]]] = {name: [] for name in ruleset.questions}
        self._standing: list[tuple[Leaf, Polarity, str]] = []
        for leaf, polarity, key in book.literals():
            if isinstance(leaf, Compare | Unknown | Answered):
                by_question[leaf.question].append((leaf, polarity, key))
            else:
                self._standing.append((leaf, polarity, key))
        self._questions = [
            (name, QuestionInput(by_question[name], gates[name])) for name in _gates_first(ruleset) if by_question[name]
        ]

    def answers(self, answers: Answers) -> Feed:
        """What the answers say: a question is read after those that decide whether it is asked."""
        certain: set[str] = set()
        possible: set[str] = set()
        for name, table in self._questions:
            value = answers.values.get(name)
            if value is not None:
                feed = table.value(value)
            elif table.gate is not None and holds(table.gate, certain):
                feed = table.not_applicable
            elif name not in answers.unknown:
                feed = table.missing
            elif table.gate is not None and holds(table.gate, possible):
                feed = table.unknown_if_asked
            else:
                feed = table.unknown
            certain |= feed.certain
            possible |= feed.possible
        return Feed(frozenset(certain), frozenset(possible))

    def standing(self, standing: Standing, programmes: frozenset[Programme]) -> Feed:
        """What the rules and, for texts, the programme table gave."""
        certain: set[str] = set()
        possible: set[str] = set()
        for literal in self._standing:
            feed = _feed([literal], _standing_outcomes(literal[0], standing, programmes))
            certain |= feed.certain
            possible |= feed.possible
        return Feed(frozenset(certain), frozenset(possible))


def _standing_outcomes(leaf: Leaf, standing: Standing, programmes: frozenset[Programme]) -> str:
    match leaf:
        case RuleIs(rule):
            return "t" if rule in standing.rules.certain else "tf" if rule in standing.rules.possible else "f"
        case DispositionIn(wanted):
            inside = {disposition in wanted for disposition in standing.dispositions}
        case ProgrammeIn(wanted_programmes):
            inside = {programme in wanted_programmes for programme in programmes} or {False}
        case _:
            raise TypeError("not a leaf of a later stage")
    return ("t" if True in inside else "") + ("f" if False in inside else "")


def _gate(ruleset: Ruleset, book: Book, name: str) -> Formula | None:
    """When the question is not asked: its own `asked_when` or its group's is false."""
    question = ruleset.questions[name]
    gates = [question.asked_when]
    if question.group:
        gates.append(ruleset.groups[question.group].asked_when)
    formulas = tuple(book.formula(gate, Polarity.FALSE) for gate in gates if gate is not None)
    return AtLeast(1, formulas) if formulas else None


def _gates_first(ruleset: Ruleset) -> list[str]:
    """The questions, each after those that its `asked_when` and its group's read (check has refused circles)."""
    ordered: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in ordered:
            return
        question = ruleset.questions[name]
        group = ruleset.groups[question.group].asked_when if question.group else None
        for gate in (question.asked_when, group):
            if gate is not None:
                for read in _reads(gate, ruleset):
                    visit(read)
        ordered[name] = None

    for name in ruleset.questions:
        visit(name)
    return list(ordered)


def _reads(condition: Condition, ruleset: Ruleset) -> Iterator[str]:
    for leaf in leaves(condition):
        if isinstance(leaf, FindingIs):
            yield from _reads(ruleset.findings[leaf.finding].when, ruleset)
        elif isinstance(leaf, Compare | Unknown | Answered):
            yield leaf.question
