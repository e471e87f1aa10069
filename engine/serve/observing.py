"""What is told of a call: counted, traced, and one log line when it has ended; nothing that a patient said.

A log line tells method, code, milliseconds, caller and request id. It never tells an answer, a subject, or the text of
an exception, which could quote one.
"""

from __future__ import annotations

import logging
import time

from google.rpc import status_pb2

from engine.errors import EvaluatorsDisagree, LogError, StateUnavailable
from engine.serve.errors import REASONS, Unauthenticated, is_mistake, row_of, status_of
from engine.serve.telemetry.lines import Event, tell, told
from engine.serve.telemetry.metrics import Metrics
from engine.serve.telemetry.traces import Metadata, Tracer

LOG = logging.getLogger("pluis.calls")


class Observed:
    """One call on its way. It ends once: `ended` or `failed`."""

    def __init__(self, observer: Observer, method: str, metadata: Metadata, request_id: str) -> None:
        self._metrics = observer.metrics
        self._method = method.rpartition("/")[2]
        self._started = time.monotonic()
        self._span = observer.tracer.start(method, metadata)
        self.caller = ""
        """The name of whoever calls, once that is known."""
        self.request_id = request_id
        self._metrics.call_began()

    def decided_by(self, ruleset: str, version: str) -> None:
        """Which version decided."""
        self._span.decided_by(ruleset, version)

    def ended(self, code: str = "OK") -> None:
        """The call is over."""
        seconds = time.monotonic() - self._started
        self._metrics.call(self._method, code, seconds, self.caller)
        self._span.end(code)
        told = {"caller": self.caller, "trace_id": self._span.trace_id}
        known = {name: value for name, value in told.items() if value}
        milliseconds = round(seconds * 1000, 2)
        tell(LOG, Event("call", method=self._method, code=code, ms=milliseconds, **known, request_id=self.request_id))

    def failed(self, error: Exception) -> status_pb2.Status:
        """The call is over, without an answer: the status that its caller gets."""
        row = row_of(error)
        log_failure(error, self.request_id)
        self._metrics.refused(row.reason)
        if isinstance(error, Unauthenticated):
            self._metrics.unauthenticated(error.why)
        self.ended(row.code.name)
        return status_of(error, self.request_id)


class Observer:
    """Where calls are counted and traced."""

    def __init__(self, metrics: Metrics, tracer: Tracer) -> None:
        self.metrics = metrics
        self.tracer = tracer
        metrics.foresee(REASONS)

    def begin(self, method: str, metadata: Metadata, request_id: str) -> Observed:
        """A call came in. `method` as grpc names it: `/package.Service/Method`."""
        return Observed(self, method, metadata, request_id)


def log_failure(error: Exception, request_id: str) -> None:
    """Tells an operator what failed inside, without a word that could come from a patient."""
    if is_mistake(error):
        return  # the caller's mistake, told to the caller
    match error:
        case EvaluatorsDisagree():
            details = error.details
        case Unauthenticated():
            details = error.why
        case LogError() | StateUnavailable():
            details = str(error)
        case _:
            details = ""
    LOG.error(Event("failure", reason=row_of(error).reason, at=told(error), details=details, request_id=request_id))
