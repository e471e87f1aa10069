"""What somebody does to the files of a log with the tools of SQLite is found and named as well."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.record.checkpoint import snapshot
from engine.record.entry import Receipt
from engine.record.verify import Evidence, Fault, verify_store
from engine.rules import ed25519
from tests.record.crash import Ground, request

LENGTH = 6


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ground, list[Receipt]]:
    """A log of six decisions, and their receipts."""
    ground = Ground(tmp_path_factory.mktemp("original"), "")
    ground = Ground(ground.folder, str(ground.folder / "log"))
    with ground.open() as (_, log):
        return ground, [log.record(request(0, number)).receipt for number in range(LENGTH)]


@pytest.fixture
def copy(original: tuple[Ground, list[Receipt]], tmp_path: Path) -> Ground:
    folder = tmp_path / "copy"
    shutil.copytree(original[0].folder, folder)
    return Ground(folder, str(folder / "log"))


def tamper(ground: Ground, statements: str) -> None:
    with closing(sqlite3.connect(Path(ground.where) / "entries" / "w1.sqlite")) as connection:
        connection.executescript(f"PRAGMA foreign_keys = off; {statements}; PRAGMA wal_checkpoint(TRUNCATE)")


def found(ground: Ground, receipts: list[Receipt]) -> list[Fault]:
    keys = ground.keys()
    evidence = Evidence(keys.mac, snapshot(ground.checkpoints), (ed25519.public_of(keys.signing),), receipts)
    with ground.store() as store:
        return verify_store(store, evidence).faults


TABLE = {
    "UPDATE entries SET body = replace(body, 'front desk', 'back door') WHERE sequence = 3": {3},
    "UPDATE entries SET body = CAST(body AS TEXT) WHERE sequence = 3": {3},
    "UPDATE entries SET body = 7 WHERE sequence = 3": {3},
    "UPDATE entries SET payload = zeroblob(40) WHERE sequence = 3": {3},
    "UPDATE entries SET hash = x'ff' WHERE sequence = 3": {3},
    "UPDATE entries SET hash = CAST(x'ff' AS TEXT) WHERE sequence = 3": {1},
    "UPDATE entries SET mac = '' WHERE sequence = 3": {3},
    "UPDATE entries SET sequence = 'x' WHERE sequence = 3": {3},
    "UPDATE entries SET sequence = 99 WHERE sequence = 3": {3, 7, 99},
    "UPDATE entries SET sequence = -1 WHERE sequence = 3": {3},
    "DELETE FROM entries WHERE sequence = 3": {3},
    "DELETE FROM entries WHERE sequence > 3": {4, 5, 6},
    "DELETE FROM entries": {1, 2, 3, 4, 5, 6},
    "INSERT INTO entries SELECT writer, 7, kind, time, 'new', caller, 'new', ruleset_id, payload_key,"
    " body, payload, hash, hash, mac FROM entries WHERE sequence = 6": {7},
    "UPDATE entries SET caller = 'somebody' WHERE sequence = 3": {3},
    "UPDATE entries SET time = '2000-01-01T00:00:00.000Z' WHERE sequence = 3": {3},
    "UPDATE entries SET request = NULL WHERE sequence = 3": {3},
    "UPDATE entries SET writer = 'w2' WHERE sequence = 3": {3},
}


@pytest.mark.parametrize("statement", TABLE)
def test_a_changed_file_is_found_and_the_entry_named(
    statement: str, original: tuple[Ground, list[Receipt]], copy: Ground
) -> None:
    tamper(copy, statement)
    faults = found(copy, original[1])
    assert {fault.sequence for fault in faults} >= TABLE[statement], faults
    assert {fault.writer for fault in faults} <= {"w1", "w2"}


def test_an_untouched_file_is_whole(original: tuple[Ground, list[Receipt]], copy: Ground) -> None:
    tamper(copy, "VACUUM")
    assert found(copy, original[1]) == []
    assert found(original[0], original[1]) == []


def test_an_older_copy_in_its_place_is_found(original: tuple[Ground, list[Receipt]], copy: Ground) -> None:
    """The database alone is put back; the service goes on, and somebody still has the receipts of what was lost."""
    entries, older = Path(copy.where) / "entries", copy.folder / "older"
    tamper(copy, "VACUUM")
    shutil.copytree(entries, older)
    with copy.open() as (_, log):
        lost = log.record(request(1, 1)).receipt
    shutil.rmtree(entries)
    shutil.copytree(older, entries)
    assert {(fault.sequence, fault.kind.name) for fault in found(copy, [lost])} == {
        (7, "TRUNCATED"),
        (7, "RECEIPT_LOST"),
    }
    with copy.open() as (_, log):
        log.record(request(1, 2))
    kinds = {(fault.sequence, fault.kind.name) for fault in found(copy, [lost])}
    assert kinds == {(7, "CHECKPOINT_DIFFERS"), (7, "RECEIPT_DIFFERS")}
