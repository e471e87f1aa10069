"""Which tokens are believed: good ones of every kind, and none of the bad."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwk, jwt

from engine.serve.access.tokens import Shown, TokenVerifier
from engine.serve.config import Issuer, Use
from engine.serve.errors import Unauthenticated
from tests.serve.access.bad_tokens import BAD, NEVER_SENT
from tests.serve.access.conftest import believed
from tests.serve.access.minting import AUDIENCE, ISSUER, SECONDS, SUBJECT, UNSET, Mint, key_set

GOOD = Shown(ISSUER, SUBJECT)


class Remembered:
    """What a server's workers share, in a test."""

    def __init__(self) -> None:
        self.used: dict[tuple[str, str], float] = {}

    def first_use(self, issuer: str, jti: str, until: float, now: float) -> bool:
        first = (issuer, jti) not in self.used
        self.used[issuer, jti] = until
        return first


@pytest.fixture
def seen() -> Remembered:
    return Remembered()


@pytest.fixture
def verifier(issuer: Issuer, seen: Remembered) -> TokenVerifier:
    return TokenVerifier([issuer], seen, lambda: SECONDS)


def why(verifier: TokenVerifier, token: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        verifier.verify(token)
    return caught.value.why


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aud": [AUDIENCE]},
        {"aud": ["https://other.example", AUDIENCE]},
        {"iat": UNSET},
        {"nbf": SECONDS},
        {"nbf": SECONDS + 29, "iat": SECONDS + 29},
        {"iat": SECONDS - 320, "exp": SECONDS - 20},
        {"exp": int(SECONDS) + 3600, "iat": int(SECONDS)},
        {"scope": ["anything"], "azp": None, "nested": {"a": [1]}},
    ],
    ids=str,
)
def test_a_good_token_shows_its_subject(verifier: TokenVerifier, mint: Mint, changes: dict[str, object]) -> None:
    assert verifier.verify(mint.token(**changes)) == GOOD


@pytest.mark.parametrize(
    "changes",
    [{"typ": UNSET}, {"typ": "at+jwt"}, {"typ": "application/AT+JWT"}, {"x5t": "x", "unheard_of": 1}],
    ids=str,
)
def test_a_header_may_say_more(verifier: TokenVerifier, mint: Mint, changes: dict[str, object]) -> None:
    assert verifier.verify(mint.signed(mint.header(**changes), mint.claims())) == GOOD


@pytest.mark.parametrize("name", [*BAD, *NEVER_SENT])
def test_a_bad_token_is_refused(verifier: TokenVerifier, seen: Remembered, mint: Mint, name: str) -> None:
    word, make = {**BAD, **NEVER_SENT}[name]
    assert why(verifier, make(mint)) == word
    assert seen.used == {}  # nobody can use up a token by damaging it


def test_a_token_counts_once(verifier: TokenVerifier, seen: Remembered, mint: Mint) -> None:
    token = mint.token(jti="j")
    assert verifier.verify(token) == GOOD
    assert why(verifier, token) == "replayed"
    assert why(verifier, mint.token(jti="j", exp=SECONDS + 200)) == "replayed"
    assert seen.used == {(ISSUER, "j"): SECONDS + 230}  # as long as the token could come again


def test_it_counts_until_it_expires_where_that_is_said(keys: Path, seen: Remembered, mint: Mint) -> None:
    verifier = TokenVerifier([believed(keys, use=Use.UNTIL_EXPIRY)], seen, lambda: SECONDS)
    token = mint.token(jti=UNSET)
    assert verifier.verify(token) == verifier.verify(token) == GOOD
    assert seen.used == {}


def test_each_issuer_has_its_own_keys(tmp_path: Path, keys: Path, seen: Remembered, mint: Mint) -> None:
    other = Mint("key-1")
    second = believed(key_set(tmp_path / "other.json", other.jwk), issuer="second")
    verifier = TokenVerifier([believed(keys), second], seen, lambda: SECONDS)
    assert verifier.verify(other.token(iss="second")) == Shown("second", SUBJECT)
    assert why(verifier, mint.token(iss="second")) == "signature-wrong"
    assert why(verifier, other.token()) == "signature-wrong"


@pytest.mark.parametrize(
    ("algorithm", "kind", "size"),
    [
        ("ES256", "EC", "P-256"),
        ("ES384", "EC", "P-384"),
        ("ES512", "EC", "P-521"),
        ("EdDSA", "OKP", "Ed25519"),
        ("RS256", "RSA", 2048),
        ("RS384", "RSA", 2048),
        ("RS512", "RSA", 2048),
        ("PS256", "RSA", 2048),
        ("PS384", "RSA", 2048),
        ("PS512", "RSA", 2048),
    ],
)
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # the library says so when it signs, not when we verify
def test_every_algorithm_of_the_settings_works(
    tmp_path: Path, seen: Remembered, algorithm: str, kind: str, size: Any
) -> None:
    key = jwk.JWKRegistry.generate_key(kind, size, {"kid": "key-1"})
    settings = believed(key_set(tmp_path / "keys.json", key.as_dict(private=False)), algorithms=(algorithm,))
    verifier = TokenVerifier([settings], seen, lambda: SECONDS)
    token = jwt.encode({"alg": algorithm, "kid": "key-1"}, Mint().claims(), key, [algorithm])
    assert verifier.verify(token) == GOOD
    head, _, signature = token.rpartition(".")
    assert why(verifier, f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}") == "signature-wrong"


def test_a_key_for_one_algorithm_serves_no_other(tmp_path: Path, seen: Remembered, mint: Mint) -> None:
    path = key_set(tmp_path / "keys.json", {**mint.jwk, "alg": "ES384"}, {**Mint("rsa").jwk, "alg": "ES256"})
    assert why(TokenVerifier([believed(path)], seen, lambda: SECONDS), mint.token()) == "key-unknown"


def test_a_signature_by_another_curve_is_none(verifier: TokenVerifier, mint: Mint) -> None:
    other = Mint(key=ec.generate_private_key(ec.SECP256K1()))
    assert why(verifier, other.token()) == "signature-wrong"


def test_the_reason_is_not_in_what_the_caller_gets(verifier: TokenVerifier, mint: Mint) -> None:
    """A token and its claims are in no text of the exception."""
    with pytest.raises(Unauthenticated) as caught:
        verifier.verify(mint.token(aud="https://marker.example", sub="marker-4321"))
    assert "marker" not in repr(caught.value)
    assert caught.value.__cause__ is None
