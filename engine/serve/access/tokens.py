"""Is this bearer token good, and whose is it?

A token is believed for its signature, by a key that the settings name for its issuer and no other. Whatever the token
itself says of keys or addresses (`jku`, `jwk`, `x5c`) is not looked at. Why it was refused is told to operators only.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jws import CompactSignature, JWSRegistry, extract_compact, validate_compact

from engine.serve.access.jwks import Keys, keys_of
from engine.serve.access.shared import Seen
from engine.serve.config import Issuer, Use
from engine.serve.errors import Unauthenticated

LONGEST = 8192
"""Characters of a token; gRPC takes no more in all headers together."""
TYPES = ("jwt", "at+jwt", "application/jwt", "application/at+jwt")
"""What `typ` may say, in any case: tokens for other ends may have the same claims."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Who a good token is about, and who says so."""

    issuer: str
    subject: str


class TokenVerifier:
    """Verifies tokens of the issuers in the settings. `clock` gives seconds since 1970."""

    def __init__(self, issuers: Sequence[Issuer], seen: Seen, clock: Callable[[], float] = time.time) -> None:
        """Raises ConfigError for a key file that cannot be used."""
        self._issuers: Mapping[str, tuple[Issuer, Keys]] = {each.issuer: (each, keys_of(each)) for each in issuers}
        self._seen = seen
        self._clock = clock

    def verify(self, token: str) -> Shown:
        """Raises Unauthenticated for a token that is not good, StateUnavailable where that cannot be known now."""
        signed, claims = _taken_apart(token)
        issuer, keys = self._issuers.get(_text(claims, "iss", "no-issuer"), (None, None))
        if issuer is None or keys is None:
            raise Unauthenticated("issuer-unknown")
        _check_signature(signed, issuer, keys)
        subject = _text(claims, "sub", "no-subject")
        _check_audience(claims, issuer)
        now = self._clock()
        expires = _check_times(claims, issuer, now)
        if issuer.use is Use.ONCE:
            # Last of all: only a token that is good in all else is used up.
            until = expires + issuer.leeway
            if not self._seen.first_use(issuer.issuer, _text(claims, "jti", "no-id"), until, now):
                raise Unauthenticated("replayed")
        return Shown(issuer.issuer, subject)


class _Registry(JWSRegistry):
    """Every algorithm of the library, for which are allowed is checked before; sizes are bounded by a token's."""

    max_header_length = max_payload_length = max_signature_length = LONGEST

    def get_alg(self, name: str) -> Any:
        """As it stands there, without a warning that `EdDSA` has a newer name."""
        return self.algorithms[name]


_REGISTRY = _Registry(strict_check_header=False)


def _taken_apart(token: str) -> tuple[CompactSignature, Mapping[str, object]]:
    """Header and claims as they stand there: nothing of them is believed yet."""
    if len(token) > LONGEST or not token.isascii():
        raise Unauthenticated("malformed")
    try:
        signed = extract_compact(token.encode(), registry=_REGISTRY)
        claims = json.loads(signed.payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise Unauthenticated("malformed") from None
    if not isinstance(claims, dict) or not isinstance(signed.protected, dict):
        raise Unauthenticated("malformed")
    return signed, claims


def _check_signature(signed: CompactSignature, issuer: Issuer, keys: Keys) -> None:
    header = signed.protected
    if "crit" in header:
        raise Unauthenticated("critical-header")
    kind = header.get("typ", TYPES[0])
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise Unauthenticated("type-wrong")
    kid = _text(header, "kid", "no-key-id")
    if header.get("alg") not in issuer.algorithms:
        raise Unauthenticated("algorithm-not-allowed")
    try:
        good = validate_compact(signed, keys.current(kid), registry=_REGISTRY)
    except InvalidKeyIdError:
        raise Unauthenticated("key-unknown") from None
    except (JoseError, ValueError, TypeError):  # a key of another type or curve, a header that is not what it must be
        raise Unauthenticated("signature-unfit") from None
    if not good:
        raise Unauthenticated("signature-wrong")


def _check_audience(claims: Mapping[str, object], issuer: Issuer) -> None:
    named = claims.get("aud")
    if not any(each in issuer.audience for each in (named if isinstance(named, list) else [named])):
        raise Unauthenticated("audience-wrong")


def _check_times(claims: Mapping[str, object], issuer: Issuer, now: float) -> float:
    """When it expires, in seconds since 1970. Without `iat` its life is counted from now."""
    expires = _time(claims, "exp")
    if expires is None:
        raise Unauthenticated("no-expiry")
    if now >= expires + issuer.leeway:
        raise Unauthenticated("expired")
    issued = _time(claims, "iat")
    for begins in (_time(claims, "nbf"), issued):
        if begins is not None and begins > now + issuer.leeway:
            raise Unauthenticated("not-yet")
    if expires - (now if issued is None else issued) > issuer.longest:
        raise Unauthenticated("life-too-long")
    return expires


def _text(claims: Mapping[str, object], name: str, otherwise: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise Unauthenticated(otherwise)
    return value


def _time(claims: Mapping[str, object], name: str) -> float | None:
    """Seconds since 1970; None where it is not said. What is no such number makes the token malformed."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unauthenticated("malformed")
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds):
        raise Unauthenticated("malformed")
    return seconds
