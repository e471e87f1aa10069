"""The operators' port: three paths, and nothing that a slow or rude client could hold up."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from engine.serve.config import ConfigError
from engine.serve.fleet.http import Probes, answering

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


@dataclass
class State:
    """What the probes are to say."""

    address: str = ""
    alive: bool = True
    ready: bool = True


def page(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"pluis_calls_total 1\n"]


@pytest.fixture
def state() -> Iterator[State]:
    state = State()
    probes = Probes(page, lambda: state.alive, lambda: state.ready)
    with answering("127.0.0.1", 0, probes) as state.address:
        yield state


def ask(state: State, path: str, method: str = "GET") -> tuple[int, str]:
    request = urllib.request.Request(f"http://{state.address}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_probes_say_how_it_is(state: State) -> None:
    assert ask(state, "/livez") == (200, "ok\n")
    assert ask(state, "/readyz?verbose=1") == (200, "ok\n")
    state.ready = False
    assert (ask(state, "/livez")[0], ask(state, "/readyz")[0]) == (200, HTTPStatus.SERVICE_UNAVAILABLE)
    state.alive = False
    assert ask(state, "/livez")[0] == HTTPStatus.SERVICE_UNAVAILABLE


def test_metrics_are_there_and_nothing_else(state: State) -> None:
    assert ask(state, "/metrics") == (200, "pluis_calls_total 1\n")
    for path in ("/", "/metrics/", "/debug", "/../etc"):
        assert ask(state, path)[0] == HTTPStatus.NOT_FOUND
    assert ask(state, "/metrics", "POST")[0] == HTTPStatus.METHOD_NOT_ALLOWED
    assert ask(state, "/livez", "HEAD") == (200, "")


def test_a_client_that_says_nothing_holds_nobody_up(state: State) -> None:
    host, _, port = state.address.rpartition(":")
    with socket.create_connection((host, int(port))) as silent:
        silent.send(b"GET /metr")
        assert ask(state, "/livez") == (200, "ok\n")
        silent.send(b"ics HTTP/1.0\r\n\r\n")  # it was not given up meanwhile
        assert silent.makefile().readline().startswith("HTTP/1.0 200 OK")


def test_a_port_that_is_taken_is_told(state: State) -> None:
    port = int(state.address.rpartition(":")[2])
    with pytest.raises(ConfigError, match="`operations_port`"), answering("127.0.0.1", port, Probes(page, bool, bool)):
        pass


def test_it_answers_over_ipv6_too() -> None:
    state = State()
    with answering("::1", 0, Probes(page, lambda: True, lambda: True)) as state.address:
        assert state.address.startswith("[::1]:")
        assert ask(state, "/readyz") == (200, "ok\n")
