"""Releases on disk: whole or not there, immutable, ten of them, and the way back and forth between them."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from engine.serve.releases.release import KEPT, RULESETS, ReleaseFault, ReleaseStore, content_of
from tests.serve.releases.conftest import House, versions


def three(house: House) -> list[str]:
    """Three releases one after the other: 1.0.0, then with 2.0.0, then with 3.0.0."""
    ids = [house.publish().id]
    for number in (2, 3):
        house.version(str(number), f"{number}.0.0")
        ids.append(house.publish().id)
    return ids


def test_a_release_is_a_copy_of_what_counts(house: House) -> None:
    (house.root / "small" / "1" / "README.md").write_text("not a ruleset's file", encoding="utf-8")
    release = house.publish()
    copied = house.store.rulesets(release.id)
    names = {file.relative_to(copied).as_posix() for file in copied.rglob("*") if file.is_file()}
    assert names == {f"small/1/{name}" for name in ("ruleset.yaml", "cases.yaml", "texts.nl.yaml", "texts.en.yaml")}
    assert content_of(copied) == release.source
    assert house.store.releases() == (release,)
    assert house.store.serving() == release == house.store.whole(release.id)
    assert not (house.store.folder / ".new").exists()


def test_the_same_content_is_the_same_release(published: House) -> None:
    before = published.store.serving()
    (published.root / "small" / "1" / "CHANGELOG.md").write_text("another file", encoding="utf-8")
    report = published.gate()
    assert report.release == before and not report.changed
    published.remark("a remark")
    report = published.gate()
    assert report.changed and report.release is not None and report.release != before


def test_what_is_served_of_the_same_files_is_part_of_a_release(house: House) -> None:
    """The files alone would call it the same release when a server requires less than before, and serves more."""
    house.version("2", "2.0.0", ("rules:", "rules: ["))
    partial = house.publish()
    assert versions(partial) == ["small 1.0.0"]
    source = partial.source
    with house.store.gating() as fresh:
        shutil.copytree(house.store.rulesets(partial.id), fresh / RULESETS)
        both = house.store.add(fresh, source, [*partial.versions, partial.versions[0]])
    assert both.source == partial.source and both.id != partial.id
    assert house.store.release(partial.id) == partial


def test_rolling_back_twice_goes_back_two(house: House) -> None:
    one, two, three_ = three(house)
    assert house.store.active().previous == (two, one)
    assert house.store.rollback().id == two
    assert house.store.rollback().id == one
    assert house.store.active().previous == ()
    with pytest.raises(ReleaseFault, match=f"no release before {one}"):
        house.store.rollback()
    assert house.store.active().active == one
    assert house.store.rollback(three_).id == three_
    assert house.store.active().previous == (one,)


def test_a_release_can_be_named(house: House) -> None:
    one, two, three_ = three(house)
    assert house.store.rollback(one).id == one
    assert house.store.active().previous == ()
    with pytest.raises(ReleaseFault, match="active already"):
        house.store.rollback(one)
    shutil.copytree(house.store.folder / two, house.store.state / "other")
    for id in ("0" * 16, "../other", "", "nonsense\n"):
        with pytest.raises(ReleaseFault, match=f"there is no .*; there is {three_}, {two}, {one}"):
            house.store.release(id)
    with pytest.raises(ReleaseFault) as caught:
        house.store.rollback("../other")
    assert "other" not in str(caught.value)


def test_what_was_rolled_back_from_is_held_until_the_folder_changes(house: House) -> None:
    one, two, _ = three(house)
    house.store.rollback()
    for _again in range(2):  # a restart asks the gate again
        report = house.gate()
        assert not report.changed and report.release is not None and report.release.id == two
        assert "holds what was rolled back from" in report.told[0] and f"release {two}" in report.told[0]
    house.version("4", "4.0.0")
    assert house.publish().id not in (one, two)
    assert house.store.active().held == ()


def test_a_reload_by_a_person_lifts_what_is_held(house: House) -> None:
    _, _, three_ = three(house)
    house.store.rollback()
    assert house.store.lift()
    assert not house.store.lift()
    assert house.publish().id == three_


def test_what_the_gate_refused_is_held_too(published: House) -> None:
    """It was refused, perhaps for lack of time; a restart after a rollback must not take it up."""
    published.version("2", "2.0.0")
    published.publish()
    broken = published.version("3", "3.0.0", ("rules:", "rules: ["))
    assert published.gate().release is None
    assert versions(published.store.rollback()) == ["small 1.0.0"]
    assert "held" not in str(published.gate().problems)
    assert published.gate().problems == ()
    shutil.rmtree(broken)  # back to what was gone back from
    assert not published.gate().changed
    published.version("4", "4.0.0")
    assert published.gate().changed


def test_a_rollback_during_a_check_wins(house: House) -> None:
    one, two, three_ = three(house)
    house.store.rollback(two)
    with pytest.raises(ReleaseFault, match="rolled back from, and is held back until somebody reloads"):
        house.store.activate(three_)
    assert house.store.active().active == two
    house.store.lift()
    house.store.activate(three_)
    assert house.store.active().previous == (two, one)


def test_going_forward_to_what_the_folder_has_holds_nothing(house: House) -> None:
    _, _, three_ = three(house)
    house.store.rollback()
    house.store.rollback(three_)
    assert house.store.active().held == ()


def test_ten_are_kept_and_never_the_active_one_lost(published: House) -> None:
    first = published.store.serving()
    assert first is not None
    for number in range(KEPT + 3):  # candidates that were checked and never activated
        published.remark(str(number))
        last = published.gate().release
    kept = published.store.releases()
    assert len(kept) == KEPT + 1
    assert last in kept and first in kept
    assert published.store.serving() == first


def test_a_release_that_was_pruned_is_no_longer_gone_back_to(house: House) -> None:
    one, two, _ = three(house)
    shutil.rmtree(house.store.folder / two)
    assert house.store.active().previous == (one,)
    previous = house.store.previous()
    assert previous is not None and previous.id == one


@pytest.mark.parametrize("damage", ["changed", "added", "gone", "release.json"])
def test_a_damaged_release_is_not_gone_back_to_and_is_made_anew(house: House, damage: str) -> None:
    one, two, three_ = three(house)
    folder = house.store.folder / two
    file = folder / RULESETS / "small" / "2" / "ruleset.yaml"
    match damage:
        case "changed":
            file.write_bytes(file.read_bytes() + b"\n")
        case "added":
            file.with_name("texts.fr.yaml").write_bytes(b"")
        case "gone":
            file.unlink()
        case _:
            (folder / "release.json").write_bytes(b"{")
    with pytest.raises(ReleaseFault, match=two):
        house.store.rollback()
    assert house.store.active().active == three_
    assert house.store.rollback(one).id == one
    shutil.rmtree(house.root / "small" / "3")
    assert house.publish().id == two
    assert house.store.whole(two).id == two


def test_an_unreadable_active_json_is_said_and_nothing_is_guessed(published: House) -> None:
    (published.store.state / "active.json").write_text("{", encoding="utf-8")
    with pytest.raises(ReleaseFault, match=r"active.json` cannot be read: .* take it away"):
        published.store.serving()
    report = published.gate()
    assert report.release is None and report.serving is None
    assert "active.json" in report.told[1]


def test_a_write_that_fails_changes_nothing(published: House, monkeypatch: pytest.MonkeyPatch) -> None:
    before = published.store.active()
    published.version("2", "2.0.0")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    report = published.gate()
    assert report.release is None and "No space left" in report.problems[0].message
    assert report.serving is not None and report.serving.id == before.active
    monkeypatch.undo()
    assert published.store.active() == before
    assert len(published.store.releases()) == 1


def test_a_release_that_was_cut_short_is_no_release(published: House) -> None:
    """A killed gate leaves its folder behind: the next one begins anew."""
    left = published.store.folder / ".new" / RULESETS
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"")
    published.version("2", "2.0.0")
    assert versions(published.publish()) == ["small 1.0.0", "small 2.0.0"]
    assert not left.exists()


def test_processes_change_what_is_active_one_after_the_other(tmp_path: Path, house: House) -> None:
    ids = three(house)

    def switch() -> None:
        store = ReleaseStore(house.store.state)
        for id in ids * 2:
            store.activate(id)

    threads = [threading.Thread(target=switch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    active = house.store.active()
    assert sorted({active.active, *active.previous}) == sorted(ids)
    assert not (house.store.state / "active.new").exists()
