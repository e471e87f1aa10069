"""Every way in which a token can be bad, each with the word that operators see; for the verifier and for the wire."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from hashlib import sha256

from tests.serve.access.minting import AUDIENCE, SECONDS, UNSET, Mint, digits, part

Make = Callable[[Mint], str]


def _unsigned(mint: Mint, algorithm: str) -> str:
    return f"{part(mint.header(alg=algorithm))}.{part(mint.claims())}."


def _hmac(mint: Mint, secret: bytes) -> str:
    signing = f"{part(mint.header(alg='HS256'))}.{part(mint.claims())}"
    return f"{signing}.{digits(hmac.new(secret, signing.encode(), sha256).digest())}"


def _with_signature(mint: Mint, signature: bytes) -> str:
    return f"{part(mint.header())}.{part(mint.claims())}.{digits(signature)}"


def _changed_after_signing(mint: Mint) -> str:
    header, _, signature = mint.token().split(".")
    return f"{header}.{part(mint.claims(sub='somebody-else'))}.{signature}"


def _header(**changes: object) -> Make:
    return lambda mint: mint.signed(mint.header(**changes), mint.claims())


def _claims(**changes: object) -> Make:
    return lambda mint: mint.token(**changes)


STRANGER = Mint("key-1")
"""Has a key of the same name, and is nobody's issuer."""

