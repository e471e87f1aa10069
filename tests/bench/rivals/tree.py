"""A ruleset's dispositions as plain two-valued logic, from which every rival engine's rules are written.

The engines that Pluis is held against know neither *unknown* nor *not applicable*: a question has a value or is null.
`translate` turns the three outcomes of a condition into two trees, "it is true" and "it is false", whose leaves ask one
value each and are false without one. Findings are written out: no rival was faster where they were worked out once. It
holds for patients with no missing answer, and only for the disposition; it shares nothing with `engine.decide`, and
`checking.py` holds what is made of it against Pluis before anything is timed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    Operand,
    Operator,
    Surely,
    Unknown,
    Unless,
    Value,
)
from engine.rules.model import QuestionType, Ruleset


@dataclass(frozen=True, slots=True)
class Given:
    """The question has a value."""

    question: str


@dataclass(frozen=True, slots=True)
class IsOneOf:
    """The value is one of these; false without a value."""

    question: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class HasOneOf:
    """Among the options that were chosen is one of these; false without a value."""

    question: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """The number keeps the bound; false without a value. The operator is any but IN."""

    question: str
    operator: Operator
    number: int | Decimal


Leaf: TypeAlias = Given | IsOneOf | HasOneOf | Bound


@dataclass(frozen=True, slots=True)
class Opposite:
    """True where the leaf is false, also where that is for lack of a value."""

    leaf: Leaf


@dataclass(frozen=True, slots=True)
class AtLeast:
    """So many of the parts are true: all of them, one of them, or a number between."""

    number: int
    parts: tuple[Tree, ...]

    @property
    def is_every(self) -> bool:
        return self.number == len(self.parts)

    @property
    def is_some(self) -> bool:
        return self.number == 1


Tree: TypeAlias = Leaf | Opposite | AtLeast
NEVER = AtLeast(1, ())
ALWAYS = AtLeast(0, ())


@dataclass(frozen=True, slots=True)
class RuleTree:
    """When a rule is true, and the word of its disposition."""

    rule: str
    disposition: str
    when: Tree


@dataclass(frozen=True, slots=True)
class Logic:
    """The rules, most urgent first: the first true one decides, `default` where none is.

    `questions` are those that are read.
    """

    rules: tuple[RuleTree, ...]
    default: str
    questions: tuple[str, ...]

    def by_disposition(self) -> list[tuple[str, Tree]]:
        """For every disposition of a rule, most urgent first, when one of its rules is true."""
        words = dict.fromkeys(rule.disposition for rule in self.rules)
        return [(word, some(rule.when for rule in self.rules if rule.disposition == word)) for word in words]


def translate(ruleset: Ruleset) -> Logic:
    """The ruleset's dispositions. Raises TypeError for a condition that no rule may have."""
    translator = Translator(ruleset)
    urgent_first = sorted(ruleset.rules.values(), key=lambda rule: rule.disposition, reverse=True)
    rules = tuple(RuleTree(each.id, each.disposition.word, translator.true(each.when)) for each in urgent_first)
    questions = tuple(dict.fromkeys(question for rule in rules for question in read_by(rule.when)))
    return Logic(rules, ruleset.default.disposition.word, questions)


def read_by(tree: Tree) -> Iterator[str]:
    """The questions that the leaves read, with repetitions."""
    match tree:
        case Opposite(leaf):
            yield leaf.question
        case AtLeast(_, parts):
            for part in parts:
                yield from read_by(part)
        case _:
            yield tree.question


