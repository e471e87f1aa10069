"""An EHR that opens a chart: the calls that it makes, and an adviser in process that answers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from engine.decide.answers import Given, given
from engine.pb.v1 import triage_pb2 as pb
from engine.serve.hooks.advising import Adviser
from engine.serve.hooks.prefetch import NotObtained
from tests.serve.fhir.conftest import BASE, TODAY, form, shelf_of
from tests.serve.fhir.written import respond, sent
from tests.serve.hooks.model import Json, request_faults, response_faults

SMALL = "small-patient-view"
PATIENT = "7f3c1e52-9d04-4b6a-8f21-0c5d7e9ab134"
NUMB = {"numb": given("yes")}
WELL = {"age": given("40"), "weeks": given("1"), "wants": given("strength")}
NOBODY: Mapping[str, Given] = {}


def forms(ruleset: str, language: str) -> str:
    return f"https://pluis.example/{language}?{ruleset}"


@cache
def adviser(ruleset: str, answer: Callable[[pb.EvaluateRequest], pb.EvaluateResponse] | None = None) -> Adviser:
    shelf = shelf_of(ruleset)
    return Adviser(shelf.registry.current(), answer or shelf.service.answer, shelf.config, BASE, forms, TODAY)


def call(prefetch: object, hook: str = "patient-view", **members: Any) -> Json:
    """A call as an EHR makes it; `prefetch` is the value of `intake`."""
    message = {
        "hook": hook,
        "hookInstance": str(uuid5(NAMESPACE_DNS, repr(prefetch))),
        "fhirServer": "https://ehr.example/fhir",
        "context": {"userId": "Practitioner/8", "patientId": PATIENT},
        "prefetch": {"intake": prefetch},
        "extension": {"com.example.whatever": True},
    } | members
    if message["context"] is not None and not members:
        assert request_faults(message) == []
    return message


def bundle(*resources: Json, **members: Any) -> Json:
    entries = [{"resource": each} for each in resources]
    found: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(entries), **members}
    return found | {"entry": entries} if entries else found


def intake(
    answers: Mapping[str, Given], *none_of: str, ruleset: str = "small", authored: str = "", **members: Any
) -> Json:
    """A completed questionnaire of the patient."""
    response = respond(form(ruleset), answers, none_of) | {"subject": {"reference": f"Patient/{PATIENT}"}}
    return response | ({"authored": authored} if authored else {}) | members


def advise(message: Json, service: str = SMALL, language: str = "en") -> Json | NotObtained:
    """The answer; whatever it is, it keeps to HL7's model."""
    ruleset = service.removesuffix("-order-sign").removesuffix("-patient-view").replace("-", "_")
    answer = adviser(ruleset).advise(service, sent(message), [language])
    if not isinstance(answer, NotObtained):
        assert response_faults(answer) == []
    return answer


def cards(message: Json, service: str = SMALL, language: str = "en") -> list[Json]:
    answer = advise(message, service, language)
    assert not isinstance(answer, NotObtained), answer.why
    found: list[Json] = answer["cards"]
    return found


def kept(card: Json) -> Json:
    """The decision that a card carries as data."""
    data: Json = card["extension"]["pluis.triage.decision"]
    return data
