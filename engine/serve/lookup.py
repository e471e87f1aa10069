"""Recorded decisions become responses: one by its id, lists in pages, and what people did with them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TypeAlias

from engine.errors import Violation
from engine.pb.v1 import triage_pb2 as pb
from engine.record.entry import EntryKind, Receipt, timestamp
from engine.record.feedback import Feedback, FeedbackDraft, FeedbackVerdict, read_feedback
from engine.record.reading import Opened, State
from engine.record.store import Selection
from engine.serve.calls import Call
from engine.serve.config import Right
from engine.serve.convert import NAME, RESPONDENTS, acceptable_name, answer_message, receipt_message
from engine.serve.errors import InvalidRequest, UnknownDecision
from engine.serve.recording import Recording
from engine.serve.telemetry.metrics import Metrics

PAGE, LARGEST_PAGE = 50, 100
LONGEST_REMARK = 2000
REASON_CODE = re.compile(r"[a-z0-9_]{1,64}")
Place: TypeAlias = tuple[str, str, int]
"""Time, writer and sequence: by these a list is ordered."""
MILLISECOND = timedelta(milliseconds=1)
NANOSECONDS = 1_000_000
"""Of a millisecond."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

VERDICTS = {
    pb.FEEDBACK_VERDICT_ACCEPTED: FeedbackVerdict.ACCEPTED,
    pb.FEEDBACK_VERDICT_OVERRIDDEN: FeedbackVerdict.OVERRIDDEN,
}
CONTENTS = {
    State.OPEN: pb.CONTENT_STATE_READABLE,
    State.ERASED: pb.CONTENT_STATE_ERASED,
    State.SEALED: pb.CONTENT_STATE_SEALED,
}


def get_decision(recording: Recording, decision_id: str) -> pb.GetDecisionResponse:
    """One decision with all that the log can tell of it. Raises UnknownDecision."""
    found = _find(recording, decision_id)
    response = pb.GetDecisionResponse(record=_record(found), content=CONTENTS.get(found.state))
    for name, answer in found.answers().items():
        response.answers[name].CopyFrom(answer_message(answer))
    response.outcome_json = found.outcome.decode()
    response.subject_reference = found.sealed.get("subject", "")
    response.feedback.extend(_feedback(read_feedback(each)) for each in recording.about(found.decision_id))
    return response


def list_decisions(recording: Recording, request: pb.ListDecisionsRequest, caller: str) -> pb.ListDecisionsResponse:
    """One page, the newest first. Raises InvalidRequest for a page that cannot be."""
    if request.page_size < 0:
        raise InvalidRequest([Violation("page_size", "out-of-range", f"a page has 1 to {LARGEST_PAGE} decisions")])
    size = min(request.page_size or PAGE, LARGEST_PAGE)
    found = [*islice(_selected(recording, request, caller, _place(request.page_token)), size + 1)]
    response = pb.ListDecisionsResponse(decisions=[_record(each) for each in found[:size]])
    if len(found) > size:
        response.next_page_token = _token(found[size - 1])
    return response


def record_feedback(
    recording: Recording, request: pb.RecordFeedbackRequest, time: datetime, call: Call, metrics: Metrics
) -> pb.RecordFeedbackResponse:
    """Returns when the feedback is durable. Raises InvalidRequest with every violation, and UnknownDecision.

    Others' decisions are unknown to a caller who may not look decisions up.
    """
    violations = [*_feedback_violations(request)]
    if violations:
        raise InvalidRequest(violations)
    found = _find(recording, request.decision_id)
    if found.clear["caller"] != call.caller.name and Right.AUDIT not in call.caller.rights:
        raise _unknown()
    if request.remark and found.state is State.ERASED:
        message = "what was sealed in this decision is erased, so no remark on it can be kept"
        raise InvalidRequest([Violation("remark", "erased", message)])
    draft = FeedbackDraft(
        decision_id=found.decision_id,
        time=time,
        caller=call.caller.name,
        verdict=VERDICTS[request.verdict],
        reason_code=request.reason_code,
        remark=request.remark,
        given_by=request.given_by,
    )
    receipt = recording.record_feedback(draft, call.remaining())
    kept = Feedback(draft.decision_id, time, draft.verdict, draft.reason_code, draft.remark, draft.given_by, receipt)
    rules = json.loads(found.outcome)["rules"] if found.state is State.OPEN else ()
    if not kept.about_programme:
        metrics.feedback(found.ruleset.id, draft.verdict.value, rules)
    return pb.RecordFeedbackResponse(feedback=_feedback(kept))


def _find(recording: Recording, decision_id: str) -> Opened:
    found = recording.find(decision_id)
    if found is None:
        raise _unknown()
    return found


def _unknown() -> UnknownDecision:
    return UnknownDecision("no decision with this id was recorded here")


