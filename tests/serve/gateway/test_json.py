"""The JSON wire gives what gRPC gives: the same message for every case, by the same rights, and the same refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from grpc_status import rpc_status

from engine.decide.cases import case_answers
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.load import load_cases
from tests.serve.conftest import PUBLISHED, SMALL
from tests.serve.fhir.written import direct
from tests.serve.gateway.conftest import NUMB, Web, reason, web_server

OWN = ("decision_id", "receipt")
"""What two calls never share."""
BACK = "low_back_pain"


@pytest.fixture(scope="module")
def published() -> Iterator[Web]:
    with web_server(PUBLISHED) as started:
        yield started


def requests(web: Web, ruleset: str, folder: Path, step: int = 1) -> Iterator[pb.EvaluateRequest]:
    """What the cases of a ruleset ask, in each language and view."""
    served = web.registry.current().find(ruleset, "", web.registry.today())
    checked = served.evaluator.checked
    for number, case in enumerate(load_cases(folder, checked)[::step]):
        request = direct(ruleset, case_answers(checked.ruleset, case), case.none_of)
        request.language = served.languages[number % len(served.languages)]
        request.view = pb.RESPONSE_VIEW_FULL if number % 3 else pb.RESPONSE_VIEW_BASIC
        request.context.request_id = f"case-{number}"
        yield request


def same(web: Web, request: pb.EvaluateRequest) -> None:
    over_grpc = web.stub.Evaluate(request)
    answered = web.evaluate(MessageToDict(request))
    assert answered.status_code == 200, answered.text
    over_http = ParseDict(answered.json(), pb.EvaluateResponse())
    assert over_http.decision_digest == over_grpc.decision_digest
    for each in (over_grpc, over_http):
        for field in OWN:
            each.ClearField(field)
    assert MessageToDict(over_http) == MessageToDict(over_grpc)
    assert answered.headers["x-request-id"] == request.context.request_id


def test_every_case_of_the_small_ruleset_is_answered_as_over_grpc(web: Web) -> None:
    every = [*requests(web, "small", SMALL / "small")]
    assert every
    for request in every:
        same(web, request)


@pytest.mark.parametrize("step", [25, pytest.param(1, marks=pytest.mark.slow)])
def test_cases_of_a_published_ruleset_are_answered_as_over_grpc(published: Web, step: int) -> None:
    every = [*requests(published, BACK, PUBLISHED / BACK, step)]
    assert len(every) > 5
    for request in every:
        same(published, request)


@pytest.mark.parametrize(
    ("path", "rpc", "request_"),
    [
        ("/v1/rulesets?pageSize=1&language=en", "ListRulesets", pb.ListRulesetsRequest(page_size=1, language="en")),
        ("/v1/rulesets/small?language=en", "GetRuleset", pb.GetRulesetRequest(ruleset="small", language="en")),
        (
            "/v1/rulesets/small/questionnaire?ruleset_version=1.0.0",
            "GetQuestionnaire",
            pb.GetQuestionnaireRequest(ruleset="small", ruleset_version="1.0.0"),
        ),
    ],
)
def test_reads_give_what_grpc_gives(web: Web, path: str, rpc: str, request_: Any) -> None:
    found = web.http.get(path)
    assert found.status_code == 200, found.text
    assert found.json() == MessageToDict(getattr(web.stub, rpc)(request_))


def test_a_batch_has_a_status_in_the_place_of_what_failed(web: Web) -> None:
    asked = [NUMB, {"ruleset": "none"}, {"ruleset": "small"}]
    found = web.http.post("/v1/evaluate-batch", json={"requests": asked})
    assert [*map(list, found.json()["results"])] == [["response"], ["status"], ["response"]]


def test_decisions_are_looked_up_and_get_feedback(tmp_path: Path) -> None:
    with web_server(log=str(tmp_path / "log")) as web:
        subject = "0d6f8c2e-2d2b-4a55-9a53-3a4a6a1c0e6b"
        asked = {**NUMB, "context": {"requestId": "r-1", "subjectReference": subject}}
        made = web.evaluate(asked).json()
        assert web.evaluate(asked).json() == made
        id = made["decisionId"]
        assert web.http.get(f"/v1/decisions/{id}").json()["answers"] == NUMB["answers"]
        for found in (
            web.http.get("/v1/decisions?requestId=r-1"),
            web.http.post("/v1/decisions/search", json={"subjectReference": subject}),
        ):
            assert [each["decisionId"] for each in found.json()["decisions"]] == [id]
        assert web.http.post("/v1/decisions/search", json={"subjectReference": "other"}).json() == {}
        said = web.http.post(f"/v1/decisions/{id}/feedback", json={"verdict": "FEEDBACK_VERDICT_ACCEPTED"})
        assert said.json()["feedback"]["verdict"] == "FEEDBACK_VERDICT_ACCEPTED"
        reused = web.evaluate({**asked, "answers": {"numb": {"yesNo": "YES_NO_NO"}}})
        assert (reused.status_code, reason(reused)) == (409, "REQUEST_ID_REUSED")
        unknown = web.http.get("/v1/decisions/none")
        assert (unknown.status_code, reason(unknown)) == (404, "DECISION_NOT_FOUND")


@pytest.mark.parametrize(
    "fields",
    [
        {"ruleset": "none"},
        {"ruleset": "small", "rulesetVersion": "9.9.9"},
        {"ruleset": "small", "language": "xx"},
        {"ruleset": "small", "answers": {"age": {"integer": 900}, "nothing": {"yesNo": "YES_NO_YES"}}},
        {"ruleset": "small", "answers": {"age": {}}},
        {"ruleset": "small", "answers": {"numb": {"yesNo": "YES_NO_YES"}}, "noneOf": ["signs"]},
    ],
)
def test_what_the_service_refuses_is_the_status_of_grpc(web: Web, fields: dict[str, Any]) -> None:
    asked = {**fields, "context": {"requestId": "r-1"}}
    refused = web.evaluate(asked)
    with pytest.raises(grpc.RpcError) as caught:
        web.stub.Evaluate(ParseDict(asked, pb.EvaluateRequest()))
    failed: Any = caught.value  # a call too, which the stubs do not know
    status = rpc_status.from_call(failed)
    assert status is not None
    assert refused.json() == MessageToDict(status)
    assert refused.status_code == (404 if status.code == grpc.StatusCode.NOT_FOUND.value[0] else 400)


FAULTS: list[tuple[Any, set[tuple[str, str]]]] = [
    ([], {("", "WRONG_TYPE")}),
    ("x", {("", "WRONG_TYPE")}),
    ({"ruleSet": "small"}, {("ruleSet", "UNKNOWN_FIELD")}),
    ({"answers": {"numb": {"yes": True}}}, {('answers["numb"].yes', "UNKNOWN_FIELD")}),
    ({"ruleset_version": "1", "rulesetVersion": "2"}, {("ruleset_version", "DUPLICATE")}),
    ({"answers": {"a": {"integer": 1, "unknown": {}}}}, {('answers["a"].unknown', "DUPLICATE")}),
    ({"answers": []}, {("answers", "WRONG_TYPE")}),
    ({"answers": {"a": None}}, {('answers["a"]', "WRONG_TYPE")}),
    ({"answers": {"a": "yes"}}, {('answers["a"]', "WRONG_TYPE")}),
    ({"answers": {"a": {"yesNo": "JA"}}}, {('answers["a"].yes_no', "UNKNOWN_VALUE")}),
    ({"answers": {"a": {"yesNo": 1}}}, {('answers["a"].yes_no', "WRONG_TYPE")}),
    ({"answers": {"a": {"yesNo": True}}}, {('answers["a"].yes_no', "WRONG_TYPE")}),
    ({"answers": {"a": {"integer": 38.5}}}, {('answers["a"].integer', "WRONG_TYPE")}),
    ({"answers": {"a": {"integer": True}}}, {('answers["a"].integer', "WRONG_TYPE")}),
    ({"answers": {"a": {"integer": "4 2"}}}, {('answers["a"].integer', "WRONG_TYPE")}),
    ({"answers": {"a": {"integer": 2**63}}}, {('answers["a"].integer', "WRONG_TYPE")}),
    ({"answers": {"a": {"decimal": 4.5}}}, {('answers["a"].decimal', "WRONG_TYPE")}),
    ({"answers": {"a": {"several": ["x"]}}}, {('answers["a"].several', "WRONG_TYPE")}),
    ({"answers": {"a": {"several": {"options": [1]}}}}, {('answers["a"].several.options[0]', "WRONG_TYPE")}),
    ({"noneOf": "signs", "validateOnly": "true"}, {("none_of", "WRONG_TYPE"), ("validate_only", "WRONG_TYPE")}),
    ({"noneOf": [None]}, {("none_of[0]", "WRONG_TYPE")}),
    ({"context": 3}, {("context", "WRONG_TYPE")}),
]


@pytest.mark.parametrize(("body", "faults"), FAULTS, ids=[json.dumps(body) for body, _ in FAULTS])
def test_what_is_no_message_is_told_field_by_field(web: Web, body: Any, faults: set[tuple[str, str]]) -> None:
    refused = web.evaluate(body)
    assert (refused.status_code, reason(refused)) == (400, "INVALID_REQUEST")
    details = [each for each in refused.json()["details"] if each["@type"].endswith("BadRequest")]
    assert {(each.get("field", ""), each["reason"]) for each in details[0]["fieldViolations"]} == faults


@pytest.mark.parametrize(
    ("path", "faults"),
    [
        ("/v1/decisions?subjectReference=x", {("subject_reference", "MISPLACED")}),
        ("/v1/decisions?subject_reference=x", {("subject_reference", "MISPLACED")}),
        ("/v1/rulesets/small?ruleset=other", {("ruleset", "MISPLACED")}),
        ("/v1/rulesets?pageSize=1&pageSize=2", {("pageSize", "DUPLICATE")}),
        ("/v1/rulesets?pageSize=many", {("page_size", "WRONG_TYPE")}),
        ("/v1/rulesets?size=1", {("size", "UNKNOWN_FIELD")}),
        ("/v1/decisions?startTime=yesterday", {("start_time", "WRONG_TYPE")}),
    ],
)
def test_what_cannot_stand_in_a_url_is_told(web: Web, path: str, faults: set[tuple[str, str]]) -> None:
    refused = web.http.get(path)
    assert (refused.status_code, reason(refused)) == (400, "INVALID_REQUEST")
    details = [each for each in refused.json()["details"] if each["@type"].endswith("BadRequest")]
    assert {(each["field"], each["reason"]) for each in details[0]["fieldViolations"]} == faults


def test_nothing_of_a_posted_request_stands_in_its_url(web: Web) -> None:
    refused = web.http.post("/v1/evaluate?answers=numb", json=NUMB)
    assert (refused.status_code, reason(refused)) == (400, "INVALID_REQUEST")
    own = web.http.post("/v1/decisions/one/feedback", json={"decisionId": "two"})
    assert (own.status_code, reason(own)) == (400, "INVALID_REQUEST")


def test_an_answer_of_null_is_no_answer(web: Web) -> None:
    refused = web.evaluate({"ruleset": "small", "answers": {"numb": {"yesNo": None}}})
    assert (refused.status_code, reason(refused)) == (400, "INVALID_ANSWERS")
