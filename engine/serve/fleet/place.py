"""A place among the workers: the process that has it, how it is doing, and when another takes its place."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from multiprocessing.connection import Pipe as connected_pair
from pathlib import Path
from tempfile import TemporaryFile

import engine
from engine.serve.fleet.messages import Message, Pipe, Start

WORKER = (sys.executable, "-m", "engine.serve.fleet.worker")
"""The command of a worker. The number of its end of the pipe follows; its standard input has a pickled Start."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds before a worker that ended is replaced; doubled each time, up to the second."""
LIVED = 60.0
"""Seconds. A worker that served so long was well: the next one starts after the first pause again."""
STARTING = 120.0
"""Seconds that a worker may take until it serves."""


def process_name(number: int) -> str:
    """What the process of a worker is called in metrics and log lines."""
    return f"w{number}"


class Place:
    """One place. Its process is gone where `pipe` is None; the place is taken again once `due` has come."""

    def __init__(self, number: int, command: Sequence[str]) -> None:
        self.number = number
        self.restarts = 0
        self.release = ""
        """What its worker serves; empty until it does."""
        self.started = datetime.now(UTC)
        self.pipe: Pipe | None = None
        self.due = 0.0
        self._command = tuple(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._pause = FIRST_PAUSE
        self._began = self._heard = 0.0

    @property
    def pid(self) -> int | None:
        """The id of its process; None while there is none."""
        return None if self._process is None else self._process.pid

    def take(self, start: Start) -> None:
        """Starts a worker. Raises OSError when the machine has no room for it."""
        self._began = self._heard = time.monotonic()
        ours, theirs = connected_pair()
        try:
            # Nothing else is inherited: an end of another worker's pipe would hide that worker's end. Its own session:
            # what a terminal sends to all processes in front is the supervisor's to answer.
            with TemporaryFile(dir=start.config.state) as told:  # settings may be larger than what a pipe takes at once
                pickle.dump(start, told)
                told.seek(0)
                self._process = subprocess.Popen(
                    (*self._command, str(theirs.fileno())),
                    pass_fds=(theirs.fileno(),),
                    stdin=told,
                    start_new_session=True,
                    env={**os.environ, "PYTHONPATH": _path_to_us(), "PYTHONSAFEPATH": "1"},
                )
        except BaseException:
            ours.close()
            self.lost()
            raise
        finally:
            theirs.close()
        self.pipe = Pipe(ours)
        self.started = datetime.now(UTC)

    def heard(self) -> tuple[Message, ...]:
        """What its worker has said since the last time."""
        found: list[Message] = []
        if self.pipe is not None:
            try:
                for message in self.pipe.waiting():
                    found.append(message)
                    self._heard = time.monotonic()
            except (EOFError, OSError):
                self.kill()  # it ended, or it never can be told anything any more
        return tuple(found)

    def tell(self, message: Message) -> None:
        """Tells its worker something; one that cannot be told anything is ended."""
        if self.pipe is not None:
            try:
                self.pipe.send(message)
            except OSError:
                self.kill()

    def silent(self) -> float:
        """Seconds since its worker was heard."""
        return time.monotonic() - self._heard

    def kill(self) -> None:
        """Ends its process as nothing else does."""
        if self._process is not None:
            self._process.kill()

    def terminate(self) -> None:
        """Asks its process to end."""
        if self._process is not None:
            self._process.terminate()

    def ended(self) -> int | None:
        """The exit code of a process that has ended, once: the place is free then. None otherwise."""
        if self._process is None or (code := self._process.poll()) is None:
            return None
        assert self.pipe is not None
        self.pipe.close()
        self.lost()
        return code

    def lost(self) -> None:
        """Its worker is gone, or could not even be started: the place is free until `due`."""
        now = time.monotonic()
        if self.release and now - self._began > LIVED:
            self._pause = FIRST_PAUSE
        self._process, self.pipe, self.release = None, None, ""
        self.due = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)


def _path_to_us() -> str:
    """Where a worker finds the same code, whatever the working directory holds."""
    ours = str(Path(engine.__file__).parents[1])
    return os.pathsep.join([ours, *filter(None, [os.environ.get("PYTHONPATH")])])
