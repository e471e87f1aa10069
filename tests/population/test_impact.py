"""What a new version changes: the right kind for each row, the same sums however the rows are cut, nothing left out."""

from __future__ import annotations

import json
import pickle
from collections import Counter

import pytest

from engine.errors import RulesetError
from engine.population.impact import Class, Comparing, Impact, Kind, Listing, Role, Sums, Version
from engine.population.impact_told import as_json, tell
from engine.population.rows import Row
from engine.record.replay import Direction
from tests.population.impact_audit import betrayed
from tests.population.impact_world import NEW, OLD, checked, row, rows


@pytest.fixture(scope="module")
def comparing() -> Comparing:
    return Comparing(checked(OLD), checked(NEW))


@pytest.mark.parametrize(
    ("it", "place", "rules", "directions"),
    [
        (row(noise="click"), Class(Kind.SAME, "self_care", "self_care"), (), ()),
        (
            row(rust="yes", loose_parts=("chain",)),
            Class(Kind.MORE_URGENT, "self_care", "emergency"),
            ((Role.GAINED, "E02"), (Role.LOST, "D00")),
            (Direction.SAFER,),
        ),
        (
            row(brakes_fail="unknown"),
            Class(Kind.LESS_URGENT, "emergency", "self_care"),
            ((Role.GAINED, "D00"), (Role.LOST, "E01")),
            (Direction.LAXER,),
        ),
        (
            row(rust=None, loose_parts=("chain",)),
            Class(Kind.TO_OPEN, "self_care", "needs_answers"),
            ((Role.LOST, "D00"),),
            (Direction.SAFER,),
        ),
        (
            row(noise="grind"),
            Class(Kind.CALL, "same_day_gp", "same_day_gp"),
            ((Role.REWORKED, "S02"),),
            (Direction.SAFER,),
        ),
        (
            row(noise="grind", loose_parts=("light",), rides_better="yes"),
            Class(Kind.ADVICE, "physio", "physio"),
            (),
            (),
        ),
        (row(bike_age="70"), Class(Kind.REFUSED_BY_NEW, "self_care", "refused"), (), ()),
        (row(bike_age="90"), Class(Kind.REFUSED_BY_BOTH, "refused", "refused"), (), ()),
        (Row(0, "", {}, faults=("torn",)), Class(Kind.UNREADABLE, "refused", "refused"), (), ()),
    ],
)
def test_the_kind_of_a_row(
    comparing: Comparing,
    it: Row,
    place: Class,
    rules: tuple[tuple[Role, str], ...],
    directions: tuple[Direction, ...],
) -> None:
    found = comparing.compare(it)
    assert (found.place, found.rules) == (place, rules)
    assert found.directions == frozenset(directions)


def test_the_other_way_round_is_the_other_kind() -> None:
    back = Comparing(checked(NEW), checked(OLD))
    assert back.compare(row(brakes_fail="unknown")).place.kind is Kind.MORE_URGENT
    assert back.compare(row(rust=None, loose_parts=("chain",))).place.kind is Kind.TO_SETTLED
    assert back.compare(row(bike_age="70")).place.kind is Kind.REFUSED_BY_OLD


def test_what_only_one_version_asks_is_left_out_and_counted(comparing: Comparing) -> None:
    assert comparing.compare(row()).left_out == ((Version.OLD, "rust"),)
    assert comparing.compare(row(rust=None)).left_out == ()


def test_a_question_that_nobody_asks_is_refused_by_both(comparing: Comparing) -> None:
    found = comparing.compare(row(colour="red"))
    assert found.place.kind is Kind.REFUSED_BY_BOTH
    assert found.codes == ((Version.OLD, "unknown-question"), (Version.NEW, "unknown-question"))


def tallied(pieces: list[list[Row]]) -> dict[str, int]:
    """The tally as a runner adds it up, with a worker for each piece."""
    whole: Counter[str] = Counter()
    for piece in pieces:
        whole.update(pickle.loads(pickle.dumps(Impact(OLD, NEW, Listing.NUMBERS))).do(iter(piece)).tally)
    return dict(sorted(whole.items()))


