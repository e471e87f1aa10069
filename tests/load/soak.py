"""A long run under load: memory stays flat, no request fails, and workers are killed meanwhile.

    python -m tests.load.soak --evaluations 1000000

Two workers serve low_back_pain and record in SQLite. Clients in a process of their own send batches and, beside them,
single requests whose time is taken; what meets a killed worker is sent again under its request ids. The second worker
is killed again and again; the first one lives as long as the run, and its memory is looked at. Nothing in seconds is
judged: rate and times are printed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median, quantiles

import grpc

from engine.decide.answers import Given
from engine.pb.v1 import triage_pb2 as pb
from engine.record.store import open_existing
from tests.bench.asked import message
from tests.clinical.patients import partial, patient
from tests.demo.demo import LISTENING, PLUIS, wait_until_healthy
from tests.faults.load import CHANNEL, ROOT, stub
from tests.faults.served import children, command_line

NAME = "low_back_pain"
WORKERS = 2
BATCH = 100
BATCHERS, SINGLES = 3, 2
"""Threads that send batches, and threads that send one request at a time."""
PATIENTS = 400
AGE = 20
"""Seconds of a connection: else all end up with the worker that is never killed."""
DEADLINE = 60.0
TRIES = 50
AGAIN = 0.1
"""Seconds before a call that met a killed worker is sent again."""
LOOK = 0.5
"""Seconds between two looks at the memory."""
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Soaked:
    """What a run came to. `memory`: resident bytes of the first worker, each time; `milliseconds`: of single calls."""

    evaluations: int
    sent_again: int
    killed: int
    seconds: float
    memory: tuple[int, ...]
    milliseconds: tuple[float, ...]

    @property
    def growth(self) -> float:
        """Memory in the last fifth of the run against that in the second fifth, when everything had been used once."""
        fifth = len(self.memory) // 5
        return fmean(self.memory[-fifth:]) / fmean(self.memory[fifth : 2 * fifth]) - 1


@contextmanager
def served(folder: Path) -> Iterator[tuple[int, str]]:
    """A server with its workers: the id of its supervisor, and its address."""
    settings = folder / "pluis.toml"
    settings.write_text(f'rulesets = "{ROOT / "rulesets"}"\nmax_connection_age = {AGE}\nworkers = {WORKERS}\n')
    places = ["--log", str(folder / "log"), "--state", str(folder / "state")]
    command = [*PLUIS, "serve", "--config", str(settings), "--port", "0", *places]
    with (folder / "serve.log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, stderr=log)
    try:
        end = time.monotonic() + DEADLINE
        while not (found := LISTENING.search((folder / "serve.log").read_text())):
            assert process.poll() is None and time.monotonic() < end, (folder / "serve.log").read_text()
            time.sleep(0.1)
        wait_until_healthy(found[1])
        while len(workers(process.pid)) < WORKERS:
            assert time.monotonic() < end, "a worker does not come"
            time.sleep(0.1)
        yield process.pid, found[1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0, "the server did not stop in good order"
    finally:
        process.kill()


def workers(supervisor: int) -> list[int]:
    """The workers, the oldest first."""
    return [pid for pid in children(supervisor) if b"fleet.worker" in command_line(pid)]


def resident(pid: int) -> int:
    """Bytes of a process that are in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


# ---- the clients ----


