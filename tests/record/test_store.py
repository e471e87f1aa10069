"""One contract for both databases: whatever is true of a log in a folder is true of one on a PostgreSQL server."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sql

from engine.errors import LogRefused, LogUnavailable, RequestTaken, WriterTaken
from engine.record import queries
from engine.record.entry import EntryKind, Receipt
from engine.record.store import Batch, Selection, Store, open_existing, open_store
from engine.record.tables import ENTRIES, METADATA, SUBJECT_KEYS
from tests.record.links import EVERY_BYTE, all_entries, append, body, key, links, write


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a log, with nothing in it."""
    return str(tmp_path / "log") if request.param == "sqlite" else str(request.getfixturevalue("database"))


@pytest.fixture
def store(where: str) -> Iterator[Store]:
    with open_store(where) as opened:
        yield opened


def alter(store: Store, statement: sql.Executable) -> None:
    """What somebody does who can write the databases."""
    with store._databases.altering() as engines:
        for engine in engines:
            with engine.begin() as connection:
                connection.execute(statement)


def test_what_is_appended_is_there(store: Store) -> None:
    entries = links("w1", [body(1), body(2), body(3, kind="feedback", decision_id="decision-1")])
    with store.claim("w1") as claim:
        assert claim.last() is None
        claim.append(Batch(entries, (key("k1", "s1"),), rulesets={"d1": b"{}", "d2": b'{"a":"b"}'}))
        end = Receipt("w1", 3, entries[2].hash)
        assert claim.last() == store.last("w1") == end
        assert store.key("k1") == key("k1", "s1")
        assert claim.keys(["s1", "s2"]) == {"s1": key("k1", "s1")}
        assert (store.key("k2"), store.last("w2")) == (None, None)
    assert all_entries(store) == list(entries)
    assert store.writers() == ("w1",)
    assert store.entry("w1", 2) == entries[1]
    assert store.entry("w1", 4) is None
    assert store.decision("decision-1") == entries[0]
    assert store.decision("decision-9") is None
    assert store.about("decision-1") == (entries[2],)
    assert store.request("caller", "request-2") == entries[1]
    assert store.request("another", "request-2") is None
    assert store.request("caller", "request-3") is None, "feedback takes no request id"
    assert (store.ruleset("d2"), store.ruleset("d3"), store.rulesets()) == (b'{"a":"b"}', None, ("d1", "d2"))


def test_it_is_there_when_the_log_is_opened_again(where: str) -> None:
    with open_store(where) as store:
        entries = write(store, "w1", body(1))
    with open_existing(where) as store:
        assert all_entries(store) == list(entries)
        more = write(store, "w1", body(2))
        assert all_entries(store) == [*entries, *more]


def test_no_log_is_found_where_there_is_none(where: str) -> None:
    with pytest.raises(LogRefused, match="there is no decision log"):
        open_existing(where)
    with open_store(where) as store:
        assert (store.writers(), list(store.select(Selection())), store.key("k")) == ((), [], None)


def test_a_batch_is_written_whole_or_not_at_all(store: Store) -> None:
    with store.claim("w1") as claim:
        first = append(claim, body(1))
        again = links("w1", [body(2), body(3, request_id="request-1")], claim.last())
        with pytest.raises(RequestTaken):
            claim.append(Batch(again, (key("k1"),), rulesets={"d1": b"{}"}))
        assert (all_entries(store), store.key("k1"), store.rulesets()) == (list(first), None, ())
        assert [entry.sequence for entry in append(claim, body(2), body(3))] == [2, 3]


def test_requests_are_those_of_their_caller(store: Store) -> None:
    entries = write(
        store,
        "w1",
        body(1),
        body(2, caller="b", request_id="request-1"),
        body(3, request_id=""),
        body(4, request_id=""),
    )
    asked = [("caller", "request-1"), ("b", "request-1"), ("c", "request-1")]
    assert store.requests(asked) == dict(zip(asked, entries[:2], strict=False))


def test_requests_of_others_are_found_where_no_index_would_refuse_them(store: Store) -> None:
    own, other = (write(store, f"w{number}", body(number)) for number in (1, 2))
    asked = [("caller", "request-1"), ("caller", "request-2"), ("caller", "request-3")]
    one_index = store.folder is None
    assert store.requests_elsewhere("w1", asked) == ({} if one_index else {asked[1]: other[0]})
    assert store.requests_elsewhere("w2", asked) == ({} if one_index else {asked[0]: own[0]})


@pytest.mark.parametrize("odd", ["with\0nul", "é\n'\";--", "x" * 10_000])
def test_any_text_can_be_recorded_and_found(store: Store, odd: str) -> None:
    entries = write(store, "w1", body(1, caller=odd, request_id=odd))
    assert store.request(odd, odd) == entries[0]
    assert list(store.select(Selection(caller=odd))) == list(entries)
    assert (store.decision(odd), store.keys_of(odd), store.ruleset(odd), list(store.entries(odd))) == (
        None,
        (),
        None,
        [],
    )


