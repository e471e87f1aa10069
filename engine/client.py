"""The Python client: a mapping of answers in, a reply in the ruleset's own words out.

>>> sorted(to_request({"age": 54, "fever": False}, ruleset="low_back_pain").answers)
['age', 'fever']

It holds the channel and the deadline, and needs neither the inference engine nor a YAML library.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import TracebackType
from typing import Any, Required, Self, TypeAlias, TypedDict, Unpack
from uuid import uuid4

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from engine.channel import Token, connect
from engine.decide.answers import Given, given, plain_number
from engine.errors import PluisError, Violation
from engine.pb.v1 import triage_pb2 as pb
from engine.pb.v1 import triage_pb2_grpc
from engine.rules.model import YES, QuestionType

AnswerValue: TypeAlias = bool | int | float | Decimal | str | Sequence[str] | None

# The generated class has no types.
_stub: Callable[[grpc.Channel], Any] = triage_pb2_grpc.TriageServiceStub


class TriageError(PluisError):
    """A call failed. `code` is gRPC's, `reason` the server's, such as INVALID_ANSWERS; `violations` say what to change.

    `violations_left_out`: how many more there are; ask with `validate_only` for all.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        reason: str,
        message: str,
        violations: Iterable[Violation] = (),
        metadata: Mapping[str, str] | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(f"{code.name} {reason}: {message}" if reason else f"{code.name}: {message}")
        self.code = code
        self.reason = reason
        self.violations = tuple(violations)
        self.metadata = dict(metadata or {})
        self.request_id = request_id

    @property
    def violations_left_out(self) -> int:
        return int(self.metadata.get("leftOut", "0"))


@dataclass(frozen=True, slots=True)
class Shown:
    """A text to show, with its id."""

    id: str
    text: str
    clinician_text: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a decision was recorded: which chain, which place in it, and the hash that stands there."""

    writer: str
    sequence: int
    entry_hash: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, in the ruleset's words. `disposition` is None while answers are needed, and never a guess.

    `floor` holds in any case, `ceiling` is the most that missing answers could make of it; both are the disposition of
    a decision, and empty where the request was only validated. `within_hours` is None where no time is set.
    `programme` is `none_yet` while `programme_open`. `receipt` is None where the server records nothing. `message` is
    the response as it came.
    """

    disposition: str | None
    floor: str
    ceiling: str
    act_now: bool
    call: str
    calls: tuple[str, ...]
    within_hours: int | None
    guidance: str
    programme: str
    programme_open: bool
    rules: tuple[str, ...]
    open_rules: tuple[str, ...]
    advice: tuple[Shown, ...]
    safety_net: tuple[Shown, ...]
    next_questions: tuple[str, ...]
    violations: tuple[Violation, ...]
    decision_id: str
    decision_digest: str
    request_id: str
    ruleset: str
    ruleset_version: str
    ruleset_digest: str
    language: str
    receipt: Receipt | None
    message: pb.EvaluateResponse = field(repr=False)

    @property
    def settled(self) -> bool:
        """Whether this is a decision: no missing answer can raise the disposition."""
        return self.disposition is not None


class Client:
    """A connection to a server; use it as a context manager, and share it between threads.

    `timeout` in seconds counts for a whole call with its retries. `credentials` make the connection TLS; see
    `engine.channel.tls`. A `token` is sent as bearer token, and only over TLS; where each counts once, give a function
    that gives a fresh one.
    """

    def __init__(
        self,
        target: str,
        *,
        timeout: float = 5.0,
        credentials: grpc.ChannelCredentials | None = None,
        token: Token | None = None,
    ) -> None:
        self.channel = connect(target, credentials, token)
        self.stub = _stub(self.channel)
        self._timeout = timeout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self.channel.close()

    def evaluate(self, answers: Mapping[str, AnswerValue], **asked: Unpack[Asked]) -> Reply:
        """The decision that follows from the answers, or what is still needed. Raises TriageError when the call fails.

        Raises ValueError for an answer that cannot be sent. For the rest see `to_request`. Without `request_id` one is
        made, so that a call that is tried again gets the same decision.
        """
        request = to_request(answers, **asked)
        request.context.request_id = request.context.request_id or str(uuid4())
        response: pb.EvaluateResponse = self._call("Evaluate", request)
        return to_reply(response)

    def decision(self, decision_id: str) -> pb.GetDecisionResponse:
        """A decision as it was recorded. Raises TriageError, with the reason DECISION_NOT_FOUND where there is none."""
        response: pb.GetDecisionResponse = self._call("GetDecision", pb.GetDecisionRequest(decision_id=decision_id))
        return response

    def decisions(self, request: pb.ListDecisionsRequest) -> pb.ListDecisionsResponse:
        """A page of the recorded decisions that a request names, the newest first."""
        response: pb.ListDecisionsResponse = self._call("ListDecisions", request)
        return response

    def record_feedback(self, feedback: pb.RecordFeedbackRequest) -> pb.Feedback:
        """Records what somebody did with a decision, durably, and gives it as it was recorded."""
        response: pb.RecordFeedbackResponse = self._call("RecordFeedback", feedback)
        return response.feedback

    def _call(self, method: str, request: Any) -> Any:
        try:
            return getattr(self.stub, method)(request, timeout=self._timeout)
        except grpc.RpcError as error:
            raise to_error(error) from None


