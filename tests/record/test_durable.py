"""What is acknowledged is on disk, what is not there is said, and nobody need lend a hand: in files and on a server."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from engine.errors import LogRefused, LogUnavailable, WriterTaken
from engine.record import sqlite
from engine.record.postgres import PostgresServer
from engine.record.sqlite import PRAGMAS, sqlite_reader, sqlite_writer
from engine.record.store import Batch, Claim, Store, open_existing, open_store
from tests.record.links import all_entries, append, body, key, links, write
from tests.record.server import Server

ROOT = Path(__file__).resolve().parent.parent.parent
KILLED = """
import os, signal, sys
from engine.record.store import open_store
from tests.record.links import append, body
claim = open_store(sys.argv[1]).claim("w1")
append(claim, body(1))
os.kill(os.getpid(), signal.SIGKILL)
"""


def asked(claim: Claim, question: str) -> object:
    connection = claim._claimed.connection()
    with connection.begin():
        return connection.exec_driver_sql(question).scalar()


def test_a_file_is_written_through_to_the_disk(tmp_path: Path) -> None:
    with open_store(tmp_path / "log") as store, store.claim("w1") as claim:
        assert [asked(claim, f"PRAGMA {name}") for name in PRAGMAS] == ["wal", 2, 1]


def test_a_file_that_cannot_be_kept_so_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_connect_file", lambda path, mode: sqlite3.connect(":memory:"))  # never has a WAL
    with open_store(tmp_path / "log") as store, pytest.raises(LogUnavailable, match="journal_mode"):
        store.claim("w1")
    monkeypatch.undo()
    with open_store(tmp_path / "log") as store:
        store.claim("w1").close()  # the lock was let go


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    with open_store(tmp_path / "a" / "log") as store, store.claim("w1") as claim:
        append(claim, body(1))
        found = {path: path.stat().st_mode & 0o777 for path in (tmp_path / "a" / "log").rglob("*")}
    assert {path.name: mode for path, mode in found.items() if path.suffix == ".sqlite"} == {"w1.sqlite": 0o600}
    assert {path.name: mode for path, mode in found.items() if mode & 0o077 and "entries" in path.parts} == {}


def test_readers_cannot_write(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        write(store, "w1", body(1))
    engine = sqlite_reader(tmp_path / "entries" / "w1.sqlite")
    with engine.connect() as connection, pytest.raises(DBAPIError, match="readonly"):
        connection.exec_driver_sql("DELETE FROM entries")
    engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_killed_writer_leaves_what_it_acknowledged(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    where = str(tmp_path / "log") if kind == "sqlite" else request.getfixturevalue("database")
    done = subprocess.run([sys.executable, "-c", KILLED, where], cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    entries = links("w1", [body(1), body(2)])
    with open_existing(where) as store:
        assert all_entries(store) == [entries[0]]
        assert write(store, "w1", body(2)) == (entries[1],)  # the lock went with its process


def test_a_file_without_tables_is_no_hindrance(tmp_path: Path) -> None:
    """A writer may be killed between making its file and making the tables in it."""
    (tmp_path / "entries").mkdir()
    (tmp_path / "entries" / "w1.sqlite").touch()
    with open_store(tmp_path) as store:
        assert store.writers() == ()
        write(store, "w1", body(1))
        assert store.writers() == ("w1",)


def test_a_full_disk_takes_nothing_and_then_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(tmp_path) as store:
        first = write(store, "w1", body(1))
        monkeypatch.setitem(PRAGMAS, "max_page_count", 20)
        with store.claim("w1") as claim:
            many = links("w1", [body(number) for number in range(2, 200)], claim.last())
            for _ in range(3):
                with pytest.raises(LogUnavailable, match="SQLITE_FULL"):
                    claim.append(Batch(many))
                assert all_entries(store) == list(first)
            monkeypatch.setitem(PRAGMAS, "max_page_count", 10_000)
            claim.append(Batch(many))
        assert all_entries(store) == [*first, *many]


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        write(store, "w1", body(1))
    (tmp_path / "entries" / "w1.sqlite").write_bytes(b"no database" * 1000)
    with open_existing(tmp_path) as store, pytest.raises(LogUnavailable, match="SQLITE_NOTADB"):
        store.writers()


def test_one_request_is_held_by_one_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE", 0.05)
    a, b = ("caller", "1"), ("caller", "2")
    with open_store(tmp_path) as store, open_store(tmp_path) as other:
        with (
            store.locked([a, a]),
            other.locked([b]),
            other.locked([]),
            pytest.raises(LogUnavailable, match="same request"),
            other.locked([b, a]),
        ):
            pass
        with other.locked([a, b]):
            pass


def test_who_waits_for_a_request_gets_it(tmp_path: Path) -> None:
    order: list[str] = []
    with open_store(tmp_path) as store, open_store(tmp_path) as other:

        def wait() -> None:
            with other.locked([("caller", "1")]):
                order.append("second")

        with store.locked([("caller", "1")]):
            waiting = threading.Thread(target=wait)
            waiting.start()
            order.append("first")
        waiting.join()
    assert order == ["first", "second"]


@pytest.mark.parametrize("value", ["off", "local", "remote_write", "on", "remote_apply"])
def test_a_commit_waits_for_the_disk(database: str, postgres: Server, value: str) -> None:
    role = f"role_{value}"
    postgres.run(f"CREATE ROLE {role} LOGIN SUPERUSER")
    postgres.run(f"ALTER ROLE {role} SET synchronous_commit = {value}")
    with open_store(database.replace("postgres:@", f"{role}:@")) as store, store.claim("w1") as claim:
        assert asked(claim, "SHOW synchronous_commit") == (value if value == "remote_apply" else "on")
        append(claim, body(1))


def test_a_server_that_keeps_nothing_is_refused(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.record.postgres.ENDURING", ("never",))
    with open_store(database) as store, pytest.raises(LogUnavailable, match="does not keep what it commits"):
        store.claim("w1")


def test_a_server_may_go_away_and_come_back(database: str, postgres: Server) -> None:
    with open_store(database) as store, open_store(database) as early, store.claim("w1") as claim:
        first = append(claim, body(1))
        postgres.stop()
        try:
            for use in (lambda: append(claim, body(2)), store.writers, lambda: early.claim("w2"), claim.last):
                for _ in range(2):
                    with pytest.raises(LogUnavailable):
                        use()
        finally:
            postgres.start()
        assert all_entries(store) == list(first)
        assert [entry.sequence for entry in append(claim, body(2))] == [2]
        with early.claim("w2"), pytest.raises(WriterTaken):
            early.claim("w1")


def test_a_connection_that_breaks_loses_the_chain(database: str, postgres: Server) -> None:
    with open_store(database) as store, open_store(database) as other, store.claim("w1") as claim:
        append(claim, body(1))
        postgres.run(f"SELECT pg_terminate_backend({asked(claim, 'SELECT pg_backend_pid()')})")
        claim._claimed.drop()
        with other.claim("w1") as taken:
            append(taken, body(2))
            with pytest.raises(WriterTaken):
                append(claim, body(3))
        assert [entry.sequence for entry in append(claim, body(3))] == [3]


def test_a_broken_connection_is_noticed_when_it_is_used(database: str, postgres: Server) -> None:
    with open_store(database) as store, store.claim("w1") as claim:
        append(claim, body(1))
        postgres.run(f"SELECT pg_terminate_backend({asked(claim, 'SELECT pg_backend_pid()')})")
        with pytest.raises(LogUnavailable):
            append(claim, body(2))
        assert [entry.sequence for entry in append(claim, body(2))] == [2]


def test_readers_do_not_notice_a_restart(database: str, postgres: Server) -> None:
    with open_store(database) as store:
        entries = write(store, "w1", body(1))
        assert all_entries(store) == list(entries)
        postgres.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pluis'")
        assert all_entries(store) == list(entries)


def test_an_erasure_waits_for_what_relies_on_its_key(database: str) -> None:
    """Between the look at a key and the commit of what is sealed with it nobody can destroy the key."""
    with open_store(database) as store, store.claim("w1") as claim:
        append(claim, body(1), keys=(key("k1", "s1"),))
        with psycopg.connect(database) as connection:
            connection.execute("DELETE FROM subject_keys")  # not committed yet
            failed: list[BaseException] = []

            def rely() -> None:
                try:
                    claim.append(Batch(links("w1", [body(2)], store.last("w1")), relies_on=frozenset({"k1"})))
                except LogUnavailable as fault:
                    failed.append(fault)

            waiting = threading.Thread(target=rely)
            waiting.start()
            connection.commit()
        waiting.join()
        assert len(failed) == 1
        assert len(all_entries(store)) == 1


@pytest.mark.parametrize(
    "where", ["sqlite:///x", "mysql://u:SECRET@h/d", "http://SECRET", "postgresql://u:SECRET@h:port/d"]
)
def test_another_url_is_refused_without_its_password(where: str) -> None:
    with pytest.raises(LogRefused) as raised:
        open_store(where)
    assert "SECRET" not in str(raised.value)


def test_a_location_shows_no_password() -> None:
    store: Store = open_store("postgres://user:SECRET@host/log")
    assert store.location == "postgresql+psycopg://user:***@host/log"
    assert store.folder is None
    assert "SECRET" not in repr(vars(store))
    assert isinstance(store._databases, PostgresServer)


def test_a_writer_engine_waits_its_turn(tmp_path: Path) -> None:
    """An erasure comes between two batches of a worker, and waits for the one that is under way."""
    with open_store(tmp_path) as store:
        write(store, "w1", body(1))
        engine = sqlite_writer(tmp_path / "entries" / "w1.sqlite")
        done = threading.Event()

        def erase() -> None:
            store.destroy_keys("s1")
            done.set()

        with engine.connect() as connection, connection.begin():
            waiting = threading.Thread(target=erase)
            waiting.start()
            assert not done.wait(0.2)
        waiting.join()
        assert done.is_set()
        engine.dispose()
