"""The operator's commands on releases, which work while the server is down."""

from __future__ import annotations

import shutil

import pytest
from typer.testing import CliRunner, Result

from engine.cli import app
from engine.serve.releases.release import ReleaseFault
from tests.serve.releases.conftest import House


def ran(house: House, *words: str) -> Result:
    return CliRunner().invoke(app, ["releases", *words, "--state", str(house.store.state)])


def told(house: House, *words: str) -> str:
    done = ran(house, *words)
    assert done.exit_code == 0, done.output
    return done.output


def test_list_status_and_rollback(published: House) -> None:
    (one,) = published.store.releases()
    assert "before    none" in told(published, "status")
    published.version("2", "2.0.0")
    two = published.publish()
    first, second = told(published, "list").splitlines()
    assert first.startswith(f"* {two.id}  ") and first.endswith("UTC  small 1.0.0, small 2.0.0")
    assert second.startswith(f"< {one.id}  ") and second.endswith("UTC  small 1.0.0")
    status = told(published, "status")
    assert f"active    {two.id}, made on " in status
    assert f"small 2.0.0  {two.versions[1].digest[:12]}  small/2" in status
    assert f"before    release {one.id} (small 1.0.0)" in status
    assert "held" not in status
    back = told(published, "rollback")
    assert back.splitlines() == [
        f"active now: release {one.id} (small 1.0.0); before: {two.id}",
        "what the folder of rulesets has now is held back until it changes or somebody reloads",
    ]
    assert "held      what was rolled back from" in told(published, "status")
    assert f"active now: release {two.id}" in told(published, "rollback", two.id)


def test_what_is_left_out_is_told(house: House) -> None:
    house.version("2", "2.0.0", ("rules:", "rules: ["))
    house.publish()
    assert "left out  small/2: " in told(house, "status")


def test_what_cannot_be_done_is_refused(published: House) -> None:
    with pytest.raises(ReleaseFault, match="there is no release before"):
        raise_of(ran(published, "rollback"))
    with pytest.raises(ReleaseFault, match="there is no such release"):
        raise_of(ran(published, "rollback", "nonsense"))
    shutil.rmtree(published.store.state)
    done = ran(published, "status")
    assert done.exit_code == 1
    assert f"there is no folder `{published.store.state}`" in done.stderr
    published.store.state.mkdir()
    assert told(published, "status") == "no release is active yet\n"
    assert told(published, "list") == ""


def test_a_damaged_active_release_can_be_rolled_back_from(published: House) -> None:
    published.version("2", "2.0.0")
    two = published.publish()
    (published.store.folder / two.id / "release.json").write_bytes(b"{")
    with pytest.raises(ReleaseFault, match=r"release.json` cannot be read"):
        raise_of(ran(published, "status"))
    assert "small 1.0.0" in told(published, "rollback")


def raise_of(done: Result) -> None:
    """`pluis` itself puts these in words, see `engine.cli.main`."""
    assert done.exception is not None
    raise done.exception
