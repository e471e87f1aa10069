"""What an operator does to a log: destroys what is kept of a person, and deletes what is old enough.

Both leave an entry, so that the log says itself what is not there any more, and verifies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from engine.errors import LogRefused
from engine.record import checkpoint
from engine.record.entry import BEGINNING, Entry, EntryKind, Receipt, chain, timestamp
from engine.record.reading import UnreadableEntry
from engine.record.sealing import Keys, add_master, read_keys, rewrap, subject_lookup, write_keys
from engine.record.store import Batch, Store
from engine.record.verify import Purge
from engine.rules.canonical import canonical_json

OPERATOR = "operator"
"""The chain of what operators do, apart from those of the workers, which stay theirs while they run."""
RETENTION_YEARS = 5
"""NEN 7513 wants the log of a care provider kept for at least as long."""
Progress: TypeAlias = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Upkeep:
    """A log, its keys, and the file of its checkpoints."""

    store: Store
    keys: Keys
    checkpoints: Path
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def record(self, *bodies: Mapping[str, object]) -> None:
        """Adds entries without payload to the chain of operators, durably and with a checkpoint of the last."""
        with self.store.claim(OPERATOR) as claim:
            last = claim.last() or Receipt(OPERATOR, 0, BEGINNING)
            entries: list[Entry] = []
            for body in bodies:
                content = canonical_json({**body, "time": timestamp(self.now())})
                entry = chain(OPERATOR, last.sequence + 1, content, b"", last.hash, self.keys.mac)
                last = Receipt(OPERATOR, entry.sequence, entry.hash)
                entries.append(entry)
            claim.append(Batch(tuple(entries)))
            checkpoint.append(self.checkpoints, checkpoint.sign(last, self.now(), self.keys.signing))


def erase(log: Upkeep, subject: str) -> int:
    """Destroys every key of a subject, so that nobody reads its answers again; how many there were.

    The entry names the keys that are gone. It is written first: an erasure that fails half-way is seen, and can be done
    again. Nothing is written where nothing is kept of the subject.
    """
    lookup = subject_lookup(log.keys, subject)
    announced: set[str] = set()
    while gone := {each.id for each in log.store.keys_of(lookup)} - announced:
        log.record({"kind": EntryKind.ERASURE.value, "payload_keys": sorted(gone)})
        announced |= gone
        log.store.destroy_keys(lookup)
    if (
        not announced
    ):  # an erasure before may have failed once the keys were gone, and left them in the files' free pages
        log.store.destroy_keys(lookup)
    return len(announced)


def rotate(store: Store, file: Path, progress: Progress = lambda entries: None) -> int:
    """Makes a new master key, current from now on, and wraps every data key with it; how many there were.

    The older master keys stay in the file: they open what is in older backups. WriterTaken while a worker runs: it
    would not know the new key.
    """
    with ExitStack() as claimed:
        writers = store.writers()
        for writer in writers:
            claimed.enter_context(store.claim(writer))
        keys = add_master(read_keys(file))
        write_keys(file, keys)
        done = 0
        for writer in writers:
            rows = [rewrap(keys, row) for row in store.keys(writer)]
            store.replace_keys(writer, rows)
            done += len(rows)
            progress(done)
        return done


@dataclass(frozen=True, slots=True)
class Purged:
    """What was deleted from a chain: its entries up to a sequence."""

    writer: str
    entries: int
    through: int


def purge(log: Upkeep, before: datetime, progress: Progress = lambda entries: None) -> Iterator[Purged]:
    """Deletes the entries that are older than a moment, up to the first of each chain that is not.

    Each chain keeps its last entry, whatever its age. All that is to go is announced before anything is deleted; where
    older announcements are among it, what was deleted by them is announced anew.
    """
    limit = timestamp(before)
    ends = {writer: _last_before(log.store, writer, limit, progress) for writer in log.store.writers()}
    announced = [Purge(writer, last.sequence, last.hash) for writer, last in ends.items() if last is not None]
    if ends.get(OPERATOR) is not None:
        announced += [gone for writer, last in ends.items() if last is None and (gone := _gone(log.store, writer))]
    if announced:
        log.record(*(each.clear() for each in announced))
    for writer, last in ends.items():
        if last is not None:
            yield Purged(writer, log.store.purge(writer, last.sequence), last.sequence)


def _last_before(store: Store, writer: str, limit: str, progress: Progress) -> Entry | None:
    """The last entry of the beginning of a chain in which all are older, without the last one of the chain."""
    found: Entry | None = None
    end = store.last(writer)
    for entry in store.entries(writer):
        if end is None or entry.sequence >= end.sequence or _time(entry) >= limit:
            break
        found = entry
        progress(entry.sequence)
    return found


def _gone(store: Store, writer: str) -> Purge | None:
    """What was deleted from a chain before."""
    first = next(store.entries(writer), None)
    return None if first is None or first.sequence == 1 else Purge(writer, first.sequence - 1, first.previous)


def _time(entry: Entry) -> str:
    try:
        return str(json.loads(entry.body)["time"])
    except (ValueError, TypeError, KeyError):
        raise UnreadableEntry(entry) from None


def moment_before(now: datetime, span: str) -> datetime:
    """The moment that lies a span such as `5y` or `2000d` before another; LogRefused where that is none.

    >>> moment_before(datetime(2028, 2, 29, tzinfo=UTC), "5y").isoformat()
    '2023-02-28T00:00:00+00:00'
    """
    read = re.fullmatch(r"([1-9][0-9]{0,3})([yd])", span)
    if read is None:
        raise LogRefused("how long ago is a number of years or days, such as `5y` or `2000d`")
    number = int(read[1])
    try:
        return now - timedelta(days=number) if read[2] == "d" else _years_before(now, number)
    except (ValueError, OverflowError):
        raise LogRefused("nothing is as old as that") from None


def _years_before(now: datetime, years: int) -> datetime:
    year = now.year - years
    try:
        return now.replace(year=year)
    except ValueError:  # a leap day; a year that there never was fails again
        return now.replace(year=year, day=28)


def too_young(now: datetime, before: datetime) -> bool:
    """Whether a purge would delete what has to be kept."""
    return before > _years_before(now, RETENTION_YEARS)
