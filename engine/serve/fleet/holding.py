"""What only one server may have at a time: its port and its folder of state."""

from __future__ import annotations

import errno
import fcntl
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from engine.serve.config import ConfigError, address

LOCK = "server.lock"


def hold_state(folder: Path) -> TextIO:
    """Makes the folder, and keeps it for this process until what it gives is closed, or the process ends in any way.

    Raises ConfigError when another server has it, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("a")
    except OSError as error:
        raise ConfigError(f"`state`: `{folder}` cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        if error.errno == errno.EWOULDBLOCK:
            raise ConfigError(f"`state`: another server uses `{folder}`: give each its own") from None
        raise ConfigError(f"`state`: `{folder}` cannot be locked: {error.strerror}") from None
    return lock


@contextmanager
def hold_port(host: str, port: int) -> Iterator[int]:
    """Binds a port without listening, so that workers can share it and nobody else gets it; gives its number.

    Raises ConfigError when it cannot be had.
    """
    place = address(host, port)
    with ExitStack() as held:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except OSError as error:
            raise ConfigError(f"{place} cannot be listened on: {error.strerror}") from None
        faults = []
        for family, _, _, _, where in found:
            try:
                bound = held.enter_context(_bound(family, str(where[0]), port))
                port = bound.getsockname()[1]
            except OSError as error:  # such as `localhost` on a machine without IPv6
                faults.append(error)
        if any(fault.errno == errno.EADDRINUSE for fault in faults):
            raise ConfigError(f"{place} cannot be listened on: is another server running there?")
        if len(faults) == len(found):
            raise ConfigError(f"{place} cannot be listened on: {faults[0].strerror}")
        yield port


def _bound(family: int, host: str, port: int) -> socket.socket:
    """A socket that has a port alone first, and then with all who ask to share it."""
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of an earlier server do not count
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except BaseException:
        bound.close()
        raise
    return bound
