"""The Python client: what it sends, what it makes of a response or an error, and what it does not load."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import pytest

from engine.client import Client, TriageError, to_answer, to_reply, to_request
from engine.decide.cases import case_answers
from engine.errors import Violation
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.load import load, load_cases
from tests.serve.conftest import PUBLISHED, SMALL, Running, running

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def small() -> Iterator[Running]:
    with running(SMALL) as started:
        yield started


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (True, pb.Answer(yes_no=pb.YES_NO_YES)),
        (False, pb.Answer(yes_no=pb.YES_NO_NO)),
        ("yes", pb.Answer(yes_no=pb.YES_NO_YES)),
        ("no", pb.Answer(yes_no=pb.YES_NO_NO)),
        ("unknown", pb.Answer(unknown=pb.Unknown())),
        (0, pb.Answer(integer=0)),
        (-3, pb.Answer(integer=-3)),
        ("12", pb.Answer(integer=12)),
        (0.7, pb.Answer(decimal="0.7")),
        (1e-7, pb.Answer(decimal="0.0000001")),
        (1e22, pb.Answer(decimal="10000000000000000000000")),
        (Decimal("1.50"), pb.Answer(decimal="1.50")),
        (Decimal("1E+2"), pb.Answer(decimal="100")),
        ("0.7", pb.Answer(decimal="0.7")),
        ("minor", pb.Answer(choice="minor")),
        (["strength", "posture"], pb.Answer(several=pb.Options(options=["strength", "posture"]))),
        (("strength",), pb.Answer(several=pb.Options(options=["strength"]))),
        ([], pb.Answer(several=pb.Options())),
    ],
)
def test_an_answer_is_sent_as_what_it_is(value: Any, answer: pb.Answer) -> None:
    assert to_answer("q", value) == answer


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "missing answers are left out; say `unknown`"),
        (float("nan"), "no number"),
        (float("inf"), "no number"),
        (Decimal("NaN"), "no number"),
        (2**63, "too large"),
        ([1, 2], "no answer"),
        ([None], "no answer"),
        ({"a": 1}, "no answer"),
        (b"yes", "no answer"),
    ],
)
def test_a_value_that_says_nothing_certain_is_not_sent(value: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        to_answer("q", value)


def test_a_request_has_what_was_asked() -> None:
    request = to_request(
        {"age": 3}, ruleset="small", version="1.0.0", language="en", none_of="flags", request_id="r", view="basic"
    )
    assert request == pb.EvaluateRequest(
        ruleset="small",
        ruleset_version="1.0.0",
        language="en",
        answers={"age": pb.Answer(integer=3)},
        none_of=["flags"],
        context=pb.RequestContext(request_id="r"),
        view=pb.RESPONSE_VIEW_BASIC,
    )
    with pytest.raises(ValueError, match="no view"):
        to_request({}, ruleset="small", view="short")


def test_a_decision_comes_back_in_words(small: Running) -> None:
    reply = small.client.evaluate({"numb": True}, ruleset="small", language="en", request_id="mine")
    assert reply.settled
    assert (reply.disposition, reply.floor, reply.ceiling, reply.act_now) == (
        "emergency",
        "emergency",
        "emergency",
        False,
    )
    assert (reply.call, reply.calls, reply.within_hours) == ("gp_or_hap_now", ("gp_or_hap_now",), 1)
    assert (reply.guidance, reply.programme, reply.programme_open) == ("", "none_yet", False)
    assert (reply.rules, [each.id for each in reply.advice]) == (("E01",), ["ADV-2"])
    assert reply.safety_net[0].text == "safety net en"
    assert (reply.request_id, reply.ruleset, reply.ruleset_version, reply.language) == ("mine", "small", "1.0.0", "en")
    assert reply.message.decision.rules[0].id == "E01"


def test_an_unsettled_reply_has_no_disposition(small: Running) -> None:
    reply = small.client.evaluate({"age": 70, "trauma": "minor"}, ruleset="small")
    assert not reply.settled
    assert reply.disposition is None
    assert (reply.floor, reply.ceiling, reply.act_now) == ("same_day_gp", "emergency", True)
    assert (reply.next_questions, reply.open_rules, reply.rules) == (("numb",), ("E01",), ("S01",))
    assert small.client.evaluate({}, ruleset="small").within_hours is None


def test_validation_comes_back_as_violations(small: Running) -> None:
    reply = small.client.evaluate({"age": 700}, ruleset="small", validate_only=True)
    assert (reply.disposition, reply.floor, reply.decision_id) == (None, "", "")
    assert [(each.field, each.code) for each in reply.violations] == [('answers["age"]', "out-of-range")]


def test_a_refusal_is_an_error_with_its_violations(small: Running) -> None:
    with pytest.raises(TriageError, match="INVALID_ARGUMENT INVALID_ANSWERS") as caught:
        small.client.evaluate({"age": 700}, ruleset="small", request_id="mine")
    error = caught.value
    assert (error.code, error.reason, error.request_id) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ANSWERS", "mine")
    assert error.violations == (Violation('answers["age"]', "out-of-range", "`age` is 700, outside 0 to 120 years"),)
    assert error.violations_left_out == 0
    with pytest.raises(TriageError) as many:
        small.client.evaluate({f"nonsense_{number}": True for number in range(200)}, ruleset="small")
    assert len(many.value.violations) + many.value.violations_left_out == 200
    assert many.value.violations_left_out > 0


def test_an_unknown_ruleset_tells_what_there_is(small: Running) -> None:
    with pytest.raises(TriageError, match="no ruleset `large`; there is small") as caught:
        small.client.evaluate({}, ruleset="large")
    assert caught.value.metadata["available"] == "small"


def test_a_server_that_is_not_there_is_an_error_without_reason() -> None:
    with Client("127.0.0.1:1", timeout=2) as client, pytest.raises(TriageError) as caught:
        client.evaluate({}, ruleset="small")
    assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.UNAVAILABLE, "")


def test_unavailable_is_tried_again_and_nothing_else_is() -> None:
    tries: list[tuple[str, str]] = []
    refusals = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.INTERNAL]

    def evaluate(request: pb.EvaluateRequest, context: grpc.ServicerContext) -> pb.EvaluateResponse:
        tries.append((request.ruleset, request.context.request_id))
        context.abort(refusals[len(tries) - 1], "not now")
        raise AssertionError

    handler = grpc.unary_unary_rpc_method_handler(
        evaluate, pb.EvaluateRequest.FromString, pb.EvaluateResponse.SerializeToString
    )
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("triage.v1.TriageService", {"Evaluate": handler})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with Client(f"127.0.0.1:{port}", timeout=20) as client, pytest.raises(TriageError) as caught:
            client.evaluate({}, ruleset="small")
    finally:
        server.stop(None).wait()
    (ruleset, request_id), again = tries
    assert again == (ruleset, request_id)  # so that the second try gets what the first was answered
    assert (ruleset, len(UUID(request_id).bytes)) == ("small", 16)
    assert caught.value.code is grpc.StatusCode.INTERNAL


def test_a_scale_that_grew_is_an_error_and_no_guess() -> None:
    response = pb.EvaluateResponse()
    response.decision.disposition = 77  # a number of a newer contract
    with pytest.raises(TriageError, match="upgrade"):
        to_reply(response)
    response.decision.disposition = pb.DISPOSITION_PHYSIO
    response.decision.call = pb.CALL_112
    assert (to_reply(response).disposition, to_reply(response).call) == ("physio", "112")


def test_a_token_is_not_sent_in_the_clear() -> None:
    with pytest.raises(ValueError, match="only sent over TLS"):
        Client("127.0.0.1:1", token="secret")
    Client("127.0.0.1:1", token="secret", credentials=grpc.ssl_channel_credentials()).close()


def test_it_loads_neither_the_engine_nor_yaml() -> None:
    program = "import sys, engine.client; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "grpc" in loaded
    assert not loaded & {"durable_rules_engine", "durable", "yaml", "pydantic", "sqlalchemy"}


def test_the_published_rulesets_decide_over_the_wire_as_their_authors_expect() -> None:
    with running(PUBLISHED) as started:
        assert started.registry.current().problems == ()
        for served in started.registry.current():
            folder = PUBLISHED / served.source
            checked = load(folder)
            cases = load_cases(folder, checked)
            assert cases
            for case in cases:
                answers = {
                    name: "unknown" if each.kind is None else each.value
                    for name, each in case_answers(checked.ruleset, case).items()
                }
                reply = started.client.evaluate(
                    answers, ruleset=served.id, none_of=case.none_of, language=case.language
                )
                expect = case.expect
                if expect.needs_answers:
                    assert reply.disposition is None, case.id
                if expect.disposition is not None:
                    assert reply.disposition == expect.disposition.word, case.id
                if expect.call is not None:
                    assert reply.call == expect.call.word, case.id
                if expect.programme is not None:
                    assert reply.programme == expect.programme.word, case.id
                if expect.rules is not None:
                    assert sorted(reply.rules) == sorted(expect.rules), case.id
                assert all(each.text for each in (*reply.advice, *reply.safety_net)), case.id
