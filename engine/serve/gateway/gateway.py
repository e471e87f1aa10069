"""What every route works with: it takes a body with limits, lets the caller in, and runs the work where it may block.

A route takes its body first, and gives `run` the name of the rpc that it stands for, whose right it needs:

    async def triage(request: Request) -> Response:
        body = await gateway.body(request, "Evaluate", gateway.config.max_request_size, (FHIR_JSON, JSON))
        return fhir_answer(await gateway.run(request, "Evaluate", lambda call: work(read_json(body), call)))

What `body` and `run` raise is counted, logged and traced there, and becomes a response in `app`, in the form of the
wire; routes catch nothing of it. All that `work` does runs in a thread of the calls: it parses, decides and renders,
and may wait. Nothing else of a route may take time. A decision is asked for by `evaluate`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from engine.pb.v1 import triage_pb2 as pb
from engine.serve.access.guard import Presented, bearer_token
from engine.serve.calls import ENDLESS, Call, Caller
from engine.serve.config import INTERVIEW, Config, Right
from engine.serve.errors import CallCancelled
from engine.serve.gateway.errors import TooLarge, TooSlow
from engine.serve.gateway.media import JSON, check_type
from engine.serve.interceptors import AUTHORIZATION, SERVICE, overloaded, settled_request_id
from engine.serve.observing import Observed
from engine.serve.parts import Parts
from engine.serve.registry import Registry
from engine.serve.service import TriageService

T = TypeVar("T")
ARRIVAL = 10.0
"""Seconds in which a body must have come."""


@dataclass(frozen=True, slots=True)
class HttpCall(Call):
    """A call over HTTP that was let in."""

    observed: Observed


class Gateway:
    """The server as its HTTP routes see it. Routes of one event loop share it.

    `address` is where it listens, such as `http://127.0.0.1:8080`.
    """

    def __init__(self, parts: Parts, registry: Registry, address: str) -> None:
        self._parts = parts
        self.registry = registry
        """The rulesets: `registry.current()` for the snapshot of this moment, `registry.today()` for the day."""
        self.address = address
        self.ready = False
        """Whether callers should come here; not before it has started, and not once it is to stop."""
        config = parts.config
        self._person = Caller(INTERVIEW, frozenset({Right.EVALUATE, Right.RULESETS}), config.rate)

    @property
    def config(self) -> Config:
        """The settings of the server."""
        return self._parts.config

    @property
    def service(self) -> TriageService:
        """For `work` alone: its methods wait for locks and disks."""
        return self._parts.service

    @property
    def base(self) -> str:
        """Where callers find this server, without a slash at its end: never what a call says of it."""
        return self.config.public_url or self.address

    @property
    def interview_open(self) -> bool:
        """Whether people may be asked here, without a token."""
        return self.config.interview or not self.config.authenticated

    async def body(self, request: Request, method: str, largest: int, types: Sequence[str] = (JSON,)) -> bytes:
        """The body, of one of the media types. It is refused before all of it is read.

        Raises Overloaded, WrongMediaType, TooLarge, TooSlow or CallCancelled.
        """
        try:
            self._check_room()
            check_type(request, types)
            async with asyncio.timeout(ARRIVAL):
                return await _bounded(request, largest)
        except TimeoutError:
            error: Exception = TooSlow(f"the body has not come in {ARRIVAL:g} seconds")
        except ClientDisconnect:
            error = CallCancelled("the call was given up before its body had come")
        except Exception as refused:
            error = refused
        self._begin(request, method).failed(error)
        request.state.told = error
        raise error

    async def run(self, request: Request, method: str, work: Callable[[HttpCall], T]) -> T:
        """What `work` gives, for a caller who shows a token, or anybody where nobody has to.

        Raises what the one table of errors has a status for: Overloaded at once where all threads are taken.
        """
        return await self._run(request, method, lambda: self._parts.guard.admit(method, _presented(request)), work)

    async def run_for_person(self, request: Request, method: str, work: Callable[[HttpCall], T]) -> T:
        """As `run`, for people at the interview page, who show nothing; only where `interview_open`."""
        assert self.interview_open

        def admit() -> Caller:
            self._parts.guard.spend(self._person)
            return self._person

        return await self._run(request, method, admit, work)

    def evaluate(self, call: HttpCall, request: pb.EvaluateRequest) -> pb.EvaluateResponse:
        """Decides and records, as the rpc Evaluate does; a request without an id gets that of the call."""
        call.observed.request_id = settled_request_id(request, call.request_id)
        call.check_wanted()
        response = self.service.answer(request, call.caller.name, call.remaining)
        call.observed.decided_by(response.ruleset.id, response.ruleset.version)
        return response

    async def _run(
        self, request: Request, method: str, admit: Callable[[], Caller], work: Callable[[HttpCall], T]
    ) -> T:
        observed = self._begin(request, method)
        wire = _Wire()

        def call() -> T:
            caller = admit()
            observed.caller = caller.name
            admitted = HttpCall(caller, observed.request_id, wire, observed)
            admitted.check_wanted()
            return work(admitted)

        try:
            self._check_room()
            result = await self._threaded(request, wire, call)
        except Exception as error:  # the status table decides what the caller gets of it
            observed.failed(error)
            request.state.told = error
            raise
        finally:
            request.state.request_id = observed.request_id
        observed.ended()
        return result

    async def _threaded(self, request: Request, wire: _Wire, call: Callable[[], T]) -> T:
        """Runs it in a thread of the calls. What the caller does meanwhile is seen, and ends no work halfway."""
        try:
            future: Future[T] = self._parts.admission.submit(call)
        except RuntimeError:  # the threads take nothing more: the server stops
            raise overloaded() from None
        watching = asyncio.create_task(_watch(request, wire))
        try:
            return await asyncio.wrap_future(future)
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    def _begin(self, request: Request, method: str) -> Observed:
        metadata = [(name.lower(), value) for name, value in request.headers.items()]
        return self._parts.observer.begin(f"/{SERVICE}/{method}", metadata, request.state.request_id)

    def _check_room(self) -> None:
        if self._parts.admission.full:
            raise overloaded()


class _Wire:
    """What HTTP knows of a call that is under way: whether its connection is still there. It has no deadlines."""

    def __init__(self) -> None:
        self.active = True

    def is_active(self) -> bool:
        return self.active

    def time_remaining(self) -> float:
        return ENDLESS


async def _watch(request: Request, wire: _Wire) -> None:
    """Sees when the caller goes away; what else it sends is thrown away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    wire.active = False


def _presented(request: Request) -> Presented:
    """What a call shows of its caller. A certificate is looked at by gRPC alone."""
    return Presented(bearer_token(request.headers.getlist(AUTHORIZATION)))


async def _bounded(request: Request, largest: int) -> bytes:
    """The body. Raises TooLarge as soon as it is too much, before it is read where its length is told."""
    error = TooLarge(f"the body has more than {largest} bytes")
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > largest:
        raise error
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            raise error
    return bytes(body)
