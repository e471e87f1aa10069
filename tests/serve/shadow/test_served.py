"""A server whose shadow crashes or hangs under its calls: every call is answered as if there were none."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from engine.serve.shadow.feeding import Shadow
from engine.serve.telemetry.metrics import Metrics
from tests.serve.conftest import Running, running
from tests.serve.shadow.test_feeding import counted, is_off, ready, until


def parts(started: Running) -> tuple[Shadow, Metrics]:
    served = started.server._parts
    assert served.shadow is not None
    return served.shadow, served.metrics


def ask(started: Running, number: int) -> None:
    """So many patients, one after the other; each gets the decision that the ruleset that is served makes."""
    for _ in range(number):
        assert started.client.evaluate({"numb": True}, ruleset="small").disposition == "emergency"


@pytest.fixture
def candidates(copied: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(copied / "small", tmp_path / "candidates" / "small"))


def test_every_new_decision_is_offered(copied: Path, candidates: Path) -> None:
    with running(copied / "small", shadow=candidates, state=copied / "state") as started:
        shadow, metrics = parts(started)
        ready(shadow)
        ask(started, 5)
        until(lambda: counted(metrics, "same") == 5)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["crashes", "hangs"])
def test_calls_are_answered_whatever_the_shadow_does(copied: Path, candidates: Path, how: int) -> None:
    settings = {"shadow": candidates, "shadow_waiting": 4, "hang": 0.3, "state": copied / "state"}
    with running(copied / "small", **settings) as started:
        shadow, metrics = parts(started)
        process = ready(shadow)
        ask(started, 2)
        os.kill(process, how)
        ask(started, 20)
        until(lambda: is_off(metrics))
        ask(started, 5)
        shadow.reload()
        ready(shadow)
        before = counted(metrics, "same") or 0
        ask(started, 3)
        until(lambda: counted(metrics, "same") == before + 3)
