"""Every case of the shipped ruleset through a real gRPC server: the wire gives what clinicians agreed on."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.client import to_request
from engine.decide.answers import Given, given, unlisted
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.cases import Case
from engine.rules.load import load_cases
from engine.rules.scale import Disposition
from tests.clinical.patients import RULESETS, evaluator
from tests.serve.conftest import Running, running

CASES = load_cases(RULESETS / "low_back_pain", evaluator().checked)
VIGNETTES = [case for case in CASES if re.fullmatch(r"LBP-V\d+", case.id)]


@pytest.fixture(scope="module")
def served() -> Iterator[Running]:
    with running(RULESETS, reflection=True) as started:
        yield started


def ask(served: Running, case: Case, language: str = "nl") -> pb.EvaluateResponse:
    """The case's answers, written out as a form would send them, over the wire."""
    answers: dict[str, Given] = {name: given(text) for name, text in case.answers.items()}
    if case.unlisted:
        answers |= dict(unlisted(evaluator().checked.ruleset, answers, case.unlisted))
    said = {name: "unknown" if each.kind is None else each.value for name, each in answers.items()}
    request = to_request(said, ruleset="low_back_pain", language=language, none_of=case.none_of)
    response: pb.EvaluateResponse = served.stub.Evaluate(request, timeout=20)
    return response


def test_all_fifty_two_vignettes_are_there() -> None:
    assert len(VIGNETTES) == 52
    for case in VIGNETTES:
        told = case.expect
        assert None not in (told.disposition, told.call, told.programme, told.rules, told.advice, told.safety_net), (
            case.id
        )


@pytest.mark.parametrize("language", evaluator().checked.ruleset.languages)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_wire_gives_what_the_case_expects(served: Running, case: Case, language: str) -> None:
    response = ask(served, case, language)
    assert response.language == language
    told = case.expect
    if response.WhichOneof("outcome") == "needs_answers":
        needs = response.needs_answers
        assert told.needs_answers
        assert told.floor is None or pb.Disposition.Name(needs.floor).endswith(told.floor.name)
        assert told.ceiling is None or pb.Disposition.Name(needs.ceiling).endswith(told.ceiling.name)
        return
    decision = response.decision
    assert told.disposition is not None, "a decision where answers should have been needed"
    found = Disposition[pb.Disposition.Name(decision.disposition).removeprefix("DISPOSITION_")]
    assert found in {told.disposition, *told.acceptable}
    assert found >= told.disposition, "milder than expected"
    if told.programme is not None:
        assert pb.Programme.Name(decision.programme.choice) == f"PROGRAMME_{told.programme.name}"
    if told.call is not None:
        assert pb.Call.Name(decision.call) == f"CALL_{told.call.word.upper()}"
    if told.rules is not None:
        assert tuple(rule.id for rule in decision.rules) == told.rules
    if told.advice is not None:
        assert tuple(each.id for each in decision.advice) == told.advice
    if told.safety_net is not None:
        assert tuple(each.id for each in decision.safety_net) == told.safety_net
    if told.within_hours is not None:
        assert decision.within_hours == told.within_hours
    assert all(each.text for each in (*decision.advice, *decision.safety_net))
    assert all(rule.text and rule.evidence and rule.source for rule in decision.rules)


def test_no_reassurance_and_no_programme_beside_an_alarm(served: Running) -> None:
    """A0 of the ruleset, seen from outside: only texts of kind referral from the GP upwards."""
    ruleset = evaluator().checked.ruleset
    alarming = 0
    for case in VIGNETTES:
        decision = ask(served, case).decision
        if decision.disposition >= pb.DISPOSITION_GP_WITHIN_DAYS:
            alarming += 1
            kinds = {ruleset.advice[each.id].kind.name for each in decision.advice}
            assert kinds <= {"REFERRAL"}, case.id
            assert decision.programme.choice == pb.PROGRAMME_NONE_YET
    assert alarming > 20


def test_buf_curl_gets_a_decision_by_reflection(served: Running, tmp_path: Path) -> None:
    """What another team does first: no client of ours, no .proto file, JSON in and JSON out."""
    buf = shutil.which("buf", path=str(Path(sys.executable).parent)) or shutil.which("buf")
    assert buf is not None
    request = {
        "ruleset": "low_back_pain",
        "language": "nl",
        "answers": {"saddle_numbness": {"yesNo": "YES_NO_YES"}, "age": {"integer": 44}},
    }
    done = subprocess.run(
        [
            buf, "curl", "--protocol", "grpc", "--http2-prior-knowledge",
            "-d", json.dumps(request), f"http://{served.server.address}/triage.v1.TriageService/Evaluate",
        ],
        capture_output=True, text=True, timeout=60, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    response = json.loads(done.stdout)
    assert response["decision"]["disposition"] == "DISPOSITION_EMERGENCY"
    assert response["decision"]["call"] == "CALL_GP_OR_HAP_NOW"
    assert response["decision"]["withinHours"] == 1
    assert [rule["id"] for rule in response["decision"]["rules"]] == ["E01"]
    assert response["decision"]["programme"]["choice"] == "PROGRAMME_NONE_YET"
    assert len(response["decisionDigest"]) == 64
