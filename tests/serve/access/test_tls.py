"""Certificates: which are refused at the start, which names a caller has, and that new ones are taken up."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from engine import channel
from engine.serve.access.tls import names_of, server_credentials
from engine.serve.config import ConfigError, Tls
from tests.serve.access.minting import LOOPBACK, Authority

METHOD = "/test.Test/Names"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def pair(authority: Authority, tmp_path: Path) -> tuple[Path, Path]:
    return authority.issue(tmp_path, "server", *LOOPBACK)


@contextmanager
def served(tls: Tls) -> Iterator[str]:
    """A server that says by which names it knows its callers."""

    def names(request: bytes, context: grpc.ServicerContext) -> bytes:
        found: Any = context.auth_context()  # lists, whatever the stubs say
        return " ".join(names_of(found)).encode()

    class Handler(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in the stubs only
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
            return grpc.unary_unary_rpc_method_handler(names)

    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((Handler(),))
    port = server.add_secure_port("127.0.0.1:0", server_credentials(tls))
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def asked(target: str, authority: Path, certificate: Path | None = None, key: Path | None = None) -> str:
    """The names, over a connection of its own; the code where there is none."""
    # Channels share connections; with an option that no other has it gets its own.
    own = (("grpc.use_local_subchannel_pool", 1),)
    with grpc.secure_channel(target, channel.tls(authority, certificate, key), own) as connected:
        call: Any = connected
        try:
            return str(call.unary_unary(METHOD)(b"", timeout=20), "utf-8")
        except grpc.RpcError as error:
            failed: Any = error
            return str(failed.code().name)


def test_a_server_shows_its_certificate(authority: Authority, pair: tuple[Path, Path], tmp_path: Path) -> None:
    with served(Tls(certificate=pair[0], key=pair[1])) as target:
        assert asked(target, authority.file(tmp_path)) == ""
        assert asked(target, Authority("Another authority").file(tmp_path)) == "UNAVAILABLE"
        with grpc.insecure_channel(target) as plain, pytest.raises(grpc.RpcError, match="UNAVAILABLE"):
            call: Any = plain
            call.unary_unary(METHOD)(b"", timeout=20)


def test_a_caller_is_known_by_the_names_in_its_certificate(
    authority: Authority, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    authorities = authority.file(tmp_path)
    other = Authority("Another authority")
    impostor = Authority(authority.name)  # the same name, another key
    everything = (
        x509.DNSName("clinic.example"),
        x509.RFC822Name("clinic@example"),
        x509.IPAddress(ip_address("127.0.0.1")),
        x509.UniformResourceIdentifier("spiffe://example/clinic"),
    )
    with served(Tls(certificate=pair[0], key=pair[1], client_authorities=authorities)) as target:
        assert asked(target, authorities, *authority.issue(tmp_path, "common")) == "common"
        assert asked(target, authorities, *authority.issue(tmp_path, "both", x509.DNSName("a.example"))) == "a.example"
        found = asked(target, authorities, *authority.issue(tmp_path, "everything", *everything))
        assert found == "clinic.example spiffe://example/clinic"
        assert asked(target, authorities, *authority.issue(tmp_path, "mail", x509.RFC822Name("a@example"))) == ""
        old = datetime.now(UTC) - timedelta(days=9)
        for refused in (
            (),
            other.issue(tmp_path, "other", x509.DNSName("a.example")),
            impostor.issue(tmp_path, "impostor", x509.DNSName("a.example")),
            authority.issue(tmp_path, "expired", x509.DNSName("a.example"), begins=old, days=8),
        ):
            assert asked(target, authorities, *refused) == "UNAVAILABLE"


def _missing(folder: Path) -> None:
    (folder / "server.pem").unlink()


def _a_folder(folder: Path) -> None:
    _missing(folder)
    (folder / "server.pem").mkdir()


def _no_certificate(folder: Path) -> None:
    (folder / "server.pem").write_text("good morning", encoding="utf-8")


def _empty(folder: Path) -> None:
    (folder / "server.pem").write_bytes(b"")


def _no_key(folder: Path) -> None:
    shutil.copy(folder / "server.pem", folder / "server.key")


def _another_key(folder: Path) -> None:
    shutil.copy(Authority().issue(folder, "another", *LOOPBACK)[1], folder / "server.key")


def _locked_key(folder: Path) -> None:
    key = load_pem_private_key((folder / "server.key").read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    (folder / "server.key").write_bytes(locked)


def _expired(folder: Path) -> None:
    Authority().issue(folder, "server", *LOOPBACK, begins=datetime.now(UTC) - timedelta(days=9), days=8)


def _not_yet(folder: Path) -> None:
    Authority().issue(folder, "server", *LOOPBACK, begins=datetime.now(UTC) + timedelta(days=1))


def _large(folder: Path) -> None:
    (folder / "server.pem").write_bytes(b" " * (1 << 21))


def _no_authority(folder: Path) -> None:
    (folder / "authorities.pem").write_bytes((folder / "server.key").read_bytes())


BROKEN: dict[Callable[[Path], None], str] = {
    _missing: "server.pem` cannot be read",
    _a_folder: "server.pem` cannot be read",
    _no_certificate: "server.pem` is no certificate in PEM",
    _empty: "server.pem` is no certificate in PEM",
    _no_key: "server.key` is no private key in PEM without a password",
    _another_key: "server.key` is not the key of `",
    _locked_key: "server.key` is no private key in PEM without a password",
    _expired: "server.pem` counts from .* and not now",
    _not_yet: "server.pem` counts from .* and not now",
    _large: "server.pem` is larger than",
    _no_authority: "authorities.pem` is no certificate in PEM",
}


@pytest.mark.parametrize("spoil", BROKEN, ids=lambda spoil: spoil.__name__)
def test_files_that_cannot_be_used_are_refused_at_the_start(
    authority: Authority,
    pair: tuple[Path, Path],
    tmp_path: Path,
    spoil: Callable[[Path], None],
) -> None:
    authorities = tmp_path / "authorities.pem"
    authorities.write_bytes(authority.pem)
    tls = Tls(certificate=pair[0], key=pair[1], client_authorities=authorities)
    server_credentials(tls)
    spoil(tmp_path)
    with pytest.raises(ConfigError, match=BROKEN[spoil]) as caught:
        server_credentials(tls)
    assert "PRIVATE" not in str(caught.value)


def test_it_is_told_when_certificates_expire(authority: Authority, pair: tuple[Path, Path], tmp_path: Path) -> None:
    authorities = tmp_path / "authorities.pem"
    authorities.write_bytes(authority.pem)
    told: dict[str, float] = {}
    tls = Tls(certificate=pair[0], key=pair[1], client_authorities=authorities)
    server_credentials(tls, told.__setitem__)
    ends = {
        of: x509.load_pem_x509_certificates(path.read_bytes())[0].not_valid_after_utc.timestamp()
        for of, path in (("server", pair[0]), ("client_authorities", authorities))
    }
    assert told == ends


def replaced(pair: tuple[Path, Path], by: tuple[Path, Path]) -> None:
    """As operators' tools do it: each file is put in place whole, one after the other."""
    for old, new in zip(pair, by, strict=True):
        os.replace(new, old)


