"""The one table from exception to status: gRPC code, ErrorInfo reason, and the details that say what to do.

Whatever is not in the table becomes INTERNAL and tells the caller nothing. A serialised status stays below `LARGEST`:
violations that do not fit are counted, and `validate_only` gives them all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from engine.decide.answers import shown
from engine.errors import (
    AnswersError,
    EngineFault,
    EvaluatorsDisagree,
    LogUnavailable,
    PluisError,
    RequestReused,
    StateUnavailable,
    Violation,
)
from engine.serve.operations import OperationRefused
from engine.serve.registry import NotEffective, NotServed, UnknownLanguage, UnknownRuleset, UnknownVersion

DOMAIN = "triage.pluis"
LARGEST = 5 * 1024
"""Bytes. On the wire it may grow by a third (base64), and past 8 KiB of headers calls fail at random."""
LONGEST_MESSAGE = 400
LONGEST_DESCRIPTION = 300
LONGEST_LIST = 400


class RequestError(PluisError):
    """A call cannot be served as it came; the message tells the caller why."""


class MalformedRequest(RequestError):
    """The bytes are no message of the contract."""


class Unauthenticated(RequestError):
    """The call does not show who makes it. `why` is for operators, in kebab-case; the caller is not told."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Forbidden(RequestError):
    """The caller is known, and may not do this."""


class RetryLater(RequestError):
    """Too much is asked at this moment; `after` says in how many seconds it is worth another try."""

    def __init__(self, message: str, after: float) -> None:
        super().__init__(message)
        self.after = after


class RateExceeded(RetryLater):
    """The caller has used up its rate."""


class Overloaded(RetryLater):
    """As many calls wait as may."""


class TooManyStreams(RetryLater):
    """Every stream that the server allows is open."""


class DeadlineExceeded(RequestError):
    """The caller's deadline passed before the work was done."""


class CallCancelled(RequestError):
    """The caller went away before the work was done."""


class LogOff(RequestError):
    """The server records no decisions, so there are none to look up."""


class UnknownDecision(RequestError):
    """No decision with this id was recorded."""


class InvalidRequest(AnswersError):
    """A call breaks the contract apart from anybody's answers: a batch too large, a page that does not exist."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `told`: the exception's own message goes to the caller; else `message` does."""

    code: grpc.StatusCode
    reason: str
    message: str = ""
    told: bool = False


