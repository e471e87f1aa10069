"""Two of each fault through the real service; `make faults` has fifty. And the judges find what is planted."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.demo.demo import PLUIS
from tests.faults.full import Away
from tests.faults.judging import SERVER_GONE, ask_again, judge_failures, judge_log, look_up, under_load, verify
from tests.faults.load import ROOT, THREADS, Failed, Load, loading
from tests.faults.served import Served, small_ruleset
from tests.serve.conftest import running

KILLS = [
    ("server", "sqlite"),
    ("server", "postgresql"),
    ("supervisor", "sqlite"),
    ("worker", "sqlite"),
    ("worker", "postgresql"),
    ("postgresql", "postgresql"),
]
HARD = [("server", "sqlite"), ("worker", "sqlite"), ("postgresql", "postgresql")]
"""Kills that leave nobody the time to commit what is late."""
LOST = "acknowledged and lost"
SAID = re.compile(r"(\d+) decisions acknowledged, none lost; (\d+) calls failed, of (\d+) requests")


def done(*command: str) -> tuple[int, str]:
    """The exit code of a trial in a process of its own, and all that it said."""
    whole = subprocess.run([sys.executable, "-m", *command, "--seed", "1"], cwd=ROOT, capture_output=True, text=True)
    return whole.returncode, whole.stdout + whole.stderr


def passed(*command: str) -> None:
    code, said = done(*command)
    assert code == 0, said
    found = SAID.search(said)
    assert found, said
    acknowledged, failed, in_flight = map(int, found.groups())
    assert acknowledged >= 2 * THREADS
    assert failed >= in_flight > 0


@pytest.mark.slow
@pytest.mark.parametrize(("what", "log"), KILLS)
def test_what_was_acknowledged_survives_two_kills(what: str, log: str) -> None:
    passed("tests.faults.kill", "--kills", "2", "--what", what, "--log", log)


@pytest.mark.slow
def test_a_log_that_is_away_fails_calls_and_comes_back_by_itself() -> None:
    passed("tests.faults.full", "--rounds", "2")


@pytest.mark.slow
@pytest.mark.parametrize(("what", "log"), HARD)
def test_a_server_that_answers_before_it_commits_is_found_by_kills(what: str, log: str) -> None:
    code, said = done("tests.faults.kill", "--kills", "5", "--what", what, "--log", log, "--planted")
    assert code == 1
    assert LOST in said, said


@pytest.mark.slow
@pytest.mark.parametrize("away", [each.value for each in Away])
def test_a_server_that_answers_before_it_commits_is_found_when_the_log_is_away(away: str) -> None:
    code, said = done("tests.faults.full", "--rounds", "5", "--what", away, "--planted")
    assert code == 1
    assert LOST in said, said


# ---- the judges themselves, over a server in this process ----


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[tuple[Served, Load]]:
    """A server of which the client has asked something, and to which nothing happened."""
    where, rulesets = tmp_path / "log", small_ruleset(tmp_path / "served")
    with running(rulesets, log=str(where), log_keys=tmp_path / "keys.json") as started, loading(tmp_path / "c") as load:
        served = Served(tmp_path, str(where), PLUIS, workers=1)
        served.address = started.server.address
        load.go(served.address)
        under_load(load, 0)
        load.hold(served.address)
        yield served, load


def test_a_log_that_holds_what_was_answered_passes(asked: tuple[Served, Load], tmp_path: Path) -> None:
    served, load = asked
    acknowledged = load.acknowledged()
    assert not load.failed()
    judge_log(served, acknowledged)
    look_up(served, acknowledged)
    ask_again(served, acknowledged)
    verify(served, acknowledged, tmp_path)


def test_the_judges_find_what_is_lost_or_otherwise(asked: tuple[Served, Load], tmp_path: Path) -> None:
    served, load = asked
    first, *others = load.acknowledged()
    with pytest.raises(AssertionError, match="never answered"):
        judge_log(served, others)
    unknown = "00000000-0000-4000-8000-000000000000"
    wrong: list[dict[str, Any]] = [{"sequence": 9999}, {"hash": "0" * 64}, {"writer": "w9"}, {"decision": unknown}]
    for change in wrong:
        with pytest.raises(AssertionError, match=r"lost|another one's"):
            judge_log(served, [replace(first, **change), *others])
    for change in (*wrong, {"digest": "0" * 64}):
        with pytest.raises(AssertionError):
            look_up(served, [replace(first, **change)])
        with pytest.raises(AssertionError):
            ask_again(served, [replace(first, **change)])
    with pytest.raises(AssertionError, match="does not verify"):
        verify(served, [replace(first, sequence=9999)], tmp_path)


def test_a_call_that_failed_in_another_way_is_told() -> None:
    judge_failures([Failed("0-1", "UNAVAILABLE", "")], SERVER_GONE)
    for code, reason in (("UNAVAILABLE", "LOG_UNAVAILABLE"), ("INTERNAL", "INTERNAL"), ("DEADLINE_EXCEEDED", "")):
        with pytest.raises(AssertionError, match="in another way"):
            judge_failures([Failed("0-1", code, reason)], SERVER_GONE)
