"""Chains made by hand for the tests of the store: bodies that say what it files entries under, and any payload."""

from __future__ import annotations

from collections.abc import Iterable

from engine.record.entry import BEGINNING, Entry, Receipt, chain
from engine.record.sealing import WrappedKey
from engine.record.store import Batch, Claim, Store
from engine.rules.canonical import canonical_json

MAC_KEY = b"m" * 32
EVERY_BYTE = bytes(range(256))


def body(number: int, **said: object) -> dict[str, object]:
    """A decision's clear part; `said` replaces what it says."""
    return {
        "kind": "decision",
        "decision_id": f"decision-{number}",
        "request_id": f"request-{number}",
        "caller": "caller",
        "time": f"2026-01-01T00:00:{number:02}.000Z",
        "ruleset": {"id": "bicycle"},
        "payload_key": "",
    } | said


def links(writer: str, bodies: Iterable[dict[str, object]], after: Receipt | None = None) -> tuple[Entry, ...]:
    """The bodies as the next entries of a chain."""
    last = after or Receipt(writer, 0, BEGINNING)
    found: list[Entry] = []
    for each in bodies:
        entry = chain(writer, last.sequence + 1, canonical_json(each), EVERY_BYTE, last.hash, MAC_KEY)
        last = Receipt(writer, entry.sequence, entry.hash)
        found.append(entry)
    return tuple(found)


def append(claim: Claim, *bodies: dict[str, object], keys: tuple[WrappedKey, ...] = ()) -> tuple[Entry, ...]:
    """Appends bodies to the end of a claimed chain."""
    entries = links(claim.writer, bodies, claim.last())
    claim.append(Batch(entries, keys))
    return entries


def write(
    store: Store, writer: str, *bodies: dict[str, object], keys: tuple[WrappedKey, ...] = ()
) -> tuple[Entry, ...]:
    """Claims a chain, appends to it and lets go of it."""
    with store.claim(writer) as claim:
        return append(claim, *bodies, keys=keys)


def key(id: str, subject: str = "", wrapped: bytes = EVERY_BYTE) -> WrappedKey:
    return WrappedKey(id, subject, "", wrapped)


def all_entries(store: Store) -> list[Entry]:
    return [entry for writer in store.writers() for entry in store.entries(writer)]
