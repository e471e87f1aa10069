"""When a question is asked, as far as FHIR's enableWhen can say it.

enableWhen knows one list of tests of which all or any must hold, no `not`, and no *unknown*; our conditions have more.
So each condition becomes what must certainly be so when the question is asked: clauses, each any of some tests, all of
which must hold. What does not fit into one enableWhen is left out, and the question is then enabled more often, never
less. It only shows and hides: what a response says is read by the ruleset's own meaning (`answers.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from engine.rules.condition import (
    All,
    Answered,
    AnyOf,
    Compare,
    Condition,
    Count,
    FindingIs,
    Not,
    Operator,
    Surely,
    Unknown,
    Unless,
)
from engine.rules.model import Question, Ruleset
from engine.serve.fhir.names import UNKNOWN, Codes, Coding, Json, denial, denial_link, unknown_link

EQUAL, NOT_EQUAL, EXISTS = "=", "!=", "exists"
BOUNDS = {Operator.AT_LEAST: ">=", Operator.AT_MOST: "<=", Operator.ABOVE: ">", Operator.BELOW: "<"}
OPPOSITE = {Operator.AT_LEAST: "<", Operator.AT_MOST: ">", Operator.ABOVE: "<=", Operator.BELOW: ">="}


@dataclass(frozen=True, slots=True)
class Test:
    """One line of enableWhen: how the answer to `link` compares."""

    link: str
    operator: str
    answer: bool | int | Decimal | Coding

    def said(self) -> Json:
        """As FHIR writes it."""
        answer = self.answer
        match answer:
            case Coding():
                value: Json = {"answerCoding": answer.said()}
            case bool():
                value = {"answerBoolean": answer}
            case int():
                value = {"answerInteger": answer}
            case Decimal():
                value = {"answerDecimal": number(answer)}
        return {"question": self.link, "operator": self.operator, **value}


Clause: TypeAlias = tuple[Test, ...]
"""Tests of which one must hold."""
Clauses: TypeAlias = tuple[Clause, ...]
"""Clauses that must all hold; none: always enabled."""


def number(value: Decimal) -> int | float:
    """A number of the ruleset as JSON has it. Raises ValueError for one with more digits than JSON is read with."""
    if value == value.to_integral_value():
        return int(value)
    found = float(value)
    if Decimal(repr(found)) != value:
        raise ValueError("a number of the ruleset has more digits than a double")
    return found


@dataclass(frozen=True, slots=True)
class Gates:
    """Conditions of one ruleset as clauses."""

    ruleset: Ruleset
    codes: Codes

    def holds(self, condition: Condition | None) -> Clauses:
        """What is certainly so when the condition can no longer be false: it is true, or unknown."""
        match condition:
            case Compare():
                return (self._value_fits(condition),)
            case Answered(name):
                question = self.ruleset.questions[name]
                return ((Test(name, EXISTS, True), *self._denied(question)),)
            case Unknown(name):
                return ((self._is_unknown(self.ruleset.questions[name]),),)
            case FindingIs(name):
                return self.holds(self.ruleset.findings[name].when)
            case All(members):
                return _every(self.holds(each) for each in members)
            case AnyOf(members):
                return _one(self.holds(each) for each in members)
            case Count(at_least, members):
                combine = _every if at_least == len(members) else _one
                return combine(self.holds(each) for each in members)
            case Not(member) | Unless(member):
                return self.fails(member)
            case Surely(member):
                return self.holds(member)
            case _:
                return ()

    def fails(self, condition: Condition) -> Clauses:
        """What is certainly so when the condition can no longer be true: it is false, or unknown."""
        match condition:
            case Compare():
                return self._value_misses(condition)
            case Answered(name):
                return self._unless_skipped(self.ruleset.questions[name])
            case FindingIs(name):
                return self.fails(self.ruleset.findings[name].when)
            case All(members):
                return _one(self.fails(each) for each in members)
            case AnyOf(members):
                return _every(self.fails(each) for each in members)
            case Count(at_least, members):
                combine = _every if at_least == 1 else _one
                return combine(self.fails(each) for each in members)
            case Not(member) | Unless(member):
                return self.holds(member)
            case Surely(member):
                return self.fails(member)
            case _:
                return ()

    def _value_fits(self, compare: Compare) -> Clause:
        question = self.ruleset.questions[compare.question]
        unknown = self._is_unknown(question)
        if compare.operator is Operator.IN:
            denied = self._denied(question) if denial(question) in compare.operands else ()
            return (*self._equal(compare, question, EQUAL), unknown, *denied)
        return (Test(question.id, BOUNDS[compare.operator], _bound(compare)), unknown)

    def _value_misses(self, compare: Compare) -> Clauses:
        question = self.ruleset.questions[compare.question]
        if compare.operator is Operator.IN:  # holds without an answer too
            return tuple((test,) for test in self._equal(compare, question, NOT_EQUAL))
        return self._unless_skipped(question, Test(question.id, OPPOSITE[compare.operator], _bound(compare)))

    def _equal(self, compare: Compare, question: Question, operator: str) -> Clause:
        return tuple(
            Test(
                question.id,
                operator,
                operand if isinstance(operand, int | Decimal) else self.codes.option(question, str(operand)),
            )
            for operand in compare.operands
        )

    def _unless_skipped(self, question: Question, *tests: Test) -> Clauses:
        """The tests, or that the question is unknown; nothing where it may be skipped, for then it has no answer.

        `exists` with `false` would say that, and is what clients and checkers get wrong.
        """
        group = self.ruleset.groups.get(question.group)
        if question.asked_when is not None or (group is not None and group.asked_when is not None):
            return ()
        return ((*tests, self._is_unknown(question)),)

    def _is_unknown(self, question: Question) -> Test:
        return Test(unknown_link(question.id) if question.type.is_number else question.id, EQUAL, UNKNOWN)

    def _denied(self, question: Question) -> Clause:
        """A denied group answers the question."""
        return (Test(denial_link(question.group), EQUAL, self.codes.denied),) if denial(question) else ()


def _bound(compare: Compare) -> int | Decimal:
    bound = compare.operands[0]
    if isinstance(bound, int | Decimal):
        return bound
    raise TypeError(f"a bound of {type(bound).__name__} has no place in asked_when")


def _every(parts: Iterable[Clauses]) -> Clauses:
    return tuple(dict.fromkeys(clause for clauses in parts for clause in clauses))


def _one(parts: Iterable[Clauses]) -> Clauses:
    """One of several: the first clause of each, in one. A part that is always enabled makes the whole so."""
    every = tuple(parts)
    if not all(every):
        return ()
    return (tuple(dict.fromkeys(test for clauses in every for test in clauses[0])),)


def enable_when(clauses: Clauses) -> tuple[Json, Clauses]:
    """As much of the clauses as one enableWhen can say, as members of an item, and what is left."""
    if not clauses:
        return {}, ()
    single = tuple(clause for clause in clauses if len(clause) == 1)
    said, behaviour = (single, "all") if clauses[0] in single else (clauses[:1], "any")
    tests = [test.said() for clause in said for test in clause]
    # In R4 it is required from two tests on; the official invariant is misprinted, and checks it from three on.
    members = {"enableWhen": tests} | ({"enableBehavior": behaviour} if len(tests) > 1 else {})
    return members, tuple(each for each in clauses if each not in said)
