"""Ten times more calls than a server can serve: do those it takes keep their time, and are the others told at once?

    python -m tests.bench.overload

The server takes two calls at a time and lets four wait; each takes 20 ms, so that capacity is known and the machine is
not what is measured. Calls come at their times whether or not the ones before were answered (an open loop): half of
what can be served, then ten times as much, in turns.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from subprocess import PIPE, Popen
from typing import Any

import grpc
from rich.console import Console
from rich.table import Table

from engine.client import to_request
from engine.serve.config import LOG_OFF, Config
from engine.serve.registry import Registry
from engine.serve.server import build_server
from tests.faults.load import CHANNEL, ROOT, stub
from tests.faults.served import small_ruleset

THREADS, WAITING = 2, 4
WORK = 0.02
"""Seconds that each call takes."""
CAPACITY = THREADS / WORK
LOADS = {"half of it": 0.5, "ten times": 10.0}
SECONDS = 4.0
CONNECTIONS = 8
DEADLINE = 20.0


@dataclass
class Outcome:
    """What came of the calls of one load, in seconds."""

    served: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    failed: int = 0


def ask(address: str, rate: float, seconds: float) -> Outcome:
    """Sends calls evenly, and waits for none before the next."""
    outcome, lock, left = Outcome(), threading.Lock(), threading.Semaphore(0)
    channels = [grpc.insecure_channel(address, CHANNEL) for _ in range(CONNECTIONS)]
    request = to_request({"numb": True}, ruleset="small")
    asking = itertools.cycle([stub(channel).Evaluate for channel in channels])
    for channel in channels:
        grpc.channel_ready_future(channel).result(DEADLINE)

    def ended(call: Any, sent: float) -> None:
        took = time.monotonic() - sent
        with lock:
            if call.code() is grpc.StatusCode.OK:
                outcome.served.append(took)
            elif call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                outcome.refused.append(took)
            else:
                outcome.failed += 1
        left.release()

    number = round(rate * seconds)
    start = time.monotonic()
    for place in range(number):
        time.sleep(max(0.0, start + place / rate - time.monotonic()))
        sent = time.monotonic()
        next(asking).future(request, timeout=DEADLINE).add_done_callback(lambda call, sent=sent: ended(call, sent))
    for _ in range(number):
        assert left.acquire(timeout=DEADLINE), "a call was neither served nor refused"
    for channel in channels:
        channel.close()
    return outcome


def serve() -> None:
    """A server in which an evaluation takes its time; prints its address. Ends with its standard input."""
    with tempfile.TemporaryDirectory() as place:
        rulesets = small_ruleset(Path(place) / "rulesets")
        limits = {"threads": THREADS, "max_streams": 1, "max_waiting": WAITING}
        config = Config(rulesets=rulesets, port=0, log=LOG_OFF, state=Path(place) / "state", grace=0.0, **limits)
        registry = Registry(rulesets)
        (served,) = registry.current()
        evaluate = served.evaluator.evaluate

        def slow(answers: Any) -> Any:
            time.sleep(WORK)
            return evaluate(answers)

        setattr(served.evaluator, "evaluate", slow)  # noqa: B010 - an instance, on purpose
        server = build_server(config, registry)
        server.start()
        print(server.address, flush=True)
        sys.stdin.read()
        server.stop()


@contextmanager
def server() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.bench.overload", "--serve"]
    with Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdin and process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def overloaded(rounds: int, seconds: float = SECONDS) -> Table:
    """Times of calls served and refused, as multiples of a call's own work."""
    found = {name: Outcome() for name in LOADS}
    with server() as address:
        for _ in range(rounds):
            for name, load in LOADS.items():
                one = ask(address, CAPACITY * load, seconds)
                found[name].served += one.served
                found[name].refused += one.refused
                found[name].failed += one.failed
    table = Table("load", *LOADS, title=f"room for {THREADS} calls and {WAITING} that wait; times: the call's work = 1")
    every = found.values()
    table.add_row("served, of capacity", *(f"{len(each.served) / (CAPACITY * seconds * rounds):.2f}" for each in every))
    table.add_row("time of those served: median", *(shown(each.served) for each in every))
    table.add_row("p99", *(shown(each.served, 99) for each in every))
    table.add_row("refused", *(f"{len(each.refused):,}" for each in every))
    table.add_row("time of those refused: median", *(shown(each.refused) for each in every))
    table.add_row("p99", *(shown(each.refused, 99) for each in every))
    table.add_row("neither", *(f"{each.failed:,}" for each in every))
    return table


def shown(times: list[float], percentile: int = 50) -> str:
    if len(times) < 2:
        return "-"
    at = median(times) if percentile == 50 else quantiles(times, n=100)[percentile - 1]
    return f"{at / WORK:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3)
    said = parser.parse_args()
    if said.serve:
        serve()
    else:
        Console().print(overloaded(said.rounds))


if __name__ == "__main__":
    main()
