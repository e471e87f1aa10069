"""The Python checkers that every resource is held against find what is planted: else their silence says nothing."""

from __future__ import annotations

import json
from typing import Any

import fhirkit
import pytest
from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from engine.decide.answers import given
from tests.serve.fhir.conftest import form
from tests.serve.fhir.test_guidance import contained, faults, triage


def changed(name: str, value: object) -> Any:
    """The small Questionnaire with another value of one element."""
    return {**form("small"), name: value}


@pytest.mark.parametrize(
    "broken",
    [
        changed("colour", "red"),
        changed("url", 7),
        changed("date", "yesterday"),
        changed("item", [{"linkId": "a", "type": "group", "item": [{"linkId": "b", "text": "?"}]}]),
        {name: value for name, value in form("small").items() if name != "status"},
    ],
)
def test_fhirkit_and_fhir_resources_find_it(broken: Any) -> None:
    told = json.dumps(broken)
    assert [*fhirkit.validate(told)] != []
    with pytest.raises(ValidationError):
        get_fhir_model_class("Questionnaire").model_validate_json(told)


def test_an_illegal_id_is_found_by_fhir_resources_alone() -> None:
    told = json.dumps(changed("id", "low_back_pain"))
    assert [*fhirkit.validate(told)] == []
    with pytest.raises(ValidationError):
        get_fhir_model_class("Questionnaire").model_validate_json(told)


def test_what_both_leave_out_is_found() -> None:
    guidance = triage("small", {"numb": given("yes")})
    assert [*faults(guidance)] == []
    plan = contained(guidance, "plan")
    plan["action"] = [{"title": "nothing to do"}, *plan["action"][1:]]
    rest = [each for each in guidance["contained"] if each["id"] != "plan"]
    found = [*faults({**guidance, "contained": [*rest, plan]})]
    assert {each.partition(":")[0] for each in found} == {"dom-3", "rqg-1"}
