"""What a call of a service answers: the same decision as gRPC, danger first, and never silence for a missing answer."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import pytest

from engine.decide.answers import Given, given
from engine.decide.cases import Case, case_answers
from engine.errors import AnswersError
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.model import Ruleset
from engine.rules.scale import Disposition
from engine.serve.errors import InvalidRequest
from engine.serve.fhir.letter import referral_letter
from engine.serve.fhir.shape import resource
from engine.serve.hooks.advising import Adviser
from engine.serve.hooks.cards import INDICATORS, LONGEST, shortened
from engine.serve.hooks.markdown import escaped, lines
from engine.serve.hooks.prefetch import NotObtained
from engine.serve.hooks.services import LANGUAGES, UnknownService, discovery, words
from tests.serve.fhir.conftest import TODAY, shelf_of
from tests.serve.fhir.test_exactness import cases
from tests.serve.fhir.written import direct
from tests.serve.hooks.asking import (
    NOBODY,
    NUMB,
    PATIENT,
    SMALL,
    WELL,
    advise,
    adviser,
    bundle,
    call,
    cards,
    intake,
    kept,
)
from tests.serve.hooks.model import Json, services_faults

BACK = "low-back-pain-patient-view"


def summaries(found: list[Json]) -> list[tuple[str, str]]:
    return [(each["indicator"], each["summary"]) for each in found]


@pytest.mark.parametrize(
    ("ruleset", "step"),
    [("neck_pain", 1), ("low_back_pain", 16), pytest.param("low_back_pain", 1, marks=pytest.mark.slow)],
)
def test_every_case_gets_the_decision_that_grpc_gives(ruleset: str, step: int) -> None:
    service = f"{ruleset.replace('_', '-')}-patient-view"
    answer, rules, number = shelf_of(ruleset).service.answer, ruleset_of(ruleset), 0
    for case in cases(ruleset)[::step]:
        answers = case_answers(rules, case)
        expected = answer(direct(ruleset, answers, case.none_of))
        found = cards(call(bundle(intake(answers, *case.none_of, ruleset=ruleset))), service)
        assert {kept(each)["digest"] for each in found} == {expected.decision_digest}
        check_danger(found, expected, case)
        number += 1
    assert number > 2


def ruleset_of(ruleset: str) -> Ruleset:
    return shelf_of(ruleset).served(ruleset).evaluator.checked.ruleset


def check_danger(found: list[Json], expected: pb.EvaluateResponse, case: Case) -> None:
    """Urgent is critical, whatever is missing; and what is not settled never looks settled."""
    settled = expected.WhichOneof("outcome") == "decision"
    urgent = (expected.decision.disposition if settled else expected.needs_answers.floor) >= pb.DISPOSITION_SAME_DAY_GP
    assert ("critical" in {each["indicator"] for each in found}) is urgent, case
    if urgent:
        assert found[0]["indicator"] == "critical"
    if not settled:
        assert found[-1]["indicator"] == "warning"
        assert "not assessable yet" in found[-1]["summary"]
        assert all("suggestions" not in each for each in found)


def test_the_indicator_rises_with_the_disposition() -> None:
    order = ["info", "warning", "critical"]
    assert [*INDICATORS] == sorted(Disposition, reverse=True)
    assert [INDICATORS[each] for each in sorted(Disposition)] == [
        "info", "warning", "warning", "critical", "critical"
    ]  # fmt: skip
    assert {*INDICATORS.values()} == {*order}


def test_an_emergency() -> None:
    (card,) = cards(call(intake(NUMB)))
    assert card["indicator"] == "critical"
    assert card["summary"] == "Small: emergency title en (within 1 h)"
    for text in ("**Contact:** gp\\_or\\_hap\\_now en", "nerves for a clinician en", "advice two en", "safety net en",
                 "Are you numb? yes", "REFERRAL LETTER", "\\[name of the patient\\]", "disclaimer en"):  # fmt: skip
        assert text in card["detail"]
    assert card["source"] == {
        "label": "Triage Small 1.0.0",
        "url": "https://pluis.example/fhir/R4/PlanDefinition/small",
    }
    assert {each["code"] for each in card["overrideReasons"]} == {*words("en")["override_reasons"]}


def test_the_letter_is_the_one_that_fhir_gives() -> None:
    given_to: list[pb.EvaluateResponse] = []

    def answer(request: pb.EvaluateRequest) -> pb.EvaluateResponse:
        given_to.append(shelf_of("small").service.answer(request))
        return given_to[-1]

    found = adviser("small", answer).advise(SMALL, call(intake(NUMB)), ["en"])
    assert isinstance(found, dict)
    served = shelf_of("small").served("small")
    typed = served.evaluator.read(NUMB, ())
    letter = referral_letter(served, typed, given_to[0])
    assert "REFERRAL LETTER" in letter
    assert lines(letter) in found["cards"][0]["detail"]


def test_the_programme_is_a_choice() -> None:
    settled, programme = cards(call(intake(WELL, "*")))
    assert summaries([settled]) == [("info", "Small: self_care title en")]
    assert programme["indicator"] == "info"
    assert programme["selectionBehavior"] == "at-most-one"
    one, other = programme["suggestions"]
    assert (one["label"], one["isRecommended"]) == ("medical_fitness en", True)
    assert (other["label"], "isRecommended" in other) == ("pilates en", False)
    for each in (one, other):
        (action,) = each["actions"]
        plan = resource(action["resource"], "CarePlan")
        assert (action["type"], plan["status"], plan["intent"]) == ("create", "draft", "proposal")
        assert plan["subject"] == {"reference": f"Patient/{PATIENT}"}
        assert plan["instantiatesCanonical"] == ["https://pluis.example/fhir/R4/PlanDefinition/small|1.0.0"]


def test_missing_answers_are_not_no() -> None:
    (card,) = cards(call(intake({"weeks": given("4")})))
    assert summaries([card]) == [("warning", "Small: not assessable yet (open questions: 4 or more)")]
    assert "emergency title en" in card["detail"]  # what it could become
    assert "- Are you numb?" in card["detail"]
    assert card["links"][0] == {"label": "Questionnaire", "url": "https://pluis.example/en?small", "type": "absolute"}
    assert "self\\_care" not in card["detail"]


def urgent_and_open() -> tuple[Case, dict[str, Given]]:
    """A case of low back pain in which something is urgent although answers are missing."""
    answer = shelf_of("low_back_pain").service.answer
    for case in cases("low_back_pain"):
        answers = case_answers(ruleset_of("low_back_pain"), case)
        if answer(direct("low_back_pain", answers, case.none_of)).needs_answers.act_now:
            return case, dict(answers)
    raise AssertionError("no case is urgent and open")


def test_what_is_urgent_already_comes_before_what_is_missing() -> None:
    case, answers = urgent_and_open()
    floor, rest = cards(call(intake(answers, *case.none_of, ruleset="low_back_pain")), BACK)
    assert floor["indicator"] == "critical"
    assert ", already now: " in floor["summary"]
    assert "whatever the other answers are" in floor["detail"]
    assert rest["indicator"] == "warning"
    assert floor["uuid"] != rest["uuid"]


@pytest.mark.parametrize(
    ("prefetch", "summary"),
    [
        (None, "Small: there is no completed questionnaire yet"),
        (bundle(), "Small: there is no completed questionnaire yet"),
        (bundle(total=7), "Small: no completed questionnaire found in what the EHR gave"),
        (bundle(intake(WELL), intake(NUMB)), "Small: it cannot be seen which completed questionnaire is the newest"),
    ],
)
def test_without_a_questionnaire_there_is_one_card_that_says_so(prefetch: object, summary: str) -> None:
    (card,) = cards(call(prefetch))
    assert summaries([card]) == [("info", summary)]
    assert card["links"] == [{"label": "Questionnaire", "url": "https://pluis.example/en?small", "type": "absolute"}]
    assert "uuid" not in card  # nothing was decided, so there is nothing to give feedback on


@pytest.mark.parametrize("version", ["|0.9.0", "|", ""])
def test_another_version_is_not_taken_for_this_one_nor_an_older_response_for_the_newest(version: str) -> None:
    new = intake(NUMB, authored="2026-11-02T10:00:00Z")
    new["questionnaire"] = new["questionnaire"].partition("|")[0] + version
    (card,) = cards(call(bundle(intake(WELL, "*", authored="2026-11-01T10:00:00Z"), new)))
    assert "does not count any more" in card["summary"]


def test_a_part_is_used_and_the_card_says_so() -> None:
    (card,) = cards(call(bundle(intake(NUMB), total=9)))
    assert card["indicator"] == "critical"
    assert "did not give all completed questionnaires" in card["detail"]
    (whole,) = cards(call(bundle(intake(NUMB))))
    assert "did not give all" not in whole["detail"]


@pytest.mark.parametrize(
    ("authored", "stale"),
    [("2026-11-30T13:00:00Z", False), ("2026-11-29T13:00:00Z", True), ("2026-11", False), ("2025", True), ("", False)],
)
def test_old_answers_are_told(authored: str, stale: bool) -> None:
    """The outcome of the small ruleset's emergency is valid for a day, and now is 2026-12-01, 12:00."""
    (card,) = cards(call(intake(NUMB, authored=authored)))
    assert ("older than an outcome is valid" in card["detail"]) is stale
    assert card["indicator"] == "critical"
    assert f"Answered: {authored or '?'}" in card["detail"].replace("\\", "")


