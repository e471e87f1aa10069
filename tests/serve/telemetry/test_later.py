"""What is told later: whole, in order, soon, and before a process ends in good order."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from engine.serve.telemetry.later import Later

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import logging, sys, time
from engine.serve.config import LogFormat
from engine.serve.telemetry.lines import Event, set_up_lines, tell
set_up_lines(LogFormat.JSON, "w1")
log = logging.getLogger("pluis.calls")
for number in range(3):
    tell(log, Event("call", number=number))
log.error(Event("failure", number=3))
print("told", file=sys.stderr)
tell(log, Event("call", number=4))
"""


def test_everything_comes_once_and_in_order() -> None:
    got: list[tuple[int, int]] = []
    later: Later[tuple[int, int]] = Later(got.extend)

    def add(thread: int) -> None:
        for number in range(500):
            later.add((thread, number))
            if number % 50 == 0:
                later.flush()
                assert (thread, number) in got

    threads = [threading.Thread(target=add, args=(each,)) for each in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    later.flush()
    for thread in range(4):
        assert [number for told, number in got if told == thread] == [*range(500)]


def test_nobody_needs_to_ask() -> None:
    came = threading.Event()

    def write(told: Sequence[str]) -> None:
        assert [*told] == ["one"]
        came.set()

    later = Later(write)
    later.add("one")
    assert came.wait(30)


def test_a_failure_comes_at_once_and_after_the_calls_before_it() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60)
    *before, told, last = done.stderr.splitlines()
    assert [json.loads(line)["number"] for line in before] == [0, 1, 2, 3]
    assert told == "told"
    assert json.loads(last)["number"] == 4
