"""Starts that cannot be, stops at any moment, and rulesets changed under load: a whole server, as operators meet it."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from engine.pb.v1 import triage_pb2 as pb
from engine.pb.v1 import triage_pb2_grpc
from engine.serve.releases.release import ReleaseStore
from tests.serve.conftest import changed
from tests.serve.fleet.fleets import PATIENCE, Load, fleet, runs, until

pytestmark = pytest.mark.slow
_admin_stub: Callable[[grpc.Channel], Any] = triage_pb2_grpc.AdminServiceStub  # the generated class has no types


def write(folder: Path, before: str, version: str) -> None:
    """Gives the ruleset another version."""
    changed(folder / "rulesets" / "small" / "1", (f"version: {before}", f"version: {version}"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", ["check", "workers"])
def test_it_stops_while_it_starts(folder: Path, number: signal.Signals, moment: str) -> None:
    """While the rulesets are checked, or while the workers load: at once, in good order, with nothing left."""
    with fleet(folder, workers=2, grace=60, drain=60) as served:
        if moment == "check":
            served.wait_for("metrics and probes")
        else:
            until(served.workers)
        workers = served.workers()
        served.send(number)
        assert served.wait() == 0, served.lines
        assert not any(map(runs, workers))
        assert not served.told("pluis serving|CRITICAL|Traceback")


def test_a_port_in_use_is_told(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with fleet(folder, port=other.getsockname()[1]) as served:
            assert served.wait() == 1
            assert served.told("cannot be listened on: is another server running there")


def test_a_second_server_on_the_same_state_is_refused(folder: Path) -> None:
    with fleet(folder) as served:
        assert served.address
        with fleet(folder) as second:
            assert second.wait() == 1
            assert second.told("another server uses")
        assert served.probe("/readyz") == 200


def test_rulesets_that_cannot_be_served_are_told(folder: Path) -> None:
    write(folder, "1.0.0", "one")
    with fleet(folder) as served:
        assert served.wait() == 1
        assert served.told("pluis: no ruleset below .* can be served: small/1: ")


def test_workers_that_cannot_serve_are_told(folder: Path) -> None:
    (folder / "keys").write_text("no keys", encoding="utf-8")
    with fleet(folder, log=str(folder / "log"), log_keys=str(folder / "keys")) as served:
        assert served.wait() == 1
        assert served.told("pluis: .*keys")
        assert not served.told("pluis serving .* on")
    with fleet(folder) as served:  # and the state is free again
        assert served.address


def test_a_reload_under_load_fails_no_call(folder: Path) -> None:
    with fleet(folder) as served, Load(served.address) as load:
        load.more()
        for before, after in (("1.0.0", "1.1.0"), ("1.1.0", "1.2.0")):
            write(folder, before, after)
            served.send(signal.SIGHUP)
            served.wait_for(rf"release \w+ \(small {after}\) is served now")
            seen = len(load.replies)
            load.more(40)
            # Those under way when it was said may still be answered by the one before.
            assert {each.ruleset_version for each in load.replies[seen + 4 :]} == {after}
        write(folder, "1.2.0", "broken")
        served.send(signal.SIGHUP)
        served.wait_for("the rulesets were refused")
        load.more(40)
        assert {each.ruleset_version for each in load.replies[-20:]} == {"1.2.0"}
        assert 'pluis_reloads_total{result="refused"} 1.0' in served.metrics()
        assert (load.failures, load.interrupted) == ([], [])
        assert len(served.workers()) == 2


@pytest.mark.parametrize("fault", ["refuse", "die"])
def test_a_release_that_one_worker_cannot_load_is_served_by_none(folder: Path, faults: Path, fault: str) -> None:
    with fleet(folder, faults) as served, Load(served.address) as load:
        load.more()
        (faults / fault).touch()
        write(folder, "1.0.0", "1.1.0")
        served.send(signal.SIGHUP)
        served.wait_for("is not taken up: ")
        until(lambda: served.probe("/readyz") == 200)
        load.more(40)
        assert {each.ruleset_version for each in load.replies} == {"1.0.0"}
        served.send(signal.SIGHUP)  # the fault is gone
        served.wait_for(r"\(small 1\.1\.0\) is served now")
    assert load.failures == []


def test_operators_reload_and_roll_back_over_the_wire(folder: Path) -> None:
    with fleet(folder) as served, grpc.insecure_channel(served.address) as channel:
        admin = _admin_stub(channel)
        first = admin.GetServerStatus(pb.GetServerStatusRequest(), timeout=PATIENCE)
        assert [each.number for each in first.workers] == [1, 2]
        assert {each.release_id for each in first.workers} == {first.release.id}
        write(folder, "1.0.0", "1.1.0")
        done = admin.ReloadRulesets(pb.ReloadRulesetsRequest(), timeout=PATIENCE)
        assert [each.version for each in done.release.rulesets] == ["1.1.0"]
        with Load(served.address) as load:
            load.more(40)
            assert {each.ruleset_version for each in load.replies} == {"1.1.0"}
        status = admin.GetServerStatus(pb.GetServerStatusRequest(), timeout=PATIENCE)
        assert [*status.earlier_release_ids] == [first.release.id]
        back = admin.RollbackRulesets(pb.RollbackRulesetsRequest(), timeout=PATIENCE)
        assert back.release.id == first.release.id
        write(folder, "1.1.0", "broken")
        refused = admin.ReloadRulesets(pb.ReloadRulesetsRequest(), timeout=PATIENCE)
        assert refused.release.id == first.release.id
        assert [each.source for each in refused.problems] == ["small/1"]


def test_a_rollback_on_disk_is_followed_and_outlives_a_restart(folder: Path) -> None:
    with fleet(folder, watch=0.2) as served:
        assert served.address
        write(folder, "1.0.0", "1.1.0")
        served.wait_for(r"\(small 1\.1\.0\) is served now")
        ReleaseStore(folder / "state").rollback()  # as the command does
        served.wait_for(r"\(small 1\.0\.0\) is served now")
        os.kill(served.workers()[0], signal.SIGKILL)
        with Load(served.address) as load:
            load.more(40)
            assert {each.ruleset_version for each in load.replies} == {"1.0.0"}
        served.send(signal.SIGTERM)
        assert served.wait() == 0
    with fleet(folder, watch=0.2) as served:
        assert served.address
        assert served.told(r"pluis serving small 1\.0\.0 on")
