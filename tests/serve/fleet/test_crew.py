"""The crew with workers that only play: started, replaced, moved from release to release, without gRPC or rulesets."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from engine.serve.config import CallerSettings, Config, Issuer
from engine.serve.fleet import crew as crew_module
from engine.serve.fleet.crew import Crew
from engine.serve.fleet.messages import Beat, Ports
from engine.serve.fleet.place import Place
from engine.serve.telemetry.metrics import Metrics
from tests.serve.fleet.fleets import runs, until

ACTOR = (sys.executable, "-m", "tests.serve.fleet.actor")


class Played(Crew):
    """A crew of three, turned by the test."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        (folder / "metrics").mkdir()
        given = {"rulesets": folder, "port": 0, "workers": 3, "state": folder, "hang": 60, "log": "off", **settings}
        config = Config(**given)
        super().__init__(config, ACTOR, Metrics(), lambda pipe, asked: None)

    def turn_until(self, holds: Callable[[], object]) -> None:
        def turned() -> object:
            self.turn()
            return holds()

        until(turned)

    def step(self, step: Callable[[str, Future[str]], None], release: str) -> str:
        """Takes a step to its end; what is in its way."""
        done: Future[str] = Future()
        step(release, done)
        self.turn_until(done.done)
        return done.result()

    def releases(self) -> list[str]:
        return [each.release for each in self.told()]

    def restarts(self) -> list[int]:
        return [each.restarts for each in self.told()]


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Played]:
    played = Played(tmp_path)
    played.begin(Ports(1), "first")
    try:
        played.turn_until(lambda: played.ready == 3)
        yield played
    finally:
        end(played)


def end(played: Played) -> None:
    """Ends all of a crew."""
    played.drain()
    played.kill()
    played.turn_until(lambda: not played.pids)


def test_a_worker_that_ends_is_replaced(crew: Played) -> None:
    first = crew.pids
    os.kill(first[1], signal.SIGKILL)
    crew.turn_until(lambda: crew.ready == 2)
    crew.turn_until(lambda: crew.ready == 3)
    assert (crew.pids[0], crew.pids[2]) == (first[0], first[2])
    assert crew.restarts() == [0, 1, 0]
    assert crew.failure == "worker 2 was ended by SIGKILL"
    assert not runs(first[1])


def test_all_are_moved_to_another_release(crew: Played) -> None:
    assert crew.step(crew.load, "second") == ""
    assert crew.releases() == ["first"] * 3
    assert crew.step(crew.swap, "second") == ""
    assert crew.releases() == ["second"] * 3
    assert crew.restarts() == [0, 0, 0]


@pytest.mark.parametrize(
    ("release", "told"), [("broken", "it is broken"), ("deadly", "worker . ended while it loaded it")]
)
def test_a_release_that_one_cannot_load_is_served_by_none(crew: Played, release: str, told: str) -> None:
    assert re.search(told, crew.step(crew.load, release))
    crew.turn_until(lambda: crew.ready == 3)
    assert crew.releases() == ["first"] * 3
    assert crew.step(crew.load, "second") == ""
    assert crew.step(crew.swap, "second") == ""


def test_a_worker_that_never_loads_is_replaced(crew: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew_module, "LOADING", 0.1)
    assert "ended while it loaded it" in crew.step(crew.load, "endless")
    crew.turn_until(lambda: crew.ready == 3)
    assert crew.releases() == ["first"] * 3


def test_who_starts_meanwhile_follows(crew: Played) -> None:
    """A worker that is killed between the two steps starts with the release before, and is moved on."""
    assert crew.step(crew.load, "second") == ""
    os.kill(crew.pids[0], signal.SIGKILL)
    crew.turn_until(lambda: crew.ready == 2)
    crew.turn_until(lambda: len(crew.pids) == 3)  # it starts with the first one
    assert crew.step(crew.swap, "second") == ""
    crew.turn_until(lambda: crew.releases() == ["second"] * 3)


def test_killed_in_the_middle_of_a_swap(crew: Played) -> None:
    done: Future[str] = Future()
    assert crew.step(crew.load, "second") == ""
    for pid in crew.pids:
        os.kill(pid, signal.SIGSTOP)
    crew.swap("second", done)
    for pid in crew.pids:
        os.kill(pid, signal.SIGKILL)
    crew.turn_until(done.done)
    crew.turn_until(lambda: crew.releases() == ["second"] * 3)


def test_nothing_is_loaded_by_nobody(crew: Played) -> None:
    for pid in crew.pids:
        os.kill(pid, signal.SIGKILL)
    crew.turn_until(lambda: crew.ready == 0)
    done: Future[str] = Future()
    crew.load("second", done)
    assert "no worker is there" in done.result(0)


def test_one_that_falls_silent_is_ended(tmp_path: Path) -> None:
    crew = Played(tmp_path, hang=0.5)
    crew.begin(Ports(1), "hanging")
    try:
        crew.turn_until(lambda: min(crew.restarts()) >= 1)
    finally:
        end(crew)
    assert crew.failure in [f"worker {number} was ended by SIGKILL" for number in (1, 2, 3)]


def test_why_a_worker_cannot_serve_is_told(tmp_path: Path) -> None:
    crew = Played(tmp_path)
    crew.begin(Ports(1), "stillborn")
    try:
        crew.turn_until(lambda: crew.failure)
    finally:
        end(crew)
    assert crew.failure == "there is no life in it"


def test_settings_may_be_large(tmp_path: Path) -> None:
    """More callers than a pipe takes at once."""
    callers = [
        CallerSettings(name=f"caller-{number}", issuer="us", subject=f"{number}", rights=frozenset())
        for number in range(3000)
    ]
    issuer = Issuer(issuer="us", audience=("here",), keys="keys.json")
    crew = Played(tmp_path, issuers=(issuer,), callers=callers)
    crew.begin(Ports(1), "first")
    try:
        crew.turn_until(lambda: crew.ready == 3)
    finally:
        end(crew)
    assert crew.failure == ""


def test_they_drain_by_themselves(crew: Played) -> None:
    pids = crew.pids
    crew.drain()
    crew.turn_until(lambda: not crew.pids)
    assert not any(map(runs, pids))
    assert crew.restarts() == [0, 0, 0]


def test_those_that_serve_nothing_yet_are_ended_at_once(tmp_path: Path) -> None:
    crew = Played(tmp_path)
    crew.begin(Ports(1), "unborn")
    crew.turn()
    pids = crew.pids
    assert len(pids) == 3
    crew.drain()
    crew.turn_until(lambda: not crew.pids)
    assert not any(map(runs, pids))


def test_pauses_grow_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Crash after crash: 0.1 seconds, doubled up to 5; after a worker that lived long 0.1 again."""
    now = 1000.0
    monkeypatch.setattr("engine.serve.fleet.place.time.monotonic", lambda: now)
    place = Place(1, ())
    pauses = []
    for _ in range(8):
        place.lost()
        pauses.append(round(place.due - now, 3))
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    place.release = "first"
    now += 61
    place.lost()
    assert round(place.due - now, 3) == 0.1


def test_one_that_cannot_be_told_anything_is_ended(crew: Played) -> None:
    stopped = crew.pids[0]
    os.kill(stopped, signal.SIGSTOP)
    place = crew._places[0]
    while place.pipe is not None and crew.pids[0] == stopped and runs(stopped):
        place.tell(Beat())
    crew.turn_until(lambda: crew.restarts() == [1, 0, 0])
    crew.turn_until(lambda: crew.ready == 3)
