"""All routes of the HTTP server in one application, and what holds for every response: its id, its headers, its errors.

A response says nothing to caches, other sites or frames unless its route does; a page's own headers win.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from json import dumps
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.errors import AnswersError
from engine.serve.convert import acceptable_request_id
from engine.serve.errors import MalformedRequest, status_of
from engine.serve.fhir import routes as fhir
from engine.serve.fhir.definitions import FHIR_JSON
from engine.serve.fhir.outcomes import of_error
from engine.serve.fhir.shape import MalformedResource
from engine.serve.gateway import json, openapi
from engine.serve.gateway.errors import NoSuchPath, WrongMethod, http_headers, http_status
from engine.serve.gateway.gateway import Gateway
from engine.serve.gateway.media import JSON
from engine.serve.gateway.messages import write_message
from engine.serve.hooks import routes as hooks
from engine.serve.interceptors import REQUEST_ID_HEADER, new_request_id
from engine.serve.interview import routes as interview
from engine.serve.observing import log_failure
from engine.serve.registry import NotServed

LOCAL = ("localhost", "127.0.0.1", "::1", "[::1]")
IN_FHIR = ("/fhir/", hooks.ROOT)
"""Below these paths a failure is an OperationOutcome."""
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Of every response that does not say otherwise itself."""
LINGER = 1.0
"""Seconds for which the rest of a body is thrown away that was refused before it had come."""
HTTPS_ONLY = "max-age=31536000"


def build_app(gateway: Gateway) -> Starlette:
    """The application; it is served by `running`."""
    config = gateway.config
    middleware = [Middleware(_Envelope, gateway)]
    if not config.authenticated and not config.trust_proxy:
        # Nobody has to show anything, so a web page that calls itself this machine must not get in.
        hosts = [*LOCAL, config.http_host, urlsplit(gateway.base).hostname or ""]
        middleware.append(Middleware(TrustedHostMiddleware, hosts, www_redirect=False))
    if config.origins:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=config.origins,
                allow_methods=("GET", "POST"),
                allow_headers=("authorization", "content-type", "accept", REQUEST_ID_HEADER),
                expose_headers=("retry-after", REQUEST_ID_HEADER),
            )
        )
    middleware.append(Middleware(ExceptionMiddleware, {Exception: _refused}))
    return Starlette(routes=_routes(gateway), middleware=middleware, exception_handlers={HTTPException: _refused})


def _routes(gateway: Gateway) -> list[BaseRoute]:
    async def alive(request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def ready(request: Request) -> Response:
        if gateway.ready:
            return PlainTextResponse("ready\n")
        return PlainTextResponse("not ready\n", HTTPStatus.SERVICE_UNAVAILABLE)

    return [
        Route("/livez", alive),
        Route("/readyz", ready),
        *json.routes(gateway),
        *openapi.routes(gateway),
        *fhir.routes(gateway),
        *hooks.routes(gateway),
        *interview.routes(gateway),
    ]


class _Envelope:
    """Gives every request its id, and every response that id and the headers of all."""

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self._app = app
        secure = gateway.base.startswith("https:")
        self._headers = {**HEADERS, "Strict-Transport-Security": HTTPS_ONLY} if secure else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        given = headers.get(REQUEST_ID_HEADER, "")
        state = scope.setdefault("state", {})
        state["request_id"] = given if acceptable_request_id(given) else new_request_id()

        unread = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"

        async def read() -> Message:
            nonlocal unread
            message = await receive()
            unread = unread and message.get("more_body", False)
            return message

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    answered.setdefault(name, value)
                answered[REQUEST_ID_HEADER] = state["request_id"].strip()  # no header begins or ends with a space
                if unread:  # or the connection would take the rest for ever
                    answered["Connection"] = "close"
            elif unread and not message.get("more_body", False):
                # To close while something comes would take the answer back: the system resets such a connection.
                await send({**message, "more_body": True})
                with suppress(TimeoutError):
                    async with asyncio.timeout(LINGER):
                        while unread:
                            await read()
                message = {"type": "http.response.body"}
            await send(message)

        await self._app(scope, read, told)


async def _refused(request: Request, error: Exception) -> Response:
    """What a caller gets of a failure, in the form of its wire."""
    if isinstance(error, HTTPException):
        error = _said_by_router(error)
    request_id: str = request.state.request_id
    if getattr(request.state, "told", None) is not error:
        log_failure(error, request_id)
    respond = _as_outcome if request.url.path.startswith(IN_FHIR) else _as_status
    return respond(error, request_id)


def _as_status(error: Exception, request_id: str) -> Response:
    """A failure as JSON: the google.rpc.Status that gRPC gives."""
    body = write_message(status_of(error, request_id))
    return Response(body, http_status(error), http_headers(error), JSON)


def _as_outcome(error: Exception, request_id: str) -> Response:
    """A failure as FHIR: an OperationOutcome; but nothing about why a token does not count."""
    status = http_status(error)
    if (
        isinstance(error, AnswersError | NotServed)
        and not isinstance(error, MalformedResource)
        and status == HTTPStatus.BAD_REQUEST
    ):
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    body = b"" if status == HTTPStatus.UNAUTHORIZED else dumps(of_error(error), ensure_ascii=False).encode()
    return Response(body, status, http_headers(error), FHIR_JSON if body else None)


def _said_by_router(error: HTTPException) -> MalformedRequest:
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return NoSuchPath("nothing is at this path")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = (error.headers or {}).get("Allow", "")
            return WrongMethod(f"what is at this path takes {allowed}", allowed)
    return MalformedRequest("the request cannot be read")