class Clients:
    """Threads that ask until so many evaluations are answered. In a process of their own."""

    def __init__(self, address: str, evaluations: int) -> None:
        self._address = address
        self._left = evaluations
        self._lock = threading.Lock()
        self._requests = requests()
        self.sent_again = 0
        self.milliseconds: list[float] = []

    def run(self) -> None:
        threads = [threading.Thread(target=self._work, args=(BATCH, number)) for number in range(BATCHERS)]
        threads += [threading.Thread(target=self._work, args=(1, BATCHERS + number)) for number in range(SINGLES)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    def _work(self, size: int, thread: int) -> None:
        chance = random.Random(thread)
        try:
            with grpc.insecure_channel(self._address, CHANNEL) as channel:
                number = 0
                while self._take(size):
                    chosen = chance.choices(self._requests, k=size)
                    self._ask(channel, [named(each, f"{thread}-{number}-{place}") for place, each in enumerate(chosen)])
                    number += 1
        except BaseException as fault:
            print(json.dumps({"fault": f"{type(fault).__name__}: {fault}"}), flush=True)
            os._exit(3)

    def _take(self, size: int) -> bool:
        with self._lock:
            self._left -= size
            return self._left + size > 0

    def _ask(self, channel: grpc.Channel, asked: list[pb.EvaluateRequest]) -> None:
        for _ in range(TRIES):
            started = time.monotonic()
            try:
                if len(asked) == 1:
                    answers = [stub(channel).Evaluate(asked[0], timeout=DEADLINE)]
                    self.milliseconds.append((time.monotonic() - started) * 1000)
                else:
                    batch = stub(channel).EvaluateBatch(pb.EvaluateBatchRequest(requests=asked), timeout=DEADLINE)
                    answers = [each.response for each in batch.results]
            except grpc.RpcError as fault:
                call: grpc.Call = fault  # type: ignore[assignment]  # what a call raises is the call too
                if call.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                with self._lock:
                    self.sent_again += 1
                time.sleep(AGAIN)
                continue
            for request, answer in zip(asked, answers, strict=True):
                assert answer.request_id == request.context.request_id and answer.receipt.entry_hash, answer.request_id
            return
        raise AssertionError("no worker answers any more")


def requests() -> list[pb.EvaluateRequest]:
    """Seeded patients; a few of whom not everything was asked yet."""
    chance = random.Random(1)
    made: list[dict[str, Given]] = [patient(chance) if number % 20 else partial(chance) for number in range(PATIENTS)]
    asked = [{name: message(answer) for name, answer in each.items()} for each in made]
    return [pb.EvaluateRequest(ruleset=NAME, view=pb.RESPONSE_VIEW_BASIC, answers=each) for each in asked]


def named(request: pb.EvaluateRequest, name: str) -> pb.EvaluateRequest:
    fresh = pb.EvaluateRequest()
    fresh.CopyFrom(request)
    fresh.context.request_id = name
    return fresh


# ---- the run ----


def soak(evaluations: int, kills: int) -> Soaked:
    """So many evaluations, while the second worker is killed so often, evenly. AssertionError on any failure."""
    with tempfile.TemporaryDirectory() as place, served(Path(place)) as (supervisor, address):
        first = workers(supervisor)[0]
        command = [sys.executable, "-m", "tests.load.soak", "--child", address, "--evaluations", str(evaluations)]
        started = time.monotonic()
        memory: list[int] = []
        killed = 0
        answer = Path(place) / "clients.json"  # a pipe would be full before anybody reads it
        with answer.open("w") as told_here, subprocess.Popen(command, cwd=ROOT, stdout=told_here) as clients:
            try:
                while clients.poll() is None:
                    time.sleep(LOOK)
                    memory.append(resident(first))
                    done = entries(Path(place))
                    others = [pid for pid in workers(supervisor) if pid != first]
                    if others and killed < kills and done > evaluations * (killed + 1) / (kills + 1):
                        os.kill(others[0], signal.SIGKILL)
                        killed += 1
            finally:
                clients.kill()
        told = json.loads(answer.read_text().splitlines()[-1])
        assert "fault" not in told, told["fault"]
        assert killed == kills, f"only {killed} workers were killed"
        assert first in workers(supervisor), "the first worker ended by itself"
        seconds = time.monotonic() - started
        return Soaked(evaluations, told["sent_again"], killed, seconds, tuple(memory), tuple(told["milliseconds"]))


def entries(folder: Path) -> int:
    """How many decisions are in the log: chains have no gaps."""
    with open_existing(folder / "log") as store:
        return sum(last.sequence for writer in store.writers() if (last := store.last(writer)) is not None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluations", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--child", metavar="ADDRESS", help="the process of the clients")
    said = parser.parse_args()
    if said.child:
        clients = Clients(said.child, said.evaluations)
        clients.run()
        print(json.dumps({"sent_again": clients.sent_again, "milliseconds": clients.milliseconds}), flush=True)
        return
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # and with it all that was started
    done = soak(said.evaluations, said.kills)
    cuts = quantiles(done.milliseconds, n=100)
    start, most, end = (each / MIB for each in (done.memory[0], max(done.memory), done.memory[-1]))
    print(
        f"{done.evaluations:,} evaluations in {done.seconds:,.0f} s ({done.evaluations / done.seconds:,.0f} a second), "
        f"recorded; {done.killed} workers killed, {done.sent_again} calls sent again, none failed\n"
        f"single requests beside the batches: median {median(done.milliseconds):.1f} ms, p99 {cuts[98]:.1f} ms\n"
        f"memory of the first worker: {start:.0f} MiB at the start, {most:.0f} at most, {end:.0f} at the end; "
        f"from the second fifth to the last {done.growth:+.1%}"
    )


if __name__ == "__main__":
    main()