def test_sums_are_the_same_however_the_rows_are_cut() -> None:
    found = rows(1500)
    whole = tallied([found])
    assert tallied([found[:1], found[1:700], found[700:]]) == whole
    assert tallied([found[900:], found[:900]]) == whole
    sums = Sums.of(whole)
    assert sums.rows == 1500
    assert sums.tally() == whole
    assert {place.kind for place in sums.classes} >= {Kind.SAME, Kind.MORE_URGENT, Kind.UNREADABLE, Kind.REFUSED_BY_NEW}
    for column in ("shop", "year"):
        assert sum(count for (name, _, _), count in sums.groups.items() if name == column) == 1500


def test_every_row_is_a_record_and_says_what_was_asked_for() -> None:
    found = rows(40)
    numbers = Impact(OLD, NEW, Listing.NUMBERS)
    assert [*numbers.columns] == ["number"]
    assert numbers.do(iter(found)).records == [(number,) for number in range(40)]
    task = Impact(OLD, NEW, Listing.CHANGES)
    records = task.do([row(7, brakes_fail="unknown")]).records
    assert dict(zip(task.columns, records[0], strict=True)) == {
        "number": 7, "id": "row-7", "kind": "less_urgent", "old": "emergency", "new": "self_care", "laxer": True,
        "safer": False, "rules_gained": ["D00"], "rules_lost": ["E01"], "rules_saying_otherwise": [],
    }  # fmt: skip
    assert numbers.fingerprint != task.fingerprint
    assert Impact(OLD, OLD, Listing.NUMBERS).fingerprint != numbers.fingerprint


def test_the_same_version_changes_nothing() -> None:
    sums = Sums.of(Impact(OLD, OLD, Listing.NUMBERS).do(rows(300)).tally)
    assert not sums.laxer
    assert not [place for place in sums.classes if place.kind.changes]


def test_laxer_is_also_no_decision_any_more() -> None:
    def laxer(it: Row) -> bool:
        return Sums.of(Impact(OLD, NEW, Listing.NUMBERS).do([it]).tally).laxer

    assert laxer(row(brakes_fail="unknown"))
    assert laxer(row(bike_age="70"))
    assert not laxer(row(noise="grind"))


def test_a_version_that_is_no_ruleset_is_refused() -> None:
    with pytest.raises(RulesetError):
        Impact({**OLD, "ruleset.yaml": "ruleset: {}"}, NEW, Listing.NUMBERS)


def test_real_sums_are_told_without_betraying_anybody() -> None:
    sums = Sums.of(Impact(OLD, NEW, Listing.NUMBERS).do(rows(4000)).tally)
    told = tell(sums)
    assert [*betrayed(told)] == []
    assert any(each.small for each in told.classes.values())
    assert told.groups["shop"] is not None
    assert "tiny" not in json.dumps(as_json(told, checked(OLD), checked(NEW)))


def test_json_has_the_told_numbers() -> None:
    told = tell(Sums.of(Impact(OLD, NEW, Listing.NUMBERS).do(rows(4000)).tally))
    said = as_json(told, checked(OLD), checked(NEW))
    assert {key: said[key] for key in ("old", "new")} == _versions()
    assert (said["rows"], said["fewest"]) == (4000, 10)
    assert said["kinds"]["unreadable"] == 14
    assert said["kinds"]["open_to_settled"] == 0
    assert {"version": "old", "name": "rust", "rows": {"from": 3880, "to": 3889}} in said["left_out"]
    assert "<10" in json.dumps(said)
    assert {each["kind"] for each in said["rules"]} <= {kind.value for kind in Kind if kind.changes}


def test_too_few_rows_are_not_told() -> None:
    told = tell(Sums.of(Impact(OLD, NEW, Listing.NUMBERS).do(rows(12)).tally))
    assert as_json(told, checked(OLD), checked(NEW)) == {**_versions(), "fewest": 10, "rows": 12, "told": False}


def _versions() -> dict[str, dict[str, str]]:
    return {
        which: {"id": "bicycle", "version": version, "digest": checked(texts).digest}
        for which, version, texts in (("old", "1.0.0", OLD), ("new", "2.0.0", NEW))
    }
