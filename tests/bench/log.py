"""What does the decision log cost? Calls per second with the log on against those with it off, in one run.

Three servers stand side by side: without a log, with one in SQLite, with one in a PostgreSQL of its own. In each round
each gets the same new patients, in 64 calls at once over 8 connections; after it the log must have grown by exactly as
many entries.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console

from engine.decide.evaluate import Evaluator
from engine.pb.v1 import triage_pb2 as pb
from engine.record.store import open_existing
from engine.rules.load import load
from engine.serve.config import LOG_OFF, Config
from engine.serve.registry import Registry
from engine.serve.server import build_server
from engine.serve.telemetry.lines import set_up_lines
from tests.bench.asked import EVALUATE, NAME, RULESETS, Kind, answered, ratios, requests, serving, tell
from tests.bench.load import CONNECTIONS, EACH, at_once
from tests.bench.results import Table
from tests.record.server import server as postgres

CALLS = 1280
"""Of one round: some seconds, so that beginning and end of a round do not count."""


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
    """A server with a log; its access lines go to standard error."""
    with tempfile.TemporaryDirectory() as state:
        config = Config(rulesets=RULESETS, port=0, log=log, log_keys=keys, state=Path(state))
        set_up_lines(config.log_format, "bench")
        server = build_server(config, Registry(RULESETS))
        server.start()
        tell(server.port)
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
            Asked(name, log, stack.enter_context(serving("tests.bench.log", log, str(folder / f"{name}.json"))).port)
            for name, log in places.items()
        )


# ---- asking ----


def check(server: Asked, message: bytes) -> None:
    """A real client must get a decision, with a receipt where there is a log."""
    response = pb.EvaluateResponse.FromString(answered(server.port, EVALUATE, message))
    assert response.HasField("decision") and response.HasField("receipt") == (server.log != LOG_OFF), server.name


# ---- measuring ----


def with_log(evaluator: Evaluator, rounds: int, calls: int = CALLS) -> Table:
    """Calls per second of each server, and of those with a log as a part of what the one without did in that round."""
    messages = [each.SerializeToString() for each in requests(evaluator, Kind.COMPLETE, (rounds + 1) * calls)]
    speeds: dict[str, list[float]] = defaultdict(list)
    with servers() as every:
        for server in every:
            at_once(server.port, EVALUATE, messages[:calls])
            check(server, messages[0])
        for place in range(1, rounds + 1):
            for server in every:
                before = server.entries()
                done = at_once(server.port, EVALUATE, messages[place * calls :][:calls])
                speeds[server.name].append(calls / done.seconds)
                assert server.entries() - before == (calls if server.log != LOG_OFF else 0), server.name
        disk = fsync()
    return Table(
        "the decision log",
        ("log", *speeds),
        (("calls a second, off = 1", *(str(ratios(each, speeds["off"])) for each in speeds.values())),),
        f"{CONNECTIONS * EACH} calls at once over {CONNECTIONS} connections, every question answered. One fsync of "
        f"this disk takes as long as {disk * median(speeds['off']):.1f} calls without a log.",
    )


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
    evaluator = Evaluator(load(RULESETS / NAME))
    Console().print(with_log(evaluator, options.rounds, options.calls).printed())


if __name__ == "__main__":
    main()
