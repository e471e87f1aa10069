"""Nothing that a patient said leaves by a side door: marked answers go everywhere, and are then looked for everywhere.

The marks: an age, a duration and a subject that occur nowhere else. They are sent to every rpc, well and in every way
that fails; then streams, log lines, files, metrics, texts of exceptions and what the database driver would echo are
searched. The answer to the caller is the one place where they may stand.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from engine.decide.evaluate import Evaluated
from engine.errors import EngineFault, EvaluatorsDisagree, LogUnavailable
from engine.pb.v1 import triage_pb2 as pb
from engine.record.databases import LOGGED_AS
from engine.serve import answering, observing
from tests.faults.load import stub
from tests.serve.conftest import SMALL, Running, running
from tests.serve.marked import whole_server
from tests.serve.test_calls import small_evaluator

AGE, WEEKS, SUBJECT = 117, "4321.7", "c0ffee00-7a40-4c0e-9d52-0b5e3f7a7731"
REMARK = "the-remark-of-4321.7-weeks"
MARKS = re.compile(rf"(?<![\w.-])117(?![\w-])|4321\.7|{SUBJECT}|{SUBJECT.replace('-', '')}")
"""The age alone is looked for as a number by itself; in a time such as 12:00:01.117, or an id, it is none."""
BY_CHANCE = re.compile(r'"(?:ms|pid)": [\d.]+|(?<=_bucket)(\{.*\}) \d+\.0$', re.MULTILINE)
"""Numbers that may equal an age: how long a call took, the number of a process, and how many were as quick."""
TIMEOUT = 20


def marks(text: str) -> list[str]:
    """The marks that stand in a text."""
    return MARKS.findall(BY_CHANCE.sub(r"\1", text))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"age": 117}', 1),
        ("117 weeks, age=117&", 2),
        ('pluis_age{ruleset="117"} 3.0', 1),
        ('pluis_unknown_answers_total{question="age"} 117.0', 1),
        (f"at {SUBJECT}, {WEEKS}", 2),
        ('"time": "12:00:01.117Z", "ms": 117.3, "pid": 117, "request_id": "0b117c9e-7117-4117-9117-a1170b117f11"', 0),
        ('pluis_call_duration_seconds_bucket{le="0.1",method="Evaluate"} 117.0\n', 0),
        ('pluis_call_duration_seconds_bucket{le="0.1",method="117"} 117.0\n', 1),
    ],
)
def test_a_mark_is_found_and_chance_is_none(text: str, found: int) -> None:
    assert len(marks(text)) == found


def marked(request_id: str = "", **answers: pb.Answer) -> pb.EvaluateRequest:
    told = {"age": pb.Answer(integer=AGE), "weeks": pb.Answer(decimal=WEEKS), "numb": pb.Answer(yes_no=pb.YES_NO_NO)}
    context = pb.RequestContext(request_id=request_id, subject_reference=SUBJECT, on_behalf_of="clinic-7")
    return pb.EvaluateRequest(ruleset="small", answers={**told, **answers}, context=context)


def wrong_ones() -> Iterator[pb.EvaluateRequest]:
    """Requests that are refused, each for another reason, with the marks where they hurt most."""
    yield marked(age=pb.Answer(decimal=WEEKS))
    yield marked(weeks=pb.Answer(decimal=f"{WEEKS}e9"))
    yield marked(onset=pb.Answer(integer=AGE + 1))
    yield marked(trauma=pb.Answer(choice=WEEKS))
    yield marked(fever_days=pb.Answer(integer=4321))
    yield marked(request_id=f"{SUBJECT} {WEEKS}" * 9)
    yield pb.EvaluateRequest(ruleset=SUBJECT, answers={WEEKS: pb.Answer(integer=AGE)}, language=WEEKS)
    yield pb.EvaluateRequest(ruleset="small", ruleset_version=WEEKS, none_of=[SUBJECT])
    yield pb.EvaluateRequest(ruleset="small", context=pb.RequestContext(subject_reference=f"{AGE} {WEEKS}"))


def every_rpc(stub: Any) -> None:
    """Asks for everything there is, with marks wherever a text fits."""
    kept = stub.Evaluate(marked("kept"), timeout=TIMEOUT)
    again = stub.Evaluate(marked("kept"), timeout=TIMEOUT)
    assert again.decision_id == kept.decision_id
    fails(
        lambda: stub.Evaluate(marked("kept", numb=pb.Answer(unknown=pb.Unknown())), timeout=TIMEOUT), "ALREADY_EXISTS"
    )
    for wrong in wrong_ones():
        fails(lambda wrong=wrong: stub.Evaluate(wrong, timeout=TIMEOUT))  # type: ignore[misc]
    batch = [marked("one"), *wrong_ones()]
    assert len(stub.EvaluateBatch(pb.EvaluateBatchRequest(requests=batch), timeout=TIMEOUT).results) == len(batch)
    stream = (pb.EvaluateStreamRequest(request=each) for each in batch)
    assert len(list(stub.EvaluateStream(stream, timeout=TIMEOUT))) == len(batch)
    validate = marked("validated")
    validate.validate_only = True
    stub.Evaluate(validate, timeout=TIMEOUT)
    stub.GetDecision(pb.GetDecisionRequest(decision_id=kept.decision_id), timeout=TIMEOUT)
    fails(lambda: stub.GetDecision(pb.GetDecisionRequest(decision_id=f"{SUBJECT}-{WEEKS}"), timeout=TIMEOUT))
    listed = stub.ListDecisions(pb.ListDecisionsRequest(subject_reference=SUBJECT), timeout=TIMEOUT)
    assert listed.decisions
    fails(lambda: stub.ListDecisions(pb.ListDecisionsRequest(page_token=WEEKS, subject_reference=SUBJECT)))
    feedback = pb.RecordFeedbackRequest(
        decision_id=kept.decision_id,
        verdict=pb.FEEDBACK_VERDICT_OVERRIDDEN,
        reason_code="other",
        remark=REMARK,
        given_by="therapist-9",
    )
    stub.RecordFeedback(feedback, timeout=TIMEOUT)
    fails(lambda: stub.RecordFeedback(pb.RecordFeedbackRequest(decision_id=SUBJECT, remark=REMARK), timeout=TIMEOUT))
    fails(lambda: stub.GetRuleset(pb.GetRulesetRequest(ruleset=SUBJECT), timeout=TIMEOUT))
    fails(lambda: stub.GetQuestionnaire(pb.GetQuestionnaireRequest(language=WEEKS), timeout=TIMEOUT))


def fails(call: Callable[[], Any], code: str = "") -> None:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    error: Any = caught.value
    assert code in ("", error.code().name)


POSTS = (
    "/v1/evaluate",
    "/v1/evaluate-batch",
    "/v1/decisions/search",
    f"/v1/decisions/{SUBJECT}/feedback",
    "/fhir/R4/PlanDefinition/small/$triage",
    "/fhir/R4/Questionnaire/_search",
    "/cds-services/small-patient-view",
    "/cds-services/small-patient-view/feedback",
    "/nl",
    "/en",
)
TYPES = ("application/json", "application/fhir+json", "application/x-www-form-urlencoded", "text/plain")


def every_path(address: str) -> None:
    """The same over HTTP: a decision, and bodies of every kind to every place that takes one."""
    answers = {"age": {"integer": str(AGE)}, "weeks": {"decimal": WEEKS}, "numb": {"yesNo": "YES_NO_NO"}}
    context = {"subjectReference": SUBJECT, "requestId": "http"}
    asked = {"ruleset": "small", "answers": answers, "context": context}
    with httpx.Client(base_url=f"http://{address}", timeout=TIMEOUT) as client:
        assert client.post("/v1/evaluate", json=asked).is_success
        assert client.post("/v1/decisions/search", json={"subjectReference": SUBJECT}).is_success
        item = {"linkId": WEEKS, "answer": [{"valueInteger": AGE}, {"valueString": f"{WEEKS} {SUBJECT}"}]}
        response = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": [item]}
        bodies = [asked, response, {"hook": WEEKS, "context": {"patientId": SUBJECT}, "prefetch": {"intake": response}}]
        texts = [json.dumps(each) for each in bodies]
        texts += [texts[0][:-1], f"age={AGE}&weeks={WEEKS}&subject={SUBJECT}&answers={WEEKS}", f"{WEEKS} {SUBJECT}"]
        for path in POSTS:
            for text in texts:
                for kind in TYPES:
                    answer = client.post(path, content=text, headers={"content-type": kind})
                    assert answer.status_code < 500, (path, kind, answer.status_code)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that any library logs; what SQLAlchemy would echo among it, though our own engines never do."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, f"sqlalchemy.engine.Engine.{LOGGED_AS}")
    return caplog


def found_in(folder: Path) -> list[str]:
    """The files in which a mark stands; the age is too short to be looked for among random bytes."""
    marks = [each.encode() for each in (WEEKS, SUBJECT, SUBJECT.replace("-", ""), REMARK, f'"age":"{AGE}"')]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [str(path) for path in files if any(mark in path.read_bytes() for mark in marks)]


def test_every_rpc_and_every_refusal_keep_it_to_themselves(
    tmp_path: Path, lines: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with running(SMALL, log=str(tmp_path / "log"), state=tmp_path / "state") as started:
        every_rpc(started.stub)
        assert found_in(tmp_path) == []
        metrics = page(started)
    assert "pluis_decisions_total{" in metrics
    out, err = capfd.readouterr()
    told = "\n".join(record.getMessage() for record in lines.records)
    assert "INSERT INTO entries" in told, "the echo is part of what is searched"
    for where, text in {"stdout": out, "stderr": err, "log": told, "metrics": metrics}.items():
        assert marks(text) == [], where
    assert found_in(tmp_path) == []


def page(started: Running) -> str:
    """The metrics of a server in this process."""
    app = started.server.metrics.app()
    return b"".join(app({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None)).decode()


FAULTS = {
    "engine": EngineFault(f"{SUBJECT} {WEEKS}"),
    "disagreement": EvaluatorsDisagree("rules"),
    "program": ValueError(f"{AGE} {WEEKS} {SUBJECT}"),
    "key": KeyError(f"{AGE} {WEEKS} {SUBJECT}"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_inside_keep_it_to_themselves(
    fault: str, lines: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the text of an exception quotes a patient, as those of libraries may."""
    caught: list[BaseException] = []
    log_failure = observing.log_failure

    def keep(error: Exception, request_id: str) -> None:
        caught.append(error)
        log_failure(error, request_id)

    def break_off(answers: Any) -> Evaluated:
        raise FAULTS[fault]

    monkeypatch.setattr(observing, "log_failure", keep)
    with running(SMALL) as started:
        monkeypatch.setattr(small_evaluator(started), "evaluate", break_off)
        with pytest.raises(grpc.RpcError) as told:
            started.stub.Evaluate(marked(), timeout=TIMEOUT)
        metrics = page(started)
    assert set(caught) == {FAULTS[fault]}  # more than once where the client tries again
    error: Any = told.value
    out, err = capfd.readouterr()
    logged = "\n".join(record.getMessage() + str(record.exc_text or "") for record in lines.records)
    assert "failure" in logged
    status = error.details() + str(error.trailing_metadata())
    for where, text in {"stdout": out, "stderr": err, "log": logged, "status": status, "metrics": metrics}.items():
        assert marks(text) == [], where


