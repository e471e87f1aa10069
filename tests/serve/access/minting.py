"""Makes what callers show: keys and tokens of an issuer, certificates of an authority; good ones, and any bad one."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from tests.serve.conftest import NOW

SECONDS = NOW.timestamp()
ISSUER, AUDIENCE, SUBJECT = "https://issuer.example", "https://pluis.example", "clinic"
UNSET = object()


def digits(content: bytes) -> str:
    """Base64url as JWT has it."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def part(content: object) -> str:
    return digits(json.dumps(content).encode())


@dataclass
class Mint:
    """One who writes tokens, with a key of its own."""

    kid: str = "key-1"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def public_pem(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def jwk(self) -> dict[str, str]:
        numbers = self.key.public_key().public_numbers()
        return {
            "kty": "EC",
            "crv": "P-256",
            "kid": self.kid,
            "x": digits(numbers.x.to_bytes(32, "big")),
            "y": digits(numbers.y.to_bytes(32, "big")),
        }

    def header(self, **changes: object) -> dict[str, object]:
        return changed({"alg": "ES256", "typ": "JWT", "kid": self.kid}, changes)

    def claims(self, **changes: object) -> dict[str, object]:
        good = {
            "iss": ISSUER,
            "sub": SUBJECT,
            "aud": AUDIENCE,
            "iat": SECONDS,
            "exp": SECONDS + 300,
            "jti": str(uuid4()),
        }
        return changed(good, changes)

    def signed(self, header: object, claims: object) -> str:
        """A token with this key's signature, whatever it says; made without the library that verifies it."""
        signing = f"{part(header)}.{part(claims)}"
        r, s = decode_dss_signature(self.key.sign(signing.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signing}.{digits(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def token(self, **changes: object) -> str:
        """A good token but for the claims that are changed; UNSET takes a claim out."""
        return self.signed(self.header(), self.claims(**changes))


def changed(good: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in {**good, **changes}.items() if value is not UNSET}


def key_set(path: Path, *keys: Mapping[str, Any]) -> Path:
    """A file with these keys, put in place whole."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps({"keys": keys}), encoding="utf-8")
    return beside.rename(path)


@dataclass
class Authority:
    """One who makes certificates."""

    name: str = "Test authority"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.certificate = _certificate(self.name, self.name, self.key.public_key(), self.key, authority=True)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def file(self, folder: Path) -> Path:
        path = folder / f"{self.name.replace(' ', '-')}.pem"
        path.write_bytes(self.pem)
        return path

    def issue(
        self,
        folder: Path,
        common_name: str,
        *names: x509.GeneralName,
        begins: datetime | None = None,
        days: float = 30,
    ) -> tuple[Path, Path]:
        """Files with a certificate and its key, named by the common name."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate(common_name, self.name, key.public_key(), self.key, names, begins, days)
        certificate, private = folder / f"{common_name}.pem", folder / f"{common_name}.key"
        certificate.write_bytes(made.public_bytes(Encoding.PEM))
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, private


LOOPBACK = (x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1")))


def _certificate(
    subject: str,
    issuer: str,
    public: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    names: tuple[x509.GeneralName, ...] = (),
    begins: datetime | None = None,
    days: float = 30,
    *,
    authority: bool = False,
) -> x509.Certificate:
    begins = begins or datetime.now(UTC) - timedelta(hours=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer, hashes.SHA256())
