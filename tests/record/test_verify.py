"""Every tampering of the table is found and named, no more and no less; and what is whole is called whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.errors import LogUnavailable
from engine.record.entry import Entry
from engine.record.verify import MOST_FAULTS, Evidence, FaultKind, Purge, Report, purge_of, verify
from tests.record.tampering import (
    FIELDS,
    LEGITIMATE,
    MAC_KEY,
    TABLE,
    Tampering,
    body,
    contents,
    made,
    rewrite,
    untouched,
)


def named(tampering: Tampering, mac_key: bytes | None) -> set[tuple[FaultKind, str, int]]:
    scene = untouched()
    tampering.do(scene)
    return {(fault.kind, fault.writer, fault.sequence) for fault in scene.verify(mac_key).faults}


@pytest.mark.parametrize("mac_key", [MAC_KEY, None], ids=["with key", "without key"])
@pytest.mark.parametrize("tampering", [*TABLE, *LEGITIMATE], ids=lambda each: each.name)
def test_it_is_found_and_named(tampering: Tampering, mac_key: bytes | None) -> None:
    assert named(tampering, mac_key) == tampering.expected(mac_key)


@pytest.mark.parametrize(
    "kind", [each for each in FaultKind if each is not FaultKind.MISFILED], ids=lambda each: each.name
)
def test_each_detection_is_needed(kind: FaultKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one kind of fault switched off, some tampering of the table is not told as it should be."""
    tell = Report.tell

    def deaf(self: Report, told: FaultKind, writer: str, sequence: int, message: str) -> None:
        if told is not kind:
            tell(self, told, writer, sequence, message)

    monkeypatch.setattr(Report, "tell", deaf)
    assert [each.name for each in TABLE if named(each, MAC_KEY) != each.expected(MAC_KEY)]


def test_the_table_changes_every_field() -> None:
    assert {f"a bit of {name}" for name in FIELDS} <= {each.name for each in TABLE}


def test_a_changed_link_is_told_from_changed_contents() -> None:
    told: dict[str, str] = {}
    for tampering in TABLE:
        scene = untouched()
        tampering.do(scene)
        told[tampering.name] = scene.verify(None).faults[0].message if scene.verify(None).faults else ""
    assert told["a bit of previous"] == "the hash that it follows was changed"
    assert told["a bit of body"] == told["a bit of payload"] == "its hash is not that of what it says"
    assert told["two entries swapped"] == "this is what entry 9 was"


def test_what_was_not_checked_is_said() -> None:
    scene = untouched()
    report = scene.verify(MAC_KEY)
    assert (report.whole, report.macs_checked, report.signatures_checked) == (True, True, True)
    assert (report.writers, report.entries, report.checkpoints, report.receipts) == (2, 21, 3, 3)
    rewrite(scene, 12)  # the last entry of a chain, after its checkpoints and receipts: only the key tells
    assert scene.verify(None).whole
    assert not scene.verify(None).macs_checked
    assert [fault.sequence for fault in scene.verify(MAC_KEY).faults] == [12]
    unsigned = verify(scene.chains, Evidence(checkpoints=lambda: scene.checkpoints))
    assert not unsigned.signatures_checked
    assert unsigned.checkpoints == 3


def test_entries_are_not_kept() -> None:
    """The walk holds two entries at most: what it is given is made while it walks."""
    alive: list[int] = []

    class Counted(bytes):
        def __init__(self, _: object) -> None:
            alive.append(1)

        def __del__(self) -> None:
            alive.pop()

    most = 0

    def entries() -> Iterator[Entry]:
        nonlocal most
        for entry in made("w1", [(body("w1", number), b"") for number in range(1, 200)]):
            yield Entry(entry.writer, entry.sequence, Counted(entry.body), b"", entry.previous, entry.hash, entry.mac)
            most = max(most, len(alive))

    assert verify([("w1", entries())], Evidence(MAC_KEY)).whole
    assert 0 < most <= 3


def test_faults_are_told_up_to_a_number_and_then_counted() -> None:
    entries = made("w1", [(body("w1", number), b"") for number in range(MOST_FAULTS + 5)], b"another key")
    seen: list[int] = []
    report = verify([("w1", entries)], Evidence(MAC_KEY), seen.append)
    assert (len(report.faults), report.untold, report.whole) == (MOST_FAULTS, 5, False)
    assert seen == [1000, MOST_FAULTS + 5]


def test_a_chain_that_cannot_be_read_on_is_a_fault() -> None:
    def broken() -> Iterator[Entry]:
        yield from untouched().of("w1")[:6]
        raise LogUnavailable("the file is damaged")

    (fault,) = verify([("w1", broken())], Evidence(MAC_KEY)).faults
    assert (fault.kind, fault.writer, fault.sequence) == (FaultKind.UNREADABLE, "w1", 7)


@pytest.mark.parametrize(
    "said",
    [
        b'{"kind":"purge"}',
        b'["kind","purge"]',
        b'{"kind":"purge","of":"w1","through":"5","hash":"a"}',
        b'{"kind":"purge","of":["w1"],"through":5,"hash":"a"}',
        b'{"kind":"decision","caller":"\\"kind\\":\\"purge\\""}',
        b'{"a":{"kind":"purge"},"kind":"decision","of":"w1","through":5,"hash":"a"}',
        b'"kind":"purge" \xff',
        b'{"kind":"purge","x":' + b"[" * 100_000,
    ],
)
def test_what_only_looks_like_a_purge_is_none(said: bytes) -> None:
    (entry,) = made("w1", [(said, b"")])
    assert purge_of(entry) is None
    assert verify([("w1", [entry])], Evidence(MAC_KEY)).whole


def test_a_purge_reads_as_it_was_written() -> None:
    purge = Purge("w1", 5, "a" * 64)
    (entry,) = made("w2", [(b'{"hash":"' + b"a" * 64 + b'","kind":"purge","of":"w1","through":5}', b"")])
    assert purge_of(entry) == purge
    assert contents([entry])[0][1] == b""