TABLE: Mapping[type[Exception], Row] = {
    AnswersError: Row(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ANSWERS"),
    InvalidRequest: Row(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
    MalformedRequest: Row(grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_REQUEST", told=True),
    UnknownRuleset: Row(grpc.StatusCode.NOT_FOUND, "RULESET_NOT_FOUND", told=True),
    UnknownVersion: Row(grpc.StatusCode.NOT_FOUND, "VERSION_NOT_FOUND", told=True),
    NotEffective: Row(grpc.StatusCode.FAILED_PRECONDITION, "RULESET_NOT_EFFECTIVE", told=True),
    UnknownLanguage: Row(grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_LANGUAGE", told=True),
    Unauthenticated: Row(
        grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED", "the call does not show who makes it, or not well enough"
    ),
    Forbidden: Row(grpc.StatusCode.PERMISSION_DENIED, "FORBIDDEN", told=True),
    RateExceeded: Row(grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_EXCEEDED", told=True),
    Overloaded: Row(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", told=True),
    TooManyStreams: Row(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", told=True),
    DeadlineExceeded: Row(grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", told=True),
    CallCancelled: Row(grpc.StatusCode.CANCELLED, "CALL_CANCELLED", told=True),
    EvaluatorsDisagree: Row(
        grpc.StatusCode.INTERNAL,
        "EVALUATORS_DISAGREE",
        "the two evaluators of the ruleset disagree, so there is no decision: let a person decide",
    ),
    LogUnavailable: Row(
        grpc.StatusCode.UNAVAILABLE,
        "LOG_UNAVAILABLE",
        "the decision log cannot be used now, and nothing is answered unrecorded: try again with the same request id",
    ),
    RequestReused: Row(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", told=True),
    LogOff: Row(grpc.StatusCode.FAILED_PRECONDITION, "LOG_OFF", told=True),
    UnknownDecision: Row(grpc.StatusCode.NOT_FOUND, "DECISION_NOT_FOUND", told=True),
    StateUnavailable: Row(
        grpc.StatusCode.UNAVAILABLE,
        "STATE_UNAVAILABLE",
        "what the workers share cannot be used now, so nobody is let in: try again",
    ),
    OperationRefused: Row(grpc.StatusCode.FAILED_PRECONDITION, "OPERATION_REFUSED", told=True),
    EngineFault: Row(
        grpc.StatusCode.UNAVAILABLE, "ENGINE_FAULT", "the inference engine failed, so there is no decision: try again"
    ),
}
CONTRADICTION = Row(grpc.StatusCode.INVALID_ARGUMENT, "CONTRADICTION")
UNEXPECTED = Row(
    grpc.StatusCode.INTERNAL, "INTERNAL", "an error of the program, so there is no decision: let a person decide"
)


REASONS = frozenset(row.reason for row in (*TABLE.values(), CONTRADICTION, UNEXPECTED))
"""Every reason for which a call can fail."""


@dataclass(slots=True)
class _Draft:
    """A status on its way: its parts before they are packed."""

    message: str
    metadata: dict[str, str] = field(default_factory=dict)
    details: list[Message] = field(default_factory=list)


def row_of(error: Exception) -> Row:
    """The line of the table for an exception: its own class's, or its nearest ancestor's."""
    if isinstance(error, AnswersError) and {each.code for each in error.violations} == {"contradiction"}:
        return CONTRADICTION
    return next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), UNEXPECTED)


def is_mistake(error: Exception) -> bool:
    """Whether a failure is the caller's own doing, and fully told to the caller."""
    row = row_of(error)
    return row.told or row.code is grpc.StatusCode.INVALID_ARGUMENT


def status_of(error: Exception, request_id: str) -> status_pb2.Status:
    """The status that the caller gets: exactly one ErrorInfo, one RequestInfo, and what the error has to add."""
    row = row_of(error)
    if isinstance(error, AnswersError):
        return _with_violations(row, error.violations, request_id)
    draft = _Draft(str(error) if row.told else row.message)
    if isinstance(error, NotServed):
        _tell_what_is_served(draft, error)
    if isinstance(error, RetryLater):
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(math.ceil(error.after * 1000))
        draft.details.append(retry)
    return _packed(row, draft, request_id)


def _tell_what_is_served(draft: _Draft, error: NotServed) -> None:
    draft.metadata = {key: shown(value) for key, value in error.asked.items()}
    draft.metadata["available"] = _listed(error.available)
    match error:
        case UnknownLanguage():
            violation = error_details_pb2.BadRequest.FieldViolation(field="language", description=_cut(draft.message))
            draft.details.append(error_details_pb2.BadRequest(field_violations=[violation]))
        case NotEffective():
            subject = " ".join(draft.metadata[key] for key in ("ruleset", "version") if key in draft.metadata)
            failure = error_details_pb2.PreconditionFailure()
            failure.violations.add(type="EFFECTIVE_PERIOD", subject=subject, description=_cut(draft.message))
            draft.details.append(failure)
        case _:
            name = draft.metadata["ruleset"]
            draft.details.append(error_details_pb2.ResourceInfo(resource_type="triage.v1.Ruleset", resource_name=name))


def _with_violations(row: Row, violations: tuple[Violation, ...], request_id: str) -> status_pb2.Status:
    """As many of the violations as fit, the first always; the message and the metadata say how many were left out."""
    kept = len(violations)
    while True:
        status = _packed(row, _violations_draft(violations, kept), request_id)
        size = status.ByteSize()
        if size <= LARGEST or kept <= 1:
            return status
        # At least one goes; the estimate gets near at once, the loop does the rest.
        kept = max(1, min(kept - 1, kept * LARGEST // size))


def _violations_draft(violations: tuple[Violation, ...], kept: int) -> _Draft:
    total, left_out = len(violations), len(violations) - kept
    message = f"{total} violation{'' if total == 1 else 's'} in the request"
    if violations:
        message += f", such as {violations[0].field}: {violations[0].message}"
    bad = error_details_pb2.BadRequest()
    for each in violations[:kept]:
        told = bad.field_violations.add(field=each.field, description=_cut(each.message), reason=_reason(each.code))
        if each.text:
            told.localized_message.locale, told.localized_message.message = each.language, _cut(each.text)
    metadata = {"violationCount": str(total), "leftOut": str(left_out)}
    if violations:
        metadata |= {"field": violations[0].field, "violation": violations[0].code}
    message = _cut(message, LONGEST_MESSAGE)
    if left_out:
        message += f"; {left_out} were left out here, `validate_only` gives them all"
    return _Draft(message, metadata, [bad])


def _packed(row: Row, draft: _Draft, request_id: str) -> status_pb2.Status:
    info = error_details_pb2.ErrorInfo(reason=row.reason, domain=DOMAIN, metadata=draft.metadata)
    status = status_pb2.Status(code=row.code.value[0], message=_cut(draft.message, LONGEST_MESSAGE + 100))
    for detail in (info, error_details_pb2.RequestInfo(request_id=request_id), *draft.details):
        status.details.add().Pack(detail)
    return status


def _reason(code: str) -> str:
    """A violation's code as google.rpc wants reasons: `unknown-option` becomes UNKNOWN_OPTION."""
    return code.replace("-", "_").upper()


def _listed(names: Iterable[str]) -> str:
    """The names that fit, and `...` where there are more."""
    found = ""
    for name in names:
        longer = f"{found}, {name}" if found else name
        if len(longer) > LONGEST_LIST:
            return f"{found}, ..."
        found = longer
    return found


def _cut(text: str, longest: int = LONGEST_DESCRIPTION) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
