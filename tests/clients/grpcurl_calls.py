"""Go asks Pluis: grpcurl, a program on grpc-go, calls a running server. Only `make test-clients` runs this file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
GRPCURL = Path(sys.executable).with_name("grpcurl")
FILES = ("-import-path", "protos", "-proto", "triage/v1/triage.proto", "-proto", "google/rpc/error_details.proto")
"""The contract, and the details of errors: a program that reads files needs both."""
SERVICE = "triage.v1.TriageService"
GRPC_STATUS = 64
"""grpcurl ends with this plus the code of the status."""
NOT_FOUND, INVALID_ARGUMENT, DEADLINE_EXCEEDED = 5, 3, 4


def grpcurl(*arguments: str, files: tuple[str, ...] = FILES, data: str = "") -> subprocess.CompletedProcess[str]:
    """grpcurl's exit code, output and errors. With `files` it reads the contract; without, it asks by reflection."""
    options = ["-plaintext", "-max-time", "20", "-format-error", *files, *(["-d", "@"] if data else [])]
    *before, method = arguments
    command = [str(GRPCURL), *options, *before, os.environ["PLUIS_ADDRESS"], method]
    return subprocess.run(command, cwd=ROOT, input=data, capture_output=True, text=True, timeout=60)


def call(method: str, request: Any, files: tuple[str, ...] = FILES) -> Any:
    """The response as JSON."""
    done = grpcurl(f"{SERVICE}/{method}", files=files, data=json.dumps(request))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refusal(method: str, request: Any) -> tuple[int, dict[str, Any]]:
    """The code of a call that must fail, and its details by type."""
    done = grpcurl(f"{SERVICE}/{method}", data=json.dumps(request))
    assert done.returncode > GRPC_STATUS, done.stdout + done.stderr
    status = json.loads(done.stderr)
    assert status["code"] == done.returncode - GRPC_STATUS
    return status["code"], {each["@type"].rpartition(".")[2]: each for each in status["details"]}


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in items]


ANSWERS = {
    "age": {"integer": 70},
    "onset": {"integer": 0},
    "weeks": {"decimal": "0.7"},
    "trauma": {"choice": "minor"},
    "numb": {"yesNo": "YES_NO_NO"},
    "fever": {"unknown": {}},
    "wants": {"several": {"options": ["strength", "posture"]}},
}


def test_every_kind_of_answer_makes_a_decision() -> None:
    response = call("Evaluate", {"ruleset": "small", "language": "en", "answers": ANSWERS})
    assert response["ruleset"]["id"] == "small" and len(response["ruleset"]["digest"]) == 64
    assert len(response["decisionDigest"]) == 64 and response["decisionId"]
    decision = response["decision"]
    assert decision["disposition"] == "DISPOSITION_SAME_DAY_GP"
    assert (decision["call"], decision["withinHours"]) == ("CALL_GP_TODAY", 24)
    assert decision["programme"]["choice"] == "PROGRAMME_NONE_YET"
    assert ids(decision["rules"]) == ["S01"]
    assert decision["advice"] == [{"id": "ADV-2", "text": "advice two en"}]
    assert decision["safetyNet"] == [{"id": "SN-1", "text": "safety net en"}]


def test_missing_is_asked_and_no_is_an_answer() -> None:
    without = {name: answer for name, answer in ANSWERS.items() if name != "numb"}
    needs = call("Evaluate", {"ruleset": "small", "language": "en", "answers": without})["needsAnswers"]
    assert (needs["floor"], needs["ceiling"]) == ("DISPOSITION_SAME_DAY_GP", "DISPOSITION_EMERGENCY")
    assert needs["actNow"] is True
    assert ids(needs["nextQuestions"]) == ["numb"]
    assert "decision" in call("Evaluate", {"ruleset": "small", "answers": without, "noneOf": ["flags"]})


def test_the_first_ruleset_answers_in_both_languages() -> None:
    told = {}
    for language in ("nl", "en"):
        request = {"ruleset": "low_back_pain", "language": language, "answers": {"saddle_numbness": {"yesNo": 1}}}
        decision = call("Evaluate", request)["decision"]
        assert (decision["disposition"], decision["withinHours"]) == ("DISPOSITION_EMERGENCY", 1)
        told[language] = [each["text"] for each in decision["safetyNet"]]
    assert len(told["nl"]) == len(told["en"]) > 0
    assert not set(told["nl"]) & set(told["en"])


