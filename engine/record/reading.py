"""What an entry says, opened: its clear part, and what was sealed, or why that cannot be read.

Everything that looks back at the log (replay, export, show) reads entries through this file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from engine.decide.answers import UNKNOWN, Given, given
from engine.errors import LogRefused
from engine.record.entry import Entry, EntryKind, RulesetKey
from engine.record.sealing import Keys, open_key
from engine.record.store import Store


class UnreadableEntry(LogRefused):
    """An entry is not what any version of Pluis writes. The message names the entry and never what it holds."""

    def __init__(self, entry: Entry) -> None:
        place = f"entry {entry.sequence} of writer `{entry.writer}`"
        super().__init__(f"{place} cannot be read: `pluis log verify` tells what was changed")


class State(Enum):
    """Whether what was sealed can be read."""

    OPEN = "open"
    ERASED = "erased"
    """Its key was destroyed: nobody can read it any more."""
    SEALED = "sealed"
    """There is a key, and it is wrapped with one that is not here."""
    EMPTY = "empty"
    """Nothing was sealed."""


@dataclass(frozen=True, slots=True)
class Unsealed:
    """What came of opening a payload: the bytes where the state is OPEN."""

    state: State
    payload: bytes = b""


Unseal: TypeAlias = Callable[[Entry], Unsealed]


@dataclass(frozen=True, slots=True)
class Opened:
    """An entry of which the clear part is read, and the sealed part where that is possible."""

    entry: Entry
    kind: EntryKind
    clear: Mapping[str, Any]
    state: State
    sealed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.entry.writer}/{self.entry.sequence}"

    @property
    def decision_id(self) -> str:
        """The decision that it is about; empty for an erasure or a purge."""
        return str(self.clear.get("decision_id", ""))

    @property
    def ruleset(self) -> RulesetKey:
        """The ruleset by which was decided; empty words for what is no decision."""
        found = self.clear.get("ruleset", {})
        return RulesetKey(*(str(found.get(key, "")) for key in ("id", "version", "digest")))

    @property
    def outcome(self) -> bytes:
        """The canonical bytes of the outcome, empty where they cannot be read."""
        return str(self.sealed.get("outcome", "")).encode()

    def answers(self) -> dict[str, Given]:
        """The answers as they can be put to an evaluator again; none where they cannot be read."""
        return {name: _given(said) for name, said in self.sealed.get("answers", {}).items()}


def unsealing(store: Store, keys: Keys | None) -> Unseal:
    """Opens payloads with the data keys of a log. Without a key file it opens what no master key wraps."""
    own = keys or Keys(b"", b"", {}, "")

    def unseal(entry: Entry) -> Unsealed:
        row = store.key(_payload_key(entry))
        if row is None:
            return Unsealed(State.ERASED)
        if row.master and row.master not in own.masters:
            return Unsealed(State.SEALED)
        try:
            return Unsealed(State.OPEN, open_key(own, row).unseal(entry.payload, entry.body))
        except LogRefused:
            raise UnreadableEntry(entry) from None

    return unseal


def _payload_key(entry: Entry) -> str:
    try:
        return str(json.loads(entry.body)["payload_key"])
    except (ValueError, TypeError, KeyError):
        raise UnreadableEntry(entry) from None


def open_entries(entries: Iterable[Entry], unseal: Unseal) -> Iterator[Opened]:
    """Every entry, opened, in the order in which they come. UnreadableEntry where one is no entry."""
    return (open_entry(entry, unseal) for entry in entries)


def open_entry(entry: Entry, unseal: Unseal) -> Opened:
    """One entry, opened."""
    unsealed = unseal(entry) if entry.payload else Unsealed(State.EMPTY)
    try:
        clear = json.loads(entry.body)
        sealed = json.loads(unsealed.payload) if unsealed.state is State.OPEN else {}
        kind = EntryKind(clear["kind"])
        if not isinstance(sealed, dict) or not isinstance(clear.get("ruleset", {}), dict):
            raise UnreadableEntry(entry)
    except (ValueError, TypeError, KeyError):  # what it holds may not be told, so its error is not passed on
        raise UnreadableEntry(entry) from None
    return Opened(entry, kind, clear, unsealed.state, sealed)


def _given(said: str | list[str] | None) -> Given:
    """An answer of the log: None is unknown, a list several options, any other text is told by its look."""
    if said is None:
        return UNKNOWN
    return given(tuple(said) if isinstance(said, list) else said)
