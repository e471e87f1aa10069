"""The rpcs: each looks up its ruleset, asks `decide`, and puts the answer into an envelope."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime

from engine.errors import Violation
from engine.pb.v1 import triage_pb2 as pb
from engine.pb.v1 import triage_pb2_grpc
from engine.serve.answering import Answering, whole_milliseconds
from engine.serve.asked import Asked, ask_many
from engine.serve.calls import ENDLESS, Call
from engine.serve.config import Config
from engine.serve.convert import acceptable_request_id
from engine.serve.describe import describe_questionnaire, describe_ruleset, describe_summary
from engine.serve.errors import InvalidRequest, LogOff, TooManyStreams, status_of
from engine.serve.ids import new_id
from engine.serve.interceptors import new_request_id
from engine.serve.kit import Reply
from engine.serve.lookup import get_decision, list_decisions, record_feedback
from engine.serve.observing import log_failure
from engine.serve.recording import Recording
from engine.serve.registry import Registry, Served, Snapshot
from engine.serve.shadow.feeding import Shadow
from engine.serve.telemetry.metrics import Metrics
from engine.serve.wire import framed, part, tag_of

PAGE, LARGEST_PAGE = 50, 100
AGAIN_AFTER = 1.0
"""Seconds. Streams end when their callers want; nobody knows when."""
RESULTS = tag_of(pb.EvaluateBatchResponse, "results")
RESPONSE = tag_of(pb.EvaluateResult, "response")
Clock = Callable[[], datetime]


def now() -> datetime:
    """The time of the machine, in UTC."""
    return datetime.now(UTC)


new_decision_id = new_id
"""An id for one decision."""


class TriageService(triage_pb2_grpc.TriageServiceServicer):
    """The service of the contract. Safe to share between threads. Days begin at midnight UTC."""

    def __init__(
        self,
        config: Config,
        registry: Registry,
        clock: Clock = now,
        new_id: Callable[[], str] = new_decision_id,
        recording: Recording | None = None,
        metrics: Metrics | None = None,
        shadow: Shadow | None = None,
    ) -> None:
        """Without a recording nothing is recorded; without metrics what is counted is told to nobody."""
        self._config = config
        self._registry = registry
        self._clock = clock
        self._recording = recording
        self._streams = threading.BoundedSemaphore(config.max_streams)
        self._metrics = metrics or Metrics()
        self._answering = Answering(config, clock, new_id, new_request_id, recording, self._metrics, shadow)
        for served in registry.current():
            self.prepare(served)

    def prepare(self, served: Served) -> None:
        """Makes everything that the first response of a ruleset would have to wait for."""
        self._answering.prepare(served)

    @property
    def disagreements(self) -> int:
        """How often the two evaluators disagreed, so that there was no decision."""
        return self._answering.disagreements

    def answer(
        self, request: pb.EvaluateRequest, caller: str = "", waits: Callable[[], float] = lambda: ENDLESS
    ) -> pb.EvaluateResponse:
        """What Evaluate answers, for callers in this process. Raises what `errors.py` has a status for."""
        return pb.EvaluateResponse.FromString(self._reply(Asked.of(request), caller, waits).message)

    def ask(self, message: bytes) -> Asked:
        """A request of bytes. Raises DecodeError."""
        return self._answering.ask(message, self._registry.current())

    def ask_many(self, message: bytes) -> list[Asked]:
        """The requests of a batch of bytes. Raises DecodeError."""
        snapshot = self._registry.current()
        return [self._answering.ask(each, snapshot) for each in ask_many(message)]

    def reply(self, asked: Asked, call: Call) -> Reply:
        """What Evaluate answers, in bytes. Raises as `answer`."""
        return self._reply(asked, call.caller.name, call.remaining)

    def reply_many(self, asked: Sequence[Asked], call: Call) -> bytes:
        """What EvaluateBatch answers, in bytes."""
        number, most = len(asked), self._config.max_batch
        if number > most:
            message = f"a batch has {number} requests, at most {most} are taken"
            raise InvalidRequest([Violation("requests", "too-many", message)])
        results = self._results(asked, self._registry.current(), call)
        return b"".join([framed(RESULTS, each) for each in results])

    def Evaluate(self, request: pb.EvaluateRequest, call: Call) -> pb.EvaluateResponse:
        return self.answer(request, call.caller.name, call.remaining)

    def EvaluateBatch(self, request: pb.EvaluateBatchRequest, call: Call) -> pb.EvaluateBatchResponse:
        return pb.EvaluateBatchResponse.FromString(self.reply_many([*map(Asked.of, request.requests)], call))

    def EvaluateStream(
        self, request_iterator: Iterator[pb.EvaluateStreamRequest], call: Call
    ) -> Iterator[pb.EvaluateStreamResponse]:
        if not self._streams.acquire(blocking=False):
            message = f"{self._config.max_streams} streams are open, and no more are taken: try again later"
            raise TooManyStreams(message, AGAIN_AFTER)
        try:
            for each in request_iterator:
                (result,) = self._results([Asked.of(each.request)], self._registry.current(), call)
                yield pb.EvaluateStreamResponse(result=pb.EvaluateResult.FromString(result))
        finally:
            self._streams.release()

    def ListRulesets(self, request: pb.ListRulesetsRequest, call: Call) -> pb.ListRulesetsResponse:
        if request.page_size < 0:
            raise InvalidRequest([Violation("page_size", "out-of-range", f"a page has 1 to {LARGEST_PAGE} rulesets")])
        size = min(request.page_size or PAGE, LARGEST_PAGE)
        snapshot, today = self._registry.current(), self._today()
        every = list(snapshot)
        start = _page_start(request.page_token, every)
        page = every[start : start + size]
        response = pb.ListRulesetsResponse()
        for served in page:
            language = request.language if request.language in served.languages else served.languages[0]
            response.rulesets.append(describe_summary(snapshot, served, language, today))
        if start + size < len(every):
            response.next_page_token = _page_token(page[-1])
        return response

    def GetRuleset(self, request: pb.GetRulesetRequest, call: Call) -> pb.GetRulesetResponse:
        snapshot, today = self._registry.current(), self._today()
        served = snapshot.find(request.ruleset, request.ruleset_version, today)
        language = served.language(request.language)
        summary = describe_summary(snapshot, served, language, today)
        return describe_ruleset(served.evaluator.checked, language, summary)

    def GetQuestionnaire(self, request: pb.GetQuestionnaireRequest, call: Call) -> pb.GetQuestionnaireResponse:
        served = self._registry.current().find(request.ruleset, request.ruleset_version, self._today())
        return describe_questionnaire(served, served.language(request.language))

    def GetDecision(self, request: pb.GetDecisionRequest, call: Call) -> pb.GetDecisionResponse:
        return get_decision(self._log(), request.decision_id)

    def ListDecisions(self, request: pb.ListDecisionsRequest, call: Call) -> pb.ListDecisionsResponse:
        return list_decisions(self._log(), request, call.caller.name)

    def RecordFeedback(self, request: pb.RecordFeedbackRequest, call: Call) -> pb.RecordFeedbackResponse:
        return record_feedback(self._log(), request, whole_milliseconds(self._clock()), call, self._metrics)

    def _reply(self, asked: Asked, caller: str, waits: Callable[[], float]) -> Reply:
        (answered,) = self._answering.answer([asked], self._registry.current(), caller, waits)
        if isinstance(answered, Exception):
            raise answered
        return answered

    def _results(self, requests: Iterable[Asked], snapshot: Snapshot, call: Call) -> list[bytes]:
        """What came of each patient of many, in bytes: a failure is a status in its place, and stops no other."""
        ids: list[str] = []

        def wanted() -> Iterator[Asked]:
            for asked in requests:
                call.check_wanted()
                ids.append(_own_request_id(asked.head))
                yield asked

        answered = self._answering.answer(wanted(), snapshot, call.caller.name, call.remaining)
        return [_result(each, request_id) for each, request_id in zip(answered, ids, strict=True)]

    def _log(self) -> Recording:
        if self._recording is None:
            raise LogOff("this server records no decisions")
        return self._recording

    def _today(self) -> date:
        return self._clock().date()


def _own_request_id(request: pb.EvaluateRequest) -> str:
    """The id of one request of many; made and written into it where it has none, and another where it is refused."""
    given = request.context.request_id
    if acceptable_request_id(given):
        return given
    made = new_request_id()
    if not given:
        request.context.request_id = made
    return made


def _result(answered: Reply | Exception, request_id: str) -> bytes:
    if isinstance(answered, Reply):
        return framed(RESPONSE, answered.message)
    log_failure(answered, request_id)
    return part(pb.EvaluateResult, status=status_of(answered, request_id))


def _page_token(last: Served) -> str:
    """Opaque to callers: the last ruleset that a page gave."""
    return base64.urlsafe_b64encode(f"{last.id}\n{last.version}".encode()).decode()


def _page_start(token: str, every: list[Served]) -> int:
    """Where the page after `token` starts. Raises InvalidRequest for a token that this list did not give."""
    if not token:
        return 0
    try:
        last = base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode().split("\n")
    except (binascii.Error, UnicodeError):
        last = []
    for number, served in enumerate(every):
        if last == [served.id, served.version]:
            return number + 1
    raise InvalidRequest([Violation("page_token", "bad-token", "no page has this token: start again without one")])
