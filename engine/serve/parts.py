"""What one server is put together from, whatever wires it listens on: made in one place, closed in one place."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from engine.serve.access.guard import Guard
from engine.serve.access.shared import SharedState
from engine.serve.admission import Admission
from engine.serve.config import Config
from engine.serve.interceptors import CallInterceptor
from engine.serve.observing import Observer
from engine.serve.operations import Operations
from engine.serve.recording import Recording, open_recording
from engine.serve.registry import Registry
from engine.serve.service import Clock, TriageService
from engine.serve.shadow.feeding import Shadow
from engine.serve.telemetry.metrics import Metrics
from engine.serve.telemetry.traces import tracer


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one server."""

    config: Config
    guard: Guard
    admission: Admission
    interceptor: CallInterceptor
    observer: Observer
    service: TriageService
    recording: Recording | None
    operations: Operations | None
    metrics: Metrics
    shadow: Shadow | None
    held: ExitStack

    def close(self) -> None:
        """Lets go of all that is held, the log among it; calls must have ended."""
        self.held.close()


def build_parts(
    config: Config,
    registry: Registry,
    clock: Clock,
    new_id: Callable[[], str],
    new_call_id: Callable[[], str],
    operations: Operations | None,
    metrics: Metrics,
) -> Parts:
    """Raises ConfigError, LogError or StateUnavailable for what cannot be had; then nothing stays open."""
    with ExitStack() as held:
        held.callback(metrics.flush)
        shared = SharedState(config.state)
        held.callback(shared.close)
        guard = Guard(config, shared, lambda: clock().timestamp())
        tracing = tracer(config)
        held.callback(tracing.close)
        observer = Observer(metrics, tracing)
        recording = open_recording(config, metrics)
        if recording is not None:
            held.callback(recording.close)
        shadow = None if config.shadow is None else Shadow(config, metrics)
        if shadow is not None:
            held.callback(shadow.close)
        service = TriageService(config, registry, clock, new_id, recording, metrics, shadow)
        admission = Admission(config.threads, config.max_waiting)
        interceptor = CallInterceptor(guard, admission, observer, service, new_call_id)
        return Parts(
            config=config,
            guard=guard,
            admission=admission,
            interceptor=interceptor,
            observer=observer,
            service=service,
            recording=recording,
            operations=operations,
            metrics=metrics,
            shadow=shadow,
            held=held.pop_all(),
        )
