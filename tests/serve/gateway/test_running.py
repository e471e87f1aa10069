"""The HTTP port: held alone, behind TLS that follows its files, with headers on everything, and ended in good order."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import threading
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from engine.serve.binding import alone, bind_all
from engine.serve.config import Config, ConfigError, Tls
from engine.serve.gateway.app import HEADERS
from engine.serve.gateway.running import _Protocol
from engine.serve.registry import Registry
from engine.serve.server import build_server
from tests.serve.access.minting import LOOPBACK, Authority
from tests.serve.conftest import NOW, SMALL, running
from tests.serve.fleet.fleets import until
from tests.serve.gateway.conftest import NUMB, PATIENCE, Web, web_server
from tests.serve.gateway.test_gateway import Held


def trusting(authority: Authority, folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.file(folder)))


def test_tls_follows_its_files(tmp_path: Path) -> None:
    first, second = Authority("First"), Authority("Second")
    certificate, key = first.issue(tmp_path, "server", *LOOPBACK)
    others = second.issue(tmp_path, "other", *LOOPBACK)
    with running(SMALL, http_port=0, tls=Tls(certificate=certificate, key=key), state=tmp_path) as started:
        assert started.server.http is not None
        address = started.server.http.address
        assert address.startswith("https://")
        found = httpx.get(f"{address}/livez", verify=trusting(first, tmp_path))
        assert found.headers["strict-transport-security"] == "max-age=31536000"
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{address}/livez", verify=trusting(second, tmp_path))
        shutil.copy(others[0], certificate)  # and not the key yet: what there was stays
        assert httpx.get(f"{address}/livez", verify=trusting(first, tmp_path)).is_success
        shutil.copy(others[1], key)
        assert httpx.get(f"{address}/livez", verify=trusting(second, tmp_path)).is_success
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{address}/livez", verify=trusting(first, tmp_path))


def test_a_port_that_another_has_cannot_be_had(web: Web, tmp_path: Path) -> None:
    port = urlsplit(str(web.http.base_url)).port
    config = Config(rulesets=SMALL, port=0, http_port=port, log=str(tmp_path / "log"))
    with pytest.raises(ConfigError, match="is another server running there"):
        build_server(config, Registry(SMALL, today=NOW.date))
    with running(SMALL, log=str(tmp_path / "log")):  # what was opened before was let go
        pass


def test_a_name_with_several_addresses_has_one_port() -> None:
    bound = bind_all("localhost", 0, alone)
    try:
        assert len({each.getsockname()[1] for each in bound}) == 1
    finally:
        for each in bound:
            each.close()


def test_an_answer_leaves_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """asyncio asks for it (TCP_NODELAY) where it knows that a connection is TCP; else small answers wait 40 ms."""
    sent: list[bool] = []

    def note(self: asyncio.Protocol, transport: asyncio.Transport) -> None:
        connection = transport.get_extra_info("socket")
        sent.append(bool(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
        connect(self, transport)

    connect = _Protocol.connection_made
    monkeypatch.setattr(_Protocol, "connection_made", note)
    with web_server() as web:
        assert web.http.get("/livez").text == "alive\n"
    assert sent == [True]


def test_without_a_port_there_is_no_http() -> None:
    with running(SMALL) as started:
        assert started.server.http is None


def test_what_is_in_flight_ends_and_nothing_more_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    with web_server(grace=20.0, drain=0.0) as web:
        held = Held(web, monkeypatch)
        found: list[httpx.Response] = []
        call = threading.Thread(target=lambda: found.append(web.evaluate()))
        call.start()
        held.begun.acquire()
        stopping = threading.Thread(target=web.server.stop)
        stopping.start()
        until(lambda: refuses(web))
        held.go.set()
        stopping.join(PATIENCE)
        call.join(PATIENCE)
        assert not stopping.is_alive()
        assert [each.status_code for each in found] == [200]
        monkeypatch.setattr(web.server, "stop", lambda: None)  # once is enough


def refuses(web: Web) -> bool:
    try:
        httpx.get(f"{web.http.base_url}/livez")
    except httpx.TransportError:
        return True
    return False


def test_a_server_that_drains_is_not_ready_and_answers(web: Web) -> None:
    assert web.server.http is not None
    assert web.http.get("/readyz").status_code == 200
    web.server.http.drain()
    try:
        assert web.http.get("/readyz").status_code == 503
        assert web.http.get("/livez").status_code == 200
        assert web.evaluate().is_success
    finally:
        web.server.http.gateway.ready = True


@pytest.mark.parametrize("path", ["/", "/livez", "/v1/rulesets", "/nothing", "/openapi.json", "/fhir/R4/metadata"])
def test_every_response_has_the_headers(web: Web, path: str) -> None:
    found = web.http.get(path)
    for name, value in HEADERS.items():
        if path != "/" or name != "Content-Security-Policy":
            assert found.headers[name] == value
    assert "default-src 'none'" in found.headers["content-security-policy"]
    assert found.headers["x-request-id"]
    assert "server" not in found.headers
    assert "set-cookie" not in found.headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_a_page_that_calls_itself_this_machine_does_not_get_in(web: Web, host: str) -> None:
    assert web.http.get("/v1/rulesets", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9", "[::1]:80", "triage.example"])
def test_its_own_names_are_known(host: str) -> None:
    with web_server(public_url="http://triage.example") as web:
        assert web.http.get("/v1/rulesets", headers={"host": host}).is_success


def test_other_sites_call_only_where_they_may() -> None:
    good, bad = "https://ehr.example", "https://evil.example"
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    with web_server(origins=(good,)) as web:
        before = web.http.options("/v1/evaluate", headers={**asks, "origin": good})
        assert before.status_code == 200
        assert before.headers["access-control-allow-origin"] == good
        after = web.http.post("/v1/evaluate", json=NUMB, headers={"origin": good})
        assert after.headers["access-control-allow-origin"] == good
        assert "access-control-allow-credentials" not in after.headers
        assert web.http.options("/v1/evaluate", headers={**asks, "origin": bad}).status_code == 400
        for origin in (bad, "null", f"{good}.evil.example"):
            found = web.http.post("/v1/evaluate", json=NUMB, headers={"origin": origin})
            assert "access-control-allow-origin" not in found.headers


def test_other_sites_cannot_call_at_all_unless_they_are_named(web: Web) -> None:
    asks = {"access-control-request-method": "POST", "origin": "https://ehr.example"}
    found = web.http.options("/v1/evaluate", headers=asks)
    assert found.status_code == 405
    assert "access-control-allow-origin" not in found.headers


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"http_port": 0, "http_host": "0.0.0.0"}, "`0.0.0.0` can be reached from other machines"),
        ({"public_url": "https://triage.example/"}, "no slash at its end"),
        ({"public_url": "triage.example"}, "`public_url` must be an address"),
        ({"public_url": "https://triage.example:x"}, "`public_url` must be an address"),
        ({"origins": ("https://ehr.example/page",)}, "is no origin"),
        ({"origins": ("*",)}, "is no origin"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        Config(rulesets=SMALL, **settings)


def test_a_host_that_is_not_used_may_be_any() -> None:
    assert not Config(rulesets=SMALL, http_host="0.0.0.0").exposed
