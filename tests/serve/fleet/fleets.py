"""A real server of several processes for a test: started, heard, asked, and ended with all its processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc

from engine.channel import _service_config
from engine.client import Client, Reply, TriageError
from engine.pb.v1 import triage_pb2_grpc
from engine.serve.config import Config

ROOT = Path(__file__).parents[3]
_stub: Callable[[grpc.Channel], Any] = triage_pb2_grpc.TriageServiceStub  # the generated class has no types
PATIENCE = 90.0
"""Seconds. Whatever is waited for comes in one or two; only a test that fails waits so long."""
SERVING = re.compile(r"supervisor pluis\.server: pluis serving .* on (\S+)$")
PROBES = re.compile(r"metrics and probes on (\S+)$")


def until(holds: Callable[[], Any], otherwise: str = "it never came to be") -> None:
    """Returns when something holds. AssertionError where it takes too long."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, otherwise
        time.sleep(0.02)


def runs(pid: int) -> bool:
    """Whether a process is there, and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Fleet:
    """A supervisor and its workers. `lines` are what they logged so far."""

    def __init__(self, config: Config, faults: Path | None = None) -> None:
        self.config = config
        self.lines: list[str] = []
        command = [sys.executable, "-m", "tests.serve.fleet.serve", config.model_dump_json()]
        self.process = subprocess.Popen(
            [*command, *([str(faults)] if faults else [])],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._seen: set[int] = set()
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def _listen(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.lines.append(line.rstrip())

    def told(self, pattern: str | re.Pattern[str]) -> re.Match[str] | None:
        """The first line that has a pattern."""
        return next((found for line in [*self.lines] if (found := re.search(pattern, line))), None)

    def wait_for(self, pattern: str | re.Pattern[str]) -> re.Match[str]:
        """Returns when a line has a pattern."""
        until(lambda: self.told(pattern) or self.process.poll() is not None, "\n".join(self.lines))
        found = self.told(pattern)
        assert found, "\n".join(self.lines)
        return found

    @property
    def address(self) -> str:
        """Where it listens, once all workers serve."""
        return self.wait_for(SERVING)[1]

    def workers(self) -> list[int]:
        """The processes of its workers, by age."""
        found = []
        for line in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                parent = int(line.read_text().rpartition(")")[2].split()[1])
                command = (line.parent / "cmdline").read_text()
                if parent == self.process.pid and ("fleet.worker" in command or "fleet.planted" in command):
                    found.append(int(line.parent.name))
        self._seen.update(found)
        return sorted(found)

    def wait_until_replaced(self, pid: int) -> None:
        """Returns when a worker is gone, and all of them serve."""
        until(lambda: pid not in self.workers() and len(self.workers()) == self.config.workers)
        until(lambda: self.probe("/readyz") == 200)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the supervisor."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """The exit code; all that it said is in `lines` then."""
        code = self.process.wait(PATIENCE)
        self._listening.join(PATIENCE)
        return code

    def probe(self, path: str) -> int:
        """The status that the operators' port gives."""
        try:
            with urllib.request.urlopen(self.wait_for(PROBES)[1] + path, timeout=PATIENCE) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def metrics(self) -> str:
        """The page of metrics."""
        with urllib.request.urlopen(self.wait_for(PROBES)[1] + "/metrics", timeout=PATIENCE) as answer:
            page: str = answer.read().decode()
            return page

    def close(self) -> None:
        """Ends it, whatever state it is in, and all of its workers."""
        self.workers()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pid in self._seen:
            if runs(pid) and "fleet" in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGKILL)
        assert self.process.stdin and self.process.stderr
        self.process.stdin.close()
        self._listening.join(PATIENCE)
        self.process.stderr.close()


@contextmanager
def fleet(folder: Path, faults: Path | None = None, **settings: Any) -> Iterator[Fleet]:
    """A server with two workers and no log over `folder/rulesets`, which is there while the block runs."""
    given = {
        "rulesets": folder / "rulesets",
        "state": folder / "state",
        "port": 0,
        "operations_port": 0,
        "workers": 2,
        "log": "off",
        "watch": 0,
        "grace": 5,
        **settings,
    }
    started = Fleet(Config(**given), faults)
    try:
        yield started
    finally:
        started.close()


def own_connection(address: str) -> Client:
    """A client that shares its connection with no other of this process, as those of one address do otherwise."""
    client = Client(address, timeout=PATIENCE)
    client.channel.close()
    retries = ("grpc.service_config", json.dumps(_service_config()))
    client.channel = grpc.insecure_channel(address, (retries, ("grpc.use_local_subchannel_pool", 1)))
    client.stub = _stub(client.channel)
    return client


class Load:
    """Callers who ask without a pause, each over a connection of its own, until the block ends.

    Whoever cannot reach the server, or loses it, sends the same request again: `interrupted` are those calls. Every
    other failure is in `failures`.
    """

    def __init__(self, address: str, callers: int = 4) -> None:
        self.replies: list[Reply] = []
        self.interrupted: list[TriageError] = []
        self.failures: list[TriageError] = []
        self._address = address
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(callers)]

    def __enter__(self) -> Load:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for each in self._threads:
            each.join(PATIENCE)

    def more(self, number: int = 20) -> None:
        """Returns after so many more replies."""
        wanted = len(self.replies) + number
        until(lambda: len(self.replies) >= wanted, f"no replies come; failed: {self.failures[-3:]}")

    def _call(self) -> None:
        while not self._ends.is_set():
            with own_connection(self._address) as client:  # perhaps to another worker than the one before
                for _ in range(5):
                    self._ask(client, str(uuid4()))

    def _ask(self, client: Client, request: str) -> None:
        while not self._ends.is_set():
            try:
                self.replies.append(client.evaluate({"numb": True}, ruleset="small", request_id=request))
                return
            except TriageError as failure:
                if failure.code is not grpc.StatusCode.UNAVAILABLE or failure.reason:
                    self.failures.append(failure)
                    return
                self.interrupted.append(failure)
                time.sleep(0.05)
