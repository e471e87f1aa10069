"""What people did with a decision: accepted or overridden, why and by whom; and how often each rule is overridden.

A decision may get feedback more than once; the newest counts. The remark may tell about the person: it is sealed with
the key of the decision, so that it is erased with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from engine.record.entry import EntryKind, Receipt, timestamp
from engine.record.reading import Opened, State
from engine.rules.canonical import canonical_json

FEWEST = 10
"""Decisions with feedback below which nothing is told about a rule: so few could be about one person."""


PROGRAMME = "programme_"
"""With this begin the reason codes of feedback on the proposed programme alone."""


class FeedbackVerdict(Enum):
    """What somebody did with a decision."""

    ACCEPTED = "accepted"
    OVERRIDDEN = "overridden"


@dataclass(frozen=True, slots=True)
class FeedbackDraft:
    """Feedback that is to be recorded. `time` is in UTC, to the millisecond; the texts may be empty."""

    decision_id: str
    time: datetime
    caller: str
    verdict: FeedbackVerdict
    reason_code: str
    remark: str
    given_by: str

    def payload(self) -> bytes:
        """What is sealed with the key of the decision."""
        return canonical_json({"remark": self.remark})

    def clear(self) -> dict[str, object]:
        """What may be read without keys."""
        return {
            "kind": EntryKind.FEEDBACK.value,
            "decision_id": self.decision_id,
            "time": timestamp(self.time),
            "caller": self.caller,
            "verdict": self.verdict.value,
            "reason_code": self.reason_code,
            "given_by": self.given_by,
        }


@dataclass(frozen=True, slots=True)
class Feedback:
    """Feedback as the log has it. `remark` is empty where there was none, or where it cannot be read any more."""

    decision_id: str
    time: datetime
    verdict: FeedbackVerdict
    reason_code: str
    remark: str
    given_by: str
    receipt: Receipt

    @property
    def about_programme(self) -> bool:
        """Whether it is about the proposed programme alone."""
        return self.reason_code.startswith(PROGRAMME)


def read_feedback(opened: Opened) -> Feedback:
    """The feedback in an entry of that kind."""
    clear, entry = opened.clear, opened.entry
    return Feedback(
        decision_id=opened.decision_id,
        time=datetime.fromisoformat(clear["time"]),
        verdict=FeedbackVerdict(clear["verdict"]),
        reason_code=clear["reason_code"],
        remark=str(opened.sealed.get("remark", "")),
        given_by=clear["given_by"],
        receipt=Receipt(entry.writer, entry.sequence, entry.hash),
    )


@dataclass(frozen=True, slots=True)
class OverrideRate:
    """How often decisions in which a rule was true were overridden, of those with feedback.

    Both numbers are None where fewer than FEWEST decisions have feedback.
    """

    ruleset: str
    rule: str
    decisions: int | None
    overridden: int | None

    @property
    def rate(self) -> float | None:
        """Between 0 and 1; None where the numbers are too small to be told."""
        return None if self.decisions is None or self.overridden is None else self.overridden / self.decisions


def override_rates(feedback: Iterable[Opened], decisions: Iterable[Opened]) -> tuple[OverrideRate, ...]:
    """The rate for each rule that was true in a decision with feedback, by ruleset and rule.

    Feedback on the proposed programme alone says nothing of the rules that led to the disposition.
    Entries of other kinds are passed over. A decision that cannot be read any more does not count.
    """
    newest: dict[str, Feedback] = {}
    for each in feedback:
        if each.kind is not EntryKind.FEEDBACK:
            continue
        read = read_feedback(each)
        if read.about_programme:
            continue
        before = newest.get(read.decision_id)
        if before is None or _order(before) < _order(read):
            newest[read.decision_id] = read
    counted: dict[tuple[str, str], list[int]] = {}
    for decision in decisions:
        if decision.kind is not EntryKind.DECISION or decision.state is not State.OPEN:
            continue
        judged = newest.get(decision.decision_id)
        if judged is None:
            continue
        for rule in json.loads(decision.outcome)["rules"]:
            count = counted.setdefault((decision.ruleset.id, rule), [0, 0])
            count[0] += 1
            count[1] += judged.verdict is FeedbackVerdict.OVERRIDDEN
    return tuple(_rates(counted))


def _order(feedback: Feedback) -> tuple[datetime, str, int]:
    """By when two feedbacks on one decision follow each other; of one moment, the one further on in its chain."""
    return feedback.time, feedback.receipt.writer, feedback.receipt.sequence


def _rates(counted: dict[tuple[str, str], list[int]]) -> Iterator[OverrideRate]:
    for (ruleset, rule), (decisions, overridden) in sorted(counted.items()):
        told = decisions >= FEWEST
        yield OverrideRate(ruleset, rule, decisions if told else None, overridden if told else None)
