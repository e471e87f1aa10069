"""One patient on whom two rulesets differ, or the proof that there is none: what mutants and versions are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from engine.decide.answers import Given
from engine.prove.logic import Formula, both, differ, either
from engine.prove.obligations import unlike
from engine.prove.outcome import SymbolicOutcome
from engine.prove.pairs import shared
from engine.prove.patient import free, remarkable_last
from engine.prove.solving import OutOfTime, Solver
from engine.prove.verdict import Undecided
from engine.rules.model import CheckedRuleset


@dataclass(frozen=True, slots=True)
class Different:
    """The answers of a patient on whom the two differ: as the new ruleset asks, and as the old one does."""

    answers: Mapping[str, Given]
    before: Mapping[str, Given]


@dataclass(frozen=True, slots=True)
class Same:
    """There is no patient on whom the two differ, in anything that is decided or shown, or in why."""


Difference: TypeAlias = Different | Same | Undecided


class Comparison:
    """Two rulesets and one patient of whom nothing is known, put to both.

    Questions that both ask in the same way have one answer; any other question has an answer of its own.
    """

    def __init__(self, old: CheckedRuleset, new: CheckedRuleset) -> None:
        self.old, self.new = old, new
        self.patient = free(new.ruleset)
        self.after = SymbolicOutcome(new.ruleset, self.patient)
        self.before = SymbolicOutcome(old.ruleset, shared(old.ruleset, self.patient))

    @cached_property
    def domain(self) -> Formula:
        """The answers are answers, for both."""
        return both((*self.before.patient.domain, *self.patient.domain))

    @cached_property
    def accepted(self) -> Formula:
        """Both decide: neither refuses the answers."""
        return both((self.before.accepted, self.after.accepted))

    @cached_property
    def different(self) -> Formula:
        """Only one of them refuses the answers, or both decide and not the same."""
        return either(
            (
                both((self.domain, differ(self.before.accepted, self.after.accepted))),
                both((self.accepted, unlike(self.before.whole, self.after.whole))),
            )
        )


def find_difference(old: CheckedRuleset, new: CheckedRuleset, budget: float = 10.0) -> Difference:
    """A patient on whom two rulesets differ, remarkable in as little as is easily had; `budget` in seconds.

    Compared is the whole outcome but for the order in which questions are asked next.
    """
    comparison = Comparison(old, new)
    solver = Solver(budget)
    try:
        model = solver.find(comparison.different)
        if model is None:
            return Same()
        # a completed record is easier to read; not every difference shows in one
        for wanted in (comparison.after.complete, True):
            found = solver.simplest(remarkable_last(comparison.patient), comparison.different, wanted)
            if found is not None:
                return Different(comparison.patient.read(found), comparison.before.patient.read(found))
    except OutOfTime:
        return Undecided("the budget of time is used up")
    return Undecided("a difference was found and lost again")
