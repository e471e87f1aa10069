"""What a server is told to do: where it listens, which rulesets it serves, and how much it takes on."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from engine.errors import LogRefused, PluisError
from engine.record.place import DEFAULT, place_of
from engine.serve.standing import Requirement

KIB = 1024
LOG_OFF = "off"
"""Said instead of a place for the log: nothing is recorded."""


class ConfigError(PluisError):
    """A server cannot be run as it is told to."""


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one server. Sizes are bytes, times seconds. Raises ConfigError for a setting that cannot be.

    >>> Config(rulesets=Path("rulesets"), port=0).address
    '127.0.0.1:0'
    """

    rulesets: Path
    """The folder with the rulesets."""
    host: str = "127.0.0.1"
    port: int = 50051
    """0: any free port."""
    threads: int = 16
    max_streams: int = 8
    """Streams that may be open at once. Each holds a thread while it is open, so some threads must be left over."""
    max_waiting: int = 256
    """Calls that may run or wait at once; more are refused with RESOURCE_EXHAUSTED."""
    max_request_size: int = 256 * KIB
    """One patient's request; a batch may be as large as `max_message_size`."""
    max_message_size: int = 4096 * KIB
    max_answers: int = 500
    max_batch: int = 1000
    grace: float = 10.0
    """How long calls that are in flight may take when the server stops."""
    reflection: bool = True
    required: frozenset[Requirement] = frozenset()
    """What a version must have before it is served, beside cases that pass."""
    log: str = DEFAULT
    """Where decisions are recorded: a folder, the URL of a PostgreSQL database, or LOG_OFF."""
    log_keys: Path | None = None
    """The file with the log's keys, made when there is none; None: beside the log's folder."""
    log_patience: float = 10.0
    """How long a call waits until its decision is durable, before it fails."""

    def __post_init__(self) -> None:
        if not _is_loopback(self.host):
            raise ConfigError(
                f"`{self.host}` can be reached from other machines, and this server has no TLS and no authentication "
                "yet: use 127.0.0.1, ::1 or localhost"
            )
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"`{self.port}` is no port: use 0 to 65535")
        if not 0 < self.max_streams < self.threads:
            raise ConfigError("`max_streams` must be at least 1 and below `threads`: streams hold threads")
        for name in ("max_waiting", "max_request_size", "max_message_size", "max_answers", "max_batch"):
            if getattr(self, name) < 1:
                raise ConfigError(f"`{name}` must be at least 1")
        if not 0 <= self.grace < float("inf"):
            raise ConfigError("`grace` must be zero or more seconds")
        if not 0 < self.log_patience < float("inf"):
            raise ConfigError("`log_patience` must be more than zero seconds")
        if self.log != LOG_OFF:
            try:
                place_of(self.log, self.log_keys)
            except LogRefused as error:
                raise ConfigError(str(error)) from None

    @property
    def address(self) -> str:
        """Host and port as gRPC takes them."""
        return address(self.host, self.port)


def address(host: str, port: int) -> str:
    """Host and port in one; an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
