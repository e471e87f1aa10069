"""The operators' port: metrics and probes over plain HTTP, answered by the supervisor."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from engine.serve.config import ConfigError, address

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LOG = logging.getLogger("pluis.server")
PATIENCE = 10.0
"""Seconds that a client may leave its request unfinished."""


class Probes:
    """`/metrics`, `/livez` and `/readyz`, and nothing else."""

    def __init__(self, metrics: WSGIApplication, alive: Callable[[], bool], ready: Callable[[], bool]) -> None:
        self._metrics = metrics
        self._probes = {"/livez": alive, "/readyz": ready}

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answers one request."""
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _said(start, HTTPStatus.METHOD_NOT_ALLOWED)
        if path == "/metrics":
            return self._metrics(environ, start)
        probe = self._probes.get(path)
        if probe is None:
            return _said(start, HTTPStatus.NOT_FOUND)
        return _said(start, HTTPStatus.OK if probe() else HTTPStatus.SERVICE_UNAVAILABLE)


@contextmanager
def answering(host: str, port: int, application: WSGIApplication) -> Iterator[str]:
    """Answers in threads while the block runs; gives host and port. Raises ConfigError when the port cannot be had."""
    try:
        server = _Server(host, port)
    except OSError as error:
        raise ConfigError(f"`operations_port`: {address(host, port)} cannot be had: {error.strerror}") from None
    with server:
        server.set_app(application)
        threading.Thread(target=server.serve_forever, name="operators' port", daemon=True).start()
        try:
            yield address(host, server.server_port)
        finally:
            server.shutdown()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """As its parents do, without asking a name server what the host is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked went away, or took too long."""
        LOG.warning("a request at the operators' port failed: %s", type(sys.exception()).__name__)


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE

    def log_message(self, format: str, *args: object) -> None:
        """Probes come every few seconds, and are no news."""


def _said(start: StartResponse, status: HTTPStatus) -> Iterable[bytes]:
    start(f"{status.value} {status.phrase}", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{status.phrase.lower()}\n".encode()]
