"""Several workers answer on one HTTP port, which the supervisor holds for them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from engine.serve.config import ConfigError
from engine.serve.fleet.holding import hold_port
from tests.demo.demo import PLUIS
from tests.serve.conftest import SMALL
from tests.serve.fleet.fleets import ROOT, fleet
from tests.serve.gateway.conftest import NUMB, PATIENCE

HTTP = re.compile(r"supervisor pluis\.server: http on (http://\S+)$")


def test_a_port_that_is_held_is_for_workers_alone() -> None:
    with (
        hold_port("127.0.0.1", 0) as port,
        pytest.raises(ConfigError, match="is another server running there"),
        hold_port("127.0.0.1", port),
    ):
        pass


@pytest.mark.slow
def test_workers_share_the_port_and_outlive_each_other(tmp_path: Path) -> None:
    shutil.copytree(SMALL / "small", tmp_path / "rulesets" / "small" / "1")
    with fleet(tmp_path, http_port=0, log=str(tmp_path / "log")) as served:
        address = served.wait_for(HTTP)[1]
        assert served.address
        writers = set()
        for _ in range(200):  # a connection each: the system spreads connections
            found = httpx.post(f"{address}/v1/evaluate", json=NUMB)
            writers.add(found.json()["receipt"]["writer"])
        assert writers == {"w1", "w2"}
        before = served.workers()
        os.kill(before[0], signal.SIGKILL)
        served.wait_until_replaced(before[0])
        assert httpx.post(f"{address}/v1/evaluate", json=NUMB).is_success
        served.send(signal.SIGTERM)
        assert served.wait() == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{address}/livez")
    told = "\n".join(served.lines)
    for word in ("numb", "YES_NO", "POST", "uvicorn"):
        assert word not in told


@pytest.mark.slow
def test_the_command_takes_the_ports(tmp_path: Path) -> None:
    shutil.copytree(SMALL / "small", tmp_path / "rulesets" / "small")
    options = ["--port", "0", "--http-port", "0", "--http-host", "localhost", "--public-url", "http://triage.example"]
    places = ["--rulesets", str(tmp_path / "rulesets"), "--log", "off", "--state", str(tmp_path / "state")]
    command = [*PLUIS, "serve", *options, *places]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            address = next(found[1] for line in process.stderr if (found := HTTP.search(line.rstrip())))
            assert address.startswith("http://localhost:")
            described = httpx.get(f"{address}/openapi.json", timeout=PATIENCE).json()
            assert described["servers"] == [{"url": "http://triage.example"}]
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