def test_what_was_not_obtained_is_no_card() -> None:
    message = call(None)
    for prefetch in ({}, {"intake": {"resourceType": "OperationOutcome", "issue": []}}, None):
        assert isinstance(advise(message | {"prefetch": prefetch}), NotObtained)
    assert isinstance(advise({name: each for name, each in message.items() if name != "prefetch"}), NotObtained)


def test_answers_that_do_not_fit_are_all_told_where_they_stand() -> None:
    response = intake({"age": given("400"), "numb": given("yes")})
    response["item"].append({"linkId": "nothing_of_ours"})
    with pytest.raises(AnswersError) as refused:
        advise(call(bundle(response)))
    assert not isinstance(refused.value, InvalidRequest)
    assert {each.code for each in refused.value.violations} == {"out-of-range", "unknown-question"}
    assert all(each.field.startswith("prefetch.intake.entry[0].resource.item") for each in refused.value.violations)


class Asked:
    """Remembers the requests that reach the service."""

    def __init__(self) -> None:
        self.requests: list[pb.EvaluateRequest] = []

    def answer(self, request: pb.EvaluateRequest) -> pb.EvaluateResponse:
        self.requests.append(request)
        return shelf_of("small").service.answer(request)


def contexts(*messages: Json, service: str = SMALL) -> list[pb.RequestContext]:
    asked = Asked()
    for message in messages:
        adviser("small", asked.answer).advise(service, message, ["en"])
    return [each.context for each in asked.requests]


