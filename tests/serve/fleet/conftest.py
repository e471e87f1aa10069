"""A folder with the small ruleset for servers of several processes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.serve.conftest import SMALL


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with `rulesets/small/1`, and room for the state."""
    shutil.copytree(SMALL / "small", tmp_path / "rulesets" / "small" / "1")
    return tmp_path


@pytest.fixture
def faults(tmp_path: Path) -> Path:
    """A folder in which a test plants the faults of workers."""
    planted = tmp_path / "faults"
    planted.mkdir()
    return planted
