"""Small counts: told as such, and not to be found by subtracting, whatever else is published."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.population.impact import Class, Kind, Role, Sums
from engine.population.impact_told import tell
from engine.population.protecting import SMALL, Told, exactly, protect_parts, protect_share
from engine.record.feedback import FEWEST
from tests.population.impact_audit import betrayed

LITTLE = st.integers(1, FEWEST - 1)
COUNTS = st.lists(st.one_of(st.just(0), LITTLE, st.integers(FEWEST, 3000)), min_size=1, max_size=12)


def told_of(counts: list[int]) -> dict[int, Told]:
    return dict(protect_parts(dict(enumerate(counts)), range(len(counts))).told)


def test_a_small_part_is_small_and_another_gives_way() -> None:
    assert told_of([500, 3, 40, 0]) == {0: Told(494, 502), 1: SMALL, 2: exactly(40), 3: exactly(0)}


def test_without_small_parts_all_is_exact() -> None:
    assert told_of([500, 10, 0]) == {0: exactly(500), 1: exactly(10), 2: exactly(0)}


@pytest.mark.parametrize("counts", [[9], [3, 4], [10, 9], [12, 8, 8, 8], [26, 1]])
def test_too_few_to_tell_anything(counts: list[int]) -> None:
    assert set(told_of(counts).values()) == {Told(0, sum(counts))}


@given(COUNTS, st.data())
def test_other_small_counts_give_the_same(counts: list[int], data: st.DataObject) -> None:
    """Whoever knows the program learns nothing from its choices either."""
    parts = protect_parts(dict(enumerate(counts)), range(len(counts)))
    if parts.partner is None:
        return
    others = [data.draw(LITTLE) if 0 < count < FEWEST else count for count in counts]
    others[parts.partner] += sum(counts) - sum(others)
    assert protect_parts(dict(enumerate(others)), range(len(others))) == parts
    assert all(told.low <= count <= told.high for told, count in zip(parts.told.values(), others, strict=True))


@pytest.mark.parametrize(
    ("number", "whole", "told"),
    [
        (0, exactly(100), exactly(0)),
        (9, exactly(100), SMALL),
        (57, exactly(100), Told(50, 59)),
        (100, exactly(100), exactly(100)),
        (95, exactly(100), Told(90, 99)),
        (92, exactly(93), Told(84, 92)),
        (4, SMALL, SMALL),
        (20, Told(13, 21), Told(13, 29)),
        (45, Told(130, 138), Told(40, 49)),
    ],
)
def test_a_share_tells_neither_itself_nor_the_others(number: int, whole: Told, told: Told) -> None:
    assert protect_share(number, whole) == told
    assert told.low <= number <= told.high


PLACES = [
    Class(Kind.SAME, "self_care", "self_care"),
    Class(Kind.SAME, "physio", "physio"),
    Class(Kind.MORE_URGENT, "physio", "gp_within_days"),
    Class(Kind.MORE_URGENT, "self_care", "physio"),
    Class(Kind.LESS_URGENT, "physio", "self_care"),
    Class(Kind.CALL, "physio", "physio"),
    Class(Kind.REFUSED_BY_NEW, "physio", "refused"),
]
CELL = st.one_of(st.just(0), LITTLE, st.integers(FEWEST, 400))
TABLE = st.lists(st.lists(CELL, min_size=len(PLACES), max_size=len(PLACES)), min_size=1, max_size=5)


def sums_of(columns: dict[str, list[list[int]]]) -> Sums:
    """Rows by group and place for a first column; another column splits the same rows otherwise."""
    sums = Sums()
    first, *others = columns
    for number, row in enumerate(columns[first]):
        for place, count in zip(PLACES, row, strict=True):
            sums.classes[place] += count
            sums.groups[first, f"group {number}", place.kind] += count
    for column in others:
        left = Counter(sums.classes)
        for number, row in enumerate(columns[column]):
            for place, wanted in zip(PLACES, row, strict=True):
                count = min(wanted, left[place])
                left[place] -= count
                sums.groups[column, f"group {number}", place.kind] += count
    sums.classes, sums.groups = +sums.classes, +sums.groups
    return sums


@given(TABLE, TABLE)
@example([[900, 800, 60, 50, 40, 30, 20], [300, 300, 5, 20, 4, 3, 12]], [[900, 800, 60, 50, 40, 30, 20]])
@example([[90, 80, 6, 5, 40, 3, 20]], [[90, 0, 0, 0, 40, 0, 20]])
@example([[3000, 0, 0, 400, 0, 0, 0], [2000, 0, 0, 30, 0, 0, 0], [1500, 0, 0, 4, 0, 0, 0]], [[0] * 7])
def test_nobody_can_subtract(clinics: list[list[int]], ages: list[list[int]]) -> None:
    told = tell(sums_of({"clinic": clinics, "age": ages}))
    assert [*betrayed(told)] == []


def test_the_groups_are_told_where_they_can_be() -> None:
    told = tell(
        sums_of({"clinic": [[900, 800, 60, 50, 40, 30, 20], [300, 300, 5, 20, 14, 3, 12], [0, 4, 0, 0, 0, 0, 0]]})
    )
    table = told.groups["clinic"]
    assert table is not None
    assert table.people == {"group 1": 654}
    assert table.by_kind["group 1"]["more_urgent"] == exactly(25)
    assert table.by_kind["group 1"]["call"] == SMALL
    assert (table.largest, table.rest, table.rest_people) == ("group 0", 2, 1904)
    assert table.rest_by_kind["call"] == Told(24, 32)


def test_the_auditor_finds_what_is_betrayed() -> None:
    """A page on which nothing gives way is found out, or the auditor proves nothing."""
    told = tell(sums_of({"clinic": [[900, 800, 60, 50, 40, 30, 4]]}))
    place = next(place for place, count in told.classes.items() if not count.exact and not count.small)
    classes = {**told.classes, place: exactly(900)}
    bare = type(told)(told.rows, True, classes, told.laxer, told.safer, (), {}, (), ())
    assert [*betrayed(bare)]


def test_rules_are_told_as_shares_of_their_kind() -> None:
    sums = sums_of({"clinic": [[900, 800, 60, 50, 40, 30, 4]]})
    sums.rules[Kind.MORE_URGENT, Role.GAINED, "R1"] = 104
    sums.rules[Kind.MORE_URGENT, Role.GAINED, "R2"] = 6
    told = {each.rule: each.people for each in tell(sums).rules}
    assert told == {"R1": Told(100, 109), "R2": SMALL}
