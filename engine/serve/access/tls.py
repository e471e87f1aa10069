"""Certificates: the server's own, read again when they change, and the names in its callers'."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from engine.serve.access.files import Watched, read_file
from engine.serve.config import ConfigError, Tls

LOG = logging.getLogger("pluis.access")
LARGEST = 1024 * 1024
"""Bytes of a file with certificates."""
NAMES = ("peer_dns", "peer_uri")
"""What gRPC calls the alternative names of a certificate by which a caller may be known."""


Ends = Callable[[str, float], None]
"""Told when the certificate `of` (`server` or `client_authorities`) expires, in seconds since 1970."""


def server_credentials(tls: Tls, ends: Ends = lambda of, time: None) -> grpc.ServerCredentials:
    """TLS for a server; with `client_authorities` every caller must show a certificate of one of them.

    Raises ConfigError for files that cannot be used. What replaces them later counts from the next connection on; where
    that cannot be used the old stays, and the log says why.
    """
    files = _Files(tls, ends)
    return grpc.dynamic_ssl_server_credentials(
        files.first,
        files.changed,  # type: ignore[arg-type]  # the stubs do not know None, which is "no change"
        require_client_authentication=tls.client_authorities is not None,
    )


def names_of(auth_context: Mapping[str, Iterable[bytes]]) -> tuple[str, ...]:
    """The names in the certificate of a caller, as gRPC verified it: DNS and URI, else the common name.

    A certificate with other alternative names only has none; so has a connection without a certificate.
    """
    if "x509_subject_alternative_name" in auth_context:
        found = [name for kind in NAMES for name in auth_context.get(kind, ())]
    else:
        found = list(auth_context.get("x509_common_name", ()))
    return tuple(name.decode("utf-8", "replace") for name in found)


class _Files:
    """The files of the settings, looked at for each new connection."""

    def __init__(self, tls: Tls, ends: Ends) -> None:
        self._tls = tls
        self._ends = ends
        self._lock = threading.Lock()
        self._watched = Watched(*(each for each in (tls.certificate, tls.key, tls.client_authorities) if each))
        self.first = _configuration(tls, ends)

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """What stands in the files now, if it is not what stood there before."""
        with self._lock:
            if not self._watched.changed():
                return None
            # A pair that is replaced file by file does not fit together for a moment; it is read again after that.
            try:
                configuration = _configuration(self._tls, self._ends)
            except ConfigError as error:
                LOG.error("the certificate stays as it was: %s", error)
                return None
            LOG.info("a new certificate is in use")
            return configuration


def _configuration(tls: Tls, ends: Ends) -> grpc.ServerCertificateConfiguration:
    """What is checked is what is used: each file is read once."""
    chain, key = read_file(tls.certificate, LARGEST), read_file(tls.key, LARGEST)
    certificate = _certificates(chain, tls.certificate)[0]
    try:
        private = load_pem_private_key(key, password=None)
    except (ValueError, TypeError):  # TypeError: it needs a password
        raise ConfigError(f"`{tls.key}` is no private key in PEM without a password") from None
    if private.public_key() != certificate.public_key():
        raise ConfigError(f"`{tls.key}` is not the key of `{tls.certificate}`")
    now = datetime.now(UTC)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise ConfigError(
            f"`{tls.certificate}` counts from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} to "
            f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC, and not now"
        )
    authorities = None
    if tls.client_authorities is not None:
        authorities = read_file(tls.client_authorities, LARGEST)
        known = _certificates(authorities, tls.client_authorities)
        ends("client_authorities", min(each.not_valid_after_utc.timestamp() for each in known))
    ends("server", certificate.not_valid_after_utc.timestamp())
    return grpc.ssl_server_certificate_configuration([(key, chain)], authorities)


def _certificates(pem: bytes, path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise ConfigError(f"`{path}` is no certificate in PEM") from None