class Asked(TypedDict, total=False):
    """What a request says beside the answers. `to_request` has the meaning of each."""

    ruleset: Required[str]
    version: str
    language: str
    none_of: Iterable[str]
    request_id: str
    subject: str
    respondent: str
    on_behalf_of: str
    view: str
    validate_only: bool


def to_request(answers: Mapping[str, AnswerValue], **asked: Unpack[Asked]) -> pb.EvaluateRequest:
    """The request for one patient. `version` and `language` may be left to the server; `view` is `full` or `basic`.

    An answer is True, False, a number, a list of options, or a text read as a person writes it: `yes`, `no`,
    `unknown`, a number, an option. A missing answer is left out; None is refused, as it could mean missing or unknown.
    For the record: `subject` is an opaque reference, `respondent` is `patient`, `proxy` or `therapist`.
    """
    none_of, view = asked.get("none_of", ()), asked.get("view", "full")
    respondent = asked.get("respondent") or "unspecified"
    if isinstance(none_of, str):
        none_of = (none_of,)
    if view not in ("full", "basic"):
        raise ValueError(f"`{view}` is no view: say full or basic")
    request = pb.EvaluateRequest(
        ruleset=asked["ruleset"],
        ruleset_version=asked.get("version", ""),
        language=asked.get("language", ""),
        answers={name: to_answer(name, value) for name, value in answers.items()},
        none_of=none_of,
        view=pb.RESPONSE_VIEW_BASIC if view == "basic" else pb.RESPONSE_VIEW_FULL,
        validate_only=asked.get("validate_only", False),
    )
    context = pb.RequestContext(
        request_id=asked.get("request_id", ""),
        subject_reference=asked.get("subject", ""),
        respondent=f"RESPONDENT_{respondent.upper()}",
        on_behalf_of=asked.get("on_behalf_of", ""),
    )
    if context.ByteSize():
        request.context.CopyFrom(context)
    return request


def to_answer(name: str, value: AnswerValue) -> pb.Answer:
    """One answer as it is sent. Raises ValueError for a value that says nothing certain.

    >>> to_answer("weeks", 0.5).decimal, to_answer("trauma", "unknown").WhichOneof("kind")
    ('0.5', 'unknown')
    """
    match value:
        case None:
            raise ValueError(f"`{name}` is None: missing answers are left out; say `unknown` where nobody knows")
        case bool():
            return _yes_no(value)
        case int():
            return _integer(name, value)
        case float() | Decimal():
            if not math.isfinite(value):
                raise ValueError(f"`{name}` is {value}, which is no number to send")
            # repr gives the shortest decimal that is this float: 0.7 stays 0.7.
            return pb.Answer(decimal=format(Decimal(repr(value)) if isinstance(value, float) else value, "f"))
        case str():
            return _written(name, given(value))
        case Sequence() if all(isinstance(option, str) for option in value):
            return pb.Answer(several=pb.Options(options=value))
        case _:
            raise ValueError(f"`{name}` is a {type(value).__name__}, which is no answer")


