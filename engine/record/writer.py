"""Recorded before it is answered: calls wait until what they bring is durable, and those that wait share one write.

One thread takes all that waits, makes one transaction of it (one fsync) and lets the calls go. Where that fails, every
call in it fails, nothing of it is in the log, and the next ones try again: recovery needs no hand.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from engine.errors import LogLate, LogRefused, LogUnavailable, PluisError, RequestReused, RequestTaken, WriterTaken
from engine.record import checkpoint
from engine.record.checkpoint import Checkpointer
from engine.record.composing import Composer, Item, Recorded, request_of, size_of
from engine.record.entry import Draft, Receipt
from engine.record.feedback import FeedbackDraft
from engine.record.sealing import Keys
from engine.record.store import Claim, Store
from engine.rules.canonical import canonical_json

LOG = logging.getLogger("pluis.record")
WRITERS = tuple(f"w{number}" for number in range(1, 65))
"""The names that processes take, each the first that is free."""
ATTEMPTS = 5
"""How often in a row other workers may be first with a request of a batch."""
Answer: TypeAlias = Recorded | RequestReused


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is written at once (a single call may bring more), and how often a checkpoint is made."""

    most_entries: int = 512
    most_bytes: int = 4 << 20
    checkpoint_entries: int = checkpoint.EVERY_ENTRIES
    checkpoint_seconds: float = checkpoint.EVERY_SECONDS


class _Call:
    """What waits: the items of one call, and the place where it looks for its answers."""

    def __init__(self, items: tuple[Item, ...]) -> None:
        self.items = items
        self.size = sum(size_of(item) for item in items)
        self.answers: Future[tuple[Answer, ...]] = Future()


