"""A condition tree as formulas: which of true, false and unknown it can still come to, for a patient of unknowns.

Written from the meaning in the design, not from `decide`: `tests/prove` holds it against both evaluators there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import z3

from engine.prove.logic import Formula, both, either, enough, no
from engine.prove.patient import Answer, Patient
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
    leaves,
    questions_of,
)
from engine.rules.model import Ruleset
from engine.rules.scale import Disposition, Programme


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Which outcomes are still possible: at least one of the three for every patient."""

    true: Formula
    false: Formula
    unknown: Formula

    @property
    def certain(self) -> Formula:
        """Only true is possible."""
        return both((self.true, no(self.false), no(self.unknown)))

    @property
    def never(self) -> Formula:
        """Only false is possible."""
        return both((self.false, no(self.true), no(self.unknown)))


TRUE = Outcomes(True, False, False)


@dataclass(frozen=True, slots=True)
class Stage:
    """What has been found out before: rules for programme rows, and programmes for texts."""

    certain: Mapping[str, Formula]
    possible: Mapping[str, Formula]
    dispositions: Mapping[Disposition, Formula]
    programmes: Mapping[Programme, Formula]


class Encoder:
    """The conditions of one ruleset for one patient; findings and gates are encoded once."""

    def __init__(self, ruleset: Ruleset, patient: Patient) -> None:
        self.ruleset = ruleset
        self.patient = patient
        self._findings: dict[str, Outcomes] = {}
        self._asked: dict[str, Outcomes] = {}
        self._compared: dict[int, tuple[str, Outcomes]] = {}
        """By the identity of a leaf, which lives as long as the ruleset: its question and what it comes to."""

    def but(self, question: str, answer: Answer, readers: Readers) -> Encoder:
        """The encoder of the same patient with another answer; what does not read that question is kept."""
        other = Encoder(self.ruleset, self.patient.but(question, answer))
        touched = readers.findings[question]
        other._findings = {name: found for name, found in self._findings.items() if name not in touched}
        gated = readers.asked[question]
        other._asked = {name: found for name, found in self._asked.items() if name not in gated}
        other._compared = {
            leaf: (name, found)
            for leaf, (name, found) in self._compared.items()
            if name != question and name not in gated
        }
        return other

    def outcomes(self, condition: Condition, stage: Stage | None = None) -> Outcomes:
        """What a condition can still come to; `stage` where it may read what was decided before."""
        match condition:
            case Compare(question, _, (operand, *_)) if not isinstance(operand, Sum):
                if id(condition) not in self._compared:
                    self._compared[id(condition)] = (question, self._compare(condition))
                return self._compared[id(condition)][1]
            case Compare():
                return self._compare(condition)
            case Unknown(question):
                answer, asked = self.patient.answers[question], self.asked(question)
                silent = no(answer.given)
                return Outcomes(
                    true=both((silent, no(asked.never))),
                    false=either((answer.given, answer.missing, both((answer.unknown, asked.false)))),
                    unknown=False,
                )
            case Answered(question):
                answer, asked = self.patient.answers[question], self.asked(question)
                return Outcomes(
                    true=either((answer.given, both((answer.missing, no(asked.never))))),
                    false=no(answer.given),
                    unknown=False,
                )
            case FindingIs(name):
                if name not in self._findings:
                    self._findings[name] = self.outcomes(self.ruleset.findings[name].when)
                return self._findings[name]
            case RuleIs(rule):
                before = _required(stage)
                return Outcomes(before.possible[rule], no(before.certain[rule]), False)
            case DispositionIn(dispositions):
                return _within(_required(stage).dispositions.items(), dispositions)
            case ProgrammeIn(programmes):
                return _within(_required(stage).programmes.items(), programmes)
            case All(members):
                return conjunction(self.outcomes(member, stage) for member in members)
            case AnyOf(members):
                return disjunction(self.outcomes(member, stage) for member in members)
            case Not(member):
                return negation(self.outcomes(member, stage))
            case Unless(member):
                it = self.outcomes(member, stage)
                return Outcomes(true=either((it.false, it.unknown)), false=it.true, unknown=False)
            case Surely(member):
                it = self.outcomes(member, stage)
                return Outcomes(true=it.true, false=either((it.false, it.unknown)), unknown=False)
            case Count(at_least, members):
                return _count(at_least, [self.outcomes(member, stage) for member in members])

    def asked(self, question: str) -> Outcomes:
        """Whether a question is asked at all: its own `asked_when` and its group's."""
        if question not in self._asked:
            self._asked[question] = conjunction(self.outcomes(gate) for gate in gates(self.ruleset, question))
        return self._asked[question]

    def _compare(self, condition: Compare) -> Outcomes:
        answer, asked = self.patient.answers[condition.question], self.asked(condition.question)
        known, holds = self._holds(condition, answer)
        asked_perhaps = no(asked.never)
        return Outcomes(
            true=either((both((answer.given, known, holds)), both((answer.missing, asked_perhaps)))),
            false=either(
                (
                    both((answer.given, known, no(holds))),
                    answer.missing,
                    both((answer.unknown, asked.false)),
                )
            ),
            unknown=either((both((answer.given, no(known))), both((no(answer.given), asked_perhaps)))),
        )

    def _holds(self, condition: Compare, answer: Answer) -> tuple[Formula, Formula]:
        """Whether the bound is known, and whether the value that was given compares so."""
        if answer.number is None:
            return True, either(answer.options[str(operand)] for operand in condition.operands)
        if condition.operator is Operator.IN:
            return True, either(answer.number == _number(operand) for operand in condition.operands)
        known, bound = self._bound(condition.operands[0])
        match condition.operator:
            case Operator.AT_LEAST:
                return known, answer.number >= bound
            case Operator.AT_MOST:
                return known, answer.number <= bound
            case Operator.ABOVE:
                return known, answer.number > bound
            case Operator.BELOW:
                return known, answer.number < bound

    def _bound(self, operand: Operand) -> tuple[Formula, z3.ArithRef]:
        if not isinstance(operand, Sum):
            return True, _number(operand)
        answers = [(self.patient.answers[each.question], each.times) for each in operand.terms]
        numbers = [_exact(times) * answer.number for answer, times in answers if answer.number is not None]
        return both(answer.given for answer, _ in answers), z3.Sum([*numbers, _exact(operand.constant)])


