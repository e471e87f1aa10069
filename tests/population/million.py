"""Measures a batch of a million patients: memory of all its processes, and its rate against that in process.

    python -m tests.population.million [--rows N] [--workers N]

In process means: rows in memory, answers typed, both evaluators, nothing read or written. It is measured before and
after, in one process, on the first rows of the input, each once, as the batch decides them. Other load on the machine
slows both, not always alike; so the processor time of a row is told too, which load changes less. Ends with 1 where the
memory is 2 GB or more, a row is lost, or the rate is below 0.7 of that in process times the workers.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from statistics import fmean

from engine.population.rows import Row
from engine.population.tables import Parquet
from tests.clinical.patients import evaluator
from tests.population.patients import write_many
from tests.population.running import parts, started

MEMORY, SHARE = 2_000_000_000, 0.7
WARM, SAMPLE = 1000, 15000
"""Rows in process: those that are not timed, and those that are."""


def rss_of(process: int) -> int:
    """Resident bytes of a process and all below it; pages that they share count for each."""
    parents, sizes = {}, {}
    for each in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":", 1) for line in each.read_text().splitlines() if ":" in line)
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(each.parent.name)] = int(lines["PPid"])
        sizes[int(each.parent.name)] = int(lines.get("VmRSS", "0 kB").split()[0]) * 1024
    family = {process}
    while more := {each for each, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(sizes.get(each, 0) for each in family)


def in_process(rows: Sequence[Row]) -> tuple[float, float]:
    """Seconds of one row by the clock and by the processor."""
    each = evaluator()
    for row in rows[:WARM]:
        each.evaluate(each.read(row.answers, row.none_of))
    began, began_processor = time.perf_counter(), time.process_time()
    for row in rows[WARM:]:
        each.evaluate(each.read(row.answers, row.none_of))
    timed = len(rows) - WARM
    return (time.perf_counter() - began) / timed, (time.process_time() - began_processor) / timed


def main(rows: int, workers: int, where: Path | None) -> int:
    """What the process ends with."""
    with tempfile.TemporaryDirectory() as folder:
        if where is None:
            where = Path(folder) / "patients.parquet"
            write_many(where, rows)
        source = Parquet(str(where), evaluator().checked.ruleset)
        sample = [*islice(source.read(source.chunks()[0]), WARM + SAMPLE)]
        measured = [in_process(sample)]
        out = Path(folder) / "out"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        running = started(where, out, "--workers", str(workers))
        memory = 0
        while running.poll() is None:
            memory = max(memory, rss_of(running.pid))
            time.sleep(1)
        seconds = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        told, complaints = running.communicate()
        print(told or complaints)
        written = len(parts(out))
        measured.append(in_process(sample))
    clock, processor = (fmean(each) for each in zip(*measured, strict=True))
    used = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / rows
    share = clock * rows / seconds / workers
    print(f"{written} parts in {seconds:.0f} s: {rows / seconds:.0f} rows a second with {workers} workers")
    print(f"in process: {', '.join(f'{1 / each:.0f}' for each, _ in measured)} rows a second before and after")
    print(f"share of the rate in process times the workers: {share:.2f}, by processor time {processor / used:.2f}")
    print(f"memory of all processes at most: {memory / 1e6:.0f} MB")
    good = memory < MEMORY and share >= SHARE and told.startswith(f"{rows} rows: {rows} decided, 0 rejected")
    return 0 if running.returncode == 0 and good else 1


if __name__ == "__main__":
    read = argparse.ArgumentParser()
    read.add_argument("--rows", type=int, default=1_000_000)
    read.add_argument("--workers", type=int, default=2)
    read.add_argument("--input", type=Path, help="instead of patients that are drawn now; it has so many rows")
    asked = read.parse_args()
    sys.exit(main(asked.rows, asked.workers, asked.input))
