"""From exceptions to HTTP: the failures that only HTTP knows, the status of each, and the headers that say what to do.

The texts are those of the one table in `engine.serve.errors`; what is not in it tells the caller nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import grpc

from engine.serve.errors import MalformedRequest, RetryLater, row_of

AGAIN_AFTER = 1
"""Seconds after which a call is worth another try, where the error itself does not say."""


class TooLarge(MalformedRequest):
    """A body is larger than this route takes."""


class TooSlow(MalformedRequest):
    """A body did not come in the time that it has."""


class WrongMediaType(MalformedRequest):
    """A body is of a type that this route does not read."""


class NotAcceptable(MalformedRequest):
    """The caller takes no type of answer that this route has."""


class NoSuchPath(MalformedRequest):
    """Nothing is at this path."""


class WrongMethod(MalformedRequest):
    """What is at this path is not asked in this way. `allowed`: the methods that there are."""

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


STATUS: Mapping[grpc.StatusCode, int] = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}
"""The HTTP status of each status of the table, as google.rpc has them."""
OF_HTTP: Mapping[type[MalformedRequest], int] = {
    TooSlow: 408,
    NoSuchPath: 404,
    WrongMethod: 405,
    NotAcceptable: 406,
    TooLarge: 413,
    WrongMediaType: 415,
}
"""The HTTP status of what only HTTP knows."""


def http_status(error: Exception) -> int:
    """The HTTP status of a failure."""
    for kind, status in OF_HTTP.items():
        if isinstance(error, kind):
            return status
    return STATUS[row_of(error).code]


def http_headers(error: Exception) -> dict[str, str]:
    """What a failure says beside its body: when to try again, how to show who calls, which methods there are."""
    if isinstance(error, WrongMethod):
        return {"Allow": error.allowed}
    if isinstance(error, RetryLater):
        return {"Retry-After": str(math.ceil(error.after))}
    match row_of(error).code:
        case grpc.StatusCode.UNAVAILABLE:
            return {"Retry-After": str(AGAIN_AFTER)}
        case grpc.StatusCode.UNAUTHENTICATED:
            return {"WWW-Authenticate": "Bearer"}
    return {}