@dataclass(frozen=True, slots=True)
class Readers:
    """Who reads which question, also through findings and gates: by question the findings, and the gated questions."""

    findings: Mapping[str, frozenset[str]]
    asked: Mapping[str, frozenset[str]]
    rules: Mapping[str, frozenset[str]]
    """By rule, the other way round: every question that it reads."""


def readers(ruleset: Ruleset) -> Readers:
    """Who reads which question."""
    finding_reads: dict[str, frozenset[str]] = {}
    asked_reads: dict[str, frozenset[str]] = {}

    def of(condition: Condition) -> frozenset[str]:
        found: set[str] = set()
        for question in questions_of(condition):
            found |= {question} | of_asked(question)
        for leaf in leaves(condition):
            if isinstance(leaf, FindingIs):
                found |= of_finding(leaf.finding)
        return frozenset(found)

    def of_finding(name: str) -> frozenset[str]:
        if name not in finding_reads:
            finding_reads[name] = of(ruleset.findings[name].when)
        return finding_reads[name]

    def of_asked(question: str) -> frozenset[str]:
        if question not in asked_reads:
            asked_reads[question] = frozenset().union(*(of(gate) for gate in gates(ruleset, question)))
        return asked_reads[question]

    for name in ruleset.findings:
        of_finding(name)
    for name in ruleset.questions:
        of_asked(name)
    return Readers(
        {
            question: frozenset(name for name, read in finding_reads.items() if question in read)
            for question in ruleset.questions
        },
        {
            question: frozenset(name for name, read in asked_reads.items() if question in read)
            for question in ruleset.questions
        },
        {name: of(rule.when) for name, rule in ruleset.rules.items()},
    )


def gates(ruleset: Ruleset, question: str) -> Iterator[Condition]:
    """The conditions under which a question is asked: its own, and its group's."""
    entry = ruleset.questions[question]
    if entry.asked_when is not None:
        yield entry.asked_when
    group = ruleset.groups[entry.group].asked_when if entry.group else None
    if group is not None:
        yield group


def conjunction(parts: Iterable[Outcomes]) -> Outcomes:
    """Strong Kleene *and*, each part varying on its own."""
    found = list(parts)
    return Outcomes(
        true=both(each.true for each in found),
        false=either(each.false for each in found),
        unknown=both((*(either((each.true, each.unknown)) for each in found), either(each.unknown for each in found))),
    )


def disjunction(parts: Iterable[Outcomes]) -> Outcomes:
    """Strong Kleene *or*."""
    return negation(conjunction(negation(each) for each in parts))


def negation(it: Outcomes) -> Outcomes:
    """True and false change places."""
    return Outcomes(it.false, it.true, it.unknown)


def _count(least: int, parts: list[Outcomes]) -> Outcomes:
    """At least n. Unknown is possible where some can be unknown, not n have to be true, and n need not be false."""
    forced = [both((each.true, no(each.false), no(each.unknown))) for each in parts]
    return Outcomes(
        true=enough(least, (each.true for each in parts)),
        false=no(enough(least, (no(each.false) for each in parts))),
        unknown=both(
            (
                either(each.unknown for each in parts),
                no(enough(least, forced)),
                enough(least, (either((each.true, each.unknown)) for each in parts)),
            )
        ),
    )


def _within(possible: Iterable[tuple[object, Formula]], wanted: frozenset[object]) -> Outcomes:
    inside: list[Formula] = []
    outside: list[Formula] = []
    for member, formula in possible:
        (inside if member in wanted else outside).append(formula)
    return Outcomes(either(inside), either(outside), False)


def _required(stage: Stage | None) -> Stage:
    if stage is None:
        raise TypeError("a condition on the disposition was read before the rules")
    return stage


def _number(operand: Operand) -> z3.ArithRef:
    if not isinstance(operand, int | Decimal):
        raise TypeError(f"operand `{operand}` was not checked")
    return z3.IntVal(operand) if isinstance(operand, int) else _exact(operand)


def _exact(number: Decimal) -> z3.ArithRef:
    return z3.Q(*number.as_integer_ratio())
