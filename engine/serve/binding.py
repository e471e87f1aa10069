"""Ports: every address that a host has gets a socket with the same port, or nobody gets one."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeAlias

from engine.serve.config import ConfigError, address

Place: TypeAlias = tuple[str, int]


def bind_all(host: str, port: int, bind: Callable[[socket.socket, Place], None]) -> list[socket.socket]:
    """A socket for each address of the host that this machine has, bound by `bind` and not listening.

    All have one port: the first free one where `port` is 0. Raises ConfigError when it cannot be had; then nothing
    stays open.
    """
    told = address(host, port)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ConfigError(f"{told} cannot be listened on: {error.strerror}") from None
    bound: list[socket.socket] = []
    faults = []
    with ExitStack() as held:
        for family, _, protocol, _, where in found:
            try:
                # asyncio sends at once (TCP_NODELAY) only where a socket says that it is TCP; else each answer waits
                # for the caller's delayed acknowledgement, 40 ms.
                each = held.enter_context(socket.socket(family, socket.SOCK_STREAM, protocol))
                if family == socket.AF_INET6:
                    each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                bind(each, (str(where[0]), port))
            except OSError as error:  # such as `localhost` on a machine without IPv6
                faults.append(error)
                continue
            bound.append(each)
            port = each.getsockname()[1]
        if any(fault.errno == errno.EADDRINUSE for fault in faults):
            raise ConfigError(f"{told} cannot be listened on: is another server running there?")
        if not bound:
            raise ConfigError(f"{told} cannot be listened on: {faults[0].strerror}")
        held.pop_all()
    return bound


def alone(bound: socket.socket, where: Place) -> None:
    """For a server that has its port to itself."""
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of an earlier server do not count
    bound.bind(where)


def shared(bound: socket.socket, where: Place) -> None:
    """For one of the workers of a service, which share a port."""
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(where)
