"""A real server behind TLS: no bad token and no caller without the right gets past it, and good ones do."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from engine import channel
from engine.client import Client, TriageError, to_request
from engine.pb.v1 import triage_pb2 as pb
from engine.serve.access.rights import RIGHT_OF
from engine.serve.config import LOG_OFF, CallerSettings, Config, Issuer, Right, Tls, Use
from engine.serve.operations import Reloaded, Status
from engine.serve.registry import Registry
from engine.serve.server import build_server
from tests.serve.access.bad_tokens import BAD, NEVER_SENT
from tests.serve.access.conftest import believed, caller
from tests.serve.access.minting import LOOPBACK, Authority, Mint
from tests.serve.conftest import NOW, SMALL

ASKED = to_request({"numb": True}, ruleset="small")
UNAUTHENTICATED = "the call does not show who makes it, or not well enough"
CALLERS = (
    caller(),
    *(caller(right.value, right.value, right) for right in Right),
    CallerSettings(name="gateway", certificate="gateway.example", rights=frozenset({Right.EVALUATE})),
)


@dataclass
class Secured:
    """A server that is up, and what is needed to reach it. `stub` is generated and has no types."""

    address: str
    credentials: grpc.ChannelCredentials
    stub: Any
    channel: Any


class Nothing:
    """What stands behind the rpcs of operators: nothing, so that whoever gets so far sees it fail."""

    def status(self, patience: float) -> Status:
        raise NotImplementedError

    def reload(self, patience: float) -> Reloaded:
        raise NotImplementedError

    def rollback(self, release: str, patience: float) -> Reloaded:
        raise NotImplementedError


@contextmanager
def secured(folder: Path, authority: Authority, **settings: Any) -> Iterator[Secured]:
    """A server with TLS; callers need a certificate where `client_authorities` are among the settings."""
    certificate, key = authority.issue(folder, "server", *LOOPBACK)
    tls = Tls(certificate=certificate, key=key, client_authorities=settings.pop("client_authorities", None))
    config = Config(
        rulesets=SMALL, port=0, grace=0.0, log=LOG_OFF, **{"state": folder / "state", "tls": tls, **settings}
    )
    server = build_server(config, Registry(SMALL, today=NOW.date), clock=lambda: NOW, operations=Nothing())
    server.start()
    try:
        credentials = channel.tls(authority.file(folder))
        with Client(server.address, timeout=20, credentials=credentials) as client:
            yield Secured(server.address, credentials, client.stub, client.channel)
    finally:
        server.stop()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def server(authority: Authority, issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured(tmp_path_factory.mktemp("server"), authority, issuers=(issuer,), callers=CALLERS[:-1]) as started:
        yield started


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


def refusal(call: Any, *arguments: object, **more: Any) -> tuple[str, str, str]:
    """Code, reason and message of a call that is refused."""
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, timeout=20, **more)
    return told(caught.value)


def told(error: Any) -> tuple[str, str, str]:
    status, info = rpc_status.from_call(error), error_details_pb2.ErrorInfo()
    assert status is not None
    assert status.details[0].Unpack(info)
    return error.code().name, info.reason, status.message


REFUSED = ("UNAUTHENTICATED", "UNAUTHENTICATED", UNAUTHENTICATED)


def test_a_good_token_gets_a_decision(server: Secured, mint: Mint) -> None:
    assert server.stub.Evaluate(ASKED, metadata=bearer(mint.token())).decision_id


@pytest.mark.parametrize("name", BAD)
def test_a_bad_token_gets_no_decision_and_no_reason(
    server: Secured, mint: Mint, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = BAD[name][1](mint)
    assert refusal(server.stub.Evaluate, ASKED, metadata=bearer(token)) == REFUSED
    assert not token or token not in caplog.text
    assert "numb" not in caplog.text


@pytest.mark.parametrize("name", NEVER_SENT)
def test_what_is_no_header_gets_no_decision(server: Secured, mint: Mint, name: str) -> None:
    with pytest.raises((grpc.RpcError, UnicodeEncodeError)):
        server.stub.Evaluate(ASKED, metadata=bearer(NEVER_SENT[name][1](mint)), timeout=20)


@pytest.mark.parametrize(
    "shown",
    [
        (),
        (("authorization", ""),),
        (("authorization", "Bearer"),),
        (("authorization", "Bearer "),),
        (("authorization", "TOKEN"),),
        (("authorization", "Basic TOKEN"),),
        (("authorization", "Bearer, TOKEN"),),
        (("authorization", "DPoP TOKEN"),),
        (("authorization", "Bearer TOKEN TOKEN"),),
        (("authorization", "Bearer TOKEN"), ("authorization", "Bearer TOKEN")),
        (("x-authorization", "Bearer TOKEN"),),
        (("x-caller", "clinic"), ("x-forwarded-user", "clinic")),
    ],
    ids=str,
)
def test_a_good_token_in_the_wrong_place_gets_no_decision(
    server: Secured, mint: Mint, shown: tuple[tuple[str, str], ...]
) -> None:
    token = mint.token()
    metadata = tuple((name, value.replace("TOKEN", token)) for name, value in shown)
    assert refusal(server.stub.Evaluate, ASKED, metadata=metadata) == REFUSED
    assert server.stub.Evaluate(ASKED, metadata=bearer(token), timeout=20).decision_id  # it was a good one, unused


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_the_scheme_is_read_in_any_case(server: Secured, mint: Mint, scheme: str) -> None:
    assert server.stub.Evaluate(ASKED, metadata=(("authorization", f"{scheme} {mint.token()}"),)).decision_id


def test_a_token_gets_one_decision_of_all_workers(
    authority: Authority, issuer: Issuer, mint: Mint, tmp_path: Path
) -> None:
    """Two servers with one folder for state are what two workers are to a caller."""
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    settings: dict[str, Any] = {"issuers": (issuer,), "callers": CALLERS[:1], "state": tmp_path / "state"}
    with secured(folders[0], authority, **settings) as one, secured(folders[1], authority, **settings) as two:
        for first, second in ((one, two), (two, one)):
            shown = bearer(mint.token())
            assert first.stub.Evaluate(ASKED, metadata=shown, timeout=20).decision_id
            assert refusal(second.stub.Evaluate, ASKED, metadata=shown) == REFUSED
            assert refusal(first.stub.Evaluate, ASKED, metadata=shown) == REFUSED


RPCS = [
    (service.full_name, method) for service in pb.DESCRIPTOR.services_by_name.values() for method in service.methods
]


def _call(server: Secured, service: str, method: Any, metadata: tuple[tuple[str, str], ...]) -> str:
    """The reason of a call without content, or OK; streams get one message."""
    path = f"/{service}/{method.name}"
    try:
        if method.client_streaming:
            list(server.channel.stream_stream(path)(iter([b""]), timeout=20, metadata=metadata))
        else:
            server.channel.unary_unary(path)(b"", timeout=20, metadata=metadata)
    except grpc.RpcError as error:
        return told(error)[1]
    return "OK"


@pytest.mark.parametrize(("service", "method"), RPCS, ids=lambda each: getattr(each, "name", ""))
def test_every_rpc_wants_to_know_who_calls(server: Secured, mint: Mint, service: str, method: Any) -> None:
    assert _call(server, service, method, ()) == "UNAUTHENTICATED"
    assert _call(server, service, method, bearer(mint.token(exp=1))) == "UNAUTHENTICATED"


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize(("service", "method"), RPCS, ids=lambda each: getattr(each, "name", ""))
def test_every_rpc_wants_its_right(server: Secured, mint: Mint, service: str, method: Any, right: Right) -> None:
    found = _call(server, service, method, bearer(mint.token(sub=right.value)))
    if RIGHT_OF[method.name] is not right:
        assert found == "FORBIDDEN"
    else:
        assert found not in ("FORBIDDEN", "UNAUTHENTICATED", "UNIMPLEMENTED")


def test_a_caller_is_told_what_it_may_not(server: Secured, mint: Mint) -> None:
    refused = refusal(server.stub.Evaluate, ASKED, metadata=bearer(mint.token(sub="audit")))
    assert refused == ("PERMISSION_DENIED", "FORBIDDEN", "`audit` has no right `evaluate`, which Evaluate needs")


def test_health_is_told_to_everybody(server: Secured) -> None:
    asked = health_pb2_grpc.HealthStub(server.channel).Check(health_pb2.HealthCheckRequest(), timeout=20)
    assert asked.status == health_pb2.HealthCheckResponse.SERVING


def test_a_rate_counts_over_all_workers(authority: Authority, keys: Path, mint: Mint, tmp_path: Path) -> None:
    """The servers' clock stands still, so that the bucket never fills."""
    issuer = believed(keys, use=Use.UNTIL_EXPIRY)
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    settings: dict[str, Any] = {"issuers": (issuer,), "callers": (caller(rate=4),), "state": tmp_path / "state"}
    with secured(folders[0], authority, **settings) as one, secured(folders[1], authority, **settings) as two:
        for _ in range(2):
            for each in (one, two):
                assert each.stub.Evaluate(ASKED, metadata=bearer(mint.token()), timeout=20).decision_id
        for each in (one, two):
            with pytest.raises(grpc.RpcError) as caught:
                each.stub.Evaluate(ASKED, metadata=bearer(mint.token()), timeout=20)
            refused: Any = caught.value
            status = rpc_status.from_call(refused)
            assert status is not None
            retry = error_details_pb2.RetryInfo()
            assert [detail.Unpack(retry) for detail in status.details].count(True) == 1
            assert (retry.retry_delay.ToMilliseconds(), status.message) == (250, "more than 4 calls in a second")


