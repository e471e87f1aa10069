"""Is there a completed questionnaire in what the EHR prefetched? Each way of not having it has an answer of its own.

What is absent was not looked for, what is null was looked for and is not there, and an OperationOutcome is a search
that failed: only the second says anything about the patient. A part of a list is used, and not taken for the whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeAlias

from engine.errors import Violation
from engine.serve.errors import InvalidRequest
from engine.serve.fhir.answers import FINISHED, RESPONSE
from engine.serve.fhir.names import QUESTIONNAIRE, Json, canonical
from engine.serve.fhir.shape import MalformedResource, resource
from engine.serve.hooks.messages import patient_id

KEY = "intake"
COUNT = 5
QUERY = f"{RESPONSE}?patient={{{{context.patientId}}}}&status=completed,amended&_sort=-authored&_count={COUNT}"
"""Amended ones too: without them an older response would seem to be the newest."""
AT = f"prefetch.{KEY}"
DATE_TIME = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(T.+)?)?)?")
A_YEAR, A_MONTH, ONE_DAY, ZONES = timedelta(days=366), timedelta(days=31), timedelta(days=1), timedelta(hours=14)
"""The longest that these can last, and the widest difference between a local time and UTC."""


class Lack(Enum):
    """Why there is no completed questionnaire, when the EHR has looked."""

    NOTHING = "nothing"
    PERHAPS_ELSEWHERE = "perhaps_elsewhere"
    """None is in what was given, which is not all."""
    ORDER_UNKNOWN = "order_unknown"
    """There are several, and nothing tells which is the newest."""
    OTHER_VERSION = "other_version"
    """The newest is for a version that does not count now."""


@dataclass(frozen=True, slots=True)
class NotObtained:
    """The EHR did not look, or could not: nothing is known. `why` is for developers."""

    why: str


@dataclass(frozen=True, slots=True)
class Intake:
    """The newest completed questionnaire, and where it stands. `whole`: nothing was left out beside it."""

    response: Json
    at: str
    whole: bool

    @property
    def version(self) -> str:
        """The version of the questionnaire; empty where it is not told."""
        return str(self.response["questionnaire"]).partition("|")[2]

    @property
    def authored(self) -> str:
        """When it was filled in, as the EHR says it; empty where it does not."""
        return str(self.response.get("authored", ""))

    @property
    def latest(self) -> datetime | None:
        """When it was filled in at the latest."""
        span = _span(self.authored)
        return None if span is None else span[1]

    @property
    def told(self) -> str:
        """What tells it from others, without what was answered."""
        meta = self.response.get("meta")
        version = meta.get("versionId") if isinstance(meta, dict) else None
        return repr((self.response.get("id"), version, self.authored))


Found: TypeAlias = Intake | Lack | NotObtained


def find_intake(prefetch: Mapping[str, object], ruleset: str, base: str, patient: str) -> Found:
    """The newest completed response of this patient to the questionnaire of a ruleset.

    Raises MalformedResource for what is no FHIR, and InvalidRequest where a response is about somebody else.
    """
    if KEY not in prefetch:
        return NotObtained(f"the prefetch `{KEY}` is missing, and this service fetches nothing itself")
    given = prefetch[KEY]
    kind = given.get("resourceType") if isinstance(given, dict) else None
    if isinstance(given, str) or kind == "OperationOutcome":
        return NotObtained(f"the prefetch `{KEY}` failed at the EHR")
    if given is None:
        return Lack.NOTHING
    if not isinstance(given, dict) or kind not in ("Bundle", RESPONSE):
        message = f"`{KEY}` is a Bundle or a {RESPONSE}"
        raise MalformedResource([Violation(AT, "not-fhir", message)])
    whole = kind == RESPONSE or _is_whole(given)
    entries = [(given, AT)] if kind == RESPONSE else [*_entries(given)]
    url = canonical(base, QUESTIONNAIRE, ruleset)
    ours = [(each, at) for each, at in entries if str(each.get("questionnaire", "")).partition("|")[0] == url]
    for each, at in ours:
        subject = each.get("subject")
        reference = subject.get("reference") if isinstance(subject, dict) else None
        if reference and patient_id(reference) != patient:
            message = "this response is about somebody else than `context.patientId`"
            raise InvalidRequest([Violation(f"{at}.subject", "wrong-patient", message)])
    finished = [(each, at) for each, at in ours if each.get("status") in FINISHED]
    if not finished:
        return Lack.NOTHING if whole else Lack.PERHAPS_ELSEWHERE
    newest = _newest(finished)
    if newest is None:
        return Lack.ORDER_UNKNOWN
    response, at = newest
    return Intake(resource(response, RESPONSE, at=at), at, whole)


def _entries(bundle: Json) -> Iterator[tuple[Json, str]]:
    """The responses of a Bundle."""
    for number, each in enumerate(_list(bundle.get("entry"))):
        inside = each.get("resource") if isinstance(each, dict) else None
        if isinstance(inside, dict) and inside.get("resourceType") == RESPONSE:
            yield inside, f"{AT}.entry[{number}].resource"


def _is_whole(bundle: Json) -> bool:
    """Whether a Bundle says nothing of more: another page, a greater total, a full page, entries that are not there."""
    linked = any(isinstance(each, dict) and each.get("relation") == "next" for each in _list(bundle.get("link")))
    kinds = [_kind(each) for each in _list(bundle.get("entry"))]
    found = kinds.count(RESPONSE)
    total = bundle.get("total")
    more = total > found if isinstance(total, int) else found >= COUNT
    return not linked and not more and None not in kinds and "OperationOutcome" not in kinds


def _kind(entry: object) -> object:
    inside = entry.get("resource") if isinstance(entry, dict) else None
    return inside.get("resourceType") if isinstance(inside, dict) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _newest(responses: list[tuple[Json, str]]) -> tuple[Json, str] | None:
    """The response that was certainly authored last; None where that cannot be told."""
    if len(responses) == 1:
        return responses[0]
    spans = [_span(each.get("authored")) for each, _ in responses]
    known = [each for each in spans if each is not None]
    if len(known) < len(spans):
        return None
    latest = max(known)
    others = [each for each in known if each is not latest]
    if any(end >= latest[0] for _, end in others):
        return None
    return responses[known.index(latest)]


def _span(authored: object) -> tuple[datetime, datetime] | None:
    """Between which times a FHIR dateTime lies, both included; None for what is none. A day may be in any zone."""
    found = DATE_TIME.fullmatch(authored) if isinstance(authored, str) else None
    if found is None:
        return None
    year, month, day, time = found.groups()
    try:
        if time:
            exact = datetime.fromisoformat(str(authored))
            return None if exact.tzinfo is None else (exact, exact)
        first = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
        return first - ZONES, first + (ONE_DAY if day else A_MONTH if month else A_YEAR) + ZONES
    except (ValueError, OverflowError):
        return None
