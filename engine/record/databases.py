"""Where entries lie: what a folder of SQLite files and a PostgreSQL server both promise, and how their errors are told.

`claimed` gives a writer's database to one process at a time, and what is committed through it is on disk when the
commit returns. What a database cannot promise is read back and refused, not believed.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import sqlalchemy as sql
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from engine.errors import LogRefused, LogUnavailable

PATIENCE = 10
"""Seconds to wait for what another process holds."""
READING, WRITING = "the log cannot be read", "the log cannot be written"
LOGGED_AS = "pluis"
logging.getLogger(f"sqlalchemy.engine.Engine.{LOGGED_AS}").setLevel(logging.WARNING)
"""Its lower levels would show every row that is read, keys too, to whoever turns all logging on."""
_WRITER = re.compile(r"[a-z0-9_-]{1,64}")


class Claimed(Protocol):
    """A writer's database, held by this process."""

    def connection(self) -> sql.Connection:
        """The connection to write through, made anew where it was dropped. WriterTaken when the hold was lost."""

    def drop(self) -> None:
        """Drops the connection, as after an error: nobody knows what state it is in."""

    def release(self) -> None:
        """Lets go."""


class Databases(Protocol):
    """All databases of a log. Errors that are not of engine.errors are told by `telling`."""

    location: str
    folder: Path | None

    def exists(self) -> bool:
        """Whether there is a log."""

    def reading(self) -> tuple[sql.Engine, ...]:
        """Each database that has tables, to be read."""

    def elsewhere(self, writer: str) -> tuple[sql.Engine, ...]:
        """Each database, to be read, whose index over requests is not that of a writer's own."""

    def altering(self) -> AbstractContextManager[tuple[sql.Engine, ...]]:
        """Each database that has tables, to be altered beside its writer; what was deleted is wiped at the end."""

    def claimed(self, writer: str) -> Claimed:
        """The database of a writer, for this process alone; WriterTaken."""

    def locked(self, requests: Iterable[tuple[str, str]]) -> AbstractContextManager[None]:
        """Holds requests against other processes, where no index does."""

    def close(self) -> None:
        """Closes all connections but those of claims."""


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Turns the errors of databases and files into LogUnavailable, whose message holds nothing that they were given.

    The errors themselves may quote rows; so they are not passed on as a cause either.
    """
    try:
        yield
    except DBAPIError as fault:
        raise LogUnavailable(f"{what}: {_code(fault.orig)}") from None
    except sqlite3.Error as fault:
        raise LogUnavailable(f"{what}: {_code(fault)}") from None
    except SQLAlchemyError as fault:
        raise LogUnavailable(f"{what}: {type(fault).__name__}") from None
    except OSError as fault:
        raise LogUnavailable(f"{what}: {fault.strerror or type(fault).__name__}".lower()) from None


def _code(fault: BaseException | None) -> str:
    """The name of an error and the database's code for it."""
    code = getattr(fault, "sqlite_errorname", None) or getattr(fault, "sqlstate", None)
    return type(fault).__name__ + (f" ({code})" if code else "")


def check_writer(writer: str) -> str:
    """A name that may be a writer's; LogRefused for another: it becomes the name of a file."""
    if not _WRITER.fullmatch(writer):
        raise LogRefused("the name of a writer has 1 to 64 characters of a-z, 0-9, - and _")
    return writer
