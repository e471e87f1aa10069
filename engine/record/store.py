"""Entries in a database: a folder with one SQLite file per writer, or one PostgreSQL database.

`open_store(where)` gives a Store, which reads what all writers wrote; `Store.claim(writer)` gives a Claim, the one way
to append, held by one process at a time. Errors are those of engine.errors: LogUnavailable (the world: try again),
LogRefused (no log here, a newer version), WriterTaken, RequestTaken. Their messages hold nothing of what was to be
written.

Nothing is kept in memory that another process may change, but connections. A Store may be shared by threads; a Claim is
used by one thread.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from engine.errors import LogRefused, LogUnavailable, RequestTaken
from engine.record.databases import READING, WRITING, Claimed, Databases, telling
from engine.record.entry import Entry, EntryKind, Receipt
from engine.record.postgres import PostgresServer
from engine.record.queries import (
    BY_ID,
    CHAINED,
    FILED,
    KEY,
    NEWEST,
    OLDEST,
    Order,
    entry_in,
    hold_keys,
    insert_entries,
    insert_keys,
    insert_ruleset,
    is_misfiled,
    key_in,
    last_of,
    of,
    own_keys,
    purge_entries,
    requested,
    stream,
    writers_of,
)
from engine.record.sealing import WrappedKey
from engine.record.sqlite import SqliteFolder
from engine.record.tables import ENTRIES, RULESETS, SUBJECT_KEYS, filed_under, request_tag, storable

_POSTGRES = re.compile(r"postgres(ql)?(\+psycopg)?://", re.IGNORECASE)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Batch:
    """What is appended in one transaction: all of it or nothing.

    `entries` follow each other and the last entry of the writer (after a purge, or in a copy, the first may have any
    sequence as long as the writer has none). `keys` are new rows, `relies_on` the ids of rows of this writer that must
    be there already (an erasure may have come between: then LogUnavailable, and the next try makes a new key),
    `rulesets` content by digest (canonical JSON of {file name: text}); one that is there already is left alone.
    """

    entries: tuple[Entry, ...]
    keys: tuple[WrappedKey, ...] = ()
    relies_on: frozenset[str] = frozenset()
    rulesets: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries are listed; what is left empty does not count. Times are as `timestamp` writes them.

    `since` is the first that counts, `until` the first that does not. `payload_keys`: only entries sealed with these.
    """

    kind: EntryKind | None = None
    since: str = ""
    until: str = ""
    ruleset_id: str = ""
    caller: str = ""
    payload_keys: frozenset[str] = frozenset()


class Claim:
    """A writer's chain, to be appended to; nobody else can while it is open. For one thread. A context manager."""

    def __init__(self, writer: str, claimed: Claimed) -> None:
        self.writer = writer
        self._claimed = claimed

    def last(self) -> Receipt | None:
        """Where the chain ends, read from the database; None when it is empty."""
        return self._within(READING, lambda connection: last_of(connection, self.writer))

    def append(self, batch: Batch) -> None:
        """Writes a batch durably, in one transaction. Any error means: not acknowledged, ask `last()` again.

        RequestTaken when the caller and request id of an entry are there already (PostgreSQL: by any writer). After an
        error the next call connects anew; no other call is needed. When the connection breaks while it commits, nobody
        knows whether the batch is there: then too the next `last()` tells.
        """
        self._within(WRITING, lambda connection: self._append(connection, batch))

    def keys(self, subjects: Iterable[str]) -> dict[str, WrappedKey]:
        """This writer's key rows of subjects (as `subject_lookup` makes them), those that have one; many at once."""
        found = self._within(READING, lambda connection: own_keys(connection, self.writer, subjects))
        return {key.subject: key for key in found}

    def close(self) -> None:
        """Lets go of the chain. May be called twice."""
        self._claimed.release()

    def __enter__(self) -> Claim:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _within(self, what: str, do: Callable[[sql.Connection], _T]) -> _T:
        """Does something in a transaction; after an error the connection is not used again."""
        try:
            with telling(what):
                connection = self._claimed.connection()
                with connection.begin():
                    return do(connection)
        except RequestTaken:
            raise
        except BaseException:
            self._claimed.drop()
            raise

    def _append(self, connection: sql.Connection, batch: Batch) -> None:
        _check_links(batch.entries, last_of(connection, self.writer), self.writer)
        if hold_keys(connection, batch.relies_on) < len(batch.relies_on):
            raise LogUnavailable("a data key was destroyed meanwhile: try again, with a new one")
        insert_keys(connection, self.writer, batch.keys)
        for digest, content in batch.rulesets.items():
            insert_ruleset(connection, digest, content)
        try:
            insert_entries(connection, batch.entries)
        except IntegrityError as fault:
            if _about_requests(fault):
                raise RequestTaken("a request with this id is in the log already") from None
            raise


