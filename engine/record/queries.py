"""Questions to one database of a log: what is asked of it, row by row and page by page, and what its rows say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sql

from engine.record.databases import READING, telling
from engine.record.entry import Entry, EntryKind, Receipt
from engine.record.sealing import WrappedKey
from engine.record.tables import ENTRIES, RULESETS, SUBJECT_KEYS, filed_under, storable

PAGE = 200
"""Rows that are read, and ids that are asked for, at once: reading a log takes no more memory than that."""
CHAINED = tuple(ENTRIES.c[name] for name in ("writer", "sequence", "body", "payload", "previous", "hash", "mac"))
FILED = tuple(
    ENTRIES.c[name] for name in ("kind", "time", "decision_id", "caller", "request", "ruleset_id", "payload_key")
)
KEY = tuple(SUBJECT_KEYS.c[name] for name in ("id", "subject", "master", "wrapped"))


@dataclass(frozen=True, slots=True)
class Order:
    """In what order rows are streamed, by columns that together are one row's alone."""

    columns: tuple[sql.Column[Any], ...]
    newest_first: bool = False

    def place(self, row: sql.Row[Any]) -> tuple[Any, ...]:
        """Where a row stands in this order."""
        return tuple(row._mapping[column] for column in self.columns)

    def page(self, rows: sql.Select[Any], after: tuple[Any, ...] | None) -> sql.Select[Any]:
        """The next rows after a place."""
        if after is not None:
            key = sql.tuple_(*self.columns)
            rows = rows.where(key < after if self.newest_first else key > after)
        ordered = (column.desc() if self.newest_first else column.asc() for column in self.columns)
        return rows.order_by(*ordered).limit(PAGE)


OLDEST = Order((ENTRIES.c.sequence,))
NEWEST = Order((ENTRIES.c.time, ENTRIES.c.writer, ENTRIES.c.sequence), newest_first=True)
BY_ID = Order((SUBJECT_KEYS.c.id,))


def stream(engine: sql.Engine, rows: sql.Select[Any], order: Order) -> Iterator[sql.Row[Any]]:
    """Rows page by page: a read that lasted longer would keep SQLite from emptying its write-ahead log."""
    after: tuple[Any, ...] | None = None
    while True:
        with telling(READING), engine.connect() as connection:
            page = connection.execute(order.page(rows, after)).all()
        yield from page
        if len(page) < PAGE:
            return
        after = order.place(page[-1])


def last_of(connection: sql.Connection, writer: str) -> Receipt | None:
    """Where the chain of a writer ends."""
    end = sql.select(ENTRIES.c.writer, ENTRIES.c.sequence, ENTRIES.c.hash).where(ENTRIES.c.writer == storable(writer))
    row = connection.execute(end.order_by(ENTRIES.c.sequence.desc()).limit(1)).first()
    return None if row is None else Receipt(row.writer, row.sequence, row.hash)


def writers_of(connection: sql.Connection) -> list[str]:
    """From one writer to the next by the index: to look at every row would take long."""
    found: list[str] = []
    while True:
        following = sql.select(sql.func.min(ENTRIES.c.writer))
        writer = connection.scalar(following.where(ENTRIES.c.writer > found[-1]) if found else following)
        if writer is None:
            return found
        found.append(writer)


def insert_ruleset(connection: sql.Connection, digest: str, content: bytes) -> None:
    """Keeps the content of a ruleset; what is there already is left alone."""
    # Written out: both databases know these words, and SQLAlchemy has them for each alone.
    statement = sql.text(
        f"INSERT INTO {RULESETS.name} (digest, content) VALUES (:digest, :content) ON CONFLICT DO NOTHING"
    )
    connection.execute(statement, {"digest": digest, "content": content})


def purge_entries(connection: sql.Connection, writer: str, up_to: int) -> int:
    """Deletes a writer's entries up to a sequence, but not the last, and its keys that are not needed any more."""
    if connection.dialect.name == "postgresql":  # or a key could go that a new entry relies on at this moment
        connection.exec_driver_sql(f"LOCK TABLE {SUBJECT_KEYS.name} IN EXCLUSIVE MODE")
    last = last_of(connection, writer)
    if last is None:
        return 0
    up_to = min(up_to, last.sequence - 1)
    gone = connection.execute(ENTRIES.delete().where(ENTRIES.c.writer == writer, ENTRIES.c.sequence <= up_to))
    needed = sql.exists().where(ENTRIES.c.payload_key == SUBJECT_KEYS.c.id)
    connection.execute(SUBJECT_KEYS.delete().where(SUBJECT_KEYS.c.writer == writer, ~needed))
    return gone.rowcount


def of(kind: EntryKind, decision_id: str) -> tuple[sql.ColumnElement[bool], ...]:
    """The conditions for entries of a kind about a decision."""
    return ENTRIES.c.decision_id == storable(decision_id), ENTRIES.c.kind == kind.value


def entry_in(row: sql.Row[Any]) -> Entry:
    """The entry in a row of CHAINED."""
    return Entry(row.writer, row.sequence, row.body, row.payload, row.previous, row.hash, row.mac)


def key_in(row: sql.Row[Any]) -> WrappedKey:
    """The key in a row of KEY."""
    return WrappedKey(row.id, row.subject or "", row.master, bytes(row.wrapped))


def is_misfiled(row: sql.Row[Any]) -> bool:
    """Whether a row of CHAINED and FILED would be found by something else than its body says."""
    try:
        said = asdict(filed_under(entry_in(row)))
    except (ValueError, TypeError):  # somebody put another type into a column
        return True
    return any(getattr(row, name) != each for name, each in said.items())


def chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many at once as a statement may name."""
    return (ids[start : start + PAGE] for start in range(0, len(ids), PAGE))
