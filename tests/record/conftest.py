"""A real PostgreSQL for the tests of the log: started once in a run, with an empty database for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.record.server import Server, server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with server() as running:
        yield running


@pytest.fixture
def database(postgres: Server) -> str:
    """The URL of an empty database."""
    return postgres.empty_database()