def test_a_chain_is_continued_only_where_it_ends(store: Store) -> None:
    with store.claim("w1") as claim:
        append(claim, body(1))
        one, two, three = links("w1", [body(1), body(2), body(3)])
        for wrong in (one, three, replace(two, previous="0" * 64)):
            with pytest.raises(LogUnavailable, match="read its end again"):
                claim.append(Batch((wrong,)))
        with pytest.raises(ValueError, match="another writer"):
            claim.append(Batch(links("w2", [body(2)])))
        claim.append(Batch((two, three)))
    assert len(all_entries(store)) == 3


def test_an_empty_chain_may_begin_anywhere(store: Store) -> None:
    """As a copy of one that was purged does."""
    entries = links("w1", [body(1), body(2), body(3)])[1:]
    with store.claim("w1") as claim:
        claim.append(Batch(entries))
        claim.append(Batch((), (key("k1"),)))
    assert (all_entries(store), store.key("k1")) == (list(entries), key("k1"))


def test_what_relies_on_a_destroyed_key_is_not_written(store: Store) -> None:
    with store.claim("w1") as claim:
        append(claim, body(1), keys=(key("k1", "s1"),))
        store.destroy_keys("s1")
        entries = links("w1", [body(2)], claim.last())
        with pytest.raises(LogUnavailable, match="destroyed"):
            claim.append(Batch(entries, relies_on=frozenset({"k1"})))
        claim.append(Batch(entries, (key("k2", "s1"),)))
        claim.append(Batch(links("w1", [body(3)], claim.last()), relies_on=frozenset({"k2"})))


def test_a_chain_has_one_writer_at_a_time(where: str, store: Store) -> None:
    with open_store(where) as other:
        with store.claim("w1") as claim, other.claim("w2"):
            with pytest.raises(WriterTaken):
                other.claim("w1")
            append(claim, body(1))
            assert other.last("w1") == claim.last(), "everybody reads what is written"
        claim.close()
        with other.claim("w1") as claim:
            append(claim, body(2))


@pytest.mark.parametrize("name", ["", "../w", "W", "w" * 65, "w\n", "w/1"])
def test_not_every_name_is_a_writers(store: Store, name: str) -> None:
    with pytest.raises(LogRefused, match="1 to 64"):
        store.claim(name)


