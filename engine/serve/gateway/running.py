"""The HTTP server of one process: its port, its TLS, its limits on connections, and its end.

It runs in a thread with an event loop of its own, beside gRPC's.
"""

from __future__ import annotations

import asyncio
import logging
import math
import ssl
import threading
import time
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from engine.serve.access.files import Watched
from engine.serve.binding import alone, bind_all, shared
from engine.serve.config import ConfigError, Tls, address
from engine.serve.gateway.app import build_app
from engine.serve.gateway.gateway import Gateway
from engine.serve.parts import Parts
from engine.serve.registry import Registry

LOG = logging.getLogger("pluis.access")
LARGEST_HEAD = 16 * 1024
"""Bytes of a request line and its headers."""
IDLE = 30
"""Seconds that a connection may do nothing between two requests."""
PATIENCE = 10.0
"""Seconds in which a request's headers must have come, the first one's since the connection was made."""
SPARE = 1000
"""Connections beyond the calls that may be worked on and wait: to be refused in words, or to do nothing."""
TURN = 0.02


class HttpServer:
    """It is bound to its port when it is made; `start` makes it answer. Stop it once."""

    def __init__(self, parts: Parts, registry: Registry, port: int, shared_port: int | None = None) -> None:
        """`shared_port` is one that other processes listen on too. Raises ConfigError for what cannot be had."""
        config = parts.config
        tls = None if config.tls is None else _Certificates(config.tls)
        if shared_port is None:
            self._sockets = bind_all(config.http_host, port, alone)
        else:
            self._sockets = bind_all(config.http_host, shared_port, shared)
        self.port: int = self._sockets[0].getsockname()[1]
        self.address = f"{'https' if tls else 'http'}://{address(config.http_host, self.port)}"
        self.gateway = Gateway(parts, registry, self.address)
        settings = uvicorn.Config(
            build_app(self.gateway),
            loop="asyncio",
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=config.threads + config.max_waiting + SPARE,
            timeout_keep_alive=IDLE,
            timeout_graceful_shutdown=max(1, math.ceil(config.grace)),
            ssl_context_factory=None if tls is None else lambda settings, otherwise: tls.context,
            h11_max_incomplete_event_size=LARGEST_HEAD,
        )
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(target=self._server.run, args=(self._sockets,), name="pluis-http", daemon=True)

    def start(self) -> None:
        """Answers from now on."""
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(TURN)
        self.gateway.ready = self._server.started

    def drain(self) -> None:
        """Says to those who look that callers should go elsewhere; goes on answering."""
        self.gateway.ready = False

    def stop(self) -> None:
        """Takes no more, and lets those in flight end, for the grace of the settings at most."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        for each in self._sockets:
            each.close()


class _Protocol(H11Protocol):
    """A connection whose headers must come in time: between requests uvicorn itself looks, until the first byte."""

    _late: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.access_log = False  # uvicorn's own lines have query strings, and its setting only takes handlers away

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its parent
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._forget()
        elif self.conn.trailing_data[0]:
            self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _expect(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(PATIENCE, self.transport.abort)

    def _forget(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class _Certificates:
    """The server's certificate; what stands in the files when a connection is made counts for it."""

    def __init__(self, tls: Tls) -> None:
        """Raises ConfigError for files that cannot be used."""
        self._tls = tls
        self._watched = Watched(tls.certificate, tls.key)
        self._current = self._read()
        self.context = self._current
        """What a server is given; it looks for each connection."""
        self.context.sni_callback = self._look

    def _look(self, connection: Any, name: str | None, context: ssl.SSLContext) -> None:
        """Called with each greeting, also one that names no server."""
        if self._watched.changed():
            # A pair that is replaced file by file does not fit together for a moment; it is read again after that.
            try:
                self._current = self._read()
            except ConfigError as error:
                LOG.error("the certificate for HTTP stays as it was: %s", error)
        connection.context = self._current

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self._tls.certificate, self._tls.key, password=_no_password)
        except (OSError, ValueError):  # ssl.SSLError is an OSError
            message = f"`{self._tls.certificate}` and `{self._tls.key}` are no certificate and its key"
            raise ConfigError(message) from None
        return context


def _no_password() -> str:
    """Asked for where a key has one: without this the terminal would be."""
    raise ValueError
