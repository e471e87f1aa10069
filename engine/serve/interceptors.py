"""Around every call: its request id, its deadline, one log line, and a status instead of an exception.

A log line tells method, code, milliseconds and request id. It never tells an answer, a subject, or the text of an
exception, which could quote one.
"""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
from google.protobuf.message import DecodeError
from google.rpc import status_pb2
from grpc_status import rpc_status

from engine.errors import EvaluatorsDisagree, LogError
from engine.pb.v1 import triage_pb2 as pb
from engine.serve.convert import acceptable_request_id
from engine.serve.errors import CallCancelled, DeadlineExceeded, MalformedRequest, row_of, status_of

LOG = logging.getLogger("pluis.calls")
REQUEST_ID_HEADER = "x-request-id"
SERVICE = pb.DESCRIPTOR.services_by_name["TriageService"].full_name


def new_request_id() -> str:
    """A request id for a caller who gave none."""
    return str(uuid4())


def caller_of(context: grpc.ServicerContext) -> str:
    """Who calls, for the log; empty while callers are not authenticated."""
    return ""


def check_wanted(context: grpc.ServicerContext) -> None:
    """Raises DeadlineExceeded or CallCancelled when nobody waits for the answer any more."""
    if context.time_remaining() <= 0:  # a call without deadline has centuries
        raise DeadlineExceeded("the deadline passed before the work was done")
    if not context.is_active():
        raise CallCancelled("the call was given up before the work was done")


def log_failure(error: Exception, request_id: str) -> None:
    """Tells an operator what failed inside, without a word that could come from a patient."""
    row = row_of(error)
    if row.told or row.code is grpc.StatusCode.INVALID_ARGUMENT:
        return  # the caller's mistake, told to the caller
    event = {"event": "failure", "reason": row.reason, "type": type(error).__name__, "request_id": request_id}
    if isinstance(error, EvaluatorsDisagree):
        event["details"] = error.details
    elif isinstance(error, LogError):
        event["details"] = str(error)
    frames = traceback.extract_tb(error.__traceback__)
    event["at"] = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames[-4:]))
    LOG.error(json.dumps(event, sort_keys=True))


if TYPE_CHECKING:  # generic for the type checker only
    _Interceptor = grpc.ServerInterceptor[Any, Any]
else:
    _Interceptor = grpc.ServerInterceptor


class CallInterceptor(_Interceptor):
    """Wraps the rpcs of TriageService; health and reflection stay as they are."""

    def __init__(self, new_id: Callable[[], str] = new_request_id) -> None:
        self._new_id = new_id

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Any, Any] | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        handler = continuation(handler_call_details)
        _, service, method = handler_call_details.method.split("/", 2)
        if handler is None or service != SERVICE:
            return handler
        # Bytes are decoded inside the wrapping, so that bytes that are no message get a status like any other mistake.
        decode = handler.request_deserializer
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(
                self._unary(method, handler.unary_unary, decode), None, handler.response_serializer
            )
        return grpc.stream_stream_rpc_method_handler(
            self._stream(method, handler.stream_stream, decode), None, handler.response_serializer
        )

    def _unary(self, method: str, behavior: Any, decode: Any) -> Callable[[bytes, grpc.ServicerContext], Any]:
        def call(message: bytes, context: grpc.ServicerContext) -> Any:
            started = time.monotonic()
            request_id = self._header_id(context)
            error: Exception | None = None
            try:
                request = _decoded(decode, message)
                if isinstance(request, pb.EvaluateRequest):
                    request_id = _settled_request_id(request, request_id)
                check_wanted(context)
                response = behavior(request, context)
            except Exception as caught:  # the status table decides what the caller gets of it
                error = caught
            # Sending raises when the caller has gone, so the log line comes first.
            status = None if error is None else self._failed(method, error, started, request_id)
            if status is None:
                _log_call(method, "OK", started, request_id)
            context.send_initial_metadata(((REQUEST_ID_HEADER, request_id),))
            if status is not None:
                context.abort_with_status(rpc_status.to_status(status))
            return response

        return call

    def _stream(
        self, method: str, behavior: Any, decode: Any
    ) -> Callable[[Iterator[bytes], grpc.ServicerContext], Iterator[Any]]:
        def call(messages: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[Any]:
            started = time.monotonic()
            request_id = self._header_id(context)
            try:
                context.send_initial_metadata(((REQUEST_ID_HEADER, request_id),))
                check_wanted(context)
                yield from behavior(_all_decoded(decode, messages), context)
            except Exception as error:  # as above; a caller who went away makes the messages themselves fail
                gone = not context.is_active()
                failure = CallCancelled("the stream was given up before its end") if gone else error
                status = self._failed(method, failure, started, request_id)
                context.abort_with_status(rpc_status.to_status(status))
            else:
                _log_call(method, "OK", started, request_id)

        return call

    def _header_id(self, context: grpc.ServicerContext) -> str:
        for key, value in context.invocation_metadata():
            if key == REQUEST_ID_HEADER and isinstance(value, str) and acceptable_request_id(value):
                return value
        return self._new_id()

    def _failed(self, method: str, error: Exception, started: float, request_id: str) -> status_pb2.Status:
        """Logs a call that failed, and gives the status that its caller gets."""
        log_failure(error, request_id)
        _log_call(method, row_of(error).code.name, started, request_id)
        return status_of(error, request_id)


def _settled_request_id(request: pb.EvaluateRequest, otherwise: str) -> str:
    """The request's own id, or `otherwise`, which is then written into the request for all who come after."""
    given = request.context.request_id
    if acceptable_request_id(given):
        return given
    if not given:
        request.context.request_id = otherwise
    return otherwise


def _decoded(decode: Any, message: bytes) -> Any:
    try:
        return decode(message)
    except DecodeError:
        raise MalformedRequest("the bytes are no message of the contract") from None


def _all_decoded(decode: Any, messages: Iterable[bytes]) -> Iterator[Any]:
    return (_decoded(decode, message) for message in messages)


def _log_call(method: str, code: str, started: float, request_id: str) -> None:
    milliseconds = round((time.monotonic() - started) * 1000, 2)
    event = {"event": "call", "method": method, "code": code, "ms": milliseconds, "request_id": request_id}
    LOG.info(json.dumps(event))
