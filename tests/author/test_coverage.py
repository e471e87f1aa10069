"""Coverage says of the bicycle what was worked out by hand, and loses exactly what a case that is taken away showed."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import pytest

from engine.author.coverage import Coverage, coverage, reaches
from engine.author.coverage_aims import Kind, conditions
from engine.author.masking import combine, deciding
from engine.decide.direct import FALSE, TRUE, UNKNOWN, Reading
from engine.decide.evaluate import Evaluator
from engine.rules.cases import Case
from engine.rules.condition import Condition, members
from engine.rules.load import load, load_cases
from tests.decide.generate import answer_texts, as_given, load_content, ruleset_content
from tests.rules.bicycle import FOLDER, Change, valid

ROOT = Path(__file__).parent.parent.parent
OWN = load_cases(FOLDER, valid())
"""BIKE-1 (12 years, brakes not known, chain and light loose, 2.0 bar, no noise) and BIKE-2 (nothing in any group)."""
SHOWN, MISSED = True, False

# Worked out by hand from the two cases: of each part its member and side.
BRANCHES = {
    ("E01", "unknown: brakes_fail", "true"),
    ("E01", "unknown: brakes_fail", "false"),
    ("E01", "brakes_fail: yes", "false"),
    ("S01", "finding: neglected", "true"),  # two of three hold, and without this one only one
    ("S01", "loose_parts: light", "true"),
    ("S02", "noise: grind", "false"),  # everything else in it holds
    ("neglected", "finding: soft_tyre", "true"),
    ("neglected", "bike_age: {above: 10}", "true"),
    ("comfort", "bike_age: {at_least: 1}", "true"),
    ("rides_better", "loose_parts: chain", "true"),
    ("PR0", "disposition: {at_least: gp_within_days}", "true"),
    ("PR0", "disposition: {at_least: gp_within_days}", "false"),
    ("PR1", "rule: S01", "true"),
    ("ADV-001", "disposition: {in: [self_care, physio]}", "true"),
    ("ADV-001", "disposition: {in: [self_care, physio]}", "false"),
    ("ADV-001", "noise: click", "false"),
    ("ADV-002", "programme: {in: [pilates, either]}", "true"),
    ("ADV-002", "programme: {in: [pilates, either]}", "false"),
    ("A0", "disposition: {at_least: gp_within_days}", "true"),
    ("A0", "disposition: {at_least: gp_within_days}", "false"),
    ("SN-02", "brakes_fail: no", "true"),
}
WHOLE = {
    ("E01", "", "true"), ("E01", "", "false"), ("E01", "", "deciding"), ("S01", "", "true"), ("S02", "", "false"),
}  # fmt: skip
TEXTS = {
    "ADV-001", "ADV-002", "SN-01", "SN-02", "PR0", "cannot_stop", "worn", "workshop_first",
    "emergency", "self_care", "gp_or_hap_now", "none", "none_yet",
}  # fmt: skip


def of(found: Coverage, kind: Kind, covered: bool = SHOWN) -> set[tuple[str, str, str]]:
    """The aims of a kind that some case shows, or none does: owner, part and side."""
    return {
        (item.aim.owner.id, item.aim.part, item.aim.side)
        for item in found.items
        if item.aim.kind is kind and item.covered is covered
    }


def bicycle(*cases: Case, changes: tuple[Change, ...] = ()) -> Coverage:
    return coverage(valid(*changes), cases)


def patient(name: str = "P", unlisted: str = "", **answers: str | tuple[str, ...]) -> Case:
    return Case(name, answers=answers, unlisted=unlisted)


def test_the_bicycle_as_worked_out_by_hand() -> None:
    found = bicycle(*OWN)
    assert [(row.kind.value, row.covered, row.total) for row in found.summary()] == [
        ("rules", 5, 10),
        ("findings", 2, 4),
        ("branches", 21, 40),
        ("thresholds", 0, 8),
        ("texts", 13, 24),
        ("unknowns", 1, 14),
    ]
    assert found.total() == (41, 86)
    assert of(found, Kind.BRANCHES) == BRANCHES
    assert of(found, Kind.RULES) == WHOLE
    assert {name for name, _, _ in of(found, Kind.TEXTS)} == TEXTS
    assert of(found, Kind.UNKNOWNS) == {("SN-02", "brakes_fail: no", "unknown")}
    assert (found.cases, found.left_out) == (2, ())


def test_without_cases_everything_is_open_and_is_told_with_its_place() -> None:
    found = bicycle()
    assert all(row.covered == 0 and row.total > 0 for row in found.summary())
    places = {item.aim.span.place.partition(":")[0] for item in found.items}
    assert places == {"ruleset.yaml", "texts.nl.yaml"}
    told = [item for _, items in found.missed() for item in items]
    assert len(told) == len(found.items)
    assert all(item.missed.startswith("no case ") for item in told)


def test_a_case_that_is_taken_away_is_missed() -> None:
    """Without BIKE-2 exactly that is open which the person with nothing in any group showed alone."""
    both, one = bicycle(*OWN), bicycle(OWN[0])
    lost = {
        (aim.owner.id, aim.part, aim.side)
        for before, after in zip(both.items, one.items, strict=True)
        if before.covered and not after.covered
        for aim in (after.aim,)
    }
    assert {each for each in lost if each[1] == ""} == {
        ("E01", "", "false"),
        *((text, "", "shown") for text in ("ADV-001", "ADV-002", "SN-02", "self_care", "none")),
    }
    assert {each for each in lost if each[1]} == {
        ("E01", "unknown: brakes_fail", "false"),
        ("E01", "brakes_fail: yes", "false"),
        ("PR0", "disposition: {at_least: gp_within_days}", "false"),
        ("ADV-001", "disposition: {in: [self_care, physio]}", "true"),
        ("ADV-002", "programme: {in: [pilates, either]}", "true"),
        ("A0", "disposition: {at_least: gp_within_days}", "false"),
        ("SN-02", "brakes_fail: no", "true"),
    }


@pytest.mark.parametrize(
    ("kind", "aim", "case"),
    [
        (Kind.RULES, ("S02", "", "deciding"), patient(noise="grind", rides_better="no", tyre_bar="3", bike_age="3")),
        (Kind.RULES, ("D00", "", "deciding"), patient(unlisted="no", bike_age="3", loose_parts="saddle")),
        (Kind.FINDINGS, ("soft_tyre", "", "false"), patient(tyre_bar="3")),
        (Kind.BRANCHES, ("E01", "brakes_fail: yes", "true"), patient(brakes_fail="yes")),
        (Kind.BRANCHES, ("comfort", "bike_age: {at_least: 1}", "false"), patient(bike_age="0")),
        (Kind.BRANCHES, ("ADV-001", "noise: click", "true"), patient(noise="click")),
        (Kind.THRESHOLDS, ("neglected", "bike_age: {above: 10}", "10"), patient(bike_age="10")),
        (Kind.THRESHOLDS, ("neglected", "bike_age: {above: 10}", "11"), patient(bike_age="11")),
        (Kind.THRESHOLDS, ("soft_tyre", "tyre_bar: {below: 2.5}", "below 2.5"), patient(tyre_bar="2.4")),
        (Kind.THRESHOLDS, ("soft_tyre", "tyre_bar: {below: 2.5}", "2.5"), patient(tyre_bar="2.50")),
        (Kind.TEXTS, ("offered", "", "shown"), patient(unlisted="no", noise="click", loose_parts="light")),
        (Kind.TEXTS, ("PR2", "", "shown"), patient(unlisted="no", bike_age="3", loose_parts="saddle")),
        (Kind.TEXTS, ("gp_today", "", "shown"), patient(noise="grind", rides_better="no", tyre_bar="3", bike_age="3")),
        (Kind.UNKNOWNS, ("S02", "rides_better: yes", "unknown"), patient(rides_better="unknown", loose_parts="chain",
            noise="grind", tyre_bar="3", bike_age="3")),
    ],
)  # fmt: skip
def test_one_case_covers_what_none_did(kind: Kind, aim: tuple[str, str, str], case: Case) -> None:
    assert aim in of(bicycle(*OWN), kind, MISSED)
    assert aim in of(bicycle(*OWN, case), kind)


def test_near_a_threshold_is_not_at_it() -> None:
    """Of decimals the nearest on each side counts up to the last digit with which the question's bounds are written."""
    found = bicycle(patient(tyre_bar="2.3", bike_age="9"))
    near = {item.aim.side: (item.covered, item.nearest) for item in found.items if item.aim.part.startswith("tyre_")}
    assert near["below 2.5"] == (False, "2.3 (0.2 away)")
    assert near["above 1"] == (False, "2.3 (1.3 away)")
    told = next(item.missed for item in found.items if item.aim.side == "below 2.5")
    assert told == (
        "no case has `tyre_bar` below 2.5 by at most 0.1, with which `tyre_bar: {below: 2.5}` holds; "
        "the nearest is 2.3 (0.2 away)"
    )


