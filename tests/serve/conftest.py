"""A real server on a free port, with a real channel, for every test that asks over the wire."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest

from engine.client import Client
from engine.serve.config import LOG_OFF, Config
from engine.serve.registry import Registry
from engine.serve.server import Server, build_server

SMALL = Path(__file__).parent / "rulesets"
PUBLISHED = Path(__file__).parents[2] / "rulesets"
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


@dataclass
class Running:
    """A server and a client that is connected to it. `stub` is generated and has no types."""

    server: Server
    registry: Registry
    client: Client

    @property
    def stub(self) -> Any:
        return self.client.stub

    @property
    def channel(self) -> grpc.Channel:
        return self.client.channel


@contextmanager
def running(root: Path, **settings: Any) -> Iterator[Running]:
    """A server that runs while the block does; it stops at once and records nothing, unless the settings say so."""
    config = Config(rulesets=root, port=0, **{"grace": 0.0, "log": LOG_OFF, **settings})
    registry = Registry(root, config.required, NOW.date)
    server = build_server(config, registry, clock=lambda: NOW)
    server.start()
    try:
        with Client(server.address, timeout=20) as client:
            yield Running(server, registry, client)
    finally:
        server.stop()


@pytest.fixture(scope="module")
def small() -> Iterator[Running]:
    with running(SMALL, reflection=True) as started:
        yield started


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder of rulesets that a test may change: the small one as `small/1`."""
    shutil.copytree(SMALL / "small", tmp_path / "small" / "1")
    return tmp_path


def changed(folder: Path, *changes: tuple[str, str], file: str = "ruleset.yaml") -> None:
    """Replaces text in a file of a ruleset; what is to be replaced must be there."""
    text = (folder / file).read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    (folder / file).write_text(text, encoding="utf-8")
