"""What is written a moment later, many at once: to write for each call lets other threads in, and costs more than all
else that is told of it.

Nothing waits longer than `WAITS`. What waits when a process ends in good order is written then; a process that is
killed loses it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

WAITS = 0.25
"""Seconds."""
Told = TypeVar("Told")


class Later(Generic[Told]):
    """Hands over what it was told, all of it at once and in order. Safe to share between threads."""

    def __init__(self, write: Callable[[Sequence[Told]], None]) -> None:
        self._write = write
        self._writing = threading.RLock()
        # Added to without a lock: what the collector throws away tells of it too, in the midst of adding or writing.
        self._waiting: deque[Told] = deque()
        self._due = False

    def add(self, told: Told) -> None:
        """To be written soon."""
        self._waiting.append(told)
        if not self._due:
            self._due = True
            timer = threading.Timer(WAITS, self.flush)
            timer.daemon = True
            try:
                timer.start()
            except RuntimeError:  # no thread is left: the next one to add tries again
                self._due = False

    def flush(self) -> None:
        """Writes what waits; when it returns, all that was added before is written."""
        with self._writing:
            self._due = False  # INVARIANT: first of all; what is added from now on is written here or by a new timer
            waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if waiting:
                self._write(waiting)
