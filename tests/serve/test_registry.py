"""Which versions are served, which are not and why, and that a reload changes all or nothing."""

from __future__ import annotations

import logging
import shutil
from datetime import date
from pathlib import Path

import pytest

from engine.rules.approval import Status
from engine.serve.registry import (
    NotEffective,
    NothingServed,
    Registry,
    UnknownLanguage,
    UnknownRuleset,
    UnknownVersion,
    precedence,
    read,
)
from tests.serve.conftest import changed

TODAY = date(2026, 12, 1)


def version(root: Path, folder: str, *changes: tuple[str, str]) -> None:
    """Puts a changed copy of the small ruleset beside it."""
    shutil.copytree(root / "small" / "1", root / "small" / folder)
    changed(root / "small" / folder, *changes)


def test_versions_stand_side_by_side_and_the_highest_in_effect_is_the_default(copied: Path) -> None:
    version(copied, "2", ("version: 1.0.0", "version: 1.10.0"))
    version(copied, "3", ("version: 1.0.0", "version: 1.9.0"))
    version(copied, "4", ("version: 1.0.0", "version: 2.0.0"), ("from: 2026-01-01", "from: 2027-01-01"))
    snapshot = Registry(copied).current()
    assert [served.version for served in snapshot] == ["2.0.0", "1.10.0", "1.9.0", "1.0.0"]
    assert snapshot.find("small", "", TODAY).version == "1.10.0"
    assert snapshot.find("small", "", date(2027, 1, 1)).version == "2.0.0"
    assert snapshot.deciding("small", "1.9.0", TODAY).version == "1.9.0"
    assert snapshot.find("small", "2.0.0", TODAY).version == "2.0.0"
    with pytest.raises(NotEffective, match="from 2027-01-01") as caught:
        snapshot.deciding("small", "2.0.0", TODAY)
    assert caught.value.available == ("1.10.0", "1.9.0", "1.0.0")


def test_the_period_starts_on_its_first_day_and_ends_before_its_last(copied: Path) -> None:
    served = Registry(copied).current().find("small", "1.0.0", TODAY)
    assert not served.effective(date(2025, 12, 31))
    assert served.effective(date(2026, 1, 1))
    assert served.effective(date(2029, 12, 31))
    assert not served.effective(date(2030, 1, 1))
    assert served.status(date(2029, 12, 31)) is Status.DRAFT
    assert served.status(date(2030, 1, 1)) is Status.RETIRED
    with pytest.raises(NotEffective):
        Registry(copied).current().find("small", "", date(2030, 1, 1))


def test_what_is_not_served_is_answered_with_what_is(copied: Path) -> None:
    snapshot = Registry(copied).current()
    with pytest.raises(UnknownRuleset) as ruleset:
        snapshot.find("large", "", TODAY)
    assert ruleset.value.available == ("small",)
    with pytest.raises(UnknownVersion) as unknown:
        snapshot.find("small", "9.9.9", TODAY)
    assert unknown.value.available == ("1.0.0",)
    served = snapshot.find("small", "", TODAY)
    assert served.language("") == "nl"
    assert served.language("en") == "en"
    with pytest.raises(UnknownLanguage) as language:
        served.language("de")
    assert language.value.available == ("nl", "en")


@pytest.mark.parametrize(
    ("file", "before", "after", "told"),
    [
        (
            "cases.yaml",
            "disposition: emergency",
            "disposition: physio",
            "case C1: disposition is emergency, expected physio",
        ),
        (
            "cases.yaml",
            "answers: {age: 40",
            "answers: {age: 40, onset: 41",
            "case C2: `onset` (41) and `age` (40) contradict",
        ),
        ("cases.yaml", "numb: yes", "numbness: yes", "unknown-question"),
        ("ruleset.yaml", "{numb: yes}", "{numbness: yes}", "unknown-question"),
        ("ruleset.yaml", "rules:", "rules: [", "ruleset.yaml"),
    ],
)
def test_a_broken_ruleset_is_not_served_and_stops_no_other(
    copied: Path, file: str, before: str, after: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    version(copied, "2", ("version: 1.0.0", "version: 2.0.0"))
    changed(copied / "small" / "2", (before, after), file=file)
    with caplog.at_level(logging.ERROR):
        snapshot = Registry(copied).current()
    assert [served.version for served in snapshot] == ["1.0.0"]
    (problem,) = snapshot.problems
    assert problem.source == "small/2"
    assert told in problem.message
    assert "small/2 is not served" in caplog.text


def test_a_ruleset_without_cases_is_not_served(copied: Path) -> None:
    """Nothing would have been checked at load, and silence is not a pass."""
    version(copied, "2", ("version: 1.0.0", "version: 2.0.0"))
    (copied / "small" / "2" / "cases.yaml").unlink()
    snapshot = read(copied, frozenset(), TODAY)
    assert [served.version for served in snapshot] == ["1.0.0"]
    assert "no cases" in snapshot.problems[0].message


def test_one_version_in_two_folders_is_served_once(copied: Path) -> None:
    shutil.copytree(copied / "small" / "1", copied / "small" / "2")
    snapshot = read(copied, frozenset(), TODAY)
    assert [served.source for served in snapshot] == ["small/1"]
    assert "another folder" in snapshot.problems[0].message


def test_nothing_to_serve_is_an_error(copied: Path, tmp_path: Path) -> None:
    changed(copied / "small" / "1", ("{numb: yes}", "{numbness: yes}"))
    with pytest.raises(NothingServed, match="unknown-question"):
        Registry(copied)
    with pytest.raises(NothingServed, match="no ruleset below"):
        Registry(tmp_path / "nowhere")


def test_a_reload_swaps_everything_or_nothing(copied: Path) -> None:
    registry = Registry(copied)
    before = registry.current()
    version(copied, "2", ("version: 1.0.0", "version: 2.0.0"), ("{numb: yes}", "{numbness: yes}"))
    assert [problem.source for problem in registry.reload()] == ["small/2"]
    assert registry.current() is before
    changed(copied / "small" / "2", ("{numbness: yes}", "{numb: yes}"))
    assert registry.reload() == ()
    assert [served.version for served in registry.current()] == ["2.0.0", "1.0.0"]
    shutil.rmtree(copied / "small")
    assert [problem.message for problem in registry.reload()] == ["there is no ruleset left"]
    assert [served.version for served in registry.current()] == ["2.0.0", "1.0.0"]


def test_an_old_snapshot_still_decides_after_a_reload(copied: Path) -> None:
    registry = Registry(copied)
    before = registry.current().find("small", "", TODAY)
    assert registry.reload() == ()
    assert registry.current().find("small", "", TODAY) is not before
    outcome = before.evaluator.evaluate(before.evaluator.read({})).outcome
    assert not outcome.settled


def test_versions_are_ordered_as_semantic_versions_are() -> None:
    ordered = [
        "0.9.0",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0",
        "1.2.0",
    ]
    assert sorted([*ordered[4:], *ordered[:4]], key=precedence) == ordered
