"""Counts of people as they may be told: none below FEWEST, and nothing from which one could be worked out.

Every number is exact or a range. What is small is told as 1 to FEWEST - 1, and a large count, its partner, becomes a
range that leaves all of that open; a sum is the sum of what is told, so that it adds nothing. Who gives way is chosen
by numbers that are told: any other small counts would give the same page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.record.feedback import FEWEST

_MOST = FEWEST - 1
_K = TypeVar("_K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Told:
    """A number of people, or as much of it as may be told: from `low` to `high`, both included."""

    low: int
    high: int

    @property
    def exact(self) -> bool:
        return self.low == self.high

    @property
    def small(self) -> bool:
        """Whether no more is told than that there are a few."""
        return self == SMALL

    def __add__(self, other: Told) -> Told:
        return Told(self.low + other.low, self.high + other.high)


NOBODY = Told(0, 0)
SMALL = Told(1, _MOST)


def exactly(number: int) -> Told:
    """A number that may be told."""
    return Told(number, number)


def summed(told: Iterable[Told]) -> Told:
    """What follows for a sum."""
    return sum(told, NOBODY)


def is_small(number: int) -> bool:
    """Whether so many people are too few to be told, and not none."""
    return 0 < number < FEWEST


@dataclass(frozen=True, slots=True)
class Parts(Generic[_K]):
    """The parts of a whole that everybody knows. `partner`: the part that gives way; None where nothing can be told."""

    told: Mapping[_K, Told]
    partner: _K | None


def protect_parts(counts: Mapping[_K, int], order: Sequence[_K]) -> Parts[_K]:
    """Each part as it may be told. `order`: who gives way rather than another, all parts; the first that is large.

    INVARIANT: put any numbers from 1 to FEWEST - 1 for the small ones, and the rest of their sum for the partner: the
    result is the same. Large is therefore what is large by all of these.
    """
    small = [key for key in order if is_small(counts[key])]
    slack = _MOST * len(small)
    partner = next((key for key in order if counts[key] >= FEWEST + slack), None)
    if partner is None:
        return Parts({key: Told(0, sum(counts.values())) for key in order}, None)
    hidden = counts[partner] + sum(counts[key] for key in small)
    if hidden - slack < FEWEST + slack:  # with other small ones, it would not have been chosen
        return Parts({key: Told(0, sum(counts.values())) for key in order}, None)
    told = {key: SMALL if is_small(counts[key]) else exactly(counts[key]) for key in order}
    told[partner] = Told(hidden - slack, hidden - len(small))
    return Parts(told, partner)


def protect_share(number: int, whole: Told) -> Told:
    """How many of a whole, where such shares overlap: by tens, so that differences between them tell nothing.

    Nor may the others of the whole be told where they are few, or the whole itself where it is a range.
    """
    if number == 0:
        return NOBODY
    if number < FEWEST or whole.high <= _MOST:
        return SMALL
    low = number // FEWEST * FEWEST
    high = low + _MOST
    if whole.exact:
        rest = whole.low - number
        if rest == 0:
            return whole
        return Told(min(low, whole.low - _MOST), whole.low - 1) if rest < FEWEST else Told(low, high)
    near = high >= whole.low - _MOST
    return Told(min(low, whole.low), max(high, whole.high)) if near else Told(low, high)


@dataclass(frozen=True, slots=True)
class GroupsTold:
    """People by group and kind. `people`: those of each group that is told, the largest group first, exactly.

    `by_kind` has for each of them every kind of `kinds`, and `together` all other kinds. What begins with `rest` is of
    the `rest` groups that are told together only, `largest` among them; it follows from the whole.
    """

    kinds: tuple[str, ...]
    people: Mapping[str, int]
    by_kind: Mapping[str, Mapping[str, Told]]
    together: Mapping[str, Told]
    largest: str
    rest: int
    rest_people: int
    rest_by_kind: Mapping[str, Told]
    rest_together: Told


def protect_groups(
    counts: Mapping[str, Mapping[str, int]], whole: Mapping[str, Told], giving_way: str
) -> GroupsTold | None:
    """People by group and kind as they may be told beside the `whole` by kind; None where nothing can be.

    The largest group and the kind that gives way take up what small counts leave open, so that neither a row nor a
    column can be subtracted. A group that is small, or whose small counts the kind cannot take up, is told with the
    largest; a kind that it cannot take up is told with the kind that gives way.
    """
    people = {group: sum(kinds.values()) for group, kinds in counts.items()}
    first, *others = sorted(people, key=lambda group: (-people[group], group))
    rest = {first, *(group for group in others if people[group] < FEWEST)}
    kinds = [kind for kind in whole if kind != giving_way]
    while True:
        told = _Table([group for group in others if group not in rest], kinds, counts, whole)
        groups = {group for group in told.groups if people[group] < told.taken(group)}
        columns = [kind for kind in kinds if told.left(kind) < 0]
        if not groups and not columns:
            break
        rest |= groups
        kinds = [kind for kind in kinds if kind not in columns]
    rest_people = sum(people[group] for group in rest)
    if not told.groups or not kinds or rest_people < max(FEWEST, told.most_of_rest()):
        return None
    return told.shown(people, first, len(rest))


class _Table:
    """The groups and kinds that are to be told, and what the others must take up."""

    def __init__(
        self,
        groups: Sequence[str],
        kinds: Collection[str],
        counts: Mapping[str, Mapping[str, int]],
        whole: Mapping[str, Told],
    ) -> None:
        self.groups, self.kinds, self._whole = groups, kinds, whole
        self._cells = {group: {kind: counts[group].get(kind, 0) for kind in kinds} for group in groups}
        columns = [*self._cells.values()]
        self._told = {kind: sum(each[kind] for each in columns if not is_small(each[kind])) for kind in kinds}
        self._small = Counter({kind: sum(is_small(each[kind]) for each in columns) for kind in kinds})

    def taken(self, group: str) -> int:
        """The people of a group that must be there, were all its small counts as large as they may be."""
        return sum(_MOST if is_small(each) else each for each in self._cells[group].values())

    def left(self, kind: str) -> int:
        """How many of a kind are left for the groups that are not told; below 0 where small counts would show."""
        return self._whole[kind].low - self._told[kind] - _MOST * self._small[kind]

    def _rest(self, kind: str) -> Told:
        told, few = self._told[kind], self._small[kind]
        return Told(self._whole[kind].low - told - _MOST * few, self._whole[kind].high - told - few)

    def most_of_rest(self) -> int:
        """As many people as the groups that are not told may have in the kinds that are."""
        return sum(self._rest(kind).high for kind in self.kinds)

    def shown(self, people: Mapping[str, int], largest: str, rest: int) -> GroupsTold:
        """The table as it may be told."""
        rest_people = sum(people.values()) - sum(people[group] for group in self.groups)
        by_kind = {
            group: {kind: SMALL if is_small(each) else exactly(each) for kind, each in cells.items()}
            for group, cells in self._cells.items()
        }
        rest_by_kind = {kind: self._rest(kind) for kind in self.kinds}
        return GroupsTold(
            tuple(self.kinds),
            {group: people[group] for group in self.groups},
            by_kind,
            {group: _remaining(people[group], cells.values()) for group, cells in by_kind.items()},
            largest,
            rest,
            rest_people,
            rest_by_kind,
            _remaining(rest_people, rest_by_kind.values()),
        )


def _remaining(people: int, told: Iterable[Told]) -> Told:
    """What is left of so many people."""
    taken = summed(told)
    return Told(max(0, people - taken.high), people - taken.low)
