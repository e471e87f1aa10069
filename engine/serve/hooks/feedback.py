"""What people did with cards goes into the decision log, each feedback once.

A feedback is known again by card, outcome and time, which stand in the entry as who gave it: an EHR sends the same
feedback again when it is not sure that it came. Between two processes that get it at the same moment it may be recorded
twice, which changes nothing: of one decision the newest counts.

Feedback on the card of the programme is about the programme alone: its reason code begins with `programme_`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from engine.errors import Violation
from engine.pb.v1 import triage_pb2 as pb
from engine.record.entry import timestamp
from engine.record.feedback import PROGRAMME
from engine.serve.calls import Call
from engine.serve.config import Right
from engine.serve.errors import InvalidRequest, UnknownDecision
from engine.serve.hooks.identity import Kind, accepted_programmes, decision_id
from engine.serve.hooks.messages import CardFeedback, read_feedback
from engine.serve.hooks.services import words
from engine.serve.service import TriageService

UNSAID, FOREIGN = "not_said", "another_reason"
"""The reason codes for no reason, and for one that is not among ours."""
_RECORDING = threading.Lock()
"""Between looking whether a feedback is there and recording it."""


@dataclass(frozen=True, slots=True)
class About:
    """The card that a feedback is on."""

    decision: UUID
    kind: Kind


def record_all(service: TriageService, body: object, call: Call, own_system: str) -> None:
    """Records every feedback of a call that can be; returns when they are durable.

    `own_system` is the code system of our override reasons. Raises InvalidRequest for those that are wrong, and
    UnknownDecision where the only fault is that a card is not known: the others are recorded, and may come again.
    """
    entries, violations = read_feedback(body)
    unknown = []
    for entry in entries:
        call.check_wanted()
        try:
            _record(service, entry, call, own_system)
        except UnknownDecision:
            unknown.append(Violation(f"{entry.at}.card", "unknown-card", "no decision has this card"))
        except InvalidRequest as error:
            violations.extend(_placed(error.violations, entry.at))
    if violations:
        raise InvalidRequest([*violations, *unknown])
    if unknown:
        told = ", ".join(each.field for each in unknown)
        raise UnknownDecision(f"no decision with these cards was recorded here: {told}")


def _record(service: TriageService, entry: CardFeedback, call: Call, own_system: str) -> None:
    about = _about(service, entry.card, call)
    given_by = f"card {entry.card} {timestamp(entry.time)}"
    request = pb.RecordFeedbackRequest(
        decision_id=str(about.decision),
        verdict=entry.verdict,
        reason_code=_reason_code(entry, about.kind, own_system),
        remark="; ".join(_remarks(entry, about, own_system)),
        given_by=given_by,
    )
    with _RECORDING:
        known = service.GetDecision(pb.GetDecisionRequest(decision_id=request.decision_id), call)
        # Whether a stranger's feedback is known is not told either: RecordFeedback refuses it.
        own = known.record.caller == call.caller.name or Right.AUDIT in call.caller.rights
        if not own or (given_by, entry.verdict) not in ((each.given_by, each.verdict) for each in known.feedback):
            service.RecordFeedback(request, call)


def _about(service: TriageService, card: UUID, call: Call) -> About:
    """The decision of a card, whichever kind of card it is. Raises UnknownDecision."""
    for kind in Kind:
        decision = decision_id(card, kind)
        with suppress(UnknownDecision):
            service.GetDecision(pb.GetDecisionRequest(decision_id=str(decision)), call)
            return About(decision, kind)
    raise UnknownDecision("no decision has this card")


def _reason_code(entry: CardFeedback, kind: Kind, own_system: str) -> str:
    """Our own code, if it is one; for all other reasons one code, as codes stand in clear."""
    known = words("en")["programme_reasons" if kind is Kind.PROGRAMME else "override_reasons"]
    if entry.verdict == pb.FEEDBACK_VERDICT_ACCEPTED:
        return f"{PROGRAMME}accepted" if kind is Kind.PROGRAMME else ""
    code = FOREIGN if entry.reason else UNSAID
    if entry.reason and entry.reason.system == own_system and entry.reason.code in known:
        code = entry.reason.code
    return f"{PROGRAMME}{code}" if kind is Kind.PROGRAMME else code


def _remarks(entry: CardFeedback, about: About, own_system: str) -> Iterator[str]:
    """What is sealed: which programmes were accepted, a reason of the EHR's own, and what somebody wrote."""
    if entry.verdict == pb.FEEDBACK_VERDICT_ACCEPTED:
        programmes = accepted_programmes(about.decision, entry.suggestions)
        if programmes is None:
            message = "a suggestion that was accepted is none of this decision"
            raise InvalidRequest([Violation("suggestions", "unknown-suggestion", message)])
        yield from (each.word for each in programmes)
    if entry.reason and entry.reason.system != own_system:
        yield entry.reason_text or entry.reason.code
    if entry.comment:
        yield entry.comment


PLACES = {"remark": "overrideReason.userComment", "suggestions": "acceptedSuggestions"}


def _placed(violations: tuple[Violation, ...], at: str) -> Iterator[Violation]:
    """Violations of what was recorded as violations of what came."""
    for each in violations:
        place = PLACES.get(each.field)
        yield Violation(f"{at}.{place}" if place else at, each.code, each.message)
