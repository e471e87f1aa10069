"""What do more worker processes bring? Calls per second of `pluis serve` with one worker and with more, in one run.

The client and all workers share the machine: with two cores, two workers and the client cannot do twice what one does.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from engine.decide.evaluate import Evaluator
from engine.rules.load import load
from tests.bench.asked import EVALUATE, NAME, PATIENCE, ROOT, RULESETS, Kind, Ratio, in_bytes, parted, ratios, requests
from tests.bench.load import at_once
from tests.bench.results import Table
from tests.bench.wire import BASIC, warm_up
from tests.demo.demo import PLUIS, wait_until_healthy

WORKERS = (1, 2)
CONNECTIONS, EACH = 32, 2
"""Connections, and calls at once on each: the system deals connections out to workers, few of them unevenly."""
LISTENING = re.compile(r" w\d+ .* on (127\.0\.0\.1):(\d+)$", re.MULTILINE)
"""What each worker says once it serves."""


@contextmanager
def service(workers: int) -> Iterator[int]:
    """`pluis serve` without a log; its port, once all workers serve. Its lines go to a file that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "lines").open("w") as lines:
        places = ["--rulesets", str(RULESETS), "--state", folder, "--log", "off"]
        command = [*PLUIS, "serve", "--port", "0", "--workers", str(workers), *places]
        process = subprocess.Popen(command, cwd=ROOT, stderr=lines)
        try:
            port = _port(Path(lines.name), workers)
            wait_until_healthy(f"127.0.0.1:{port}")
            yield port
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _port(lines: Path, workers: int) -> int:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        listening = LISTENING.findall(lines.read_text(encoding="utf-8"))
        if len(listening) >= workers:
            return int(listening[0][1])
        time.sleep(0.1)
    raise TimeoutError(f"{workers} workers do not serve: {lines.read_text(encoding='utf-8')[-1000:]}")


def measure(evaluator: Evaluator, rounds: int, calls: int) -> dict[int, Ratio]:
    """By number of workers: calls per second, one worker = 1. New typical patients in every round."""
    asked = [in_bytes(each, BASIC) for each in requests(evaluator, Kind.TYPICAL, (rounds + 1) * calls)]
    first, *others = parted(asked, calls)
    speeds: dict[int, list[float]] = {workers: [] for workers in WORKERS}
    with ExitStack() as stack:
        ports = {workers: stack.enter_context(service(workers)) for workers in WORKERS}
        for port in ports.values():
            warm_up(port, EVALUATE, first)
        for place, messages in enumerate(others):
            for workers in WORKERS if place % 2 else reversed(WORKERS):
                done = at_once(ports[workers], EVALUATE, messages, CONNECTIONS, EACH)
                speeds[workers].append(calls / done.seconds)
    return {workers: ratios(each, speeds[1]) for workers, each in speeds.items()}


def table(found: dict[int, Ratio]) -> Table:
    return Table(
        "several workers",
        ("workers", *(str(workers) for workers in found)),
        (("calls a second, one worker = 1", *(str(each) for each in found.values())),),
        f"Typical requests, basic view, {CONNECTIONS} connections. Workers and client share the cores of one machine.",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--calls", type=int, default=2400, help="of each service, in each round")
    options = parser.parse_args()
    found = measure(Evaluator(load(RULESETS / NAME)), options.rounds, options.calls)
    Console().print(table(found).printed())


if __name__ == "__main__":
    main()