@pytest.mark.parametrize(
    ("written", "sides"),
    [
        ("{bike_age: 12}", ["11", "12", "13"]),
        ("{bike_age: {in: [12, 13]}}", ["11", "12", "13", "14"]),
        ("{bike_age: {at_least: 12}}", ["11", "12"]),
        ("{bike_age: {at_most: 12}}", ["12", "13"]),
        ("{bike_age: {below: 12}}", ["11", "12"]),
        ("{bike_age: {at_least: 0}}", ["0"]),  # no answer is below it
        ("{bike_age: 80}", ["79", "80"]),
    ],
)
def test_the_sides_of_a_threshold(written: str, sides: list[str]) -> None:
    found = bicycle(changes=(("ruleset.yaml", "{bike_age: {above: 10}}", written),))
    thresholds = [item.aim for item in found.items if item.aim.kind is Kind.THRESHOLDS]
    assert [aim.side for aim in thresholds if aim.owner.id == "neglected"] == sides


PR1, ADV1, COMFORT = "{rule: S01}, then: pilates, when_unknown: skips", "{noise: click}}", "{bike_age: {at_least: 1}}}"
COUNT = "{count: {at_least: 2, of: [{noise: {in: [click, grind]}}, {finding: neglected}, {loose_parts: light}]}}"
EITHER = "{any: [{brakes_fail: yes}, {years_owned: 3}]}"


