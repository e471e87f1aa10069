"""Signed points of a chain, kept outside the database: whoever shortens or rewrites a log must forge these as well.

A checkpoint is one line of JSON in an append-only file, durable when `append` returns. Several processes may append to
one file. A copy of it that is kept elsewhere shows also the removal of its last lines.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine.record.entry import Receipt, timestamp
from engine.rules import ed25519
from engine.rules.canonical import canonical_json

PREFIX = b"pluis/checkpoint/v1\n"
"""What is signed begins with this, so that no other signature of the key can be passed off as a checkpoint."""
FILE = "checkpoints.jsonl"
EVERY_ENTRIES = 1000
EVERY_SECONDS = 60.0
_LONGEST = 1 << 16
"""Bytes of a line; a longer one is not a checkpoint and is read in pieces."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The holder of `key` saw this entry as the last one of its writer at `time`."""

    writer: str
    sequence: int
    hash: str
    time: str
    key: str
    signature: str

    def message(self) -> bytes:
        """The bytes that are signed."""
        return PREFIX + canonical_json(
            {"writer": self.writer, "sequence": self.sequence, "hash": self.hash, "time": self.time}
        )

    def line(self) -> bytes:
        """The checkpoint as it stands in the file."""
        said = {"writer": self.writer, "sequence": self.sequence, "hash": self.hash, "time": self.time}
        return canonical_json({**said, "key": self.key, "signature": self.signature}) + b"\n"

    def signed_by(self, public: bytes) -> bool:
        """Whether the owner of a public key signed it."""
        signature = ed25519.from_base64(self.signature, ed25519.SIGNATURE_SIZE)
        return (
            signature is not None
            and self.key == ed25519.key_id(public)
            and ed25519.verify(public, signature, self.message())
        )


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line of the file that is no checkpoint."""

    line: int


def sign(at: Receipt, moment: datetime, secret: bytes) -> Checkpoint:
    """The checkpoint of an entry."""
    key = ed25519.key_id(ed25519.public_of(secret))
    bare = Checkpoint(at.writer, at.sequence, at.hash, timestamp(moment), key, "")
    signature = ed25519.to_base64(ed25519.sign(secret, bare.message()))
    return Checkpoint(at.writer, at.sequence, at.hash, bare.time, key, signature)


def append(path: Path, checkpoint: Checkpoint) -> None:
    """Adds a checkpoint to the file; when this returns it is durable. Raises OSError, and then nothing was added."""
    new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        end = _end_of_lines(descriptor)
        data = checkpoint.line()
        try:
            if os.pwrite(descriptor, data, end) != len(data):
                raise OSError("the file of checkpoints takes no more")
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, end)
            raise
    finally:
        os.close(descriptor)
    if new:  # the name of a new file is durable only when its folder is
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _end_of_lines(descriptor: int) -> int:
    """Where the last whole line ends: what a loss of power left half written is written over."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - _LONGEST)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def snapshot(path: Path) -> Callable[[], Iterator[Checkpoint | Unreadable]]:
    """Reads, as often as it is called, what the file holds now: a log that is read later has what they are about."""
    size = path.stat().st_size if path.exists() else 0
    return lambda: read(path, size)


def read(path: Path, size: int) -> Iterator[Checkpoint | Unreadable]:
    """Every line in the first `size` bytes of the file, in order. A last line without end is not one yet."""
    if not size:
        return
    with path.open("rb") as file:
        number = 0
        while file.tell() < size and (piece := file.readline(_LONGEST)):
            number += 1
            if piece.endswith(b"\n"):
                yield read_line(piece) or Unreadable(number)
                continue
            while piece and not piece.endswith(b"\n"):  # to the end of a line that is too long
                piece = file.readline(_LONGEST)
            if piece:
                yield Unreadable(number)


def read_line(line: bytes) -> Checkpoint | None:
    """The checkpoint that a line says; None when it says none, or says it in another way than `line` writes it."""
    try:
        said = json.loads(line)
        found = Checkpoint(**said)
    except (ValueError, TypeError, RecursionError):
        return None
    texts = (found.writer, found.hash, found.time, found.key, found.signature)
    if type(found.sequence) is not int or not all(isinstance(text, str) for text in texts):
        return None
    try:
        return found if found.line() == line else None
    except ValueError:  # a text that has no bytes: half of a surrogate pair
        return None


class Checkpointer:
    """Decides when a checkpoint is due, for one writer, and adds it. For one thread."""

    def __init__(
        self, path: Path, secret: bytes, every_entries: int = EVERY_ENTRIES, every_seconds: float = EVERY_SECONDS
    ) -> None:
        self.path = path
        self._secret = secret
        self._every_entries = every_entries
        self._every_seconds = every_seconds
        self._last: Receipt | None = None  # the last entry, while no checkpoint has it
        self._entries = 0
        self._due = 0.0
        self.failures = 0
        """How often in a row a checkpoint could not be added."""

    def saw(self, last: Receipt, entries: int) -> None:
        """Entries became durable, of which this is the last."""
        if self._last is None:
            self._due = time.monotonic() + self._every_seconds
        self._last = last
        self._entries += entries
        if self._entries >= self._every_entries and not self.failures:
            self._due = 0.0

    def waits(self) -> float | None:
        """Seconds until a checkpoint is due, 0 when it is; None when every entry is covered."""
        return None if self._last is None else max(0.0, self._due - time.monotonic())

    def add_if_due(self) -> None:
        """Adds a checkpoint when it is time."""
        if self.waits() == 0:
            self.add()

    def add(self) -> None:
        """Adds a checkpoint of the last entry if it has none. Where the file takes none, a later call tries again."""
        if self._last is None:
            return
        try:
            append(self.path, sign(self._last, datetime.now(UTC), self._secret))
        except OSError:  # the entries are durable all the same; `failures` tells
            self.failures += 1
            self._due = time.monotonic() + self._every_seconds
            return
        self._last, self._entries, self.failures = None, 0, 0
