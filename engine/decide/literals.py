"""Literals: a condition as a formula without negation over leaves that each say one thing.

A *literal* is a leaf of a condition with a polarity: it is true, false, not true or not false. Every literal has a
short key; `inputs.py` works out for a patient's answers which of them hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias

from engine.rules.condition import (
    All,
    AnyOf,
    Condition,
    Count,
    DispositionIn,
    FindingIs,
    Leaf,
    Not,
    ProgrammeIn,
    RuleIs,
    Surely,
    Unless,
)
from engine.rules.model import Finding
from engine.rules.source import NOWHERE


class Polarity(Enum):
    """What a literal says of its leaf; the value is the set of outcomes (t, f, u) that it accepts."""

    TRUE = "t"
    FALSE = "f"
    NOT_TRUE = "fu"
    NOT_FALSE = "tu"


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


class Book:
    """Gives every literal of a ruleset its key, and writes conditions as formulas over those keys."""

    def __init__(self, findings: Mapping[str, Finding]) -> None:
        self._findings = findings
        self._keys: dict[tuple[Leaf, Polarity], str] = {}
        self.standing: set[str] = set()
        """The keys of literals on what earlier stages gave; all others are on answers."""

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
        key = self._keys.setdefault(literal, f"a{len(self._keys)}")
        if isinstance(leaf, RuleIs | DispositionIn | ProgrammeIn):
            self.standing.add(key)
        return key

    def literals(self) -> Iterator[tuple[Leaf, Polarity, str]]:
        """Every literal that has been given a key, in order."""
        for (leaf, polarity), key in self._keys.items():
            yield leaf, polarity, key
