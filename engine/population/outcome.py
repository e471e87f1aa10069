"""What became of simulated patients: where they were sent, and how that fits what they have.

Whoever is simulated has a condition that the rules are not told. That is what makes it possible to count who was sent
higher or lower than needed; of real patients it is not known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from engine.decide.answers import read_answers
from engine.decide.evaluate import Rehearsal
from engine.decide.interview import Interview
from engine.population.deciding import Decider
from engine.population.model import CONDITION, Condition, Model
from engine.population.rows import Cell, Done, Rejected, Row
from engine.rules.model import CheckedRuleset
from engine.rules.scale import Disposition

if TYPE_CHECKING:
    from engine.population.simulated import People

UNSETTLED = "unsettled"
"""Stands for a disposition where missing answers could still raise it."""


class Simulation:
    """The task of `pluis simulate`: decides for each simulated patient, and counts by what they have."""

    name = "simulate"
    columns: Mapping[str, type] = {"number": int, CONDITION: str, "disposition": str, "floor": str, "programme": str}
    """`disposition` is UNSETTLED where there is none."""

    def __init__(self, decider: Decider) -> None:
        self._decider = decider
        self.fingerprint = decider.checked.digest

    def do(self, rows: Iterator[Row]) -> Done:
        """A record for each patient; a reject is one whom the model gave answers that contradict each other."""
        rules = self._decider.checked.ruleset.rules
        records: list[tuple[Cell, ...]] = []
        rejected: list[Rejected] = []
        tally: Counter[str] = Counter()
        for row in rows:
            decided = self._decider.decide(row)
            if isinstance(decided, Rejected):
                rejected.append(decided)
                continue
            outcome = decided.outcome
            place = outcome.floor.word if outcome.settled else UNSETTLED
            condition = row.groups[CONDITION]
            records.append((row.number, condition, place, outcome.floor.word, outcome.programme.choice.word))
            tally[f"sent/{condition}/{place}"] += 1
            if outcome.settled:
                tally[f"programme/{outcome.programme.choice.word}"] += 1
                true = [name for name in outcome.rules if name in rules]  # all but the default
                tally.update(f"rule/{place}/{name}" for name in true if rules[name].disposition is outcome.floor)
            tally.update(f"group/{name}/{value}/{place}" for name, value in row.groups.items() if name != CONDITION)
        return Done(records, rejected, tally)


@dataclass(frozen=True, slots=True)
class Part:
    """So many of how many."""

    count: int
    of: int

    @property
    def share(self) -> float | None:
        """From 0 to 1; None of nothing."""
        return self.count / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Figures:
    """The counts of a simulation. `sent`: people by condition and disposition, UNSETTLED where there is none.

    `groups`: by group, its value and disposition. `rules`: people whom a rule sent to its disposition, perhaps not
    alone, by disposition and rule.
    """

    rows: int
    rejected: int
    conditions: Mapping[str, Condition]
    sent: Mapping[tuple[str, str], int]
    programmes: Mapping[str, int]
    rules: Mapping[tuple[str, str], int]
    groups: Mapping[tuple[str, str, str], int]

    @classmethod
    def of(cls, model: Model, rows: int, rejected: int, tally: Mapping[str, int]) -> Figures:
        """The figures out of the tally of a run."""
        by: dict[str, dict[tuple[str, ...], int]] = {"sent": {}, "programme": {}, "rule": {}, "group": {}}
        for key, count in sorted(tally.items()):
            kind, *names = key.split("/")
            by[kind][tuple(names)] = count
        return cls(
            rows,
            rejected,
            model.conditions,
            {(condition, place): count for (condition, place), count in by["sent"].items()},
            {name: count for (name,), count in by["programme"].items()},
            {(place, rule): count for (place, rule), count in by["rule"].items()},
            {(name, value, place): count for (name, value, place), count in by["group"].items()},
        )

    def people(self, conditions: Sequence[Condition], places: Sequence[str] = ()) -> int:
        """How many have one of these conditions and were sent to one of these places; to any without `places`."""
        names = {each.id for each in conditions}
        return sum(
            count for (name, place), count in self.sent.items() if name in names and (not places or place in places)
        )

    @property
    def serious(self) -> list[Condition]:
        """The serious conditions."""
        return [each for each in self.conditions.values() if each.serious]

    @property
    def harmless(self) -> list[Condition]:
        """The conditions that are not serious."""
        return [each for each in self.conditions.values() if not each.serious]

    def at(self, place: str) -> Part:
        """Those sent to a place, of all."""
        return Part(self.people([*self.conditions.values()], [place]), self.people([*self.conditions.values()]))

    def over_triage(self) -> Part:
        """Those sent to a GP or higher, of those without a serious condition."""
        return Part(self.people(self.harmless, _from(Disposition.GP_WITHIN_DAYS)), self.people(self.harmless))

    def over_triage_strict(self) -> Part:
        """Those sent to a GP or higher, of those for whose condition less than a GP is enough."""
        lesser = [each for each in self.conditions.values() if each.needs < Disposition.GP_WITHIN_DAYS]
        return Part(self.people(lesser, _from(Disposition.GP_WITHIN_DAYS)), self.people(lesser))

    def too_low(self, condition: Condition) -> Part:
        """Those sent lower than it needs, of those with a condition."""
        lower = [each.word for each in Disposition if each < condition.needs]
        return Part(self.people([condition], lower) if lower else 0, self.people([condition]))

    def under_triage(self) -> Part:
        """Those sent lower than their condition needs, of those with a serious condition."""
        low = sum(self.too_low(each).count for each in self.serious)
        return Part(low, self.people(self.serious))

    def open_serious(self) -> Part:
        """Those for whom nothing was settled, of those with a serious condition."""
        return Part(self.people(self.serious, [UNSETTLED]), self.people(self.serious))


def _from(lowest: Disposition) -> list[str]:
    return [each.word for each in Disposition if each >= lowest]


@dataclass(frozen=True, slots=True)
class Held:
    """An interview with one simulated person: where it ended, and what it asked. `form`: what the whole form asks."""

    disposition: str
    screens: int
    questions: int
    form: int


def interviews(people: People, checked: CheckedRuleset, seed: int, number: int) -> Iterator[Held]:
    """Interviews with people who answer all that they are asked, until nothing more can change what follows."""
    rehearsal = Rehearsal(checked)
    interview = Interview(checked.ruleset, lambda answers: rehearsal.evaluate(answers).outcome)
    chance = Random(f"{seed}/interviews")
    for _ in range(number):
        said = people.draw(chance).said
        told: set[str] = set()
        screens = 0
        while True:
            answers = read_answers(checked.ruleset, {name: said[name] for name in told})
            outcome, screen = interview.next(answers)
            if screen is None:
                break
            told.update(screen.questions)
            screens += 1
        yield Held(outcome.floor.word, screens, len(told), len(said))
