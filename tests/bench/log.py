"""What does the decision log cost? Calls per second with the log on against those with it off, in one run.

Three servers stand side by side: without a log, with one in SQLite, with one in a PostgreSQL of its own. In each round
each gets the same patient, in 64 calls at once over 8 connections; after it the log must have grown by exactly as many
entries. Where h2load (nghttp2) is on the path it asks: a client in Python takes as much of the machine as the server.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import grpc
from rich.console import Console
from rich.table import Table

from engine.decide.evaluate import Evaluator
from engine.pb.v1 import triage_pb2 as pb
from engine.record.store import open_existing
from engine.rules.load import load
from engine.serve.config import LOG_OFF, Config
from engine.serve.registry import Registry
from engine.serve.server import build_server
from tests.bench.asked import EVALUATE, NAME, PATIENCE, RULESETS, of, patients, serving
from tests.record.server import server as postgres

CALLS = 1280
"""Of one round: some seconds, so that beginning and end of a round do not count."""
CONNECTIONS, EACH = 8, 8
"""Connections, and calls at once on each."""
LOST = 0.01
"""The part of all bytes that may lack without being a call that failed: answers differ by a few, as their times do."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A server that is asked, and where it records."""

    name: str
    log: str
    port: int

    def entries(self) -> int:
        """How many entries its log holds: a chain has no gaps."""
        if self.log == LOG_OFF:
            return 0
        with open_existing(self.log) as store:
            return sum(last.sequence for writer in store.writers() if (last := store.last(writer)) is not None)


def serve(log: str, keys: Path) -> None:
    """A server with a log; prints its port. Ends with its standard input."""
    config = Config(rulesets=RULESETS, port=0, log=log, log_keys=keys)
    server = build_server(config, Registry(RULESETS))
    server.start()
    print(server.port, flush=True)
    sys.stdin.read()
    server.stop()


@contextmanager
def servers() -> Iterator[tuple[Asked, ...]]:
    """The one without a log first. What they record is gone afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pluis-bench-")))
        places = {
            "off": LOG_OFF,
            "SQLite": str(folder / "log"),
            "PostgreSQL": stack.enter_context(postgres()).empty_database(),
        }
        yield tuple(
            Asked(name, log, stack.enter_context(serving("tests.bench.log", log, str(folder / f"{name}.json"))))
            for name, log in places.items()
        )


# ---- asking ----


def answer_of(server: Asked, request: bytes) -> pb.EvaluateResponse:
    """One answer, which must be a decision, with a receipt where there is a log."""
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        call = channel.unary_unary(EVALUATE, response_deserializer=pb.EvaluateResponse.FromString)
        answer: pb.EvaluateResponse = call(request, timeout=PATIENCE)
    assert answer.HasField("decision") and answer.HasField("receipt") == (server.log != LOG_OFF), server.name
    return answer


def with_h2load(server: Asked, request: bytes, calls: int, size: int) -> float:
    """Calls per second. It takes a failure for an answer, so the bytes are counted: a failure brings none."""
    with tempfile.NamedTemporaryFile() as frame:
        frame.write(b"\0" + len(request).to_bytes(4, "big") + request)
        frame.flush()
        load = ["-n", str(calls), "-c", str(CONNECTIONS), "-m", str(EACH), "-d", frame.name]
        headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"]
        told = subprocess.run(
            ["h2load", *load, *headers, f"http://127.0.0.1:{server.port}{EVALUATE}"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    speed, succeeded, came = (
        re.search(pattern, told)
        for pattern in (r"finished in .*, ([\d.]+) req/s", r"(\d+) succeeded", r"\((\d+)\) data")
    )
    assert speed and succeeded and came, told
    assert int(succeeded[1]) == calls and int(came[1]) > calls * size * (1 - LOST), told
    return float(speed[1])


def with_python(server: Asked, request: bytes, calls: int, size: int) -> float:
    """Calls per second, asked from this process; a call that fails raises, whatever size its answer should have."""
    return asyncio.run(_ask(server, request, calls))


async def _ask(server: Asked, request: bytes, calls: int) -> float:
    own = [("grpc.use_local_subchannel_pool", 1)]  # or all channels would share one connection
    channels = [grpc.aio.insecure_channel(f"127.0.0.1:{server.port}", options=own) for _ in range(CONNECTIONS)]
    left = iter(range(calls))

    async def asking(channel: grpc.aio.Channel) -> None:
        call = channel.unary_unary(EVALUATE)
        for _ in left:
            await call(request, timeout=PATIENCE)

    try:
        await asyncio.gather(*(channel.channel_ready() for channel in channels))
        start = time.perf_counter()
        await asyncio.gather(*(asking(channel) for channel in channels for _ in range(EACH)))
        return calls / (time.perf_counter() - start)
    finally:
        await asyncio.gather(*(channel.close() for channel in channels))


# ---- measuring ----


def with_log(requests: list[bytes], rounds: int, calls: int = CALLS) -> Table:
    """Calls per second of each server, and of those with a log as a part of what the one without did in that round."""
    ask, asking = (with_h2load, "h2load") if shutil.which("h2load") else (with_python, "a client in Python: no h2load")
    speeds: dict[str, list[float]] = defaultdict(list)
    with servers() as asked:
        for server in asked:
            ask(server, requests[0], calls // 4, answer_of(server, requests[0]).ByteSize())
        for request in islice(cycle(requests), rounds):
            for server in asked:
                size = answer_of(server, request).ByteSize()
                before = server.entries()
                speeds[server.name].append(ask(server, request, calls, size))
                assert server.entries() - before == (calls if server.log != LOG_OFF else 0), server.name
    names = [server.name for server in asked]
    table = Table(
        "log", *names, title=f"{CONNECTIONS * EACH} calls at once over {CONNECTIONS} connections, by {asking}"
    )
    table.add_row("calls per second", *(f"{median(speeds[name]):,.0f}" for name in names))
    ratios = {name: [on / off for on, off in zip(speeds[name], speeds["off"], strict=True)] for name in names}
    table.add_row("calls per second, off = 1", *(of(ratios[name]) for name in names))
    table.caption = f"one fsync of this disk: {1000 * fsync():.1f} ms"
    return table


def fsync(times: int = 50) -> float:
    """Seconds that it takes until a few bytes are on the disk where the logs were, the median."""
    took = []
    with tempfile.TemporaryFile() as file:
        for _ in range(times):
            file.write(bytes(4096))
            file.flush()
            start = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - start)
    return median(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", nargs=2, metavar=("LOG", "KEYS"), help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--calls", type=int, default=CALLS, help="of each server, in each round")
    options = parser.parse_args()
    if options.serve:
        log, keys = options.serve
        serve(log, Path(keys))
        return
    requests = patients(Evaluator(load(RULESETS / NAME)), "complete", options.rounds)
    Console().print(with_log(requests, options.rounds, options.calls))


if __name__ == "__main__":
    main()
