"""A condition as the alternatives under which it holds: to tell, without a solver, what can never or must always be.

An alternative allows each question some of its *states* and must meet all of them at once; a condition holds in a
situation exactly when one of its alternatives allows it. States of a question are its values (numbers by the intervals
between the thresholds that the ruleset compares with), *unknown*, and *not applicable* where it is asked conditionally.

INVARIANT: no situation that can occur is ruled out. What is too long to write out, or cannot be told apart here, stands
as a variable of its own that can be anything: then less is found, and nothing wrongly. Answers that are missing are
left out: they will be one of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import chain, combinations, pairwise
from typing import TypeAlias

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
    Operand,
    Operator,
    ProgrammeIn,
    RuleIs,
    Sum,
    Surely,
    Unknown,
    Unless,
    leaves,
)
from engine.rules.model import Question, QuestionType, Ruleset
from engine.rules.scale import Disposition, Programme
from engine.rules.sites import sites
from engine.rules.source import NOWHERE

TRUE, FALSE, UNKNOWN = 1, 2, 4
NOT_FALSE, NOT_TRUE = TRUE | UNKNOWN, FALSE | UNKNOWN
"""Outcomes of a condition as bits; a set of them is what is wanted of it."""

MOST = 300
"""So many alternatives are written out."""
MOST_PAIRS = 20 * MOST
"""So many are looked at on the way."""
FEW_OPTIONS = 6
"""Of a question with more options of which several can be given, the sets are not told apart."""

Alternative: TypeAlias = Mapping[str, int]
"""Each variable that is constrained, with its allowed states as bits (never none, never all)."""
Alternatives: TypeAlias = tuple[Alternative, ...]
_State: TypeAlias = "Decimal | str | frozenset[str] | None"
_UNKNOWN, _NOT_APPLICABLE = "(unknown)", "(not applicable)"

_AFTER_NOT = {TRUE: FALSE, FALSE: TRUE, NOT_TRUE: NOT_FALSE, NOT_FALSE: NOT_TRUE}
_AFTER_UNLESS = {TRUE: NOT_TRUE, FALSE: TRUE, NOT_TRUE: TRUE, NOT_FALSE: NOT_TRUE}
_AFTER_SURELY = {TRUE: TRUE, FALSE: NOT_TRUE, NOT_TRUE: NOT_TRUE, NOT_FALSE: TRUE}


class _TooMany(Exception):
    """There are more alternatives than are written out."""


def both(left: Alternatives, right: Alternatives) -> Alternatives:
    """What holds when one of each holds. Raises _TooMany."""
    found: list[Alternative] = []
    for one, other in ((one, other) for one in left for other in right):
        merged = dict(one)
        for name, states in other.items():
            merged[name] = merged.get(name, states) & states
            if not merged[name]:
                break
        else:
            found.append(merged)
            if len(found) > MOST_PAIRS:
                raise _TooMany
    return _distinct(found)


def implies(narrow: Alternatives, wide: Alternatives) -> bool:
    """Whether `wide` certainly holds wherever `narrow` does; False also where that cannot be seen."""
    wider = (*wide, *_united(wide))
    return all(any(_within(one, other) for other in wider) for one in narrow)


def _united(alternatives: Alternatives) -> Iterator[Alternative]:
    """Those that differ in one variable only, as one."""
    united: dict[tuple[str, frozenset[tuple[str, int]]], int] = {}
    for one in alternatives:
        for name, states in one.items():
            key = (name, frozenset(one.items()) - {(name, states)})
            united[key] = united.get(key, 0) | states
    for (name, rest), states in united.items():
        yield {**dict(rest), name: states}


def _within(one: Alternative, other: Alternative) -> bool:
    return all(name in one and not one[name] & ~states for name, states in other.items())


def _distinct(found: Iterable[Alternative]) -> Alternatives:
    """Without those that another one contains. Raises _TooMany."""
    kept: list[Alternative] = []
    for one in sorted(found, key=len):
        if not any(_within(one, other) for other in kept):
            kept.append(one)
            if len(kept) > MOST:
                raise _TooMany
    return tuple(kept)


class Space:
    """The states of every question of a checked ruleset, and the alternatives of its conditions."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.ruleset = ruleset
        self._known: dict[tuple[int, int], tuple[Condition, Alternatives]] = {}
        points: dict[str, set[Decimal]] = {}
        for leaf in chain.from_iterable(leaves(site.condition) for site in sites(ruleset)):
            if isinstance(leaf, Compare):
                numbers = (Decimal(each) for each in leaf.operands if isinstance(each, int | Decimal))
                points.setdefault(leaf.question, set()).update(numbers)
        self._states = {key: self._of(it, points.get(key, set())) for key, it in ruleset.questions.items()}

    def holding(self, condition: Condition, wanted: int = TRUE) -> Alternatives:
        """The alternatives under which the outcome of a condition is one of those wanted; none: it never is."""
        key = (id(condition), wanted)
        if key not in self._known:
            try:
                found = self._alternatives(condition, wanted)
            except _TooMany:
                found = ({f"({id(condition)})": wanted},)
            self._known[key] = (condition, found)  # keeps the condition, and so its id, alive
        return self._known[key][1]

    def together(self, parts: Iterable[Alternatives]) -> Alternatives:
        """What holds when one of each part holds; the parts come from `holding`."""
        found: Alternatives = ({},)
        for part in parts:
            try:
                found = both(found, part)
            except _TooMany:
                found = both(found, ({f"({id(part)})": TRUE},))
        return found

    def gated(self, alternative: Alternative) -> list[str]:
        """The questions that are asked conditionally and that an alternative wants asked."""
        return [
            name
            for name, allowed in alternative.items()
            if (states := self._states.get(name)) and states[-1] == _NOT_APPLICABLE and not allowed >> len(states) - 1
        ]

    def gates(self, question: str) -> list[Condition]:
        """The conditions under which a question is asked: its own and its group's."""
        entry = self.ruleset.questions[question]
        group = self.ruleset.groups.get(entry.group)
        return [gate for gate in (entry.asked_when, group.asked_when if group else None) if gate is not None]

    def _of(self, question: Question, points: set[Decimal]) -> tuple[_State, ...] | None:
        """The states of a question; None where they are not told apart."""
        values: Sequence[_State]
        if question.type.is_number:
            values = _segments(question, points)
        elif question.type is not QuestionType.SEVERAL:
            values = question.options
        elif len(question.options) > FEW_OPTIONS:
            return None
        else:
            sizes = range(len(question.options) + 1)
            values = [frozenset(chosen) for size in sizes for chosen in combinations(question.options, size)]
        return (*values, _UNKNOWN, *([_NOT_APPLICABLE] if self.gates(question.id) else []))

    def _alternatives(self, condition: Condition, wanted: int) -> Alternatives:
        straight = wanted in (TRUE, NOT_FALSE)
        match condition:
            case All(parts):
                return self._at_least(len(parts) if straight else 1, parts, wanted)
            case AnyOf(parts):
                return self._at_least(1 if straight else len(parts), parts, wanted)
            case Count(number, parts):
                return self._at_least(number if straight else len(parts) - number + 1, parts, wanted)
            case Not(part):
                return self.holding(part, _AFTER_NOT[wanted])
            case Unless(part):
                return self.holding(part, _AFTER_UNLESS[wanted])
            case Surely(part):
                return self.holding(part, _AFTER_SURELY[wanted])
            case FindingIs(name):
                return self._finding(name, wanted)
            case RuleIs(name):  # a rule that is not true counts as false
                rule = self.ruleset.rules[name]
                if not wanted & TRUE:
                    return self.holding(rule.when, NOT_TRUE)
                reached = sum(1 << place for place, each in enumerate(Disposition) if each >= rule.disposition)
                return both(self.holding(rule.when), _alone("disposition", reached, len(Disposition)))
            case DispositionIn(members):
                return _scale("disposition", [each in members for each in Disposition], wanted)
            case ProgrammeIn(programmes):
                return _scale("programme", [each in programmes for each in Programme], wanted)
            case _:
                return self._leaf(condition, wanted)

    def _at_least(self, number: int, parts: tuple[Condition, ...], wanted: int) -> Alternatives:
        """At least `number` of the parts have a wanted outcome."""
        counted: list[Alternatives] = [({},), *((),) * number]  # by how many parts hold so far
        for part in parts:
            more = self.holding(part, wanted)
            for size in range(number, 0, -1):
                counted[size] = _distinct((*counted[size], *both(counted[size - 1], more)))
        return counted[number]

    def _finding(self, name: str, wanted: int) -> Alternatives:
        """Of a finding that is never or always true, which is told at its own place, anything is possible elsewhere."""
        when = self.ruleset.findings[name].when
        if not self.holding(when) or not self.holding(when, NOT_TRUE):
            return ({f"(finding {name})": wanted},)
        return self.holding(when, wanted)

    def _leaf(self, leaf: Leaf, wanted: int) -> Alternatives:
        if not isinstance(leaf, Compare | Unknown | Answered):
            raise TypeError(f"{type(leaf).__name__} is no comparison")
        states = self._states[leaf.question]
        if states is None or (isinstance(leaf, Compare) and any(isinstance(each, Sum) for each in leaf.operands)):
            return ({f"({replace(leaf, span=NOWHERE)!r})": wanted},)
        allowed = sum(1 << place for place, state in enumerate(states) if _outcome(leaf, state) & wanted)
        return _alone(leaf.question, allowed, len(states))


