"""The check in a process of its own: a crash, a hang and a killed parent cost a candidate, and never the server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.serve.releases import gate as gate_module
from engine.serve.releases.gate import gate_in_process
from tests.serve.releases import planted
from tests.serve.releases.conftest import House, versions

ROOT = Path(__file__).parents[3]
LONG = 120.0
"""Seconds that no check here comes near."""


def eventually(held: Callable[[], bool]) -> None:
    for _ in range(600):
        if held():
            return
        time.sleep(0.1)
    raise AssertionError("it never came about")


def clock(file: Path) -> Callable[[], float]:
    """Stands still until the check was asked for, spoke of `small/1` and of `small/2`; then it is late at once."""
    times = iter((0.0, 0.0, 0.0))

    def now() -> float:
        early = next(times, None)
        if early is None:
            eventually(lambda: file.exists() and file.read_text(encoding="utf-8") != "")
        return 2 * LONG if early is None else early

    return now


def test_the_first_start_and_a_candidate(house: House) -> None:
    first = gate_in_process(house.config, LONG)
    assert versions(first.release) == ["small 1.0.0"] and first.changed
    assert first.release is not None
    house.store.activate(first.release.id)
    house.version("2", "2.0.0", ("rules:", "rules: ["))
    report = gate_in_process(house.config, LONG)
    assert report.release is None and report.serving == first.release
    (problem,) = report.problems
    assert problem.source == "small/2"
    assert f"{house.root}/small/2/ruleset.yaml:" in problem.message


@pytest.mark.parametrize(
    ("plant", "told"),
    [
        (planted.crash, "the process that checks ended by SIGSEGV"),
        (planted.leave, "the process that checks ended with code 3"),
        (planted.last, "the process that checks ended by SIGALRM"),
        (planted.hang, "the check took longer than 120 seconds and was ended"),
    ],
)
def test_a_candidate_that_breaks_the_check_is_refused(
    published: House, monkeypatch: pytest.MonkeyPatch, plant: Any, told: str
) -> None:
    before = published.store.serving()
    published.version("2", "2.0.0")
    monkeypatch.setattr(gate_module, "_check", plant)
    if plant is planted.hang:
        monkeypatch.setattr(gate_module, "time", SimpleNamespace(monotonic=clock(published.store.state / "pid")))
    report = gate_in_process(published.config, LONG)
    assert [(problem.source, problem.message) for problem in report.problems] == [("small/2", told)]
    assert report.release is None and report.serving == before == published.store.serving()
    with pytest.raises(ProcessLookupError):
        os.kill(int((published.store.state / "pid").read_text(encoding="utf-8")), 0)
    monkeypatch.undo()
    assert gate_in_process(published.config, LONG).changed  # what it left behind is in nobody's way


def test_an_error_of_the_program_is_told_by_its_place(published: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "_check", planted.wrong)
    (problem,) = gate_in_process(published.config, LONG).problems
    assert problem.source == "small/1"
    assert problem.message.startswith("an error of the program: ZeroDivisionError (planted.py:")
    assert "nobody wants" not in problem.message


@pytest.mark.slow
def test_a_check_that_hangs_ends_when_its_parent_was_killed(published: House) -> None:
    """Otherwise it would hold the lock of the gate for ever, and no server could start."""
    published.version("2", "2.0.0")
    file = published.store.state / "pid"
    command = [sys.executable, "-m", planted.__name__, str(published.root), str(published.store.state), "8"]
    with subprocess.Popen(command, cwd=ROOT) as parent:
        eventually(lambda: file.exists() and file.read_text(encoding="utf-8") != "")
        parent.kill()
    child = Path("/proc") / file.read_text(encoding="utf-8")
    eventually(lambda: not child.exists() or "State:\tZ" in (child / "status").read_text(encoding="utf-8"))
    assert gate_in_process(published.config, LONG).changed


def test_a_state_that_cannot_be_used_is_told(house: House) -> None:
    house.store.state.write_bytes(b"")
    report = gate_in_process(house.config, LONG)
    assert report.serving is None
    assert str(house.store.state) in report.problems[0].message


def test_who_asks_needs_neither_the_engine_nor_grpc() -> None:
    program = """
import sys
import engine.serve.releases.gate, engine.serve.releases.release, engine.serve.releases.watching
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    loaded = {module.split(".")[0] for module in done.stdout.split()}
    assert sorted(loaded & {"grpc", "google", "durable_rules_engine", "durable", "sqlalchemy", "z3"}) == []
