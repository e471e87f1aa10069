"""Calls over HTTP are let in, refused, counted and logged as those over gRPC are."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from engine.errors import LogUnavailable
from engine.serve.config import Issuer, Right
from tests.serve.access.bad_tokens import BAD
from tests.serve.access.conftest import believed, caller
from tests.serve.access.minting import Mint, key_set
from tests.serve.fleet.fleets import until
from tests.serve.gateway.conftest import JSON, NUMB, Web, reason, web_server


@pytest.fixture(scope="module")
def mint() -> Mint:
    return Mint()


@pytest.fixture(scope="module")
def issuer(mint: Mint, tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return believed(key_set(tmp_path_factory.mktemp("issuer") / "keys.json", mint.jwk))


@pytest.fixture(scope="module")
def secured(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    callers = (caller(), caller("reader", "reader", Right.RULESETS), caller("hasty", "hasty", rate=1.0))
    state = tmp_path_factory.mktemp("state")
    with web_server(issuers=(issuer,), callers=callers, state=state) as started:
        yield started


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_a_good_token_gets_a_decision_once(secured: Web, mint: Mint) -> None:
    token = mint.token()
    assert secured.evaluate(**bearer(token)).json()["decisionId"]
    assert secured.evaluate(**bearer(token)).status_code == 401


@pytest.mark.parametrize("name", BAD)
def test_a_bad_token_gets_no_reason(secured: Web, mint: Mint, name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = BAD[name][1](mint)
    refused = secured.http.post(
        "/v1/evaluate", json=NUMB, headers=[(b"authorization", f"Bearer {token}".strip().encode())]
    )
    assert (refused.status_code, reason(refused)) == (401, "UNAUTHENTICATED")
    assert refused.headers["www-authenticate"] == "Bearer"
    assert refused.json()["message"] == "the call does not show who makes it, or not well enough"
    assert not token or token not in caplog.text


@pytest.mark.parametrize("shown", [{}, {"authorization": ""}, {"authorization": "Basic YTpi"}])
def test_who_shows_no_token_is_not_let_in(secured: Web, shown: dict[str, str]) -> None:
    for path in ("/v1/rulesets", "/v1/decisions", "/fhir/R4/Questionnaire", "/cds-services"):
        assert secured.http.get(path, headers=shown).status_code == 401
    assert secured.http.get("/cds-services", headers=shown).content == b""
    for path in ("/openapi.json", "/livez", "/readyz", "/fhir/R4/metadata"):
        assert secured.http.get(path, headers=shown).status_code == 200


def test_a_body_is_not_looked_into_for_who_is_not_let_in(secured: Web) -> None:
    refused = secured.http.post("/v1/evaluate", content=b"{", headers=JSON)
    assert refused.status_code == 401


def test_a_right_is_needed(secured: Web, mint: Mint) -> None:
    refused = secured.evaluate(**bearer(mint.token(sub="reader")))
    assert (refused.status_code, reason(refused)) == (403, "FORBIDDEN")
    assert secured.http.get("/v1/rulesets", headers=bearer(mint.token(sub="reader"))).is_success


def test_a_rate_is_kept(secured: Web, mint: Mint) -> None:
    found = [secured.evaluate(**bearer(mint.token(sub="hasty"))) for _ in range(2)]
    assert [each.status_code for each in found] == [200, 429]
    assert (reason(found[1]), found[1].headers["retry-after"]) == ("RATE_EXCEEDED", "1")


def test_the_interview_is_closed_where_callers_must_show_themselves(secured: Web) -> None:
    assert secured.http.get("/").status_code == 404


def test_people_are_asked_without_a_token_where_the_settings_say_so(issuer: Issuer, tmp_path: Path) -> None:
    with web_server(issuers=(issuer,), callers=(caller(),), state=tmp_path, interview=True) as web:
        assert web.http.get("/").status_code == 200
        assert web.evaluate().status_code == 401


class Held:
    """A service that answers when it is told to."""

    def __init__(self, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = threading.Event()
        self.begun = threading.Semaphore(0)
        answer = web.server.service.answer

        def held(*arguments: Any) -> Any:
            self.begun.release()
            self.go.wait(30)
            return answer(*arguments)

        monkeypatch.setattr(web.server.service, "answer", held)


def test_a_call_too_many_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with web_server(threads=2, max_streams=1, max_waiting=1) as web:
        held = Held(web, monkeypatch)
        calls = [threading.Thread(target=web.evaluate) for _ in range(3)]
        try:
            for each in calls:
                each.start()
            until(lambda: web.server.admission.full)
            refused = web.evaluate()
            assert (refused.status_code, reason(refused)) == (429, "OVERLOADED")
            assert refused.headers["retry-after"] == "1"
            head = b"POST /v1/evaluate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            assert web.raw(head, b"content-length: 100\r\n\r\n").startswith(b"HTTP/1.1 429 ")
            assert web.http.get("/livez").status_code == 200
        finally:
            held.go.set()
            for each in calls:
                each.join()
        assert web.evaluate().is_success
        assert web.server.admission.open == 0


def test_a_call_that_was_given_up_while_it_waited_is_not_worked_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with web_server(threads=2, max_streams=1) as web:
        held = Held(web, monkeypatch)
        calls = [threading.Thread(target=web.evaluate) for _ in range(2)]
        for each in calls:
            each.start()
            held.begun.acquire()
        assert web.server.http is not None
        connections = web.server.http._server.server_state.connections
        place = urlsplit(str(web.http.base_url))
        body = json.dumps(NUMB).encode()
        with socket.create_connection((str(place.hostname), place.port or 0)) as connection:
            connection.sendall(b"POST /v1/evaluate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n")
            connection.sendall(b"content-length: %d\r\n\r\n%b" % (len(body), body))
            until(lambda: web.server.admission.open == 3)
        until(lambda: len(connections) == 2, "the server does not see that the caller has gone")
        held.go.set()
        for each in calls:
            each.join()
        until(lambda: [line for line in caplog.messages if '"CANCELLED"' in line])
        assert web.server.admission.open == 0
        assert not held.begun.acquire(blocking=False)


def test_a_failure_of_the_program_tells_nothing(
    web: Web, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*arguments: Any) -> Any:
        raise ZeroDivisionError("secret-of-a-patient")

    monkeypatch.setattr(web.server.service, "answer", fails)
    refused = web.evaluate()
    assert (refused.status_code, reason(refused)) == (500, "INTERNAL")
    assert "secret-of-a-patient" not in refused.text + caplog.text
    assert caplog.text.count('"event": "failure"') == 1
    outcome = web.http.post("/fhir/R4/PlanDefinition/small/$triage", json={})
    assert outcome.json()["resourceType"] == "OperationOutcome"


def test_what_may_be_tried_again_says_when(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: Any) -> Any:
        raise LogUnavailable("the disk is full")

    monkeypatch.setattr(web.server.service, "answer", fails)
    refused = web.evaluate()
    assert (refused.status_code, reason(refused)) == (503, "LOG_UNAVAILABLE")
    assert refused.headers["retry-after"] == "1"


def test_a_line_tells_each_call_and_nothing_that_was_said(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    subject = "5f0e2a3c-58a1-4b0a-9f41-0f6a8f4f2c11"
    asked = {**NUMB, "context": {"requestId": "told", "subjectReference": subject}}
    web.evaluate(asked)
    web.http.post("/v1/evaluate?marked-in-the-url=1", json=asked)
    web.http.post("/v1/evaluate", content=b'{"marked', headers=JSON)
    web.evaluate({"ruleset": "small", "answers": {"numb": {"choice": "marked"}}})
    lines = [each.getMessage() for each in caplog.records if not each.name.startswith(("httpx", "httpcore"))]
    events = [json.loads(each) for each in lines if each.startswith("{")]
    assert [(each["method"], each["code"]) for each in events if each["event"] == "call"] == [
        ("Evaluate", "OK"),
        *[("Evaluate", "INVALID_ARGUMENT")] * 3,
    ]
    assert events[0]["request_id"] == "told"
    for word in ("marked", "numb", subject, "YES_NO"):
        assert word not in "".join(lines)
