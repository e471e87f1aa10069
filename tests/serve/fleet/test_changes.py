"""What changes the active release, one after the other; the workers only play, and the check runs in this process."""

from __future__ import annotations

import queue
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.serve.config import Config
from engine.serve.fleet import changes as changes_module
from engine.serve.fleet.changes import Changes
from engine.serve.fleet.messages import Answer, Refused, Reload, Rollback
from engine.serve.operations import Reloaded
from engine.serve.registry import today
from engine.serve.releases.gate import GateReport, gate
from engine.serve.releases.release import Active, Release, ReleaseStore
from engine.serve.telemetry.metrics import Metrics
from tests.serve.conftest import changed
from tests.serve.fleet.fleets import PATIENCE, until

STARTED: list[Changes] = []


class Workers:
    """What the workers were told, and what is in the way of the next release."""

    def __init__(self) -> None:
        self.swapped: list[str] = []
        self.loaded: list[str] = []
        self.problem = ""

    def load(self, release: str) -> str:
        self.loaded.append(release)
        return self.problem

    def swap(self, release: str) -> None:
        self.swapped.append(release)


class Played:
    """Changes under way over a folder."""

    def __init__(self, folder: Path, watch: float = 0) -> None:
        self.folder = folder
        self.config = Config(rulesets=folder / "rulesets", state=folder / "state", port=0, watch=watch, log="off")
        self.store = ReleaseStore(self.config.state)
        self.workers = Workers()
        self.begun: queue.Queue[Release | str] = queue.Queue()
        self.changes = Changes(self.config, self.workers, Metrics(), self.begun.put)

    def start(self) -> Release | str:
        self.changes.start()
        STARTED.append(self.changes)
        return self.begun.get(timeout=PATIENCE)

    def ask(self, what: Reload | Rollback) -> Answer:
        answers: queue.Queue[Answer] = queue.Queue()
        self.changes.ask(what, answers.put)
        return answers.get(timeout=PATIENCE)

    def active(self) -> str:
        return self.store.active().active

    def version(self) -> list[str]:
        """The versions that are told to be served."""
        assert self.changes.standing
        return [each.version for each in self.changes.standing.release.rulesets]

    def write(self, version: str) -> None:
        """Gives the ruleset of the folder another version, whatever it was."""
        shutil.rmtree(self.folder / "rulesets")
        shutil.copytree(Path(__file__).parents[1] / "rulesets", self.folder / "rulesets")
        changed(self.folder / "rulesets" / "small", ("version: 1.0.0", f"version: {version}"))


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The check in this process, looks at the disk without a pause, and no thread that outlives its test."""

    def checked(config: Config, timeout: float) -> GateReport:
        return gate(config, ReleaseStore(config.state), today())

    monkeypatch.setattr(changes_module, "gate_in_process", checked)
    monkeypatch.setattr(changes_module, "LOOKS", 0.02)
    yield
    while STARTED:
        STARTED.pop().end()


@pytest.fixture
def played(folder: Path) -> Played:
    played = Played(folder)
    assert isinstance(played.start(), Release)
    return played


def test_the_first_release_is_active_before_anything_is_served(folder: Path) -> None:
    played = Played(folder)
    first = played.start()
    assert isinstance(first, Release)
    assert (played.active(), played.version()) == (first.id, ["1.0.0"])
    assert (played.workers.loaded, played.workers.swapped) == ([], [])


def test_without_any_ruleset_there_is_no_start(folder: Path) -> None:
    changed(folder / "rulesets" / "small" / "1", ("version: 1.0.0", "version: one"))
    told = Played(folder).start()
    assert isinstance(told, str)
    assert "can be served: small/1: " in told


def test_a_reload_is_loaded_kept_and_served(played: Played) -> None:
    before = played.active()
    played.write("1.1.0")
    done = played.ask(Reload())
    assert isinstance(done, Reloaded)
    assert (done.problems, [each.version for each in done.release.rulesets]) == ((), ["1.1.0"])
    assert played.active() == done.release.id != before
    assert (played.workers.loaded, played.workers.swapped) == ([done.release.id], [done.release.id])
    assert played.changes.standing and played.changes.standing.earlier == (before,)
    again = played.ask(Reload())  # nothing changed
    assert again == done
    assert played.workers.loaded == [done.release.id]


def test_a_bad_folder_changes_nothing(played: Played) -> None:
    before = played.active()
    played.write("one")
    done = played.ask(Reload())
    assert isinstance(done, Reloaded)
    assert (done.release.id, [each.source for each in done.problems]) == (before, ["small"])
    assert (played.active(), played.workers.loaded) == (before, [])
    assert played.changes.standing and played.changes.standing.problems == done.problems
    played.write("1.0.0")
    done = played.ask(Reload())
    assert isinstance(done, Reloaded) and done.problems == ()


def test_what_the_workers_cannot_load_is_not_kept(played: Played) -> None:
    before = played.active()
    played.write("1.1.0")
    played.workers.problem = "worker 2 ended while it loaded it"
    done = played.ask(Reload())
    assert isinstance(done, Reloaded)
    assert done.release.id == before
    assert "worker 2 ended" in done.problems[0].message
    assert (played.active(), played.workers.swapped) == (before, [])


def test_a_rollback_is_held_until_a_person_reloads(folder: Path) -> None:
    played = Played(folder, watch=0.02)
    played.start()
    first = played.active()
    played.write("1.1.0")
    until(lambda: played.version() == ["1.1.0"])  # the folder is watched
    second = played.active()
    done = played.ask(Rollback(""))
    assert isinstance(done, Reloaded)
    assert played.active() == done.release.id == first
    assert played.workers.swapped == [second, first]
    assert isinstance(played.ask(Rollback("")), Refused)  # there is nothing before it
    started_again = Played(folder, watch=0.02)
    again = started_again.start()
    assert isinstance(again, Release) and again.id == first
    assert isinstance(played.ask(Reload()), Reloaded)
    assert (played.active(), played.version()) == (second, ["1.1.0"])


@pytest.mark.parametrize("to", ["0123456789abcdef", "../../etc", "active"])
def test_there_is_no_way_back_to_what_never_was(played: Played, to: str) -> None:
    before = played.active()
    refused = played.ask(Rollback(before if to == "active" else to))
    assert isinstance(refused, Refused)
    assert (played.active(), played.workers.loaded) == (before, [])


def test_a_rollback_that_the_workers_cannot_load_is_none(played: Played) -> None:
    played.write("1.1.0")
    played.ask(Reload())
    before = played.active()
    played.workers.problem = "it is broken"
    refused = played.ask(Rollback(""))
    assert isinstance(refused, Refused) and "it is broken" in refused.message
    assert played.active() == before


def test_what_somebody_activates_on_disk_is_served(played: Played) -> None:
    first = played.active()
    played.write("1.1.0")
    played.ask(Reload())
    played.store.rollback()  # as the command does, from another process
    until(lambda: played.version() == ["1.0.0"])
    assert played.workers.swapped[-1] == first


def test_what_somebody_activates_and_cannot_be_loaded_is_tried_once(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    played.write("1.1.0")
    played.ask(Reload())
    played.workers.problem = "it is broken"
    tried = len(played.workers.loaded)
    played.store.rollback()
    until(lambda: len(played.workers.loaded) > tried)
    looks: list[int] = []
    active = ReleaseStore.active

    def looked(store: ReleaseStore) -> Active:
        looks.append(1)
        return active(store)

    monkeypatch.setattr(ReleaseStore, "active", looked)
    until(lambda: len(looks) > 3)  # the thread goes on
    assert len(played.workers.loaded) == tried + 1
    assert played.version() == ["1.1.0"]


def test_a_damaged_state_stops_nothing(played: Played) -> None:
    (played.config.state / "active.json").write_text("{", encoding="utf-8")
    assert isinstance(played.ask(Rollback("")), Refused)
    assert played.version() == ["1.0.0"]


def test_an_error_of_the_program_ends_no_thread(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> GateReport:
        raise RuntimeError("words that nobody is to read")

    with monkeypatch.context() as patched:
        patched.setattr(changes_module, "gate_in_process", fail)
        assert played.ask(Reload()) == Refused("an error of the program: RuntimeError")
    assert isinstance(played.ask(Reload()), Reloaded)


def test_reloads_that_wait_become_one_and_all_are_answered(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    checks: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def slow(config: Config, timeout: float) -> GateReport:
        checks.append(1)
        begun.set()
        assert go_on.wait(PATIENCE)
        return gate(config, ReleaseStore(config.state), today())

    monkeypatch.setattr(changes_module, "gate_in_process", slow)
    answers: queue.Queue[Answer] = queue.Queue()
    played.changes.ask(Reload(), answers.put)
    assert begun.wait(PATIENCE)
    played.write("1.1.0")  # the check under way may have read the folder before
    for _ in range(5):
        played.changes.ask(Reload(), answers.put)
    go_on.set()
    told = [answers.get(timeout=PATIENCE) for _ in range(6)]
    assert all(isinstance(each, Reloaded) for each in told)
    assert len(checks) == 2
    assert played.version() == ["1.1.0"]
