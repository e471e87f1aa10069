"""The rpcs: each looks up its ruleset, asks `decide`, and puts the answer into an envelope."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from uuid import uuid4
from weakref import WeakKeyDictionary

import grpc

from engine.decide.canonical import decision_digest
from engine.errors import AnswersError, EvaluatorsDisagree, Violation
from engine.pb.v1 import triage_pb2 as pb
from engine.pb.v1 import triage_pb2_grpc
from engine.serve.config import Config
from engine.serve.convert import acceptable_request_id, is_full, read_answers, reference, violation_messages
from engine.serve.describe import describe_questionnaire, describe_ruleset, describe_summary
from engine.serve.errors import InvalidRequest, TooManyStreams, status_of
from engine.serve.interceptors import check_wanted, log_failure, new_request_id
from engine.serve.registry import Registry, Served, Snapshot
from engine.serve.respond import Responder

PAGE, LARGEST_PAGE = 50, 100
Clock = Callable[[], datetime]


def now() -> datetime:
    """The time of the machine, in UTC."""
    return datetime.now(UTC)


def new_decision_id() -> str:
    """A UUID for one decision."""
    return str(uuid4())


class TriageService(triage_pb2_grpc.TriageServiceServicer):
    """The service of the contract. Safe to share between threads. Days begin at midnight UTC."""

    def __init__(
        self,
        config: Config,
        registry: Registry,
        clock: Clock = now,
        new_id: Callable[[], str] = new_decision_id,
    ) -> None:
        self._config = config
        self._registry = registry
        self._clock = clock
        self._new_id = new_id
        self._streams = threading.BoundedSemaphore(config.max_streams)
        self._lock = threading.Lock()
        self._responders: WeakKeyDictionary[Served, dict[str, Responder]] = WeakKeyDictionary()
        self.disagreements = 0
        """How often the two evaluators disagreed, so that there was no decision."""
        for served in registry.current():
            for language in served.languages:
                self._responder(served, language)

    def answer(self, request: pb.EvaluateRequest) -> pb.EvaluateResponse:
        """What Evaluate answers, for callers in this process. Raises what `errors.py` has a status for."""
        return self._evaluate(request, self._registry.current())

    def Evaluate(self, request: pb.EvaluateRequest, context: grpc.ServicerContext) -> pb.EvaluateResponse:
        return self.answer(request)

    def EvaluateBatch(
        self, request: pb.EvaluateBatchRequest, context: grpc.ServicerContext
    ) -> pb.EvaluateBatchResponse:
        number, most = len(request.requests), self._config.max_batch
        if number > most:
            message = f"a batch has {number} requests, at most {most} are taken"
            raise InvalidRequest([Violation("requests", "too-many", message)])
        snapshot = self._registry.current()
        response = pb.EvaluateBatchResponse()
        for each in request.requests:
            check_wanted(context)
            response.results.append(self._result(each, snapshot))
        return response

    def EvaluateStream(
        self, request_iterator: Iterator[pb.EvaluateStreamRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.EvaluateStreamResponse]:
        if not self._streams.acquire(blocking=False):
            raise TooManyStreams(f"{self._config.max_streams} streams are open, and no more are taken: try again later")
        try:
            for each in request_iterator:
                check_wanted(context)
                yield pb.EvaluateStreamResponse(result=self._result(each.request, self._registry.current()))
        finally:
            self._streams.release()

    def ListRulesets(self, request: pb.ListRulesetsRequest, context: grpc.ServicerContext) -> pb.ListRulesetsResponse:
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

    def GetRuleset(self, request: pb.GetRulesetRequest, context: grpc.ServicerContext) -> pb.GetRulesetResponse:
        snapshot, today = self._registry.current(), self._today()
        served = snapshot.find(request.ruleset, request.ruleset_version, today)
        language = served.language(request.language)
        summary = describe_summary(snapshot, served, language, today)
        return describe_ruleset(served.evaluator.checked, language, summary)

    def GetQuestionnaire(
        self, request: pb.GetQuestionnaireRequest, context: grpc.ServicerContext
    ) -> pb.GetQuestionnaireResponse:
        served = self._registry.current().find(request.ruleset, request.ruleset_version, self._today())
        return describe_questionnaire(served, served.language(request.language))

    def _result(self, request: pb.EvaluateRequest, snapshot: Snapshot) -> pb.EvaluateResult:
        """What came of one patient of many: a failure is a status in its place, and stops no other."""
        request_id = request.context.request_id
        if not request_id:
            request_id = request.context.request_id = new_request_id()
        elif not acceptable_request_id(request_id):
            request_id = new_request_id()
        try:
            return pb.EvaluateResult(response=self._evaluate(request, snapshot))
        except Exception as error:  # the status table decides what the caller gets of it
            log_failure(error, request_id)
            return pb.EvaluateResult(status=status_of(error, request_id))

    def _evaluate(self, request: pb.EvaluateRequest, snapshot: Snapshot) -> pb.EvaluateResponse:
        time = self._clock()
        served = snapshot.deciding(request.ruleset, request.ruleset_version, time.date())
        language = served.language(request.language)
        response = pb.EvaluateResponse(
            request_id=request.context.request_id, ruleset=reference(served.evaluator), language=language
        )
        response.decide_time.FromDatetime(time)
        try:
            answers = read_answers(served.evaluator, request, self._config, language)
        except AnswersError as error:
            if not request.validate_only:
                raise
            return _validation(response, error.violations)
        if request.validate_only:
            return _validation(response, ())
        try:
            evaluated = served.evaluator.evaluate(answers)
        except EvaluatorsDisagree:
            with self._lock:
                self.disagreements += 1
            raise
        response.decision_id = self._new_id()
        response.decision_digest = decision_digest(served.evaluator.checked, evaluated.outcome)
        self._responder(served, language).write(response, evaluated, is_full(request.view))
        return response

    def _responder(self, served: Served, language: str) -> Responder:
        """The responder of a ruleset and language, made when it is first needed; it goes when the ruleset goes."""
        with self._lock:
            known = self._responders.setdefault(served, {})
            if language not in known:
                known[language] = Responder(served.evaluator.checked, language)
            return known[language]

    def _today(self) -> date:
        return self._clock().date()


def _validation(response: pb.EvaluateResponse, violations: tuple[Violation, ...]) -> pb.EvaluateResponse:
    """The response to `validate_only`: every violation, and no decision. An id that was refused is not repeated."""
    if not acceptable_request_id(response.request_id):
        response.request_id = new_request_id()
    response.validation.SetInParent()
    response.validation.violations.extend(violation_messages(violations))
    return response


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
