"""Answered means recorded: receipts, requests that come again, what is looked up, and a log that fails or is off."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from typer.testing import CliRunner

from engine.cli import app
from engine.client import Client, TriageError, to_request
from engine.errors import LogLate, LogUnavailable
from engine.pb.v1 import triage_pb2 as pb
from engine.record.sealing import read_keys, subject_lookup
from engine.record.store import open_store
from engine.serve.config import Config
from engine.serve.registry import Registry
from engine.serve.server import LOG_HEALTH, build_server
from tests.serve.conftest import NOW, SMALL, Running, changed, running
from tests.serve.test_calls import reason, status_of

SUBJECT = "6f1d9c1e-7a40-4c0e-9d52-0b5e3f7a7731"
OTHER = "0b5e3f7a-9d52-4c0e-8a40-6f1d9c1e1234"
NUMB, OLD = {"numb": True}, {"age": 70, "trauma": "minor", "numb": False}
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def recorded(log: Path) -> Iterator[Running]:
    with running(SMALL, log=str(log)) as started:
        yield started


def refused(client: Client, answers: Any, **asked: Any) -> str:
    with pytest.raises(TriageError) as caught:
        client.evaluate(answers, **{"ruleset": "small", **asked})
    return caught.value.reason


def entries(log: Path) -> int:
    """How many entries the log of a server that has stopped holds."""
    with open_store(log) as store:
        return sum(1 for writer in store.writers() for _ in store.entries(writer))


# ---- recorded, and looked up ----


def test_what_was_answered_is_looked_up_by_its_receipt(recorded: Running) -> None:
    reply = recorded.client.evaluate(
        {"weeks": "0.5", "wants": ["strength"], "fever": "unknown", **OLD},
        ruleset="small",
        language="en",
        subject=SUBJECT,
        respondent="proxy",
        on_behalf_of="therapist 7",
        request_id="mine",
    )
    assert reply.receipt is not None and len(reply.receipt.entry_hash) == 64
    found = recorded.client.decision(reply.decision_id)
    record = found.record
    assert record.receipt == reply.message.receipt
    assert record.ruleset == reply.message.ruleset
    assert record.decide_time == reply.message.decide_time
    told = (record.decision_id, record.request_id, record.language, record.decision_digest, record.on_behalf_of)
    assert told == (reply.decision_id, "mine", "en", reply.decision_digest, "therapist 7")
    assert record.respondent == pb.RESPONDENT_PROXY
    assert (found.content, found.subject_reference) == (pb.CONTENT_STATE_READABLE, SUBJECT)
    assert (
        found.answers
        == to_request({"weeks": "0.5", "wants": ["strength"], "fever": "unknown", **OLD}, ruleset="x").answers
    )
    (served,) = recorded.registry.current()
    typed = {name: each for name, each in json.loads(found.outcome_json).items() if name == "floor"}
    assert typed == {"floor": reply.floor}
    assert served.digest in found.outcome_json


def test_needs_answers_is_recorded_too_and_validation_is_not(recorded: Running, log: Path) -> None:
    assert recorded.client.evaluate({}, ruleset="small").receipt is not None
    assert recorded.client.evaluate(NUMB, ruleset="small", validate_only=True).receipt is None
    assert refused(recorded.client, {"age": 700}) == "INVALID_ANSWERS"
    listed = recorded.client.decisions(pb.ListDecisionsRequest())
    assert len(listed.decisions) == 1


def test_nobody_knows_a_decision_that_was_not_made(recorded: Running) -> None:
    for decision_id in ("", str(uuid4()), "x" * 10_000):
        with pytest.raises(TriageError) as caught:
            recorded.client.decision(decision_id)
        assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.NOT_FOUND, "DECISION_NOT_FOUND")


def test_a_batch_is_recorded_whole_but_for_what_is_refused(recorded: Running) -> None:
    asked = [
        to_request(NUMB, ruleset="small"),
        to_request({"age": 700}, ruleset="small"),
        to_request({}, ruleset="small"),
    ]
    results = recorded.stub.EvaluateBatch(pb.EvaluateBatchRequest(requests=asked)).results
    assert [each.WhichOneof("result") for each in results] == ["response", "status", "response"]
    first, last = results[0].response.receipt, results[2].response.receipt
    assert (first.writer, first.sequence + 1) == (last.writer, last.sequence)
    listed = recorded.client.decisions(pb.ListDecisionsRequest()).decisions
    assert {each.decision_id for each in listed} == {results[0].response.decision_id, results[2].response.decision_id}


def test_a_stream_gives_each_its_receipt(recorded: Running) -> None:
    asked = [pb.EvaluateStreamRequest(request=to_request(NUMB, ruleset="small")) for _ in range(3)]
    results = [each.result.response.receipt for each in recorded.stub.EvaluateStream(iter(asked))]
    assert [each.sequence for each in results] == [1, 2, 3]


# ---- a request that comes again ----


def test_the_same_request_gets_the_same_decision_and_one_entry(recorded: Running) -> None:
    asked = {"ruleset": "small", "request_id": "mine", "subject": SUBJECT}
    first = recorded.client.evaluate(OLD, **asked)  # type: ignore[arg-type]
    again = recorded.client.evaluate({**OLD}, language="nl", version="1.0.0", **asked)  # type: ignore[arg-type]
    assert again.message == first.message
    assert len(recorded.client.decisions(pb.ListDecisionsRequest()).decisions) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"answers": NUMB},
        {"answers": {**OLD, "age": 71}},
        {"answers": {**OLD, "age": 700}},
        {"subject": OTHER},
        {"subject": ""},
        {"language": "en"},
        {"respondent": "proxy"},
        {"on_behalf_of": "therapist 7"},
        {"ruleset": "large"},
        {"version": "2.0.0"},
    ],
)
def test_another_request_with_the_same_id_is_refused(recorded: Running, other: dict[str, Any]) -> None:
    asked = {"answers": OLD, "ruleset": "small", "request_id": "mine", "subject": SUBJECT}
    recorded.client.evaluate(**asked)  # type: ignore[arg-type]
    with pytest.raises(TriageError) as caught:
        recorded.client.evaluate(**{**asked, **other})
    assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert len(recorded.client.decisions(pb.ListDecisionsRequest()).decisions) == 1


def test_the_same_request_twice_in_a_batch(recorded: Running) -> None:
    asked = to_request(NUMB, ruleset="small", request_id="mine")
    other = to_request(OLD, ruleset="small", request_id="mine")
    first, again, third = recorded.stub.EvaluateBatch(pb.EvaluateBatchRequest(requests=[asked, asked, other])).results
    assert first.response.HasField("receipt")
    assert again == first
    assert reason(third.status) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")


def test_the_ruleset_of_then_decides_again_also_when_it_is_not_served_any_more(copied: Path, log: Path) -> None:
    folder = copied / "small" / "1"
    with running(copied, log=str(log)) as started:
        first = started.client.evaluate(NUMB, ruleset="small", version="1.0.0", request_id="mine", none_of=["flags"])
        changed(folder, ("version: 1.0.0", "version: 2.0.0"), ("within_hours: 1}", "within_hours: 2}"))
        changed(folder, ("within_hours: 1", "within_hours: 2"), file="cases.yaml")
        assert started.registry.reload() == ()
        now = started.client.evaluate(NUMB, ruleset="small", none_of=["flags"])
        assert (now.ruleset_version, now.decision_digest == first.decision_digest) == ("2.0.0", False)
        for version in ("1.0.0", ""):
            again = started.client.evaluate(
                NUMB, ruleset="small", version=version, request_id="mine", none_of=["flags"]
            )
            assert again.message == first.message
        assert refused(started.client, OLD, request_id="mine") == "REQUEST_ID_REUSED"
        assert refused(started.client, NUMB, request_id="mine", version="2.0.0") == "REQUEST_ID_REUSED"


def test_a_server_that_starts_again_knows_what_was_asked_before(log: Path) -> None:
    messages = []
    for _ in range(2):
        with running(SMALL, log=str(log)) as started:
            messages.append(started.client.evaluate(NUMB, ruleset="small", request_id="mine").message)
    assert messages[0] == messages[1]
    assert entries(log) == 1


# ---- lists and feedback ----


def test_decisions_are_listed_in_pages_and_by_filters(copied: Path, log: Path) -> None:
    moments = iter(NOW + timedelta(minutes=number, microseconds=999) for number in range(100))
    config = Config(rulesets=copied, port=0, grace=0.0, log=str(log))
    server = build_server(config, Registry(copied, today=NOW.date), clock=lambda: next(moments))
    server.start()
    try:
        with Client(server.address, timeout=20) as client:
            replies = [
                client.evaluate(NUMB, ruleset="small", request_id=f"r{n}", subject=SUBJECT if n % 2 else "")
                for n in range(5)
            ]
            ids = [reply.decision_id for reply in replies]
            assert client.evaluate(NUMB, ruleset="small", request_id="r0").message == replies[0].message

            def listed(**asked: Any) -> list[int]:
                request, found = pb.ListDecisionsRequest(**asked), []
                while True:
                    page = client.decisions(request)
                    found += [ids.index(each.decision_id) for each in page.decisions]
                    if not page.next_page_token:
                        return found
                    assert len(page.decisions) == asked["page_size"]
                    request.page_token = page.next_page_token

            assert listed() == listed(page_size=2) == listed(page_size=5) == [4, 3, 2, 1, 0]
            assert listed(subject_reference=SUBJECT) == listed(subject_reference=SUBJECT, page_size=1) == [3, 1]
            assert listed(subject_reference=OTHER) == []
            assert listed(request_id="r3") == listed(request_id="r3", subject_reference=SUBJECT) == [3]
            assert listed(request_id="r3", subject_reference=OTHER) == listed(request_id="nobody's") == []
            assert listed(ruleset="small", ruleset_version="1.0.0") == [4, 3, 2, 1, 0]
            assert listed(ruleset="large") == listed(ruleset_version="2.0.0") == []
            first = client.decision(ids[1]).record.decide_time
            third = client.decision(ids[3]).record.decide_time
            assert (
                listed(start_time=first, end_time=third)
                == listed(start_time=first, end_time=third, page_size=1)
                == [2, 1]
            )
            third.nanos += 1  # rounded up: what was decided at the third still counts
            assert listed(start_time=first, end_time=third) == [3, 2, 1]
    finally:
        server.stop()


def test_pages_go_on_in_the_middle_of_a_moment(recorded: Running) -> None:
    asked = [to_request(NUMB, ruleset="small")] * 5  # the server's clock stands still
    recorded.stub.EvaluateBatch(pb.EvaluateBatchRequest(requests=asked))
    request, found = pb.ListDecisionsRequest(page_size=2), []
    for _ in range(3):
        page = recorded.client.decisions(request)
        found += [each.receipt.sequence for each in page.decisions]
        request.page_token = page.next_page_token
    assert (found, request.page_token) == ([5, 4, 3, 2, 1], "")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"page_size": -1}, "out-of-range"),
        ({"page_token": "nonsense"}, "bad-token"),
        ({"page_token": "eA=="}, "bad-token"),
        ({"page_token": "é"}, "bad-token"),
        ({"start_time": {"seconds": 1 << 60}}, "out-of-range"),
    ],
)
def test_a_list_that_cannot_be_is_refused(recorded: Running, wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(TriageError) as caught:
        recorded.client.decisions(pb.ListDecisionsRequest(**wrong))
    assert caught.value.reason == "INVALID_REQUEST"
    assert [each.code for each in caught.value.violations] == [code]


def test_feedback_is_recorded_and_comes_back_with_the_decision(recorded: Running) -> None:
    made = recorded.client.evaluate(NUMB, ruleset="small", subject=SUBJECT)
    accepted = recorded.client.record_feedback(
        pb.RecordFeedbackRequest(decision_id=made.decision_id, verdict=pb.FEEDBACK_VERDICT_ACCEPTED)
    )
    overridden = recorded.client.record_feedback(
        pb.RecordFeedbackRequest(
            decision_id=made.decision_id,
            verdict=pb.FEEDBACK_VERDICT_OVERRIDDEN,
            reason_code="seen_before",
            remark="walked in without trouble",
            given_by="therapist 7",
        )
    )
    assert [accepted.receipt.sequence, overridden.receipt.sequence] == [2, 3]
    assert list(recorded.client.decision(made.decision_id).feedback) == [accepted, overridden]
    assert (overridden.reason_code, overridden.given_by) == ("seen_before", "therapist 7")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"verdict": 0}, "unknown-value"),
        ({"verdict": 9}, "unknown-value"),
        ({"verdict": 2}, "bad-reason-code"),
        ({"reason_code": "Not A Code"}, "bad-reason-code"),
        ({"remark": "x" * 2001}, "too-large"),
        ({"given_by": "x" * 129}, "bad-name"),
    ],
)
def test_feedback_that_cannot_be_is_refused(recorded: Running, wrong: dict[str, Any], code: str) -> None:
    made = recorded.client.evaluate(NUMB, ruleset="small")
    request = pb.RecordFeedbackRequest(**{"decision_id": made.decision_id, "verdict": 1, **wrong})
    with pytest.raises(TriageError) as caught:
        recorded.client.record_feedback(request)
    assert [each.code for each in caught.value.violations] == [code]
    request = pb.RecordFeedbackRequest(decision_id=str(uuid4()), verdict=pb.FEEDBACK_VERDICT_ACCEPTED)
    with pytest.raises(TriageError, match="DECISION_NOT_FOUND"):
        recorded.client.record_feedback(request)


def test_after_an_erasure_the_record_stays_and_tells_nothing(recorded: Running, log: Path) -> None:
    made = recorded.client.evaluate(NUMB, ruleset="small", subject=SUBJECT, request_id="mine")
    given = {"decision_id": made.decision_id, "verdict": pb.FEEDBACK_VERDICT_ACCEPTED}
    recorded.client.record_feedback(pb.RecordFeedbackRequest(**given, remark="walked in"))
    with open_store(log) as store:
        keys = read_keys(log.with_name("log.keys.json"))
        assert store.destroy_keys(subject_lookup(keys, SUBJECT))
    found = recorded.client.decision(made.decision_id)
    assert (found.content, found.record.receipt) == (pb.CONTENT_STATE_ERASED, made.message.receipt)
    assert (dict(found.answers), found.outcome_json, found.subject_reference) == ({}, "", "")
    assert [each.remark for each in found.feedback] == [""]
    assert refused(recorded.client, NUMB, subject=SUBJECT, request_id="mine") == "REQUEST_ID_REUSED"
    recorded.client.record_feedback(pb.RecordFeedbackRequest(**given))
    with pytest.raises(TriageError) as caught:
        recorded.client.record_feedback(pb.RecordFeedbackRequest(**given, remark="walked in"))
    assert [each.code for each in caught.value.violations] == ["erased"]
    assert list(recorded.client.decisions(pb.ListDecisionsRequest(subject_reference=SUBJECT)).decisions) == []


# ---- a log that fails, or is off ----


def health_of_log(started: Running) -> int:
    stub: Any = health_pb2_grpc.HealthStub(started.channel)
    status: int = stub.Check(health_pb2.HealthCheckRequest(service=LOG_HEALTH)).status
    return status


def test_nothing_is_answered_while_the_log_fails_and_recovery_needs_no_hand(
    recorded: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert health_of_log(recorded) == SERVING
    asked = to_request(NUMB, ruleset="small", request_id="mine")
    recorder: Any = recorded.server.recording

    def fail(*_: object) -> None:
        raise LogUnavailable("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(recorder._recorder, "record_many", fail)
        status = status_of(lambda: recorded.stub.Evaluate(asked))
        assert reason(status) == ("UNAVAILABLE", "LOG_UNAVAILABLE")
        mixed = [asked, to_request({"age": 700}, ruleset="small"), to_request({}, ruleset="small", validate_only=True)]
        results = recorded.stub.EvaluateBatch(pb.EvaluateBatchRequest(requests=mixed)).results
        assert reason(results[0].status) == ("UNAVAILABLE", "LOG_UNAVAILABLE")
        assert reason(results[1].status) == ("INVALID_ARGUMENT", "INVALID_ANSWERS")
        assert results[2].response.HasField("validation")
        (streamed,) = recorded.stub.EvaluateStream(iter([pb.EvaluateStreamRequest(request=asked)]))
        assert reason(streamed.result.status) == ("UNAVAILABLE", "LOG_UNAVAILABLE")
        assert health_of_log(recorded) == NOT_SERVING
        recorded.client.decisions(pb.ListDecisionsRequest())
        assert health_of_log(recorded) == NOT_SERVING  # that it can be read does not mean that it can be written
    assert recorded.stub.Evaluate(asked).receipt.sequence == 1
    assert health_of_log(recorded) == SERVING


def test_a_caller_without_patience_says_nothing_about_the_log(
    recorded: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait for the log ends with the call's own deadline; its request id tells later what became of it."""
    recorder: Any = recorded.server.recording
    waited: set[float] = set()
    record = recorder._recorder.record_many

    def late(drafts: object, seconds: float) -> None:
        waited.add(seconds)
        raise LogLate("not recorded within its time")

    def patient(drafts: object, seconds: float) -> object:
        waited.add(seconds)
        return record(drafts, seconds)

    asked = to_request(NUMB, ruleset="small", request_id="mine")
    with monkeypatch.context() as slow:
        slow.setattr(recorder._recorder, "record_many", late)
        status_of(lambda: recorded.stub.Evaluate(asked, timeout=5))
        assert health_of_log(recorded) == SERVING
        assert waited and all(0 < seconds < recorder._patience for seconds in waited)  # it may have tried again
        waited.clear()
        status_of(lambda: recorded.stub.Evaluate(asked, timeout=50))
        assert health_of_log(recorded) == NOT_SERVING
    monkeypatch.setattr(recorder._recorder, "record_many", patient)
    recorded.stub.Evaluate(asked)
    assert waited == {recorder._patience}


