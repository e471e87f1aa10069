"""Erasing and purging over the years: the log says itself what is not there any more, and verifies at every moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from engine.errors import LogRefused, LogUnavailable, WriterTaken
from engine.record import sqlite
from engine.record.checkpoint import Checkpoint, snapshot
from engine.record.reading import State
from engine.record.sealing import read_keys
from engine.record.upkeep import OPERATOR, Purged, moment_before, rotate, too_young
from engine.record.writer import DecisionLog
from tests.record.decided import SUBJECT
from tests.record.world import THEN, World

OTHER = "c0ffee12-9bca-4def-8abc-d1e2f3a4b5c6"


def years(number: float) -> timedelta:
    return timedelta(days=366 * number)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_erasing_destroys_what_every_worker_recorded_about_somebody(world: World) -> None:
    world.record("w1", SUBJECT, OTHER, "")
    world.record("w2", SUBJECT)
    assert world.erase(SUBJECT) == 2
    assert world.verify().whole
    assert world.states() == [State.EMPTY, State.ERASED, State.OPEN, State.OPEN, State.ERASED]
    last = [*snapshot(world.place.checkpoints)()][-1]  # nobody cuts the erasure off unseen
    assert isinstance(last, Checkpoint) and (last.writer, last.sequence) == (OPERATOR, 1)
    assert world.erase(SUBJECT) == 0
    # and the same person may come again
    world.record("w1", SUBJECT)
    assert world.states()[4] is State.OPEN
    assert world.erase(SUBJECT) == 1
    assert world.verify().whole


def test_an_erasure_that_fails_half_way_is_seen_and_can_be_done_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.record("w1", SUBJECT)

    def fail(*_: object) -> None:
        raise LogUnavailable("away")

    with world.open() as store:
        kind = type(store)
    monkeypatch.setattr(kind, "destroy_keys", fail)
    with pytest.raises(LogUnavailable):
        world.erase(SUBJECT)
    monkeypatch.undo()
    assert world.states() == [State.EMPTY, State.OPEN]
    assert world.erase(SUBJECT) == 1
    assert world.states() == [State.EMPTY, State.EMPTY, State.ERASED]
    assert world.verify().whole


def test_a_purge_goes_up_to_the_first_entry_that_is_younger(world: World) -> None:
    world.record("w1", "", "")
    world.now += years(3)
    world.record("w1", "", "")
    world.record("w2", "")
    world.now += years(3)
    assert world.purge("5y") == [Purged("w1", 2, 2)]
    report = world.verify()
    assert (report.whole, report.purged, report.entries) == (True, 2, 4)
    assert world.purge("5y") == []
    world.now += years(3)
    assert world.purge("5y") == [Purged("w1", 1, 3)]  # the end of a chain stays
    assert world.verify().whole


def test_what_was_purged_long_ago_is_announced_again_when_its_announcement_goes(world: World) -> None:
    world.record("w1", "", "", "")
    world.record("w2", "", SUBJECT)
    world.now += years(6)
    assert world.purge("5y") == [Purged("w1", 2, 2), Purged("w2", 1, 1)]
    world.erase(SUBJECT)
    world.now += years(6)
    assert world.purge("5y") == [Purged(OPERATOR, 2, 2)]
    report = world.verify()
    assert report.whole, report.faults
    assert report.purged == 5


def test_a_purge_that_fails_half_way_can_be_done_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.record("w1", "", "", "")
    world.now += years(6)

    def fail(*_: object) -> None:
        raise LogUnavailable("away")

    with world.open() as store:
        kind = type(store)
    monkeypatch.setattr(kind, "purge", fail)
    with pytest.raises(LogUnavailable):
        world.purge("5y")
    assert world.verify().whole
    monkeypatch.undo()
    assert world.purge("5y") == [Purged("w1", 2, 2)]
    assert world.verify().whole


def test_an_entry_that_is_missing_without_a_purge_is_noticed(world: World) -> None:
    """What a purge would do, without its announcement."""
    world.record("w1", "", "", "")
    with world.open() as store:
        store.purge("w1", 1)
    assert not world.verify().whole


@pytest.mark.parametrize("span", ["", "5", "y", "0y", "5 y", "-5y", "5m", "99999y", "5y5d", "\u0665y"])
def test_what_is_no_span_is_refused(span: str) -> None:
    with pytest.raises(LogRefused, match="such as `5y`"):
        moment_before(THEN, span)


def test_spans() -> None:
    cases: list[tuple[str, Callable[[datetime], datetime]]] = [
        ("4y", lambda now: now.replace(year=2016)),
        ("5y", lambda now: now.replace(year=2015, day=28)),
        ("2000d", lambda now: now - timedelta(days=2000)),
    ]
    for span, expected in cases:
        assert moment_before(THEN, span) == expected(THEN)
    with pytest.raises(LogRefused, match="nothing is as old as that"):
        moment_before(THEN, "2100y")
    assert not too_young(THEN, moment_before(THEN, "5y"))
    assert too_young(THEN, THEN - timedelta(days=1826)) and not too_young(THEN, THEN - timedelta(days=1827))
    assert too_young(THEN, moment_before(THEN, "4y")) and too_young(THEN, moment_before(THEN, "1800d"))


def test_keys_are_not_rotated_under_a_worker(world: World) -> None:
    world.record("w1", SUBJECT)
    before = world.place.keys.read_bytes()
    with (
        world.open() as theirs,
        DecisionLog(theirs, world.keys, world.place.checkpoints, ("w1",)),
        world.open() as ours,
        pytest.raises(WriterTaken),
    ):
        rotate(ours, world.place.keys)
    assert world.place.keys.read_bytes() == before
    with world.open() as store:
        assert rotate(store, world.place.keys) == 1
    world.keys = read_keys(world.place.keys)
    assert world.keys.current
    assert world.states() == [State.OPEN]


def test_an_erasure_that_fails_while_wiping_wipes_when_it_is_done_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are gone by then, and may still be readable in the files' free pages."""
    world.record("w1", SUBJECT)
    wiped: list[object] = []

    def wipe(path: object) -> None:
        if not wiped:
            wiped.append(None)
            raise LogUnavailable("busy")
        wiped.append(path)

    monkeypatch.setattr(sqlite, "_wipe", wipe)
    with pytest.raises(LogUnavailable):
        world.erase(SUBJECT)
    assert len(wiped) == 1
    assert world.erase(SUBJECT) == 0
    assert len(wiped) > 1
