"""Spans as a collector gets them: what they tell, what they never tell, and that no call waits for them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from engine.serve.config import Config, ConfigError
from engine.serve.telemetry.traces import Untraced, tracer

SUBJECT = "5c1d7b1e-0f0e-4a1b-9a3e-2f6f1f0c9d11"
METHOD = "/triage.v1.TriageService/Evaluate"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


# The generated function has no types.
register: Callable[[Any, grpc.Server], None] = trace_service_pb2_grpc.add_TraceServiceServicer_to_server


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.requests: list[trace_service_pb2.ExportTraceServiceRequest] = []

    def Export(self, request: Any, context: grpc.ServicerContext) -> trace_service_pb2.ExportTraceServiceResponse:
        self.requests.append(request)
        return trace_service_pb2.ExportTraceServiceResponse()

    def spans(self) -> list[Span]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@contextmanager
def collecting() -> Iterator[tuple[Collector, Config]]:
    collector, server = Collector(), grpc.server(ThreadPoolExecutor(2))
    register(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield collector, config(f"http://127.0.0.1:{port}")
    finally:
        server.stop(0).wait()


def config(traces: str = "") -> Config:
    return Config(rulesets=Path("rulesets"), traces=traces)


def attributes(span: Span) -> dict[str, str]:
    return {each.key: each.value.string_value for each in span.attributes}


def test_a_span_has_method_code_and_version() -> None:
    with collecting() as (collector, asked):
        traces = tracer(asked)
        span = traces.start(METHOD, ())
        span.decided_by("small", "1.0.0")
        span.end("OK")
        traces.close()
        (sent,) = collector.spans()
    assert (sent.name, sent.kind) == ("triage.v1.TriageService/Evaluate", Span.SPAN_KIND_SERVER)
    assert attributes(sent) == {
        "rpc.system.name": "grpc",
        "rpc.method": "triage.v1.TriageService/Evaluate",
        "rpc.response.status_code": "OK",
        "pluis.ruleset.id": "small",
        "pluis.ruleset.version": "1.0.0",
    }
    assert sent.trace_id.hex() == span.trace_id
    assert sent.end_time_unix_nano >= sent.start_time_unix_nano > 0


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("INTERNAL", Status.STATUS_CODE_ERROR),
        ("UNAVAILABLE", Status.STATUS_CODE_ERROR),
        ("INVALID_ARGUMENT", Status.STATUS_CODE_UNSET),
    ],
)
def test_a_failure_of_ours_is_an_error(code: str, status: int) -> None:
    with collecting() as (collector, asked):
        traces = tracer(asked)
        traces.start(METHOD, ()).end(code)
        traces.close()
        (sent,) = collector.spans()
    assert (sent.status.code, sent.status.message) == (status, "")


def test_a_call_belongs_to_its_callers_trace_and_takes_nothing_else_over() -> None:
    metadata = (
        ("traceparent", f"00-{TRACE}-{PARENT}-01"),
        ("tracestate", f"vendor={SUBJECT}"),
        ("baggage", f"subject={SUBJECT}"),
        ("authorization", f"Bearer {SUBJECT}"),
        ("x-bytes-bin", SUBJECT.encode()),
    )
    with collecting() as (collector, asked):
        traces = tracer(asked)
        span = traces.start(METHOD, metadata)
        span.end("OK")
        traces.close()
        (sent,) = collector.spans()
        everything = b"".join(each.SerializeToString() for each in collector.requests)
    assert (span.trace_id, sent.trace_id.hex(), sent.parent_span_id.hex()) == (TRACE, TRACE, PARENT)
    assert SUBJECT.encode() not in everything


@pytest.mark.parametrize("parent", ["", "nonsense", f"00-{'0' * 32}-{PARENT}-01", SUBJECT, "00-" + "é" * 32, b"\xff"])
def test_a_caller_who_names_no_trace_gets_a_new_one(parent: str | bytes) -> None:
    with collecting() as (collector, asked):
        traces = tracer(asked)
        span = traces.start(METHOD, (("traceparent", parent),))
        span.end("OK")
        traces.close()
        (sent,) = collector.spans()
    assert sent.parent_span_id == b""
    assert len(span.trace_id) == 32 and int(span.trace_id, 16)


def test_nothing_is_traced_unless_it_is_asked_for() -> None:
    traces = tracer(config())
    assert isinstance(traces, Untraced)
    span = traces.start(METHOD, (("traceparent", f"00-{TRACE}-{PARENT}-01"),))
    span.decided_by("small", "1.0.0")
    span.end("OK")
    traces.close()
    assert span.trace_id == ""


def test_a_collector_that_is_away_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    traces = tracer(config("http://127.0.0.1:9"))
    for _ in range(10):
        traces.start(METHOD, ()).end("OK")
    traces.close()
    assert "traces" in caplog.text  # the library says that it could not send them


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "engine.serve.telemetry.otlp", None)
    with pytest.raises(ConfigError, match=r"pip install 'pluis\[traces\]'"):
        tracer(config("http://127.0.0.1:4317"))
