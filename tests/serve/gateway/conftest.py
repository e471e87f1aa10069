"""A real server with a real HTTP port, and plain sockets for what no HTTP library would send."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.serve.conftest import SMALL, Running, running

NUMB = {"ruleset": "small", "answers": {"numb": {"yesNo": "YES_NO_YES"}}}
JSON = {"content-type": "application/json"}
PATIENCE = 30.0


@dataclass
class Web(Running):
    """A server that runs, and a client of its HTTP port."""

    http: httpx.Client

    def evaluate(self, body: Any = None, **headers: str) -> httpx.Response:
        return self.http.post("/v1/evaluate", json=NUMB if body is None else body, headers=headers)

    def raw(self, *parts: bytes) -> bytes:
        """All that comes back for what is written, until the server closes the connection."""
        place = urlsplit(str(self.http.base_url))
        with socket.create_connection((str(place.hostname), place.port or 0), PATIENCE) as connection:
            for part in parts:
                connection.sendall(part)
            found = b""
            while received := connection.recv(65536):
                found += received
        return found


@contextmanager
def web_server(root: Path = SMALL, **settings: Any) -> Iterator[Web]:
    """A server with HTTP that runs while the block does."""
    with running(root, http_port=0, **settings) as started:
        assert started.server.http is not None
        with httpx.Client(base_url=started.server.http.address, timeout=PATIENCE) as http:
            yield Web(started.server, started.registry, started.client, http)


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with web_server() as started:
        yield started


def reason(response: httpx.Response) -> str:
    """Why a call failed, as its google.rpc.Status says."""
    details = {each["@type"].rpartition(".")[2]: each for each in response.json()["details"]}
    assert details["RequestInfo"]["requestId"] == response.headers["x-request-id"]
    return str(details["ErrorInfo"]["reason"])
