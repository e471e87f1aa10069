"""`make demo`: a real server, a real client, two patients; what they are told is printed, with the receipt of each.

The server gets any free port and a decision log in a folder of its own, and is stopped whatever happens.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLUIS = [sys.executable, "-c", "from engine.cli import main; main()"]
LISTENING = re.compile(r" on (127\.0\.0\.1:\d+)")
PATIENCE = 60.0
"""Seconds in which the server must be ready: it runs every case of every ruleset first."""


def main() -> int:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with TemporaryDirectory() as folder, serving(Path(folder) / "log") as address:
        say(f"pluis serve       a server is ready on {address}")
        say(f"pluis evaluate    --server {address} tests/demo/patients.yaml\n")
        patients = str(HERE / "patients.yaml")
        done = subprocess.run([*PLUIS, "evaluate", "--server", address, patients], cwd=ROOT, check=False)
    if done.returncode:
        say(f"\nthe demo failed: exit code {done.returncode}")
        return 1
    say("\nserver stopped. Next: `make serve`, then send your own; README.md shows how.")
    return 0


@contextmanager
def serving(log: Path) -> Iterator[str]:
    """A server in a process of its own, ready to answer, that records in a folder; gives its address."""
    command = [*PLUIS, "serve", "--port", "0", "--log", str(log), "--state", str(log.with_name("state"))]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr
        heard = []
        for line in process.stderr:
            heard.append(line)
            if found := LISTENING.search(line):
                break
        else:
            sys.exit(f"the server did not start:\n{''.join(heard)}")
        wait_until_healthy(found[1])
        yield found[1]
    finally:
        process.terminate()
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def wait_until_healthy(address: str) -> None:
    """Returns when the standard health service says SERVING."""
    with grpc.insecure_channel(address) as channel:
        request = health_pb2.HealthCheckRequest(service="triage.v1.TriageService")
        answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=PATIENCE, wait_for_ready=True)
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        sys.exit("the server is up and does not serve")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    os.environ.pop("http_proxy", None)
    sys.exit(main())