def test_health_tells_a_log_that_cannot_be_read_until_it_can_be_read_or_written(
    recorded: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = recorded.client.evaluate(NUMB, ruleset="small")
    recorder: Any = recorded.server.recording

    def fail(*_: object) -> None:
        raise LogUnavailable("the log cannot be read")

    for succeed in (
        lambda: recorded.client.decision(made.decision_id),
        lambda: recorded.client.evaluate(NUMB, ruleset="small"),
    ):
        with monkeypatch.context() as broken:
            broken.setattr(recorder._store, "decision", fail)
            with pytest.raises(TriageError, match="LOG_UNAVAILABLE"):
                recorded.client.decision(made.decision_id)
            assert health_of_log(recorded) == NOT_SERVING
        succeed()
        assert health_of_log(recorded) == SERVING


def test_a_log_that_is_off_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "pluis.server"), running(SMALL) as started:
        assert "decisions are not recorded: the log is off" in caplog.text
        assert health_of_log(started) == NOT_SERVING
        reply = started.client.evaluate(NUMB, ruleset="small")
        assert (reply.receipt, reply.disposition) == (None, "emergency")
        with pytest.raises(TriageError) as caught:
            started.client.decision(reply.decision_id)
        assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "LOG_OFF")


def test_the_line_at_the_start_tells_where_decisions_are_recorded(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "pluis.server"), running(SMALL, log=str(log)):
        assert f"decisions are recorded in {log}, not encrypted at rest" in caplog.text


