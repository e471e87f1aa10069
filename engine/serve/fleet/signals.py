"""Signals and threads wake one loop: what arrives while it looks away is not lost, and nothing runs in between."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Self

RING = 0
"""No signal has this number: a thread has something for the loop."""


class Signals:
    """Catches signals while its block runs; only in the main thread. Wait for it as for a file, then see what is taken.

    A signal that comes at any moment leaves its number to be read, so that none falls between a look and a wait.
    """

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        self._numbers = tuple(numbers)

    def __enter__(self) -> Self:
        self._ours, self._theirs = socket.socketpair()
        for each in (self._ours, self._theirs):
            each.setblocking(False)
        # Without a warning: a full socket means that the loop will be woken anyway.
        self._earlier_fd = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        self._earlier = {number: signal.signal(number, _noticed) for number in self._numbers}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._earlier_fd)
        self._ours.close()
        self._theirs.close()

    def fileno(self) -> int:
        """Readable when a signal has come, or a thread rang."""
        return self._ours.fileno()

    def ring(self) -> None:
        """Wakes the loop; from any thread, also when the block is over."""
        with suppress(OSError):  # it is full, so that the loop wakes anyway; or there is no loop any more
            self._theirs.send(bytes([RING]))

    def taken(self) -> set[int]:
        """The numbers of the signals that have come since the last look."""
        found: set[int] = set()
        with suppress(BlockingIOError):
            while numbers := self._ours.recv(4096):
                found.update(numbers)
        return found - {RING}


def _noticed(number: int, frame: FrameType | None) -> None:
    """The number is in the socket by now."""
