"""The decision log of one server: what goes in before it is answered, what is looked up, and whether it can be used.

The log is on unless its place is `off`. A failure to record is a failure of the call: nobody is answered unrecorded.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from math import inf
from typing import Protocol

from engine.errors import LogLate, LogUnavailable, RequestReused
from engine.record.composing import Recorded
from engine.record.entry import Draft, Entry, Receipt
from engine.record.feedback import FeedbackDraft
from engine.record.place import place_of
from engine.record.reading import Opened, State, Unsealed, open_entries, open_entry, unsealing
from engine.record.sealing import Keys, ensure_keys, subject_lookup
from engine.record.store import Selection, Store, open_store
from engine.record.writer import DecisionLog
from engine.serve.config import LOG_OFF, Config
from engine.serve.telemetry.metrics import Metrics


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


class Use(Enum):
    """What is done with the log."""

    READING = "reading"
    WRITING = "writing"


class Recording:
    """A log in use, and whether it can be used. Safe to share between threads."""

    def __init__(self, recorder: Recorder, store: Store, keys: Keys, patience: float, metrics: Metrics) -> None:
        """`patience`: seconds in which an entry must be durable, or its call fails."""
        self._recorder = recorder
        self._store = store
        self._keys = keys
        self._patience = patience
        self._metrics = metrics
        self._unseal = unsealing(store, keys)
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._failing: Use | None = None
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
            watcher(self._failing is None)

    def record(
        self, drafts: Sequence[Draft], texts: Mapping[str, Mapping[str, str]], seconds: float
    ) -> list[Recorded | RequestReused]:
        """Returns when every draft is durable. `texts`: the content of their rulesets, by digest.

        `seconds`: how long the caller waits; LogUnavailable when neither that nor our own patience was enough.
        """
        for digest in texts.keys() - self._known:
            self._recorder.add_ruleset(digest, texts[digest])
            self._known.add(digest)
        started = time.monotonic()
        self._metrics.log_waiting(len(drafts))
        try:
            with self._asking(Use.WRITING, seconds):
                recorded = [*self._recorder.record_many(drafts, min(seconds, self._patience))]
        finally:
            self._metrics.log_waiting(-len(drafts))
        self._metrics.log_written(time.monotonic() - started, len(drafts))
        return recorded

    def record_feedback(self, draft: FeedbackDraft, seconds: float) -> Receipt:
        """Returns when the feedback is durable; `seconds` as above."""
        with self._asking(Use.WRITING, seconds):
            return self._recorder.record_feedback(draft, min(seconds, self._patience))

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
    def _asking(self, use: Use = Use.READING, seconds: float = inf) -> Iterator[None]:
        """Notes whether it succeeds. A log that could not be written must be written before it counts as usable.

        `seconds` is what the caller gave: a caller without patience says nothing about the log.
        """
        try:
            yield
        except LogLate:
            if seconds >= self._patience:
                with self._lock:
                    self._note(Use.WRITING)
            raise
        except LogUnavailable:
            with self._lock:
                self._note(Use.WRITING if self._failing is Use.WRITING else use)
            raise
        if self._failing is not None:
            with self._lock:
                if use is Use.WRITING or self._failing is Use.READING:
                    self._note(None)

    def _note(self, failing: Use | None) -> None:
        if failing is not self._failing:
            self._failing = failing
            self._metrics.log_trouble(failing is not None)
            self._watcher(failing is None)


def open_recording(config: Config, metrics: Metrics) -> Recording | None:
    """The log of a server; None where it is switched off. Raises LogError where it cannot be written at all."""
    if config.log == LOG_OFF:
        return None
    place = place_of(config.log, config.log_keys)
    keys = ensure_keys(place.keys)
    store = open_store(place.where)
    try:
        return Recording(DecisionLog(store, keys, place.checkpoints), store, keys, config.log_patience, metrics)
    except BaseException:
        store.close()
        raise
