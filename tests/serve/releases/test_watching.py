"""A change of the folder is told once, when it rests; what does not count is no change."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.serve.releases.watching import Watcher
from tests.serve.conftest import SMALL, changed
from tests.serve.releases.conftest import House


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def look(house: House) -> Callable[[], bool]:
    """Looks again, two seconds later."""
    clock = Clock()
    watcher = Watcher(house.root, 2.0, clock)

    def later() -> bool:
        clock.now += 2.0
        return watcher.changed()

    return later


CHANGES: dict[str, Callable[[Path], object]] = {
    "a text": lambda root: changed(root / "small" / "1", ("version: 1.0.0", "version: 2.0.0")),
    "the same size and time": lambda root: same(root / "small" / "1" / "ruleset.yaml"),
    "a new version": lambda root: shutil.copytree(SMALL / "small", root / "small" / "2"),
    "a version gone": lambda root: shutil.rmtree(root / "small" / "1"),
    "a trust list": lambda root: (root / "keys.json").write_text("{}", encoding="utf-8"),
    "all gone": shutil.rmtree,
    "a link that leads elsewhere": lambda root: (root / "small" / "2").symlink_to("/etc"),
}


def same(file: Path) -> None:
    before = file.stat()
    file.write_bytes(file.read_bytes().replace(b"1.0.0", b"1.0.1"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_is_told_once_when_it_rests(house: House, look: Callable[[], bool], kind: str) -> None:
    assert not look()
    CHANGES[kind](house.root)
    assert [look() for _ in range(4)] == [False, True, False, False]


def test_a_folder_that_is_still_written_is_left_alone(house: House, look: Callable[[], bool]) -> None:
    for number in range(4):
        house.remark(str(number))
        assert not look()
    assert look()


def test_files_that_do_not_count_are_no_change(house: House, look: Callable[[], bool]) -> None:
    (house.root / "small" / "1" / "CHANGELOG.md").write_text("words", encoding="utf-8")
    (house.root / "small" / "1" / ".ruleset.yaml.swp").write_text("of an editor", encoding="utf-8")
    (house.root / ".git").mkdir()
    assert not any(look() for _ in range(4))


def test_it_looks_no_more_often_than_it_is_told(house: House) -> None:
    clock = Clock()
    watcher, never = Watcher(house.root, 2.0, clock), Watcher(house.root, 0, clock)
    house.remark("new")
    assert not any(watcher.changed() for _ in range(9))
    clock.now = 2.0
    assert not any(watcher.changed() for _ in range(9))
    clock.now = 4.0
    assert watcher.changed()
    clock.now = 1e6
    assert not any(never.changed() for _ in range(9))
