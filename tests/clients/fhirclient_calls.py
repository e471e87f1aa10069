"""fhirclient asks the server that `make test-clients` has started: it reads, searches and triages by its own models."""

from __future__ import annotations

import os
from typing import Any

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.guidanceresponse import GuidanceResponse
from fhirclient.models.operationdefinition import OperationDefinition
from fhirclient.models.plandefinition import PlanDefinition
from fhirclient.models.questionnaire import Questionnaire
from fhirclient.server import FHIRNotFoundException

MODULE = "low-back-pain"


@pytest.fixture(scope="module")
def server() -> Any:
    client = FHIRClient(settings={"app_id": "pluis-tests", "api_base": f"{os.environ['PLUIS_HTTP']}/fhir/R4/"})
    assert client.prepare()  # by the CapabilityStatement, which says that nobody has to show anything
    return client.server


def test_what_is_read_fits_its_models(server: Any) -> None:
    form = Questionnaire.read(MODULE, server)
    assert {each.type for each in form.item} >= {"group", "choice", "integer"}
    assert PlanDefinition.read(MODULE, server).version == form.version
    assert OperationDefinition.read("triage", server).code == "triage"
    (found,) = Questionnaire.where({"url": form.url, "version": form.version}).perform_resources_iter(server)
    assert found.as_json() == form.as_json()


def test_what_is_not_there_is_not_found(server: Any) -> None:
    with pytest.raises(FHIRNotFoundException):
        Questionnaire.read("nobody", server)


def test_triage_gives_guidance_that_fits_its_models(server: Any) -> None:
    form = Questionnaire.read(MODULE, server)
    (question,) = (item for group in form.item for item in group.item or () if item.linkId == "saddle_numbness")
    (yes,) = (each.valueCoding for each in question.answerOption if each.valueCoding.code == "yes")
    response = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{form.url}|{form.version}",
        "status": "completed",
        "item": [{"linkId": question.linkId, "answer": [{"valueCoding": yes.as_json()}]}],
    }
    guidance = GuidanceResponse(server.post_json(f"PlanDefinition/{MODULE}/$triage", response).json())
    assert guidance.status == "success"
    (plan,) = (each for each in guidance.contained if each.resource_type == "RequestGroup")
    assert guidance.result.resolved(type(plan)) is plan
    assert plan.priority == "stat"
    told = {each.name: each for each in guidance.outputParameters.resolved(type(guidance.contained[0])).parameter}
    assert told["disposition"].valueCoding.code == "emergency"