def _selected(
    recording: Recording, request: pb.ListDecisionsRequest, caller: str, after: Place | None
) -> Iterator[Opened]:
    """The decisions that every filter lets through, the newest first, from behind the page before."""
    since, until = (_bound(request, name) for name in ("start_time", "end_time"))
    if request.request_id:
        one = recording.find_request(request.caller or caller, request.request_id)
        matches = one is not None and request.subject_reference in ("", one.sealed.get("subject"))
        found = iter((one,) if one is not None and matches else ())
    else:
        behind = "" if after is None else timestamp(datetime.fromisoformat(after[0]) + MILLISECOND)
        before = min(filter(None, (until, behind)), default="")
        keys = recording.keys_of(request.subject_reference) if request.subject_reference else frozenset()
        if request.subject_reference and not keys:
            return
        found = recording.select(Selection(EntryKind.DECISION, since, before, request.ruleset, request.caller, keys))
    for each in found:
        time = each.clear["time"]
        if (
            (after is None or (time, each.entry.writer, each.entry.sequence) < after)
            and since <= time
            and (not until or time < until)
            and request.ruleset in ("", each.ruleset.id)
            and request.ruleset_version in ("", each.ruleset.version)
        ):
            yield each


def _bound(request: pb.ListDecisionsRequest, name: str) -> str:
    """A time of the request as entries have it, rounded up to the millisecond; empty where there is none."""
    if not request.HasField(name):
        return ""
    try:
        return timestamp(EPOCH + timedelta(milliseconds=-(-getattr(request, name).ToNanoseconds() // NANOSECONDS)))
    except (ValueError, OverflowError):
        raise InvalidRequest([Violation(name, "out-of-range", "there is no such time")]) from None


def _token(last: Opened) -> str:
    """Opaque to callers: the place of the last decision that a page gave."""
    told = f"{last.clear['time']}\n{last.entry.writer}\n{last.entry.sequence}"
    return base64.urlsafe_b64encode(told.encode()).decode()


def _place(token: str) -> Place | None:
    """What a token says; None for the first page. Raises InvalidRequest for a token that no page has."""
    if not token:
        return None
    try:
        time, writer, sequence = base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode().split("\n")
        return timestamp(datetime.fromisoformat(time)), writer, int(sequence)
    except (binascii.Error, ValueError, OverflowError):
        message = "no page has this token: start again without one"
        raise InvalidRequest([Violation("page_token", "bad-token", message)]) from None


def _record(found: Opened) -> pb.DecisionRecord:
    clear, entry = found.clear, found.entry
    ruleset = found.ruleset
    record = pb.DecisionRecord(
        decision_id=found.decision_id,
        request_id=clear["request_id"],
        ruleset=pb.RulesetReference(id=ruleset.id, version=ruleset.version, digest=ruleset.digest),
        language=clear["language"],
        decision_digest=clear["decision_digest"],
        caller=clear["caller"],
        on_behalf_of=clear["on_behalf_of"],
        respondent=next(number for number, word in RESPONDENTS.items() if word == clear["respondent"]),
        engine_version=clear["engine"],
        receipt=receipt_message(Receipt(entry.writer, entry.sequence, entry.hash)),
    )
    record.decide_time.FromDatetime(datetime.fromisoformat(clear["time"]))
    return record


def _feedback(feedback: Feedback) -> pb.Feedback:
    message = pb.Feedback(
        verdict=next(number for number, verdict in VERDICTS.items() if verdict is feedback.verdict),
        reason_code=feedback.reason_code,
        remark=feedback.remark,
        given_by=feedback.given_by,
        receipt=receipt_message(feedback.receipt),
    )
    message.record_time.FromDatetime(feedback.time)
    return message


def _feedback_violations(request: pb.RecordFeedbackRequest) -> Iterator[Violation]:
    if request.verdict not in VERDICTS:
        yield Violation(
            "verdict", "unknown-value", "feedback is FEEDBACK_VERDICT_ACCEPTED or FEEDBACK_VERDICT_OVERRIDDEN"
        )
    if request.reason_code and not REASON_CODE.fullmatch(request.reason_code):
        message = "a reason code is made of at most 64 lower-case letters, digits and underscores"
        yield Violation("reason_code", "bad-reason-code", message)
    elif not request.reason_code and request.verdict == pb.FEEDBACK_VERDICT_OVERRIDDEN:
        yield Violation("reason_code", "bad-reason-code", "to override a decision takes a reason code")
    if len(request.remark) > LONGEST_REMARK:
        yield Violation("remark", "too-large", f"a remark has at most {LONGEST_REMARK} characters")
    if not acceptable_name(request.given_by):
        yield Violation("given_by", "bad-name", NAME)
