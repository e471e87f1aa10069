"""Room: a full server refuses at once and says when to try again, and callers who send nothing hold no threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from engine.decide.evaluate import Evaluated
from engine.pb.v1 import triage_pb2 as pb
from engine.serve import admission
from tests.serve.conftest import SMALL, Running, running
from tests.serve.test_calls import NUMB, detail, reason, request, small_evaluator, status_of

SMALLEST = {"threads": 2, "max_streams": 1, "max_waiting": 1}
EVALUATE = "/triage.v1.TriageService/Evaluate"
PATIENCE = 20


@contextmanager
def stuck(started: Running, monkeypatch: pytest.MonkeyPatch, calls: int) -> Iterator[list[grpc.Future]]:
    """So many calls that are let in and stay, until the block ends; then they end well."""
    go_on, evaluator = threading.Event(), small_evaluator(started)
    evaluate = evaluator.evaluate

    def slow(answers: Any) -> Evaluated:
        assert go_on.wait(PATIENCE)
        return evaluate(answers)

    monkeypatch.setattr(evaluator, "evaluate", slow)
    open_calls = [started.stub.Evaluate.future(request(), timeout=2 * PATIENCE) for _ in range(calls)]
    try:
        wait_for(lambda: started.server.admission.open == calls)
        yield open_calls
    finally:
        go_on.set()
    assert [each.result(PATIENCE).decision.disposition for each in open_calls] == [pb.DISPOSITION_EMERGENCY] * calls


def wait_for(condition: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.005)


def test_a_full_server_refuses_at_once_and_says_when_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(SMALL, **SMALLEST) as started, stuck(started, monkeypatch, 3) as calls:
        status = status_of(lambda: started.stub.Evaluate(request(), timeout=PATIENCE))
        assert reason(status) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
        assert 0 < detail(status, error_details_pb2.RetryInfo).retry_delay.ToMilliseconds() <= 1000
        assert not any(each.done() for each in calls)


def test_a_refused_call_is_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(SMALL, **SMALLEST) as started, stuck(started, monkeypatch, 3):
        never = threading.Event()
        silent = started.channel.stream_unary(EVALUATE)
        status = status_of(lambda: silent(iter(never.wait, True), timeout=PATIENCE))
        never.set()
        assert reason(status) == ("RESOURCE_EXHAUSTED", "OVERLOADED")


def test_health_answers_while_the_server_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(SMALL, **SMALLEST) as started, stuck(started, monkeypatch, 3):
        answer = health_pb2_grpc.HealthStub(started.channel).Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_there_is_room_again_after_calls_that_ended_and_that_were_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(SMALL, **SMALLEST) as started:
        with stuck(started, monkeypatch, 2):
            given_up = started.stub.Evaluate.future(request(), timeout=PATIENCE)
            wait_for(lambda: started.server.admission.full)
            given_up.cancel()
        wait_for(lambda: started.server.admission.open == 0)
        assert started.client.evaluate({"numb": True}, ruleset="small").disposition == "emergency"


def test_callers_who_send_nothing_do_not_hold_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "ARRIVAL", 0.2)
    with running(SMALL, **SMALLEST) as started:
        never = threading.Event()
        silent = started.channel.stream_unary(EVALUATE)
        calls = [silent.future(iter(never.wait, True), timeout=2 * PATIENCE) for _ in range(2)]
        for each in calls:
            assert each.exception(PATIENCE).code() is grpc.StatusCode.CANCELLED
        never.set()
        assert started.stub.Evaluate(request(answers=NUMB), timeout=PATIENCE).HasField("decision")


def test_a_stream_may_be_silent_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "ARRIVAL", 0.2)
    with running(SMALL, **SMALLEST) as started:
        go_on = threading.Event()

        def messages() -> Iterator[pb.EvaluateStreamRequest]:
            yield pb.EvaluateStreamRequest(request=request())
            assert go_on.wait(PATIENCE)
            yield pb.EvaluateStreamRequest(request=request())

        answers = started.stub.EvaluateStream(messages(), timeout=PATIENCE)
        assert next(answers).result.response.HasField("decision")
        assert not go_on.wait(0.5)  # longer than any message may take to arrive
        go_on.set()
        assert next(answers).result.response.HasField("decision")
