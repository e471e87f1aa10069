"""One decision as it is kept: what the service hands over, the bytes that are chained, and the receipt."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from engine.rules.canonical import canonical_json

PREFIX = b"pluis/entry/v1\n"
"""What is hashed begins with this, so that nothing else that is hashed can be passed off as an entry."""
BEGINNING = "0" * 64
"""The hash before the first entry of a writer."""
MAC_PREFIX = b"pluis/mac/v1\n"


class EntryKind(Enum):
    """What an entry is about."""

    DECISION = "decision"
    FEEDBACK = "feedback"
    ERASURE = "erasure"
    PURGE = "purge"


@dataclass(frozen=True, slots=True)
class RulesetKey:
    """The ruleset by which was decided."""

    id: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A decision that is to be recorded. `time` is in UTC, to the millisecond.

    `answers` and `outcome` are canonical JSON. Answers are question to text, number as text, list of options, or null
    for unknown; `decision_digest` is the SHA-256 of the outcome. `respondent` is patient, proxy, therapist or empty,
    `subject` an opaque reference or empty.
    """

    decision_id: str
    request_id: str
    time: datetime
    caller: str
    on_behalf_of: str
    respondent: str
    subject: str
    language: str
    ruleset: RulesetKey
    answers: bytes
    outcome: bytes
    decision_digest: str
    engine: str

    def payload(self) -> bytes:
        """What is sealed: answers, outcome and subject, as canonical JSON."""
        rest = canonical_json({"outcome": self.outcome.decode(), "subject": self.subject})
        return b'{"answers":' + self.answers + b"," + rest.removeprefix(b"{")

    def clear(self) -> dict[str, object]:
        """What may be read without keys: no answer, no outcome, no subject."""
        return {
            "kind": EntryKind.DECISION.value,
            "decision_id": self.decision_id,
            "request_id": self.request_id,
            "time": timestamp(self.time),
            "caller": self.caller,
            "on_behalf_of": self.on_behalf_of,
            "respondent": self.respondent,
            "language": self.language,
            "ruleset": {"id": self.ruleset.id, "version": self.ruleset.version, "digest": self.ruleset.digest},
            "decision_digest": self.decision_digest,
            "engine": self.engine,
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of a writer's chain. `body` is canonical JSON, `payload` sealed and may be empty; hashes are hex."""

    writer: str
    sequence: int
    body: bytes
    payload: bytes
    previous: str
    hash: str
    mac: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a caller gets for a decision that was recorded: where it stands, and the hash that it must have there."""

    writer: str
    sequence: int
    hash: str


def chain(writer: str, sequence: int, body: bytes, payload: bytes, previous: str, mac_key: bytes) -> Entry:
    """The next entry of a writer's chain."""
    digest = entry_hash(writer, sequence, body, payload, previous)
    return Entry(writer, sequence, body, payload, previous, digest, entry_mac(digest, mac_key))


def entry_hash(writer: str, sequence: int, body: bytes, payload: bytes, previous: str) -> str:
    """The hash over all that an entry says and over the hash of the entry before it, 64 hexadecimal digits.

    The payload counts as it is sealed: to destroy its key leaves the chain whole.
    """
    head = f"{writer}\n{sequence}\n{previous}\n".encode()
    parts = hashlib.sha256(body).digest() + hashlib.sha256(payload).digest()
    return hashlib.sha256(PREFIX + head + parts).hexdigest()


def entry_mac(digest: str, mac_key: bytes) -> str:
    """The code that only a holder of the key can make for a hash, 64 hexadecimal digits."""
    return hmac.new(mac_key, MAC_PREFIX + digest.encode(), hashlib.sha256).hexdigest()


def timestamp(time: datetime) -> str:
    """A time in UTC, to the millisecond.

    >>> timestamp(datetime(2026, 11, 22, 9, 30, 0, 120000, tzinfo=UTC))
    '2026-11-22T09:30:00.120Z'
    """
    return time.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