def test_bad_answers_come_with_their_details() -> None:
    request = {"ruleset": "small", "answers": {"age": {"integer": 390}, "fevr": {"yesNo": "YES_NO_YES"}}}
    code, details = refusal("Evaluate", request)
    assert code == INVALID_ARGUMENT
    assert (details["ErrorInfo"]["reason"], details["ErrorInfo"]["domain"]) == ("INVALID_ANSWERS", "triage.pluis")
    found = {each["field"]: each["reason"] for each in details["BadRequest"]["fieldViolations"]}
    assert found == {'answers["age"]': "OUT_OF_RANGE", 'answers["fevr"]': "UNKNOWN_QUESTION"}
    assert details["RequestInfo"]["requestId"]


def test_a_ruleset_that_is_not_there() -> None:
    code, details = refusal("Evaluate", {"ruleset": "nothing"})
    assert (code, details["ErrorInfo"]["reason"]) == (NOT_FOUND, "RULESET_NOT_FOUND")
    assert details["ResourceInfo"]["resourceName"] == "nothing"


REQUESTS = [
    {"ruleset": "small", "answers": {"numb": {"yesNo": "YES_NO_YES"}}},
    {"ruleset": "small", "answers": {"age": {"integer": 390}}},
    {"ruleset": "small"},
]


def outcomes(results: list[Any]) -> list[str]:
    """In a word, what came of each patient of a batch or stream."""
    return [
        str(each["status"]["code"])
        if "status" in each
        else next(name for name in ("decision", "needsAnswers") if name in each["response"])
        for each in results
    ]


def test_a_batch_has_a_status_for_each() -> None:
    results = call("EvaluateBatch", {"requests": REQUESTS})["results"]
    assert outcomes(results) == ["decision", str(INVALID_ARGUMENT), "needsAnswers"]


def test_a_stream_answers_in_order() -> None:
    data = "\n".join(json.dumps({"request": each}) for each in REQUESTS)
    done = grpcurl(f"{SERVICE}/EvaluateStream", data=data)
    assert done.returncode == 0, done.stderr
    decoder, text, results = json.JSONDecoder(), done.stdout.strip(), []
    while text:
        found, end = decoder.raw_decode(text)
        results.append(found["result"])
        text = text[end:].strip()
    assert outcomes(results) == ["decision", str(INVALID_ARGUMENT), "needsAnswers"]


def test_what_there_is_can_be_listed() -> None:
    listed = call("ListRulesets", {"language": "en"})["rulesets"]
    assert [each["ruleset"]["id"] for each in listed] == ["low_back_pain", "small"]
    assert "S01" in ids(call("GetRuleset", {"ruleset": "small"})["rules"])
    questions = call("GetQuestionnaire", {"ruleset": "small", "language": "en"})["questions"]
    assert [each["type"] for each in questions if each["id"] == "wants"] == ["QUESTION_TYPE_SEVERAL"]


def test_reflection_needs_no_file() -> None:
    done = grpcurl("list", files=())
    assert done.returncode == 0, done.stderr
    assert {SERVICE, "grpc.health.v1.Health"} <= set(done.stdout.split())
    described = grpcurl("describe", files=())
    assert f"{SERVICE} is a service" in described.stdout
    response = call("Evaluate", REQUESTS[0], files=())
    assert response["decision"]["disposition"] == "DISPOSITION_EMERGENCY"


@pytest.mark.parametrize("service", ["", SERVICE])
def test_health_is_serving(service: str) -> None:
    done = grpcurl("grpc.health.v1.Health/Check", files=(), data=json.dumps({"service": service}))
    assert (done.returncode, json.loads(done.stdout)) == (0, {"status": "SERVING"})


def test_a_deadline_that_passes() -> None:
    batch = {"requests": [{"ruleset": "low_back_pain", "answers": {"age": {"integer": 40}}}] * 1000}
    done = grpcurl("-max-time", "0.2", f"{SERVICE}/EvaluateBatch", data=json.dumps(batch))
    assert done.returncode == GRPC_STATUS + DEADLINE_EXCEEDED, done.stderr
