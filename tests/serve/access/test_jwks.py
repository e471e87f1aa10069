"""Where keys come from: files that change, addresses that answer, do not, or answer with something else."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwk

from engine.errors import StateUnavailable
from engine.serve.access import jwks
from engine.serve.access.jwks import LARGEST, FetchedKeys, FileKeys, keys_of, read_keys
from engine.serve.config import ConfigError
from tests.serve.access.conftest import believed
from tests.serve.access.minting import LOOPBACK, Authority, Mint, key_set


def ids(keys: jwks.Keys, kid: str = "") -> list[str | None]:
    return [key.kid for key in keys.current(kid)]


def test_a_file_is_read_again_when_it_changed(tmp_path: Path) -> None:
    path = key_set(tmp_path / "keys.json", Mint("a").jwk)
    keys = FileKeys(path)
    assert ids(keys) == ["a"]
    key_set(path, Mint("a").jwk, Mint("b").jwk)
    assert ids(keys) == ["a", "b"]
    path.write_text('{"keys": [', encoding="utf-8")
    assert ids(keys) == ["a", "b"]
    path.unlink()
    assert ids(keys) == ["a", "b"]
    key_set(path)
    assert ids(keys) == []  # an issuer that takes all of its keys back means it


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{}", b"[]", b"null", b"\xff", b"[" * 5000),
        *(b'{"keys": {}}', b'{"keys": 1}', b'{"keys": ["a"]}', b'{"keys": []}', b'{"keys": [{}]}'),
        b'{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}]}',
    ],
)
def test_a_file_without_keys_is_refused_at_the_start(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"keys\.json"):
        FileKeys(path)


def test_a_file_that_is_not_there_or_too_large_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        FileKeys(tmp_path / "keys.json")
    (tmp_path / "keys.json").write_bytes(b" " * (LARGEST + 1))
    with pytest.raises(ConfigError, match="larger than"):
        FileKeys(tmp_path / "keys.json")


def _generated(kind: str, size: Any, **more: Any) -> dict[str, Any]:
    key = jwk.JWKRegistry.generate_key(kind, size, {"kid": "a"})
    return {**key.as_dict(private=False), **more}


@pytest.mark.filterwarnings("ignore:Key size")
def test_only_keys_that_verify_are_used() -> None:
    private = jwk.ECKey.generate_key("P-256", {"kid": "private"}).as_dict(private=True)
    off_the_curve = {**Mint().jwk, "x": Mint().jwk["x"]}
    refused = [
        private,
        _generated("RSA", 1024),
        _generated("EC", "secp256k1"),
        _generated("OKP", "X25519"),
        _generated("EC", "P-256", use="enc"),
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"},
        {"kty": "EC", "crv": "P-256"},
        {"kty": "RSA", "n": 5, "e": "AQAB"},
        {"kty": ["EC"]},
        off_the_curve,
        {},
    ]
    good = [
        _generated("EC", "P-521"),
        _generated("OKP", "Ed25519", use="sig", alg="EdDSA"),
        _generated("RSA", 2048, x5c=["x"], unheard_of=1),
    ]
    found = read_keys(json.dumps({"keys": [*refused, *good], "more": 1}).encode(), "a test")
    assert [key.key_type for key in found] == ["EC", "OKP", "RSA"]


@pytest.mark.parametrize("address", ["http://a/keys", "file:" + "///keys", "ftp://a/keys", "HTTPS://a"])
def test_only_https_is_an_address(address: str) -> None:
    with pytest.raises(ConfigError, match="https://"):
        keys_of(believed(address))


class Site:
    """An issuer's site, over TLS: answers with whatever it is told to."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.asked: list[str] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] = lambda handler: handler.send_error(404)
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                site.answer(self)

            def log_message(self, *told: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.address = f"https://127.0.0.1:{self.server.server_port}/keys"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def publish(self, *keys: dict[str, str]) -> None:
        self.send(json.dumps({"keys": keys}).encode())

    def send(self, content: bytes, status: int = 200, **headers: str) -> None:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(content)

        self.answer = answer

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    authority = Authority()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file(tmp_path)))
    made = Site(*authority.issue(tmp_path, "issuer", *LOOPBACK))
    yield made
    made.close()


