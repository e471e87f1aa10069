"""What only one server may have at a time: its port and its folder of state."""

from __future__ import annotations

import errno
import fcntl
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from engine.serve.binding import Place, bind_all
from engine.serve.config import ConfigError

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
    with ExitStack() as held:
        bound = bind_all(host, port, _alone_then_shared)
        for each in bound:
            held.enter_context(each)
        yield bound[0].getsockname()[1]


def _alone_then_shared(bound: socket.socket, where: Place) -> None:
    """Lets a socket have a port alone first, and then with all who ask to share it."""
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of an earlier server do not count
    bound.bind(where)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
