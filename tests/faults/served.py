"""The real `pluis serve` in a process of its own, started again as often as it is killed; and what is asked of it."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from engine.record.store import Store, open_existing
from tests.demo.demo import PLUIS, wait_until_healthy
from tests.faults.load import PATIENCE, ROOT
from tests.record.server import Server, server

LOG_HEALTH = "pluis.DecisionLog"
SMALL = ROOT / "tests" / "serve" / "rulesets" / "small"
HASTY = [sys.executable, "-m", "tests.faults.hasty"]
"""The command with the planted fault."""
LISTENING = re.compile(r" w\d+ .* on (127\.0\.0\.1:\d+)")
"""What a worker says once it serves; its supervisor says it too, for all of them."""
GRACE = 20.0
"""Seconds in which a server that is told to stop must be gone."""
OURS = ("GRPC_ENABLE_FORK_SUPPORT",)
"""Variables of the environment that are not for the server."""


class Served:
    """A server over one log; `pid` is of the supervisor that runs now, whose children are its workers."""

    def __init__(self, folder: Path, where: str, command: Sequence[str], workers: int) -> None:
        """`where` is the log: a folder, or the URL of a PostgreSQL database."""
        self.where = where
        self.keys = folder / "keys.json"
        self.address = ""
        self._rulesets = small_ruleset(folder / "rulesets")
        places = ["--rulesets", str(self._rulesets), "--state", str(folder / "state"), "--log", where]
        self._command = [*command, "serve", "--port", "0", "--workers", str(workers), *places]
        self._process: subprocess.Popen[str] | None = None
        self._listener: threading.Thread | None = None
        self._said: deque[str] = deque(maxlen=30)
        self._workers = workers
        self.listened = 0
        """How many workers of this supervisor have said that they listen, those that are gone too."""

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self) -> None:
        """Starts it; returns when it is healthy."""
        command = [*self._command, "--log-keys", str(self.keys)]
        environment = {name: value for name, value in os.environ.items() if name not in OURS}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        self.address, self.listened = "", 0
        self._listener = threading.Thread(target=self._listen, args=(self._process,), daemon=True)
        self._listener.start()
        self.wait_for(self._workers)
        wait_until_healthy(self.address)

    def kill(self) -> None:
        """Ends all of it as nothing else does (SIGKILL)."""
        kill_whole(self.pid)
        self._ended(PATIENCE)

    def kill_supervisor(self) -> None:
        """Ends the supervisor alone; returns when its workers have ended by themselves."""
        os.kill(self.pid, signal.SIGKILL)
        self._ended(PATIENCE)

    def kill_worker(self, chance: random.Random) -> int:
        """Ends one worker; how many must have listened by the time that another has taken its place."""
        before = self.listened
        workers = [pid for pid in children(self.pid) if b"resource_tracker" not in command_line(pid)]
        assert len(workers) == self._workers, f"{len(workers)} workers, where there should be {self._workers}"
        os.kill(chance.choice(workers), signal.SIGKILL)
        return before + 1

    def stop(self) -> None:
        """Ends it as an operator does."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._ended(GRACE)
            except subprocess.TimeoutExpired:
                self.kill()

    def told(self) -> str:
        """The last lines of its log."""
        return "".join(self._said)

    def log_health(self) -> bool:
        """Whether health says that decisions can be recorded."""
        with grpc.insecure_channel(self.address) as channel:
            request = health_pb2.HealthCheckRequest(service=LOG_HEALTH)
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=PATIENCE)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def store(self) -> Store:
        """The log itself, to be read."""
        return open_existing(self.where)

    def _ended(self, seconds: float) -> None:
        """Waits until it is gone, with whoever writes to its log."""
        assert self._process and self._listener
        self._process.wait(seconds)
        self._listener.join(PATIENCE)
        assert not self._listener.is_alive(), "the server is gone, and something of it is not"

    def wait_for(self, workers: int) -> None:
        """Returns when so many workers have said that they listen."""
        try:
            until(lambda: self.listened >= workers, "a worker is not there")
        except AssertionError as fault:
            raise AssertionError(f"{fault}:\n{self.told()}") from None

    def _listen(self, process: subprocess.Popen[str]) -> None:
        """Reads all that it says, so that it never waits for a reader."""
        assert process.stderr
        with process.stderr as lines:
            for line in lines:
                self._said.append(line)
                if found := LISTENING.search(line):
                    self.address = found[1]
                    self.listened += 1


@contextmanager
def serving(folder: Path, where: str, command: Sequence[str] = PLUIS, workers: int = 1) -> Iterator[Served]:
    """A server that runs while the block does, however often it is killed in between."""
    served = Served(folder, where, command, workers)
    try:
        served.start()
        yield served
    finally:
        served.stop()


def small_ruleset(folder: Path) -> Path:
    """A folder with the small ruleset, of which some hundred cases need not be run; it has no last day."""
    shutil.copytree(SMALL, folder / "small")
    path = folder / "small" / "ruleset.yaml"
    said = path.read_text(encoding="utf-8")
    assert ", until: 2030-01-01" in said
    path.write_text(said.replace(", until: 2030-01-01", ""), encoding="utf-8")
    return folder


@contextmanager
def database(kind: str, folder: Path) -> Iterator[tuple[str, Server | None]]:
    """Where a new log may be, and the PostgreSQL that it lies in where `kind` is postgresql."""
    if kind == "sqlite":
        yield str(folder / "log"), None
        return
    with server() as postgres:
        yield postgres.empty_database(), postgres


def children(pid: int) -> list[int]:
    """The processes that a process has started, and that run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # it ended meanwhile
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(stat.parent.name))
    return sorted(found)


def command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def kill_postgres(postgres: Server) -> None:
    """SIGKILL for all of PostgreSQL: its postmaster, which cannot even notice, and every process of it."""
    postmaster = postgres.running.get_pid()
    assert postmaster
    kill_whole(postmaster)
    # Where nobody reaps orphans its id stays taken, and these would tell the next postmaster that this one is alive.
    for lock in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (postgres.running.pgdata / lock).unlink()


def kill_whole(pid: int) -> None:
    """SIGKILL for a process and its children, at once; returns when all are gone."""
    os.kill(pid, signal.SIGSTOP)  # it would start another for each that ends
    pids = [*children(pid), pid]
    for each in pids:
        os.kill(each, signal.SIGKILL)
    until(lambda: not any(map(runs, pids)), "a process outlives SIGKILL")


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(holds: Callable[[], bool], otherwise: str) -> None:
    """Returns when something holds. AssertionError where it takes too long."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, otherwise
        time.sleep(0.01)
