"""A whole log in one file, and a log out of that: for both kinds of database the same, from either into either.

The file is gzipped JSON Lines: first its format, then checkpoints, the entries of each writer in order, the keys of
subjects as they are stored, rulesets, and last how many of each, so that a file that is cut off is known as such. The
key file is not in it. Written and read line by line.
"""

from __future__ import annotations

import gzip
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from engine.errors import LogRefused
from engine.record import checkpoint
from engine.record.checkpoint import Checkpoint
from engine.record.entry import Entry
from engine.record.sealing import WrappedKey
from engine.record.store import Batch, Store
from engine.rules.canonical import canonical_json

FORMAT = "pluis log backup, version 1"
CHUNK = 500
"""Entries that are restored in one transaction."""
PARTS = ("checkpoint", "entry", "key", "ruleset")
Progress: TypeAlias = Callable[[int], None]
Line: TypeAlias = tuple[str, Any]
Part = TypeVar("Part")


class BackupUnreadable(LogRefused):
    """A file is no backup, or not a whole one."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"`{file}` cannot be restored: {why}")


@dataclass(frozen=True, slots=True)
class Counts:
    """How much of each part a backup holds."""

    checkpoints: int
    entries: int
    keys: int
    rulesets: int


def backup(store: Store, checkpoints: Path, file: Path, progress: Progress = lambda entries: None) -> Counts:
    """Writes a log to a new file, for its owner alone, durably; while it is written to, as far as it reached at first.

    LogRefused where there is a file of that name. The file appears under its name only when it is whole.
    """
    if file.exists():
        raise LogRefused(f"there is a file `{file}` already")
    beside = file.with_name(f".{file.name}.part")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as raw:
            with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as out:
                counts = _write(_lines(store, checkpoints), out, progress)
            raw.flush()
            os.fsync(raw.fileno())
        beside.rename(file)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return counts


def _lines(store: Store, checkpoints: Path) -> Iterator[Line]:
    """Checkpoints before the entries that they are about, keys after those that need them."""
    for each in checkpoint.snapshot(checkpoints)():
        if isinstance(each, Checkpoint):
            yield "checkpoint", each.line().decode()
    ends = [each for each in map(store.last, store.writers()) if each is not None]
    for end in ends:
        for entry in store.entries(end.writer):
            yield "entry", _said(entry)
            if entry.sequence >= end.sequence:
                break
    for end in ends:
        for key in store.keys(end.writer):
            yield "key", [end.writer, key.id, key.subject, key.master, _text(key.wrapped)]
    for digest in store.rulesets():
        yield "ruleset", [digest, (store.ruleset(digest) or b"").decode()]


def _write(lines: Iterable[Line], out: gzip.GzipFile, progress: Progress) -> Counts:
    found = dict.fromkeys(PARTS, 0)
    out.write(canonical_json({"format": FORMAT}) + b"\n")
    for part, said in lines:
        out.write(canonical_json({part: said}) + b"\n")
        found[part] += 1
        if part == "entry":
            progress(found[part])
    out.write(canonical_json({"end": list(found.values())}) + b"\n")
    return Counts(*found.values())


class Backup:
    """A file that `backup` wrote. Each method reads it anew, and raises BackupUnreadable where it is not whole."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def chains(self) -> Iterator[tuple[str, Iterator[Entry]]]:
        """The entries of each writer, to be taken in this order."""
        entries = (_entry(said) for part, said in self._lines() if part == "entry")
        return groupby(entries, key=lambda entry: entry.writer)

    def checkpoints(self) -> Iterator[Checkpoint]:
        """The checkpoints, in the order of their file."""
        for part, said in self._lines():
            if part == "checkpoint":
                found = checkpoint.read_line(said.encode())
                if found is None:
                    raise BackupUnreadable(self.file, "a checkpoint in it is none")
                yield found

    def restore(self, store: Store, checkpoints: Path, progress: Progress = lambda entries: None) -> Counts:
        """Puts all of it into an empty log; LogRefused where there is anything yet."""
        if store.writers() or checkpoints.exists():
            raise LogRefused("a backup is restored into an empty place, and there is a log already")
        counts = self._check()
        written = 0
        for writer, entries in self.chains():
            with store.claim(writer) as claim:
                for chunk in _chunks(entries):
                    claim.append(Batch(chunk))
                    written += len(chunk)
                    progress(written)
                for keys in _chunks(self._keys(writer)):
                    claim.append(Batch((), keys))
                for digest, content in self._rulesets():
                    claim.append(Batch((), rulesets={digest: content}))
        for each in self.checkpoints():
            checkpoint.append(checkpoints, each)
        return counts

    def _check(self) -> Counts:
        """Reads it to its end."""
        found = dict.fromkeys(PARTS, 0)
        for part, _ in self._lines():
            found[part] += 1
        return Counts(*found.values())

    def _keys(self, writer: str) -> Iterator[WrappedKey]:
        for part, said in self._lines():
            if part == "key" and said[0] == writer:
                yield WrappedKey(said[1], said[2], said[3], b64decode(said[4]))

    def _rulesets(self) -> Iterator[tuple[str, bytes]]:
        for part, said in self._lines():
            if part == "ruleset":
                yield said[0], said[1].encode()

    def _lines(self) -> Iterator[Line]:
        found = dict.fromkeys(PARTS, 0)
        try:
            with gzip.open(self.file, "rb") as opened:
                if json.loads(opened.readline() or "null") != {"format": FORMAT}:
                    raise BackupUnreadable(self.file, "it is no backup of a log, or of a newer version")
                for line in opened:
                    ((part, said),) = json.loads(line).items()
                    if part == "end":
                        if said == list(found.values()):
                            return
                        break
                    found[part] += 1
                    yield part, said
        except (EOFError, ValueError, KeyError, AttributeError, TypeError, gzip.BadGzipFile):
            pass
        raise BackupUnreadable(self.file, "it is not whole")


def _said(entry: Entry) -> list[Any]:
    body, payload = _text(entry.body), _text(entry.payload)
    return [entry.writer, entry.sequence, body, payload, entry.previous, entry.hash, entry.mac]


def _entry(said: list[Any]) -> Entry:
    writer, sequence, body, payload, previous, digest, mac = said
    return Entry(writer, sequence, b64decode(body), b64decode(payload), previous, digest, mac)


def _text(content: bytes) -> str:
    return b64encode(content).decode()


def _chunks(parts: Iterable[Part]) -> Iterator[tuple[Part, ...]]:
    rest = iter(parts)
    while chunk := tuple(islice(rest, CHUNK)):
        yield chunk
