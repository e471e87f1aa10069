"""Questions to one database of a log: what is asked of it, row by row and page by page, and what its rows say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, count, islice
from operator import attrgetter
from typing import Any, TypeVar

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
_chained, _filed = (attrgetter(*(column.name for column in columns)) for columns in (CHAINED, FILED))
_T = TypeVar("_T")

# What is asked for every write is made once: to make a statement takes longer than to have it done.
_END = (
    sql.select(ENTRIES.c.writer, ENTRIES.c.sequence, ENTRIES.c.hash)
    .where(ENTRIES.c.writer == sql.bindparam("of"))
    .order_by(ENTRIES.c.sequence.desc())
    .limit(1)
)
_REQUESTS = sql.select(*CHAINED, ENTRIES.c.request).where(ENTRIES.c.request.in_(sql.bindparam("tags", expanding=True)))
_OWN_KEYS = sql.select(*KEY).where(
    SUBJECT_KEYS.c.subject.in_(sql.bindparam("subjects", expanding=True)),
    SUBJECT_KEYS.c.writer == sql.bindparam("of"),
)
# PostgreSQL: an erasure that runs meanwhile waits for this transaction. SQLite has one writer at a time.
_HELD_KEYS = (
    sql.select(SUBJECT_KEYS.c.id)
    .where(SUBJECT_KEYS.c.id.in_(sql.bindparam("ids", expanding=True)))
    .with_for_update(read=True)
)


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
    row = connection.execute(_END, {"of": storable(writer)}).first()
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


def requested(connection: sql.Connection, tags: Iterable[str]) -> list[sql.Row[Any]]:
    """The rows of CHAINED and `request` with these tags, as `request_tag` makes them."""
    found: list[sql.Row[Any]] = []
    for page in chunks(sorted(tags)):
        found += connection.execute(_REQUESTS, {"tags": page})
    return found


def own_keys(connection: sql.Connection, writer: str, subjects: Iterable[str]) -> list[WrappedKey]:
    """A writer's key rows of subjects, as `subject_lookup` makes them."""
    return [
        key_in(row)
        for page in chunks(sorted(subjects))
        for row in connection.execute(_OWN_KEYS, {"subjects": page, "of": writer})
    ]


def hold_keys(connection: sql.Connection, ids: Iterable[str]) -> int:
    """Keeps key rows until the transaction ends; how many of them are there."""
    return sum(len(connection.execute(_HELD_KEYS, {"ids": page}).all()) for page in chunks(sorted(ids)))


def insert_entries(connection: sql.Connection, entries: Sequence[Entry]) -> None:
    """Adds entries, with the columns by which they are found."""
    _insert(connection, (*CHAINED, *FILED), [(*_chained(entry), *_filed(filed_under(entry))) for entry in entries])


def insert_keys(connection: sql.Connection, writer: str, keys: Sequence[WrappedKey]) -> None:
    """Adds a writer's key rows."""
    rows = [(key.id, key.subject or None, key.master, key.wrapped, writer) for key in keys]
    _insert(connection, (*KEY, SUBJECT_KEYS.c.writer), rows)


def _insert(connection: sql.Connection, columns: Sequence[sql.Column[Any]], rows: Sequence[tuple[object, ...]]) -> None:
    """Many rows in one statement, which SQLAlchemy has done once for each row."""
    into = f"INSERT INTO {columns[0].table.name} ({', '.join(column.name for column in columns)}) VALUES "
    numbered = connection.dialect.paramstyle == "numeric_dollar"
    for page in chunks(rows):
        marks = (f"${number}" if numbered else "?" for number in count(1))
        places = (f"({', '.join(islice(marks, len(columns)))})" for _ in page)
        connection.exec_driver_sql(into + ", ".join(places), tuple(chain.from_iterable(page)))


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


def chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """As many at once as a statement may name."""
    return (items[start : start + PAGE] for start in range(0, len(items), PAGE))
