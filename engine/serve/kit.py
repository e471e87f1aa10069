"""What is made once for a served ruleset, and kept of what was answered by it: from pieces of requests to replies."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from engine.decide.answers import MISSING, Answers, GivenValue, Order, Unanswered, plain_number
from engine.decide.canonical import outcome_bytes
from engine.decide.decision import Outcome
from engine.pb.v1 import triage_pb2 as pb
from engine.record.entry import Receipt
from engine.rules.canonical import canonical_json
from engine.serve.asked import Pieces
from engine.serve.convert import receipt_message, reference
from engine.serve.kept import Kept
from engine.serve.registry import Served
from engine.serve.respond import OUTCOMES, Responder
from engine.serve.wire import part

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86400
"""Seconds."""
MICROSECOND = 1000
"""Nanoseconds."""
MOST_VALUES = 1024
"""Different answers to one question of which it is kept how they are written."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A response in bytes, and which version of which ruleset made it."""

    message: bytes
    ruleset: str
    version: str

    def with_receipt(self, receipt: Receipt) -> Reply:
        """The same, once it is recorded."""
        message = self.message + part(pb.EvaluateResponse, receipt=receipt_message(receipt))
        return replace(self, message=message)


class Kit:
    """Safe to share between threads."""

    def __init__(self, served: Served) -> None:
        self._checked = checked = served.evaluator.checked
        self.pieces = Pieces(checked.ruleset)
        self.written = WrittenAnswers(served.evaluator.order).json
        self.responders = {language: Responder(checked, language) for language in served.languages}
        self._begins = {
            language: part(pb.EvaluateResponse, ruleset=reference(served.evaluator), language=language)
            for language in served.languages
        }
        self._digests: Kept[Outcome, tuple[bytes, str]] = Kept(OUTCOMES)

    def digested(self, outcome: Outcome) -> tuple[bytes, str]:
        """The canonical bytes of an outcome, and their digest."""
        known = self._digests.get(outcome)
        if known is None:
            kept = outcome_bytes(self._checked, outcome)
            known = self._digests.keep(outcome, (kept, hashlib.sha256(kept).hexdigest()))
        return known

    def reply(self, envelope: pb.EvaluateResponse, language: str, time: datetime, told: bytes) -> Reply:
        """A response: what is its own, the time, which ruleset decided, and what a responder tells."""
        since = time - EPOCH
        envelope.decide_time.seconds = since.days * DAY + since.seconds
        envelope.decide_time.nanos = since.microseconds * MICROSECOND
        message = b"".join((envelope.SerializeToString(), self._begins[language], told))
        ruleset = self._checked.ruleset
        return Reply(message, ruleset.id, ruleset.version)


class WrittenAnswers:
    """Writes answers to one ruleset as the log keeps them: joined from what each says, which is written once."""

    def __init__(self, order: Order) -> None:
        names = sorted(order.places)
        self._order = order
        self._sorted = order.picking(names)
        self._members = [_Members(name) for name in names]

    def json(self, answers: Answers) -> bytes:
        """Question to text, number as text, list of options in the order of the ruleset, or null for unknown."""
        row = self._sorted(self._order.place(answers).row)
        members = [known[value] for known, value in zip(self._members, row, strict=True)]
        return f"{{{','.join(filter(None, members))}}}".encode()


class _Members(Kept[GivenValue | Unanswered, str]):
    """What the answers to one question are in the object; nothing where it is missing."""

    def __init__(self, question: str) -> None:
        super().__init__(MOST_VALUES)
        self._question = question

    def __missing__(self, value: GivenValue | Unanswered) -> str:
        said: object
        if isinstance(value, Unanswered):
            if value is MISSING:
                return self.keep(value, "")
            said = None
        else:
            said = value if isinstance(value, tuple) else plain_number(value)
        return self.keep(value, canonical_json({self._question: said}).decode()[1:-1])
