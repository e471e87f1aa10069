"""All workers together: started, heard, replaced when they end or hang, and moved from release to release as one.

Only the supervisor's loop touches a crew. A release becomes what all of them serve in two steps: every worker that
serves has loaded it before any serves it, so that one that cannot load it leaves nothing to be undone.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from engine.serve.config import Config
from engine.serve.fleet.messages import Asked, Drain, Failed, Load, Loaded, Message, Pipe, Ports, Serving, Start, Swap
from engine.serve.fleet.place import STARTING, Place, process_name
from engine.serve.operations import WorkerTold
from engine.serve.telemetry.metrics import Metrics, Restart, forget_process

LOG = logging.getLogger("pluis.server")
LOADING = 120.0
"""Seconds that workers may take to load a release, or to take it up."""


@dataclass(slots=True)
class _Step:
    """What workers were told to do, those that have not done it yet, and who waits for that; "" when all is well."""

    release: str
    waiting: set[Place]
    done: Future[str]
    end: float = field(default_factory=lambda: time.monotonic() + LOADING)

    def did(self, place: Place) -> None:
        if place in self.waiting:
            self.waiting.discard(place)
            if not self.waiting:
                self.done.set_result("")

    def failed(self, problem: str) -> None:
        self.waiting.clear()
        self.done.set_result(problem)


class Crew:
    """The workers of a server. `asked` gets the questions that operators put to them, with the pipe for the answer."""

    def __init__(
        self, config: Config, command: Sequence[str], metrics: Metrics, asked: Callable[[Pipe, Asked], None]
    ) -> None:
        self.failure = ""
        """Why the first worker that could not serve could not."""
        self._config = config
        self._metrics = metrics
        self._asked = asked
        self._places = tuple(Place(number, command) for number in range(1, config.workers + 1))
        self._ports = Ports(0)
        self._release = ""
        self._draining = False
        self._hung: set[Place] = set()
        self._loading: _Step | None = None
        self._swapping: _Step | None = None

    @property
    def pipes(self) -> tuple[int, ...]:
        """The files of the pipes, for those who wait until something comes."""
        return tuple(place.pipe.fileno() for place in self._places if place.pipe is not None)

    @property
    def pids(self) -> tuple[int, ...]:
        """The ids of the processes that there are."""
        return tuple(place.pid for place in self._places if place.pid is not None)

    @property
    def ready(self) -> int:
        """How many serve, and were heard not long ago."""
        return sum(bool(place.release) and place.silent() < self._config.hang for place in self._places)

    def told(self) -> tuple[WorkerTold, ...]:
        """How each worker is doing."""
        return tuple(WorkerTold(each.number, each.release, each.started, each.restarts) for each in self._places)

    def begin(self, ports: Ports, release: str) -> None:
        """Lets all workers start with a release."""
        self._ports, self._release = ports, release

    def turn(self) -> None:
        """Hears every worker, and replaces those that ended or hang."""
        for place in self._places:
            for message in place.heard():
                self._hear(place, message)
            if (code := place.ended()) is not None:
                self._lost(place, code)
            if not self._draining:
                self._look_after(place)
        for step in (self._loading, self._swapping):
            if step is not None and step.waiting and time.monotonic() > step.end:
                for place in tuple(step.waiting):
                    LOG.error("worker %d did not take up release %s in time", place.number, step.release)
                    place.kill()

    def load(self, release: str, done: Future[str]) -> None:
        """Lets every worker that serves load a release; `done` tells what is wrong, "" when nothing is."""
        serving = {place for place in self._places if place.release}
        self._loading = _Step(release, serving, done)
        if not serving:
            self._loading.failed("no worker is there to load it: they are being replaced")
        for place in tuple(serving):
            place.tell(Load(release))

    def swap(self, release: str, done: Future[str]) -> None:
        """Lets all workers serve what they loaded; `done` when they do. Those that start meanwhile follow."""
        self._release = release
        serving = {place for place in self._places if place.release}
        self._swapping = _Step(release, serving, done)
        if not serving:
            done.set_result("")
        for place in tuple(serving):
            place.tell(Swap(release))

    def drain(self) -> None:
        """Lets all workers stop in good order; those that serve nothing yet at once."""
        self._draining = True
        for place in self._places:
            if not place.release:
                place.terminate()
            place.tell(Drain())

    def kill(self) -> None:
        """Ends all workers as nothing else does."""
        for place in self._places:
            place.kill()

    def _look_after(self, place: Place) -> None:
        limit = self._config.hang if place.release else STARTING
        if place.pipe is None:
            if self._release and time.monotonic() >= place.due:
                self._take(place)
        elif place.silent() > limit and place not in self._hung:
            LOG.error("worker %d answers no trial evaluation for %g seconds: it is ended", place.number, limit)
            self._hung.add(place)
            place.kill()

    def _take(self, place: Place) -> None:
        try:
            place.take(Start(self._config, self._ports, place.number, self._release))
        except OSError as error:
            self._failed(f"worker {place.number} cannot be started: {error.strerror}")

    def _hear(self, place: Place, message: Message) -> None:
        match message:
            case Serving(release):
                place.release = release
                if release != self._release:  # it started while the others went on to another
                    place.tell(Swap(self._release))
                elif self._swapping is not None:
                    self._swapping.did(place)
            case Loaded(release, problem):
                self._has_loaded(place, release, problem)
            case Asked() if place.pipe is not None:
                self._asked(place.pipe, message)
            case Failed(problem):
                self._failed(problem)

    def _has_loaded(self, place: Place, release: str, problem: str) -> None:
        if problem:
            LOG.error("worker %d cannot load release %s: %s", place.number, release, problem)
        if self._loading is not None and place in self._loading.waiting and release == self._loading.release:
            if problem:
                self._loading.failed(f"a worker cannot load it: {problem}")
            else:
                self._loading.did(place)
        elif problem and release == self._release:
            place.kill()

    def _lost(self, place: Place, code: int) -> None:
        for step in (self._loading, self._swapping):
            if step is not None and place in step.waiting:
                if step is self._loading:
                    step.failed(f"worker {place.number} ended while it loaded it")
                else:
                    step.did(place)
        forget_process(self._config.state / "metrics", process_name(place.number))
        if self._draining:
            return
        place.restarts += 1
        hung = place in self._hung
        self._hung.discard(place)
        self._metrics.worker_restarted(Restart.HUNG if hung else Restart.CRASHED)
        self._failed(f"worker {place.number} {_ended(code)}")

    def _failed(self, problem: str) -> None:
        LOG.error("%s", problem)
        self.failure = self.failure or problem


def _ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