def test_who_asked_for_whom_is_recorded_and_no_name_of_a_patient() -> None:
    (context,) = contexts(call(intake(NUMB)))
    assert context.subject_reference == PATIENT
    assert context.on_behalf_of == "Practitioner/8"
    (context,) = contexts(
        call(intake(NUMB, subject={"reference": "Patient/3"}), context={"userId": "Patient/3", "patientId": "3"})
    )
    assert context.subject_reference == ""
    assert context.on_behalf_of == ""
    (context,) = contexts(call({name: each for name, each in intake(NUMB).items() if name != "subject"}))
    assert context.subject_reference == PATIENT


def test_the_same_call_is_the_same_request_and_another_is_another() -> None:
    instance = str(uuid5(NAMESPACE_DNS, "a"))
    message = call(intake(NUMB, id="1", authored="2026-11-01T10:00:00Z"), hookInstance=instance)
    amended = call(intake(WELL, id="1", authored="2026-11-02T10:00:00Z"), hookInstance=instance)
    other = call(intake(NUMB, id="1", authored="2026-11-01T10:00:00Z"), hookInstance=str(uuid5(NAMESPACE_DNS, "b")))
    first, again, after, another = (each.request_id for each in contexts(message, message, amended, other))
    assert first == again
    assert len({first, after, another}) == 3
    (signing,) = contexts(message | {"hook": "order-sign"}, service="small-order-sign")
    assert signing.request_id != first  # one trigger may call several services with one hookInstance


