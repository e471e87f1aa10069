"""Starts `pluis batch` and clusters for the tests of this folder; all processes are its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.population.patients import RULESET

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from engine.cli import main; main()", "batch")
STORE = 100 * 1024 * 1024
STARTS = 3


def started(where: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    """The command, running."""
    told = [*COMMAND, str(where), str(out), "--ruleset", str(RULESET), *options]
    return subprocess.Popen(told, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def batch(where: Path, out: Path, *options: str) -> tuple[int, str, str]:
    """The command's exit code, output and complaints."""
    running = started(where, out, *options)
    told, complaints = running.communicate(timeout=600)
    return running.returncode, told, complaints


def bytes_of(out: Path) -> dict[str, str]:
    """A digest of every file of a run."""
    return {each.name: sha256(each.read_bytes()).hexdigest() for each in sorted(out.iterdir())}


def parts(out: Path) -> list[Path]:
    """The parts that are written."""
    return sorted(out.glob("part-?????.parquet"))


@contextmanager
def cluster() -> Iterator[Any]:
    """A Ray cluster of two nodes with a core each, on two loopback addresses.

    Not 127.0.0.1, which Ray replaces with the machine's own address when somebody joins.
    """
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": STORE}
    head = {**node, "include_dashboard": False, "node_ip_address": "127.0.0.2"}
    made = _up(lambda: Cluster(initialize_head=True, head_node_args=head))
    try:
        _up(lambda: made.add_node(**node, node_ip_address="127.0.0.3"))
        yield made
    finally:
        made.shutdown()


def _up(start: Callable[[], Any]) -> Any:
    """What is started. Ray gives a node 30 seconds and no more, which a busy machine can need; so it may try again.

    What is left of a start that failed ends with this process. No run is ever tried again.
    """
    for _ in range(STARTS - 1):
        try:
            return start()
        except Exception as error:  # Ray has no type for it
            if "timed out during startup" not in str(error):
                raise
            print("a node did not come up in time")
    return start()
