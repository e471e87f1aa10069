"""FHIR over HTTP, in process: reads, searches and `$triage`, and what they refuse."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from engine.decide.answers import given
from engine.serve.gateway.app import build_app
from engine.serve.gateway.gateway import Gateway
from engine.serve.parts import build_parts
from engine.serve.telemetry.metrics import Metrics
from tests.serve.conftest import NOW
from tests.serve.fhir.conftest import form, shelf_of
from tests.serve.fhir.test_guidance import faults, values
from tests.serve.fhir.written import direct, respond

FHIR = "application/fhir+json"
HERE = "http://127.0.0.1:8080"
ROOT = f"{HERE}/fhir/R4"
NUMB = {"numb": given("yes")}


@dataclass
class Client:
    """Asks the application without a socket."""

    app: Starlette

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return asyncio.run(self._ask("GET", path, b"", headers or {}))

    def post(self, path: str, content: str | bytes, headers: dict[str, str]) -> httpx.Response:
        return asyncio.run(self._ask("POST", path, content, headers))

    async def _ask(self, method: str, path: str, content: str | bytes, headers: dict[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=HERE) as client:
            return await client.request(method, path, content=content, headers=headers)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    shelf = shelf_of("small")
    numbers = iter(range(1_000_000))
    parts = build_parts(
        shelf.config, shelf.registry, lambda: NOW, lambda: f"{next(numbers):08d}-0000-4000-8000-000000000000",
        lambda: f"call-{next(numbers)}", None, Metrics(),
    )  # fmt: skip
    gateway = Gateway(parts, shelf.registry, HERE)
    try:
        yield Client(build_app(gateway))
    finally:
        parts.close()


def ask(client: Client, path: str, **headers: str) -> dict[str, Any]:
    response = client.get(f"/fhir/R4/{path}", headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == f"{FHIR}; charset=utf-8"
    found: dict[str, Any] = response.json()
    assert [*faults(found)] == []
    return found


def test_the_statement_tells_what_there_is(client: Client) -> None:
    found = ask(client, "metadata")
    assert {each["type"] for each in found["rest"][0]["resource"]} == {
        "CodeSystem", "OperationDefinition", "PlanDefinition", "Questionnaire"
    }  # fmt: skip
    assert found["implementation"]["url"] == ROOT


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("Questionnaire/small", "Questionnaire"),
        ("Questionnaire/small/_history/1.0.0", "Questionnaire"),
        ("PlanDefinition/small", "PlanDefinition"),
        ("PlanDefinition/small/_history/1.0.0", "PlanDefinition"),
        ("CodeSystem/answer", "CodeSystem"),
        ("CodeSystem/small-questions", "CodeSystem"),
        ("OperationDefinition/triage", "OperationDefinition"),
    ],
)
def test_a_resource_is_found_where_its_address_says(client: Client, path: str, kind: str) -> None:
    found = ask(client, path)
    assert found["resourceType"] == kind
    assert found["url"].startswith(f"{ROOT}/{kind}/") or kind == "CodeSystem"
    assert ask(client, f"{kind}?url={found['url']}")["entry"][0]["resource"] == found


def test_everything_that_is_referred_to_is_there(client: Client) -> None:
    """The systems of codes, the Questionnaire of a PlanDefinition, the operation of the statement."""
    told = json.dumps(
        [ask(client, "Questionnaire/small"), ask(client, "PlanDefinition/small"), ask(client, "metadata")]
    )
    addresses = {word for word in told.split('"') if word.startswith(f"{ROOT}/") and "|" not in word}
    assert len(addresses) >= 5
    for address in addresses - {f"{ROOT}/metadata"}:
        kind, name = address.removeprefix(f"{ROOT}/").split("/")
        assert ask(client, f"{kind}/{name}")["url"] == address


@pytest.mark.parametrize(
    ("headers", "query", "language"),
    [
        ({}, "", "nl"),
        ({"Accept-Language": "fr, en-GB;q=0.8, nl;q=0.5"}, "", "en"),
        ({"Accept-Language": "nl;q=0.5, en;q=0.9"}, "", "en"),
        ({"Accept-Language": "en;q=0"}, "", "nl"),
        ({"Accept-Language": ";q=x,,*"}, "", "nl"),
        ({"Accept-Language": "nl"}, "?_language=en-GB", "en"),
    ],
)
def test_the_language_is_the_callers(client: Client, headers: dict[str, str], query: str, language: str) -> None:
    assert ask(client, f"Questionnaire/small{query}", **headers)["language"] == language


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("", 1),
        (f"url={ROOT}/Questionnaire/small", 1),
        (f"url={ROOT}/Questionnaire/small&version=1.0.0&_format=json", 1),
        (f"url={ROOT}/Questionnaire/small&version=9.9.9", 0),
        (f"url={ROOT}/Questionnaire/small|1.0.0", 1),
        (f"url={ROOT}/Questionnaire/small|9.9.9", 0),
        ("url=https://other.example/q", 0),
        ("_id=small", 1),
        ("_id=large", 0),
    ],
)
def test_a_search_finds_what_fits_by_get_and_post(client: Client, query: str, total: int) -> None:
    found = ask(client, f"Questionnaire?{query}")
    assert (found["total"], len(found.get("entry", ()))) == (total, total)
    posted = client.post(
        "/fhir/R4/Questionnaire/_search", content=query, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert posted.json() == found


@pytest.mark.parametrize(("count", "given"), [("0", 0), ("2", 2), ("999", 6)])
def test_a_search_gives_no_more_than_was_asked_for_and_says_how_much_there_is(
    client: Client, count: str, given: int
) -> None:
    found = ask(client, f"CodeSystem?_count={count}")
    assert (found["total"], len(found.get("entry", ()))) == (6, given)


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("Questionnaire/large", 404, "not-found"),
        ("Questionnaire/small/_history/2", 404, "not-found"),
        ("CodeSystem/large-questions", 404, "not-found"),
        ("OperationDefinition/apply", 404, "not-found"),
        ("Questionnaire?name=small", 422, "invalid"),
        ("Questionnaire?url=a&url=b", 422, "invalid"),
        ("Questionnaire?_count=-1", 422, "value"),
        ("Questionnaire?url=a|1&version=2", 422, "invalid"),
        ("Questionnaire/small?_language=fr", 422, "invalid"),
        ("Questionnaire/small?_format=xml", 406, "invalid"),
    ],
)
def test_what_cannot_be_read_is_told(client: Client, path: str, status: int, kind: str) -> None:
    response = client.get(f"/fhir/R4/{path}")
    found = response.json()
    assert (response.status_code, found["issue"][0]["code"]) == (status, kind), response.text
    assert [*faults(found)] == []


def triage(client: Client, body: object, module: str = "small", **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(
        f"/fhir/R4/PlanDefinition/{module}/$triage", content=content, headers={"Content-Type": FHIR, **headers}
    )


def response_of(client: Client) -> dict[str, Any]:
    return respond(ask(client, "Questionnaire/small"), NUMB)


@pytest.mark.parametrize("kind", [FHIR, "application/json", "application/json+fhir; charset=UTF-8"])
def test_triage_gives_the_decision_that_grpc_gives(client: Client, kind: str) -> None:
    answered = triage(client, response_of(client), **{"Content-Type": kind, "X-Request-Id": "visit-7"})
    assert answered.status_code == 200, answered.text
    found = answered.json()
    assert [*faults(found)] == []
    wanted = shelf_of("small").service.answer(direct("small", NUMB))
    assert values(found)["decision_digest"] == wanted.decision_digest
    assert values(found)["disposition"] == "emergency"
    assert found["requestIdentifier"] == {"value": "visit-7"}
    assert found["moduleCanonical"] == f"{ROOT}/PlanDefinition/small|1.0.0"


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"{", 400, "invalid"),
        (b'{"resourceType": "Parameters", "resourceType": "Parameters"}', 400, "invalid"),
        ({"resourceType": "Patient"}, 400, "structure"),
        ({"resourceType": "QuestionnaireResponse", "status": "completed", "item": {}}, 400, "structure"),
        ({"resourceType": "QuestionnaireResponse", "status": "completed"}, 422, "required"),
        (respond(form("small"), NUMB), 422, "not-found"),  # of another server
        (b"[" * 5000, 400, "invalid"),
    ],
)
def test_what_cannot_be_decided_is_told(client: Client, body: object, status: int, kind: str) -> None:
    answered = triage(client, body)
    found = answered.json()
    assert (answered.status_code, found["issue"][0]["code"]) == (status, kind), answered.text
    assert [*faults(found)] == []


def test_versions_modules_media_types_and_methods_that_are_not_there(client: Client) -> None:
    response = response_of(client)
    old = response | {"questionnaire": response["questionnaire"].replace("1.0.0", "0.0.1")}
    assert triage(client, old).status_code == 404
    assert triage(client, response, "large").status_code == 404
    assert triage(client, response, **{"Content-Type": "application/fhir+xml"}).status_code == 415
    assert triage(client, response, Accept="application/fhir+xml").status_code == 406
    assert triage(client, b" " * 300_000).status_code == 413
    assert client.get("/fhir/R4/PlanDefinition/small/$triage").status_code == 405
    for answered in (triage(client, old), triage(client, response, Accept="text/plain")):
        assert answered.json()["resourceType"] == "OperationOutcome"
