"""`make fuzz`: the three fuzzers by turns, from a seed, for as many seconds as there are; the first failure ends it.

A failure is shrunk by hypothesis and printed with its seed; the same seed gives the same examples in the same order.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.fuzz import patients, requests, rulesets
from tests.fuzz.tally import Tally
from tests.fuzz.trees import Draw
from tests.serve.conftest import PUBLISHED, running

ROUND = 100
"""Examples of one fuzzer before the next has its turn."""

Fuzzer = Callable[[Draw, Tally], None]


def main() -> int:
    """0 where the time passed without a failure; a failure is raised as hypothesis reports it."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=300)
    asked = parser.parse_args()
    ends = time.monotonic() + asked.seconds
    with ExitStack() as stack:
        client = stack.enter_context(running(PUBLISHED)).client
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fuzzers: tuple[tuple[Tally, Fuzzer], ...] = (
            (Tally("requests"), partial(requests.one, client=client)),
            (Tally("patients' files"), partial(patients.one, folder=folder)),
            (Tally("rulesets"), rulesets.one),
        )
        for number, (tally, fuzzer) in enumerate(itertools.cycle(fuzzers)):
            if time.monotonic() > ends:
                break
            seed = asked.seed + number // len(fuzzers)
            print(f"seed {seed}: {tally.name}", flush=True)
            _round(seed, fuzzer, tally)
    for tally, _ in fuzzers:
        print(tally.line())
    return 0


def _round(seed: int, fuzzer: Fuzzer, tally: Tally) -> None:
    @hypothesis.seed(seed)
    @settings(
        max_examples=ROUND, deadline=None, database=None, print_blob=True, suppress_health_check=list(HealthCheck)
    )
    @hypothesis.given(st.data())
    def run(data: st.DataObject) -> None:
        fuzzer(data.draw, tally)

    run()


if __name__ == "__main__":
    sys.exit(main())