def test_our_own_exceptions_hold_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text of every exception of ours that passes through a server, its causes and contexts too."""
    seen: list[Exception] = []
    answer = answering.Answering.answer

    def watched(self: Any, *arguments: Any) -> Any:
        results = answer(self, *arguments)
        seen.extend(each for each in results if isinstance(each, Exception))
        return results

    monkeypatch.setattr(answering.Answering, "answer", watched)
    with running(SMALL, log=str(tmp_path / "log"), state=tmp_path / "state") as started:
        for wrong in wrong_ones():
            with suppress(grpc.RpcError):
                started.stub.Evaluate(wrong, timeout=TIMEOUT)
        recording = started.server.recording
        assert recording is not None

        def refuse(*_: Any) -> Any:
            raise LogUnavailable("the decision log failed: OperationalError")

        monkeypatch.setattr(recording._recorder, "record_many", refuse)
        fails(lambda: started.stub.Evaluate(marked(), timeout=TIMEOUT), "UNAVAILABLE")
    assert len(seen) > len([*wrong_ones()])
    for error in seen:
        texts = [str(each) for each in chain(error)]
        if type(error).__module__ == "engine.serve.registry":
            continue  # names what the caller asked for, which is no answer: see test_errors
        assert marks(" ".join(texts)) == [], (type(error), traceback.format_exception_only(error))


def chain(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


@pytest.mark.slow
def test_a_real_server_keeps_it_to_itself(tmp_path: Path) -> None:
    """Processes, streams, files, the page for Prometheus; after a kill and a stop."""
    with whole_server(tmp_path) as server:
        with grpc.insecure_channel(server.address) as channel:
            every_rpc(stub(channel))
        every_path(server.http)
        with urllib.request.urlopen(f"http://{server.operations}/metrics", timeout=TIMEOUT) as answer:
            metrics = answer.read().decode()
    assert "pluis_decisions_total{" in metrics
    assert marks(metrics) == []
    assert marks(server.told()) == []
    assert found_in(tmp_path) == []
