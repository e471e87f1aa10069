"""What a claim comes to: single statements, each either impossible for every patient or possible for some.

`claims` writes them down; `prover` asks the solver, and puts every patient whom it finds to the evaluators.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from engine.decide.answers import Given
from engine.prove.conditions import Readers, readers
from engine.prove.logic import Formula, both, differ, either, no
from engine.prove.outcome import Aspect, SymbolicOutcome
from engine.prove.patient import Answer, Patient, free
from engine.prove.replay import Seen
from engine.rules.model import CheckedRuleset, Ruleset
from engine.rules.scale import Disposition

Confirmed: TypeAlias = Callable[[tuple[Seen, ...]], bool]
"""Whether the evaluators, too, do what the solver said."""


@dataclass(frozen=True, slots=True)
class Never:
    """No patient may satisfy `formulas`. `patients` are read from a model that does; `why` tells what is wrong then."""

    why: str
    formulas: tuple[Formula, ...]
    patients: tuple[Patient, ...]
    confirmed: Confirmed
    versions: tuple[str, ...] = ()
    """By which version each patient is decided on; empty: all by the ruleset itself."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """Some patient must satisfy `formulas`; `why` tells what is wrong where nobody does.

    `instead` are answers that show the fault, where there are some that do.
    """

    why: str
    formulas: tuple[Formula, ...]
    patients: tuple[Patient, ...]
    confirmed: Confirmed
    instead: Mapping[str, Given] | None = None


@dataclass(frozen=True, slots=True)
class Unclear:
    """The claim cannot be put to the solver, and why."""

    why: str


Obligation: TypeAlias = Never | Somebody | Unclear


class Subject:
    """The ruleset that claims are about, with one patient of whom nothing is known.

    `versions` are other versions of the same ruleset, by version, for claims that compare.
    """

    def __init__(self, checked: CheckedRuleset, versions: Mapping[str, CheckedRuleset] | None = None) -> None:
        self.ruleset: Ruleset = checked.ruleset
        self.versions = versions or {}
        self.patient = free(checked.ruleset)
        self.outcome = SymbolicOutcome(checked.ruleset, self.patient)

    @cached_property
    def readers(self) -> Readers:
        """Who reads which question."""
        return readers(self.ruleset)

    def but(self, question: str, answer: Answer) -> SymbolicOutcome:
        """The decision of the same patient with another answer to one question."""
        _ = self.outcome.said  # what is encoded once need not be encoded for every answer again
        return self.outcome.but(question, answer, self.readers)


def milder(one: Mapping[Disposition, Formula], other: Mapping[Disposition, Formula]) -> Formula:
    """Whether the first is less urgent than the second, both as "at least so urgent"."""
    return either(both((other[each], no(one[each]))) for each in Disposition if not _same(one[each], other[each]))


def unlike(one: Mapping[Aspect, Formula], other: Mapping[Aspect, Formula]) -> Formula:
    """Whether two decisions say something else anywhere."""
    return either(differ(_said(one, aspect), _said(other, aspect)) for aspect in {**one, **other})


def _said(decision: Mapping[Aspect, Formula], aspect: Aspect) -> Formula:
    """What a decision says; of hours that only another version names, what it says of the next fewer."""
    if aspect in decision or aspect.kind != "within_hours":
        return decision.get(aspect, False)
    hours = [int(each.name) for each in decision if each.kind == aspect.kind and int(each.name) < int(aspect.name)]
    return decision[Aspect(aspect.kind, str(max(hours)))] if hours else False


def _same(one: Formula, other: Formula) -> bool:
    return one is other if isinstance(one, bool) or isinstance(other, bool) else one.eq(other)