BAD: Mapping[str, tuple[str, Make]] = {
    "expired": ("expired", _claims(iat=SECONDS - 400, exp=SECONDS - 100)),
    "just expired, with leeway": ("expired", _claims(iat=SECONDS - 300, exp=SECONDS - 30)),
    "no expiry": ("no-expiry", _claims(exp=UNSET)),
    "expiry is a text": ("malformed", _claims(exp=str(SECONDS + 300))),
    "expiry is true": ("malformed", _claims(exp=True)),
    "expiry is null": ("malformed", _claims(exp=None)),
    "expiry is no number": ("malformed", _claims(exp=float("nan"))),
    "expiry never comes": ("malformed", _claims(exp=float("inf"))),
    "expiry is too large for a clock": ("malformed", _claims(exp=10**400)),
    "expiry in a million years": ("life-too-long", _claims(exp=SECONDS + 1e13)),
    "not valid yet": ("not-yet", _claims(nbf=SECONDS + 100)),
    "issued in the future": ("not-yet", _claims(iat=SECONDS + 100)),
    "not before is a text": ("malformed", _claims(nbf="now")),
    "issued is a list": ("malformed", _claims(iat=[SECONDS])),
    "lives too long": ("life-too-long", _claims(exp=SECONDS + 4000)),
    "lives too long, issued long ago": ("life-too-long", _claims(iat=SECONDS - 3500, exp=SECONDS + 200)),
    "lives too long, issued never": ("life-too-long", _claims(iat=UNSET, exp=SECONDS + 4000)),
    "for another audience": ("audience-wrong", _claims(aud="https://other.example")),
    "for other audiences": ("audience-wrong", _claims(aud=["https://other.example", AUDIENCE + "/"])),
    "for an audience in capitals": ("audience-wrong", _claims(aud=AUDIENCE.upper())),
    "for no audience": ("audience-wrong", _claims(aud=UNSET)),
    "for an empty list of audiences": ("audience-wrong", _claims(aud=[])),
    "audience is an object": ("audience-wrong", _claims(aud={AUDIENCE: True})),
    "of another issuer": ("issuer-unknown", _claims(iss="https://other.example")),
    "of an issuer that begins like ours": ("issuer-unknown", _claims(iss="https://issuer.example/")),
    "of no issuer": ("no-issuer", _claims(iss=UNSET)),
    "issuer is a list": ("no-issuer", _claims(iss=["https://issuer.example"])),
    "no subject": ("no-subject", _claims(sub=UNSET)),
    "subject is empty": ("no-subject", _claims(sub="")),
    "subject is a number": ("no-subject", _claims(sub=7)),
    "no id": ("no-id", _claims(jti=UNSET)),
    "id is empty": ("no-id", _claims(jti="")),
    "id is a number": ("no-id", _claims(jti=7)),
    "algorithm none": ("algorithm-not-allowed", lambda mint: _unsigned(mint, "none")),
    "algorithm None": ("algorithm-not-allowed", lambda mint: _unsigned(mint, "None")),
    "algorithm nOnE": ("algorithm-not-allowed", lambda mint: _unsigned(mint, "nOnE")),
    "algorithm is empty": ("algorithm-not-allowed", lambda mint: _unsigned(mint, "")),
    "algorithm is a list": ("algorithm-not-allowed", _header(alg=["ES256"])),
    "no algorithm": ("malformed", _header(alg=UNSET)),
    "algorithm that is not allowed": ("algorithm-not-allowed", _header(alg="ES512")),
    "algorithm of another key": ("signature-unfit", _header(alg="RS256")),
    "algorithm of another curve": ("signature-unfit", _header(alg="ES384")),
    "HMAC with the public key": ("algorithm-not-allowed", lambda mint: _hmac(mint, mint.public_pem)),
    "HMAC with the key set": ("algorithm-not-allowed", lambda mint: _hmac(mint, json.dumps(mint.jwk).encode())),
    "HMAC without a secret": ("algorithm-not-allowed", lambda mint: _hmac(mint, b"")),
    "no signature": ("signature-wrong", lambda mint: _with_signature(mint, b"")),
    "signature of zeros": ("signature-wrong", lambda mint: _with_signature(mint, bytes(64))),
    "short signature": ("signature-wrong", lambda mint: _with_signature(mint, bytes(63))),
    "changed after it was signed": ("signature-wrong", _changed_after_signing),
    "unknown key": ("key-unknown", _header(kid="key-2")),
    "key by a path": ("key-unknown", _header(kid="../../../dev/null")),
    "no key id": ("no-key-id", _header(kid=UNSET)),
    "key id is a number": ("no-key-id", _header(kid=1)),
    "right key id, wrong key": ("signature-wrong", lambda mint: STRANGER.token()),
    "brings its own key": (
        "signature-wrong",
        lambda mint: STRANGER.signed(mint.header(jwk=STRANGER.jwk), mint.claims()),
    ),
    "says where its key is": (
        "signature-wrong",
        lambda mint: STRANGER.signed(mint.header(jku="https://127.0.0.1:1/keys"), mint.claims()),
    ),
    "of another type": ("type-wrong", _header(typ="dpop+jwt")),
    "type is a number": ("type-wrong", _header(typ=1)),
    "critical header": ("critical-header", _header(crit=["exp"], exp=1)),
    "payload as it stands": ("malformed", _header(crit=["b64"], b64=False)),
    "payload as it stands, uncritically": ("malformed", _header(b64=False)),
    "empty": ("malformed", lambda mint: ""),
    "no token at all": ("malformed", lambda mint: "good morning"),
    "one part": ("malformed", lambda mint: mint.token().split(".")[0]),
    "two parts": ("malformed", lambda mint: mint.token().rpartition(".")[0]),
    "four parts": ("malformed", lambda mint: mint.token() + ".x"),
    "encrypted": ("malformed", lambda mint: mint.token() + ".x.x"),
    "no base64": ("malformed", lambda mint: mint.token().replace(".", ".*", 1)),
    "padded": ("malformed", lambda mint: mint.token().replace(".", "=.", 1)),
    "header is no JSON": ("malformed", lambda mint: digits(b"{alg: ES256}") + mint.token()[5:]),
    "header is a list": ("malformed", lambda mint: mint.signed(["alg"], mint.claims())),
    "header is a text": ("malformed", lambda mint: mint.signed("alg", mint.claims())),
    "claims are a list": ("malformed", lambda mint: mint.signed(mint.header(), ["sub"])),
    "claims are a text": ("malformed", lambda mint: mint.signed(mint.header(), "sub")),
    "claims are null": ("malformed", lambda mint: mint.signed(mint.header(), None)),
    "claims are deep": ("malformed", lambda mint: f"{part(mint.header())}.{digits(b'[' * 4000)}.x"),
    "header is deep": ("malformed", lambda mint: f"{digits(b'[' * 4000)}.{part(mint.claims())}.x"),
}
NEVER_SENT: Mapping[str, tuple[str, Make]] = {
    "not ASCII": ("malformed", lambda mint: mint.token() + "é"),
    "huge": ("malformed", lambda mint: mint.token(note="x" * 10_000)),
    "long in two places": ("malformed", lambda mint: mint.signed(mint.header(x="x" * 4000), mint.claims(x="x" * 4000))),
    "a million characters": ("malformed", lambda mint: "x" * 1_000_000),
}
"""gRPC takes no such header."""
