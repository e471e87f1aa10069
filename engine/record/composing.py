"""What goes into one transaction: entries sealed and chained, and each request only once.

The answers of a request that came before are compared by their tag, so that they need not be opened.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from engine.errors import LogRefused, RequestReused
from engine.record.entry import BEGINNING, Draft, Entry, Receipt, chain
from engine.record.feedback import FeedbackDraft
from engine.record.sealing import DataKey, Keys, WrappedKey, make_key, open_key, subject_lookup
from engine.record.store import Batch, Claim, Store
from engine.rules.canonical import canonical_json


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where something stands in the log. `replayed`: it was there already, as the answer to the same request."""

    decision_id: str
    receipt: Receipt
    replayed: bool


Item: TypeAlias = Draft | FeedbackDraft


def request_of(item: Item) -> tuple[str, str] | None:
    """The caller and request id by which an item is known again; None for what has none."""
    return (item.caller, item.request_id) if isinstance(item, Draft) and item.request_id else None


def size_of(item: Item) -> int:
    """About how many bytes an item takes in the log."""
    if isinstance(item, Draft):
        return len(item.outcome) + len(item.answers)
    return len(item.remark)


class Composer:
    """Gathers the entries of one transaction, which follow `tail`."""

    def __init__(self, store: Store, claim: Claim, keys: Keys, tail: Receipt | None) -> None:
        self._store = store
        self._claim = claim
        self._keys = keys
        self._sequence, self._previous = (tail.sequence, tail.hash) if tail else (0, BEGINNING)
        self.entries: list[Entry] = []
        self.known: Mapping[tuple[str, str], Entry] = {}
        """Requests that the log has already."""
        self._kept: dict[str, WrappedKey | None] = {}  # by `subject_lookup`
        # Dictionaries keep their order: what a call that failed added is taken back from their ends.
        self._requests: dict[tuple[str, str], tuple[Entry, DataKey]] = {}
        self._rulesets: dict[str, None] = {}
        self._subjects: dict[str, DataKey] = {}
        self._new: dict[str, WrappedKey] = {}
        self._relied: dict[str, None] = {}

    def find_keys(self, subjects: Iterable[str]) -> None:
        """Finds the keys that the writer has for subjects that are going to be added, all at once."""
        lookups = set()
        for subject in subjects:
            with suppress(ValueError):  # half of a surrogate pair: its call is refused when it is added
                lookups.add(subject_lookup(self._keys, subject))
        lookups.discard("")
        if lookups:
            self._kept |= dict.fromkeys(lookups) | self._claim.keys(lookups)

    def add(self, items: Sequence[Item]) -> tuple[Recorded | RequestReused, ...]:
        """Adds what one call brings, all of it; where that raises, none of it. What is reused is not added."""
        gathered: tuple[dict[Any, Any], ...] = (
            self._requests,
            self._rulesets,
            self._subjects,
            self._new,
            self._relied,
        )
        marks = [len(each) for each in gathered]
        count, sequence, previous = len(self.entries), self._sequence, self._previous
        try:
            return tuple(self._item(item) for item in items)
        except BaseException:
            for each, mark in zip(gathered, marks, strict=True):
                while len(each) > mark:
                    each.popitem()
            del self.entries[count:]
            self._sequence, self._previous = sequence, previous
            raise

    def batch(self, rulesets: Mapping[str, bytes], stored: AbstractSet[str]) -> Batch:
        """The transaction. `rulesets` has the content of each digest, `stored` the digests that the log has."""
        digests = self._rulesets.keys() - stored
        return Batch(
            entries=tuple(self.entries),
            keys=tuple(self._new.values()),
            relies_on=frozenset(self._relied),
            rulesets={digest: rulesets[digest] for digest in sorted(digests)},
        )

    def _item(self, item: Item) -> Recorded | RequestReused:
        return self._decision(item) if isinstance(item, Draft) else self._feedback(item)

    def _decision(self, draft: Draft) -> Recorded | RequestReused:
        request = request_of(draft)
        if request is not None and request in self._requests:
            return _again(draft, *self._requests[request])
        if request is not None and request in self.known:
            entry = self.known[request]
            return _again(draft, entry, self._key_by_id(_text(entry, "payload_key")))
        key = self._key_of(draft.subject)
        tags = {
            "subject_tag": key.subject_tag(draft.subject),
            "payload_key": key.id,
            "answers_tag": key.answers_tag(draft.answers),
        }
        body = canonical_json({**draft.clear(), **tags})
        entry = self._chained(body, key.seal(draft.payload(), body))
        self._rulesets[draft.ruleset.digest] = None
        if request is not None:
            self._requests[request] = entry, key
        return _recorded(draft.decision_id, entry)

    def _feedback(self, draft: FeedbackDraft) -> Recorded:
        """Sealed with the key of the decision's subject, so that it is erased with it."""
        decision = self._store.decision(draft.decision_id)
        if decision is None:
            raise LogRefused("the log has no decision with this id")
        key = self._key_beside(decision)
        if key is None and draft.remark:
            raise LogRefused("what was sealed in this decision is erased: no remark on it is kept")
        if key is None:
            return _recorded(draft.decision_id, self._chained(canonical_json(draft.clear()), b""))
        body = canonical_json({**draft.clear(), "payload_key": key.id})
        return _recorded(draft.decision_id, self._chained(body, key.seal(draft.payload(), body)))

    def _chained(self, body: bytes, payload: bytes) -> Entry:
        entry = chain(self._claim.writer, self._sequence + 1, body, payload, self._previous, self._keys.mac)
        self._sequence, self._previous = entry.sequence, entry.hash
        self.entries.append(entry)
        return entry

    def _key_of(self, subject: str) -> DataKey:
        """This writer's key for a subject; a new one where it has none, and for what has no subject."""
        lookup = subject_lookup(self._keys, subject)
        if lookup and lookup in self._subjects:
            return self._subjects[lookup]
        if lookup and lookup not in self._kept:
            self.find_keys([subject])
        row = self._kept.get(lookup)
        if row is None:
            row, key = make_key(self._keys, subject)
            self._new[row.id] = row
        else:
            key = open_key(self._keys, row)
            self._relied[row.id] = None
        if lookup:
            self._subjects[lookup] = key
        return key

    def _key_beside(self, decision: Entry) -> DataKey | None:
        """The key for what is added to a decision; None when what was sealed in it is erased."""
        row = self._store.key(_text(decision, "payload_key"))
        if row is None:
            return None
        key = open_key(self._keys, row)
        if decision.writer == self._claim.writer:
            self._relied[row.id] = None
            return key
        # Another writer's row is in another file, on which this transaction cannot rely: the subject gets one here.
        return self._key_of(str(json.loads(key.unseal(decision.payload, decision.body))["subject"]))

    def _key_by_id(self, id: str) -> DataKey | None:
        row = self._store.key(id)
        return None if row is None else open_key(self._keys, row)


def _again(draft: Draft, entry: Entry, key: DataKey | None) -> Recorded | RequestReused:
    """The answer to a request whose id was recorded before. Without the key, after an erasure, nobody can compare."""
    said = {"respondent": draft.respondent, "on_behalf_of": draft.on_behalf_of}
    same = (
        key is not None
        and all(_text(entry, name) == each for name, each in said.items())
        and json.loads(entry.body)["ruleset"]["id"] == draft.ruleset.id
        and _text(entry, "subject_tag") == key.subject_tag(draft.subject)
        and _text(entry, "answers_tag") == key.answers_tag(draft.answers)
    )
    if not same:
        return RequestReused("this request id was used for another request")
    return replace(_recorded(_text(entry, "decision_id"), entry), replayed=True)


def _recorded(decision_id: str, entry: Entry) -> Recorded:
    return Recorded(decision_id, Receipt(entry.writer, entry.sequence, entry.hash), replayed=False)


def _text(entry: Entry, name: str) -> str:
    return str(json.loads(entry.body).get(name, ""))