@pytest.fixture(scope="module")
def mutual(
    authority: Authority, issuer: Issuer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Secured, Path]]:
    folder = tmp_path_factory.mktemp("mutual")
    trusted = authority.file(folder)
    settings: dict[str, Any] = {"issuers": (issuer,), "callers": CALLERS, "client_authorities": trusted}
    with secured(folder, authority, **settings) as started:
        yield started, trusted


def asked(mutual: tuple[Secured, Path], pair: tuple[Path, Path] | tuple[()], token: str | None = None) -> str:
    """The reason or code of a call with this certificate, over a connection of its own; or OK."""
    server, trusted = mutual
    with Client(server.address, credentials=channel.tls(trusted, *pair), token=token, timeout=20) as client:
        try:
            client.evaluate({"numb": True}, ruleset="small")
        except TriageError as error:
            return error.reason or error.code.name
        return "OK"


def test_a_caller_with_a_certificate_needs_no_token(
    mutual: tuple[Secured, Path], authority: Authority, mint: Mint, tmp_path: Path
) -> None:
    gateway = authority.issue(tmp_path, "gateway", x509.DNSName("gateway.example"))
    stranger = authority.issue(tmp_path, "stranger", x509.DNSName("stranger.example"))
    named_alike = authority.issue(tmp_path, "gateway.example", x509.DNSName("stranger.example"))
    foreign = Authority("Another").issue(tmp_path, "foreign", x509.DNSName("gateway.example"))
    assert asked(mutual, gateway) == "OK"
    assert asked(mutual, stranger) == asked(mutual, named_alike) == "UNAUTHENTICATED"
    assert asked(mutual, stranger, mint.token()) == "OK"  # known by the token
    assert asked(mutual, gateway, mint.token()) == "UNAUTHENTICATED"  # two callers
    assert asked(mutual, gateway, mint.token(exp=1)) == "UNAUTHENTICATED"
    assert asked(mutual, foreign) == asked(mutual, ()) == asked(mutual, (), mint.token()) == "UNAVAILABLE"


def test_the_client_has_a_fresh_token_for_each_call(server: Secured, mint: Mint) -> None:
    made: list[str] = []

    def fresh() -> str:
        made.append(mint.token())
        return made[-1]

    with Client(server.address, credentials=server.credentials, token=fresh, timeout=20) as client:
        for _ in range(3):
            assert client.evaluate({"numb": True}, ruleset="small").settled
    assert len(set(made)) == 3
    used = Client(server.address, credentials=server.credentials, token=made[0], timeout=20)
    with used as client, pytest.raises(TriageError) as caught:
        client.evaluate({"numb": True}, ruleset="small")
    assert caught.value.code is grpc.StatusCode.UNAUTHENTICATED


def test_log_lines_name_the_caller_and_nobody_else(
    server: Secured, mint: Mint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.stub.Evaluate(ASKED, metadata=bearer(mint.token(sub="evaluate")), timeout=20)
    refusal(server.stub.Evaluate, ASKED, metadata=bearer(mint.token(sub="marker-4321")))
    calls = [json.loads(record.message) for record in caplog.records if record.name == "pluis.calls"]
    assert [each.get("caller") for each in calls if each["event"] == "call"] == ["evaluate", None]
    assert "marker" not in caplog.text
