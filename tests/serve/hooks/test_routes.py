"""CDS Hooks over HTTP, in process: every answer keeps to HL7's model, every failure is an OperationOutcome."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from engine.serve.config import CallerSettings, Issuer, Right
from engine.serve.fhir.shape import resource
from tests.serve.conftest import NOW
from tests.serve.hooks.asking import NUMB, WELL, bundle, call, intake, kept
from tests.serve.hooks.conftest import HERE, Ehr, running
from tests.serve.hooks.model import Json, response_faults, services_faults

VIEW = "/small-patient-view"
OUTCOME: Json = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}


def failed(response: Any, status: int) -> Json:
    """The OperationOutcome of a failure."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/fhir+json")
    return resource(response.json(), "OperationOutcome")


def test_the_services_are_told(ehr: Ehr) -> None:
    response = ehr.get()
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert services_faults(response.json()) == []
    assert [each["id"] for each in response.json()["services"]] == ["small-patient-view", "small-order-sign"]
    assert ehr.get(**{"accept-language": "de, en;q=0.5"}).json()["services"][0]["title"] == "Triage Small"
    assert ehr.get(**{"accept-language": "en;q=0, x;q=a"}).json()["services"][0]["title"] == "Triage Klein"


@pytest.mark.parametrize("prefetch", [None, bundle(), intake(NUMB), bundle(intake(WELL, "*")), bundle(intake({}))])
def test_every_answer_keeps_to_the_model(ehr: Ehr, prefetch: object) -> None:
    response = ehr.post(VIEW, call(prefetch))
    assert response.status_code == 200, response.text
    assert response_faults(response.json()) == []
    assert response.json()["cards"]


def test_the_same_call_gets_the_same_cards(ehr: Ehr) -> None:
    message = call(intake(WELL, "*"), hookInstance=str(uuid4()))
    assert ehr.cards(message) == ehr.cards(message)
    another = ehr.cards(message | {"hookInstance": str(uuid4())})
    assert kept(another[0])["id"] != kept(ehr.cards(message)[0])["id"]
    assert kept(another[0])["digest"] == kept(ehr.cards(message)[0])["digest"]


def test_what_was_not_obtained_is_a_412(ehr: Ehr) -> None:
    message = call(None)
    for prefetch in ({}, {"intake": OUTCOME}, {"intake": "<html>"}):
        found = failed(ehr.post(VIEW, message | {"prefetch": prefetch}), 412)
        assert found["issue"][0]["code"] == "incomplete"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff", 400),
        (b'{"hook": 1, "hook": 2}', 400),
        (b"[]", 422),
        (call({"resourceType": "Patient"}), 400),
        (call(intake(NUMB, item=[{"linkId": 3}])), 400),
        (call(intake(NUMB, item=[{"linkId": "nothing"}])), 422),
        (call(intake(NUMB, subject={"reference": "Patient/2"})), 422),
        (call(intake(NUMB), hook="order-sign"), 422),
        (b" " * 300_000, 413),
    ],
)
def test_what_cannot_be_answered_is_told(ehr: Ehr, body: Any, status: int) -> None:
    failed(ehr.post(VIEW, body), status)


def test_an_unknown_service_is_not_found_even_without_prefetch(ehr: Ehr) -> None:
    for message in (call(intake(NUMB)), {"hook": "patient-view"}, {}):
        found = failed(ehr.post("/nothing", message), 404)
        assert found["issue"][0]["code"] == "not-found"


def test_the_way_of_asking(ehr: Ehr) -> None:
    failed(ehr.get(VIEW), 405)
    failed(ehr.post("", {}), 405)
    failed(ehr.post(VIEW, b"<x/>", **{"content-type": "application/xml"}), 415)
    failed(ehr.post(VIEW, call(None), accept="text/html"), 406)
    failed(ehr.get("/a/b/c"), 404)


def test_no_answer_comes_back_in_a_failure(ehr: Ehr) -> None:
    secret = "marked-7141"
    response = intake(NUMB, item=[{"linkId": "numb", "answer": [{"valueString": secret}]}])
    for body in (call(response), call(response, fhirServer=secret), b'{"a": "marked-7141'):
        assert secret not in ehr.post(VIEW, body).text


# ---- who may call ----