def test_two_hooks_and_two_languages() -> None:
    message = call(intake(NUMB))
    (english,) = cards(message)
    (dutch,) = cards(message, language="nl-NL")
    (french,) = cards(message, language="fr")
    signing = call(intake(NUMB), "order-sign", context={"patientId": PATIENT, "draftOrders": bundle()})
    (other,) = cards(signing, "small-order-sign")
    assert dutch["summary"] == "Klein: emergency title nl (binnen 1 uur)"
    assert french["summary"] == dutch["summary"]  # the ruleset's first
    assert other["summary"] == english["summary"]
    assert kept(dutch)["digest"] == kept(english)["digest"] == kept(other)["digest"]


@pytest.mark.parametrize("said", [PATIENT, f"Patient/{PATIENT}"])
def test_the_patient_is_said_with_and_without_the_type(said: str) -> None:
    (card,) = cards(call(intake(NUMB), context={"userId": "Practitioner/1", "patientId": said}))
    assert card["indicator"] == "critical"


@pytest.mark.parametrize(
    ("members", "fields"),
    [
        ({"hook": "order-sign"}, {"hook"}),
        ({"hookInstance": "1"}, {"hookInstance"}),
        ({"hookInstance": None, "context": None}, {"hookInstance", "context.patientId"}),
        ({"context": {"patientId": 3}}, {"context.patientId"}),
        ({"context": {"patientId": "Group/3"}}, {"context.patientId"}),
        ({"context": {"patientId": "a b"}}, {"context.patientId"}),
        ({"prefetch": []}, {"prefetch"}),
        ({"context": {"patientId": PATIENT, "userId": "Practitioner/" + "x" * 200}}, {"context.userId"}),
    ],
)
def test_a_call_that_is_none_is_refused_with_all_its_faults(members: Json, fields: set[str]) -> None:
    with pytest.raises(AnswersError) as refused:
        advise(call(intake(NUMB)) | members)
    assert {each.field for each in refused.value.violations} == fields


@pytest.mark.parametrize("body", [None, [], "x", 3])
def test_a_body_must_be_an_object(body: Any) -> None:
    with pytest.raises(InvalidRequest):
        adviser("small").advise(SMALL, body)


@pytest.mark.parametrize("name", ["small", "nothing-patient-view", "small-order-select", "", "small_patient-view"])
def test_an_unknown_service_is_told_with_those_there_are(name: str) -> None:
    with pytest.raises(UnknownService) as refused:
        adviser("small").advise(name, call(intake(NUMB)))
    assert SMALL in refused.value.available


def test_discovery() -> None:
    snapshot = adviser("low_back_pain").snapshot
    told = discovery(snapshot, TODAY, ["en"])
    assert services_faults(told) == []
    names = {each["id"]: each["hook"] for each in told["services"]}
    assert names["low-back-pain-patient-view"] == "patient-view"
    assert names["low-back-pain-order-sign"] == "order-sign"
    assert len(names) == len(told["services"]) == 2 * len(snapshot.versions)
    assert told["services"][0]["version"] == "2.0.1"
    dutch = discovery(snapshot, TODAY, ["nl"])
    assert dutch["services"][0]["title"] == "Triage Lage rugpijn"
    assert services_faults(dutch) == []


def test_the_words_are_the_same_in_all_languages() -> None:
    def keys(said: Any) -> Any:
        return {name: keys(each) for name, each in said.items()} if isinstance(said, dict) else None

    assert len({repr(keys(words(each))) for each in LANGUAGES}) == 1
    assert escaped(words("nl")["lack"]["nothing"]["detail"])


def test_a_summary_is_never_too_long() -> None:
    assert shortened("a" * LONGEST) == "a" * LONGEST
    assert len(shortened("a" * 500)) == LONGEST
    assert shortened("a\n b") == "a b"


def test_nothing_is_asked_of_the_ehr() -> None:
    """What a call says of its own server is not even read."""
    message = call(intake(NUMB), fhirServer=3, fhirAuthorization=["not", "looked", "at"])
    assert isinstance(advise(message), dict)


def test_an_adviser_of_nobody() -> None:
    (card,) = cards(call(intake(NOBODY)))
    assert "not assessable" in card["summary"]
    assert isinstance(adviser("small"), Adviser)