@pytest.mark.parametrize(
    ("owner", "old", "new", "decides"),
    [
        ("PR1", PR1, f"{EITHER}, then: pilates, when_unknown: skips", True),
        ("PR1", PR1, f"{EITHER}, then: pilates, when_unknown: applies", False),  # unknown would do as well
        ("ADV-001", ADV1, f"{EITHER}}}", False),  # and so hides a text
        ("comfort", COMFORT, f"{EITHER}}}", False),  # and leaves a question to be asked
        ("S01", COUNT, EITHER, True),
    ],
)  # fmt: skip
def test_what_unknown_does_counts(owner: str, old: str, new: str, decides: bool) -> None:
    """Whether one sign decides beside another that is not known depends on what unknown does to the whole."""
    changes = [("ruleset.yaml", old, new)]
    if owner == "comfort":  # the group's own gate may not read what stands in a group
        changes.append(
            ("ruleset.yaml", "brakes_fail: {type: yes_no, group: safety, core: true}", "brakes_fail: {type: yes_no}")
        )
    found = bicycle(patient(brakes_fail="yes", years_owned="unknown"), changes=tuple(changes))
    assert ((owner, "brakes_fail: yes", "true") in of(found, Kind.BRANCHES)) is decides


def test_words_tell_which_way_a_member_decides() -> None:
    told = {item.missed for item in bicycle().items}
    assert "no case has a patient in whom `E01` holds only because of `brakes_fail: yes`" in told
    assert "no case has a patient in whom `S02` holds, and would not without `noise: grind`" in told
    assert "no case has a patient in whom `S02` does not hold, and would with `noise: grind`" in told
    assert "no case has a patient in whom `S02` holds, and would not with `rides_better: yes`" in told
    assert "no case has a patient in whom `S02` does not hold, and would without `rides_better: yes`" in told
    assert "no case has a patient in whom the `hide_when` of `ADV-001` holds" in told


