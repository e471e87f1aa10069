"""The restated model of HL7 refuses what it must: one example for each invariant and rule."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.serve.hooks.model import Json, feedback_faults, request_faults, response_faults, services_faults

ONE, TWO = "7f3c1e52-9d04-4b6a-8f21-0c5d7e9ab134", "7f3c1e52-9d04-4b6a-8f21-0c5d7e9ab135"
SUGGESTION = {
    "label": "a",
    "uuid": TWO,
    "isRecommended": True,
    "actions": [{"type": "create", "description": "b", "resource": {"resourceType": "CarePlan"}}],
}
CARD = {
    "summary": "a",
    "indicator": "info",
    "uuid": ONE,
    "source": {"label": "b"},
    "suggestions": [SUGGESTION],
    "selectionBehavior": "at-most-one",
    "overrideReasons": [{"code": "c", "system": "https://a.example", "display": "d"}],
    "links": [{"label": "a", "url": "https://a.example", "type": "absolute"}],
}
REQUEST = {
    "hook": "patient-view",
    "hookInstance": ONE,
    "fhirServer": "https://a.example",
    "fhirAuthorization": {
        "access_token": "a",
        "token_type": "Bearer",
        "expires_in": 3,
        "scope": "patient/*.read",
        "subject": "b",
        "patient": "1",
    },
    "context": {"userId": "Practitioner/1", "patientId": "1"},
    "prefetch": {"intake": None},
}
FEEDBACK = {"card": ONE, "outcome": "overridden", "outcomeTimestamp": "2026-12-01T12:00:00Z"}


def without(value: Json, name: str) -> Any:
    value.pop(name)


CARDS: dict[str, Callable[[Json], Any]] = {
    "cds-resp-1": lambda card: card["suggestions"].append(SUGGESTION | {"uuid": ONE[:-1] + "6"}),
    "cds-resp-2": lambda card: card["suggestions"][0]["actions"][0].update(type="delete"),
    "cds-resp-3": lambda card: card["links"][0].update(appContext="x"),
    "cds-resp-4": lambda card: without(card["overrideReasons"][0], "display"),
    "cds-resp-5": lambda card: without(card["suggestions"][0]["actions"][0], "description"),
    "cds-resp-6": lambda card: without(card, "selectionBehavior"),
    "cds-resp-7": lambda card: card["suggestions"][0].update(actionSelectionBehavior="some"),
    "uuid": lambda card: card.update(uuid=TWO),
    "cards.0.summary: maxLength": lambda card: card.update(summary="x" * 140),
    "cards.0.indicator: enum": lambda card: card.update(indicator="high"),
    "cards.0.source: required": lambda card: card.update(source={}),
    "cards.0.detail: empty": lambda card: card.update(detail=""),
    "cards.0.overrideReasons.0: required": lambda card: without(card["overrideReasons"][0], "system"),
    "cards.0: additionalProperties": lambda card: card.update(more=1),
    "cards.0.selectionBehavior: enum": lambda card: card.update(selectionBehavior="all"),
}


@pytest.mark.parametrize("fault", CARDS)
def test_a_wrong_card_is_found(fault: str) -> None:
    card = copy.deepcopy(CARD)
    assert response_faults({"cards": [card]}) == []
    CARDS[fault](card)
    assert fault in response_faults({"cards": [card]})


def test_nothing_to_say_is_right() -> None:
    assert response_faults({"cards": []}) == []
    assert response_faults({}) == [": required"]
    assert services_faults({"services": []}) == []


def test_a_wrong_service_is_found() -> None:
    service = {"hook": "patient-view", "id": "a", "description": "b"}
    assert services_faults({"services": [service]}) == []
    assert services_faults({"services": [service | {"prefetch": {}}]}) != []
    assert services_faults({"services": [{"hook": "patient-view", "id": "a"}]}) == ["services.0: required"]


def test_a_wrong_request_is_found() -> None:
    assert request_faults(REQUEST) == []
    assert request_faults({name: each for name, each in REQUEST.items() if name != "fhirServer"}) == ["cds-r-1"]
    request = copy.deepcopy(REQUEST)
    without(request["fhirAuthorization"], "patient")  # type: ignore[arg-type]  # it is an object
    assert request_faults(request) == ["cds-r-2"]


@pytest.mark.parametrize(
    ("fault", "members"),
    [
        ("cds-fb-1", {"outcome": "ignored"}),
        ("cds-fb-2", {"outcome": "accepted"}),
        ("cds-fb-3", {"overrideReason": {"extension": {"a.b": 1}}}),
        ("feedback.0.outcomeTimestamp: pattern", {"outcomeTimestamp": "2026-12-01T12:00:00+01:00"}),
    ],
)
def test_wrong_feedback_is_found(fault: str, members: Json) -> None:
    assert feedback_faults({"feedback": [FEEDBACK]}) == []
    assert fault in feedback_faults({"feedback": [FEEDBACK | members]})
