"""Entries on a PostgreSQL server: one database for all writers, each chain under an advisory lock of its own.

The lock belongs to the connection that writes. A connection that breaks loses it; the next one must get it again before
it may write, so no process goes on with a chain that another has taken over. A pooler that shares connections between
clients (PgBouncer in its transaction mode) must not stand between.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from psycopg import RawCursor
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool

from engine.errors import LogRefused, LogUnavailable, WriterTaken
from engine.record.databases import LOGGED_AS, PATIENCE, Claimed, check_writer, telling
from engine.record.tables import MIGRATIONS, SUBJECT_KEYS, migrate, schema_version

CONNECTING: dict[str, str | int] = {
    "application_name": "pluis",
    "client_encoding": "utf8",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20000,
}
"""How a server is reached where the URL does not say otherwise: one that is gone is noticed within 20 seconds."""
ENDURING = ("on", "remote_apply")
"""Values of synchronous_commit with which what is committed has reached the disk, and that of a synchronous standby."""

GRACE = 2.0
"""Seconds to wait for a lock that this process itself had through a connection that broke."""


class PostgresServer:
    """The database at a URL. It need not be there yet: everything connects when it is first used."""

    def __init__(self, address: str) -> None:
        try:
            url = sql.make_url(address).set(drivername="postgresql+psycopg")
        except (ArgumentError, ValueError):  # their message quotes the URL, and so the password in it
            raise LogRefused("the URL of the log's database cannot be read") from None
        self.folder: Path | None = None
        self.location = url.render_as_string(hide_password=True)
        self._url = url
        self._reader = self._engine(QueuePool)
        self._ready = False
        self._guard = threading.Lock()

    def exists(self) -> bool:
        with telling("the log's database cannot be reached"), self._reader.connect() as connection:
            return schema_version(connection) > 0

    def reading(self) -> tuple[sql.Engine, ...]:
        self._prepare()
        return (self._reader,)

    def elsewhere(self, writer: str) -> tuple[sql.Engine, ...]:
        return ()  # one index covers all writers

    @contextmanager
    def altering(self) -> Iterator[tuple[sql.Engine, ...]]:
        self._prepare()
        yield (self._reader,)
        with telling("what was deleted may still be readable in the log's database: do it again"):
            whole = self._reader.execution_options(isolation_level="AUTOCOMMIT")
            with whole.connect() as connection:
                # Deleted rows lie in their pages until then. Servers warn where they may not: only owners can.
                connection.exec_driver_sql(f"VACUUM {SUBJECT_KEYS.name}")

    def claimed(self, writer: str) -> Claimed:
        self._prepare()
        claimed = _ClaimedChain(check_writer(writer), self._engine(NullPool))
        try:
            with telling("the log's database cannot be reached"):
                claimed.connection()
        except BaseException:
            claimed.release()
            raise
        return claimed

    @contextmanager
    def locked(self, requests: Iterable[tuple[str, str]]) -> Iterator[None]:
        """Nothing is held: one index covers all writers."""
        yield

    def close(self) -> None:
        self._reader.dispose()

    def _engine(self, pool: type[sql.Pool]) -> sql.Engine:
        said = {name: value for name, value in CONNECTING.items() if name not in self._url.query}
        # A connection that the server closed meanwhile (it was restarted) is found before it is used.
        engine = sql.create_engine(
            self._url,
            poolclass=pool,
            pool_pre_ping=True,
            # As the server numbers them: the driver need not look for their places in every statement.
            paramstyle="numeric_dollar",
            connect_args={**said, "cursor_factory": RawCursor},
            hide_parameters=True,
            logging_name=LOGGED_AS,
        )
        sql.event.listen(engine, "connect", _make_durable)
        return engine

    def _prepare(self) -> None:
        """Makes or updates the tables, once; of several processes at once one does it."""
        with self._guard:
            if self._ready:
                return
            with telling("the log's database cannot be reached"), self._reader.begin() as connection:
                if schema_version(connection) < len(MIGRATIONS):
                    number = _lock_number("migration")
                    connection.execute(sql.select(sql.func.pg_advisory_xact_lock(number)))
                    migrate(connection)
            self._ready = True


class _ClaimedChain:
    def __init__(self, writer: str, engine: sql.Engine) -> None:
        self._writer = writer
        self._engine = engine
        self._open: sql.Connection | None = None
        self._held = False

    def connection(self) -> sql.Connection:
        if self._open is None:
            opened = self._engine.connect()
            try:
                self._hold(opened)
            except BaseException:
                opened.close()
                raise
            self._open = opened
        return self._open

    def _hold(self, opened: sql.Connection) -> None:
        number = _lock_number(f"writer/{self._writer}")
        # The server may need a moment to see that the connection before this one is gone, and its lock with it.
        deadline = time.monotonic() + (GRACE if self._held else 0)
        while True:
            with opened.begin():  # the lock outlives the transaction: it is the connection's
                if opened.scalar(sql.select(sql.func.pg_try_advisory_lock(number))):
                    self._held = True
                    return
            if time.monotonic() > deadline:
                raise WriterTaken(f"another process writes the chain of `{self._writer}`")
            time.sleep(0.02)

    def drop(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            with suppress(SQLAlchemyError):
                opened.invalidate()
            with suppress(SQLAlchemyError):
                opened.close()

    def release(self) -> None:
        self.drop()
        self._engine.dispose()


def _make_durable(connection: Any, _: object) -> None:
    """Asks for commits that are on disk, and reads back that it gets them."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{PATIENCE}s'")
        if _setting(cursor, "synchronous_commit") not in ENDURING:
            cursor.execute("SET synchronous_commit = on")
        if _setting(cursor, "synchronous_commit") not in ENDURING or _setting(cursor, "fsync") != "on":
            raise LogUnavailable("the log's database does not keep what it commits: fsync or synchronous_commit is off")
    connection.commit()


def _setting(cursor: Any, name: str) -> str:
    return str(cursor.execute(f"SHOW {name}").fetchone()[0])


def _lock_number(what: str) -> int:
    """The number by which something is locked: 64 bits with a sign."""
    return int.from_bytes(hashlib.sha256(f"pluis/{what}".encode()).digest()[:8], "big", signed=True)
