"""What all workers must know of a caller at once: which tokens were used, and how much of a rate is left.

One SQLite file in the server's folder for state. When it cannot be used nobody is let in: a token that may have been
used already counts as nothing.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from engine.errors import StateUnavailable

FILE = "access.sqlite"
PATIENCE = 2.0
"""Seconds that a call waits for others that use the file."""
FORGET_EVERY = 60.0
"""Seconds between two looks for tokens that expired."""

# NORMAL in WAL mode costs no fsync for a commit, and a power cut cannot leave a broken file.
_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS used (token BLOB PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS used_until ON used (until);
CREATE TABLE IF NOT EXISTS bucket (caller TEXT PRIMARY KEY, level REAL NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
"""


class Seen(Protocol):
    """Remembers tokens that may come once."""

    def first_use(self, issuer: str, jti: str, until: float, now: float) -> bool:
        """Whether this is the first time. It is remembered `until` then. Times are seconds since 1970."""


class SharedState:
    """The file in a folder; all threads and processes of a server share it. Opened when it is first used."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._forgot = 0.0

    def open(self) -> None:
        """Makes folder and file where there are none. Raises StateUnavailable when that does not work."""
        with self._transaction():
            pass

    def close(self) -> None:
        """Lets go of the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def first_use(self, issuer: str, jti: str, until: float, now: float) -> bool:
        """Whether a token comes for the first time, in any worker. Raises StateUnavailable when that is not known."""
        # No part of a token is kept: a digest is enough to know it again, and has one size. JSON has half characters.
        token = sha256(f"{len(issuer)} {issuer}{jti}".encode("utf-8", "surrogatepass")).digest()
        with self._transaction() as database:
            if abs(now - self._forgot) >= FORGET_EVERY:
                database.execute("DELETE FROM used WHERE until < ?", (now,))
                self._forgot = now
            added = database.execute("INSERT OR IGNORE INTO used VALUES (?, ?)", (token, until))
            return added.rowcount == 1

    def take(self, caller: str, rate: float, burst: float, now: float) -> float:
        """Takes one call out of a caller's bucket: 0.0, or the seconds until there is one, and then none is taken.

        The bucket holds `burst` calls and gets `rate` a second. Raises StateUnavailable when its level is not known.
        """
        with self._transaction() as database:
            row = database.execute("SELECT level, at FROM bucket WHERE caller = ?", (caller,)).fetchone()
            level, at = row or (burst, now)
            # The clocks of two workers' calls may be in another order than the calls: a bucket never runs dry of that.
            level = min(burst, level + max(0.0, now - at) * rate)
            wait = max(0.0, (1 - level) / rate)
            left = level if wait else level - 1
            database.execute("INSERT OR REPLACE INTO bucket VALUES (?, ?, ?)", (caller, left, now))
            return wait

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if not self._lock.acquire(timeout=PATIENCE):
            raise StateUnavailable(f"`{self._path}` is in use for too long")
        try:
            database = self._opened()
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.rollback()
                raise
            database.commit()
        except (sqlite3.Error, OSError) as error:
            self._drop()
            raise StateUnavailable(f"`{self._path}` cannot be used: {_reason(error)}") from None
        finally:
            self._lock.release()

    def _opened(self) -> sqlite3.Connection:
        """The connection. A file that somebody took away is made anew, or workers would not share it any more."""
        if self._connection is not None and self._path.exists() and self._path.stat().st_ino == self._inode:
            return self._connection
        self._drop()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(self._path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        self._connection.executescript(_SCHEMA)
        self._inode = self._path.stat().st_ino
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _reason(error: Exception) -> str:
    return str(error.strerror if isinstance(error, OSError) else error)
