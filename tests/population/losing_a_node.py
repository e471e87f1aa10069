"""Runs a batch twice on a Ray cluster of two nodes, the second time with a node killed by its id half-way.

    python -m tests.population.losing_a_node IN FOLDER

FOLDER gets `undisturbed` and `disturbed`, which must be alike. Ends with 1 where the node was killed too late, or a run
failed.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from tests.population.running import batch, bytes_of, cluster, parts, started


def main(where: Path, folder: Path) -> int:
    """What the process ends with."""
    with cluster() as made:
        on = ("--engine", "ray", "--address", made.address)
        code, told, complaints = batch(where, folder / "undisturbed", *on, "--partitions", "3")
        print("undisturbed:", code, told.partition("\n")[0], complaints if code else "")
        out = folder / "disturbed"
        running = started(where, out, *on)
        while not parts(out) and running.poll() is None:
            time.sleep(0.02)
        before = len(parts(out))
        (node,) = made.worker_nodes
        print("killed:", node.node_id, "after", before, "parts")
        made.remove_node(node, allow_graceful=False)
        told, complaints = running.communicate(timeout=600)
        print("disturbed:", running.returncode, told.partition("\n")[0], complaints if running.returncode else "")
    half_way = 0 < before < len(parts(out))
    alike = bytes_of(out) == bytes_of(folder / "undisturbed")
    print("half-way:", half_way, "alike:", alike)
    return 0 if code == running.returncode == 0 and half_way and alike else 1


if __name__ == "__main__":
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
