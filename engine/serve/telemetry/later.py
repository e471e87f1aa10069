"""What is written a moment later, many at once: to write for each call lets other threads in, and costs more than all
else that is told of it.

Nothing waits longer than `WAITS`. What waits when a process ends in good order is written then; a process that is
killed loses it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

WAITS = 0.25
"""Seconds."""
Told = TypeVar("Told")


class Later(Generic[Told]):
    """Hands over what it was told, all of it at once and in order. Safe to share between threads."""

    def __init__(self, write: Callable[[Sequence[Told]], None]) -> None:
        self._write = write
        # What the collector throws away may tell of it too, in the midst of adding or writing.
        self._adding, self._writing = threading.RLock(), threading.RLock()
        self._waiting: list[Told] = []

    def add(self, told: Told) -> None:
        """To be written soon."""
        with self._adding:
            self._waiting.append(told)
            first = len(self._waiting) == 1
        if first:
            timer = threading.Timer(WAITS, self.flush)
            timer.daemon = True
            timer.start()

    def flush(self) -> None:
        """Writes what waits; when it returns, all that was added before is written."""
        with self._writing:
            with self._adding:
                waiting, self._waiting = self._waiting, []
            if waiting:
                self._write(waiting)
