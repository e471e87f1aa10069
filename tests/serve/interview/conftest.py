"""The interview page of a real server, and a person who answers it; programs ask the same server over gRPC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.client import Client
from engine.serve.config import LOG_OFF, Config
from engine.serve.registry import Registry, Served
from engine.serve.server import Server, build_server
from tests.serve.conftest import NOW, SMALL
from tests.serve.interview.patients import said
from tests.serve.interview.reading import Page, read

FORM = "application/x-www-form-urlencoded"


@dataclass
class Site:
    """A server, and clients of its two ports."""

    server: Server
    http: httpx.Client
    registry: Registry
    client: Client

    def send(self, method: str, path: str, content: str | bytes = b"", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(method, path, content=content, headers=named)

    def get(self, path: str, **headers: str) -> Page:
        response = self.send("GET", path, **headers)
        assert response.status_code == 200, response.text
        return read(response.text)

    def post(self, path: str, body: str) -> Page:
        response = self.send("POST", path, body, content_type=FORM)
        assert response.status_code == 200, response.text
        return read(response.text)

    def press(self, page: Page, go: str, answers: Mapping[str, str | list[str]] | None = None) -> Page:
        """The page after a button was pressed."""
        return self.post(page.action, page.sends(go, answers))

    def begin(self, path: str = "/en/small") -> Page:
        """The first screen."""
        return self.press(self.get(path), "on")

    def interview(self, path: str, answers: Mapping[str, str]) -> tuple[Page, list[Page]]:
        """Answers until nothing is left to ask; goes on after urgent advice too. The last page, and all before it."""
        page, before = self.begin(path), list[Page]()
        while "next" in page.buttons or "on" in page.buttons:
            assert len(before) < 200, "the interview does not end"
            before.append(page)
            if "on" in page.buttons:
                page = self.press(page, "on")
                continue
            page = self.press(
                page, "next", {each: said(answers, each, page.questions[each]) for each in page.questions}
            )
        return page, before

    def served(self, ruleset: str) -> Served:
        return self.registry.current().find(ruleset, "", self.registry.today())


@contextmanager
def site_of(registry: Registry, **settings: Any) -> Iterator[Site]:
    """A site; it records nothing, unless the settings say so."""
    settings = {"log": LOG_OFF, "grace": 0.0, "port": 0, "http_port": 0, **settings}
    server = build_server(Config(rulesets=registry.root, **settings), registry, clock=lambda: NOW)
    server.start()
    try:
        assert server.http is not None
        with httpx.Client(base_url=server.http.address) as http, Client(server.address, timeout=20) as client:
            yield Site(server, http, registry, client)
    finally:
        server.stop()


@pytest.fixture(scope="session")
def small_registry() -> Registry:
    return Registry(SMALL, frozenset(), NOW.date)


@pytest.fixture(scope="module")
def site(small_registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_of(small_registry, state=tmp_path_factory.mktemp("state")) as made:
        yield made


@pytest.fixture
def recording(small_registry: Registry, tmp_path: Path) -> Iterator[Site]:
    with site_of(small_registry, state=tmp_path / "state", log=str(tmp_path / "log")) as made:
        yield made
