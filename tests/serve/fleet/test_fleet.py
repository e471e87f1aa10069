"""A server of several processes as its operators and callers meet it: killed, hung, stopped, started."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from engine.client import Client
from tests.serve.fleet.fleets import Load, fleet, runs, until

NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.mark.slow
def test_it_serves_survives_a_kill_and_stops(folder: Path) -> None:
    """Start, both workers answer, one is killed under load, probes, SIGTERM; without gRPC and faster: test_crew."""
    with fleet(folder, log=str(folder / "log")) as served:
        address = served.address
        first = served.workers()
        assert len(first) == 2
        assert (served.probe("/livez"), served.probe("/readyz")) == (200, 200)
        with Load(address) as load:
            until(lambda: {each.receipt.writer for each in load.replies if each.receipt} >= {"w1", "w2"})
            os.kill(first[0], signal.SIGKILL)
            served.wait_until_replaced(first[0])
            load.more()
        assert load.failures == []
        assert {each.disposition for each in load.replies} == {"emergency"}
        assert served.told("worker 1 was ended by SIGKILL|worker 2 was ended by SIGKILL")
        assert 'pluis_worker_restarts_total{reason="crashed"} 1.0' in served.metrics()
        assert 'pluis_workers{state="ready"} 2.0' in served.metrics()
        workers = served.workers()
        served.send(signal.SIGTERM)
        assert served.wait() == 0
        assert not any(map(runs, workers))
        assert served.told("pluis stops")
        assert not served.told("ERROR.*Traceback|CRITICAL")


@pytest.mark.slow
def test_nothing_recorded_is_lost_when_workers_are_killed(folder: Path) -> None:
    with fleet(folder, log=str(folder / "log")) as served, Load(served.address) as load:
        for _ in range(4):
            load.more()
            before = served.workers()
            os.kill(before[0], signal.SIGKILL)
            served.wait_until_replaced(before[0])
        load.more()
        with Client(served.address, timeout=60) as client:
            for reply in load.replies[::10]:
                assert client.decision(reply.decision_id).record.decision_digest == reply.decision_digest
    assert load.failures == []
    assert len({reply.request_id for reply in load.replies}) == len(load.replies)
    assert len({reply.decision_id for reply in load.replies}) == len(load.replies)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["hang", "stopped"])
def test_a_worker_that_hangs_is_replaced(folder: Path, faults: Path, fault: str) -> None:
    with fleet(folder, faults, hang=3) as served:
        address, before = served.address, served.workers()
        if fault == "hang":
            (faults / "hang").touch()
        else:
            os.kill(before[0], signal.SIGSTOP)
        served.wait_for("answers no trial evaluation for 3 seconds")
        until(lambda: len(set(served.workers()) & set(before)) == 1 and len(served.workers()) == 2)
        until(lambda: served.probe("/readyz") == 200)
        with Load(address) as load:
            load.more()
        assert load.failures == []
        assert 'pluis_worker_restarts_total{reason="hung"} 1.0' in served.metrics()


@pytest.mark.slow
def test_a_worker_that_crashes_in_the_engine_is_replaced(folder: Path, faults: Path) -> None:
    with fleet(folder, faults) as served, Load(served.address) as load:
        load.more()
        (faults / "crash").touch()
        served.wait_for("worker . was ended by SIGSEGV")
        load.more(100)
        until(lambda: served.probe("/readyz") == 200)
    assert load.failures == []


@pytest.mark.slow
def test_workers_end_with_their_supervisor(folder: Path) -> None:
    """Each reads the end of its pipe, which nobody else may hold."""
    with fleet(folder) as served:
        assert served.address
        workers = served.workers()
        served.send(signal.SIGKILL)
        assert served.wait() == -signal.SIGKILL
        until(lambda: not any(map(runs, workers)), "workers outlive their supervisor")


@pytest.mark.slow
def test_a_hung_worker_ends_too_when_its_supervisor_is_gone(folder: Path, faults: Path) -> None:
    with fleet(folder, faults, hang=1) as served:
        assert served.address
        workers = served.workers()
        served.send(signal.SIGSTOP)
        (faults / "hang").touch()
        until((faults / "hang.done").exists)
        served.send(signal.SIGKILL)
        until(lambda: not any(map(runs, workers)), "a hung worker outlives its supervisor")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_drains_with_health_first_and_no_call_fails(folder: Path, faults: Path, number: signal.Signals) -> None:
    with fleet(folder, faults, workers=1, drain=0.5, grace=20, operations_port=None) as served:
        with Client(served.address, timeout=60) as client:
            watch: Any = health_pb2_grpc.HealthStub(client.channel).Watch(
                health_pb2.HealthCheckRequest(service="triage.v1.TriageService")
            )
            assert next(watch).status != NOT_SERVING
            (faults / "slow").touch()
            replies: list[Any] = []
            asking = threading.Thread(target=lambda: replies.append(client.evaluate({"numb": True}, ruleset="small")))
            asking.start()
            until((faults / "begun").exists)
            served.send(number)
            assert next(watch).status == NOT_SERVING
            assert replies == []
            assert served.process.poll() is None
            watch.cancel()
            asking.join(60)
        assert [reply.disposition for reply in replies] == ["emergency"]
        assert served.wait() == 0


@pytest.mark.slow
def test_a_worker_that_does_not_stop_is_ended(folder: Path, faults: Path) -> None:
    with fleet(folder, faults, grace=0) as served:
        assert served.address
        (faults / "hang").touch()
        until((faults / "hang.done").exists)
        workers = served.workers()
        served.send(signal.SIGTERM)
        assert served.wait() == 0
        assert not any(map(runs, workers))


@pytest.mark.slow
def test_what_a_terminal_sends_to_all_is_the_supervisors_to_answer(folder: Path) -> None:
    with fleet(folder) as served, Load(served.address) as load:
        for worker in served.workers():
            for number in (signal.SIGINT, signal.SIGHUP):
                os.kill(worker, number)
        load.more()
        assert len(served.workers()) == 2
        assert not served.told("worker .* ended")
    assert load.failures == []


@pytest.mark.slow
def test_a_worker_that_is_asked_to_end_is_replaced(folder: Path) -> None:
    with fleet(folder) as served, Load(served.address) as load:
        first = served.workers()
        os.kill(first[0], signal.SIGTERM)
        served.wait_until_replaced(first[0])
        load.more()
    assert load.failures == []
