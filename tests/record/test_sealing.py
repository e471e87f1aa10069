"""Keys in a file of their own, and what is sealed with them: opened by who should, and by nobody else."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import LogRefused
from engine.record.sealing import (
    DataKey,
    Keys,
    WrappedKey,
    add_master,
    ensure_keys,
    make_key,
    make_keys,
    open_key,
    read_keys,
    rewrap,
    subject_lookup,
    write_keys,
)

KEYS = make_keys()
SUBJECT = "7f3c1e52-9d04-4b6a-8f21-0c5d7e9ab134"


def test_a_key_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret" / "keys.json"
    keys = ensure_keys(path)
    assert (ensure_keys(path), read_keys(path)) == (keys, keys)
    assert path.stat().st_mode & 0o777 == 0o600
    assert (len(keys.mac), len(keys.signing), keys.masters, keys.current) == (32, 32, {}, "")
    assert os.listdir(path.parent) == ["keys.json"]


def test_of_many_who_make_it_at_once_all_get_the_same(tmp_path: Path) -> None:
    barrier = threading.Barrier(8)
    found: list[Keys] = []

    def make() -> None:
        barrier.wait()
        found.append(ensure_keys(tmp_path / "keys.json"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [found[0]] * 8
    assert os.listdir(tmp_path) == ["keys.json"]


def test_master_keys_are_added_and_kept(tmp_path: Path) -> None:
    once = add_master(KEYS)
    twice = add_master(once)
    assert set(once.masters) < set(twice.masters)
    assert (once.current in once.masters, twice.current in once.masters) == (True, False)
    write_keys(tmp_path / "keys", twice)
    assert read_keys(tmp_path / "keys") == twice
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["keys"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", "pluis log keys, version 2"),
        ("mac", "AAAA"),
        ("mac", 1),
        ("signing", None),
        ("masters", []),
        ("masters", {"m": "x"}),
        ("masters", {"m": "A" * 43 + "="}),  # and none of them current
        ("current", "m"),
        ("current", None),
        ("more", 1),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, name: str, value: object) -> None:
    path = tmp_path / "keys"
    write_keys(path, KEYS)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content))
    assert read_keys(path) == KEYS
    path.write_text(json.dumps({**content, name: value}))
    with pytest.raises(LogRefused, match="not a key file"):
        read_keys(path)
    path.write_text(json.dumps({key: each for key, each in content.items() if key != name} | {"other": 1}))
    with pytest.raises(LogRefused, match="not a key file"):
        read_keys(path)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"null"])
def test_a_file_with_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keys"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(LogRefused, match="not a key file"):
        read_keys(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    write_keys(tmp_path / "keys", KEYS)
    (tmp_path / "keys").chmod(mode)
    with pytest.raises(LogRefused, match="open to others"):
        ensure_keys(tmp_path / "keys")


def test_files_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    with pytest.raises(LogRefused, match="there is no key file"):
        read_keys(tmp_path / "keys")
    with pytest.raises(LogRefused, match="cannot be read: Is a directory"):
        read_keys(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(LogRefused, match="cannot be written"):
        ensure_keys(tmp_path / "file" / "keys")
    with pytest.raises(LogRefused, match="cannot be written"):
        write_keys(tmp_path / "nowhere" / "keys", KEYS)


def test_no_secret_is_shown() -> None:
    keys = add_master(KEYS)
    row, data = make_key(KEYS, SUBJECT)
    shown = repr((keys, row, data)) + str(vars(data).keys())
    assert not [
        each for each in (keys.mac, keys.signing, *keys.masters.values(), row.wrapped) if repr(each)[2:-1] in shown
    ]


@pytest.mark.parametrize("keys", [KEYS, add_master(KEYS)], ids=["as it is", "wrapped"])
def test_what_is_sealed_is_opened_with_the_key_in_the_row(keys: Keys) -> None:
    row, data = make_key(keys, SUBJECT)
    sealed = data.seal(b"payload", b"body")
    assert b"payload" not in sealed
    assert open_key(keys, row).unseal(sealed, b"body") == b"payload"
    assert (row.id, row.master, row.subject) == (data.id, keys.current, subject_lookup(keys, SUBJECT))
    assert data.seal(b"payload", b"body") != sealed, "no nonce comes twice"
    assert data.unseal(data.seal(b"", b""), b"") == b""


def test_what_was_changed_is_not_opened() -> None:
    _, data = make_key(KEYS, "")
    sealed = data.seal(b"payload", b"body")
    changed = [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))]
    for wrong in (*changed, sealed[:-1], sealed + b"\0", sealed[:12], b""):
        with pytest.raises(LogRefused):
            data.unseal(wrong, b"body")
    with pytest.raises(LogRefused):
        data.unseal(sealed, b"another body")
    with pytest.raises(LogRefused):
        make_key(KEYS, "")[1].unseal(sealed, b"body")


def test_a_row_opens_only_as_it_was_wrapped() -> None:
    keys = add_master(KEYS)
    row, _ = make_key(keys, SUBJECT)
    wrong: list[WrappedKey] = [
        replace(row, id="another"),
        replace(row, subject="another"),
        replace(row, wrapped=row.wrapped[:-1] + bytes([row.wrapped[-1] ^ 1])),
        replace(row, wrapped=b""),
        replace(row, master=""),  # as if it were not wrapped
        replace(row, master="unknown"),
    ]
    for each in wrong:
        with pytest.raises(LogRefused):
            open_key(keys, each)
    with pytest.raises(LogRefused, match="has no master key"):
        open_key(KEYS, row)


def test_rotation_keeps_the_data_keys() -> None:
    row, data = make_key(KEYS, SUBJECT)
    sealed = data.seal(b"payload", b"body")
    first = add_master(KEYS)
    second = add_master(first)
    wrapped = rewrap(first, row)
    again = rewrap(second, wrapped)
    assert (wrapped.master, again.master, again.id, again.subject) == (
        first.current,
        second.current,
        row.id,
        row.subject,
    )
    for keys, each in ((KEYS, row), (first, wrapped), (second, wrapped), (second, again)):
        assert open_key(keys, each).unseal(sealed, b"body") == b"payload"
    assert rewrap(replace(second, masters={}, current=""), row) == row
    with pytest.raises(LogRefused):
        open_key(first, again)


def test_tags_tell_the_same_from_another() -> None:
    one, other = DataKey("1", b"1" * 32), DataKey("2", b"2" * 32)
    tags = [
        tag
        for each in (one, other)
        for tag in (each.subject_tag("a"), each.subject_tag("b"), each.answers_tag(b"a"), each.answers_tag(b"b"))
    ]
    tags += [subject_lookup(KEYS, "a"), subject_lookup(KEYS, "b"), subject_lookup(make_keys(), "a")]
    assert len(set(tags)) == len(tags)
    assert {len(tag) for tag in tags} == {64}
    assert one.subject_tag("a") == DataKey("1", b"1" * 32).subject_tag("a")
    assert subject_lookup(KEYS, "a") == subject_lookup(add_master(KEYS), "a"), "rotation loses no subject"
    assert (one.subject_tag(""), subject_lookup(KEYS, "")) == ("", "")
