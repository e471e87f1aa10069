"""Whether the folder of rulesets has changed, seen from names, sizes and times: cheap enough for every few seconds.

Polling, for it also sees what notifications of the system do not: network disks, mounted configuration, other machines.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from engine.serve.releases.copying import FolderUnusable, Survey, survey


class Watcher:
    """Looks at a folder of rulesets, at most every so many seconds; with 0 never.

    Make it before the folder is checked for the first time, so that no change falls between the two.
    """

    def __init__(self, folder: Path, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._seconds = seconds
        self._clock = clock
        self._next = clock() + seconds
        self._told = self._last = self._look()

    def changed(self) -> bool:
        """Whether there is something new, told once: the folder differs from when it was told last, and rests.

        It rests when two looks see the same, so that a folder which is still being copied is left alone.
        """
        if not self._seconds or self._clock() < self._next:
            return False
        self._next = self._clock() + self._seconds
        before, self._last = self._last, self._look()
        if self._last != before or self._last == self._told:
            return False
        self._told = self._last
        return True

    def _look(self) -> Survey | str:
        """What is there; or in words why nothing can be seen, which is a change too."""
        try:
            return survey(self._folder)
        except FolderUnusable as fault:
            return str(fault)
