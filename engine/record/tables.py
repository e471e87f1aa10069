"""The tables of the decision log, and how those of an older version become them.

What an entry says is in `body`; the columns beside it are there to find it by (`filed_under` makes them), and are not
chained. Times and names are compared as bytes, on both databases.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sql

from engine.errors import LogRefused
from engine.record.entry import Entry, EntryKind

METADATA = sql.MetaData()

ENTRIES = sql.Table(
    "entries",
    METADATA,
    sql.Column("writer", sql.Text, primary_key=True),
    sql.Column("sequence", sql.BigInteger, primary_key=True),
    sql.Column("kind", sql.Text, nullable=False),
    sql.Column("time", sql.Text, nullable=False),
    sql.Column("decision_id", sql.Text, nullable=False),
    sql.Column("caller", sql.Text, nullable=False),
    sql.Column("request", sql.Text, unique=True),
    sql.Column("ruleset_id", sql.Text, nullable=False),
    sql.Column("payload_key", sql.Text, nullable=False),
    sql.Column("body", sql.LargeBinary, nullable=False),
    sql.Column("payload", sql.LargeBinary, nullable=False),
    sql.Column("previous", sql.Text, nullable=False),
    sql.Column("hash", sql.Text, nullable=False),
    sql.Column("mac", sql.Text, nullable=False),
)
SUBJECT_KEYS = sql.Table(
    "subject_keys",
    METADATA,
    sql.Column("id", sql.Text, primary_key=True),
    sql.Column("writer", sql.Text, nullable=False),
    sql.Column("subject", sql.Text),
    sql.Column("master", sql.Text, nullable=False),
    sql.Column("wrapped", sql.LargeBinary, nullable=False),
)
RULESETS = sql.Table(
    "rulesets",
    METADATA,
    sql.Column("digest", sql.Text, primary_key=True),
    sql.Column("content", sql.LargeBinary, nullable=False),
)
SCHEMA_VERSION = sql.Table("schema_version", METADATA, sql.Column("version", sql.Integer, nullable=False))


@dataclass(frozen=True, slots=True)
class Filed:
    """The columns by which an entry is found. `request` is None for what has no request id."""

    kind: str
    time: str
    decision_id: str
    caller: str
    request: str | None
    ruleset_id: str
    payload_key: str


def filed_under(entry: Entry) -> Filed:
    """The columns that follow from the body of an entry; ValueError when it is no JSON object."""
    body = json.loads(entry.body)
    if not isinstance(body, dict):
        raise ValueError("the body of an entry is a JSON object")
    kind, caller, id = (str(body.get(name, "")) for name in ("kind", "caller", "request_id"))
    ruleset = body.get("ruleset")
    return Filed(
        kind=kind,
        time=storable(str(body.get("time", ""))),
        decision_id=storable(str(body.get("decision_id", ""))),
        caller=storable(caller),
        request=request_tag(caller, id) if id and kind == EntryKind.DECISION.value else None,
        ruleset_id=storable(str(ruleset.get("id", ""))) if isinstance(ruleset, dict) else "",
        payload_key=storable(str(body.get("payload_key", ""))),
    )


def request_tag(caller: str, request_id: str) -> str:
    """What is unique for each request of each caller: 64 digits, however long and odd the two are."""
    content = json.dumps([caller, request_id]).encode()
    return hashlib.sha256(content).hexdigest()


def storable(text: str) -> str:
    """A text as a column of both databases can hold it: PostgreSQL refuses the character NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


Migration = Callable[[sql.Connection], None]


def _first(connection: sql.Connection) -> None:
    """Version 1. Written out, so that it stays what it was when the tables above become others."""
    postgres = connection.dialect.name == "postgresql"
    text, binary = ('TEXT COLLATE "C"', "BYTEA") if postgres else ("TEXT", "BLOB")
    for statement in (
        f"""CREATE TABLE entries (
            writer {text} NOT NULL,
            sequence BIGINT NOT NULL,
            kind {text} NOT NULL,
            time {text} NOT NULL,
            decision_id {text} NOT NULL,
            caller {text} NOT NULL,
            request {text} UNIQUE,
            ruleset_id {text} NOT NULL,
            payload_key {text} NOT NULL,
            body {binary} NOT NULL,
            payload {binary} NOT NULL,
            previous {text} NOT NULL,
            hash {text} NOT NULL,
            mac {text} NOT NULL,
            PRIMARY KEY (writer, sequence)
        )""",
        "CREATE INDEX entries_by_time ON entries (time, writer, sequence)",
        "CREATE INDEX entries_by_decision ON entries (decision_id)",
        "CREATE INDEX entries_by_key ON entries (payload_key)",
        f"""CREATE TABLE subject_keys (
            id {text} PRIMARY KEY NOT NULL,
            writer {text} NOT NULL,
            subject {text},
            master {text} NOT NULL,
            wrapped {binary} NOT NULL
        )""",
        "CREATE UNIQUE INDEX subject_keys_by_subject ON subject_keys (subject, writer)",
        "CREATE INDEX subject_keys_by_writer ON subject_keys (writer, id)",
        f"CREATE TABLE rulesets (digest {text} PRIMARY KEY NOT NULL, content {binary} NOT NULL)",
    ):
        connection.exec_driver_sql(statement)


MIGRATIONS: tuple[Migration, ...] = (_first,)
"""The migration at place n brings version n to n + 1. One that was released never changes."""


def schema_version(connection: sql.Connection) -> int:
    """The version of the tables in a database, 0 when it has none. LogRefused when they are of a newer version."""
    if not sql.inspect(connection).has_table(SCHEMA_VERSION.name):
        return 0
    version = connection.scalar(sql.select(sql.func.max(SCHEMA_VERSION.c.version))) or 0
    if version > len(MIGRATIONS):
        raise LogRefused(
            f"the log is of version {version}, and this program knows {len(MIGRATIONS)} at most: use a newer one"
        )
    return version


def migrate(connection: sql.Connection) -> None:
    """Makes the tables, or brings older ones up to date, in the transaction of the connection. LogRefused: newer."""
    version = schema_version(connection)
    if version == 0:
        connection.exec_driver_sql("CREATE TABLE schema_version (version INTEGER NOT NULL)")
        connection.execute(SCHEMA_VERSION.insert().values(version=0))
    for migration in MIGRATIONS[version:]:
        migration(connection)
    connection.execute(SCHEMA_VERSION.update().values(version=len(MIGRATIONS)))
