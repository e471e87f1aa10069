"""The description is the contract's: whole, well formed, and what the server does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from google.protobuf.json_format import MessageToDict

from engine.pb.v1 import triage_pb2 as pb
from engine.serve.gateway.json import OPERATIONS
from engine.serve.gateway.openapi import FAILURES, describe
from tests.serve.gateway.conftest import NUMB, Web, web_server

DESCRIBED = describe("http://127.0.0.1:8080")
SCHEMAS = DESCRIBED["components"]["schemas"]
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method"
)


def fits(name: str, value: Any) -> bool:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DESCRIBED["components"]}
    return bool(jsonschema.Draft202012Validator(schema).is_valid(value))


def test_every_rpc_without_a_stream_can_be_asked() -> None:
    rpcs = {each.name for each in pb.DESCRIPTOR.services_by_name["TriageService"].methods}
    assert {each.rpc for each in OPERATIONS} == rpcs - {"EvaluateStream"}


def test_every_schema_is_one_and_refers_to_others_that_are_there() -> None:
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    referred = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(DESCRIBED)))
    assert referred == set(SCHEMAS)


def test_every_operation_has_a_name_of_its_own_and_tells_every_failure() -> None:
    every = [each for path in DESCRIBED["paths"].values() for each in path.values()]
    assert len({each["operationId"] for each in every}) == len(every) == len(OPERATIONS)
    for each in every:
        assert {"200", "400", "401", "403", "404", "429", "500", "503"} <= each["responses"].keys()
        assert each["responses"].keys() <= {"200", *map(str, FAILURES)}


def test_no_answer_and_no_subject_can_stand_in_a_url() -> None:
    for path in DESCRIBED["paths"].values():
        for operation in path.values():
            names = {each["name"] for each in operation["parameters"] if each["in"] != "header"}
            assert not names & {"answers", "subjectReference", "onBehalfOf", "remark", "givenBy"}


def test_what_is_asked_and_answered_fits(web: Web) -> None:
    assert web.http.get("/openapi.json").json() == describe(str(web.http.base_url))
    assert fits("EvaluateRequest", NUMB)
    assert fits("EvaluateResponse", web.evaluate().json())
    assert fits("EvaluateResponse", web.evaluate({"ruleset": "small"}).json())
    assert fits("RpcStatus", web.evaluate({"ruleset": "none"}).json())
    assert fits("ListRulesetsResponse", web.http.get("/v1/rulesets").json())
    assert fits("GetRulesetResponse", web.http.get("/v1/rulesets/small").json())
    assert fits("GetQuestionnaireResponse", web.http.get("/v1/rulesets/small/questionnaire").json())
    assert fits("Answer", MessageToDict(pb.Answer(integer=5)))


@pytest.mark.parametrize(
    "value",
    [
        {"ruleSet": "small"},
        {"answers": {"a": {"integer": 1.5}}},
        {"answers": {"a": {"yesNo": "JA"}}},
        {"answers": {"a": {"integer": 1, "unknown": {}}}},
        {"noneOf": "signs"},
    ],
)
def test_what_the_server_refuses_does_not_fit(value: Any) -> None:
    assert not fits("EvaluateRequest", value)


@pytest.mark.slow
def test_a_fuzzer_finds_no_failure_and_no_status_that_is_not_told(tmp_path: Path) -> None:
    """schemathesis, an outside reader of the description, with requests that fit it and requests that do not."""
    with web_server(log=str(tmp_path / "log")) as web:
        url = str(web.http.base_url)
        options = ["--checks", CHECKS, "--max-examples", "30", "--seed", "7", "--no-color", "--workers", "1"]
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", *options]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
        assert web.evaluate().is_success
        assert web.server.admission.open == 0
