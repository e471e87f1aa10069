"""From requests to recorded responses: worked out, recorded, and only then answered.

A request that comes again, by its caller and request id, gets what it got the first time: decided again by the ruleset
that decided then, which the log holds when it is not served any more.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

import engine
from engine.decide.answers import Answers
from engine.decide.decision import Outcome
from engine.decide.evaluate import Evaluator
from engine.errors import (
    AnswersError,
    EvaluatorsDisagree,
    LogError,
    LogUnavailable,
    PluisError,
    RequestReused,
    Violation,
)
from engine.pb.v1 import triage_pb2 as pb
from engine.record.composing import Recorded
from engine.record.entry import Draft, Receipt, RulesetKey
from engine.record.reading import State
from engine.rules.canonical import canonical_json
from engine.rules.load import build
from engine.rules.source import Source
from engine.serve.asked import Asked, Pieces, ask
from engine.serve.config import Config
from engine.serve.convert import (
    RESPONDENTS,
    acceptable_request_id,
    is_full,
    violation_messages,
)
from engine.serve.kit import Kit, Reply
from engine.serve.recording import Recording
from engine.serve.registry import NotServed, Served, Snapshot
from engine.serve.shadow.feeding import Shadow
from engine.serve.standing import Standing
from engine.serve.telemetry.metrics import Metrics

PAST = 4
"""Rulesets that are not served any more and are kept ready, for requests that come again."""


class DecidedOtherwise(PluisError):
    """What the log holds cannot be reached again by its own ruleset; names no answer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a new decision tells those who count: by which ruleset, on which answers, and what followed."""

    served: Served
    answers: Answers
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Worked:
    """A request that is worked out and not yet answered; without a draft there is nothing to record."""

    asked: Asked
    snapshot: Snapshot
    reply: Reply
    draft: Draft | None = None
    seen: Seen | None = None


class Answering:
    """Answers requests of one server. Safe to share between threads."""

    def __init__(
        self,
        config: Config,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        new_request_id: Callable[[], str],
        recording: Recording | None,
        metrics: Metrics,
        shadow: Shadow | None,
    ) -> None:
        self._config = config
        self._clock = clock
        self._new_id = new_id
        self._new_request_id = new_request_id
        self._recording = recording
        self._metrics = metrics
        self._shadow = shadow
        self._lock, self._past_lock = threading.Lock(), threading.Lock()
        self._kits: WeakKeyDictionary[Served, Kit] = WeakKeyDictionary()
        self._past: OrderedDict[str, Served] = OrderedDict()
        self.disagreements = 0
        """How often the two evaluators disagreed, so that there was no decision."""

    def prepare(self, served: Served) -> None:
        """Makes everything that the first response of a ruleset would have to wait for."""
        self._kit(served)

    def ask(self, message: bytes, snapshot: Snapshot) -> Asked:
        """A request of bytes. Raises DecodeError."""

        def find(ruleset: str, version: str) -> tuple[Served, Pieces] | None:
            today = self._clock().date()
            for served in snapshot.versions.get(ruleset, ()):
                if served.version == version or (not version and served.effective(today)):
                    return served, self._kit(served).pieces
            return None

        return ask(message, find)

    def answer(
        self, requests: Iterable[Asked], snapshot: Snapshot, caller: str, waits: Callable[[], float]
    ) -> list[Reply | Exception]:
        """For each request its response, or why there is none. What is recorded is recorded in one go.

        `waits` gives the seconds that the caller still waits.
        """
        results: list[Reply | Exception] = []
        waiting: list[tuple[int, Worked]] = []
        for request in requests:
            try:
                worked = self._work_out(request, snapshot, caller)
            except Exception as error:  # what one patient's request does must not stop the others
                results.append(error)
                continue
            if worked.draft is None:
                self._count(worked)
                results.append(worked.reply)
            else:  # INVARIANT: this place gets a response only once the draft is durable
                results.append(LogUnavailable("the decision was not recorded"))
                waiting.append((len(results) - 1, worked))
        if waiting:
            for (place, _), result in zip(
                waiting, self._record([each for _, each in waiting], caller, waits()), strict=True
            ):
                results[place] = result
        return results

    def _work_out(self, asked: Asked, snapshot: Snapshot, caller: str) -> Worked:
        """What follows from a request. Raises what `errors.py` has a status for."""
        try:
            return self._first(asked, snapshot, caller)
        except (AnswersError, NotServed) as error:  # the rulesets may have changed since it was answered
            head = asked.head
            if self._recording is None or head.validate_only or not head.context.request_id:
                raise
            return Worked(asked, snapshot, self._again(asked, snapshot, caller, error))

    def _first(self, asked: Asked, snapshot: Snapshot, caller: str) -> Worked:
        head = asked.head
        time = whole_milliseconds(self._clock())
        served = snapshot.deciding(head.ruleset, head.ruleset_version, time.date())
        language = served.language(head.language)
        try:
            answers = asked.read(served, self._config, language)
        except AnswersError as error:
            if not head.validate_only:
                raise
            return Worked(asked, snapshot, self._validated(head, served, language, time, error.violations))
        if head.validate_only:
            return Worked(asked, snapshot, self._validated(head, served, language, time, ()))
        outcome, kept, digest, told = self._decide(head, served, language, answers)
        decision_id = self._new_id()
        envelope = pb.EvaluateResponse(
            decision_id=decision_id, request_id=head.context.request_id, decision_digest=digest
        )
        reply = self._kit(served).reply(envelope, language, time, told)
        seen = Seen(served, answers, outcome)
        if self._recording is None:
            return Worked(asked, snapshot, reply, seen=seen)
        context = head.context
        draft = Draft(
            decision_id=decision_id,
            request_id=context.request_id,
            time=time,
            caller=caller,
            on_behalf_of=context.on_behalf_of,
            respondent=RESPONDENTS[context.respondent],
            subject=context.subject_reference,
            language=language,
            ruleset=RulesetKey(served.id, served.version, served.digest),
            answers=self._kit(served).written(answers),
            outcome=kept,
            decision_digest=digest,
            engine=engine.__version__,
        )
        return Worked(asked, snapshot, reply, draft, seen)

    def _record(self, worked: Sequence[Worked], caller: str, seconds: float) -> Iterator[Reply | Exception]:
        """The responses, once their drafts are durable; LogUnavailable in the place of each where they are not."""
        assert self._recording is not None
        drafts = [each.draft for each in worked if each.draft is not None]
        rulesets = [each.seen.served for each in worked if each.seen is not None]
        texts = {served.digest: served.texts for served in rulesets}
        try:
            recorded = self._recording.record(drafts, texts, seconds)
        except LogError as error:
            yield from (error for _ in worked)
            return
        for each, result in zip(worked, recorded, strict=True):
            if isinstance(result, Recorded) and not result.replayed:
                self._count(each)
                yield each.reply.with_receipt(result.receipt)
                continue
            try:
                yield self._again(each.asked, each.snapshot, caller, _reused())
            except Exception as error:  # as in `answer`
                yield error

    def _again(self, asked: Asked, snapshot: Snapshot, caller: str, otherwise: Exception) -> Reply:
        """What a request got that was answered before. Raises `otherwise` where it was not, RequestReused where another
        request was answered."""
        assert self._recording is not None
        head, context = asked.head, asked.head.context
        kept = self._recording.find_request(caller, context.request_id)
        if kept is None:
            raise otherwise
        clear = kept.clear
        now = (context.subject_reference, RESPONDENTS.get(context.respondent), context.on_behalf_of, head.ruleset)
        before = (kept.sealed.get("subject"), clear["respondent"], clear["on_behalf_of"], kept.ruleset.id)
        if kept.state is not State.OPEN or now != before:
            raise _reused()
        language = clear["language"]
        if head.ruleset_version not in ("", kept.ruleset.version) or head.language not in ("", language):
            raise _reused()
        served = self._deciding(kept.ruleset.digest, snapshot)
        try:
            answers = asked.read(served, self._config, language)
        except AnswersError:
            raise _reused() from None
        if self._kit(served).written(answers) != canonical_json(kept.sealed["answers"]):
            raise _reused()
        _, outcome, digest, told = self._decide(head, served, language, answers)
        if outcome != kept.outcome:
            raise DecidedOtherwise("a recorded decision cannot be reached again by its own ruleset")
        envelope = pb.EvaluateResponse(
            decision_id=kept.decision_id, request_id=context.request_id, decision_digest=digest
        )
        reply = self._kit(served).reply(envelope, language, datetime.fromisoformat(clear["time"]), told)
        entry = kept.entry
        return reply.with_receipt(Receipt(entry.writer, entry.sequence, entry.hash))

    def _count(self, worked: Worked) -> None:
        """Counts a new decision, once it can be answered, and offers it to the candidates."""
        if worked.seen is None:
            return
        served, outcome = worked.seen.served, worked.seen.outcome
        self._metrics.decided(served.id, served.version, outcome, worked.seen.answers.unknown)
        if self._shadow is not None:
            self._shadow.offer(worked.asked.whole(), served.id, outcome)

    def _decide(
        self, head: pb.EvaluateRequest, served: Served, language: str, answers: Answers
    ) -> tuple[Outcome, bytes, str, bytes]:
        """What follows from the answers; its canonical bytes and their digest; and the part of a response with it."""
        try:
            evaluated = served.evaluator.evaluate(answers)
        except EvaluatorsDisagree:
            with self._lock:
                self.disagreements += 1
            self._metrics.disagreed(served.id, served.version)
            raise
        kit = self._kit(served)
        responder = kit.responders[language]
        told = responder.full(evaluated, answers) if is_full(head.view) else responder.basic(evaluated)
        return evaluated.outcome, *kit.digested(evaluated.outcome), told

    def _validated(
        self, head: pb.EvaluateRequest, served: Served, language: str, time: datetime, found: tuple[Violation, ...]
    ) -> Reply:
        """The response to `validate_only`: every violation, and no decision. An id that was refused is not repeated."""
        request_id = head.context.request_id
        envelope = pb.EvaluateResponse(
            request_id=request_id if acceptable_request_id(request_id) else self._new_request_id(),
            validation=pb.Validation(violations=violation_messages(found)),
        )
        return self._kit(served).reply(envelope, language, time, b"")

    def _deciding(self, digest: str, snapshot: Snapshot) -> Served:
        """The ruleset of a digest: one that is served, or as the log holds it."""
        assert self._recording is not None
        for served in snapshot:
            if served.digest == digest:
                return served
        with self._past_lock:
            known = self._past.get(digest)
            if known is None:
                texts = self._recording.ruleset(digest)
                checked, _ = build({name: Source(name, text) for name, text in texts.items()})
                if checked is None or checked.digest != digest:
                    raise DecidedOtherwise("the ruleset of a recorded decision is not in the log, or does not count")
                known = self._past[digest] = Served(Evaluator(checked), "the decision log", Standing(), texts)
            self._past.move_to_end(digest)
            if len(self._past) > PAST:
                self._past.popitem(last=False)[1].evaluator.close()
            return known

    def _kit(self, served: Served) -> Kit:
        """What is made once for a ruleset, when it is first needed; it goes when the ruleset goes."""
        kit = self._kits.get(served)
        if kit is None:
            with self._lock:
                kit = self._kits.setdefault(served, Kit(served))
        return kit


def _reused() -> RequestReused:
    return RequestReused("another request was answered under this request id: choose a new one for each request")


def whole_milliseconds(time: datetime) -> datetime:
    """The time as the log keeps it, so that a response says the same when it comes again."""
    return time.replace(microsecond=time.microsecond // 1000 * 1000)