def _alone(name: str, allowed: int, size: int) -> Alternatives:
    """One variable with its allowed states; no alternative where none is, one without constraint where all are."""
    if not allowed:
        return ()
    return ({},) if allowed == (1 << size) - 1 else ({name: allowed},)


def _scale(name: str, members: list[bool], wanted: int) -> Alternatives:
    allowed = sum(1 << place for place, inside in enumerate(members) if wanted & (TRUE if inside else FALSE))
    return _alone(name, allowed, len(members))


def _segments(question: Question, points: set[Decimal]) -> Sequence[_State]:
    """One number out of every stretch of a question's range in which all comparisons come out alike."""
    if question.low is None or question.high is None:
        raise TypeError(f"`{question.id}` was not checked")
    borders = sorted({question.low, question.high} | {each for each in points if question.low <= each <= question.high})
    between = [(one + other) / 2 for one, other in pairwise(borders)]
    if question.type is QuestionType.INTEGER:
        between = [each // 1 for each in between if each // 1 not in borders]
    return sorted({*borders, *between})


def _outcome(leaf: Compare | Unknown | Answered, state: _State) -> int:
    """The meaning of a leaf, as `engine/decide/direct.py` gives it."""
    if state == _NOT_APPLICABLE:
        return FALSE
    if isinstance(leaf, Unknown):
        return TRUE if state == _UNKNOWN else FALSE
    if state == _UNKNOWN:
        return UNKNOWN if isinstance(leaf, Compare) else FALSE
    if isinstance(leaf, Answered):
        return TRUE
    return TRUE if _compares(leaf.operator, state, leaf.operands) else FALSE


def _compares(operator: Operator, state: _State, operands: tuple[Operand, ...]) -> bool:
    if isinstance(state, frozenset):
        return not state.isdisjoint(operands)
    if operator is Operator.IN:
        return state in operands
    bound = operands[0]
    if not isinstance(state, Decimal) or not isinstance(bound, int | Decimal):
        raise TypeError(f"`{operator.value}` needs numbers")
    match operator:
        case Operator.AT_LEAST:
            return state >= bound
        case Operator.AT_MOST:
            return state <= bound
        case Operator.ABOVE:
            return state > bound
        case Operator.BELOW:
            return state < bound
