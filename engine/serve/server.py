"""Ports, health, reflection and stopping: a TriageService becomes a server."""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from engine.pb.v1 import triage_pb2 as pb
from engine.pb.v1 import triage_pb2_grpc
from engine.serve.access.tls import server_credentials
from engine.serve.administration import AdminService
from engine.serve.config import Config, ConfigError, address
from engine.serve.descriptors import describe_files
from engine.serve.gateway.running import HttpServer
from engine.serve.interceptors import ADMIN_SERVICE, SERVICE, new_request_id
from engine.serve.operations import Operations
from engine.serve.parts import Parts, build_parts
from engine.serve.registry import Registry, Snapshot
from engine.serve.service import Clock, TriageService, new_decision_id, now
from engine.serve.telemetry.metrics import Metrics

LOG = logging.getLogger("pluis.server")
REFUSALS = 1000
"""Calls that may wait to be refused; beyond these grpc refuses them itself, in fewer words."""
LOG_HEALTH = "pluis.DecisionLog"
"""Under this name health tells whether decisions are recorded: NOT_SERVING when the log is off, or cannot be used."""

# The generated functions have no types.
_register: Callable[[TriageService, grpc.Server], None] = triage_pb2_grpc.add_TriageServiceServicer_to_server
_register_admin: Callable[[AdminService, grpc.Server], None] = triage_pb2_grpc.add_AdminServiceServicer_to_server


class Server:
    """A server that is bound to its port; `start` makes it answer. Stop it once."""

    def __init__(self, parts: Parts, registry: Registry, shared_port: int | None, shared_http_port: int | None) -> None:
        """Binds the ports. Raises ConfigError when one cannot be had. Closes the recording when it stops."""
        config = self._config = parts.config
        self._registry = registry
        self._parts = parts
        self.recording, self.admission, self.metrics = parts.recording, parts.admission, parts.metrics
        self.service = parts.service
        self._grpc = grpc.server(
            parts.admission,
            interceptors=[parts.interceptor],
            maximum_concurrent_rpcs=config.threads + config.max_waiting + REFUSALS,
            options=_options(config, shared_port),
        )
        _register(parts.service, self._grpc)
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        names = [SERVICE, health.SERVICE_NAME]
        if parts.operations is not None:
            _register_admin(AdminService(parts.operations), self._grpc)
            names.append(ADMIN_SERVICE)
        if config.reflection:
            names.append(reflection.SERVICE_NAME)
            files = (pb.DESCRIPTOR, health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR)
            reflection.enable_server_reflection(names, self._grpc, pool=describe_files(files))
        self._health_names = ("", *names)
        for name in (*self._health_names, LOG_HEALTH):
            self._health.set(name, health_pb2.HealthCheckResponse.NOT_SERVING)
        place = config.address if shared_port is None else address(config.host, shared_port)
        try:
            if config.tls is None:
                self.port: int = self._grpc.add_insecure_port(place)
            else:
                self.port = self._grpc.add_secure_port(place, server_credentials(config.tls, parts.metrics.certificate))
        except RuntimeError:
            raise ConfigError(f"{place} cannot be listened on: is another server running there?") from None
        self.http: HttpServer | None = None
        """The HTTP server, where there is one."""
        if config.http_port is not None:
            self.http = HttpServer(parts, registry, config.http_port, shared_http_port)

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
        if self.http is not None:
            self.http.start()
            LOG.info("http on %s", self.http.address)
        for served in self._registry.current():
            LOG.info("%s %s: %s", served.id, served.version, served.status(self._registry.today()).value)
        if self.recording is None:
            LOG.warning("decisions are not recorded: the log is off")
        else:
            LOG.info("decisions are recorded in %s", self.recording.told)
            self.recording.watch(self._tell_log)

    def stop(self) -> None:
        """Is NOT_SERVING for good, soon takes no more calls, and gives those in flight their grace."""
        LOG.info("pluis stops; calls in flight have %g seconds", self._config.grace)
        self._health.enter_graceful_shutdown()
        if self.http is not None:
            self.http.drain()
        time.sleep(self._config.drain)  # whoever looks at health sends no more calls meanwhile
        ends = time.monotonic() + self._config.grace
        if self.http is not None:  # before gRPC, with which the threads end that both use
            self.http.stop()
        self._grpc.stop(max(0.0, ends - time.monotonic())).wait()
        self._parts.close()

    def swap(self, snapshot: Snapshot) -> None:
        """Serves these rulesets from now on; the candidates are read again too."""
        for served in snapshot:
            self.service.prepare(served)
        self._registry.swap(snapshot)
        if self._parts.shadow is not None:
            self._parts.shadow.reload()

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
    operations: Operations | None = None,
    shared_port: int | None = None,
    shared_http_port: int | None = None,
    metrics: Metrics | None = None,
) -> Server:
    """A server, bound and not started. Clock and ids are arguments; the defaults are the machine's clock and UUIDs.

    It holds the log until it is stopped. Without `operations` there are no admin rpcs. The shared ports are those that
    other processes of the same service listen on too. Raises ConfigError, LogError or StateUnavailable where something
    cannot be had.
    """
    parts = build_parts(config, registry, clock, new_id, new_call_id, operations, metrics or Metrics())
    try:
        return Server(parts, registry, shared_port, shared_http_port)
    except BaseException:
        parts.close()
        raise


def _options(config: Config, shared_port: int | None) -> Sequence[tuple[str, Any]]:
    options = [
        ("grpc.max_receive_message_length", config.max_message_size),
        ("grpc.max_send_message_length", -1),
        # Two servers on one port share its calls at random: only workers of one service may.
        ("grpc.so_reuseport", 0 if shared_port is None else 1),
    ]
    if config.max_connection_age is not None:
        options += [
            ("grpc.max_connection_age_ms", math.ceil(config.max_connection_age * 1000)),
            ("grpc.max_connection_age_grace_ms", math.ceil(config.grace * 1000)),
        ]
    return options
