"""The one question that a wire asks before a call is worked on: who calls, and may they call this, now?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from engine.serve.access.rights import RIGHT_OF
from engine.serve.access.shared import SharedState
from engine.serve.access.tokens import TokenVerifier
from engine.serve.calls import ANYBODY, Caller
from engine.serve.config import CallerSettings, Config, Use
from engine.serve.errors import Forbidden, RateExceeded, Unauthenticated


@dataclass(frozen=True, slots=True)
class Presented:
    """What came with a call: its bearer token, and the names in the certificate that TLS verified."""

    token: str | None = field(default=None, repr=False)
    names: tuple[str, ...] = ()


class Guard:
    """Lets calls in. Threads share it; the workers of a server share its `shared`."""

    def __init__(self, config: Config, shared: SharedState, clock: Callable[[], float] = time.time) -> None:
        """Reads the issuers' key files: raises ConfigError when one cannot be used, StateUnavailable without state."""
        self._shared = shared
        self._clock = clock
        self._verifier = TokenVerifier(config.issuers, shared, clock)
        self._anybody = None if config.callers else Caller(ANYBODY.name, ANYBODY.rights, config.rate)
        self._by_token: dict[tuple[str, str], Caller] = {}
        self._by_certificate: dict[str, Caller] = {}
        for settings in config.callers:
            caller = _caller(settings, config)
            if settings.certificate:
                self._by_certificate[settings.certificate] = caller
            else:
                self._by_token[settings.issuer, settings.subject] = caller
        callers = [self._anybody or ANYBODY, *self._by_token.values(), *self._by_certificate.values()]
        if any(caller.rate for caller in callers) or any(issuer.use is Use.ONCE for issuer in config.issuers):
            shared.open()

    def admit(self, method: str, presented: Presented) -> Caller:
        """Who calls, when they may call this rpc now.

        Raises Unauthenticated, Forbidden, RateExceeded, or StateUnavailable when it cannot be known.
        """
        caller = self._anybody or self._known(presented)
        right = RIGHT_OF.get(method)
        if right is None:
            raise Forbidden(f"nobody may call {method} here")
        if right not in caller.rights:
            raise Forbidden(f"`{caller.name}` has no right `{right.value}`, which {method} needs")
        self.spend(caller)
        return caller

    def spend(self, caller: Caller) -> None:
        """Takes one call of the caller's rate, such as for a further message of a stream. Raises RateExceeded."""
        if caller.rate is None:
            return
        wait = self._shared.take(caller.name, caller.rate, max(1.0, caller.rate), self._clock())
        if wait:
            raise RateExceeded(f"more than {caller.rate:g} calls in a second", wait)

    def _known(self, presented: Presented) -> Caller:
        """The caller whom token and certificate name; where both name one it must be the same."""
        found = {self._by_certificate[name] for name in presented.names if name in self._by_certificate}
        if presented.token is not None:
            shown = self._verifier.verify(presented.token)
            caller = self._by_token.get((shown.issuer, shown.subject))
            if caller is None:
                raise Unauthenticated("subject-unknown")
            found.add(caller)
        elif not found:
            raise Unauthenticated("certificate-unknown" if presented.names else "nothing-shown")
        if len(found) > 1:
            raise Unauthenticated("callers-differ")
        return found.pop()


def bearer_token(shown: Sequence[str]) -> str | None:
    """The token among what a call shows as `authorization`; None when it shows nothing. Raises Unauthenticated."""
    if not shown:
        return None
    scheme, _, token = shown[0].partition(" ")
    if len(shown) > 1 or scheme.lower() != "bearer":
        raise Unauthenticated("no-bearer-token")
    return token.strip()


def _caller(settings: CallerSettings, config: Config) -> Caller:
    return Caller(settings.name, settings.rights, config.rate if settings.rate is None else settings.rate)
