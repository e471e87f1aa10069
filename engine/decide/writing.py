"""Conditions written out as Python functions: what `direct.py` means, without walking trees.

Of each condition it is written out whether it is true and whether it is false: surely, and whether it could be where
answers are missing. Nothing that an author wrote becomes code, but for words and numbers as quoted constants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import NamedTuple, TypeAlias

from engine.decide.answers import DONT_KNOW, MISSING, Order, Row
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
    ProgrammeIn,
    RuleIs,
    Sum,
    Surely,
    Unknown,
    Unless,
)
from engine.rules.model import QuestionType, Ruleset
from engine.rules.scale import Disposition, Programme


class Ask(Enum):
    """What is asked of a condition: is it true or false, for sure, or could it be."""

    TRUE = "surely true"
    MAYBE_TRUE = "possibly true"
    FALSE = "surely false"
    MAYBE_FALSE = "possibly false"


_NEGATED = {
    Ask.TRUE: Ask.FALSE,
    Ask.MAYBE_TRUE: Ask.MAYBE_FALSE,
    Ask.FALSE: Ask.TRUE,
    Ask.MAYBE_FALSE: Ask.MAYBE_TRUE,
}
_OTHERWISE = {Ask.TRUE: Ask.MAYBE_TRUE, Ask.MAYBE_TRUE: Ask.TRUE}
"""It is surely not true where it is not possibly true, and the other way round."""
_TRUTHS = (Ask.TRUE, Ask.MAYBE_TRUE)
_SIGNS = {Operator.AT_LEAST: ">=", Operator.AT_MOST: "<=", Operator.ABOVE: ">", Operator.BELOW: "<"}


class Earlier(NamedTuple):
    """What earlier stages gave."""

    dispositions: frozenset[Disposition] = frozenset()
    certain: frozenset[str] = frozenset()
    possible: frozenset[str] = frozenset()
    programmes: frozenset[Programme] = frozenset()


Function: TypeAlias = Callable[[Row, Earlier], list[str]]


"""Gives the names of the conditions that hold."""


class Writer:
    """Writes one function. Findings and gates become local names before they are first needed."""

    def __init__(self, ruleset: Ruleset, order: Order) -> None:
        self._ruleset = ruleset
        self._order = order
        self._lines: list[str] = []
        self._known: dict[tuple[str, str, Ask], str] = {}
        self._constants: dict[str, object] = {"missing": MISSING, "dont_know": DONT_KNOW}
        self._given: dict[str, str] = {}
        self.reads: set[str] = set()
        """The questions that the function reads."""
        self.reads_earlier = False
        """Whether it reads what earlier stages gave."""

    def function(self, conditions: Iterable[tuple[str, Condition]], ask: Ask) -> Function:
        """The function that gives the names of the conditions of which holds what is asked; write one with a Writer."""
        for name, condition in conditions:
            expression = self._expression(condition, ask)
            self._lines.append(f"if {expression}: add({name!r})")
        read = sorted(self.reads, key=self._order.places.__getitem__)
        self._constants["pick"] = self._order.picking(read)
        questions = "".join(f"{self._question(question)}, " for question in read)
        given = [f"{local} = {name} is not missing and {name} is not dont_know" for name, local in self._given.items()]
        unpacked = f"({questions}) = pick(row)"
        body = [unpacked, *given, "found = []", "add = found.append", *self._lines, "return found"]
        source = "def written(row, earlier):\n" + "".join(f"    {line}\n" for line in body)
        exec(compile(source, "<a ruleset>", "exec"), self._constants)
        function: Function = self._constants.pop("written")  # type: ignore[assignment]
        return function  # which no name keeps alive but its caller's

    def _expression(self, condition: Condition, ask: Ask) -> str:
        match condition:
            case All(parts):
                return self._joined(parts, ask, "and" if ask in _TRUTHS else "or")
            case AnyOf(parts):
                return self._joined(parts, ask, "or" if ask in _TRUTHS else "and")
            case Count(number, parts):
                if ask in _TRUTHS:
                    return f"({self._joined(parts, ask, '+')} >= {number})"
                possible = " + ".join(f"(not {self._expression(part, ask)})" for part in parts)
                return f"({possible} < {number})"
            case Not(part):
                return self._expression(part, _NEGATED[ask])
            case Unless(part):
                return self._not_true(part, ask) if ask in _TRUTHS else self._expression(part, _NEGATED[ask])
            case Surely(part):
                return self._expression(part, ask) if ask in _TRUTHS else self._not_true(part, _NEGATED[ask])
            case FindingIs(name):
                return self._local("finding", name, ask, self._ruleset.findings[name].when)
            case Compare():
                return self._compare(condition, ask)
            case Unknown(question) | Answered(question):
                return self._state(isinstance(condition, Unknown), question, ask)
            case RuleIs(rule):
                self.reads_earlier = True
                known = "certain" if ask in (Ask.TRUE, Ask.MAYBE_FALSE) else "possible"
                return f"({rule!r} {'in' if ask in _TRUTHS else 'not in'} earlier.{known})"
            case DispositionIn(wanted):
                return self._within("dispositions", wanted, ask)
            case ProgrammeIn(programmes):
                return self._within("programmes", programmes, ask)

    def _joined(self, parts: Sequence[Condition], ask: Ask, word: str) -> str:
        return "(" + f" {word} ".join(self._expression(part, ask) for part in parts) + ")"

    def _not_true(self, condition: Condition, ask: Ask) -> str:
        return f"(not {self._expression(condition, _OTHERWISE[ask])})"

    def _within(self, name: str, wanted: frozenset[Disposition] | frozenset[Programme], ask: Ask) -> str:
        self.reads_earlier = True
        constant, found = self._constant(wanted), f"earlier.{name}"
        if ask in (Ask.TRUE, Ask.MAYBE_FALSE):
            return f"({found} <= {constant})" if ask is Ask.TRUE else f"(not {found} <= {constant})"
        return f"({'' if ask is Ask.FALSE else 'not '}{found}.isdisjoint({constant}))"

    def _local(self, kind: str, name: str, ask: Ask, condition: Condition) -> str:
        key = (kind, name, ask)
        if key not in self._known:
            expression = self._expression(condition, ask)
            self._known[key] = f"{kind}{len(self._known)}"
            self._lines.append(f"{self._known[key]} = {expression}")
        return self._known[key]

    def _gate(self, question: str, ask: Ask) -> str:
        """Whether the question is surely, or possibly, not asked; False in code where it always is."""
        entry = self._ruleset.questions[question]
        gates = {"asked": entry.asked_when}
        if entry.group:
            gates["group"] = self._ruleset.groups[entry.group].asked_when
        names = {"asked": question, "group": entry.group}
        parts = [self._local(kind, names[kind], ask, gate) for kind, gate in gates.items() if gate is not None]
        return f"({' or '.join(parts)})" if parts else "False"

    def _compare(self, compare: Compare, ask: Ask) -> str:
        """A value compares or does not; without one nothing is true, and what is not applicable is false."""
        name = self._question(compare.question)
        if ask is Ask.TRUE:
            return self._holds(compare, name)
        if ask is Ask.MAYBE_TRUE:
            open_ = f"({name} is missing and not {self._gate(compare.question, Ask.FALSE)})"
            return f"({self._holds(compare, name)} or {open_})"
        fails = self._fails(compare, name)
        gate = self._gate(compare.question, ask)
        if ask is Ask.FALSE:
            return fails if gate == "False" else f"({fails} or (not {self._has(name)} and {gate}))"
        return f"({fails} or {name} is missing or (not {self._has(name)} and {gate}))"

    def _state(self, unknown: bool, question: str, ask: Ask) -> str:
        """Whether it was answered `don't know`, or with a value."""
        name = self._question(question)
        has = self._has(name)
        if ask is Ask.TRUE:
            return f"({name} is dont_know and not {self._gate(question, Ask.MAYBE_FALSE)})" if unknown else has
        if ask is Ask.MAYBE_TRUE:
            not_asked = self._gate(question, Ask.FALSE)
            return (
                f"(not {has} and not {not_asked})" if unknown else f"({has} or ({name} is missing and not {not_asked}))"
            )
        not_asked = self._gate(question, ask)
        if unknown:
            return f"({has} or {not_asked})" if ask is Ask.FALSE else f"({has} or {name} is missing or {not_asked})"
        return f"({name} is dont_know or ({name} is missing and {not_asked}))" if ask is Ask.FALSE else f"(not {has})"

    def _holds(self, compare: Compare, name: str) -> str:
        if compare.operator is not Operator.IN:
            bound, given = self._bound(compare.operands[0])
            return f"({' and '.join([self._has(name), *given])} and {name} {_SIGNS[compare.operator]} {bound})"
        if self._ruleset.questions[compare.question].type is QuestionType.SEVERAL:
            chosen = " or ".join(f"{self._constant(each)} in {name}" for each in compare.operands)
            return f"({self._has(name)} and ({chosen}))"
        if len(compare.operands) == 1:
            return f"({name} == {self._constant(compare.operands[0])})"
        return f"({name} in ({', '.join(map(self._constant, compare.operands))}))"

    def _fails(self, compare: Compare, name: str) -> str:
        """There is a value, and it does not compare."""
        _, given = self._bound(compare.operands[0]) if compare.operator is not Operator.IN else ("", [])
        return f"({' and '.join([self._has(name), *given])} and not {self._holds(compare, name)})"

    def _bound(self, operand: Operand) -> tuple[str, list[str]]:
        """The number to compare with, and what must be there for it."""
        if not isinstance(operand, Sum):
            return self._constant(operand), []
        names = [self._question(term.question) for term in operand.terms]
        terms = (f"{self._constant(each.times)} * {name}" for each, name in zip(operand.terms, names, strict=True))
        return f"({self._constant(operand.constant)} + {' + '.join(terms)})", [self._has(name) for name in names]

    def _question(self, question: str) -> str:
        self.reads.add(question)
        return f"q{self._order.places[question]}"

    def _has(self, name: str) -> str:
        return self._given.setdefault(name, f"has_{name}")

    def _constant(self, value: object) -> str:
        if isinstance(value, str | int):
            return repr(value)
        for name, known in self._constants.items():
            if known is value:
                return name
        name = f"constant{len(self._constants)}"
        self._constants[name] = value
        return name
