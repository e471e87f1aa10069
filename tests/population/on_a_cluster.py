"""A run on a cluster of two Ray nodes on this machine, of which one is killed; `make population` runs it.

Minutes, and more processes than cores: not among the tests that run each time.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.population.running import ROOT, bytes_of
from tests.population.test_running import where, whole

__all__ = ["where", "whole"]


def test_a_cluster_that_loses_a_node_writes_the_same_bytes(where: Path, whole: Path, tmp_path: Path) -> None:
    """In a process of its own, as Ray leaves much behind in the one that uses it."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.population.losing_a_node", str(where), str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=900, env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    for out in ("undisturbed", "disturbed"):
        assert bytes_of(tmp_path / out) == bytes_of(whole)
