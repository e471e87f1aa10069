"""HL7's logical models of CDS Hooks 2.0.1 and their invariants, restated: what is wrong with a message, in words.

The models are CDSHooksServices, CDSHooksRequest, CDSHooksResponse and CDSHooksFeedback; the invariants are cds-r-1, 2,
cds-resp-1 to 7 and cds-fb-1 to 3. Beside them stands what only the text of the specification demands: summaries below
140 characters, codings with their system, and that nothing optional is null or empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from jsonschema import Draft202012Validator

Json = dict[str, Any]
TEXT = {"type": "string", "minLength": 1}
UUID_TEXT = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
URL = {"type": "string", "pattern": "^https?://[^ ]+$"}
EXTENSION = {"type": "object", "minProperties": 1}


def closed(required: tuple[str, ...], **members: Json) -> Json:
    return {
        "type": "object",
        "required": [*required],
        "properties": members | {"extension": EXTENSION},
        "additionalProperties": False,
    }


def many(items: Json, least: int = 1) -> Json:
    return {"type": "array", "items": items, "minItems": least}


CODING = closed(("code", "system"), code=TEXT, system=URL, display=TEXT)
ACTION = closed(
    ("type",),
    type={"enum": ["create", "update", "delete"]},
    description=TEXT,
    resource={"type": "object", "required": ["resourceType"]},
    resourceId=TEXT,
)
SUGGESTION = closed(
    ("label",),
    label=TEXT,
    uuid=UUID_TEXT,
    isRecommended={"type": "boolean"},
    actions=many(ACTION),
    actionSelectionBehavior={"type": "string"},
)
LINK = closed(
    ("label", "url", "type"),
    label=TEXT,
    url=URL,
    type={"enum": ["absolute", "smart"]},
    appContext=TEXT,
    autolaunchable={"type": "boolean"},
)
CARD = closed(
    ("summary", "indicator", "source"),
    uuid=UUID_TEXT,
    summary=TEXT | {"maxLength": 139},
    detail=TEXT,
    indicator={"enum": ["info", "warning", "critical"]},
    source=closed(("label",), label=TEXT, url=URL, icon=URL, topic=CODING),
    suggestions=many(SUGGESTION),
    selectionBehavior={"enum": ["at-most-one", "any"]},
    overrideReasons=many(CODING),
    links=many(LINK),
)
RESPONSE = closed(("cards",), cards=many(CARD, 0), systemActions=many(ACTION))
SERVICE = closed(
    ("hook", "id", "description"),
    hook=TEXT,
    title=TEXT,
    id=TEXT,
    description=TEXT,
    usageRequirements=TEXT,
    prefetch={"type": "object", "minProperties": 1, "additionalProperties": TEXT},
    version={"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},  # of 3.0; others ignore it
)
SERVICES = closed(("services",), services=many(SERVICE, 0))
AUTHORISATION = closed(
    ("access_token", "token_type", "expires_in", "scope", "subject"),
    access_token=TEXT,
    token_type={"const": "Bearer"},
    expires_in={"type": "integer"},
    scope=TEXT,
    subject=TEXT,
    patient=TEXT,
)
REQUEST = closed(
    ("hook", "hookInstance", "context"),
    hook=TEXT,
    hookInstance=UUID_TEXT,
    fhirServer=URL,
    fhirAuthorization=AUTHORISATION,
    context={"type": "object", "required": ["userId", "patientId"]},
    prefetch={"type": "object"},
)
FEEDBACK = closed(
    ("feedback",),
    feedback=many(
        closed(
            ("card", "outcome", "outcomeTimestamp"),
            card=UUID_TEXT,
            outcome=TEXT,
            acceptedSuggestions=many(closed(("id",), id=UUID_TEXT)),
            overrideReason=closed((), reason=CODING, userComment=TEXT),
            outcomeTimestamp={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$"},
        ),
        0,
    ),
)


def response_faults(message: object) -> list[str]:
    """What is wrong with the answer of a service."""
    return [*_shape(RESPONSE, message)] or [*_response(message)]  # type: ignore[arg-type]  # it has the shape


def services_faults(message: object) -> list[str]:
    """What is wrong with the answer of discovery."""
    return [*_shape(SERVICES, message)]


def request_faults(message: object) -> list[str]:
    """What is wrong with a call of a service."""
    return [*_shape(REQUEST, message)] or [*_request(message)]  # type: ignore[arg-type]  # it has the shape


def feedback_faults(message: object) -> list[str]:
    """What is wrong with feedback."""
    return [*_shape(FEEDBACK, message)] or [*_feedback(message)]  # type: ignore[arg-type]  # it has the shape


def _shape(schema: Json, message: object) -> Iterator[str]:
    for error in Draft202012Validator(schema).iter_errors(message):
        yield f"{'.'.join(map(str, error.absolute_path))}: {error.validator}"
    yield from _empty(message, "")


def _empty(value: object, path: str) -> Iterator[str]:
    """Optional members are left out, never null or empty; `cards` and what was prefetched are the exceptions."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inside:
        place = f"{path}.{name}".removeprefix(".")
        if each is None and path != "prefetch":
            yield f"{place}: null"
        elif each in ("", [], {}) and place not in ("cards", "services", "feedback", "prefetch"):
            yield f"{place}: empty"
        else:
            yield from _empty(each, place)


def _response(message: Json) -> Iterator[str]:
    ids: list[str] = []
    for card in message["cards"]:
        suggestions = card.get("suggestions", ())
        recommended = [each for each in suggestions if each.get("isRecommended")]
        if card.get("selectionBehavior") == "at-most-one" and len(recommended) > 1:
            yield "cds-resp-1"
        if any("display" not in each for each in card.get("overrideReasons", ())):
            yield "cds-resp-4"
        if suggestions and "selectionBehavior" not in card:
            yield "cds-resp-6"
        for suggestion in suggestions:
            actions = suggestion.get("actions", ())
            if any("description" not in each for each in actions):
                yield "cds-resp-5"
            if suggestion.get("actionSelectionBehavior", "all") not in ("all", "any", "at-most-one"):
                yield "cds-resp-7"
            yield from _deleted(actions)
        for link in card.get("links", ()):
            if link["type"] != "smart" and "appContext" in link:
                yield "cds-resp-3"
        ids += [each["uuid"] for each in (card, *suggestions) if "uuid" in each]
    yield from _deleted(message.get("systemActions", ()))
    if len(ids) != len(set(ids)) or any(UUID(each).variant != UUID(int=1 << 63).variant for each in ids):
        yield "uuid"


def _deleted(actions: Any) -> Iterator[str]:
    for each in actions:
        if each["type"] == "delete" and ("resourceId" not in each or "resource" in each):
            yield "cds-resp-2"


def _request(message: Json) -> Iterator[str]:
    authorisation = message.get("fhirAuthorization")
    if authorisation and "fhirServer" not in message:
        yield "cds-r-1"
    if authorisation and "patient/" in authorisation["scope"].lower() and "patient" not in authorisation:
        yield "cds-r-2"


def _feedback(message: Json) -> Iterator[str]:
    for entry in message["feedback"]:
        if entry["outcome"] not in ("accepted", "overridden"):
            yield "cds-fb-1"
        if entry["outcome"] == "accepted" and "acceptedSuggestions" not in entry:
            yield "cds-fb-2"
        if "overrideReason" in entry and not entry["overrideReason"].keys() & {"reason", "userComment"}:
            yield "cds-fb-3"