def _written(name: str, answer: Given) -> pb.Answer:
    """An answer that was given as text, by what it looks like."""
    value = answer.value
    match answer.kind:
        case None:
            return pb.Answer(unknown=pb.Unknown())
        case QuestionType.YES_NO:
            return _yes_no(value == YES)
        case QuestionType.INTEGER if isinstance(value, int):
            return _integer(name, value)
        case QuestionType.DECIMAL:
            return pb.Answer(decimal=plain_number(value) if isinstance(value, Decimal) else str(value))
        case _:
            return pb.Answer(choice=str(value))


def _yes_no(value: bool) -> pb.Answer:
    return pb.Answer(yes_no=pb.YES_NO_YES if value else pb.YES_NO_NO)


def _integer(name: str, value: int) -> pb.Answer:
    try:
        return pb.Answer(integer=value)
    except ValueError:  # past 64 bits
        raise ValueError(f"`{name}` is a number that is too large to send") from None


def to_reply(response: pb.EvaluateResponse) -> Reply:
    """The response in the ruleset's words."""
    outcome: pb.Decision | pb.NeedsAnswers
    kept, settled = response.receipt, response.WhichOneof("outcome") == "decision"
    outcome = response.decision if settled else response.needs_answers
    if settled:
        floor = ceiling = _word(pb.Disposition, response.decision.disposition)
    else:
        floor = _word(pb.Disposition, response.needs_answers.floor)
        ceiling = _word(pb.Disposition, response.needs_answers.ceiling)
    return Reply(
        disposition=floor if settled else None,
        floor=floor,
        ceiling=ceiling,
        act_now=response.needs_answers.act_now,
        call=_word(pb.Call, outcome.call),
        calls=tuple(_word(pb.Call, each) for each in outcome.calls),
        within_hours=outcome.within_hours if outcome.HasField("within_hours") else None,
        guidance=_word(pb.Guidance, outcome.guidance),
        programme=_word(pb.Programme, outcome.programme.choice),
        programme_open=outcome.programme.open,
        rules=tuple(each.id for each in outcome.rules),
        open_rules=tuple(response.needs_answers.open_rules),
        advice=tuple(Shown(each.id, each.text, each.clinician_text) for each in outcome.advice),
        safety_net=tuple(Shown(each.id, each.text, each.clinician_text) for each in outcome.safety_net),
        next_questions=tuple(each.id for each in response.needs_answers.next_questions),
        violations=tuple(
            Violation(each.field, each.code, each.description, each.text) for each in response.validation.violations
        ),
        decision_id=response.decision_id,
        decision_digest=response.decision_digest,
        request_id=response.request_id,
        ruleset=response.ruleset.id,
        ruleset_version=response.ruleset.version,
        ruleset_digest=response.ruleset.digest,
        language=response.language,
        receipt=Receipt(kept.writer, kept.sequence, kept.entry_hash) if response.HasField("receipt") else None,
        message=response,
    )


def to_error(error: grpc.RpcError) -> TriageError:
    """The failure of a call with its details; without details, as gRPC gives it, where the server was not reached."""
    call: Any = error
    try:
        status = rpc_status.from_call(call)
    except ValueError:  # details that contradict the status: trust the status
        status = None
    if status is None:
        return TriageError(call.code(), "", call.details() or "")
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    known = error_details_pb2.RequestInfo()
    for detail in status.details:
        for message in (info, bad, known):
            detail.Unpack(message)
    violations = [
        Violation(
            each.field,
            each.reason.lower().replace("_", "-"),
            each.description,
            each.localized_message.message,
            each.localized_message.locale,
        )
        for each in bad.field_violations
    ]
    return TriageError(call.code(), info.reason, status.message, violations, info.metadata, known.request_id)


def _word(scale: Any, number: int) -> str:
    """The member's word, such as `same_day_gp`; empty where none is set. A number of a newer contract is an error."""
    if number == 0:
        return ""
    try:
        name: str = scale.Name(number)
    except ValueError:
        message = f"the server gave {scale.DESCRIPTOR.name} {number}, which this client does not know: upgrade it"
        raise TriageError(grpc.StatusCode.UNIMPLEMENTED, "UNKNOWN_VALUE", message) from None
    prefix: str = scale.Name(0).removesuffix("UNSPECIFIED")
    return name.removeprefix(prefix).lower()
