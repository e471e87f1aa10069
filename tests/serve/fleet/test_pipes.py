"""Pipes and wakes: nothing waits where it must not, and nothing that was said is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Pipe as connected_pair
from multiprocessing.connection import wait
from pathlib import Path

import pytest

from engine.serve.fleet.messages import (
    LARGEST,
    Answered,
    Asked,
    Beat,
    HowIsIt,
    Loaded,
    Message,
    Pipe,
    PipeFull,
    Refused,
    Reload,
    Rollback,
    Serving,
)
from engine.serve.fleet.operations import AskedOfSupervisor
from engine.serve.fleet.signals import Signals
from engine.serve.operations import OperationRefused


@pytest.fixture
def pair() -> Iterator[tuple[Pipe, Pipe]]:
    ours, theirs = (Pipe(each) for each in connected_pair())
    yield ours, theirs
    for each in (ours, theirs):
        with suppress(OSError):
            each.close()


def test_messages_arrive_in_their_order(pair: tuple[Pipe, Pipe]) -> None:
    ours, theirs = pair
    said: list[Message] = [
        Beat(),
        Serving("a"),
        Loaded("b", "no"),
        Asked(7, Reload()),
    ]
    for each in said:
        ours.send(each)
    assert [*theirs.waiting()] == said
    assert [*theirs.waiting()] == []


def test_sending_never_waits(pair: tuple[Pipe, Pipe]) -> None:
    """Nobody reads: after a while it is told, and what was sent is whole."""
    ours, theirs = pair
    sent = 0
    large = Loaded("a", "x" * (LARGEST // 2))
    with pytest.raises(PipeFull):
        while True:
            ours.send(large if sent % 2 else Beat())
            sent += 1
    assert 1 < sent < 1000
    assert [*theirs.waiting()] == [large if each % 2 else Beat() for each in range(sent)]


def test_what_is_too_large_is_refused_whole(pair: tuple[Pipe, Pipe]) -> None:
    ours, theirs = pair
    with pytest.raises(ValueError, match="bytes"):
        ours.send(Loaded("a", "x" * LARGEST))
    assert [*theirs.waiting()] == []


def test_the_end_is_read_after_what_was_said(pair: tuple[Pipe, Pipe]) -> None:
    ours, theirs = pair
    ours.send(Beat())
    ours.close()
    said = theirs.waiting()
    assert next(said) == Beat()
    with pytest.raises(EOFError):
        next(said)
    with pytest.raises(OSError, match="pipe"):
        theirs.send(Beat())


def test_a_signal_and_a_ring_wake_the_loop() -> None:
    with Signals([signal.SIGUSR1, signal.SIGUSR2]) as signals:
        assert wait([signals.fileno()], 0) == []
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGUSR1):
            os.kill(os.getpid(), number)
        assert wait([signals.fileno()], 10)
        assert signals.taken() == {signal.SIGUSR1, signal.SIGUSR2}
        assert signals.taken() == set()
        threading.Thread(target=signals.ring).start()
        assert wait([signals.fileno()], 10)
        assert signals.taken() == set()
        for _ in range(100_000):  # far more than the socket takes: nobody waits
            signals.ring()
        assert signals.taken() == set()
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL


def test_a_question_gets_its_own_answer(pair: tuple[Pipe, Pipe]) -> None:
    ours, theirs = pair
    operations = AskedOfSupervisor(ours)
    told: dict[str, str] = {}

    def ask(release: str) -> None:
        try:
            operations.rollback(release, 60)
        except OperationRefused as refused:
            told[release] = str(refused)

    threads = [threading.Thread(target=ask, args=(name,)) for name in "abc"]
    for each in threads:
        each.start()
    questions = [theirs.receive() for _ in threads]
    for question in reversed(questions):
        assert isinstance(question, Asked) and isinstance(question.question, Rollback)
        operations.answered(Answered(question.number, Refused(f"no {question.question.release}")))
    for each in threads:
        each.join(60)
    assert told == {name: f"no {name}" for name in "abc"}


def test_a_question_that_nobody_answers_is_told(pair: tuple[Pipe, Pipe]) -> None:
    ours, theirs = pair
    operations = AskedOfSupervisor(ours)
    with pytest.raises(OperationRefused, match=r"no answer within 0\.01 seconds"):
        operations.status(0.01)
    late = theirs.receive()
    assert late == Asked(1, HowIsIt())
    operations.answered(Answered(1, Refused("too late")))
    theirs.close()
    with pytest.raises(OperationRefused, match="cannot be reached"):
        operations.status(60)


def test_nobody_waits_for_a_worker_that_stops(pair: tuple[Pipe, Pipe]) -> None:
    ours, theirs = pair
    operations = AskedOfSupervisor(ours)
    told: list[str] = []

    def ask() -> None:
        with pytest.raises(OperationRefused, match="stops"):
            operations.reload(600)
        told.append("refused")

    asking = threading.Thread(target=ask)
    asking.start()
    assert theirs.receive() == Asked(1, Reload())
    operations.close()
    asking.join(60)
    assert told == ["refused"]


def test_the_supervisor_loads_neither_grpc_nor_the_engine() -> None:
    program = "import sys, engine.serve.fleet.supervisor; print(*sys.modules)"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=60)
    loaded = {each.split(".")[0] for each in done.stdout.split()}
    assert "prometheus_client" in loaded, done.stderr
    assert sorted(loaded & {"grpc", "google", "durable_rules_engine", "durable", "sqlalchemy"}) == []