class Store:
    """All that was recorded, by all writers. A context manager."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self.location = databases.location
        """Where it is, without a password: for people."""
        self.folder = databases.folder
        """The folder of an SQLite log; None for PostgreSQL."""

    def exists(self) -> bool:
        """Whether there is a log."""
        return self._databases.exists()

    def claim(self, writer: str) -> Claim:
        """The chain of a writer (1 to 64 of a-z, 0-9, - and _), to be appended to; WriterTaken when another has it."""
        return Claim(writer, self._databases.claimed(writer))

    def locked(self, requests: Iterable[tuple[str, str]]) -> AbstractContextManager[None]:
        """Keeps other workers from looking up or recording these (caller, request id) meanwhile.

        SQLite only: PostgreSQL has one index over all writers, and `append` raises RequestTaken.
        """
        return self._databases.locked(requests)

    def writers(self) -> tuple[str, ...]:
        """Every writer that has entries, sorted."""
        return tuple(sorted({writer for found in self._each(writers_of) for writer in found}))

    def last(self, writer: str) -> Receipt | None:
        """Where the chain of a writer ends."""
        found = [each for each in self._each(lambda connection: last_of(connection, writer)) if each is not None]
        return max(found, key=lambda receipt: receipt.sequence, default=None)

    def entry(self, writer: str, sequence: int) -> Entry | None:
        """One entry by its place."""
        found = self._find(ENTRIES.c.writer == storable(writer), ENTRIES.c.sequence == sequence)
        return found[0] if found else None

    def decision(self, decision_id: str) -> Entry | None:
        """The entry of a decision."""
        found = self._find(*of(EntryKind.DECISION, decision_id))
        return found[0] if found else None

    def about(self, decision_id: str) -> tuple[Entry, ...]:
        """The entries of feedback on a decision, oldest first."""
        found = self._find(*of(EntryKind.FEEDBACK, decision_id))
        return tuple(sorted(found, key=lambda entry: (filed_under(entry).time, entry.writer, entry.sequence)))

    def request(self, caller: str, request_id: str) -> Entry | None:
        """The decision that a request of a caller led to."""
        return self.requests([(caller, request_id)]).get((caller, request_id))

    def requests(self, requests: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Entry]:
        """The decisions that requests (caller, request id) led to, those that led to one; many at once."""
        return self._requested(requests, self._databases.reading)

    def requests_elsewhere(self, writer: str, requests: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Entry]:
        """The same, where the index that keeps a request unique is not that of a writer's own database.

        SQLite: in the files of all others. PostgreSQL: nowhere, and nothing is asked.
        """
        return self._requested(requests, lambda: self._databases.elsewhere(writer))

    def entries(self, writer: str, after: int = 0) -> Iterator[Entry]:
        """A writer's entries in order, those after a sequence only; streamed in pages, each its own short read."""
        rows = sql.select(*CHAINED).where(ENTRIES.c.writer == storable(writer), ENTRIES.c.sequence > after)
        return (entry_in(row) for row in self._merged(rows, OLDEST))

    def select(self, selection: Selection) -> Iterator[Entry]:
        """The entries that a selection names, newest first over all writers (by time, writer, sequence); streamed."""
        rows = sql.select(*CHAINED, ENTRIES.c.time).where(*_conditions(selection))
        return (entry_in(row) for row in self._merged(rows, NEWEST))

    def misfiled(self, writer: str) -> Iterator[int]:
        """The sequences of entries by whose columns something else would be found than their bodies say."""
        rows = sql.select(*CHAINED, *FILED).where(ENTRIES.c.writer == storable(writer))
        return (row.sequence for row in self._merged(rows, OLDEST) if is_misfiled(row))

    def key(self, id: str) -> WrappedKey | None:
        """The key row with this id, None when it was destroyed."""
        rows = sql.select(*KEY).where(SUBJECT_KEYS.c.id == storable(id))
        return next(map(key_in, self._rows(rows)), None)

    def keys_of(self, subject: str) -> tuple[WrappedKey, ...]:
        """The key rows of a subject (as `subject_lookup` makes it), of all writers."""
        rows = sql.select(*KEY).where(SUBJECT_KEYS.c.subject == storable(subject))
        return tuple(map(key_in, self._rows(rows)))

    def keys(self, writer: str) -> Iterator[WrappedKey]:
        """All key rows of a writer; streamed."""
        rows = sql.select(*KEY).where(SUBJECT_KEYS.c.writer == storable(writer))
        return (key_in(row) for row in self._merged(rows, BY_ID))

    def destroy_keys(self, subject: str) -> tuple[str, ...]:
        """Destroys all keys of a subject, also in the files' free pages; the ids of the rows that were there.

        Copies elsewhere (backups, a server's archive of its own log) still have them.
        """
        rows = SUBJECT_KEYS.delete().where(SUBJECT_KEYS.c.subject == storable(subject)).returning(SUBJECT_KEYS.c.id)
        found = self._alter(lambda connection: connection.scalars(rows).all())
        return tuple(sorted(id for ids in found for id in ids))

    def replace_keys(self, writer: str, keys: Iterable[WrappedKey]) -> None:
        """Puts rows (same ids, wrapped anew) in place of a writer's; one that was destroyed stays destroyed."""
        row = (
            SUBJECT_KEYS.update()
            .where(SUBJECT_KEYS.c.writer == storable(writer), SUBJECT_KEYS.c.id == sql.bindparam("row"))
            .values(master=sql.bindparam("new_master"), wrapped=sql.bindparam("new_wrapped"))
        )
        values = [{"row": key.id, "new_master": key.master, "new_wrapped": key.wrapped} for key in keys]
        if values:
            self._alter(lambda connection: connection.execute(row, values))

    def purge(self, writer: str, up_to: int) -> int:
        """Deletes a writer's entries up to a sequence and the keys that no entry needs any more; how many entries.

        The last entry stays, whatever is asked: the chain goes on from it.
        """
        return sum(self._alter(lambda connection: purge_entries(connection, storable(writer), up_to)))

    def ruleset(self, digest: str) -> bytes | None:
        """The content that was stored for a digest."""
        rows = sql.select(RULESETS.c.content).where(RULESETS.c.digest == storable(digest))
        return next((bytes(row.content) for row in self._rows(rows)), None)

    def rulesets(self) -> tuple[str, ...]:
        """The digests of all rulesets that are stored, sorted."""
        rows = sql.select(RULESETS.c.digest)
        return tuple(sorted({row.digest for row in self._rows(rows)}))

    def close(self) -> None:
        """Closes all connections; claims are closed by their owners."""
        self._databases.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _requested(
        self, requests: Iterable[tuple[str, str]], where: Callable[[], Iterable[sql.Engine]]
    ) -> dict[tuple[str, str], Entry]:
        wanted = {request_tag(*request): request for request in requests}
        rows = self._each(lambda connection: requested(connection, wanted), where)
        return {wanted[row.request]: entry_in(row) for found in reversed(rows) for row in found}

    def _each(
        self, do: Callable[[sql.Connection], _T], where: Callable[[], Iterable[sql.Engine]] | None = None
    ) -> list[_T]:
        """What something comes to in each database."""
        found = []
        for engine in (where or self._databases.reading)():
            with telling(READING), engine.connect() as connection:
                found.append(do(connection))
        return found

    def _rows(self, rows: sql.Select[Any]) -> list[sql.Row[Any]]:
        return [row for each in self._each(lambda connection: connection.execute(rows).all()) for row in each]

    def _find(self, *where: sql.ColumnElement[bool]) -> list[Entry]:
        return [entry_in(row) for row in self._rows(sql.select(*CHAINED).where(*where))]

    def _merged(self, rows: sql.Select[Any], order: Order) -> Iterator[sql.Row[Any]]:
        streams = [stream(engine, rows, order) for engine in self._databases.reading()]
        return heapq.merge(*streams, key=order.place, reverse=order.newest_first)

    def _alter(self, do: Callable[[sql.Connection], _T]) -> list[_T]:
        """What something comes to that changes each database, in a transaction of its own."""
        found = []
        with self._databases.altering() as engines:
            for engine in engines:
                with telling(WRITING), engine.begin() as connection:
                    found.append(do(connection))
        return found