class Hands:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hands() -> Hands:
    return Hands()


def test_keys_are_fetched_at_the_start(site: Site, hands: Hands) -> None:
    site.publish(Mint("a").jwk)
    keys = keys_of(believed(site.address), hands)
    assert site.asked == ["/keys"]
    assert ids(keys, "a") == ids(keys, "a") == ["a"]
    assert site.asked == ["/keys"]


def test_an_unknown_key_is_looked_for_and_not_too_often(site: Site, hands: Hands) -> None:
    site.publish(Mint("a").jwk)
    keys = FetchedKeys(site.address, hands)
    site.publish(Mint("a").jwk, Mint("b").jwk)
    assert ids(keys, "b") == ["a"]  # fetched a moment ago
    hands.now += 61
    for kid in ("b", "nonsense", "nonsense"):
        assert ids(keys, kid) == ["a", "b"]
    assert len(site.asked) == 2


def test_old_keys_are_fetched_anew_while_they_still_count(site: Site, hands: Hands) -> None:
    site.publish(Mint("a").jwk)
    keys = FetchedKeys(site.address, hands)
    site.publish(Mint("b").jwk)
    hands.now += 601
    assert ids(keys, "a") == ["a"]
    for thread in threading.enumerate():
        if thread.name == "pluis-keys":
            thread.join()
    assert len(site.asked) == 2
    assert ids(keys, "b") == ["b"]


NO_KEYS: dict[str, Callable[[Site], None]] = {
    "nothing": lambda site: site.send(b""),
    "an error": lambda site: site.send(b"{}", 503),
    "something else": lambda site: site.send(b"<html>"),
    "too much": lambda site: site.send(json.dumps({"keys": [Mint("b").jwk]}).encode() + b" " * LARGEST),
    "another address": lambda site: site.send(b"", 302, Location=site.address.replace("keys", "more")),
    "an address without TLS": lambda site: site.send(b"", 301, Location="http://127.0.0.1:1/"),
    "a file": lambda site: site.send(b"", 307, Location="file:" + "///dev/null"),
    "not HTTP": lambda site: setattr(site, "answer", lambda handler: handler.wfile.write(b"good morning\r\n\r\n")),
}


@pytest.mark.parametrize("name", NO_KEYS)
def test_where_there_are_none_the_old_ones_count(site: Site, hands: Hands, name: str) -> None:
    NO_KEYS[name](site)
    keys = FetchedKeys(site.address, hands)
    for _ in range(2):
        with pytest.raises(StateUnavailable, match="could not be fetched"):
            keys.current("a")
    assert site.asked == ["/keys"]
    site.publish(Mint("a").jwk)
    hands.now += 6
    assert ids(keys, "a") == ["a"]
    NO_KEYS[name](site)
    hands.now += 61
    assert ids(keys, "b") == ["a"]
    assert site.asked == ["/keys"] * 3


def test_a_site_that_dribbles_is_given_up(site: Site, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "TIMEOUT", 0.2)
    ended = threading.Event()

    def dribble(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not ended.wait(0.05):
            handler.wfile.write(b" ")

    site.answer = dribble
    try:
        with pytest.raises(StateUnavailable):
            FetchedKeys(site.address, hands).current("a")
    finally:
        ended.set()


def test_a_site_that_is_not_who_it_says_is_not_believed(
    site: Site, hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.publish(Mint("a").jwk)
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority("Another authority").file(tmp_path)))
    with pytest.raises(StateUnavailable):
        FetchedKeys(site.address, hands).current("a")


def test_calls_with_keys_do_not_wait_for_the_site(site: Site, hands: Hands) -> None:
    site.publish(Mint("a").jwk)
    keys = FetchedKeys(site.address, hands)
    asked, ended = threading.Event(), threading.Event()

    def wait(handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        ended.wait(60)
        handler.send_error(503)

    site.answer = wait
    hands.now += 61
    waiting = threading.Thread(target=keys.current, args=("b",))
    waiting.start()
    assert asked.wait(60)
    assert ids(keys, "a") == ids(keys, "b") == ["a"]
    assert waiting.is_alive()
    ended.set()
    waiting.join()
