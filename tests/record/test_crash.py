"""A process that records is killed, without a server around it, for which see tests/faults; and full disks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.record.crash import Ground, trial
from tests.record.full import LIMITS, Limit, fill
from tests.record.server import Server


def test_what_was_acknowledged_survives_three_kills(tmp_path: Path) -> None:
    assert trial(Ground(tmp_path, str(tmp_path / "log")), kills=3, seed=1) > 3


@pytest.mark.slow
def test_what_postgresql_acknowledged_survives_three_kills(tmp_path: Path, postgres: Server) -> None:
    assert trial(Ground(tmp_path, postgres.empty_database()), kills=3, seed=3) > 3


@pytest.mark.slow
def test_what_was_acknowledged_survives_eight_kills(tmp_path: Path) -> None:
    assert trial(Ground(tmp_path, str(tmp_path / "log")), kills=8, seed=2) > 8


@pytest.mark.parametrize("limit", LIMITS)
def test_a_full_disk_fails_calls_and_nothing_is_answered_unrecorded(limit: Limit, tmp_path: Path) -> None:
    fill(Ground(tmp_path, str(tmp_path / "log")), limit)
