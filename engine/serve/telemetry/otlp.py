"""Spans on their way to a collector: the door to OpenTelemetry, there only with the extra `traces`.

Of what a caller sent only `traceparent` is taken over: `tracestate` and baggage hold any text. What cannot be sent is
dropped, never waited for.
"""

from __future__ import annotations

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import engine
from engine.serve.telemetry.traces import Metadata

PARENT = "traceparent"
PATIENCE = 2.0
"""Seconds for sending spans that wait, half of WAITING at a time; closing takes a few times as long at most."""
WAITING = 2048
"""Spans that may wait to be sent; when there are more the oldest are dropped."""
OUR_FAULT = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})
"""How a call ends when the server is to blame, as OpenTelemetry's conventions for gRPC have it."""


class OtlpSpan:
    """One call under way."""

    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def trace_id(self) -> str:
        return format_trace_id(self._span.get_span_context().trace_id)

    def decided_by(self, ruleset: str, version: str) -> None:
        self._span.set_attributes({"pluis.ruleset.id": ruleset, "pluis.ruleset.version": version})

    def end(self, code: str) -> None:
        self._span.set_attribute("rpc.response.status_code", code)
        if code in OUR_FAULT:
            self._span.set_status(Status(StatusCode.ERROR))  # without a description: it could quote something
        self._span.end()


class OtlpTracer:
    """Sends spans to the collector at `endpoint`, such as `http://127.0.0.1:4317`; `https://` for TLS."""

    def __init__(self, endpoint: str, exporter: SpanExporter | None = None) -> None:
        """`exporter`: where spans go instead, for tests."""
        if exporter is None:
            exporter = OTLPSpanExporter(endpoint, insecure=endpoint.startswith("http://"), timeout=PATIENCE)
        resource = Resource.create({"service.name": "pluis", "service.version": engine.__version__})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        processor = BatchSpanProcessor(exporter, max_queue_size=WAITING, max_export_batch_size=WAITING // 2)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("engine.serve", engine.__version__)
        self._propagator = TraceContextTextMapPropagator()

    def start(self, method: str, metadata: Metadata) -> OtlpSpan:
        carrier = {key: value for key, value in metadata if key == PARENT and isinstance(value, str)}
        name = method.removeprefix("/")
        attributes = {"rpc.system.name": "grpc", "rpc.method": name}
        parent = self._propagator.extract(carrier)
        return OtlpSpan(self._tracer.start_span(name, parent, SpanKind.SERVER, attributes))

    def close(self) -> None:
        self._provider.shutdown()
