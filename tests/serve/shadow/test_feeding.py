"""A shadow in a process of its own: it counts, it never holds a call up, and when it is lost the worker goes on."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.decide.answers import given
from engine.decide.decision import Outcome
from engine.decide.evaluate import Evaluator
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.load import load
from engine.serve.config import Config
from engine.serve.shadow.feeding import Shadow, _Waiting
from engine.serve.telemetry.metrics import Metrics
from tests.serve.conftest import SMALL, changed
from tests.serve.telemetry.pages import page, value

SUBJECT = "5c1d7b1e-0f0e-4a1b-9a3e-2f6f1f0c9d11"
NUMB = pb.EvaluateRequest(
    ruleset="small",
    answers={"numb": pb.Answer(yes_no=pb.YES_NO_YES)},
    context=pb.RequestContext(request_id="visit-1", subject_reference=SUBJECT),
)


@pytest.fixture(scope="module")
def emergency() -> Outcome:
    evaluator = Evaluator(load(SMALL / "small"))
    return evaluator.evaluate(evaluator.read({"numb": given("yes")})).outcome


def until(done: Callable[[], Any]) -> None:
    """Waits for what another process does; a test that waits in vain fails."""
    for _ in range(600):
        if done():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


@contextmanager
def shadowed(folder: Path, **settings: Any) -> Iterator[tuple[Shadow, Metrics]]:
    metrics = Metrics()
    shadow = Shadow(Config(rulesets=SMALL, shadow=folder, **settings), metrics)
    try:
        yield shadow, metrics
    finally:
        shadow.close()


def ready(shadow: Shadow) -> int:
    until(lambda: shadow.process)
    assert shadow.process is not None
    return shadow.process


def counted(metrics: Metrics, result: str) -> float | None:
    return value(metrics, "pluis_shadow_decisions_total", ruleset="small", result=result)


def is_off(metrics: Metrics) -> bool:
    return value(metrics, "pluis_shadow_off") == 1


def test_a_candidate_decides_too(copied: Path, emergency: Outcome) -> None:
    with shadowed(copied) as (shadow, metrics):
        ready(shadow)
        assert (counted(metrics, "same"), counted(metrics, "milder")) == (0, 0)  # there before the first
        for _ in range(3):
            shadow.offer(NUMB, "small", emergency)
        shadow.offer(NUMB, "another", emergency)
        until(lambda: counted(metrics, "same") == 3)
        assert not is_off(metrics)
        assert SUBJECT not in page(metrics.app())


def test_a_milder_candidate_is_seen_even_before_it_is_in_effect(copied: Path, emergency: Outcome) -> None:
    rule = ("when: {numb: yes}\n    then: {disposition: emergency, call: gp_or_hap_now, within_hours: 1}",)
    changed(
        copied / "small" / "1",
        (rule[0], "when: {numb: yes}\n    then: {disposition: same_day_gp, call: gp_today, within_hours: 24}"),
        ("effective: {from: 2026-01-01", "effective: {from: 2029-01-01"),
    )
    changed(
        copied / "small" / "1",
        ("disposition: emergency, call: gp_or_hap_now, within_hours: 1", "disposition: same_day_gp"),
        ("ceiling: emergency", "ceiling: same_day_gp"),
        file="cases.yaml",
    )
    with shadowed(copied) as (shadow, metrics):
        ready(shadow)
        shadow.offer(NUMB, "small", emergency)
        until(lambda: counted(metrics, "milder") == 1)


def test_nobody_is_named_to_a_candidate(emergency: Outcome) -> None:
    offered = pickle.dumps(_Waiting("small", NUMB, emergency).offered())
    assert b"numb" in offered
    assert SUBJECT.encode() not in offered and b"visit-1" not in offered
    assert NUMB.context.subject_reference == SUBJECT  # the request itself stays as it was


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
def test_a_shadow_that_dies_is_switched_off_until_a_reload(
    copied: Path, emergency: Outcome, how: int, caplog: pytest.LogCaptureFixture
) -> None:
    with shadowed(copied) as (shadow, metrics):
        os.kill(ready(shadow), how)
        until(lambda: is_off(metrics))
        assert "the shadow is switched off until the next reload: its process ended" in caplog.text
        before = page(metrics.app())
        shadow.offer(NUMB, "small", emergency)
        assert page(metrics.app()) == before  # nobody is asked any more
        shadow.reload()
        ready(shadow)
        shadow.offer(NUMB, "small", emergency)
        until(lambda: counted(metrics, "same") == 1)
        assert not is_off(metrics)


@pytest.mark.parametrize("options", [0, 60_000], ids=["small", "larger than the socket takes"])
def test_a_shadow_that_hangs_is_switched_off(
    copied: Path, emergency: Outcome, options: int, caplog: pytest.LogCaptureFixture
) -> None:
    request = pb.EvaluateRequest(answers=NUMB.answers, none_of=["x" * 10] * options)
    with shadowed(copied, hang=0.3) as (shadow, metrics):
        process = ready(shadow)
        os.kill(process, signal.SIGSTOP)
        for _ in range(5):
            shadow.offer(request, "small", emergency)
        until(lambda: is_off(metrics) and counted(metrics, "dropped") == 5)
        assert "its process gave no answer in time" in caplog.text
        until(lambda: not Path(f"/proc/{process}").exists())


def test_what_cannot_wait_is_dropped_and_counted(copied: Path, emergency: Outcome) -> None:
    with shadowed(copied, shadow_waiting=2, hang=60) as (shadow, metrics):
        os.kill(ready(shadow), signal.SIGSTOP)
        for _ in range(10):
            shadow.offer(NUMB, "small", emergency)
        dropped = counted(metrics, "dropped")
        assert dropped is not None and dropped >= 7  # two wait, and one may be on its way
        assert not is_off(metrics)


def test_without_a_candidate_that_counts_it_is_off(copied: Path, caplog: pytest.LogCaptureFixture) -> None:
    changed(copied / "small" / "1", ("disposition: emergency", "disposition: self_care"), file="cases.yaml")
    with shadowed(copied) as (shadow, metrics):
        until(lambda: is_off(metrics))
        assert shadow.process is None
    assert "no candidate can be used" in caplog.text


def test_it_closes_while_it_loads(copied: Path) -> None:
    with shadowed(copied) as (_, metrics):
        pass
    assert not is_off(metrics)


@contextmanager
def own_process(planted: str, config: Config) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    """A shadow's process with its candidates loaded, and our end of its socket."""
    ours, theirs = socket.socketpair()
    program = f"from engine.serve.shadow import process\n{planted}\nprocess.main()"
    command = [sys.executable, "-c", program, str(theirs.fileno())]
    with ours, theirs, subprocess.Popen(command, pass_fds=(theirs.fileno(),)) as process:
        theirs.close()
        ours.sendall(pickle.dumps(config))
        with ours.makefile("rb") as lines:
            assert lines.readline() == b'{"small": "1.0.0"}\n'
        yield process, ours


def test_the_process_ends_with_its_worker(copied: Path) -> None:
    with own_process("", Config(rulesets=SMALL, shadow=copied)) as (process, connection):
        connection.close()
        assert process.wait(20) == 0


def test_a_process_that_hangs_ends_though_nobody_is_left_to_kill_it(copied: Path, emergency: Outcome) -> None:
    hanging = "import time; process.ask = lambda *_: time.sleep(100)"
    with own_process(hanging, Config(rulesets=SMALL, shadow=copied, hang=0.1)) as (process, connection):
        connection.sendall(pickle.dumps(_Waiting("small", NUMB, emergency).offered()))
        assert process.wait(20) == -signal.SIGALRM