def open_store(where: str | Path) -> Store:
    """The log in a folder or at a PostgreSQL URL; made when there is none, brought up to date when it is older.

    Nothing is touched before it is first used, so a server may start while its database is away.
    """
    text = str(where)
    if "://" not in text:
        return Store(SqliteFolder(Path(where)))
    if not _POSTGRES.match(text):
        raise LogRefused("a log is kept in a folder, or at the URL of a PostgreSQL database (postgresql://...)")
    return Store(PostgresServer(text))


def open_existing(where: str | Path) -> Store:
    """The same, but LogRefused when there is no log."""
    store = open_store(where)
    try:
        if not store.exists():
            raise LogRefused(f"there is no decision log at `{store.location}`")
    except BaseException:
        store.close()
        raise
    return store


def _conditions(selection: Selection) -> list[sql.ColumnElement[bool]]:
    columns = ENTRIES.c
    found = []
    if selection.kind is not None:
        found.append(columns.kind == selection.kind.value)
    if selection.since:
        found.append(columns.time >= storable(selection.since))
    if selection.until:
        found.append(columns.time < storable(selection.until))
    if selection.ruleset_id:
        found.append(columns.ruleset_id == storable(selection.ruleset_id))
    if selection.caller:
        found.append(columns.caller == storable(selection.caller))
    if selection.payload_keys:
        found.append(columns.payload_key.in_(sorted(map(storable, selection.payload_keys))))
    return found


def _check_links(entries: Sequence[Entry], last: Receipt | None, writer: str) -> None:
    for entry in entries:
        if entry.writer != writer:
            raise ValueError("an entry of another writer")
        if last is not None and (entry.sequence, entry.previous) != (last.sequence + 1, last.hash):
            raise LogUnavailable("the chain does not end where it is continued: read its end again")
        last = Receipt(writer, entry.sequence, entry.hash)


def _about_requests(fault: IntegrityError) -> bool:
    """Whether a request was there already; both databases name the column or what keeps it unique."""
    return any(name in str(fault.orig) for name in ("entries.request", "entries_request_key"))
