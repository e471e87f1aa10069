"""One worker: a server of its own on the shared port, which beats as long as it can decide, until it is to stop."""

from __future__ import annotations

import gc
import itertools
import logging
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait

from engine.decide.cases import run_case
from engine.decide.evaluate import Evaluator
from engine.errors import PluisError
from engine.rules.cases import Case
from engine.rules.load import load_cases
from engine.serve.fleet.messages import (
    Answered,
    Beat,
    Drain,
    Failed,
    Load,
    Loaded,
    Pipe,
    PipeFull,
    Serving,
    Start,
    Swap,
)
from engine.serve.fleet.operations import AskedOfSupervisor
from engine.serve.fleet.place import STARTING, process_name
from engine.serve.fleet.signals import Signals
from engine.serve.registry import Registry, Snapshot, today
from engine.serve.releases.loading import read_release
from engine.serve.releases.release import ReleaseStore
from engine.serve.server import Server, build_server
from engine.serve.telemetry.lines import set_up_lines, told
from engine.serve.telemetry.metrics import Metrics, shared_metrics

LOG = logging.getLogger("pluis.server")
BEAT = 1.0
"""Seconds between beats, unless hanging is to be noticed sooner."""
SPARE = 5.0
"""Seconds beyond what is allowed, before the system ends a worker that does not end by itself."""


class Release:
    """A release that was loaded, and for each version of it a trial: its own cases, one after the other."""

    def __init__(self, id: str, snapshot: Snapshot, store: ReleaseStore) -> None:
        self.id = id
        self.snapshot = snapshot
        root = store.rulesets(id)
        self._trials: list[tuple[Evaluator, Iterator[Case]]] = [
            (served.evaluator, itertools.cycle(load_cases(root / served.source, served.evaluator.checked)))
            for served in snapshot
        ]

    def fault(self) -> str:
        """Evaluates one case of each version. What is wrong, in words; empty when nothing is."""
        for evaluator, cases in self._trials:
            case = next(cases)
            if not run_case(evaluator, case).passed:
                return f"case {case.id} of {evaluator.checked.ruleset.id} does not pass any more"
        return ""


class Worker:
    """What one process serves, and how it changes."""

    def __init__(self, start: Start, pipe: Pipe, metrics: Metrics) -> None:
        """Loads the release and binds the ports. Raises PluisError."""
        self._config = config = start.config
        self._pipe = pipe
        self._metrics = metrics
        self._store = ReleaseStore(config.state)
        self._current = self._fresh = self._load(start.release)
        registry = Registry.of(self._current.snapshot, config.rulesets, config.required, today)
        self._operations = AskedOfSupervisor(pipe)
        self._server: Server = build_server(
            config,
            registry,
            operations=self._operations,
            shared_port=start.ports.grpc,
            shared_http_port=start.ports.http,
            metrics=metrics,
        )
        self._ends = threading.Event()

    def run(self, signals: Signals) -> None:
        """Serves until the supervisor says so or is gone, or SIGTERM comes."""
        self._server.start()
        self._serves()
        threading.Thread(target=self._beat, name="beat", daemon=True).start()
        while not self._told(signals):
            pass
        self._ends.set()
        _end_in(self._config.drain + self._config.grace + SPARE)
        self._operations.close()
        self._server.stop()

    def _told(self, signals: Signals) -> bool:
        """Does what the supervisor says next. Whether it is to stop."""
        wait([signals.fileno(), self._pipe.fileno()])
        if signal.SIGTERM in signals.taken():
            return True
        try:
            for message in self._pipe.waiting():
                match message:
                    case Drain():
                        return True
                    case Load(release):
                        self._pipe.send(Loaded(release, self._loading(release)))
                    case Swap(release):
                        self._swap(release)
                    case Answered():
                        self._operations.answered(message)
        except (EOFError, OSError):
            LOG.error("the supervisor is gone: this worker stops")
            return True
        return False

    def _load(self, release: str) -> Release:
        return Release(release, read_release(self._store, release, today(), self._config.required), self._store)

    def _loading(self, release: str) -> str:
        """Loads a release beside the one that is served; gives what is wrong with it."""
        try:
            self._fresh = self._load(release)
        except Exception as error:
            return _why(error)
        return ""

    def _swap(self, release: str) -> None:
        problem = self._loading(release) if release != self._fresh.id else ""
        if problem:
            self._pipe.send(Loaded(release, problem))
            return
        self._server.swap(self._fresh.snapshot)
        self._current = self._fresh
        self._serves()

    def _serves(self) -> None:
        _spare_the_collector()
        self._metrics.serving(self._current.id, self._current.snapshot)
        self._pipe.send(Serving(self._current.id))

    def _beat(self) -> None:
        """Says again and again that everything that is served still decides; a hang is silence."""
        faults = ""
        _end_in(2 * self._config.hang + SPARE)
        while True:
            time.sleep(min(BEAT, self._config.hang / 4))
            try:
                fault = self._current.fault()
                if fault != faults:
                    LOG.error("%s", fault or "the trial evaluation passes again")
                    faults = fault
                if not fault:
                    if not self._ends.is_set():
                        _end_in(2 * self._config.hang + SPARE)
                    self._pipe.send(Beat())
            except PipeFull:
                pass  # the supervisor is busy, and the next one tells as much
            except OSError:
                return
            except Exception as error:
                LOG.error("the trial evaluation failed: %s", told(error))


def _spare_the_collector() -> None:
    """Takes what is served out of the rounds of the garbage collector, each of which would stop all calls for it.

    What a call makes goes without it, as a rule; what was served before goes now.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _end_in(seconds: float) -> None:
    """Lets the system end this process, whatever holds the interpreter, unless it is asked again before."""
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _why(error: Exception) -> str:
    """An error in words, short enough for the pipe; of one that is not ours, its kind and place alone."""
    return (str(error) if isinstance(error, PluisError) else f"an error of the program: {told(error)}")[:2000]


def main() -> None:
    """The process of a worker: what it is to do comes in, its end of the pipe is the file that its argument numbers."""
    # Death by the system is what `_end_in` wants, and what SIGTERM does as long as nothing is served.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGHUP):  # the supervisor's to answer, whoever else they were sent to
        signal.signal(number, signal.SIG_IGN)
    _end_in(STARTING + SPARE)
    descriptor = int(sys.argv[1])
    os.set_inheritable(descriptor, False)
    start: Start = pickle.load(sys.stdin.buffer)
    set_up_lines(start.config.log_format, process_name(start.number))
    code = _work(start, Pipe(Connection(descriptor)))
    logging.shutdown()
    os._exit(code)  # a thread that hangs must not keep the process


def _work(start: Start, pipe: Pipe) -> int:
    """The exit code."""
    try:
        worker = Worker(start, pipe, shared_metrics(start.config.state / "metrics", process_name(start.number)))
        with Signals([signal.SIGTERM]) as signals:
            worker.run(signals)
    except Exception as error:
        with suppress(OSError):  # the supervisor is gone already
            pipe.send(Failed(_why(error)))
        return 1
    return 0


if __name__ == "__main__":
    main()
