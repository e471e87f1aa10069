"""The outside client: many threads ask a server, and each keeps its receipt durably before its next call.

    python -m tests.faults.load FOLDER

It runs in a process of its own, which no fault touches. Lines of standard input tell it what to do: `go ADDRESS` lets
it ask that server; `hold ADDRESS` lets it finish there what it has begun, upon which it says `held`. A request whose
call failed is sent again, under the same id, until it is answered: what may be in the log is never left without a
receipt.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias
from uuid import UUID, uuid5

import grpc

from engine.client import to_error, to_request
from engine.pb.v1 import triage_pb2 as pb
from engine.pb.v1 import triage_pb2_grpc

# The generated class has no types.
stub: Callable[[grpc.Channel], Any] = triage_pb2_grpc.TriageServiceStub
Kind: TypeAlias = Literal["receipts", "failures"]
"""Of what a thread keeps a file."""
ROOT = Path(__file__).resolve().parents[2]
THREADS = 8
"""Each has a connection of its own."""
CHANNEL = (("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 100))
DEADLINE = 20.0
PAUSE = 0.1
"""Seconds before a request is sent again."""
PATIENCE = 60.0
"""Seconds in which everything that was begun must be answered: the service recovers by itself."""
PATIENTS: tuple[dict[str, Any], ...] = (
    {"numb": True},
    {"age": 70, "trauma": "minor", "numb": False},
    {"age": 40, "weeks": 4, "fever": False, "numb": "unknown"},
)
SUBJECTS = [str(uuid5(UUID(int=0), f"person {number}")) for number in range(5)]


@dataclass(frozen=True)
class Acknowledged:
    """What the client holds in its hand: the answer to a request. `writer` is empty where there was no receipt.

    `kept`: it was decided before the request was sent for the last time, so the entry of a call that failed was found.
    """

    request: str
    decision: str
    digest: str
    writer: str
    sequence: int
    hash: str
    kept: bool


@dataclass(frozen=True)
class Failed:
    """A call that failed: of which request, and how."""

    request: str
    code: str
    reason: str


def request_of(name: str) -> pb.EvaluateRequest:
    """The request of a name, `<thread>-<number>`: the same each time."""
    number = int(name.partition("-")[2])
    subject = ["", *SUBJECTS][number % (len(SUBJECTS) + 1)]
    answers = PATIENTS[number % len(PATIENTS)]
    return to_request(answers, ruleset="small", request_id=name, subject=subject, view="basic")


class Load:
    """The client as its parent sees it."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder

    def go(self, address: str) -> None:
        """Lets it ask."""
        self._say(f"go {address}")

    def hold(self, address: str) -> None:
        """Returns when everything that was begun is answered. AssertionError where that takes too long."""
        self._say(f"hold {address}")
        assert self._process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            assert selector.select(PATIENCE), f"requests are still not answered: {self.failed()[-THREADS:]}"
        assert self._process.stdout.readline() == "held\n", "the client ended"

    def acknowledged(self) -> list[Acknowledged]:
        """Every answer so far; those of one thread in their order."""
        return [Acknowledged(**each) for each in self._lines("receipts")]

    def failed(self) -> list[Failed]:
        """Every call that failed so far."""
        return [Failed(**each) for each in self._lines("failures")]

    def count(self, kind: Kind) -> int:
        """How many there are so far, at little cost."""
        return sum(path.read_bytes().count(b"\n") for path in self._folder.glob(f"*.{kind}"))

    def _lines(self, kind: Kind) -> Iterator[dict[str, Any]]:
        for path in sorted(self._folder.glob(f"*.{kind}")):
            for line in path.read_text().splitlines(keepends=True):
                if line.endswith("\n"):  # the last one may be on its way
                    yield json.loads(line)

    def _say(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()


@contextmanager
def loading(folder: Path) -> Iterator[Load]:
    """A client that keeps what it is told in a folder; it asks nobody yet."""
    folder.mkdir()
    command = [sys.executable, "-m", "tests.faults.load", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Load(process, folder)
    finally:
        process.kill()
        process.communicate()


# ---- the process ----


class _Order:
    """What the parent wants, shared by the threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._going = False
        self._idle = 0
        self.address = ""

    def give(self, word: str, address: str) -> None:
        with self._changed:
            self.address = address
            self._going = word == "go"
            self._changed.notify_all()
            self._tell()

    def wait(self) -> None:
        """Returns when the next request may be sent."""
        with self._changed:
            self._idle += 1
            self._tell()
            self._changed.wait_for(lambda: self._going)
            self._idle -= 1

    def _tell(self) -> None:
        if self._idle == THREADS and self.address and not self._going:
            print("held", flush=True)


def ask_for_ever(thread: int, order: _Order, folder: Path) -> None:
    """What a thread does: one request after the other, each until it is answered."""
    channel, address = grpc.insecure_channel("127.0.0.1:1"), ""
    number = 0
    with (folder / f"{thread}.receipts").open("w") as receipts, (folder / f"{thread}.failures").open("w") as failures:
        while True:
            order.wait()
            name = f"{thread}-{number}"
            while True:
                if order.address != address:
                    channel.close()
                    address = order.address
                    channel = grpc.insecure_channel(address, CHANNEL)
                sent = time.time()
                try:
                    response = stub(channel).Evaluate(request_of(name), timeout=DEADLINE)
                except grpc.RpcError as fault:
                    error = to_error(fault)
                    keep(failures, Failed(name, error.code.name, error.reason))
                    time.sleep(PAUSE)
                else:
                    keep(receipts, acknowledgement(name, response, sent))
                    break
            number += 1


def acknowledgement(name: str, response: pb.EvaluateResponse, sent: float) -> Acknowledged:
    receipt = response.receipt
    decided = response.decide_time.ToMilliseconds() + 1  # it is cut off
    kept = decided < sent * 1000
    place = (receipt.writer, receipt.sequence, receipt.entry_hash)
    return Acknowledged(name, response.decision_id, response.decision_digest, *place, kept)


def keep(file: IO[str], what: Acknowledged | Failed) -> None:
    """Adds a line; when this returns it is durable."""
    file.write(json.dumps(asdict(what)) + "\n")
    file.flush()
    os.fsync(file.fileno())


def main() -> None:
    folder, order = Path(sys.argv[1]), _Order()

    def work(thread: int) -> None:
        try:
            ask_for_ever(thread, order, folder)
        finally:
            os._exit(3)  # a thread fewer would be less load, and nobody would see it

    for thread in range(THREADS):
        threading.Thread(target=work, args=(thread,), daemon=True).start()
    for line in sys.stdin:
        order.give(*line.split())
    os._exit(0)


if __name__ == "__main__":
    main()
