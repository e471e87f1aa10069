"""Two people with keys, made anew in each run, and what they sign; no key of anybody stands in a file."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime

from engine.rules import ed25519
from engine.rules.approval import Kind, Signed, Statement, TrustedKey, TrustList, sign
from engine.rules.model import Role

WHEN = datetime(2026, 6, 15, 9, 30, tzinfo=UTC)
DAY = date(2026, 7, 1)


@dataclass(frozen=True)
class Person:
    """Somebody with a key of their own."""

    who: str
    role: Role
    secret: bytes

    def trusted(self, first: date = date(2026, 1, 1), last: date | None = date(2028, 1, 1)) -> TrustedKey:
        return TrustedKey(ed25519.public_of(self.secret), self.who, self.role, first, last)

    def states(self, digest: str, kind: Kind = Kind.RULESET, when: datetime = WHEN, remarks: str = "Read") -> Statement:
        return Statement(digest, kind, self.who, self.role, when, remarks)

    def signs(self, digest: str, kind: Kind = Kind.RULESET) -> Signed:
        return sign(self.states(digest, kind), self.secret)


def person(who: str, role: Role) -> Person:
    return Person(who, role, secrets.token_bytes(ed25519.SECRET_SIZE))


GP = person("A. Jansen", Role.GP)
PT = person("Zoë de Vries", Role.PHYSIOTHERAPIST)


def trusting(*keys: TrustedKey) -> TrustList:
    return TrustList({key.id: key for key in keys})


TRUST = trusting(GP.trusted(), PT.trusted())
