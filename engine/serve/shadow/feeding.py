"""From a worker to its shadow: each new decision is offered to the candidates, in a process of their own.

No call waits for it. What cannot be taken at once is dropped and counted; a process that dies or hangs is switched off
until the next reload, counted and told in the log.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from queue import Empty, Full, Queue

from engine.decide.decision import Outcome
from engine.pb.v1 import triage_pb2 as pb
from engine.serve.config import Config
from engine.serve.shadow.comparing import Compared, Offered
from engine.serve.telemetry.lines import told
from engine.serve.telemetry.metrics import Metrics

LOG = logging.getLogger("pluis.shadow")
LOADING = 600.0
"""Seconds in which the candidates must be ready: they run all their cases, at the lowest priority."""
LOOK = 0.2
"""Seconds between two looks at whether the process is still there, while nothing is offered."""
LONGEST_LINE = 1 << 16
"""Bytes of the longest line that is read from the process."""


class _Lost(Exception):
    """The shadow cannot be used; the message says why, and names no answer."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A decision that was given, as it stands in the queue: to put it there costs next to nothing."""

    ruleset: str
    request: pb.EvaluateRequest
    outcome: Outcome

    def offered(self) -> Offered:
        """Without who it is about: that is nobody's business here."""
        bare = pb.EvaluateRequest()
        bare.CopyFrom(self.request)
        bare.ClearField("context")
        return Offered(self.ruleset, bare.SerializeToString(), self.outcome)


class Shadow:
    """The shadow of one worker, for `config.shadow`. Safe to share between threads; close it once."""

    def __init__(self, config: Config, metrics: Metrics) -> None:
        """Returns at once; the candidates are asked as soon as they are loaded."""
        self._config = config
        self._metrics = metrics
        self._feed = _Feed(config, metrics)

    def offer(self, request: pb.EvaluateRequest, ruleset: str, outcome: Outcome) -> None:
        """A decision was given. Never waits and never raises; the request must not be changed any more."""
        self._feed.offer(request, ruleset, outcome)

    def reload(self) -> None:
        """Loads the candidates as they are now, in a new process, also where the last one was lost."""
        self._feed.close()
        self._feed = _Feed(self._config, self._metrics)

    @property
    def process(self) -> int | None:
        """The id of the process that decides; None while it loads and when it is lost."""
        return self._feed.process

    def close(self) -> None:
        """Ends the process. What still waits is forgotten."""
        self._feed.close()


class _Feed:
    """One process from its start to its end, and the thread that feeds it."""

    def __init__(self, config: Config, metrics: Metrics) -> None:
        self._config = config
        self._metrics = metrics
        self._candidates: Mapping[str, str] = {}
        self._queue: Queue[_Waiting] = Queue(config.shadow_waiting)
        self._closing = False
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        self._thread.start()

    @property
    def process(self) -> int | None:
        child = self._child
        return child.pid if child is not None and self._candidates else None

    def offer(self, request: pb.EvaluateRequest, ruleset: str, outcome: Outcome) -> None:
        if ruleset not in self._candidates:
            return
        try:
            self._queue.put_nowait(_Waiting(ruleset, request, outcome))
        except Full:
            self._metrics.shadowed(ruleset, Compared.DROPPED.value)

    def close(self) -> None:
        with self._lock:
            self._closing = True
            if self._child is not None:
                self._child.kill()
        self._thread.join()

    # ---- the one thread ----

    def _run(self) -> None:
        try:
            ours, theirs = socket.socketpair()
            with ours:
                with theirs:
                    self._start(theirs)
                with ours.makefile("rb") as lines:
                    self._load(ours, lines)
                    self._work(ours, lines)
        except Exception as error:  # whatever a shadow does, the worker goes on
            self._lose(error)
        finally:
            self._end()

    def _start(self, theirs: socket.socket) -> None:
        """Starts the process. Not by multiprocessing: there a process that is a daemon may not have one of its own."""
        command = [sys.executable, "-P", "-m", "engine.serve.shadow.process", str(theirs.fileno())]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with self._lock:
            if not self._closing:
                self._child = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(),), env=environment
                )

    def _load(self, ours: socket.socket, lines: BufferedReader) -> None:
        ours.settimeout(LOADING)
        ours.sendall(pickle.dumps(self._config))
        candidates: dict[str, str] = json.loads(_line(lines))
        if not candidates:
            raise _Lost("no candidate can be used")
        ours.settimeout(self._config.hang)
        for ruleset in candidates:
            for each in Compared:
                self._metrics.shadowed(ruleset, each.value, 0)
        LOG.info("the shadow decides too: %s", ", ".join(" ".join(each) for each in candidates.items()))
        self._metrics.shadow_off(False)
        self._candidates = candidates

    def _work(self, ours: socket.socket, lines: BufferedReader) -> None:
        while not self._closing:
            try:
                waiting = self._queue.get(timeout=LOOK)
            except Empty:
                if self._child is not None and self._child.poll() is not None:
                    raise _Lost("its process ended") from None
                continue
            result = Compared.DROPPED
            try:
                ours.sendall(pickle.dumps(waiting.offered()))
                result = Compared(_line(lines).decode())
            finally:
                self._metrics.shadowed(waiting.ruleset, result.value)

    def _lose(self, error: Exception) -> None:
        """Switches the shadow off; what it was offered and did not decide counts as dropped."""
        if self._closing:
            return
        self._candidates = {}
        self._metrics.shadow_off(True)
        LOG.error("the shadow is switched off until the next reload: %s", _why(error))
        with suppress(Empty):
            while True:
                self._metrics.shadowed(self._queue.get_nowait().ruleset, Compared.DROPPED.value)

    def _end(self) -> None:
        self._candidates = {}
        if self._child is not None:
            self._child.kill()
            self._child.wait()


def _line(lines: BufferedReader) -> bytes:
    """The next line of the process."""
    line = lines.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise _Lost("its process ended")
    return line[:-1]


def _why(error: Exception) -> str:
    match error:
        case _Lost():
            return str(error)
        case TimeoutError():
            return "its process gave no answer in time"
        case ConnectionError():
            return "its process ended"
        case _:
            return told(error)
