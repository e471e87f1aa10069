"""A log in one file and back: whole, also while it is written to, and never half."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from engine.errors import LogRefused
from engine.record.backup import Backup, Counts, backup
from engine.record.sealing import WrappedKey
from engine.record.store import Store
from engine.record.verify import Evidence, verify
from tests.record.decided import SUBJECT
from tests.record.world import World

OTHER = "c0ffee12-9bca-4def-8abc-d1e2f3a4b5c6"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.record("w1", SUBJECT, OTHER, "")
    made.record("w2", SUBJECT)
    return made


def keys(store: Store) -> dict[str, list[WrappedKey]]:
    return {writer: sorted(store.keys(writer), key=lambda key: key.id) for writer in store.writers()}


def restored(world: World, folder: Path) -> World:
    """An empty place, with the keys of another."""
    other = World(folder)
    other.keys, other.number, other.now = world.keys, world.number, world.now
    return other


def test_what_comes_back_is_what_was_there(world: World, tmp_path: Path) -> None:
    file, other = tmp_path / "backup", restored(world, tmp_path / "other")
    with world.open() as store:
        assert backup(store, world.place.checkpoints, file) == Counts(2, 4, 4, 1)
    with world.open() as here, other.open() as there:
        assert Backup(file).restore(there, other.place.checkpoints) == Counts(2, 4, 4, 1)
        assert there.writers() == here.writers() == ("w1", "w2")
        for writer in here.writers():
            assert [*there.entries(writer)] == [*here.entries(writer)]
        assert keys(there) == keys(here)
        assert there.rulesets() == here.rulesets()
        assert [there.ruleset(each) for each in there.rulesets()] == [here.ruleset(each) for each in here.rulesets()]
    assert other.place.checkpoints.read_bytes() == world.place.checkpoints.read_bytes()
    assert other.verify().whole
    # the chains, keys and requests go on from there
    other.record("w1", SUBJECT)
    assert other.verify().whole
    assert other.erase(SUBJECT) == 2


def test_a_backup_of_a_log_in_use_is_one_moment_of_it(world: World, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    written: list[int] = []

    def meanwhile(count: int) -> None:
        if not written:
            world.record("w1", "", "")
            world.record("w2", SUBJECT)
        written.append(count)

    with world.open() as store:
        backup(store, world.place.checkpoints, file, meanwhile)
    assert written == [1, 2, 3, 4]
    report = verify(Backup(file).chains(), Evidence(world.keys.mac, Backup(file).checkpoints))
    assert (report.whole, report.entries, report.checkpoints) == (True, 4, 2)


def test_a_backup_that_fails_leaves_nothing(world: World, tmp_path: Path) -> None:
    def fail(count: int) -> None:
        raise OSError("no space left")

    with world.open() as store, pytest.raises(OSError, match="no space"):
        backup(store, world.place.checkpoints, tmp_path / "backup", fail)
    assert not [*tmp_path.glob("*backup*"), *tmp_path.glob(".*backup*")]


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_a_file_that_is_not_whole_is_not_begun_with(world: World, tmp_path: Path, cut: int) -> None:
    file, other = tmp_path / "backup", restored(world, tmp_path / "other")
    with world.open() as store:
        backup(store, world.place.checkpoints, file)
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    file.write_bytes(gzip.compress(b"".join(lines[:-cut])))
    with other.open() as store:
        with pytest.raises(LogRefused, match="it is not whole"):
            Backup(file).restore(store, other.place.checkpoints)
        assert store.writers() == ()


def test_nothing_is_put_over_a_log(world: World, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    with world.open() as store:
        backup(store, world.place.checkpoints, file)
        with pytest.raises(LogRefused, match="empty place"):
            Backup(file).restore(store, tmp_path / "no checkpoints yet")
        with pytest.raises(LogRefused, match="already"):
            backup(store, world.place.checkpoints, file)
