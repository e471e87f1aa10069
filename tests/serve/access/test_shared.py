"""Used tokens and rates are known to all threads and processes at once, and nobody is let in where they are not."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from engine.errors import StateUnavailable
from engine.serve.access import shared
from engine.serve.access.shared import FILE, SharedState
from tests.serve.access.hammering import take_all, use_all


@pytest.fixture
def state(tmp_path: Path) -> Iterator[SharedState]:
    made = SharedState(tmp_path / "state")
    yield made
    made.close()


def test_a_token_is_new_once(state: SharedState) -> None:
    assert state.first_use("a", "1", 100.0, 10.0)
    assert not state.first_use("a", "1", 100.0, 20.0)
    assert state.first_use("b", "1", 100.0, 20.0)
    assert state.first_use("a1", "", 100.0, 20.0)
    assert state.first_use("", "a1", 100.0, 20.0)
    assert state.first_use("a", "\ud800", 100.0, 20.0)  # half a character, which JSON can hold
    assert not state.first_use("a", "\ud800", 100.0, 20.0)


def test_it_is_remembered_by_the_next_process(tmp_path: Path, state: SharedState) -> None:
    assert state.first_use("a", "1", 100.0, 10.0)
    state.close()
    assert not SharedState(tmp_path / "state").first_use("a", "1", 100.0, 10.0)


def test_what_expired_is_forgotten(tmp_path: Path, state: SharedState) -> None:
    for number in range(10):
        assert state.first_use("a", str(number), 1100.0 + number, 1050.0)
    state.first_use("a", "late", 2000.0, 1105.0)  # too soon after the last time
    assert _rows(tmp_path) == 11
    state.first_use("a", "later", 2000.0, 1300.0)
    assert _rows(tmp_path) == 2


def _rows(folder: Path) -> int:
    with sqlite3.connect(folder / "state" / FILE) as database:
        (found,) = database.execute("SELECT count(*) FROM used").fetchone()
    database.close()
    return int(found)


def test_the_file_tells_nothing_of_a_token(tmp_path: Path, state: SharedState) -> None:
    state.first_use("marker-issuer", "marker-id", 100.0, 10.0)
    state.close()
    assert all(b"marker" not in path.read_bytes() for path in (tmp_path / "state").iterdir())


def test_a_bucket_empties_and_fills(state: SharedState) -> None:
    assert [state.take("a", 2.0, 3.0, 10.0) for _ in range(3)] == [0.0] * 3
    assert state.take("a", 2.0, 3.0, 10.0) == pytest.approx(0.5)
    assert state.take("a", 2.0, 3.0, 10.25) == pytest.approx(0.25)
    assert state.take("b", 2.0, 3.0, 10.25) == 0.0
    assert state.take("a", 2.0, 3.0, 10.5) == 0.0
    assert state.take("a", 2.0, 3.0, 10.5) == pytest.approx(0.5)
    assert [state.take("a", 2.0, 3.0, 1000.0) for _ in range(4)] == [0.0, 0.0, 0.0, pytest.approx(0.5)]


def test_a_clock_that_is_set_back_stops_nobody_for_long(state: SharedState) -> None:
    assert state.take("a", 1.0, 1.0, 5000.0) == 0.0
    assert state.take("a", 1.0, 1.0, 10.0) == pytest.approx(1.0)
    assert state.take("a", 1.0, 1.0, 11.0) == 0.0


def test_threads_share_it(state: SharedState) -> None:
    with ThreadPoolExecutor(8) as pool:
        firsts = list(pool.map(lambda number: state.first_use("a", str(number % 50), 100.0, 10.0), range(400)))
        takes = list(pool.map(lambda _: state.take("a", 1.0, 20.0, 10.0), range(100)))
    assert sum(firsts) == 50
    assert sum(not each for each in takes) == 20


def test_processes_share_it(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        used = [pool.submit(use_all, tmp_path, 300) for _ in range(2)]
        firsts = [number for each in used for number in each.result()]
        taken = [pool.submit(take_all, tmp_path, 100, 130.0) for _ in range(2)]
        took = [each.result() for each in taken]
    assert sorted(firsts) == list(range(300))
    assert sum(took) == 130


def test_a_file_that_is_taken_away_is_made_anew(tmp_path: Path, state: SharedState) -> None:
    """Two workers must not go on with two files."""
    other = SharedState(tmp_path / "state")
    assert state.first_use("a", "1", 100.0, 10.0)
    assert not other.first_use("a", "1", 100.0, 10.0)
    for path in (tmp_path / "state").iterdir():
        path.unlink()
    assert state.first_use("a", "2", 100.0, 10.0)
    assert not other.first_use("a", "2", 100.0, 10.0)
    shutil.rmtree(tmp_path / "state")
    assert state.first_use("a", "3", 100.0, 10.0)
    other.close()


def _no_folder(folder: Path) -> None:
    folder.write_text("a file", encoding="utf-8")


def _no_database(folder: Path) -> None:
    folder.mkdir()
    (folder / FILE).write_bytes(b"no database" * 1000)


def _a_folder(folder: Path) -> None:
    (folder / FILE).mkdir(parents=True)


@pytest.mark.parametrize("spoil", [_no_folder, _no_database, _a_folder])
def test_a_state_that_cannot_be_had_lets_nobody_in(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    spoil(tmp_path / "state")
    state = SharedState(tmp_path / "state")
    for ask in (
        state.open,
        lambda: state.first_use("a", "1", 100.0, 10.0),
        lambda: state.take("a", 1.0, 1.0, 10.0),
    ):
        with pytest.raises(StateUnavailable, match="cannot be used"):
            ask()


def test_a_state_that_breaks_lets_nobody_in_until_it_is_there_again(tmp_path: Path, state: SharedState) -> None:
    assert state.first_use("a", "1", 100.0, 10.0)
    path = tmp_path / "state" / FILE
    os.rename(path, path.with_suffix(".kept"))
    path.mkdir()
    with pytest.raises(StateUnavailable):
        state.first_use("a", "1", 100.0, 10.0)
    path.rmdir()
    os.rename(path.with_suffix(".kept"), path)
    assert not state.first_use("a", "1", 100.0, 10.0)


def test_a_state_that_somebody_holds_lets_nobody_in(
    tmp_path: Path, state: SharedState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "PATIENCE", 0.05)
    state.open()
    holder = sqlite3.connect(tmp_path / "state" / FILE, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    for _ in range(2):
        with pytest.raises(StateUnavailable, match="locked"):
            state.first_use("a", "1", 100.0, 10.0)
    holder.execute("ROLLBACK")
    holder.close()
    assert state.first_use("a", "1", 100.0, 10.0)
