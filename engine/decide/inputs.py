"""One patient's answers -> the literals that certainly hold, and those that still could: what the network is fed.

What each answer feeds is looked up in tables that are built once per ruleset; `direct.py` compares values by code of
its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from operator import getitem
from typing import NamedTuple, TypeAlias

from engine.decide.answers import DONT_KNOW, MISSING, GivenValue, Order, Placed, Row, Unanswered
from engine.decide.literals import AtLeast, Book, Formula, Polarity
from engine.decide.targets import Match, Standing
from engine.rules.condition import (
    Answered,
    Compare,
    Condition,
    DispositionIn,
    FindingIs,
    Leaf,
    Operator,
    ProgrammeIn,
    RuleIs,
    Unknown,
    leaves,
)
from engine.rules.model import Question, Ruleset
from engine.rules.scale import Disposition, Programme

MOST_LISTED = 1000
"""Whole numbers of one question that are looked up one by one; of a wider range the thresholds are searched."""
NOTHING: frozenset[str] = frozenset()
Literal: TypeAlias = tuple[Leaf, Polarity, str]


class Feed(NamedTuple):
    """The keys of the literals that certainly hold, and of those that could still hold (a superset)."""

    certain: frozenset[str]
    possible: frozenset[str]


_ACCEPTS = {polarity: frozenset(polarity.value) for polarity in Polarity}


def _feed(literals: Iterable[Literal], outcomes: Callable[[Leaf], str]) -> Feed:
    """The literals' keys when their leaves have these outcomes (`t`, `f`, `u`) still possible."""
    certain, possible = [], []
    for leaf, polarity, key in literals:
        still = frozenset(outcomes(leaf))
        if still <= _ACCEPTS[polarity]:
            certain.append(key)
        if still & _ACCEPTS[polarity]:
            possible.append(key)
    keys = frozenset(certain)
    return Feed(keys, keys if len(possible) == len(certain) else frozenset(possible))


class QuestionInput:
    """What each state of one question's answer feeds."""

    def __init__(self, question: Question, literals: list[Literal], gate: Formula | None) -> None:
        self._literals = literals
        self.gate = None if gate is None else _test(gate)
        """Where it certainly holds, the question is not applicable unless a value was given."""
        self.missing = self._without_value(compared="tfu", unknown="tf", answered="tf")
        self.unknown = self._without_value(compared="u", unknown="t", answered="f").certain
        self.unknown_if_asked = self._without_value(compared="uf", unknown="tf", answered="f")
        self.not_applicable = self._without_value(compared="f", unknown="f", answered="f").certain
        self.states = _States(question, literals)
        """What is certain by a value, or by `don't know` where no gate has a say in it."""
        self.states[MISSING] = NOTHING
        self.states[DONT_KNOW] = self.unknown if gate is None else NOTHING

    def without_value(self, state: Unanswered, certain: AbstractSet[str], possible: AbstractSet[str]) -> Feed:
        """What is fed when there is no value, given what those questions feed that its gate reads."""
        if self.gate is not None and self.gate(certain):
            return Feed(self.not_applicable, self.not_applicable)
        if state is MISSING:
            return self.missing
        if self.gate is not None and self.gate(possible):
            return self.unknown_if_asked
        return Feed(self.unknown, self.unknown)

    def _without_value(self, compared: str, unknown: str, answered: str) -> Feed:
        kinds: Mapping[type, str] = {Compare: compared, Unknown: unknown, Answered: answered}
        return _feed(self._literals, lambda leaf: kinds[type(leaf)])


class _States(dict[GivenValue | Unanswered, frozenset[str]]):
    """What states feed: those that are listed, and values that are looked up when they come (and not kept)."""

    def __init__(self, question: Question, literals: list[Literal]) -> None:
        super().__init__()
        self._literals = literals
        self._points = sorted({point for leaf, _, _ in literals for point in _numbers(leaf)})
        self._segments = [self._of_value(value) for value in _representatives(self._points)]
        if not question.type.is_number:
            self.update((option, self._of_value((option,))) for option in question.options)
        elif question.low is not None and question.high is not None and question.high - question.low <= MOST_LISTED:
            whole = range(int(question.low), int(question.high) + 1)  # Decimal(40) and 40 are one key
            self.update((number, self[number]) for number in whole)

    def __missing__(self, value: GivenValue | Unanswered) -> frozenset[str]:
        """Of several options all together; of a number by its place among the thresholds."""
        if isinstance(value, tuple):
            return self._of_value(value)
        if not isinstance(value, int | Decimal):
            raise TypeError("an option that the question does not have")
        place = bisect_left(self._points, value)
        exact = place < len(self._points) and self._points[place] == value
        return self._segments[2 * place + exact]

    def _of_value(self, value: tuple[str, ...] | Decimal) -> frozenset[str]:
        def outcomes(leaf: Leaf) -> str:
            if isinstance(leaf, Compare):
                return "t" if _compares(leaf, value) else "f"
            return "t" if isinstance(leaf, Answered) else "f"

        return _feed(self._literals, outcomes).certain


def _numbers(leaf: Leaf) -> Iterator[int | Decimal]:
    """The thresholds of a comparison."""
    if isinstance(leaf, Compare):
        yield from (operand for operand in leaf.operands if isinstance(operand, int | Decimal))


def _representatives(points: list[int | Decimal]) -> list[Decimal]:
    """One number below, on and between each of the points: 2 * len(points) + 1 of them."""
    if not points:
        return [Decimal(0)]
    numbers = [Decimal(point) for point in points]
    found = [numbers[0] - 1]
    for lower, upper in zip(numbers, [*numbers[1:], numbers[-1] + 2], strict=True):
        found += [lower, (lower + upper) / 2]
    return found