class Translator:
    """When a condition is true, and when it is false; where neither holds it is unknown."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset

    def true(self, condition: Condition) -> Tree:
        """When it is certainly true."""
        match condition:
            case Compare():
                return self._holds(condition)
            case Unknown(question):
                return every((opposite(Given(question)), opposite(self._not_asked(question))))
            case Answered(question):
                return Given(question)
            case FindingIs(name):
                return self.true(self._ruleset.findings[name].when)
            case All(members):
                return every(map(self.true, members))
            case AnyOf(members):
                return some(map(self.true, members))
            case Count(number, members):
                return at_least(number, map(self.true, members))
            case Not(member):
                return self.false(member)
            case Unless(member):
                return opposite(self.true(member))
            case Surely(member):
                return self.true(member)
            case _:
                raise TypeError(f"`{type(condition).__name__}` stands in no rule")

    def false(self, condition: Condition) -> Tree:
        """When it is certainly false; an answer that is not applicable makes its comparisons false."""
        match condition:
            case Compare(question):
                not_applicable = every((opposite(Given(question)), self._not_asked(question)))
                return some((self._fails(condition), not_applicable))
            case Unknown() | Answered() | Surely():  # never unknown
                return opposite(self.true(condition))
            case FindingIs(name):
                return self.false(self._ruleset.findings[name].when)
            case All(members):
                return some(map(self.false, members))
            case AnyOf(members):
                return every(map(self.false, members))
            case Count(number, members):  # too few are left
                return at_least(len(members) - number + 1, map(self.false, members))
            case Not(member) | Unless(member):
                return self.true(member)
            case _:
                raise TypeError(f"`{type(condition).__name__}` stands in no rule")

    def _not_asked(self, question: str) -> Tree:
        """When it is certain that the question is not asked: its own `asked_when` or its group's is false."""
        entry = self._ruleset.questions[question]
        group = self._ruleset.groups[entry.group].asked_when if entry.group else None
        return some(self.false(gate) for gate in (entry.asked_when, group) if gate is not None)

    def _holds(self, compare: Compare) -> Tree:
        if compare.operator is not Operator.IN:
            return Bound(compare.question, compare.operator, _number(compare.operands[0]))
        values = tuple(map(_value, compare.operands))
        if self._ruleset.questions[compare.question].type is QuestionType.SEVERAL:
            return HasOneOf(compare.question, tuple(map(str, values)))
        return IsOneOf(compare.question, values)

    def _fails(self, compare: Compare) -> Tree:
        """There is a value, and it does not compare: by the other options where there are options."""
        question = self._ruleset.questions[compare.question]
        if question.type.is_number or question.type is QuestionType.SEVERAL:
            return every((Given(question.id), opposite(self._holds(compare))))
        others = tuple(option for option in question.options if option not in compare.operands)
        return IsOneOf(question.id, others) if others else NEVER


def opposite(tree: Tree) -> Tree:
    """The negation, pushed down to the leaves: expressions nest less deep, which CEL limits."""
    match tree:
        case Opposite(leaf):
            return leaf
        case AtLeast(number, parts):
            return at_least(len(parts) - number + 1, map(opposite, parts))
        case _:
            return Opposite(tree)


def every(parts: Iterable[Tree]) -> Tree:
    """All of the parts."""
    members = tuple(parts)
    return at_least(len(members), members)


def some(parts: Iterable[Tree]) -> Tree:
    """One of the parts or more."""
    return at_least(1, parts)


def at_least(number: int, parts: Iterable[Tree]) -> Tree:
    """So many of the parts, without the constants among them, and flat where all or one is asked within the same."""
    members = tuple(parts)
    number -= members.count(ALWAYS)
    members = tuple(member for member in members if member not in (ALWAYS, NEVER))
    if number <= 0:
        return ALWAYS
    if number > len(members):
        return NEVER
    if len(members) == 1:
        return members[0]
    tree = AtLeast(number, members)
    if tree.is_every or tree.is_some:
        flat: list[Tree] = []
        for member in members:
            same = isinstance(member, AtLeast) and (member.is_every if tree.is_every else member.is_some)
            flat.extend(member.parts if same and isinstance(member, AtLeast) else (member,))
        return AtLeast(len(flat) if tree.is_every else 1, tuple(flat))
    return tree


def _number(operand: Operand) -> int | Decimal:
    if isinstance(operand, int | Decimal):
        return operand
    raise TypeError("a bound made of answers stands in no rule")


def _value(operand: Operand) -> Value:
    if isinstance(operand, int | Decimal | str):
        return operand
    raise TypeError("an operand was not checked")
