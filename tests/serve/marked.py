"""A real `pluis serve` with everything on: two workers, JSON lines, metrics, a decision log; to look for marks in."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.demo.demo import LISTENING, PLUIS, wait_until_healthy
from tests.faults.load import ROOT
from tests.faults.served import small_ruleset

OPERATIONS = re.compile(r"metrics and probes on http://([\d.:]+)")
HTTP = re.compile(r"http on http://([\d.:]+)")
PATIENCE = 60.0


@dataclass
class Whole:
    """A server that runs, and what it writes to its streams."""

    address: str
    operations: str
    http: str
    lines: Path

    def told(self) -> str:
        """All that it wrote to standard output and standard error."""
        return self.lines.read_text(encoding="utf-8")


@contextmanager
def whole_server(folder: Path) -> Iterator[Whole]:
    """Runs while the block does, and stops in good order."""
    rulesets = small_ruleset(folder / "rulesets")
    places = ["--rulesets", str(rulesets), "--log", str(folder / "log"), "--state", str(folder / "state")]
    switches = ["--workers", "2", "--operations-port", "0", "--log-format", "json", "--reflection", "--http-port", "0"]
    lines = folder / "lines"
    with lines.open("w") as streams:
        command = [*PLUIS, "serve", "--port", "0", *places, *switches]
        process = subprocess.Popen(command, cwd=ROOT, stdout=streams, stderr=streams)
    try:
        end = time.monotonic() + PATIENCE
        patterns = (LISTENING, OPERATIONS, HTTP)
        while not all(found := [pattern.search(lines.read_text()) for pattern in patterns]):
            assert process.poll() is None and time.monotonic() < end, lines.read_text()
            time.sleep(0.05)
        grpc, operations, http = (each[1] for each in found if each)
        wait_until_healthy(grpc)
        yield Whole(grpc, operations, http, lines)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, lines.read_text()
    finally:
        process.kill()
