"""Calls over a real channel: each error with its code, reason and details; batches, streams, threads, log lines."""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from engine.decide.evaluate import Evaluated, Evaluator
from engine.decide.targets import Match
from engine.errors import EngineFault
from engine.pb.v1 import triage_pb2 as pb
from engine.serve.errors import LARGEST
from tests.serve.conftest import SMALL, Running, changed, running

NUMB = {"numb": pb.Answer(yes_no=pb.YES_NO_YES)}
SECRET = "what the patient said"


def request(**fields: Any) -> pb.EvaluateRequest:
    return pb.EvaluateRequest(**{"ruleset": "small", "answers": NUMB, **fields})


def status_of(call: Callable[[], Any]) -> status_pb2.Status:
    """The rich status of a call that must fail. Each detail may be there once, ErrorInfo and RequestInfo must be."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    error: Any = caught.value
    status = rpc_status.from_call(error)
    assert status is not None, (error.code(), error.details())
    assert error.details() == status.message
    assert status.ByteSize() <= LARGEST
    kinds = [each.type_url for each in status.details]
    assert len(set(kinds)) == len(kinds)
    assert detail(status, error_details_pb2.ErrorInfo).domain == "triage.pluis"
    assert detail(status, error_details_pb2.RequestInfo).request_id
    return status


def detail(status: status_pb2.Status, kind: type[Message]) -> Any:
    (packed,) = [each for each in status.details if each.Is(kind.DESCRIPTOR)]
    message = kind()
    packed.Unpack(message)
    return message


def reason(status: status_pb2.Status) -> tuple[str, str]:
    names = {code.value[0]: code.name for code in grpc.StatusCode}
    return names[status.code], detail(status, error_details_pb2.ErrorInfo).reason


def small_evaluator(started: Running) -> Evaluator:
    (served,) = started.registry.current()
    return served.evaluator


class Broken:
    """A matcher that finds no rule true, whatever the answers are."""

    def session(self, answers: object) -> Broken:
        return self

    def rules(self) -> Match:
        return Match(frozenset(), frozenset())


# ---- errors ----

CONTRADICTORY = {"age": pb.Answer(integer=20), "onset": pb.Answer(integer=30)}


@pytest.mark.parametrize(
    ("method", "message", "code", "told"),
    [
        ("Evaluate", request(answers={"numb": pb.Answer()}), "INVALID_ARGUMENT", "INVALID_ANSWERS"),
        ("Evaluate", request(answers={"age": pb.Answer(integer=200)}), "INVALID_ARGUMENT", "INVALID_ANSWERS"),
        ("Evaluate", request(answers=CONTRADICTORY), "INVALID_ARGUMENT", "CONTRADICTION"),
        ("Evaluate", request(answers=CONTRADICTORY, view=9), "INVALID_ARGUMENT", "INVALID_ANSWERS"),
        ("Evaluate", request(context=pb.RequestContext(request_id="x" * 129)), "INVALID_ARGUMENT", "INVALID_ANSWERS"),
        ("Evaluate", request(ruleset="large"), "NOT_FOUND", "RULESET_NOT_FOUND"),
        ("Evaluate", request(ruleset="large", validate_only=True), "NOT_FOUND", "RULESET_NOT_FOUND"),
        ("Evaluate", request(ruleset="x" * 100_000), "NOT_FOUND", "RULESET_NOT_FOUND"),
        ("Evaluate", request(ruleset_version="9.0.0"), "NOT_FOUND", "VERSION_NOT_FOUND"),
        ("Evaluate", request(language="de"), "INVALID_ARGUMENT", "UNKNOWN_LANGUAGE"),
        ("EvaluateBatch", pb.EvaluateBatchRequest(requests=[request()] * 1001), "INVALID_ARGUMENT", "INVALID_REQUEST"),
        ("ListRulesets", pb.ListRulesetsRequest(page_token="nonsense"), "INVALID_ARGUMENT", "INVALID_REQUEST"),
        ("ListRulesets", pb.ListRulesetsRequest(page_token="é"), "INVALID_ARGUMENT", "INVALID_REQUEST"),
        ("ListRulesets", pb.ListRulesetsRequest(page_token="eA=="), "INVALID_ARGUMENT", "INVALID_REQUEST"),
        ("ListRulesets", pb.ListRulesetsRequest(page_token="_w=="), "INVALID_ARGUMENT", "INVALID_REQUEST"),
        ("ListRulesets", pb.ListRulesetsRequest(page_size=-1), "INVALID_ARGUMENT", "INVALID_REQUEST"),
        ("GetRuleset", pb.GetRulesetRequest(ruleset="large"), "NOT_FOUND", "RULESET_NOT_FOUND"),
        ("GetRuleset", pb.GetRulesetRequest(ruleset="small", language="de"), "INVALID_ARGUMENT", "UNKNOWN_LANGUAGE"),
        ("GetQuestionnaire", pb.GetQuestionnaireRequest(), "NOT_FOUND", "RULESET_NOT_FOUND"),
        (
            "GetQuestionnaire",
            pb.GetQuestionnaireRequest(ruleset="small", ruleset_version="0.1.0"),
            "NOT_FOUND",
            "VERSION_NOT_FOUND",
        ),
    ],
)
def test_each_mistake_has_its_code_and_reason(
    small: Running, method: str, message: Message, code: str, told: str
) -> None:
    status = status_of(lambda: getattr(small.stub, method)(message))
    assert reason(status) == (code, told)


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (EngineFault(SECRET), "UNAVAILABLE", "ENGINE_FAULT"),
        (ValueError(SECRET), "INTERNAL", "INTERNAL"),
        (RecursionError(SECRET), "INTERNAL", "INTERNAL"),
    ],
)
def test_a_failure_inside_gives_no_decision_and_tells_nothing(
    small: Running,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    code: str,
    told: str,
) -> None:
    def fail(answers: object) -> Evaluated:
        raise error

    monkeypatch.setattr(small_evaluator(small), "evaluate", fail)
    with caplog.at_level(logging.DEBUG):
        status = status_of(lambda: small.stub.Evaluate(request()))
    assert reason(status) == (code, told)
    assert SECRET.encode() not in status.SerializeToString()
    assert SECRET not in caplog.text
    failure, *again = [json.loads(record.message) for record in caplog.records if record.levelno == logging.ERROR]
    assert bool(again) == (code == "UNAVAILABLE"), "what is only away for a moment is tried again by the client"
    assert failure["reason"] == told
    assert failure["at"].startswith(f"{type(error).__name__} at ")
    assert "test_calls.py" in failure["at"]


def test_when_the_evaluators_disagree_there_is_no_decision(
    small: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(small_evaluator(small), "inference", Broken())
    before = small.server.service.disagreements
    with caplog.at_level(logging.ERROR):
        status = status_of(lambda: small.stub.Evaluate(request()))
    assert reason(status) == ("INTERNAL", "EVALUATORS_DISAGREE")
    (batch,) = small.stub.EvaluateBatch(pb.EvaluateBatchRequest(requests=[request()])).results
    assert reason(batch.status) == ("INTERNAL", "EVALUATORS_DISAGREE")
    assert not batch.HasField("response")
    assert small.server.service.disagreements == before + 2
    assert "rules: certain [E01]" in json.loads(caplog.records[0].message)["details"]


def test_bytes_that_are_no_message_are_refused(small: Running) -> None:
    unary: Any = small.channel.unary_unary("/triage.v1.TriageService/Evaluate")
    for broken in (b"\xff\xff", b"\x0a\x02\xff\xff"):
        assert reason(status_of(lambda broken=broken: unary(broken))) == ("INVALID_ARGUMENT", "MALFORMED_REQUEST")
    stream: Any = small.channel.stream_stream("/triage.v1.TriageService/EvaluateStream")
    status = status_of(lambda: list(stream(iter([b"\xff\xff"]))))
    assert reason(status) == ("INVALID_ARGUMENT", "MALFORMED_REQUEST")


def test_a_version_that_is_not_in_effect(copied: Path) -> None:
    changed(copied / "small" / "1", ("from: 2026-01-01", "from: 2029-01-01"))
    with running(copied) as started:
        for message in (request(), request(ruleset_version="1.0.0"), request(validate_only=True)):
            status = status_of(lambda message=message: started.stub.Evaluate(message))
            assert reason(status) == ("FAILED_PRECONDITION", "RULESET_NOT_EFFECTIVE")
            assert detail(status, error_details_pb2.PreconditionFailure).violations[0].type == "EFFECTIVE_PERIOD"
        described = started.stub.GetRuleset(pb.GetRulesetRequest(ruleset="small", ruleset_version="1.0.0"))
        assert not described.summary.is_default


def test_what_there_is_instead_stands_in_the_details(small: Running) -> None:
    status = status_of(lambda: small.stub.Evaluate(request(language="de")))
    assert detail(status, error_details_pb2.ErrorInfo).metadata == {
        "ruleset": "small",
        "language": "de",
        "available": "nl, en",
    }
    assert detail(status, error_details_pb2.BadRequest).field_violations[0].field == "language"
    status = status_of(lambda: small.stub.Evaluate(request(ruleset_version="9.0.0")))
    assert detail(status, error_details_pb2.ErrorInfo).metadata["available"] == "1.0.0"
    assert detail(status, error_details_pb2.ResourceInfo).resource_name == "small"


def test_two_hundred_bad_answers_are_refused_a_hundred_times_of_a_hundred(small: Running) -> None:
    answers = {f"nonsense_{number:03}" + "é" * 60: pb.Answer() for number in range(200)}
    for _ in range(100):
        status = status_of(lambda: small.stub.Evaluate(request(answers=answers)))
        assert reason(status) == ("INVALID_ARGUMENT", "INVALID_ANSWERS")
    metadata = detail(status, error_details_pb2.ErrorInfo).metadata
    shown = detail(status, error_details_pb2.BadRequest).field_violations
    assert 5 < len(shown) < 400
    assert (metadata["violationCount"], metadata["leftOut"]) == ("400", str(400 - len(shown)))
    assert f"{400 - len(shown)} were left out" in status.message
    assert [each.field for each in shown] == sorted(each.field for each in shown)
    whole = small.stub.Evaluate(request(answers=answers, validate_only=True))
    assert len(whole.validation.violations) == 400


# ---- what is asked, and what comes back ----


def test_an_absent_answer_never_reads_as_no(small: Running) -> None:
    without = small.stub.Evaluate(request(answers={"age": pb.Answer(integer=40)}))
    assert without.WhichOneof("outcome") == "needs_answers"
    assert "numb" in [each.id for each in without.needs_answers.next_questions]
    unknown = small.stub.Evaluate(request(none_of=["flags"], answers={"numb": pb.Answer(unknown=pb.Unknown())}))
    assert "G01" in [rule.id for rule in unknown.decision.rules or unknown.needs_answers.rules]


def test_validate_only_gives_every_violation_and_no_decision(small: Running) -> None:
    bad = small.stub.Evaluate(
        request(
            answers=CONTRADICTORY | {"numb": pb.Answer()},
            validate_only=True,
            context=pb.RequestContext(request_id="a\nb"),
        )
    )
    assert bad.WhichOneof("outcome") is None
    assert [(each.field, each.code) for each in bad.validation.violations] == [
        ('answers["age"]', "contradiction"),
        ('answers["numb"]', "missing-kind"),
        ('answers["onset"]', "contradiction"),
        ("context.request_id", "bad-request-id"),
    ]
    assert UUID(bad.request_id)
    good = small.stub.Evaluate(request(validate_only=True))
    assert good.HasField("validation")
    assert (good.WhichOneof("outcome"), good.decision_id, list(good.validation.violations)) == (None, "", [])


def test_the_request_id_comes_back_everywhere(small: Running) -> None:
    context = pb.RequestContext(request_id="order 66")
    response, call = small.stub.Evaluate.with_call(request(context=context))
    assert response.request_id == "order 66"
    assert ("x-request-id", "order 66") in [(each.key, each.value) for each in call.trailing_metadata()]
    with pytest.raises(grpc.RpcError) as refused:
        small.stub.Evaluate(request(language="de", context=context))
    assert dict(refused.value.trailing_metadata())["x-request-id"] == "order 66"  # type: ignore[attr-defined]
    status = status_of(lambda: small.stub.Evaluate(request(language="de", context=context)))
    assert detail(status, error_details_pb2.RequestInfo).request_id == "order 66"
    made, call = small.stub.Evaluate.with_call(request())
    assert UUID(made.request_id)
    assert dict(call.trailing_metadata())["x-request-id"] == made.request_id
    header = (("x-request-id", "from the header"),)
    assert small.stub.Evaluate(request(), metadata=header).request_id == "from the header"
    assert small.stub.Evaluate(request(context=context), metadata=header).request_id == "order 66"
    _, call = small.stub.ListRulesets.with_call(pb.ListRulesetsRequest(), metadata=header)
    assert dict(call.trailing_metadata())["x-request-id"] == "from the header"
    broken = status_of(lambda: small.stub.Evaluate(request(context=pb.RequestContext(request_id="x" * 129))))
    assert UUID(detail(broken, error_details_pb2.RequestInfo).request_id)


MIXED = [
    request(context=pb.RequestContext(request_id="first")),
    request(answers={"numb": pb.Answer()}, context=pb.RequestContext(request_id="second")),
    request(language="de"),
    request(answers={}),
    request(context=pb.RequestContext(request_id="a\nb")),
]


def check_mixed(results: list[pb.EvaluateResult]) -> None:
    assert [each.WhichOneof("result") for each in results] == ["response", "status", "status", "response", "status"]
    assert results[0].response.decision.disposition == pb.DISPOSITION_EMERGENCY
    assert results[0].response.request_id == "first"
    assert reason(results[1].status) == ("INVALID_ARGUMENT", "INVALID_ANSWERS")
    assert detail(results[1].status, error_details_pb2.RequestInfo).request_id == "second"
    assert reason(results[2].status) == ("INVALID_ARGUMENT", "UNKNOWN_LANGUAGE")
    assert UUID(detail(results[2].status, error_details_pb2.RequestInfo).request_id)
    assert results[3].response.HasField("needs_answers")
    assert UUID(results[3].response.request_id)
    assert UUID(detail(results[4].status, error_details_pb2.RequestInfo).request_id)


def test_a_batch_has_a_result_for_each_in_order(small: Running) -> None:
    response = small.stub.EvaluateBatch(pb.EvaluateBatchRequest(requests=MIXED))
    check_mixed(list(response.results))
    assert list(small.stub.EvaluateBatch(pb.EvaluateBatchRequest()).results) == []
    thousand = small.stub.EvaluateBatch(pb.EvaluateBatchRequest(requests=[request()] * 1000))
    assert {each.response.decision.disposition for each in thousand.results} == {pb.DISPOSITION_EMERGENCY}
    assert len({each.response.decision_id for each in thousand.results}) == 1000


def test_a_stream_answers_each_at_once_in_order_and_outlives_a_bad_one(small: Running) -> None:
    answered = threading.Semaphore(1)

    def one_by_one() -> Iterator[pb.EvaluateStreamRequest]:
        for message in MIXED:
            assert answered.acquire(timeout=20)  # the next goes out when the last came back
            yield pb.EvaluateStreamRequest(request=message)

    results: list[pb.EvaluateResult] = []
    for response in small.stub.EvaluateStream(one_by_one()):
        results.append(response.result)
        answered.release()
    check_mixed(results)


def test_streams_leave_threads_to_others() -> None:
    with running(SMALL, max_streams=2, threads=3) as started:
        ends = [threading.Event() for _ in range(2)]

        def until(end: threading.Event) -> Iterator[pb.EvaluateStreamRequest]:
            yield pb.EvaluateStreamRequest(request=request())
            end.wait(20)

        streams = [started.stub.EvaluateStream(until(end)) for end in ends]
        for stream in streams:
            assert next(stream).result.HasField("response")
        status = status_of(lambda: list(started.stub.EvaluateStream(iter([]))))
        assert reason(status) == ("RESOURCE_EXHAUSTED", "TOO_MANY_STREAMS")
        assert started.stub.Evaluate(request()).HasField("decision")
        streams[0].cancel()  # a caller who goes away gives the place back, as does one who is done
        ends[1].set()
        assert list(streams[1]) == []
        assert len(list(started.stub.EvaluateStream(iter([pb.EvaluateStreamRequest(request=request())])))) == 1
        ends[0].set()


def test_eight_threads_get_their_own_answers(small: Running) -> None:
    expected = {
        0: ("emergency", {"numb": "yes"}),
        1: ("same_day_gp", {"age": 70, "trauma": "minor", "numb": "no"}),
        2: ("gp_within_days", {"numb": "unknown", "trauma": "none"}),
        3: ("physio", {"weeks": "3", "numb": "no", "fever": "no", "trauma": "none"}),
    }

    def ask(number: int) -> list[tuple[str | None, str]]:
        wanted, answers = expected[number % 4]
        return [(small.client.evaluate(answers, ruleset="small").disposition, wanted) for _ in range(25)]

    with ThreadPoolExecutor(8) as pool:
        for asked in pool.map(ask, range(8)):
            assert all(got == wanted for got, wanted in asked)


def test_work_stops_when_nobody_waits_any_more(
    small: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    evaluator = small_evaluator(small)
    evaluate, gone, ended, done = evaluator.evaluate, threading.Event(), threading.Event(), []

    def slow(answers: Any) -> Evaluated:
        assert gone.wait(20)
        time.sleep(0.05)  # news of the caller's end takes a moment to arrive
        done.append(answers)
        return evaluate(answers)

    told: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())
            ended.set()

    monkeypatch.setattr(evaluator, "evaluate", slow)
    listener, log = Listener(), logging.getLogger("pluis.calls")
    log.addHandler(listener)
    try:
        with caplog.at_level(logging.INFO), pytest.raises(grpc.RpcError) as caught:
            small.stub.EvaluateBatch(pb.EvaluateBatchRequest(requests=[request()] * 50), timeout=2)
        error: Any = caught.value
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        with caplog.at_level(logging.INFO):
            gone.set()
            assert ended.wait(20)
    finally:
        log.removeHandler(listener)
    assert 0 < len(done) < 50
    assert json.loads(told[-1])["code"] in ("DEADLINE_EXCEEDED", "CANCELLED")


# ---- lists ----


def test_rulesets_are_listed_in_pages(copied: Path) -> None:
    for number in (2, 3):
        shutil.copytree(copied / "small" / "1", copied / "small" / str(number))
        changed(copied / "small" / str(number), ("version: 1.0.0", f"version: {number}.0.0"))
    with running(copied) as started:
        page = started.stub.ListRulesets(pb.ListRulesetsRequest(page_size=2, language="en"))
        assert [each.ruleset.version for each in page.rulesets] == ["3.0.0", "2.0.0"]
        assert [each.is_default for each in page.rulesets] == [True, False]
        assert {each.title for each in page.rulesets} == {"Small"}
        rest = started.stub.ListRulesets(pb.ListRulesetsRequest(page_size=2, page_token=page.next_page_token))
        assert [each.ruleset.version for each in rest.rulesets] == ["1.0.0"]
        assert (rest.rulesets[0].title, rest.next_page_token) == ("Klein", "")
        assert len(started.stub.ListRulesets(pb.ListRulesetsRequest(page_size=1000)).rulesets) == 3


# ---- what is logged ----


def test_a_log_line_tells_the_call_and_nothing_of_the_patient(small: Running, caplog: pytest.LogCaptureFixture) -> None:
    context = pb.RequestContext(request_id="logged", subject_reference="6f1d9c1e-7a40-4c0e-9d52-0b5e3f7a7731")
    told = {"trauma": pb.Answer(choice="option-that-is-not"), "onset": pb.Answer(integer=987654321)}
    asked = [request(context=context), request(context=context, answers=told)]
    with caplog.at_level(logging.DEBUG):
        small.stub.Evaluate(asked[0])
        status_of(lambda: small.stub.Evaluate(asked[1]))
        small.stub.EvaluateBatch(pb.EvaluateBatchRequest(requests=asked))
        list(small.stub.EvaluateStream(iter([pb.EvaluateStreamRequest(request=each) for each in asked])))
    for secret in ("6f1d9c1e-7a40-4c0e-9d52-0b5e3f7a7731", "option-that-is-not", "987654321", "numb", "trauma"):
        assert secret not in caplog.text
    lines = [json.loads(record.message) for record in caplog.records if record.name == "pluis.calls"]
    assert [(line["method"], line["code"]) for line in lines] == [
        ("Evaluate", "OK"),
        ("Evaluate", "INVALID_ARGUMENT"),
        ("EvaluateBatch", "OK"),
        ("EvaluateStream", "OK"),
    ]
    assert [line["request_id"] for line in lines[:2]] == ["logged", "logged"]
    assert all(sorted(line) == ["code", "event", "method", "ms", "request_id"] for line in lines)
