"""A worker answers from a release only when it is what was checked; and the registry swaps it whole."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from engine.rules.signed_files import KEYS, render_trust
from engine.serve.registry import NothingServed, Registry, Snapshot
from engine.serve.releases.loading import read_release
from engine.serve.releases.release import ReleaseFault
from engine.serve.standing import Requirement
from tests.rules.signing import GP, PT, trusting
from tests.serve.conftest import changed
from tests.serve.releases.conftest import TODAY, House
from tests.serve.test_standing import approve

NOTHING: frozenset[Requirement] = frozenset()


def read(house: House, id: str) -> Snapshot:
    return read_release(house.store, id, TODAY, NOTHING)


def test_it_is_what_was_checked_and_not_what_the_folder_has_now(published: House) -> None:
    release = published.store.serving()
    assert release is not None
    changed(published.root / "small" / "1", ("{numb: yes}", "{numbness: yes}"))
    (served,) = read(published, release.id)
    assert (served.version, served.digest, served.source) == ("1.0.0", release.versions[0].digest, "small/1")
    assert not served.evaluator.evaluate(served.evaluator.read({})).outcome.settled


def test_what_was_left_out_is_left_out(house: House) -> None:
    """Also when it would pass now: it is not in the release."""
    house.version("2", "2.0.0", ("rules:", "rules: ["))
    release = house.publish()
    snapshot = read(house, release.id)
    assert [served.version for served in snapshot] == ["1.0.0"]
    assert snapshot.problems == release.problems
    assert snapshot.problems[0].source == "small/2"


@pytest.mark.parametrize("name", ["ruleset.yaml", "cases.yaml", "texts.nl.yaml"])
def test_changed_bytes_are_refused(published: House, name: str) -> None:
    (release,) = published.store.releases()
    file = published.store.rulesets(release.id) / "small" / "1" / name
    file.write_bytes(file.read_bytes() + b"# one remark\n")
    with pytest.raises(ReleaseFault, match=f"{release.id}.* are not those that were checked"):
        read(published, release.id)


def test_another_digest_than_was_checked_is_refused(published: House) -> None:
    """As a newer Pluis might read the same bytes otherwise."""
    (release,) = published.store.releases()
    file = published.store.folder / release.id / "release.json"
    content = json.loads(file.read_bytes())
    content["versions"][0]["digest"] = "0" * 64
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(
        ReleaseFault, match=r"small/1: it was checked as small 1\.0\.0 \(000000000000\), and is read as"
    ):
        read(published, release.id)


def test_without_what_is_required_nothing_of_it_is_served(published: House) -> None:
    (release,) = published.store.releases()
    with pytest.raises(
        ReleaseFault, match=r"small/1: it has no certificate, .*; roll back to another release, or reload"
    ):
        read_release(published.store, release.id, TODAY, frozenset({Requirement.CERTIFICATE}))


def test_an_approval_counts_on_the_day_that_it_is_loaded(house: House) -> None:
    trusted = trusting(GP.trusted(last=date(2027, 1, 1)), PT.trusted())
    (house.root / KEYS).write_text(render_trust(trusted), encoding="utf-8")
    approve(house.root / "small" / "1")
    id = house.publish().id
    approved = frozenset({Requirement.APPROVAL})
    assert [served.version for served in read_release(house.store, id, TODAY, approved)] == ["1.0.0"]


def test_a_release_that_is_not_there(house: House, tmp_path: Path) -> None:
    with pytest.raises(ReleaseFault, match=f"there is no release {'a' * 16} in `.*`; there is none"):
        read(house, "a" * 16)


def test_the_registry_swaps_releases(published: House) -> None:
    (one,) = published.store.releases()
    first = read(published, one.id)
    registry = Registry.of(first, published.store.rulesets(one.id), NOTHING, lambda: TODAY)
    assert registry.current() is first
    published.version("2", "2.0.0")
    second = read(published, published.publish().id)
    registry.swap(second)
    assert registry.current().find("small", "", TODAY).version == "2.0.0"
    (before,) = first  # a call in flight still has it
    assert not before.evaluator.evaluate(before.evaluator.read({})).outcome.settled
    with pytest.raises(NothingServed):
        registry.swap(Snapshot({}))
    assert registry.current() is second
    with pytest.raises(NothingServed):
        Registry.of(Snapshot({}), published.root, NOTHING, lambda: TODAY)