def test_entries_come_in_pages(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PAGE", 3)
    keys = tuple(key(f"k{number}") for number in range(7))
    entries = write(store, "w1", *(body(number) for number in range(7)), keys=keys)
    write(store, "w2", body(7))
    assert list(store.entries("w1")) == list(entries)
    assert list(store.entries("w1", after=3)) == list(entries[3:])
    assert list(store.keys("w1")) == list(keys)
    many = [("caller", f"request-{number}") for number in range(9)]
    assert len(store.requests(many)) == 8
    reading = store.entries("w1")
    assert next(reading) == entries[0]
    store.purge("w1", 5)  # nothing holds the database between two pages
    assert [entry.sequence for entry in reading] == [2, 3, 6, 7]


def test_a_selection_comes_newest_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PAGE", 2)
    a = write(store, "a", body(1), body(4, payload_key="k"), body(4, request_id="x"), body(9, kind="feedback"))
    b = write(store, "b", body(2), body(3, ruleset={"id": "tricycle"}), body(5, caller="other"))
    (c,) = write(store, "c", {"kind": "purge", "time": "2026-01-01T00:00:06.000Z"})

    def chosen(**said: object) -> list[object]:
        return list(store.select(Selection(**said)))  # type: ignore[arg-type]  # each by its own name

    assert chosen() == [a[3], c, b[2], a[2], a[1], b[1], b[0], a[0]]
    assert chosen(kind=EntryKind.DECISION) == [b[2], a[2], a[1], b[1], b[0], a[0]]
    assert chosen(kind=EntryKind.PURGE) == [c]
    assert chosen(since="2026-01-01T00:00:02.000Z", until="2026-01-01T00:00:04.000Z") == [b[1], b[0]]
    assert chosen(ruleset_id="tricycle") == [b[1]]
    assert chosen(caller="other") == [b[2]]
    assert chosen(payload_keys=frozenset({"k", "l"})) == [a[1]]


def test_all_keys_of_a_subject_are_destroyed(where: str, store: Store) -> None:
    secret = b"the key that must be gone" * 2
    with store.claim("w1") as claim, open_store(where) as other:
        append(claim, body(1, payload_key="k1"), keys=(key("k1", "s1", secret), key("k2", "s2")))
        write(store, "w2", body(2), keys=(key("k3", "s1", secret), key("k4")))
        entries = all_entries(store)
        assert {each.id for each in other.keys_of("s1")} == {"k1", "k3"}
        assert other.destroy_keys("s1") == ("k1", "k3")  # while their writer runs
        assert other.destroy_keys("s1") == ()
        assert claim.keys(["s1"]) == {}
    assert (store.keys_of("s1"), store.key("k1"), store.key("k3")) == ((), None, None)
    assert (store.key("k2"), store.key("k4")) == (key("k2", "s2"), key("k4"))
    assert all_entries(store) == entries
    if store.folder is not None:
        files = [path for path in store.folder.rglob("*") if path.is_file()]
        assert [path.name for path in files if secret in path.read_bytes()] == []


def test_keys_are_wrapped_anew(store: Store) -> None:
    write(store, "w1", body(1), keys=(key("k1", "s1"), key("k2", "s2"), key("k3")))
    write(store, "w2", body(2), keys=(key("k4", "s1"),))
    store.destroy_keys("s2")
    new = [replace(key(id), subject="other", master="m", wrapped=b"new") for id in ("k1", "k2", "k3", "k4")]
    store.replace_keys("w1", new)
    assert store.key("k1") == replace(key("k1", "s1"), master="m", wrapped=b"new")
    assert store.key("k3") == replace(key("k3"), master="m", wrapped=b"new")
    assert (store.key("k2"), store.key("k4")) == (None, key("k4", "s1"))


def test_a_purge_leaves_the_end_and_what_it_needs(where: str, store: Store) -> None:
    with store.claim("w1") as claim, open_store(where) as other:
        numbered = [body(number, payload_key=f"k{min(number, 3)}") for number in range(1, 5)]
        entries = append(claim, *numbered, keys=tuple(key(f"k{number}") for number in (1, 2, 3)))
        elsewhere = write(store, "w2", body(9, payload_key="k9"), keys=(key("k9"),))
        assert other.purge("w1", 2) == 2
        assert list(store.entries("w1")) == list(entries[2:])
        assert [each.id for each in store.keys("w1")] == ["k3"]
        assert other.purge("w1", 100) == 1
        assert (other.purge("w1", 100), other.purge("w3", 100)) == (0, 0)
        assert [entry.sequence for entry in append(claim, body(5))] == [5]
    assert list(store.entries("w2")) == list(elsewhere)
    assert store.key("k9") == key("k9")


@pytest.mark.parametrize("name", ["kind", "time", "decision_id", "caller", "request", "ruleset_id", "payload_key"])
def test_a_changed_column_is_found(store: Store, name: str) -> None:
    write(store, "w1", body(1), body(2), body(3))
    assert list(store.misfiled("w1")) == []
    alter(store, ENTRIES.update().where(ENTRIES.c.sequence == 2).values({name: "moved"}))
    assert list(store.misfiled("w1")) == [2]


def test_a_body_that_says_nothing_is_misfiled(store: Store) -> None:
    write(store, "w1", body(1), body(2))
    for wrong in (b"", b"{", b"[]", b"\xff"):
        alter(store, ENTRIES.update().where(ENTRIES.c.sequence == 1).values(body=wrong))
        assert list(store.misfiled("w1")) == [1], wrong


def test_an_error_says_nothing_of_what_was_written(store: Store) -> None:
    secret = "secret".upper()  # a traceback quotes these lines too
    row = key(secret, secret, secret.encode())
    with store.claim("w1") as claim:
        append(claim, body(1), keys=(row,))
        entries = links("w1", [body(2, caller=secret)], claim.last())
        with pytest.raises(LogUnavailable) as raised:  # the key is there already; PostgreSQL's own words quote it
            claim.append(Batch(entries, (row,)))
        assert secret not in "".join(traceback.format_exception(raised.value))
        assert len(all_entries(store)) == 1
        claim.append(Batch(entries))  # and no hand was needed


def test_no_log_line_holds_what_is_kept(where: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "sqlalchemy"), open_store(where) as store:
        write(store, "w1", body(1, caller="SECRET"), keys=(key("SECRET", "SECRET", b"SECRET"),))
        assert (len(all_entries(store)), len(store.keys_of("SECRET"))) == (1, 1)
    assert "SECRET" not in caplog.text


def test_the_tables_are_what_the_program_believes(store: Store) -> None:
    write(store, "w1", body(1))
    (engine,) = store._databases.reading()
    for table in METADATA.tables.values():
        found = {column["name"]: column["nullable"] for column in sql.inspect(engine).get_columns(table.name)}
        assert found == {column.name: column.nullable for column in table.columns}
    assert next(store.entries("w1")).payload == EVERY_BYTE
    assert sorted(sql.inspect(engine).get_table_names()) == sorted(METADATA.tables)
    assert {name for each in sql.inspect(engine).get_indexes(SUBJECT_KEYS.name) for name in each["column_names"]} == {
        "id",
        "subject",
        "writer",
    }
