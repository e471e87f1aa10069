"""Ports, health, reflection and stopping: a TriageService becomes a server."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from engine.pb.v1 import triage_pb2 as pb
from engine.pb.v1 import triage_pb2_grpc
from engine.serve.config import Config, ConfigError, address
from engine.serve.descriptors import describe_files
from engine.serve.interceptors import SERVICE, CallInterceptor, new_request_id
from engine.serve.recording import Recording, open_recording
from engine.serve.registry import Registry
from engine.serve.service import Clock, TriageService, new_decision_id, now

LOG = logging.getLogger("pluis.server")
LOG_HEALTH = "pluis.DecisionLog"
"""Under this name health tells whether decisions are recorded: NOT_SERVING when the log is off, or cannot be used."""

# The generated function has no types.
_register: Callable[[TriageService, grpc.Server], None] = triage_pb2_grpc.add_TriageServiceServicer_to_server


class Server:
    """A server that is bound to its port; `start` makes it answer. Stop it once."""

    def __init__(
        self,
        config: Config,
        registry: Registry,
        service: TriageService,
        interceptor: CallInterceptor,
        recording: Recording | None,
    ) -> None:
        """Binds the port. Raises ConfigError when it cannot be had. Closes the recording when it stops."""
        self._config = config
        self._registry = registry
        self.recording = recording
        self.service = service
        self._grpc = grpc.server(
            ThreadPoolExecutor(config.threads, thread_name_prefix="pluis"),
            interceptors=[interceptor],
            maximum_concurrent_rpcs=config.max_waiting,
            options=(
                ("grpc.max_receive_message_length", config.max_message_size),
                ("grpc.max_send_message_length", -1),
                # Two servers on one port would share its calls at random.
                ("grpc.so_reuseport", 0),
            ),
        )
        _register(service, self._grpc)
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        names = [SERVICE, health.SERVICE_NAME]
        if config.reflection:
            names.append(reflection.SERVICE_NAME)
            files = (pb.DESCRIPTOR, health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR)
            reflection.enable_server_reflection(names, self._grpc, pool=describe_files(files))
        self._health_names = ("", *names)
        for name in (*self._health_names, LOG_HEALTH):
            self._health.set(name, health_pb2.HealthCheckResponse.NOT_SERVING)
        try:
            self.port: int = self._grpc.add_insecure_port(config.address)
        except RuntimeError:
            raise ConfigError(f"{config.address} cannot be listened on: is another server running there?") from None

    @property
    def address(self) -> str:
        """Host and the port that was bound, as clients take them."""
        return address(self._config.host, self.port)

    def start(self) -> None:
        """Answers from now on, and says so."""
        self._grpc.start()
        for name in self._health_names:
            self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        told = ", ".join(f"{served.id} {served.version}" for served in self._registry.current())
        LOG.info("pluis serving %s on %s", told, self.address)
        for served in self._registry.current():
            LOG.info("%s %s: %s", served.id, served.version, served.status(self._registry.today()).value)
        if self.recording is None:
            LOG.warning("decisions are not recorded: the log is off")
        else:
            LOG.info("decisions are recorded in %s", self.recording.told)
            self.recording.watch(self._tell_log)

    def stop(self) -> None:
        """Is NOT_SERVING for good, takes no more calls, and gives those in flight their grace."""
        LOG.info("pluis stops; calls in flight have %g seconds", self._config.grace)
        self._health.enter_graceful_shutdown()
        self._grpc.stop(self._config.grace).wait()
        if self.recording is not None:
            self.recording.close()

    def _tell_log(self, available: bool) -> None:
        serving, not_serving = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
        self._health.set(LOG_HEALTH, serving if available else not_serving)

    def run(self) -> None:
        """Starts, and serves until SIGTERM or SIGINT; only in the main thread."""
        asked = threading.Event()

        def ask(number: int, frame: FrameType | None) -> None:
            asked.set()

        before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            self.start()
            asked.wait()
            self.stop()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def build_server(
    config: Config,
    registry: Registry,
    clock: Clock = now,
    new_id: Callable[[], str] = new_decision_id,
    new_call_id: Callable[[], str] = new_request_id,
) -> Server:
    """A server, bound and not started. Clock and ids are arguments; the defaults are the machine's clock and UUIDs.

    It holds the log until it is stopped. Raises LogError when that cannot be had.
    """
    recording = open_recording(config)
    try:
        service = TriageService(config, registry, clock, new_id, recording)
        return Server(config, registry, service, CallInterceptor(new_call_id), recording)
    except BaseException:
        if recording is not None:
            recording.close()
        raise
