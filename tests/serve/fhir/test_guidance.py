"""The GuidanceResponse: all of a decision, valid by two checkers, and nothing soothing while answers are missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import fhirkit
import pytest
from fhir.resources.R4B import get_fhir_model_class

from engine.decide.answers import Given, given
from engine.decide.cases import case_answers
from engine.errors import AnswersError
from engine.pb.v1 import triage_pb2 as pb
from engine.record.place import DEFAULT
from engine.serve.config import Config
from engine.serve.errors import InvalidRequest
from engine.serve.fhir.guidance import guidance
from engine.serve.fhir.letter import LANGUAGES, words
from engine.serve.fhir.shape import MalformedResource
from engine.serve.fhir.triage import Desk
from engine.serve.recording import open_recording
from engine.serve.registry import UnknownLanguage, UnknownRuleset, UnknownVersion
from engine.serve.service import TriageService
from engine.serve.telemetry.metrics import Metrics
from tests.serve.conftest import NOW
from tests.serve.fhir.conftest import BASE, TODAY, form, shelf_of
from tests.serve.fhir.test_exactness import cases
from tests.serve.fhir.written import direct, respond, sent

PERSON = "7f3c1e52-9d04-4b6a-8f21-0c5d7e9ab134"
NUMB = {"numb": given("yes")}
WELL = {"age": given("40"), "onset": given("39"), "weeks": given("1"), "wants": Given(None)}


def desk(ruleset: str) -> Desk:
    shelf = shelf_of(ruleset)
    return Desk(shelf.registry.current(), shelf.service.answer, shelf.config, BASE, TODAY)


def triage(ruleset: str, answers: dict[str, Given], *none_of: str, **more: Any) -> dict[str, Any]:
    response = respond(form(ruleset), answers, none_of) | more
    return desk(ruleset).triage(sent(response), ruleset.replace("_", "-"))


def contained(resource: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (each for each in resource["contained"] if each["id"] == name)
    return dict(found)


def values(resource: dict[str, Any]) -> dict[str, Any]:
    """The parameters that stand there once, codings by their code."""
    parameters = contained(resource, "parameters")["parameter"]
    single = [each for each in parameters if "part" not in each and each["name"] != "open_rule"]
    found = {each["name"]: next(value for key, value in each.items() if key != "name") for each in single}
    assert len(found) == len(single)
    return {name: value["code"] if isinstance(value, dict) else value for name, value in found.items()}


def faults(resource: dict[str, Any]) -> Iterator[str]:
    """What fhirkit, fhir.resources and three rules that both leave out have against a resource."""
    told = json.dumps(resource)
    yield from (str(issue) for issue in fhirkit.validate(told))
    get_fhir_model_class(resource["resourceType"]).model_validate_json(told)
    yield from empty(resource, resource["resourceType"])
    for each in resource.get("contained", ()):
        if f'"#{each["id"]}"' not in told:
            yield f"dom-3: nothing refers to {each['id']}"
        for action in each.get("action", ()):
            if ("resource" in action) == ("action" in action):
                yield "rqg-1: an action has a resource or actions"


def empty(value: Any, path: str) -> Iterator[str]:
    """FHIR has no empty texts, lists or objects."""
    if value in ("", [], {}, None):
        yield f"{path} is empty"
    if isinstance(value, dict):
        for name, inside in value.items():
            yield from empty(inside, f"{path}.{name}")
    if isinstance(value, list):
        for number, inside in enumerate(value):
            yield from empty(inside, f"{path}[{number}]")


@pytest.mark.parametrize(
    ("ruleset", "step"),
    [("low_back_pain", 15), pytest.param("low_back_pain", 1, marks=pytest.mark.slow), ("neck_pain", 3)],
)
def test_cases_become_valid_guidance_with_their_decision(ruleset: str, step: int) -> None:
    checked = shelf_of(ruleset).served(ruleset).evaluator.checked.ruleset
    for case in cases(ruleset)[::step]:
        answers = case_answers(checked, case)
        found = triage(ruleset, answers, *case.none_of)
        assert [*faults(found)] == [], case.id
        wanted = shelf_of(ruleset).service.answer(direct(ruleset, answers, case.none_of))
        told = values(found)
        assert told["decision_digest"] == wanted.decision_digest
        assert told["decision_id"] == found["id"]
        settled = wanted.WhichOneof("outcome") == "decision"
        assert (found["status"] == "data-required") is not settled
        assert ("disposition" in told) is settled


def test_a_decision_says_where_to_go_how_fast_and_why() -> None:
    found = triage("small", {**WELL, **NUMB, "fever": given("no"), "trauma": given("none")})
    assert found["status"] == "success"
    assert "dataRequirement" not in found
    assert found["moduleCanonical"] == f"{BASE}/PlanDefinition/small|1.0.0"
    told = values(found)
    assert (told["disposition"], told["call"], told["within_hours"]) == ("emergency", "gp_or_hap_now", 1)
    referral = contained(found, "referral")
    assert (referral["status"], referral["intent"], referral["priority"]) == ("draft", "proposal", "stat")
    assert referral["occurrencePeriod"] == {"start": "2026-12-01T12:00:00.000Z", "end": "2026-12-01T13:00:00.000Z"}
    assert [each["id"] for each in contained(found, "advice")["payload"]] == ["ADV-2"]
    assert [each["id"] for each in contained(found, "safety-net")["payload"]] == ["SN-1"]
    assert [each["resource"]["reference"] for each in contained(found, "plan")["action"]] == [
        "#referral", "#advice", "#safety-net"
    ]  # fmt: skip
    assert contained(found, "plan")["action"][0]["documentation"][0]["citation"] == "A source, 2026"


def test_self_care_refers_to_nobody_and_carries_the_programme() -> None:
    healthy = {**WELL, "numb": given("no"), "fever": given("no"), "trauma": given("none"), "wants": Given(
        given(("posture",)).kind, ("posture",))}  # fmt: skip
    found = triage("small", healthy)
    assert values(found)["disposition"] == "self_care"
    assert "note" not in found
    assert {each["id"] for each in found["contained"]} == {"parameters", "plan", "advice", "safety-net", "programme"}
    plan = contained(found, "programme")
    assert (plan["status"], plan["intent"]) == ("draft", "proposal")
    assert plan["activity"][0]["detail"]["code"]["coding"][0]["code"] == "pilates"


def test_what_is_missing_is_required_most_urgent_first_and_nothing_soothes() -> None:
    found = triage("small", {"age": given("40")})
    assert found["status"] == "data-required"
    wanted = [each["codeFilter"][0]["code"][0]["code"] for each in found["dataRequirement"]]
    assert wanted[0] == "numb"
    assert set(wanted) >= {"numb", "fever"}
    told = values(found)
    assert (told["floor"], told["ceiling"], told["act_now"]) == ("self_care", "emergency", False)
    assert "disposition" not in told
    assert not {"referral", "advice", "programme"} & {each["id"] for each in found["contained"]}
    assert "note" not in found
    assert [*faults(found)] == []


def test_a_floor_carries_all_that_a_decision_carries() -> None:
    found = triage("small", {"age": given("70"), "trauma": given("major")})
    told = values(found)
    assert (found["status"], told["floor"], told["act_now"]) == ("data-required", "same_day_gp", True)
    assert (told["call"], told["within_hours"]) == ("gp_today", 24)
    assert contained(found, "referral")["priority"] == "urgent"
    assert found["note"][0]["text"] == contained(found, "referral")["note"][0]["text"]
    assert words("nl")["open"].partition("{")[0] in found["note"][0]["text"]
    assert [*faults(found)] == []


def test_an_open_programme_asks_for_more_and_does_not_need_it() -> None:
    answers = {**WELL, "numb": given("no"), "fever": given("no"), "trauma": given("none")}
    del answers["wants"]
    found = triage("small", answers)
    assert found["status"] == "data-requested"
    assert values(found)["programme_open"] is True
    assert [each["codeFilter"][0]["code"][0]["code"] for each in found["dataRequirement"]] == ["wants"]
    assert "programme" not in {each["id"] for each in found["contained"]}
    assert [*faults(found)] == []


def test_a_value_that_is_not_asked_for_counts_and_is_warned_of() -> None:
    found = triage("small", {**NUMB, "fever": given("no"), "fever_days": given("4")})
    (issue,) = contained(found, "warnings")["issue"]
    assert (issue["severity"], issue["details"]["coding"][0]["code"]) == ("warning", "not-asked")
    assert found["evaluationMessage"] == [{"reference": "#warnings"}]
    assert [*faults(found)] == []


def called(**parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, **value} for name, value in parameters.items()],
    }


RESPONSE = {"resource": respond(form("small"), NUMB)}


def test_parameters_say_who_which_request_and_which_language() -> None:
    body = called(
        subject={"valueReference": {"reference": f"Patient/{PERSON}", "display": "J. Jansen"}},
        language={"valueCode": "en"},
        requestIdentifier={"valueIdentifier": {"system": "urn:clinic", "value": "visit-8123"}},
        questionnaireResponse={"resource": RESPONSE["resource"] | {"subject": {"reference": "Patient/1"}}},
    )
    asked: list[pb.EvaluateRequest] = []

    def answer(request: pb.EvaluateRequest) -> pb.EvaluateResponse:
        asked.append(request)
        return shelf_of("small").service.answer(request)

    found = replace(desk("small"), answer=answer).triage(body, "small")
    (request,) = asked
    assert (request.context.subject_reference, request.context.request_id) == (PERSON, "visit-8123")
    assert found["language"] == "en"
    assert found["subject"] == {"reference": f"Patient/{PERSON}"}
    assert found["requestIdentifier"] == {"system": "urn:clinic", "value": "visit-8123"}
    assert "Jansen" not in json.dumps(found)
    assert "evaluationMessage" not in found
    assert [*faults(found)] == []


@pytest.mark.parametrize(
    ("source", "respondent"),
    [
        ("Patient/1", pb.RESPONDENT_PATIENT),
        ("https://ehr.example/fhir/RelatedPerson/1", pb.RESPONDENT_PROXY),
        ("PractitionerRole/1", pb.RESPONDENT_THERAPIST),
        ("Device/1", pb.RESPONDENT_UNSPECIFIED),
    ],
)
def test_who_answered_is_kept(source: str, respondent: int) -> None:
    asked: list[pb.EvaluateRequest] = []

    def answer(request: pb.EvaluateRequest) -> pb.EvaluateResponse:
        asked.append(request)
        return shelf_of("small").service.answer(request)

    response = respond(form("small"), NUMB) | {"source": {"reference": source}}
    replace(desk("small"), answer=answer).triage(response, "small")
    assert asked[0].context.respondent == respondent


def test_a_citizen_number_is_not_recorded_and_told() -> None:
    found = triage("small", NUMB, subject={"reference": "Patient/111222333"})
    (issue,) = contained(found, "warnings")["issue"]
    assert issue["expression"] == ["QuestionnaireResponse.subject"]
    with pytest.raises(AnswersError) as refused:
        desk("small").triage(
            called(subject={"valueReference": {"reference": "Patient/111222333"}}, questionnaireResponse=RESPONSE),
            "small",
        )
    assert [(each.field, each.code) for each in refused.value.violations] == [
        ("Parameters.parameter[0].valueReference", "bad-subject")
    ]


@pytest.mark.parametrize(
    ("body", "place", "code"),
    [
        ([], "Resource", "not-fhir"),
        ({"resourceType": "Patient"}, "Resource", "wrong-resource"),
        (called(), "Parameters.parameter", "bad-shape"),
        (called(language={"valueCode": "nl"}), "Parameters", "missing"),
        (
            called(questionnaireResponse=RESPONSE, foo={"valueCode": "x"}),
            "Parameters.parameter[1]",
            "unknown-parameter",
        ),
        (
            called(questionnaireResponse=RESPONSE, language={"valueString": "nl"}),
            "Parameters.parameter[1]",
            "wrong-type",
        ),
        (
            called(questionnaireResponse=RESPONSE, subject={"valueReference": {"display": "x"}}),
            "Parameters.parameter[1]",
            "missing",
        ),
        (
            called(questionnaireResponse={"resource": {"resourceType": "Patient"}}),
            "Parameters.parameter[0].resource",
            "wrong-resource",
        ),
        (RESPONSE["resource"] | {"status": "done it"}, "QuestionnaireResponse.status", "not-completed"),
        (RESPONSE["resource"] | {"foo": 1}, "QuestionnaireResponse.foo", "bad-shape"),
        (RESPONSE["resource"] | {"questionnaire": ""}, "QuestionnaireResponse.questionnaire", "bad-shape"),
        (
            RESPONSE["resource"] | {"questionnaire": f"{BASE}/Questionnaire/small"},
            "QuestionnaireResponse.questionnaire",
            "missing",
        ),
        (
            RESPONSE["resource"] | {"questionnaire": "https://other.example/Questionnaire/small|1.0.0"},
            "QuestionnaireResponse.questionnaire",
            "unknown-questionnaire",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(body: object, place: str, code: str) -> None:
    with pytest.raises(AnswersError) as refused:
        desk("small").triage(body, "small")
    assert [(each.field, each.code) for each in refused.value.violations] == [(place, code)]
    assert isinstance(refused.value, MalformedResource) is (code in ("not-fhir", "wrong-resource", "bad-shape"))


def test_rulesets_versions_and_languages_that_are_not_served() -> None:
    response = RESPONSE["resource"]
    with pytest.raises(UnknownVersion):
        desk("small").triage(response | {"questionnaire": f"{BASE}/Questionnaire/small|9.9.9"}, "small")
    with pytest.raises(UnknownRuleset):
        desk("small").triage(response | {"questionnaire": f"{BASE}/Questionnaire/large|1.0.0"}, "large")
    with pytest.raises(UnknownRuleset):
        desk("small").triage(response, "large")
    with pytest.raises(UnknownLanguage):
        desk("small").triage(called(questionnaireResponse=RESPONSE, language={"valueCode": "fr"}), "small")
    other = desk("low_back_pain").triage
    with pytest.raises(InvalidRequest, match="wrong-module"):
        other(respond(form("low_back_pain"), {}), "neck-pain")


@pytest.mark.parametrize(
    ("accepted", "language", "given_in"),
    [(["en-GB", "nl"], "", "en"), (["fr"], "", "nl"), ([], "en-US", "en"), (["nl"], "en", "en")],
)
def test_the_language_is_the_first_that_fits(accepted: list[str], language: str, given_in: str) -> None:
    body = RESPONSE["resource"] | ({"language": language} if language else {})
    assert desk("small").triage(body, "small", accepted)["language"] == given_in


def test_a_receipt_comes_along_and_the_same_request_gets_it_again(tmp_path: Any) -> None:
    config = Config(rulesets=shelf_of("small").config.rulesets, log=str(tmp_path / DEFAULT))
    recording = open_recording(config, Metrics())
    try:
        service = TriageService(config, shelf_of("small").registry, lambda: NOW, recording=recording)
        body = called(questionnaireResponse=RESPONSE, requestIdentifier={"valueIdentifier": {"value": "visit-1"}})
        place = replace(desk("small"), answer=service.answer)
        one, again = place.triage(body, "small"), place.triage(body, "small")
        assert one == again
        (receipt,) = (each for each in contained(one, "parameters")["parameter"] if each["name"] == "receipt")
        assert {part["name"] for part in receipt["part"]} == {"writer", "sequence", "entry_hash"}
        assert receipt["part"][2]["valueString"] in one["note"][0]["text"]
        assert [*faults(one)] == []
    finally:
        if recording is not None:
            recording.close()


def test_the_letter_has_gaps_for_names_and_says_all_that_was_answered() -> None:
    answers = {**NUMB, "age": given("39"), "weeks": Given(given("0.5").kind, Decimal("0.5")), "fever": given("no")}
    for language in LANGUAGES:
        response = respond(form("small", language), {**answers, "onset": Given(None)}) | {"language": language}
        letter = desk("small").triage(sent(response), "small")["note"][0]["text"]
        texts = shelf_of("small").served("small").evaluator.checked.ruleset.texts[language]
        for name in ("age", "weeks", "numb", "fever", "onset", "trauma", "wants"):
            assert texts.get("questions", name).patient in letter
        for heading in ("unknown", "denied", "missing"):
            assert words(language)[heading] in letter
        assert "0.5" in letter
        assert letter.count("[") == letter.count("]") >= 5
        assert "{" not in letter


def test_the_letters_of_all_languages_have_the_same_parts() -> None:
    gaps = {
        language: {
            name: sorted(part.split("}")[0] for part in text.split("{")[1:]) for name, text in words(language).items()
        }
        for language in LANGUAGES
    }
    assert gaps["nl"] == gaps["en"]


def test_without_words_there_is_no_letter() -> None:
    response = shelf_of("small").service.answer(direct("small", NUMB))
    assert "note" not in guidance(response, BASE)