def test_the_most_urgent_comes_first() -> None:
    urgencies = [owner.disposition or 0 for owner, _ in bicycle().missed()]
    assert urgencies == sorted(urgencies, reverse=True)
    owners = [owner for owner, _ in bicycle().missed()]
    assert len(set(owners)) == len(owners)
    assert {owner.title for owner in owners} >= {
        "finding soft_tyre (physio)",
        "rule S02 (same_day_gp)",
        "group comfort",
    }


def test_a_case_that_cannot_be_evaluated_shows_nothing_and_is_named() -> None:
    """So it is with every contradiction: a case expects a decision, and there is none."""
    refused = patient("CLASH", bike_age="3", years_owned="4")
    found = bicycle(*OWN, refused)
    assert [(each.case, "contradict" in each.why) for each in found.left_out] == [("CLASH", True)]
    assert found.items == bicycle(*OWN).items
    assert [each.id for each in found.refusals] == ["owned_before_built", "owned_long_before_built"]


def test_a_share_of_nothing_is_enough_and_99_is_not_100() -> None:
    assert reaches((0, 0), Decimal(100))
    assert reaches((99, 100), Decimal(99))
    assert not reaches((998, 1000), Decimal("99.9"))


@pytest.mark.slow
def test_low_back_pain_is_measured() -> None:
    folder = ROOT / "rulesets" / "low_back_pain"
    checked = load(folder)
    found = coverage(checked, load_cases(folder, checked))
    assert found.left_out == ()
    assert all(0 < row.covered <= row.total for row in found.summary())
    assert reaches(found.total(), Decimal(80))


def test_members_make_up_a_whole_as_they_do_in_the_evaluator() -> None:
    """On random conditions: the same outcomes, and those decide that decide when each is turned around in the tree."""
    rng = random.Random(20_261_122)
    compared = found = 0
    for _ in range(25):
        content = ruleset_content(rng)
        evaluator = Evaluator(load_content(content))
        measured = [*conditions(evaluator.checked.ruleset)]
        for _ in range(4):
            answers = evaluator.read(as_given(answer_texts(rng, content["questions"])))
            reading = evaluator.evaluate(answers).reading
            for each in measured:
                expected = {}
                for path, part in nodes(each.condition):
                    own = reading.outcomes(part)
                    if members(part):
                        assert combine(part, [reading.outcomes(member) for member in members(part)]) == own
                        compared += 1
                    turned = {TRUE: (FALSE,), FALSE: (TRUE,), UNKNOWN: (TRUE, FALSE)}.get(own, ())
                    effects = [accepted(reading, each.condition, path, new, each.accept) for new in turned]
                    if any(
                        effect is not accepted(reading, each.condition, path, own, each.accept) for effect in effects
                    ):
                        expected[path] = own
                assert dict(deciding(reading, each.condition, each.accept)) == expected
                found += len(expected)
        evaluator.close()
    assert compared > 1000 and found > 1000


def nodes(condition: Condition, path: tuple[int, ...] = ()) -> list[tuple[tuple[int, ...], Condition]]:
    below = [each for number, part in enumerate(members(condition)) for each in nodes(part, (*path, number))]
    return [(path, condition), *below]


def accepted(reading: Reading, condition: Condition, path: tuple[int, ...], outcome: int, accept: int) -> bool:
    """Whether the whole takes effect when the member at `path` has this outcome: worked out from the top down."""

    def value(part: Condition, rest: tuple[int, ...] | None) -> int:
        if rest == ():
            return outcome
        if not members(part):
            return reading.outcomes(part)
        below = [
            value(each, rest[1:] if rest and rest[0] == number else None) for number, each in enumerate(members(part))
        ]
        return combine(part, below)

    return not value(condition, path) & ~accept
