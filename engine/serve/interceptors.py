"""Around every gRPC call: is there room, who makes it, its request id, and a status instead of an exception."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import grpc
from google.protobuf.message import DecodeError
from google.rpc import status_pb2
from grpc_status import rpc_status

from engine.pb.v1 import triage_pb2 as pb
from engine.serve.access.guard import Guard, Presented, bearer_token
from engine.serve.access.tls import names_of
from engine.serve.admission import AGAIN_AFTER, Admission
from engine.serve.asked import Asked
from engine.serve.calls import Call, Caller
from engine.serve.convert import acceptable_request_id
from engine.serve.errors import CallCancelled, MalformedRequest, Overloaded
from engine.serve.ids import new_id
from engine.serve.kit import Reply
from engine.serve.observing import Observed, Observer

REQUEST_ID_HEADER = "x-request-id"
AUTHORIZATION = "authorization"
SERVICE = pb.DESCRIPTOR.services_by_name["TriageService"].full_name
ADMIN_SERVICE = pb.DESCRIPTOR.services_by_name["AdminService"].full_name
SERVICES = (SERVICE, ADMIN_SERVICE)
EVALUATE, EVALUATE_BATCH = f"/{SERVICE}/Evaluate", f"/{SERVICE}/EvaluateBatch"


new_request_id = new_id
"""A request id for a caller who gave none."""


if TYPE_CHECKING:  # generic for the type checker only
    _Interceptor = grpc.ServerInterceptor[Any, Any]
else:
    _Interceptor = grpc.ServerInterceptor


class Evaluating(Protocol):
    """The rpcs of which both messages stay in bytes: `engine.serve.service.TriageService`."""

    def ask(self, message: bytes) -> Asked:
        """A request. Raises DecodeError."""

    def reply(self, asked: Asked, call: Call) -> Reply:
        """The response."""

    def ask_many(self, message: bytes) -> list[Asked]:
        """The requests of a batch. Raises DecodeError."""

    def reply_many(self, asked: Sequence[Asked], call: Call) -> bytes:
        """The response to a batch."""


class CallInterceptor(_Interceptor):
    """Wraps the rpcs of the contract; health and reflection are let through, each with threads of its own."""

    def __init__(
        self,
        guard: Guard,
        admission: Admission,
        observer: Observer,
        evaluating: Evaluating,
        new_id: Callable[[], str] = new_request_id,
    ) -> None:
        self._evaluating = evaluating
        self._guard = guard
        self._admission = admission
        self._observer = observer
        self._new_id = new_id

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Any, Any] | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        handler = continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None:
            return None
        if method.split("/")[1] not in SERVICES:
            return self._aside(handler)
        if self._admission.full:  # refused without waiting for its message: to grpc a stream and one message are one
            refuse = _in(self._admission.aside, self._refusal(method))
            return grpc.stream_unary_rpc_method_handler(refuse, None, handler.response_serializer)
        # Bytes are decoded inside the wrapping, so that bytes that are no message get a status like any other mistake.
        decode = handler.request_deserializer
        if method == EVALUATE:
            return grpc.unary_unary_rpc_method_handler(
                self._unary(method, self._evaluating.reply, self._evaluating.ask)
            )
        if method == EVALUATE_BATCH:
            behavior, ask = self._evaluating.reply_many, self._evaluating.ask_many
            return grpc.unary_unary_rpc_method_handler(self._unary(method, behavior, ask))
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(
                self._unary(method, handler.unary_unary, decode), None, handler.response_serializer
            )
        return grpc.stream_stream_rpc_method_handler(
            self._stream(method, handler.stream_stream, decode), None, handler.response_serializer
        )

    def _aside(self, handler: grpc.RpcMethodHandler[Any, Any]) -> grpc.RpcMethodHandler[Any, Any]:
        """The handler of a service that is not ours; one request and one response do not wait behind our calls."""
        if handler.unary_unary is None:
            return handler
        behavior = _in(self._admission.aside, handler.unary_unary)
        return grpc.unary_unary_rpc_method_handler(behavior, handler.request_deserializer, handler.response_serializer)

    def _refusal(self, method: str) -> Callable[[Iterator[bytes], grpc.ServicerContext], Any]:
        def refuse(messages: Iterator[bytes], context: grpc.ServicerContext) -> Any:
            observed = self._begin(method, context)
            status = observed.failed(overloaded())
            context.abort_with_status(rpc_status.to_status(status))

        return refuse

    def _unary(self, method: str, behavior: Any, decode: Any) -> Callable[[bytes, grpc.ServicerContext], Any]:
        def call(message: bytes, context: grpc.ServicerContext) -> Any:
            self._admission.arrived()
            observed = self._begin(method, context)
            status: status_pb2.Status | None = None
            try:
                caller = self._admit(method, context, observed)
                request = _decoded(decode, message)
                if isinstance(request, Asked):
                    observed.request_id = settled_request_id(request.head, observed.request_id)
                admitted = Call(caller, observed.request_id, context)
                admitted.check_wanted()
                response = behavior(request, admitted)
            except Exception as error:  # the status table decides what the caller gets of it
                status = observed.failed(error)
            else:  # sending raises when the caller has gone, so the log line comes first
                if isinstance(response, Reply):
                    observed.decided_by(response.ruleset, response.version)
                    response = response.message
                observed.ended()
            # Behind the response: to send it before takes a message of its own, and a fifth of a call's time.
            header = (REQUEST_ID_HEADER, observed.request_id)
            if status is not None:
                context.abort_with_status(_Ended.by(status, header))
            context.set_trailing_metadata((header,))
            return response

        return call

    def _stream(
        self, method: str, behavior: Any, decode: Any
    ) -> Callable[[Iterator[bytes], grpc.ServicerContext], Iterator[Any]]:
        def call(messages: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[Any]:
            self._admission.arrived()
            observed = self._begin(method, context)
            try:
                caller = self._admit(method, context, observed)
                context.send_initial_metadata(((REQUEST_ID_HEADER, observed.request_id),))
                admitted = Call(caller, observed.request_id, context)
                admitted.check_wanted()
                yield from behavior(self._all_decoded(decode, messages, caller), admitted)
            except GeneratorExit:  # grpc stopped asking: the caller went away between two answers
                observed.failed(_given_up())
                raise
            except Exception as error:  # as above; a caller who went away makes the messages themselves fail
                status = observed.failed(error if context.is_active() else _given_up())
                context.abort_with_status(rpc_status.to_status(status))
            else:
                observed.ended()

        return call

    def _begin(self, method: str, context: grpc.ServicerContext) -> Observed:
        return self._observer.begin(method, context.invocation_metadata(), self._request_id(context))

    def _admit(self, method: str, context: grpc.ServicerContext, observed: Observed) -> Caller:
        caller = self._guard.admit(method.rpartition("/")[2], _presented(context))
        observed.caller = caller.name
        return caller

    def _all_decoded(self, decode: Any, messages: Iterable[bytes], caller: Caller) -> Iterator[Any]:
        """The messages of a stream. The first came with the call; each other counts as a call of its caller."""
        for number, message in enumerate(messages):
            if number:
                self._guard.spend(caller)
            yield _decoded(decode, message)

    def _request_id(self, context: grpc.ServicerContext) -> str:
        for key, value in context.invocation_metadata():
            if key == REQUEST_ID_HEADER and isinstance(value, str) and acceptable_request_id(value):
                return value
        return self._new_id()


@dataclass(frozen=True, slots=True)
class _Ended(grpc.Status):
    """How a call ended, as grpc takes it."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, str | bytes], ...]

    @classmethod
    def by(cls, status: status_pb2.Status, header: tuple[str, str]) -> _Ended:
        """A status with all its details, and a header."""
        found = rpc_status.to_status(status)
        return cls(found.code, found.details, (*found.trailing_metadata, header))


def overloaded() -> Overloaded:
    """What a call is refused with that would have to wait too long."""
    return Overloaded("as many calls wait as may: try again in a moment", AGAIN_AFTER)


def _given_up() -> CallCancelled:
    return CallCancelled("the stream was given up before its end")


def _in(pool: ThreadPoolExecutor, behavior: Callable[..., Any]) -> Callable[..., Any]:
    """The behaviour, to be run in threads of its own: grpc looks for them under this name."""
    threaded = partial(behavior)  # a method takes no attributes
    setattr(threaded, "experimental_thread_pool", pool)  # noqa: B010 - and a type has no such one
    return threaded


def _presented(context: grpc.ServicerContext) -> Presented:
    """What a call shows of its caller: one bearer token, and the names in a certificate that TLS has verified."""
    proved: Any = context.auth_context()  # its values are lists, whatever the stubs say
    names = names_of(proved)
    shown = [str(value) for key, value in context.invocation_metadata() if key == AUTHORIZATION]
    return Presented(bearer_token(shown), names)


def settled_request_id(request: pb.EvaluateRequest, otherwise: str) -> str:
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
