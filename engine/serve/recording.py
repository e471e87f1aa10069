"""The decision log of one server: what goes in before it is answered, what is looked up, and whether it can be used.

The log is on unless its place is `off`. A failure to record is a failure of the call: nobody is answered unrecorded.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from engine.errors import LogUnavailable, RequestReused
from engine.record.composing import Recorded
from engine.record.entry import Draft, Entry, Receipt
from engine.record.feedback import FeedbackDraft
from engine.record.place import place_of
from engine.record.reading import Opened, State, Unsealed, open_entries, open_entry, unsealing
from engine.record.sealing import Keys, ensure_keys, subject_lookup
from engine.record.store import Selection, Store, open_store
from engine.record.writer import DecisionLog
from engine.serve.config import LOG_OFF, Config


class Recorder(Protocol):
    """What makes things durable: `engine.record.writer.DecisionLog`."""

    def add_ruleset(self, digest: str, texts: Mapping[str, str]) -> None:
        """Keeps the texts of a ruleset, to be stored with the first decision that is made by it."""

    def record_many(self, drafts: Sequence[Draft], timeout: float | None) -> Sequence[Recorded | RequestReused]:
        """Returns when every draft is durable: all of them, or LogUnavailable and none."""

    def record_feedback(self, draft: FeedbackDraft, timeout: float | None) -> Receipt:
        """Returns when the feedback is durable."""

    def close(self) -> None:
        """Takes no more calls, and finishes those that wait."""


class Recording:
    """A log in use, and whether the last thing that was asked of it succeeded. Safe to share between threads."""

    def __init__(self, recorder: Recorder, store: Store, keys: Keys, patience: float) -> None:
        """`patience`: seconds in which an entry must be durable, or its call fails."""
        self._recorder = recorder
        self._store = store
        self._keys = keys
        self._patience = patience
        self._unseal = unsealing(store, keys)
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._available = True
        self._watcher: Callable[[bool], None] = lambda available: None

    @property
    def told(self) -> str:
        """Where the log is and whether it can be read without keys, for operators."""
        rest = "encrypted at rest" if self._keys.current else "not encrypted at rest: the key file has no master key"
        return f"{self._store.location}, {rest}"

    def watch(self, watcher: Callable[[bool], None]) -> None:
        """Calls `watcher` with whether the log can be used: now, and whenever that changes."""
        with self._lock:
            self._watcher = watcher
            watcher(self._available)

    def record(self, drafts: Sequence[Draft], texts: Mapping[str, Mapping[str, str]]) -> list[Recorded | RequestReused]:
        """Returns when every draft is durable. `texts`: the content of their rulesets, by digest."""
        for digest in texts.keys() - self._known:
            self._recorder.add_ruleset(digest, texts[digest])
            self._known.add(digest)
        with self._asking():
            return [*self._recorder.record_many(drafts, self._patience)]

    def record_feedback(self, draft: FeedbackDraft) -> Receipt:
        """Returns when the feedback is durable."""
        with self._asking():
            return self._recorder.record_feedback(draft, self._patience)

    def find(self, decision_id: str) -> Opened | None:
        """A decision; None where there is none of this id."""
        with self._asking():
            return self._opened(self._store.decision(decision_id))

    def find_request(self, caller: str, request_id: str) -> Opened | None:
        """The decision that answered a request of a caller; None where there is none."""
        with self._asking():
            return self._opened(self._store.request(caller, request_id))

    def about(self, decision_id: str) -> tuple[Opened, ...]:
        """The feedback on a decision, oldest first."""
        with self._asking():
            return tuple(open_entries(self._store.about(decision_id), self._unseal))

    def select(self, selection: Selection) -> Iterator[Opened]:
        """The entries that a selection names, newest first; their clear parts alone, which is all that a list needs."""
        with self._asking():
            yield from open_entries(self._store.select(selection), lambda entry: Unsealed(State.SEALED))

    def keys_of(self, subject: str) -> frozenset[str]:
        """The ids of the keys with which is sealed what is about a subject."""
        with self._asking():
            return frozenset(each.id for each in self._store.keys_of(subject_lookup(self._keys, subject)))

    def ruleset(self, digest: str) -> dict[str, str]:
        """The content of a ruleset by which was once decided: file name to text; empty where there is none."""
        with self._asking():
            content = self._store.ruleset(digest)
        return {} if content is None else dict(json.loads(content))

    def close(self) -> None:
        """Lets everything that waits become durable, and takes no more."""
        self._recorder.close()
        self._store.close()

    def _opened(self, entry: Entry | None) -> Opened | None:
        return None if entry is None else open_entry(entry, self._unseal)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except LogUnavailable:
            self._tell(False)
            raise
        self._tell(True)

    def _tell(self, available: bool) -> None:
        if available is self._available:
            return
        with self._lock:
            self._available = available
            self._watcher(available)


def open_recording(config: Config) -> Recording | None:
    """The log of a server; None where it is switched off. Raises LogError where it cannot be written at all."""
    if config.log == LOG_OFF:
        return None
    place = place_of(config.log, config.log_keys)
    keys = ensure_keys(place.keys)
    store = open_store(place.where)
    try:
        return Recording(DecisionLog(store, keys, place.checkpoints), store, keys, config.log_patience)
    except BaseException:
        store.close()
        raise
