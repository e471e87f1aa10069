"""What EHRs send, read strictly where we need it: everything that is wrong at once. All other members are ignored.

The fields of violations are paths in the JSON that came, such as `context.patientId`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from engine.errors import Violation
from engine.pb.v1 import triage_pb2 as pb
from engine.serve.errors import InvalidRequest
from engine.serve.fhir.names import Coding

Json: TypeAlias = dict[str, Any]

FHIR_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
CLINICIANS = ("Practitioner/", "PractitionerRole/")
"""Users for whom a decision is on record. A patient who is the user is not named in clear."""
MOST = 100
"""Feedbacks in one call: each is made durable."""
VERDICTS: Mapping[object, pb.FeedbackVerdict] = {
    "accepted": pb.FEEDBACK_VERDICT_ACCEPTED,
    "overridden": pb.FEEDBACK_VERDICT_OVERRIDDEN,
}


@dataclass(frozen=True, slots=True)
class HookCall:
    """One call of a service. `patient` is a FHIR id; `prefetch` is empty where none came."""

    instance: UUID
    patient: str
    on_behalf_of: str = ""
    prefetch: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CardFeedback:
    """What somebody did with one card.

    `at` is its path in the call, `time` is in UTC and the EHR's; `reason_text` is what the EHR calls the reason.
    """

    at: str
    card: UUID
    verdict: pb.FeedbackVerdict
    time: datetime
    suggestions: tuple[UUID, ...] = ()
    reason: Coding | None = None
    reason_text: str = ""
    comment: str = ""


def read_call(body: object, hook: str) -> HookCall:
    """A call of a service for this hook. Raises InvalidRequest."""
    if not isinstance(body, dict):
        raise InvalidRequest([Violation("", "wrong-type", "a call of a service is an object")])
    context = body.get("context")
    prefetch = body.get("prefetch")
    violations = []
    if body.get("hook") != hook:
        violations.append(Violation("hook", "wrong-hook", f"this service is for the hook `{hook}`"))
    instance = _uuid(body.get("hookInstance"))
    if instance is None:
        violations.append(Violation("hookInstance", "missing", "`hookInstance` is a UUID"))
    patient = _patient(context.get("patientId")) if isinstance(context, dict) else ""
    if not patient:
        violations.append(Violation("context.patientId", "missing", "`context.patientId` is the FHIR id of a patient"))
    if not isinstance(prefetch, dict | None):
        violations.append(Violation("prefetch", "wrong-type", "`prefetch` is an object"))
    if violations or instance is None:
        raise InvalidRequest(violations)
    user = context.get("userId") if isinstance(context, dict) else ""
    clinician = user if isinstance(user, str) and user.startswith(CLINICIANS) else ""
    return HookCall(instance, patient, clinician, prefetch or {})


def patient_id(reference: object) -> str:
    """The FHIR id of a patient out of `Patient/1`, an address that ends like it, or a bare id; empty for any other."""
    said = reference.rpartition("/")[2].removeprefix("urn:uuid:") if isinstance(reference, str) else ""
    return said if FHIR_ID.fullmatch(said) else ""


def _patient(said: object) -> str:
    """As `patient_id`, of what a context may say."""
    bare = said.removeprefix("Patient/") if isinstance(said, str) else ""
    return "" if "/" in bare else patient_id(bare)


def read_feedback(body: object) -> tuple[list[CardFeedback], list[Violation]]:
    """What people did with cards, and what is wrong with the others. Raises InvalidRequest where it is no such call."""
    entries = body.get("feedback") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        raise InvalidRequest([Violation("feedback", "missing", "`feedback` is an array")])
    if len(entries) > MOST:
        raise InvalidRequest([Violation("feedback", "too-many", f"at most {MOST} feedbacks are taken in one call")])
    good: list[CardFeedback] = []
    violations: list[Violation] = []
    for number, entry in enumerate(entries):
        read = _feedback(entry, f"feedback[{number}]")
        if isinstance(read, CardFeedback):
            good.append(read)
        else:
            violations.extend(read)
    return good, violations


def _feedback(entry: object, at: str) -> CardFeedback | list[Violation]:
    if not isinstance(entry, dict):
        return [Violation(at, "wrong-type", "a feedback is an object")]
    wrong: list[Violation] = []
    card, verdict, time = _uuid(entry.get("card")), VERDICTS.get(_text(entry, "outcome")), _time(entry)
    if card is None:
        wrong.append(Violation(f"{at}.card", "missing", "`card` is the UUID of a card"))
    if verdict is None:
        wrong.append(Violation(f"{at}.outcome", "unknown-value", "`outcome` is accepted or overridden"))
    if time is None:
        message = "`outcomeTimestamp` is a time in UTC, such as 2026-12-01T12:00:00Z"
        wrong.append(Violation(f"{at}.outcomeTimestamp", "missing", message))
    suggestions = tuple(_suggestions(entry.get("acceptedSuggestions")))
    if None in suggestions or (verdict == pb.FEEDBACK_VERDICT_ACCEPTED and not suggestions):
        message = "`acceptedSuggestions` has the `id` of each suggestion that was accepted"
        wrong.append(Violation(f"{at}.acceptedSuggestions", "missing", message))
    override = entry.get("overrideReason", {})
    reason = override.get("reason") if isinstance(override, dict) else None
    if not isinstance(override, dict) or not isinstance(reason, dict | None):
        wrong.append(Violation(f"{at}.overrideReason", "wrong-type", "an override reason is an object with a Coding"))
    if wrong or card is None or verdict is None or time is None:
        return wrong
    coding = Coding(_text(reason, "system"), _text(reason, "code")) if isinstance(reason, dict) else None
    known = tuple(each for each in suggestions if each is not None)
    said = _text(reason, "display") if isinstance(reason, dict) else ""
    return CardFeedback(at, card, verdict, time, known, coding, said, _text(override, "userComment"))


def _suggestions(said: object) -> Iterator[UUID | None]:
    for each in said if isinstance(said, list) else ():
        yield _uuid(each.get("id")) if isinstance(each, dict) else None


def _text(entry: Json, name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def _uuid(value: object) -> UUID | None:
    if not isinstance(value, str):
        return None
    try:
        uuid = UUID(value)
    except ValueError:
        return None
    return uuid if str(uuid) == value.lower().removeprefix("urn:uuid:") else None


def _time(entry: Json) -> datetime | None:
    try:
        time = datetime.fromisoformat(_text(entry, "outcomeTimestamp"))
        return None if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
