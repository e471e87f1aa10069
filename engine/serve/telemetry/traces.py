"""One span for each call, for whoever follows a request through several programs; none unless it is asked for.

A span has the method, how the call ended, how long it took, and which version of which ruleset decided. It has no
answer, subject, disposition, request id or text of an exception.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from engine.serve.config import Config, ConfigError

Metadata = Iterable[tuple[str, str | bytes]]
"""What a caller sent beside the message, as grpc gives it."""


class Span(Protocol):
    """One call as it is traced."""

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits for the log line of the call; empty where nothing is traced."""

    def decided_by(self, ruleset: str, version: str) -> None:
        """Which version decided; of a batch or a stream the last one is kept."""

    def end(self, code: str) -> None:
        """The call is over; `code` is the name of its gRPC status. Once for each span."""


class Tracer(Protocol):
    """Makes spans, and sends them on in the background: no call waits for that. Safe to share between threads."""

    def start(self, method: str, metadata: Metadata) -> Span:
        """A call of a method, such as `/triage.v1.TriageService/Evaluate`, has come in.

        It belongs to its caller's trace where the metadata name one (W3C `traceparent`).
        """

    def close(self) -> None:
        """Sends what is left, as long as that is quick."""


class Untraced:
    """Neither a tracer nor a span: what there is where nobody asked for traces."""

    trace_id = ""

    def start(self, method: str, metadata: Metadata) -> Untraced:
        return self

    def decided_by(self, ruleset: str, version: str) -> None:
        pass

    def end(self, code: str) -> None:
        pass

    def close(self) -> None:
        pass


def tracer(config: Config) -> Tracer:
    """What traces the calls of one process. Raises ConfigError where traces are asked for and cannot be made.

    To be made in the process that answers: its connection does not survive a fork.
    """
    if not config.traces:
        return Untraced()
    try:
        from engine.serve.telemetry.otlp import OtlpTracer
    except ImportError:
        raise ConfigError("`traces` needs the extra `traces`: pip install 'pluis[traces]'") from None
    return OtlpTracer(config.traces)