def _compares(leaf: Compare, value: tuple[str, ...] | Decimal) -> bool:
    if isinstance(value, tuple):
        return not set(value).isdisjoint(leaf.operands)
    sign = {(value > operand) - (value < operand) for operand in _numbers(leaf)}
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

    def __init__(self, ruleset: Ruleset, order: Order, book: Book) -> None:
        by_question: dict[str, list[Literal]] = {name: [] for name in ruleset.questions}
        rules: list[Literal] = []
        dispositions: list[Literal] = []
        programmes: list[Literal] = []
        gates = {name: _gate(ruleset, book, name) for name in ruleset.questions}
        for literal in book.literals():
            match literal[0]:
                case Compare(question) | Unknown(question) | Answered(question):
                    by_question[question].append(literal)
                case RuleIs():
                    rules.append(literal)
                case DispositionIn():
                    dispositions.append(literal)
                case ProgrammeIn():
                    programmes.append(literal)
        inputs = {
            name: QuestionInput(question, by_question[name], gates[name])
            for name, question in ruleset.questions.items()
            if by_question[name]
        }
        self._states = [each.states for each in inputs.values()]
        self._read = order.picking(inputs)
        self._in_turn = [(order.places[name], inputs[name]) for name in _gates_first(ruleset) if name in inputs]
        self._gated = [
            (place, each.gate, each.not_applicable, each.unknown)
            for place, each in self._in_turn
            if each.gate is not None
        ]
        self._rules = [_rule_table(literal) for literal in rules]
        self._dispositions = _Within(dispositions)
        self._programmes = _Within(programmes)

    def answers(self, placed: Placed) -> Feed:
        """What the answers say: a question is read after those that decide whether it is asked."""
        row = placed.row
        certain: set[str] = set().union(*filter(None, map(getitem, self._states, self._read(row))))
        if placed.missing:
            return self._with_missing(row, certain)
        if placed.answers.unknown:
            for place, gate, not_applicable, unknown in self._gated:  # nothing is missing: a gate holds or does not
                if row[place] is DONT_KNOW:
                    certain |= not_applicable if gate(certain) else unknown
        held = frozenset(certain)
        return Feed(held, held)

    def _with_missing(self, row: Row, certain: set[str]) -> Feed:
        possible = set(certain)
        for place, question in self._in_turn:
            state = row[place]
            if isinstance(state, Unanswered):
                feed = question.without_value(state, certain, possible)
                certain |= feed.certain
                possible |= feed.possible
        return Feed(frozenset(certain), frozenset(possible))

    def standing(self, standing: Standing) -> Feed:
        """What the rules gave."""
        found = self._dispositions.of(standing.dispositions)
        if not self._rules:
            return found
        told = [table(standing.rules) for table in self._rules]
        certain = found.certain.union(*[each.certain for each in told])
        if standing.rules.certain is standing.rules.possible:
            return Feed(certain, certain)
        return Feed(certain, found.possible.union(*[each.possible for each in told]))

    def programmes(self, programmes: frozenset[Programme]) -> Feed:
        """What the programme table gave."""
        return self._programmes.of(programmes)


def _rule_table(literal: Literal) -> Callable[[Match], Feed]:
    """What a literal on a rule feeds."""
    leaf = literal[0]
    if not isinstance(leaf, RuleIs):
        raise TypeError("not a literal on a rule")
    rule = leaf.rule
    true, open_, false = (_feed([literal], lambda _, still=still: still) for still in ("t", "tf", "f"))  # type: ignore[misc]
    return lambda rules: true if rule in rules.certain else open_ if rule in rules.possible else false


class _Within:
    """What literals feed that say within which words an earlier stage stays, by the words that are still possible."""

    def __init__(self, literals: list[Literal]) -> None:
        self._literals = literals
        self._known: dict[frozenset[Disposition] | frozenset[Programme], Feed] = {}

    def of(self, possible: frozenset[Disposition] | frozenset[Programme]) -> Feed:
        known = self._known.get(possible)
        if known is None:  # at most one for each set of words

            def outcomes(leaf: Leaf) -> str:
                wanted = leaf.dispositions if isinstance(leaf, DispositionIn) else leaf.programmes  # type: ignore[union-attr]
                return "f" if possible.isdisjoint(wanted) else "t" if possible <= wanted else "tf"

            known = self._known[possible] = _feed(self._literals, outcomes)
        return known


def _test(formula: Formula) -> Callable[[AbstractSet[str]], bool]:
    """The formula as a function of the literals that hold."""
    if isinstance(formula, str):
        return lambda held: formula in held
    number, keys = formula.number, frozenset(part for part in formula.parts if isinstance(part, str))
    if len(keys) == len(formula.parts):
        if number == 1:
            return lambda held: not keys.isdisjoint(held)
        if number == len(keys):
            return lambda held: keys <= held
    parts = [_test(part) for part in formula.parts]
    if number == 1:
        return lambda held: any(part(held) for part in parts)
    return lambda held: sum(part(held) for part in parts) >= number


def _gate(ruleset: Ruleset, book: Book, name: str) -> Formula | None:
    """When the question is not asked: its own `asked_when` or its group's is false."""
    question = ruleset.questions[name]
    gates = [question.asked_when]
    if question.group:
        gates.append(ruleset.groups[question.group].asked_when)
    formulas = tuple(book.formula(gate, Polarity.FALSE) for gate in gates if gate is not None)
    if not formulas:
        return None
    return formulas[0] if len(formulas) == 1 else AtLeast(1, formulas)


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
