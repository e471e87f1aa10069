"""A folder of rulesets with one version, its settings, and the release that was made of it and is active."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from engine.serve.config import LOG_OFF, Config
from engine.serve.releases.gate import GateReport, gate
from engine.serve.releases.release import Release, ReleaseStore
from tests.serve.conftest import SMALL, changed

TODAY = date(2026, 12, 1)


@dataclass(frozen=True)
class House:
    """A server's folders. `root` has the small ruleset as `small/1`."""

    config: Config
    store: ReleaseStore

    @property
    def root(self) -> Path:
        return self.config.rulesets

    def gate(self) -> GateReport:
        return gate(self.config, self.store, TODAY)

    def publish(self) -> Release:
        """Takes up what the folder has; it must be fit."""
        report = self.gate()
        assert report.release is not None, report.told
        self.store.activate(report.release.id)
        return report.release

    def version(self, folder: str, version: str, *changes: tuple[str, str]) -> Path:
        """Puts a changed copy of the small ruleset beside it."""
        target = self.root / "small" / folder
        shutil.copytree(SMALL / "small", target)
        changed(target, ("version: 1.0.0", f"version: {version}"), *changes)
        return target

    def remark(self, text: str) -> None:
        """Changes the folder, and nothing that it means."""
        with (self.root / "small" / "1" / "cases.yaml").open("a", encoding="utf-8") as opened:
            opened.write(f"# {text}\n")


@pytest.fixture
def house(tmp_path: Path) -> House:
    root, state = tmp_path / "rulesets", tmp_path / "state"
    shutil.copytree(SMALL / "small", root / "small" / "1")
    return House(Config(rulesets=root, state=state, log=LOG_OFF), ReleaseStore(state))


@pytest.fixture
def published(house: House) -> House:
    """With release one active: small 1.0.0."""
    house.publish()
    return house


def versions(release: Release | None) -> list[str]:
    """What a release serves, such as `small 1.0.0`."""
    return [f"{each.id} {each.version}" for each in release.versions] if release else []
