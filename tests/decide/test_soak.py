"""Many evaluations in one process: no crash, no growth."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEGABYTE = 1 << 20

_SOAK = """
import random, sys
from pathlib import Path
from tests.clinical.patients import evaluator, partial, patient

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

each, rng, patients = evaluator(), random.Random(12), []
for number in range(400):
    patients.append(each.read(partial(rng) if number % 10 == 0 else patient(rng)))
for answers in patients * 5:
    each.evaluate(answers)
before = resident()
for number in range(int(sys.argv[1])):
    each.evaluate(patients[number % len(patients)])
print(resident() - before)
"""


EVALUATIONS = 100_000


@pytest.mark.slow
def test_memory_stays_flat() -> None:
    """In a process of its own, so that the rest of the suite does not count."""
    done = subprocess.run(
        [sys.executable, "-c", _SOAK, str(EVALUATIONS)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    grown = int(done.stdout)
    print(f"{EVALUATIONS} evaluations: {grown / MEGABYTE:+.2f} MB")
    assert grown < 5 * MEGABYTE