class DecisionLog:
    """The writing side of the log of one process; threads share it. A context manager.

    It writes the chain of the first of `writers` that no other process has. WriterTaken when there is none. While the
    database is away it can be made all the same, and calls fail with LogUnavailable.
    """

    def __init__(
        self,
        store: Store,
        keys: Keys,
        checkpoints: Path,
        writers: Sequence[str] = WRITERS,
        pace: Pace = Pace(),
    ) -> None:
        self._store = store
        self._keys = keys
        self._writers = tuple(writers)
        self._pace = pace
        self._rulesets: dict[str, bytes] = {}
        self._stored: set[str] = set()
        self._claim: Claim | None = None
        self._tail: Receipt | None = None
        self._tail_read = False
        self._checkpointer = Checkpointer(checkpoints, keys.signing, pace.checkpoint_entries, pace.checkpoint_seconds)
        self._trouble = ""
        self._closed = False
        self._waiting: deque[_Call] = deque()
        self._changed = threading.Condition()
        started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="decision-log", daemon=True)
        self._thread.start()
        started.result()

    @property
    def trouble(self) -> str:
        """Why the last write failed; "" when it did not."""
        return self._trouble

    @property
    def writer(self) -> str:
        """The chain that is written; "" while there is none."""
        return self._claim.writer if self._claim is not None else ""

    def add_ruleset(self, digest: str, texts: Mapping[str, str]) -> None:
        """Keeps the texts of a ruleset, to be stored with the first decision that is made by it."""
        self._rulesets[digest] = canonical_json(dict(texts))

    def record(self, draft: Draft, timeout: float | None = None) -> Recorded:
        """Records a decision; when this returns it is durable. RequestReused; LogUnavailable.

        A request that was recorded before, by any worker, gives what was recorded then. `timeout` is in seconds: a call
        that gives up gets LogUnavailable, and whether its entry was kept is then told by its request id.
        """
        (answer,) = self.record_many((draft,), timeout)
        if isinstance(answer, RequestReused):
            raise answer
        return answer

    def record_many(self, drafts: Sequence[Draft], timeout: float | None = None) -> tuple[Answer, ...]:
        """Records decisions in their order, all in one transaction; RequestReused stands in place of those that are."""
        for draft in drafts:
            if draft.ruleset.digest not in self._rulesets:
                raise ValueError(f"nobody added the ruleset `{draft.ruleset.id}` {draft.ruleset.version} to the log")
        return self._do(tuple(drafts), timeout)

    def record_feedback(self, draft: FeedbackDraft, timeout: float | None = None) -> Receipt:
        """Records feedback on a decision. LogRefused when there is none, or a remark comes after its erasure."""
        (answer,) = self._do((draft,), timeout)
        assert isinstance(answer, Recorded)  # only decisions have request ids
        return answer.receipt

    def close(self) -> None:
        """Takes no more calls, finishes those that wait, adds a last checkpoint and lets go of the chain."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def __enter__(self) -> DecisionLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _do(self, items: tuple[Item, ...], timeout: float | None) -> tuple[Answer, ...]:
        if not items:
            return ()
        call = _Call(items)
        with self._changed:
            if self._closed:
                raise LogUnavailable("the decision log is closed")
            self._waiting.append(call)
            self._changed.notify()
        try:
            return call.answers.result(timeout)
        except TimeoutError:
            if call.answers.cancel():
                raise LogLate("not recorded within its time, and it will not be") from None
            if call.answers.done():
                return call.answers.result()
            raise LogLate("not recorded within its time: the request id tells whether it was later") from None

    # ---- the one thread ----

    def _run(self, started: Future[None]) -> None:
        try:
            self._claimed()
        except LogUnavailable as fault:  # away: the first call tries again
            self._trouble = str(fault)
        except BaseException as fault:
            started.set_exception(fault)
            return
        started.set_result(None)
        while (calls := self._next()) is not None:
            if calls:
                self._commit(calls)
            self._pin()
        self._checkpointer.add()
        if self._claim is not None:
            self._claim.close()

    def _next(self) -> list[_Call] | None:
        """What goes into the next transaction; nothing when a checkpoint is due, None when all is done."""
        taken: list[_Call] = []
        entries = size = 0
        with self._changed:
            while not self._waiting:
                if self._closed:
                    return None
                seconds = self._checkpointer.waits()
                if seconds == 0:
                    return []
                self._changed.wait(seconds)
            while self._waiting:
                call = self._waiting[0]
                entries, size = entries + len(call.items), size + call.size
                if taken and (entries > self._pace.most_entries or size > self._pace.most_bytes):
                    break
                self._waiting.popleft()
                if call.answers.set_running_or_notify_cancel():
                    taken.append(call)
        return taken

    def _commit(self, calls: Sequence[_Call]) -> None:
        try:
            answered = self._write(calls)
        except Exception as fault:
            self._tail_read = False  # what is in the log now is the log's to say
            if isinstance(fault, WriterTaken) and self._claim is not None:
                self._claim.close()
                self._claim = None
            # The text of an error that is not ours may hold what was to be written.
            why = str(fault) if isinstance(fault, PluisError) else f"the decision log failed: {type(fault).__name__}"
            self._tell(why)
            for call in calls:
                call.answers.set_exception(LogUnavailable(why))
            return
        self._tell("")
        for call, answer in answered:
            if isinstance(answer, PluisError):
                call.answers.set_exception(answer)
            else:
                call.answers.set_result(answer)

    def _write(self, calls: Sequence[_Call]) -> list[tuple[_Call, tuple[Answer, ...] | PluisError]]:
        """Makes what the calls bring durable, and gives their answers: a call that is refused fails no other."""
        claim = self._claimed()
        requests = {request for call in calls for item in call.items if (request := request_of(item)) is not None}
        subjects = {item.subject for call in calls for item in call.items if isinstance(item, Draft)}
        with self._store.locked(sorted(requests)):
            for attempt in range(ATTEMPTS):
                composer = Composer(self._store, claim, self._keys, self._read_tail(claim))
                # The index of the writer's own database tells by itself: what is new there needs no look.
                composer.known = (
                    self._store.requests(requests)
                    if attempt
                    else self._store.requests_elsewhere(claim.writer, requests)
                )
                composer.find_keys(subjects)
                answered = [(call, _added(composer, call)) for call in calls]
                if not composer.entries:
                    return answered
                batch = composer.batch(self._rulesets, self._stored)
                try:
                    claim.append(batch)
                except RequestTaken:
                    self._tail_read = False
                    continue
                last = batch.entries[-1]
                self._tail = Receipt(last.writer, last.sequence, last.hash)
                self._stored.update(batch.rulesets)
                self._checkpointer.saw(self._tail, len(batch.entries))
                return answered
        raise LogUnavailable("other workers were first with the same requests, again and again")

    def _claimed(self) -> Claim:
        """The chain that is written: of the first writer that is free. WriterTaken, LogUnavailable."""
        if self._claim is None:
            for writer in self._writers:
                try:
                    self._claim = self._store.claim(writer)
                except WriterTaken:
                    continue
                self._tail_read = False
                self._read_tail(self._claim)
                if self._tail is not None:  # a process that was killed may have left it without a checkpoint
                    self._checkpointer.saw(self._tail, 0)
                return self._claim
            raise WriterTaken(f"other processes write all of the {len(self._writers)} chains")
        return self._claim

    def _read_tail(self, claim: Claim) -> Receipt | None:
        if not self._tail_read:
            self._tail = claim.last()
            self._tail_read = True
        return self._tail

    def _pin(self) -> None:
        """Adds a checkpoint when one is due; after the calls were let go."""
        before = self._checkpointer.failures
        self._checkpointer.add_if_due()
        if self._checkpointer.failures > before:
            LOG.error("no checkpoint could be added to %s", self._checkpointer.path)

    def _tell(self, trouble: str) -> None:
        """Logs the first failure of a row, and its end."""
        if trouble and not self._trouble:
            LOG.error("no decision can be recorded: %s", trouble)
        elif self._trouble and not trouble:
            LOG.warning("decisions are recorded again")
        self._trouble = trouble


def _added(composer: Composer, call: _Call) -> tuple[Answer, ...] | PluisError:
    """The answers to a call; or why it is refused."""
    try:
        return composer.add(call.items)
    except LogUnavailable:
        raise
    except PluisError as fault:
        return fault
    except ValueError:  # half of a surrogate pair: it has no bytes. The error itself may hold what was to be written
        return LogRefused("what is to be recorded has no canonical form")