def test_a_new_certificate_is_taken_up_and_a_broken_one_is_not(
    authority: Authority, pair: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "pluis.access")
    new = Authority("New authority")
    before, after = authority.file(tmp_path), new.file(tmp_path)
    made = tmp_path / "made"
    made.mkdir()
    with served(Tls(certificate=pair[0], key=pair[1])) as target:
        assert asked(target, before) == ""
        certificate, key = new.issue(made, "server", *LOOPBACK)
        os.replace(certificate, pair[0])  # and its key is not there yet
        assert (asked(target, before), asked(target, before), asked(target, after)) == ("", "", "UNAVAILABLE")
        os.replace(key, pair[1])
        assert (asked(target, after), asked(target, before)) == ("", "UNAVAILABLE")
        pair[0].unlink()
        assert asked(target, after) == ""
        replaced(pair, authority.issue(made, "server", *LOOPBACK, begins=datetime.now(UTC) - timedelta(days=9), days=8))
        assert (asked(target, after), asked(target, before)) == ("", "UNAVAILABLE")
        replaced(pair, authority.issue(made, "server", *LOOPBACK))
        assert asked(target, before) == ""
    told = [record.message.partition(": ")[0] for record in caplog.records]
    kept, taken = "the certificate stays as it was", "a new certificate is in use"
    assert told == [kept, taken, kept, kept, taken]


def test_new_authorities_count_for_new_connections(
    authority: Authority, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    authorities, other = tmp_path / "authorities.pem", Authority("Another authority")
    authorities.write_bytes(other.pem)
    trusted = authority.file(tmp_path)
    ours, theirs = authority.issue(tmp_path, "ours"), other.issue(tmp_path, "theirs")
    with served(Tls(certificate=pair[0], key=pair[1], client_authorities=authorities)) as target:
        assert [asked(target, trusted, *each) for each in (ours, theirs)] == ["UNAVAILABLE", "theirs"]
        authorities.write_bytes(authority.pem)
        assert [asked(target, trusted, *each) for each in (ours, theirs)] == ["ours", "UNAVAILABLE"]


def test_a_certificate_is_replaced_under_load(authority: Authority, pair: tuple[Path, Path], tmp_path: Path) -> None:
    """Whoever connects while files are replaced is answered, with the old certificate or the new."""
    trusted = authority.file(tmp_path)
    made = tmp_path / "made"
    made.mkdir()
    with served(Tls(certificate=pair[0], key=pair[1])) as target, ThreadPoolExecutor(4) as pool:
        calls = []
        for _ in range(10):
            calls += [pool.submit(asked, target, trusted) for _ in range(10)]
            replaced(pair, authority.issue(made, "server", *LOOPBACK))
            calls[-1].result()
        assert {call.result() for call in calls} == {""}
