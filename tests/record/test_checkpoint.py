"""Checkpoints are durable lines that only the holder of the key can make, and half a line is none."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.record import checkpoint
from engine.record.checkpoint import Checkpoint, Checkpointer, Unreadable, append, read_line, sign, snapshot
from engine.record.entry import Receipt
from engine.rules import ed25519

SECRET = b"s" * 32
PUBLIC = ed25519.public_of(SECRET)
MOMENT = datetime(2026, 11, 22, 9, 30, 0, 120000, tzinfo=UTC)


def at(sequence: int, writer: str = "w1") -> Checkpoint:
    return sign(Receipt(writer, sequence, f"{sequence:064x}"), MOMENT, SECRET)


def sequences(path: Path) -> list[int | None]:
    return [each.sequence if isinstance(each, Checkpoint) else None for each in snapshot(path)()]


def test_only_the_key_makes_it() -> None:
    made = at(7)
    assert made.signed_by(PUBLIC)
    assert not made.signed_by(ed25519.public_of(b"t" * 32))
    changes = {"writer": "w2", "sequence": 8, "hash": "0" * 64, "time": "2026-11-22T09:30:00.121Z", "signature": "AAAA"}
    for name, value in {**changes, "key": ed25519.key_id(ed25519.public_of(b"t" * 32))}.items():
        changed: dict[str, object] = {name: value}
        assert not replace(made, **changed).signed_by(PUBLIC), name  # type: ignore[arg-type]  # all of one type each


def test_a_line_reads_as_it_was_written() -> None:
    made = at(7)
    assert read_line(made.line()) == made
    assert made.time == "2026-11-22T09:30:00.120Z"
    for line in (
        b"\n",
        b"[]\n",
        b"{}\n",
        b'{"writer":"w1"}\n',
        made.line()[:-1],
        made.line().replace(b":7,", b':"7",'),
        made.line().replace(b":7,", b":true,"),
        made.line().replace(b":7,", b": 7,"),
        made.line().replace(b'"w1"', b'"\\ud800"'),
        b"\xff" + made.line(),
        b"[" * 60_000,
    ):
        assert read_line(line) is None, line[:80]


def test_lines_are_added_and_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.jsonl"
    assert sequences(path) == []
    append(path, at(1))
    before = snapshot(path)
    append(path, at(2))
    assert sequences(path) == [1, 2]
    assert list(before()) == [at(1)]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_a_loss_of_power_left_half_written_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.jsonl"
    append(path, at(1))
    with path.open("ab") as file:
        file.write(at(2).line()[:40])
    assert sequences(path) == [1]
    append(path, at(3))
    assert sequences(path) == [1, 3]
    path.write_bytes(b"x" * 200_000)  # and where there is no whole line at all
    assert sequences(path) == []
    append(path, at(4))
    assert sequences(path) == [4]


def test_lines_that_are_none_are_told_by_number(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.jsonl"
    long = b"x" * 200_000 + b"\n"
    path.write_bytes(at(1).line() + b"nonsense\n" + long + at(2).line() + long)
    assert list(snapshot(path)()) == [at(1), Unreadable(2), Unreadable(3), at(2), Unreadable(5)]


def _append_many(path: Path, writer: str) -> None:
    for sequence in range(1, 41):
        append(path, at(sequence, writer))


def test_processes_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.jsonl"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_append_many, args=(path, f"w{number}")) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    found: dict[str, list[int]] = {}
    for each in snapshot(path)():
        assert isinstance(each, Checkpoint)
        found.setdefault(each.writer, []).append(each.sequence)
    assert found == {f"w{number}": list(range(1, 41)) for number in range(4)}


def test_what_fails_adds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "checkpoints.jsonl"
    append(path, at(1))

    def full(_: int) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space"):
            append(path, at(2))
    assert sequences(path) == [1]
    append(path, at(3))
    assert sequences(path) == [1, 3]


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(checkpoint, "time", made)
    return made


def test_it_is_due_after_entries_and_after_time(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "checkpoints.jsonl"
    due = Checkpointer(path, SECRET, every_entries=10, every_seconds=60)
    assert due.waits() is None
    due.add()
    assert sequences(path) == []  # there is nothing to point at
    due.saw(Receipt("w1", 9, "a" * 64), 9)
    assert due.waits() == 60
    due.saw(Receipt("w1", 10, "b" * 64), 1)
    assert due.waits() == 0
    due.add_if_due()
    assert (due.waits(), sequences(path)) == (None, [10])
    due.saw(Receipt("w1", 11, "c" * 64), 1)
    clock.now += 59
    due.saw(Receipt("w1", 12, "d" * 64), 1)
    due.add_if_due()
    assert (due.waits(), sequences(path)) == (1, [10])
    clock.now += 1
    due.add_if_due()
    assert (due.waits(), sequences(path)) == (None, [10, 12])
    due.saw(Receipt("w1", 13, "e" * 64), 1)
    due.add()
    due.add()
    assert sequences(path) == [10, 12, 13]


def test_a_full_disk_is_tried_again_later(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "folder" / "checkpoints.jsonl"
    due = Checkpointer(path, SECRET, every_entries=10, every_seconds=60)
    due.saw(Receipt("w1", 10, "a" * 64), 10)
    due.add_if_due()
    assert (due.failures, due.waits()) == (1, 60)
    due.saw(Receipt("w1", 20, "b" * 64), 10)
    assert due.waits() == 60  # not with every batch
    path.parent.mkdir()
    clock.now += 60
    due.add_if_due()
    assert (due.failures, due.waits(), sequences(path)) == (0, None, [20])
