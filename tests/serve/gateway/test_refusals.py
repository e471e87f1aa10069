"""Whatever comes over HTTP gets a clear answer: never a failure of the program, and never no answer."""

from __future__ import annotations

import json

import pytest

from engine.serve.gateway import gateway, running
from tests.serve.gateway.conftest import JSON, NUMB, Web, reason, web_server

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "two values": b"{} {}",
    "no UTF-8": b'{"ruleset": "\xff"}',
    "UTF-16": json.dumps(NUMB).encode("utf-16"),
    "half a pair": b'{"ruleset": "\\ud800"}',
    "a name twice": b'{"ruleset": "small", "ruleset": "other"}',
    "an answer twice": b'{"ruleset": "small", "answers": {"numb": {}, "numb": {"yesNo": "YES_NO_NO"}}}',
    "NaN": b'{"ruleset": NaN}',
    "infinity": b'{"ruleset": -Infinity}',
    "beyond measure": b'{"answers": {"age": {"integer": 1e400}}}',
    "a long exponent": b'{"answers": {"age": {"integer": 1e-99999999999999999999}}}',
    "a long number": b'{"answers": {"age": {"integer": ' + b"9" * 5000 + b"}}}",
    "deep lists": b"[" * 1000 + b"]" * 1000,
    "deep objects": b'{"a":' * 1000 + b"1" + b"}" * 1000,
    "deep and open": b"[" * 100_000,
    "quotes": b'"' * 100_001,
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_json_is_refused(web: Web, name: str) -> None:
    refused = web.http.post("/v1/evaluate", content=BODIES[name], headers=JSON)
    assert (refused.status_code, reason(refused)) == (400, "MALFORMED_REQUEST")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
        {"content-type": "\x7f;;=;"},
    ],
)
def test_a_body_of_another_type_is_refused(web: Web, said: dict[str, str]) -> None:
    refused = web.http.post("/v1/evaluate", content=json.dumps(NUMB).encode(), headers=said)
    assert (refused.status_code, reason(refused)) == (415, "MALFORMED_REQUEST")


@pytest.mark.parametrize("said", ["application/json", 'Application/JSON; charset="UTF-8"'])
def test_json_is_taken_however_it_is_called(web: Web, said: str) -> None:
    assert web.http.post("/v1/evaluate", content=json.dumps(NUMB), headers={"content-type": said}).is_success


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ("application/*;q=0.1", 200),
        ("text/html, application/json", 200),
        ("application/json;q=broken", 200),
        ("", 200),
        ("text/html", 406),
        ("application/json;q=0, */*", 406),
    ],
)
def test_an_answer_is_json_or_none(web: Web, accept: str, status: int) -> None:
    assert web.evaluate(accept=accept).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/evaluate", 405),
        ("DELETE", "/v1/decisions/one", 405),
        ("TRACE", "/v1/rulesets", 405),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/rulesets/a%2Fb", 404),
        ("GET", "/v1/../etc/passwd", 404),
        ("GET", "/fhir/R4/Patient/1", 404),
    ],
)
def test_what_is_not_there_is_told_in_the_form_of_the_wire(web: Web, method: str, path: str, status: int) -> None:
    refused = web.http.request(method, path)
    assert refused.status_code == status
    assert ("allow" in refused.headers) == (status == 405)
    if path.startswith("/fhir/"):
        assert refused.json()["resourceType"] == "OperationOutcome"
    else:
        assert reason(refused) in ("MALFORMED_REQUEST", "RULESET_NOT_FOUND")


def test_a_large_body_is_refused_before_it_is_read(web: Web) -> None:
    head = b"POST /v1/evaluate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    told = web.raw(head, b"content-length: 999999999\r\n\r\n")
    assert told.startswith(b"HTTP/1.1 413 ")


def test_a_body_without_an_end_is_refused_when_it_is_too_large(web: Web) -> None:
    head = b"POST /v1/evaluate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    told = web.raw(head, b"transfer-encoding: chunked\r\n\r\n", *[chunk] * 20)
    assert told.startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "ARRIVAL", 0.2)
    head = b"POST /v1/evaluate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    with web_server() as web:
        told = web.raw(head, b"content-length: 100\r\n\r\n", b'{"ruleset"')
        assert told.startswith(b"HTTP/1.1 408 ")
        assert web.server.admission.open == 0


def test_headers_that_do_not_come_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "PATIENCE", 0.2)
    monkeypatch.setattr(running, "IDLE", 1)
    with web_server() as web:
        assert web.raw() == b""
        assert web.raw(b"POST /v1/evaluate HTTP/1.1\r\nhost: local") == b""
        after = b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n"
        assert web.raw(after, b"GET /li").count(b"HTTP/1.1 ") == 1
        assert web.evaluate().is_success


@pytest.mark.parametrize(
    "head",
    [
        b"nonsense\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: localhost\r\nx: " + b"y" * running.LARGEST_HEAD,
        b"GET /" + b"y" * running.LARGEST_HEAD,
        b"POST /v1/evaluate HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        b"POST /v1/evaluate HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n",
    ],
)
def test_what_is_no_http_is_refused(web: Web, head: bytes) -> None:
    found = web.raw(head)
    assert found.startswith(b"HTTP/1.1 4")
    assert b"uvicorn" not in found.lower()


@pytest.mark.parametrize("id", ["x" * 129, "tab\there", "\xe9", "", "plain"])
def test_an_id_that_cannot_be_repeated_is_replaced(web: Web, id: str) -> None:
    found = web.http.get("/v1/rulesets", headers=[(b"x-request-id", id.encode("latin-1"))])
    assert found.is_success
    assert found.headers["x-request-id"]
    assert (found.headers["x-request-id"] == id) == (id == "plain")


@pytest.mark.parametrize("id", [" in the body ", "plain"])
def test_the_id_in_a_body_wins(web: Web, id: str) -> None:
    found = web.evaluate({**NUMB, "context": {"requestId": id}}, **{"x-request-id": "other"})
    assert found.json()["requestId"] == id
    assert found.headers["x-request-id"] == id.strip()
