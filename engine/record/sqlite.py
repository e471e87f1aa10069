"""Entries in a folder: one SQLite file per writer, durable at every commit, and read by everybody.

Two writers of one file would starve each other, so each has its own, and a lock says whose it is.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote

import sqlalchemy as sql
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool

from engine.errors import LogUnavailable, WriterTaken
from engine.record.databases import LOGGED_AS, PATIENCE, Claimed, check_writer, telling
from engine.record.tables import MIGRATIONS, migrate, request_tag, schema_version

PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1}
"""How a file is written, and must say that it is: synchronous FULL is 2, and what is deleted is overwritten."""
_OFFSETS = 1 << 40
_FLOCK = "hhqqi4x"
"""struct flock of Linux with 64-bit offsets: type, whence, start, length, process."""


class SqliteFolder:
    """`entries/<writer>.sqlite`, each written by the process that locks `locks/<writer>.lock`."""

    def __init__(self, folder: Path) -> None:
        self.folder: Path | None = folder
        self.location = str(folder)
        self._entries = folder / "entries"
        self._locks = folder / "locks"
        self._engines: dict[Path, sql.Engine] = {}
        self._guard = threading.Lock()

    def exists(self) -> bool:
        return self._entries.is_dir()

    def reading(self) -> tuple[sql.Engine, ...]:
        return self._readers(self._files())

    def elsewhere(self, writer: str) -> tuple[sql.Engine, ...]:
        return self._readers([path for path in self._files() if path.stem != writer])

    @contextmanager
    def altering(self) -> Iterator[tuple[sql.Engine, ...]]:
        self.reading()  # brings all files up to date
        files = self._files()
        yield tuple(sqlite_writer(path) for path in files)
        with telling("what was deleted may still be readable in the log's files: do it again"):
            for path in files:
                _wipe(path)

    def claimed(self, writer: str) -> Claimed:
        path = self._entries / f"{check_writer(writer)}.sqlite"
        with telling("the log cannot be opened"):
            lock = self._lock(writer)
            try:
                _make_private(path)
                claimed = _ClaimedFile(path, lock)
                with claimed.connection().begin():
                    migrate(claimed.connection())
            except BaseException:
                lock.close()
                raise
            return claimed

    @contextmanager
    def locked(self, requests: Iterable[tuple[str, str]]) -> Iterator[None]:
        """Ranges of one file, each as long as a byte: as many locks as there are requests, and no file for each."""
        offsets = sorted({int(request_tag(*request), 16) % _OFFSETS for request in requests})  # in order: no deadlock
        if not offsets:
            yield
            return
        with telling("the log cannot be locked"):
            _make_folder(self._locks)
            opened = (self._locks / "requests").open("ab")
        with opened:  # closing it lets go of all
            with telling("the log cannot be locked"):
                for offset in offsets:
                    _hold(opened, offset)
            yield

    def close(self) -> None:
        with self._guard:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()

    def _readers(self, paths: Iterable[Path]) -> tuple[sql.Engine, ...]:
        with telling("the log cannot be read"):
            found = [self._reader(path) for path in paths]
        return tuple(engine for engine in found if engine is not None)

    def _files(self) -> list[Path]:
        return sorted(self._entries.glob("*.sqlite"))

    def _reader(self, path: Path) -> sql.Engine | None:
        """An engine that reads a file; None where its writer was stopped before it made the tables."""
        with self._guard:
            if path in self._engines:
                return self._engines[path]
            engine = sqlite_reader(path)
            with engine.connect() as connection:
                version = schema_version(connection)
            if 0 < version < len(MIGRATIONS):  # an older program may be writing it: then the lock is taken
                try:
                    self.claimed(path.stem).release()
                except WriterTaken:
                    raise LogUnavailable("an older program is still writing the log: stop it first") from None
            elif version == 0:
                engine.dispose()
                return None
            self._engines[path] = engine
            return engine

    def _lock(self, writer: str) -> IO[bytes]:
        _make_folder(self._entries)
        _make_folder(self._locks)
        opened = (self._locks / f"{writer}.lock").open("ab")
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            opened.close()
            raise WriterTaken(f"another process writes the chain of `{writer}`") from None
        return opened


class _ClaimedFile:
    def __init__(self, path: Path, lock: IO[bytes]) -> None:
        self._engine = sqlite_writer(path)
        self._lock = lock
        self._open: sql.Connection | None = None

    def connection(self) -> sql.Connection:
        if self._open is None:
            self._open = self._engine.connect()
        return self._open

    def drop(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            with suppress(SQLAlchemyError, sqlite3.Error):
                opened.invalidate()
            with suppress(SQLAlchemyError, sqlite3.Error):
                opened.close()

    def release(self) -> None:
        self.drop()
        self._engine.dispose()
        self._lock.close()


def sqlite_writer(path: Path) -> sql.Engine:
    """An engine that writes a file durably, every transaction as the only writer from its begin on."""

    def connect() -> sqlite3.Connection:
        connection = _connect_file(path, "rw")
        try:
            for name, value in PRAGMAS.items():
                connection.execute(f"PRAGMA {name} = {value}")
                (found,) = connection.execute(f"PRAGMA {name}").fetchone()
                if found != value:
                    raise LogUnavailable(f"SQLite does not keep {name} = {value} on this file system")
        except BaseException:
            connection.close()
            raise
        return connection

    return _sqlite_engine(connect, "BEGIN IMMEDIATE", NullPool)


def sqlite_reader(path: Path) -> sql.Engine:
    """An engine that reads a file and cannot write it."""
    return _sqlite_engine(lambda: _connect_file(path, "ro"), "BEGIN", QueuePool)


def _connect_file(path: Path, mode: str) -> sqlite3.Connection:
    address = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(address, PATIENCE, isolation_level=None, check_same_thread=False, uri=True)


def _sqlite_engine(connect: Callable[[], sqlite3.Connection], begin: str, pool: type[sql.Pool]) -> sql.Engine:
    engine = sql.create_engine(
        "sqlite://", creator=connect, poolclass=pool, hide_parameters=True, logging_name=LOGGED_AS
    )
    # The driver would begin only before the first change, and by then another may have changed what was read.
    sql.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _wipe(path: Path) -> None:
    """Brings all of the write-ahead log into the file and empties it; secure_delete has overwritten the rest."""
    with closing(_connect_file(path, "rw")) as connection:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise LogUnavailable("what was deleted may still be readable in the log's files: do it again")


def _hold(opened: IO[bytes], offset: int) -> None:
    """Locks one byte of a file, for this open file: threads of one process exclude each other too."""
    wanted = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, offset, 1, 0)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.fcntl(opened, fcntl.F_OFD_SETLK, wanted)
        except (BlockingIOError, PermissionError):
            if time.monotonic() > deadline:
                raise LogUnavailable("another worker is recording the same request, and does not finish") from None
            time.sleep(0.001)
        else:
            return


def _make_folder(path: Path) -> None:
    """A folder for its owner alone, durably named in the one above it."""
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for each in (path.parent, path.parent.parent):
            _sync(each)


def _make_private(path: Path) -> None:
    """An empty file for its owner alone, where there is none: SQLite would make one that others may read."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _sync(path.parent)  # of a new file SQLite makes the content durable, not the name


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
