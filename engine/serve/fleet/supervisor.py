"""The main process of `pluis serve`: it holds the ports, keeps the workers going, and answers no call itself.

It loads neither gRPC nor the inference engine, so that nothing of them can bring it down. One loop hears signals,
workers and the thread of the changes; nothing in it waits for anything else.
"""

from __future__ import annotations

import logging
import queue
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from multiprocessing.connection import wait

from engine.errors import PluisError
from engine.serve.config import Config, address
from engine.serve.fleet.changes import Changes
from engine.serve.fleet.crew import Crew
from engine.serve.fleet.holding import hold_port, hold_state
from engine.serve.fleet.http import Probes, answering
from engine.serve.fleet.messages import Answer, Answered, Asked, HowIsIt, Pipe, Ports, Refused, Reload
from engine.serve.fleet.place import WORKER
from engine.serve.fleet.signals import Signals
from engine.serve.operations import Status
from engine.serve.releases.release import Release
from engine.serve.telemetry.metrics import clear_metrics, shared_app, shared_metrics

LOG = logging.getLogger("pluis.server")
TURN = 0.25
"""Seconds at most between turns of the loop: what nobody tells it, it looks up."""
DEAF = 30.0
"""Seconds without a turn after which the supervisor itself is not alive."""
SPARE = 5.0
"""Seconds beyond what is allowed, after which workers that do not stop are ended."""


class StartFailed(PluisError):
    """Nothing can be served; the message says why."""


class Supervisor:
    """Run it once, in the main thread. `command` starts a worker."""

    def __init__(self, config: Config, command: Sequence[str] = WORKER) -> None:
        self._config = config
        self._command = command
        self._signals = Signals([signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD])
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        """What other threads want done in the loop."""
        self._first: Release | str | None = None
        self._serving = self._stopping = False
        self._turned = time.monotonic()

    def run(self) -> int:
        """Serves until SIGTERM or SIGINT, and gives the exit code. Raises ConfigError or StartFailed."""
        config, folder = self._config, self._config.state / "metrics"
        with ExitStack() as held:
            held.enter_context(hold_state(config.state))
            clear_metrics(folder)
            self._metrics = shared_metrics(folder, "supervisor")
            self._metrics.supervising()
            self._ports = Ports(held.enter_context(hold_port(config.host, config.port)))
            if config.http_port is not None:
                http = held.enter_context(hold_port(config.http_host, config.http_port))
                self._ports = Ports(self._ports.grpc, http)
            self._crew = Crew(config, self._command, self._metrics, self._asked)
            self._changes = Changes(config, self, self._metrics, self._begun)
            if config.operations_port is not None:
                probes = Probes(shared_app(folder), self._alive, self._ready)
                place = held.enter_context(answering(config.operations_host, config.operations_port, probes))
                LOG.info("metrics and probes on http://%s", place)
            held.enter_context(self._signals)
            try:
                self._changes.start()
                while not self._stopping:
                    self._turn()
            finally:
                self._end()
        return 0

    # ---- the loop ----

    def _turn(self) -> None:
        wait([self._signals.fileno(), *self._crew.pipes], TURN)
        self._turned = time.monotonic()
        came = self._signals.taken()
        if came & {signal.SIGTERM, signal.SIGINT}:
            self._stopping = True
            return
        if signal.SIGHUP in came:
            self._changes.ask(Reload())
        while not self._calls.empty():
            self._calls.get()()
        self._crew.turn()
        self._metrics.workers(self._crew.ready, self._config.workers)
        if not self._serving:
            self._begin()

    def _begin(self) -> None:
        """Says that it serves, as soon as all workers do. Raises StartFailed when one cannot."""
        if isinstance(self._first, str):
            raise StartFailed(self._first)
        if self._crew.failure:
            raise StartFailed(self._crew.failure)
        if self._first is not None and self._crew.ready == self._config.workers:
            self._serving = True
            told = ", ".join(f"{each.id} {each.version}" for each in self._first.versions)
            LOG.info("pluis serving %s on %s", told, address(self._config.host, self._ports.grpc))
            if self._ports.http is not None:
                scheme = "http" if self._config.tls is None else "https"
                LOG.info("http on %s://%s", scheme, address(self._config.http_host, self._ports.http))

    def _end(self) -> None:
        """Lets the workers stop in good order, and ends those that do not."""
        config = self._config
        if self._serving:
            LOG.info("pluis stops; calls in flight have %g seconds", config.grace)
        self._changes.end()
        self._crew.drain()
        ends = time.monotonic() + config.drain + config.grace + SPARE
        while self._crew.pids:
            if time.monotonic() > ends:
                self._crew.kill()
            wait([self._signals.fileno(), *self._crew.pipes], TURN)
            self._turned = time.monotonic()
            self._signals.taken()
            self._crew.turn()

    # ---- for other threads ----

    def load(self, release: str) -> str:
        """For the thread of the changes: lets all workers load a release, and says what is in its way."""
        return self._done(self._crew.load, release)

    def swap(self, release: str) -> None:
        """For the thread of the changes: lets all workers serve what they loaded."""
        self._done(self._crew.swap, release)

    def _done(self, step: Callable[[str, Future[str]], None], release: str) -> str:
        done: Future[str] = Future()
        self._in_loop(partial(step, release, done))
        return done.result()

    def _begun(self, first: Release | str) -> None:
        def begin() -> None:
            self._first = first
            if isinstance(first, Release):
                self._crew.begin(self._ports, first.id)

        self._in_loop(begin)

    def _in_loop(self, call: Callable[[], None]) -> None:
        self._calls.put(call)
        self._signals.ring()

    def _alive(self) -> bool:
        return time.monotonic() - self._turned < DEAF

    def _ready(self) -> bool:
        return self._serving and not self._stopping and self._crew.ready == self._config.workers

    # ---- operators ----

    def _asked(self, pipe: Pipe, asked: Asked) -> None:
        """A worker passes on what an operator asks; the answer goes where the question came from."""
        answer = partial(_answer, pipe, asked.number)
        if isinstance(asked.question, HowIsIt):
            answer(self._status())
        else:
            self._changes.ask(asked.question, answer)

    def _status(self) -> Answer:
        standing = self._changes.standing
        if standing is None:
            return Refused("the server is starting")
        return Status(standing.release, standing.earlier, standing.problems, self._crew.told())


def _answer(pipe: Pipe, number: int, answer: Answer) -> None:
    try:
        pipe.send(Answered(number, answer))
    except OSError:
        LOG.warning("a worker that asked something did not wait for the answer")
    except ValueError:
        pipe.send(Answered(number, Refused("it was done; the answer is too long to be told")))
