"""A log that an older program wrote is brought up to date with all that is in it; one of a newer program is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sql

from engine.errors import LogRefused, LogUnavailable
from engine.record import postgres as postgres_databases
from engine.record import sqlite, tables
from engine.record.sealing import WrappedKey
from engine.record.store import Store, open_existing, open_store
from tests.record.links import EVERY_BYTE, all_entries, body, links, write

FROZEN = {
    1: """
    CREATE TABLE schema_version (version INTEGER NOT NULL);
    INSERT INTO schema_version (version) VALUES (1);
    CREATE TABLE entries (
        writer {text} NOT NULL, sequence BIGINT NOT NULL, kind {text} NOT NULL, time {text} NOT NULL,
        decision_id {text} NOT NULL, caller {text} NOT NULL, request {text} UNIQUE, ruleset_id {text} NOT NULL,
        payload_key {text} NOT NULL, body {binary} NOT NULL, payload {binary} NOT NULL, previous {text} NOT NULL,
        hash {text} NOT NULL, mac {text} NOT NULL, PRIMARY KEY (writer, sequence)
    );
    CREATE INDEX entries_by_time ON entries (time, writer, sequence);
    CREATE INDEX entries_by_decision ON entries (decision_id);
    CREATE INDEX entries_by_key ON entries (payload_key);
    CREATE TABLE subject_keys (
        id {text} PRIMARY KEY NOT NULL, writer {text} NOT NULL, subject {text}, master {text} NOT NULL,
        wrapped {binary} NOT NULL
    );
    CREATE UNIQUE INDEX subject_keys_by_subject ON subject_keys (subject, writer);
    CREATE INDEX subject_keys_by_writer ON subject_keys (writer, id);
    CREATE TABLE rulesets (digest {text} PRIMARY KEY NOT NULL, content {binary} NOT NULL);
    """
}
"""The tables of every version that was ever released, as it made them. A new version adds its own; none changes."""

ROWS = (
    (
        "INSERT INTO entries (writer, sequence, kind, time, decision_id, caller, request, ruleset_id, payload_key,"
        " body, payload, previous, hash, mac) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ),
    "INSERT INTO subject_keys (id, writer, subject, master, wrapped) VALUES (?, ?, ?, ?, ?)",
    "INSERT INTO rulesets (digest, content) VALUES (?, ?)",
)
OLD = links("w1", [body(1, payload_key="k1"), body(2, request_id="")])


def rows() -> Iterator[tuple[str, tuple[object, ...]]]:
    """What the older program wrote: two decisions, a key and a ruleset."""
    request = "7b9dee08d2ce0d1f7a68da52a56cd5f34e1c8c6f8d5fe7a8a7b2a7a6a02b2ee3"
    for entry, found in zip(OLD, ((request, "k1"), (None, "")), strict=True):
        number = entry.sequence
        filed = ("decision", f"2026-01-01T00:00:0{number}.000Z", f"decision-{number}", "caller", *found)
        chained = (entry.body, entry.payload, entry.previous, entry.hash, entry.mac)
        yield ROWS[0], ("w1", number, *filed[:5], "bicycle", filed[5], *chained)
    yield ROWS[1], ("k1", "w1", "s1", "", EVERY_BYTE)
    yield ROWS[2], ("d1", b"{}")


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "log") if request.param == "sqlite" else str(request.getfixturevalue("database"))


def lay_down(where: str, version: int) -> None:
    """A log as a program of an older version left it."""
    if "://" in where:
        with psycopg.connect(where) as connection:
            connection.execute(FROZEN[version].format(text='TEXT COLLATE "C"', binary="BYTEA").encode())
            for statement, values in rows():
                connection.execute(statement.replace("?", "%s").encode(), values)
        return
    file = Path(where) / "entries" / "w1.sqlite"
    file.parent.mkdir(parents=True)
    with closing(sqlite3.connect(file)) as written:
        written.executescript(FROZEN[version].format(text="TEXT", binary="BLOB"))
        for statement, values in rows():
            written.execute(statement, values)
        written.commit()


def said(where: str) -> list[tuple[object, ...]]:
    """The tables and their columns and indexes, as the database tells them."""
    with open_existing(where) as store:
        (engine,) = store._databases.reading()
        look = sql.inspect(engine)
        return [
            (
                table,
                [(each["name"], str(each["type"]), each["nullable"]) for each in look.get_columns(table)],
                look.get_pk_constraint(table)["constrained_columns"],
                sorted(
                    (str(each["name"]), tuple(each["column_names"]), bool(each["unique"]))
                    for each in look.get_indexes(table)
                ),
                sorted(tuple(each["column_names"]) for each in look.get_unique_constraints(table)),
            )
            for table in sorted(look.get_table_names())
        ]


def add_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is one version further."""

    def further(connection: sql.Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE rulesets ADD COLUMN further INTEGER DEFAULT 7")

    longer = (*tables.MIGRATIONS, further)
    for module in (tables, sqlite, postgres_databases):
        monkeypatch.setattr(module, "MIGRATIONS", longer)


def is_whole(store: Store) -> bool:
    return (
        all_entries(store) == list(OLD)
        and store.key("k1") == WrappedKey("k1", "s1", "", EVERY_BYTE)
        and store.ruleset("d1") == b"{}"
        and store.decision("decision-2") == OLD[1]
    )


def test_every_version_is_frozen() -> None:
    assert sorted(FROZEN) == list(range(1, len(tables.MIGRATIONS) + 1))


@pytest.mark.parametrize("version", sorted(FROZEN))
def test_an_older_log_is_brought_up_to_date(where: str, version: int) -> None:
    lay_down(where, version)
    with open_existing(where) as store:
        assert is_whole(store)
        (more,) = links("w1", [body(3)], store.last("w1"))
        with store.claim("w1") as claim:
            assert claim.last() == store.last("w1")
        assert write(store, "w1", body(3)) == (more,)


def test_the_newest_frozen_tables_are_those_of_a_new_log(
    where: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    lay_down(where, max(FROZEN))
    another = str(tmp_path / "new")
    if "://" in where:
        another = request.getfixturevalue("postgres").empty_database()
    with open_store(another) as store:
        write(store, "w1", body(1))
    assert said(where) == said(another)


def test_the_next_version_keeps_what_is_there(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_down(where, max(FROZEN))
    add_migration(monkeypatch)
    for _ in range(2):  # once by reading alone; the second time there is nothing to do
        with open_existing(where) as store:
            assert is_whole(store)
            (engine,) = store._databases.reading()
            with engine.connect() as connection:
                assert connection.exec_driver_sql("SELECT further FROM rulesets").scalar() == 7
                assert tables.schema_version(connection) == max(FROZEN) + 1


def test_a_claim_brings_its_file_up_to_date(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_down(where, max(FROZEN))
    add_migration(monkeypatch)
    with open_store(where) as store, store.claim("w1") as claim:
        assert claim.last() is not None
        assert is_whole(store)


def test_a_migration_that_fails_changes_nothing(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_down(where, max(FROZEN))

    def broken(connection: sql.Connection) -> None:
        connection.exec_driver_sql("DELETE FROM entries")
        connection.exec_driver_sql("ALTER TABLE nowhere ADD COLUMN further INTEGER")

    with monkeypatch.context() as patched:
        for module in (tables, sqlite, postgres_databases):
            patched.setattr(module, "MIGRATIONS", (*tables.MIGRATIONS, broken))
        with open_store(where) as store, pytest.raises(LogUnavailable):
            store.writers()
    with open_existing(where) as store:
        assert is_whole(store)


def test_a_newer_log_is_refused(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_down(where, max(FROZEN))
    with monkeypatch.context() as patched:
        add_migration(patched)
        with open_existing(where) as store:
            assert is_whole(store)
    with open_store(where) as store:
        for use in (
            store.writers,
            lambda: store.claim("w1"),
            lambda: store.destroy_keys("s1"),
            lambda: store.purge("w1", 1),
        ):
            with pytest.raises(LogRefused, match="use a newer one"):
                use()
    with monkeypatch.context() as patched:
        add_migration(patched)
        with open_existing(where) as store:
            assert is_whole(store)


def test_an_older_file_in_use_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_down(str(tmp_path / "log"), max(FROZEN))
    with open_store(tmp_path / "log") as older, older.claim("w1"):
        add_migration(monkeypatch)
        with open_store(tmp_path / "log") as store, pytest.raises(LogUnavailable, match="stop it first"):
            store.writers()
