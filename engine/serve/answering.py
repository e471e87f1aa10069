"""From requests to recorded responses: worked out, recorded, and only then answered.

A request that comes again, by its caller and request id, gets what it got the first time: decided again by the ruleset
that decided then, which the log holds when it is not served any more.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

import engine
from engine.decide.answers import Answers
from engine.decide.canonical import outcome_bytes
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
from engine.serve.config import Config
from engine.serve.convert import (
    RESPONDENTS,
    acceptable_request_id,
    is_full,
    kept_answers,
    read_answers,
    receipt_message,
    reference,
    violation_messages,
)
from engine.serve.recording import Recording
from engine.serve.registry import NotServed, Served, Snapshot
from engine.serve.respond import Responder
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

    request: pb.EvaluateRequest
    snapshot: Snapshot
    response: pb.EvaluateResponse
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
        self._responders: WeakKeyDictionary[Served, dict[str, Responder]] = WeakKeyDictionary()
        self._past: OrderedDict[str, Served] = OrderedDict()
        self.disagreements = 0
        """How often the two evaluators disagreed, so that there was no decision."""

    def prepare(self, served: Served) -> None:
        """Makes everything that the first response of a ruleset would have to wait for."""
        for language in served.languages:
            self._responder(served, language)

    def answer(
        self, requests: Iterable[pb.EvaluateRequest], snapshot: Snapshot, caller: str, waits: Callable[[], float]
    ) -> list[pb.EvaluateResponse | Exception]:
        """For each request its response, or why there is none. What is recorded is recorded in one go.

        `waits` gives the seconds that the caller still waits.
        """
        results: list[pb.EvaluateResponse | Exception] = []
        waiting: list[tuple[int, Worked]] = []
        for request in requests:
            try:
                worked = self._work_out(request, snapshot, caller)
            except Exception as error:  # what one patient's request does must not stop the others
                results.append(error)
                continue
            if worked.draft is None:
                self._count(worked)
                results.append(worked.response)
            else:  # INVARIANT: this place gets a response only once the draft is durable
                results.append(LogUnavailable("the decision was not recorded"))
                waiting.append((len(results) - 1, worked))
        if waiting:
            for (place, _), result in zip(
                waiting, self._record([each for _, each in waiting], caller, waits()), strict=True
            ):
                results[place] = result
        return results

    def _work_out(self, request: pb.EvaluateRequest, snapshot: Snapshot, caller: str) -> Worked:
        """What follows from a request. Raises what `errors.py` has a status for."""
        try:
            return self._first(request, snapshot, caller)
        except (AnswersError, NotServed) as error:  # the rulesets may have changed since it was answered
            if self._recording is None or request.validate_only or not request.context.request_id:
                raise
            return Worked(request, snapshot, self._again(request, snapshot, caller, error))

    def _first(self, request: pb.EvaluateRequest, snapshot: Snapshot, caller: str) -> Worked:
        time = whole_milliseconds(self._clock())
        served = snapshot.deciding(request.ruleset, request.ruleset_version, time.date())
        language = served.language(request.language)
        response = _envelope(request, served, language, time)
        try:
            answers = read_answers(served.evaluator, request, self._config, language)
        except AnswersError as error:
            if not request.validate_only:
                raise
            return Worked(request, snapshot, _validation(response, error.violations, self._new_request_id))
        if request.validate_only:
            return Worked(request, snapshot, _validation(response, (), self._new_request_id))
        outcome, kept = self._decide(response, request, served, answers)
        response.decision_id = self._new_id()
        seen = Seen(served, answers, outcome)
        if self._recording is None:
            return Worked(request, snapshot, response, seen=seen)
        context = request.context
        draft = Draft(
            decision_id=response.decision_id,
            request_id=context.request_id,
            time=time,
            caller=caller,
            on_behalf_of=context.on_behalf_of,
            respondent=RESPONDENTS[context.respondent],
            subject=context.subject_reference,
            language=language,
            ruleset=RulesetKey(served.id, served.version, served.digest),
            answers=kept_answers(answers),
            outcome=kept,
            decision_digest=response.decision_digest,
            engine=engine.__version__,
        )
        return Worked(request, snapshot, response, draft, seen)

    def _record(
        self, worked: Sequence[Worked], caller: str, seconds: float
    ) -> Iterator[pb.EvaluateResponse | Exception]:
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
                each.response.receipt.CopyFrom(receipt_message(result.receipt))
                self._count(each)
                yield each.response
                continue
            try:
                yield self._again(each.request, each.snapshot, caller, _reused())
            except Exception as error:  # as in `answer`
                yield error

    def _again(
        self, request: pb.EvaluateRequest, snapshot: Snapshot, caller: str, otherwise: Exception
    ) -> pb.EvaluateResponse:
        """What a request got that was answered before. Raises `otherwise` where it was not, RequestReused where another
        request was answered."""
        assert self._recording is not None
        kept = self._recording.find_request(caller, request.context.request_id)
        if kept is None:
            raise otherwise
        context, clear = request.context, kept.clear
        asked = (context.subject_reference, RESPONDENTS.get(context.respondent), context.on_behalf_of, request.ruleset)
        answered = (kept.sealed.get("subject"), clear["respondent"], clear["on_behalf_of"], kept.ruleset.id)
        if kept.state is not State.OPEN or asked != answered:
            raise _reused()
        language = clear["language"]
        if request.ruleset_version not in ("", kept.ruleset.version) or request.language not in ("", language):
            raise _reused()
        served = self._deciding(kept.ruleset.digest, snapshot)
        try:
            answers = read_answers(served.evaluator, request, self._config, language)
        except AnswersError:
            raise _reused() from None
        if canonical_json(kept_answers(answers)) != canonical_json(kept.sealed["answers"]):
            raise _reused()
        response = _envelope(request, served, language, datetime.fromisoformat(clear["time"]))
        if self._decide(response, request, served, answers)[1] != kept.outcome:
            raise DecidedOtherwise("a recorded decision cannot be reached again by its own ruleset")
        response.decision_id = kept.decision_id
        entry = kept.entry
        response.receipt.CopyFrom(receipt_message(Receipt(entry.writer, entry.sequence, entry.hash)))
        return response

    def _count(self, worked: Worked) -> None:
        """Counts a new decision, once it can be answered, and offers it to the candidates."""
        if worked.seen is None:
            return
        served, outcome = worked.seen.served, worked.seen.outcome
        self._metrics.decided(served.id, served.version, outcome, worked.seen.answers.unknown)
        if self._shadow is not None:
            self._shadow.offer(worked.request, served.id, outcome)

    def _decide(
        self, response: pb.EvaluateResponse, request: pb.EvaluateRequest, served: Served, answers: Answers
    ) -> tuple[Outcome, bytes]:
        """Puts what follows from the answers into a response, and gives it with its canonical bytes."""
        try:
            evaluated = served.evaluator.evaluate(answers)
        except EvaluatorsDisagree:
            with self._lock:
                self.disagreements += 1
            self._metrics.disagreed(served.id, served.version)
            raise
        kept = outcome_bytes(served.evaluator.checked, evaluated.outcome)
        response.decision_digest = hashlib.sha256(kept).hexdigest()
        self._responder(served, response.language).write(response, evaluated, is_full(request.view))
        return evaluated.outcome, kept

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

    def _responder(self, served: Served, language: str) -> Responder:
        """The responder of a ruleset and language, made when it is first needed; it goes when the ruleset goes."""
        with self._lock:
            known = self._responders.setdefault(served, {})
            if language not in known:
                known[language] = Responder(served.evaluator.checked, language)
            return known[language]


def _reused() -> RequestReused:
    return RequestReused("another request was answered under this request id: choose a new one for each request")


def whole_milliseconds(time: datetime) -> datetime:
    """The time as the log keeps it, so that a response says the same when it comes again."""
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def _envelope(request: pb.EvaluateRequest, served: Served, language: str, time: datetime) -> pb.EvaluateResponse:
    response = pb.EvaluateResponse(
        request_id=request.context.request_id, ruleset=reference(served.evaluator), language=language
    )
    response.decide_time.FromDatetime(time)
    return response


def _validation(
    response: pb.EvaluateResponse, violations: tuple[Violation, ...], new_request_id: Callable[[], str]
) -> pb.EvaluateResponse:
    """The response to `validate_only`: every violation, and no decision. An id that was refused is not repeated."""
    if not acceptable_request_id(response.request_id):
        response.request_id = new_request_id()
    response.validation.SetInParent()
    response.validation.violations.extend(violation_messages(violations))
    return response