MARKS = ("987654", SUBJECT, "remark-that-nobody-may-read", "option-that-is-not", "0.123456")


def test_no_line_tells_an_answer_or_a_subject(
    recorded: Running, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked = {"ruleset": "small", "subject": SUBJECT, "request_id": "mine"}
    with caplog.at_level(logging.DEBUG):
        made = recorded.client.evaluate({"weeks": "0.123456"}, **marked)  # type: ignore[arg-type]
        for wrong in ({"trauma": "option-that-is-not"}, {"onset": 987654}, {"weeks": "0.1234567"}):
            assert refused(recorded.client, wrong, **marked) == "REQUEST_ID_REUSED"
        feedback = pb.RecordFeedbackRequest(decision_id=made.decision_id, verdict=pb.FEEDBACK_VERDICT_ACCEPTED)
        feedback.remark = "remark-that-nobody-may-read"
        recorded.client.record_feedback(feedback)
        recorded.client.decision(made.decision_id)
        list(recorded.client.decisions(pb.ListDecisionsRequest(subject_reference=SUBJECT)).decisions)
    assert caplog.text
    for mark in MARKS:
        assert mark not in caplog.text


def test_how_often_each_rule_is_overridden_is_told_on_the_command_line(log: Path) -> None:
    with running(SMALL, log=str(log)) as started:
        for number in range(10):
            reply = started.client.evaluate(NUMB if number < 9 else {**NUMB, **OLD, "numb": True}, ruleset="small")
            given = pb.RecordFeedbackRequest(decision_id=reply.decision_id, verdict=pb.FEEDBACK_VERDICT_ACCEPTED)
            if number < 3:
                given.verdict, given.reason_code = pb.FEEDBACK_VERDICT_OVERRIDDEN, "seen_before"
            started.client.record_feedback(given)
    done = CliRunner().invoke(app, ["log", "overrides", "--log", str(log)])
    assert (done.exit_code, done.stdout.splitlines()) == (
        0,
        ["small E01  30%: 3 of 10 overridden", "small S01  fewer than 10 decisions with feedback"],
    )
    done = CliRunner().invoke(app, ["log", "overrides", "--json", "--log", str(log)])
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"ruleset": "small", "rule": "E01", "decisions": 10, "overridden": 3},
        {"ruleset": "small", "rule": "S01", "decisions": None, "overridden": None},
    ]
    done = CliRunner().invoke(app, ["log", "overrides", "--ruleset", "large", "--log", str(log)])
    assert done.stdout == "no feedback was recorded\n"
