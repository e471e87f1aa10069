"""Every way in which two versions of a ruleset differ in meaning, each with a patient whom both evaluators confirm.

For each aspect of a decision the solver is asked for a patient who has one value by the old version and another by the
new one, until there is none left: among records in which nothing is missing, then among all. What a patient shows is
read from the evaluators, never from the solver.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from engine.decide.answers import Given
from engine.decide.evaluate import Evaluator
from engine.errors import PluisError
from engine.prove.difference import Comparison
from engine.prove.dimensions import Dimension, Direction, Pair, dimensions
from engine.prove.logic import Formula, both, differ, either, no
from engine.prove.outcome import Aspect
from engine.prove.patient import Answer, Patient, remarkable_last
from engine.prove.replay import replay
from engine.prove.rewritten import Rewritten, rewritten
from engine.prove.solving import OutOfTime, Solver
from engine.rules.model import CheckedRuleset, Question, QuestionType

MOST_REGIONS = 6
"""Into so many regions, by the rules that newly hold or no longer do, one change is split."""


class NotConfirmed(PluisError):
    """The evaluators do not do what the solver says: one of them is wrong, and no comparison can be trusted."""


@dataclass(frozen=True, slots=True)
class Example:
    """One patient: the answers as the new version asks, and as the old one does."""

    answers: Mapping[str, Given]
    before: Mapping[str, Given]


@dataclass(frozen=True, slots=True)
class Region:
    """Patients on whom a change has the same cause: the rules that newly hold, and those that no longer do."""

    gained: tuple[str, ...]
    lost: tuple[str, ...]
    example: Example


@dataclass(frozen=True, slots=True)
class Change:
    """One aspect that goes from one value to another.

    `complete`: also where nothing is missing; otherwise it shows only while answers are missing. `bounded`: there are
    or may be more regions than these.
    """

    aspect: Aspect
    old: str
    new: str
    direction: Direction
    complete: bool
    regions: tuple[Region, ...]
    bounded: bool = False


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """What a new version changes. Every pair of values is in `changes`, unless its aspect is in `undecided`."""

    old: CheckedRuleset
    new: CheckedRuleset
    changes: tuple[Change, ...]
    rewritten: tuple[Rewritten, ...]
    undecided: tuple[Aspect, ...] = ()

    @property
    def same(self) -> bool:
        """Proved: the same is decided and shown, for the same reasons, whatever is answered."""
        return not self.changes and not self.undecided

    @property
    def laxer(self) -> bool:
        """Something became laxer, or may have."""
        return bool(self.undecided) or any(each.direction is Direction.LAXER for each in self.changes)


def diff(old: CheckedRuleset, new: CheckedRuleset, budget: float = 60.0) -> VersionDiff:
    """How two versions differ; `budget` in seconds. Raises NotConfirmed rather than tell what the evaluators deny."""
    search = _Search(old, new, budget)
    search.complete_records()
    search.all_records()
    changes = tuple(search.changes())
    return VersionDiff(old, new, changes, rewritten(old.ruleset, new.ruleset), tuple(search.undecided))


_Key: TypeAlias = tuple[Aspect, str, str]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What one patient shows by both evaluators: the changes and, where both decided, the rules behind them."""

    example: Example
    keys: frozenset[_Key]
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    complete: bool
    decided: bool

    @property
    def cause(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self.gained, self.lost

    @property
    def region(self) -> Region:
        return Region(self.gained, self.lost, self.example)


class _Search:
    """Two versions, a solver and two evaluators, and what was found so far."""

    def __init__(self, old: CheckedRuleset, new: CheckedRuleset, budget: float) -> None:
        self._it = Comparison(old, new)
        self._dimensions = tuple(dimensions(self._it))
        self._solver = Solver(budget)
        self._solver.require(*_alike(self._it))
        self._evaluators = Evaluator(old), Evaluator(new)
        self._complete = both((self._it.before.complete, self._it.after.complete))
        self._found: dict[_Key, _Shown] = {}
        self._plain: list[_Shown] = []
        self._turns = dict(_turning_rules(self._it))
        self._wishes = [*remarkable_last(self._it.patient), *remarkable_last(_own(self._it))]
        self.undecided: list[Aspect] = []

    def complete_records(self) -> None:
        """All changes that show where nothing is missing."""
        with self._solver.supposing(self._complete):
            for each in self._dimensions:
                try:
                    self._enumerate(each, complete=True)
                except OutOfTime:
                    return  # who is left is looked for among all records, and undecided there

    def all_records(self) -> None:
        """All changes that show only while something is missing."""
        for each in self._dimensions:
            try:
                self._enumerate(each, complete=False)
            except OutOfTime:
                self.undecided.append(each.aspect)
        if self._found or self.undecided:
            return
        try:  # the whole outcomes, once more and by another formula, before anybody is told that nothing changes
            if self._solver.find(self._it.different) is not None:
                raise NotConfirmed("the versions differ in something that is not compared aspect by aspect")
        except OutOfTime:
            self.undecided.append(Aspect("everything", ""))

    def _enumerate(self, it: Dimension, complete: bool) -> None:
        while True:
            left = either(formula for pair, formula in it.pairs.items() if (it.aspect, *pair) not in self._found)
            example = self._find(it.where, left)
            if example is None:
                return
            shown = self._show(example, complete)
            fresh = [key for key in shown.keys if key not in self._found]
            if not any(aspect == it.aspect for aspect, _, _ in fresh):
                raise NotConfirmed(f"the evaluators do not show the change of {it.aspect} that the solver found")
            self._found |= dict.fromkeys(fresh, shown)

    def _find(self, *formulas: Formula) -> Example | None:
        """Somebody of whom all this holds."""
        model = self._solver.find(*formulas)
        return None if model is None else Example(self._it.patient.read(model), self._it.before.patient.read(model))

    def _show(self, example: Example, complete: bool) -> _Shown:
        """A patient whom the solver found, put to the evaluators of both versions."""
        before = replay(self._evaluators[0], example.before)
        after = replay(self._evaluators[1], example.answers)
        for each in (before, after):
            if each.failed:
                raise NotConfirmed(f"the evaluators fail on a patient whom the solver found: {each.failed}")
        keys = set()
        for dimension in self._dimensions:
            pair = dimension.read(before, after)
            if pair is not None and pair[0] != pair[1]:
                if pair not in dimension.pairs:
                    raise NotConfirmed(f"the evaluators show a change of {dimension.aspect} that the solver denies")
                keys.add((dimension.aspect, *pair))
        held, holds = (set() if each.outcome is None else {*each.outcome.rules} for each in (before, after))
        decided = before.outcome is not None and after.outcome is not None
        gained, lost = (
            tuple(name for name in self._turns if decided and name in one - other)
            for one, other in ((holds, held), (held, holds))
        )
        return _Shown(example, frozenset(keys), gained, lost, complete, decided)

    def changes(self) -> Iterator[Change]:
        """What was found, aspect by aspect, each in the regions that it falls into, with examples made simple."""
        for dimension in self._dimensions:
            for pair, formula in dimension.pairs.items():
                shown = self._found.get((dimension.aspect, *pair))
                if shown is not None:
                    yield self._change(dimension, pair, formula, shown)

    def _change(self, it: Dimension, pair: Pair, formula: Formula, first: _Shown) -> Change:
        complete = self._complete if first.complete else True
        regions: list[_Shown] = []
        bounded = False
        with self._solver.supposing(it.where, formula, complete):
            found: _Shown | None = first
            while found is not None:
                if len(regions) == MOST_REGIONS:
                    bounded = True
                    break
                regions.append(self._simple((it.aspect, *pair), found))
                try:
                    found = self._another(regions, first.complete) if self._turns else None
                except OutOfTime:
                    bounded = True
                    break
        return Change(
            it.aspect,
            *pair,
            it.direction(pair),
            first.complete,
            tuple(each.region for each in sorted(regions, key=lambda each: each.cause)),
            bounded,
        )

    def _another(self, regions: list[_Shown], complete: bool) -> _Shown | None:
        """Somebody on whom the change has another cause."""
        example = self._find(*(no(self._cause(each)) for each in regions))
        return None if example is None else self._show(example, complete)

    def _cause(self, it: _Shown) -> Formula:
        """When exactly the same rules newly hold and no longer do; whoever is refused has no rules."""
        return not it.decided or both(
            gained if name in it.gained else lost if name in it.lost else no(either((gained, lost)))
            for name, (gained, lost) in self._turns.items()
        )

    def _simple(self, key: _Key, found: _Shown) -> _Shown:
        """A patient who shows the same for the same cause, and little else; one who is known already where possible."""
        for each in self._plain:
            if key in each.keys and each.cause == found.cause and each.complete >= found.complete:
                return each
        try:
            model = self._solver.simplest(self._wishes, self._cause(found))
        except OutOfTime:
            return found  # confirmed as it is, only harder to read
        if model is None:
            raise NotConfirmed(f"a patient with the change of {key[0]} was found and lost again")
        simple = self._show(Example(self._it.patient.read(model), self._it.before.patient.read(model)), found.complete)
        if key not in simple.keys or simple.cause != found.cause:
            raise NotConfirmed(f"the evaluators do not show the change of {key[0]} that the solver found")
        self._plain.append(simple)
        return simple


def _turning_rules(it: Comparison) -> Iterator[tuple[str, tuple[Formula, Formula]]]:
    """The rules that may newly hold, or no longer do: when they do the one and the other."""
    before, after = it.before.certain, it.after.certain
    for name in {**after, **before}:
        old, new = before.get(name, False), after.get(name, False)
        if differ(old, new) is not False:
            yield name, (both((new, no(old))), both((old, no(new))))


def _own(it: Comparison) -> Patient:
    """The patient of the old version, as far as the new one does not ask the same."""
    patient = it.before.patient
    own = {name: answer for name, answer in patient.answers.items() if it.patient.answers.get(name) is not answer}
    return Patient(patient.questions, own, ())


def _alike(it: Comparison) -> Iterator[Formula]:
    """Of a question that both ask with other options or ranges: whoever can give the same answer gives the same."""
    for name, question in it.patient.questions.items():
        other = it.before.patient.questions.get(name)
        if other is None or it.before.patient.answers[name] is it.patient.answers[name]:
            continue
        if other.type is question.type and other.unit == question.unit:
            yield from _alike_answers(other, it.before.patient.answers[name], question, it.patient.answers[name])


def _alike_answers(old: Question, before: Answer, new: Question, after: Answer) -> Iterator[Formula]:
    yield no(differ(before.given, after.given))
    yield no(differ(before.unknown, after.unknown))
    added = either(after.options[each] for each in new.options if each not in old.options)
    removed = either(before.options[each] for each in old.options if each not in new.options)
    for option in (each for each in new.options if each in old.options):
        if new.type is QuestionType.SEVERAL:
            yield either((no(differ(before.options[option], after.options[option])), added, removed))
        else:  # who chose what stays may now choose what is new; who chose what went has to choose again
            yield either((no(before.options[option]), after.options[option], added))
            yield either((no(after.options[option]), before.options[option], removed))
