"""The routes of CDS Hooks in process, on a server that records: asked as an EHR asks, without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette

from engine.serve.config import Config
from engine.serve.gateway.app import build_app
from engine.serve.gateway.gateway import Gateway
from engine.serve.hooks.routes import ROOT
from engine.serve.parts import Parts, build_parts
from engine.serve.registry import Registry
from engine.serve.telemetry.metrics import Metrics
from tests.serve.conftest import NOW, SMALL
from tests.serve.fhir.conftest import BASE
from tests.serve.hooks.model import Json

HERE = BASE.removesuffix("/fhir/R4")


@dataclass
class Ehr:
    """Asks the application without a socket."""

    app: Starlette
    parts: Parts

    def get(self, path: str = "", **headers: str) -> httpx.Response:
        return asyncio.run(self._ask("GET", path, None, headers))

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return asyncio.run(self._ask("POST", path, content, {"content-type": "application/json"} | headers))

    def ask(self, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
        return asyncio.run(self._ask(method, path, None, headers))

    def cards(self, body: Json, service: str = "small-patient-view") -> list[Json]:
        response = self.post(f"/{service}", body)
        assert response.status_code == 200, response.text
        found: list[Json] = response.json()["cards"]
        return found

    async def _ask(self, method: str, path: str, content: bytes | None, headers: dict[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=HERE) as client:
            return await client.request(method, f"{ROOT}{path}", content=content, headers=headers)


@contextmanager
def running(folder: Path, **settings: Any) -> Iterator[Ehr]:
    """A server with its log and state below a folder."""
    places = {"log": str(folder / "log"), "state": folder / "state", "public_url": HERE}
    config = Config(rulesets=SMALL, **(places | settings))
    registry = Registry(SMALL, frozenset(), NOW.date)
    parts = build_parts(config, registry, lambda: NOW, lambda: str(uuid4()), lambda: str(uuid4()), None, Metrics())
    gateway = Gateway(parts, registry, HERE)
    try:
        yield Ehr(build_app(gateway), parts)
    finally:
        parts.close()


@pytest.fixture(scope="module")
def ehr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ehr]:
    with running(tmp_path_factory.mktemp("hooks")) as started:
        yield started
