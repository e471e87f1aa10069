"""How a client gets to its server: over TLS, with its certificate, and with a fresh token for each attempt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import grpc
import pytest

from engine.channel import Token, connect, tls
from engine.client import Client, TriageError
from engine.pb.v1 import triage_pb2 as pb
from tests.serve.access.minting import LOOPBACK, Authority

Answer = Callable[[int, grpc.ServicerContext], None]


class Site:
    """A server behind TLS that notes the token of each attempt, and answers as a test wants."""

    def __init__(self, folder: Path, answer: Answer, authority: Authority, *, mutual: bool) -> None:
        self.shown: list[object] = []
        self.trusted = authority.file(folder)
        certificate, key = authority.issue(folder, "server", *LOOPBACK)
        self.server = grpc.server(ThreadPoolExecutor(4))

        def evaluate(request: pb.EvaluateRequest, context: grpc.ServicerContext) -> pb.EvaluateResponse:
            self.shown.append(dict(context.invocation_metadata()).get("authorization"))
            answer(len(self.shown), context)
            return pb.EvaluateResponse()

        handler = grpc.unary_unary_rpc_method_handler(
            evaluate, pb.EvaluateRequest.FromString, pb.EvaluateResponse.SerializeToString
        )
        methods = {"Evaluate": handler, "RecordFeedback": handler}
        self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("triage.v1.TriageService", methods)])
        credentials = grpc.ssl_server_credentials(
            [(key.read_bytes(), certificate.read_bytes())], authority.pem, require_client_auth=mutual
        )
        self.address = f"127.0.0.1:{self.server.add_secure_port('127.0.0.1:0', credentials)}"


@contextmanager
def site(folder: Path, answer: Answer, authority: Authority | None = None) -> Iterator[Site]:
    """A site that is up; where an authority is named its callers must show a certificate of it."""
    made = Site(folder, answer, authority or Authority(), mutual=authority is not None)
    made.server.start()
    try:
        yield made
    finally:
        made.server.stop(None).wait()


def asking(there: Site, token: Token, trusted: Path | None = None) -> Client:
    return Client(there.address, credentials=tls(trusted or there.trusted), token=token, timeout=20)


def fine(attempt: int, context: grpc.ServicerContext) -> None:
    """Every attempt is answered."""


def busy_twice(attempt: int, context: grpc.ServicerContext) -> None:
    if attempt < 3:
        context.abort(grpc.StatusCode.UNAVAILABLE, "not now")


def numbered() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"token-{next(numbers)}"


def test_a_token_is_sent_with_every_call(tmp_path: Path) -> None:
    with site(tmp_path, fine) as there, asking(there, "t") as client:
        for _ in range(2):
            client.evaluate({}, ruleset="small")
    assert there.shown == ["Bearer t", "Bearer t"]


def test_each_call_and_each_further_attempt_has_a_fresh_token(tmp_path: Path) -> None:
    """A server that takes a token once would refuse the second attempt otherwise."""
    with site(tmp_path, busy_twice) as there, asking(there, numbered()) as client:
        client.evaluate({}, ruleset="small")
        client.evaluate({}, ruleset="small")
    assert there.shown == [f"Bearer token-{number}" for number in (1, 2, 3, 4)]


def test_what_may_not_come_twice_is_tried_once(tmp_path: Path) -> None:
    with site(tmp_path, busy_twice) as there, asking(there, numbered()) as client, pytest.raises(TriageError):
        client.record_feedback(pb.RecordFeedbackRequest())
    assert there.shown == ["Bearer token-1"]


def test_where_no_token_can_be_had_the_call_fails_and_quotes_nothing(tmp_path: Path) -> None:
    def none() -> str:
        raise PermissionError("marker-4321")

    told = pytest.raises(TriageError, match="there is no token: PermissionError")
    with site(tmp_path, fine) as there, asking(there, none) as client, told as caught:
        client.evaluate({}, ruleset="small")
    assert there.shown == []
    assert "marker" not in str(caught.value)


def test_a_token_is_not_sent_in_the_clear() -> None:
    for token in ("secret", numbered()):
        with pytest.raises(ValueError, match="only sent over TLS"):
            connect("127.0.0.1:1", token=token)


def test_a_server_of_another_authority_is_not_told_the_token(tmp_path: Path) -> None:
    trusted = Authority("Another authority").file(tmp_path)
    with site(tmp_path, fine) as there, asking(there, "t", trusted) as client, pytest.raises(TriageError) as caught:
        client.evaluate({}, ruleset="small")
    assert (caught.value.code, there.shown) == (grpc.StatusCode.UNAVAILABLE, [])


def test_a_client_shows_its_certificate(tmp_path: Path) -> None:
    authority = Authority()
    shown: list[object] = []

    def note(attempt: int, context: grpc.ServicerContext) -> None:
        shown.append(next(iter(context.auth_context()["x509_common_name"])))

    with site(tmp_path, note, authority) as there:
        with Client(there.address, credentials=tls(there.trusted, *authority.issue(tmp_path, "clinic"))) as client:
            client.evaluate({}, ruleset="small")
        with Client(there.address, credentials=tls(there.trusted)) as client, pytest.raises(TriageError):
            client.evaluate({}, ruleset="small")
    assert shown == [b"clinic"]


def test_files_that_are_not_there_are_told(tmp_path: Path) -> None:
    certificate, key = Authority().issue(tmp_path, "clinic")
    with pytest.raises(OSError, match=r"missing\.pem"):
        tls(tmp_path / "missing.pem")
    for half in ((certificate, None), (None, key)):
        with pytest.raises(ValueError, match="needs its key"):
            tls(None, *half)
