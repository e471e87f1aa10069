"""Who signed what: one form of statement for rulesets, certificates and bundles, and why a signature does not count.

A statement is signed as `PREFIX` and its canonical JSON. Nothing that a statement says of its signer is believed: the
trust list says whose a key is, in which role, and from when to when. All is pure: the day is an argument.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from itertools import product
from typing import Final

from engine.rules import ed25519
from engine.rules.canonical import canonical_json, digest_of
from engine.rules.model import APPROVING, CheckedRuleset, Role
from engine.rules.source import NOWHERE, Span

PREFIX: Final = b"pluis/statement/v1\n"
"""What is signed begins with this, so that no signature made for something else can be passed off as one of ours."""


class Kind(Enum):
    """What a digest is the digest of."""

    RULESET = "ruleset"
    CERTIFICATE = "certificate"
    BUNDLE = "bundle"


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody signs: that they stand for the content with this digest. `when` is in UTC, to the second."""

    digest: str
    kind: Kind
    who: str
    role: Role
    when: datetime
    remarks: str

    def __post_init__(self) -> None:
        if self.when.utcoffset() != timedelta(0) or self.when.microsecond:
            raise ValueError("`when` must be a time in UTC, to the second")

    def content(self) -> dict[str, str]:
        """The statement as the values of a JSON object."""
        return {
            "digest": self.digest,
            "kind": self.kind.value,
            "who": self.who,
            "role": self.role.value,
            "when": self.when.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z",
            "remarks": self.remarks,
        }

    def message(self) -> bytes:
        """The bytes that are signed."""
        return PREFIX + canonical_json(self.content())

    def __str__(self) -> str:
        return f"`{self.who}` ({self.role.value}) on {self.when.date()}"


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement with the id of a key and a signature in base64. Nothing is known yet about whether it counts."""

    statement: Statement
    key: str
    signature: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """Whose a public key is, and when it may sign: from its first day up to and without its last (None: open).

    From the day it is `revoked` nothing counts that it ever signed: whoever has a stolen key writes any date.
    """

    public: bytes
    who: str
    role: Role
    valid_from: date
    valid_until: date | None = None
    revoked: date | None = None

    @property
    def id(self) -> str:
        return ed25519.key_id(self.public)


@dataclass(frozen=True, slots=True)
class TrustList:
    """The keys that count, by their ids."""

    keys: Mapping[str, TrustedKey] = field(default_factory=dict)


class FaultKind(Enum):
    """Why a signature does not count, as far as there are different things to do about it; the first weighs most."""

    NOT_VALID = "not_valid"
    OTHER_CONTENT = "other_content"
    UNKNOWN_KEY = "unknown_key"


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason why a signature does not count; `message` goes on from "it ..."."""

    kind: FaultKind
    message: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A signature that does not count, with every reason."""

    signed: Signed
    faults: tuple[Fault, ...]

    @property
    def kind(self) -> FaultKind:
        """The kind of the gravest fault."""
        kinds = {fault.kind for fault in self.faults}
        return next(kind for kind in FaultKind if kind in kinds)

    def __str__(self) -> str:
        return f"{self.signed.statement}: it {', and '.join(fault.message for fault in self.faults)}"


@dataclass(frozen=True, slots=True)
class Examined:
    """Signatures after they were looked at: those that count, and those that do not."""

    valid: tuple[Signed, ...] = ()
    refused: tuple[Refused, ...] = ()


class Status(Enum):
    """How far a version of a ruleset is: derived, not written."""

    DRAFT = "draft"
    APPROVED = "approved"
    RETIRED = "retired"


def sign(statement: Statement, secret: bytes) -> Signed:
    """The statement, signed."""
    signature = ed25519.sign(secret, statement.message())
    return Signed(statement, ed25519.key_id(ed25519.public_of(secret)), ed25519.to_base64(signature))


def examine(signed: Iterable[Signed], trust: TrustList, digest: str, kind: Kind, day: date) -> Examined:
    """Which signatures count on a day for the content with this digest, and why the others do not."""
    valid, refused = [], []
    for each in signed:
        faults = (*_faults_of_content(each, digest, kind, day), *_faults_of_signer(each, trust, day))
        if faults:
            refused.append(Refused(each, faults))
        else:
            valid.append(each)
    return Examined(tuple(valid), tuple(refused))


def _faults_of_content(signed: Signed, digest: str, kind: Kind, day: date) -> Iterable[Fault]:
    statement = signed.statement
    if statement.digest != digest:
        yield Fault(FaultKind.OTHER_CONTENT, "was signed for another content")
    if statement.kind is not kind:
        yield Fault(FaultKind.NOT_VALID, f"was signed as a {statement.kind.value}, not as a {kind.value}")
    if statement.when.date() > day:
        yield Fault(FaultKind.NOT_VALID, "was signed in the future")


def _faults_of_signer(signed: Signed, trust: TrustList, day: date) -> Iterable[Fault]:
    statement = signed.statement
    signature = ed25519.from_base64(signed.signature, ed25519.SIGNATURE_SIZE)
    if signature is None:
        yield Fault(FaultKind.NOT_VALID, "has no signature that can be read")
    key = trust.keys.get(signed.key)
    if key is None:
        yield Fault(FaultKind.UNKNOWN_KEY, f"was signed with the key `{signed.key}`, which is not in the trust list")
        return
    if signature is not None and not ed25519.verify(key.public, signature, statement.message()):
        yield Fault(FaultKind.NOT_VALID, "does not fit its signature: it was changed, or signed with another key")
    if key.who != statement.who:
        yield Fault(FaultKind.NOT_VALID, f"was signed with the key of `{key.who}`")
    if key.role is not statement.role:
        yield Fault(FaultKind.NOT_VALID, f"was signed with a key for the role {key.role.value}")
    if key.revoked is not None and key.revoked <= day:
        yield Fault(FaultKind.NOT_VALID, f"was signed with a key that was revoked on {key.revoked}")
    if statement.when.date() < key.valid_from:
        yield Fault(FaultKind.NOT_VALID, f"was signed before its key was valid, from {key.valid_from}")
    if key.valid_until is not None and key.valid_until <= statement.when.date():
        yield Fault(FaultKind.NOT_VALID, f"was signed when its key was not valid any more, from {key.valid_until}")


def missing_roles(valid: Sequence[Signed]) -> tuple[Role, ...]:
    """The roles in which somebody has to sign yet; all of them when no two people with two keys signed."""
    by_role = {role: [each for each in valid if each.statement.role is role] for role in APPROVING}
    missing = tuple(role for role, found in by_role.items() if not found)
    if missing:
        return missing
    apart = any(
        len({each.key for each in them}) == len({_person(each) for each in them}) == len(them)
        for them in product(*by_role.values())
    )
    return () if apart else APPROVING


def _person(signed: Signed) -> str:
    """One person is not two by other capitals, spaces, or another way to write an accent."""
    return " ".join(unicodedata.normalize("NFKC", signed.statement.who).casefold().split())


def status_of(checked: CheckedRuleset, valid: Sequence[Signed], day: date) -> Status:
    """Retired after its period, approved with a valid signature in each role by different people, a draft otherwise."""
    until = checked.ruleset.effective_until
    if until is not None and until <= day:
        return Status.RETIRED
    return Status.DRAFT if missing_roles(valid) else Status.APPROVED


def bundle_digest(hashes: Mapping[str, str]) -> str:
    """The digest of files: SHA-256 over their names and the SHA-256 of their contents, in the order of the names."""
    return digest_of([[name, hashes[name]] for name in sorted(hashes)])