KEY = ECKey.generate_key("P-384", parameters={"kid": "a", "use": "sig"})
ISSUER = "https://ehr.example"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ehr]:
    folder = tmp_path_factory.mktemp("guarded")
    keys = folder / "keys.json"
    keys.write_text(json.dumps(KeySet([KEY]).as_dict(private=False)), encoding="utf-8")
    audience = tuple(f"{HERE}/cds-services{path}" for path in ("", VIEW, f"{VIEW}/feedback"))
    issuer = Issuer(issuer=ISSUER, audience=audience, keys=str(keys))
    rights = frozenset({Right.EVALUATE, Right.RULESETS})
    caller = CallerSettings(name="ehr", issuer=ISSUER, subject="ehr-client", rights=rights)
    with running(folder, issuers=(issuer,), callers=(caller,), origins=("https://sandbox.example",)) as started:
        yield started


def token(path: str = "", **claims: Any) -> str:
    """As HL7's sandbox and Epic make them: for one address, for one call."""
    now = int(NOW.timestamp())
    said = {"iss": ISSUER, "sub": "ehr-client", "aud": f"{HERE}/cds-services{path}", "exp": now + 300, "iat": now,
            "nbf": now - 300, "jti": str(uuid4()), "tenant": "x"}  # fmt: skip
    header = {"alg": "ES384", "kid": "a", "typ": "JWT", "jku": "https://ehr.example/jwks.json"}
    return jwt.encode(header, said | claims, KEY, algorithms=["ES384"])


def bearing(path: str = "", **claims: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {token(path, **claims)}"}


def test_a_caller_shows_a_token_for_every_call(guarded: Ehr) -> None:
    assert guarded.get(**bearing()).status_code == 200
    message = call(intake(NUMB), hookInstance=str(uuid4()))
    response = guarded.post(VIEW, message, **bearing(VIEW))
    assert response.status_code == 200
    card = response.json()["cards"][0]
    entry = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-12-01T12:00:00Z"}
    given = guarded.post(f"{VIEW}/feedback", {"feedback": [entry]}, **bearing(f"{VIEW}/feedback"))
    assert given.status_code == 200


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}, {"authorization": "Basic eA=="}])
def test_nobody_is_told_why_not(guarded: Ehr, headers: dict[str, str]) -> None:
    for response in (guarded.get(**headers), guarded.post(VIEW, call(None), **headers)):
        assert response.status_code == 401
        assert response.content == b""


def test_a_token_counts_once_and_for_its_address(guarded: Ehr) -> None:
    shown = bearing()
    assert guarded.get(**shown).status_code == 200
    assert guarded.get(**shown).status_code == 401
    assert guarded.get(**bearing(aud="https://other.example")).status_code == 401
    assert guarded.get(**bearing(exp=int(time.time()) - 10**9)).status_code == 401


PREFLIGHT = {
    "origin": "https://sandbox.example",
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type",
}


def test_only_the_origins_that_are_named_may_read(guarded: Ehr) -> None:
    allowed = guarded.get(origin="https://sandbox.example", **bearing())
    assert allowed.headers["access-control-allow-origin"] == "https://sandbox.example"
    asked = guarded.ask("OPTIONS", VIEW, PREFLIGHT)
    assert asked.status_code == 200  # before anybody shows a token: browsers send none
    assert asked.headers["access-control-allow-origin"] == "https://sandbox.example"
    other = guarded.get(origin="https://evil.example", **bearing())
    assert "access-control-allow-origin" not in other.headers


def test_feedback_on_a_strangers_decision_is_not_found(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(KeySet([KEY]).as_dict(private=False)), encoding="utf-8")
    issuer = Issuer(issuer=ISSUER, audience=(f"{HERE}/cds-services",), keys=str(keys))
    rights = frozenset({Right.EVALUATE})
    callers = tuple(
        CallerSettings(name=name, issuer=ISSUER, subject=name, rights=rights) for name in ("ehr-client", "stranger")
    )
    with running(tmp_path, issuers=(issuer,), callers=callers) as started:
        message = call(intake(NUMB), hookInstance=str(uuid4()))
        card = started.post(VIEW, message, **bearing()).json()["cards"][0]
        entry = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-12-01T12:00:00Z"}
        feedback = {"feedback": [entry]}
        assert started.post(f"{VIEW}/feedback", feedback, **bearing(sub="stranger")).status_code == 404
        assert started.post(f"{VIEW}/feedback", feedback, **bearing()).status_code == 200
        assert started.post(f"{VIEW}/feedback", feedback, **bearing(sub="stranger")).status_code == 404
        assert started.get(**bearing()).status_code == 403  # no right to see rulesets
