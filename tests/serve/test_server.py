"""The server around the service: health, reflection, its port, and how it stops."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from engine.client import Client, TriageError
from engine.decide.evaluate import Evaluated
from engine.serve.config import LOG_OFF, Config, ConfigError
from engine.serve.registry import Registry
from engine.serve.server import build_server
from tests.serve.conftest import SMALL, Running, running

ROOT = Path(__file__).parents[2]
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


def health(started: Running) -> Any:
    return health_pb2_grpc.HealthStub(started.channel)


@pytest.mark.parametrize("name", ["", "triage.v1.TriageService", "grpc.health.v1.Health"])
def test_health_is_serving_under_every_name(small: Running, name: str) -> None:
    assert health(small).Check(health_pb2.HealthCheckRequest(service=name)).status == SERVING


def test_an_unknown_name_has_no_health(small: Running) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        health(small).Check(health_pb2.HealthCheckRequest(service="triage.v1.Nothing"))
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.NOT_FOUND


def test_reflection_lists_the_services(small: Running) -> None:
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(small.channel)
    asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
    (answer,) = stub.ServerReflectionInfo(asked)
    assert sorted(each.name for each in answer.list_services_response.service) == [
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        "triage.v1.TriageService",
    ]


def test_reflection_is_off_unless_it_is_allowed() -> None:
    with running(SMALL) as started:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(started.channel)
        with pytest.raises(grpc.RpcError) as caught:
            list(stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")])))
        error: Any = caught.value
        assert error.code() is grpc.StatusCode.UNIMPLEMENTED


def test_stopping_is_not_serving_for_good_and_finishes_what_is_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(rulesets=SMALL, port=0, grace=20, log=LOG_OFF)
    registry = Registry(SMALL)
    server = build_server(config, registry)
    server.start()
    (served,) = registry.current()
    evaluate, begun, go_on = served.evaluator.evaluate, threading.Event(), threading.Event()

    def slow(answers: Any) -> Evaluated:
        begun.set()
        assert go_on.wait(20)
        return evaluate(answers)

    monkeypatch.setattr(served.evaluator, "evaluate", slow)
    with Client(server.address, timeout=30) as client:
        watch: Any = health_pb2_grpc.HealthStub(client.channel).Watch(
            health_pb2.HealthCheckRequest(service="triage.v1.TriageService")
        )
        assert next(watch).status == SERVING
        replies: list[Any] = []
        asking = threading.Thread(target=lambda: replies.append(client.evaluate({"numb": True}, ruleset="small")))
        asking.start()
        assert begun.wait(20)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert next(watch).status == NOT_SERVING
        watch.cancel()
        asking.join(0.3)  # without grace the call would be cut off in this time
        assert asking.is_alive()
        assert stopping.is_alive()
        go_on.set()
        asking.join(20)
        stopping.join(20)
        assert not stopping.is_alive()
        assert [reply.disposition for reply in replies] == ["emergency"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_good_order(number: signal.Signals) -> None:
    program = (
        "import logging, sys; from pathlib import Path\n"
        "from engine.serve.config import Config; from engine.serve.registry import Registry\n"
        "from engine.serve.server import build_server\n"
        "logging.basicConfig(level=logging.INFO, format='%(message)s', stream=sys.stdout)\n"
        "config = Config(rulesets=Path(sys.argv[1]), port=0, log='off')\n"
        "build_server(config, Registry(config.rulesets)).run()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-u", "-c", program, str(SMALL)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert ready.startswith("pluis serving small 1.0.0 on 127.0.0.1:")
            with Client(ready.split()[-1], timeout=20) as client:
                assert client.evaluate({"numb": True}, ruleset="small").disposition == "emergency"
            process.send_signal(number)
            told, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 0
    assert "pluis stops" in told


def test_a_port_that_is_taken_is_told() -> None:
    with running(SMALL) as started:
        config = Config(rulesets=SMALL, port=started.server.port, log=LOG_OFF)
        with pytest.raises(ConfigError, match="another server"):
            build_server(config, started.registry)


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "0.0.0.0"},
        {"host": "::"},
        {"host": "192.0.2.1"},
        {"host": "example.org"},
        {"host": ""},
        {"port": -1},
        {"port": 65536},
        {"threads": 8, "max_streams": 8},
        {"max_streams": 0},
        {"max_answers": 0},
        {"grace": -1.0},
        {"grace": float("inf")},
        {"log": ""},
        {"log": "postgresql://localhost/pluis"},
        {"log_patience": 0.0},
    ],
)
def test_a_setting_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Config(rulesets=SMALL, **wrong)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_the_loopback_is_allowed(host: str) -> None:
    assert Config(rulesets=SMALL, host=host, port=1).address.endswith(":1")


def test_a_message_beyond_the_limit_of_the_transport_is_refused() -> None:
    with running(SMALL, max_message_size=1000) as started, pytest.raises(TriageError) as caught:
        started.client.evaluate({f"q{number}": True for number in range(500)}, ruleset="small")
    assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_reflection_tells_the_json_name_of_every_field(small: Running) -> None:
    """Without them a client that works from reflection prints `within_hours` where the contract says `withinHours`."""
    stub = reflection_pb2_grpc.ServerReflectionStub(small.channel)
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol="triage.v1.Decision")
    (answer,) = stub.ServerReflectionInfo(iter([request]), timeout=20)
    file = FileDescriptorProto.FromString(answer.file_descriptor_response.file_descriptor_proto[0])
    (decision,) = (message for message in file.message_type if message.name == "Decision")
    assert {field.name: field.json_name for field in decision.field}["within_hours"] == "withinHours"
    assert all(field.json_name for message in file.message_type for field in message.field)
