"""One call, as the service sees it: who makes it, under which id, and whether anybody still waits for the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from engine.serve.config import Right
from engine.serve.errors import CallCancelled, DeadlineExceeded

ENDLESS = 366 * 24 * 3600.0
"""Seconds. A call without a deadline has centuries, more than locks can wait for."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that calls. `rate`: calls in a second that it may make, None: any."""

    name: str
    rights: frozenset[Right]
    rate: float | None = None


ANYBODY = Caller("", frozenset(Right))
"""Whoever calls a server that does not authenticate its callers."""


class Wire(Protocol):
    """What a wire knows of a call that is under way; grpc's ServicerContext is one."""

    def is_active(self) -> bool:
        """Whether the caller is still there."""

    def time_remaining(self) -> float:
        """Seconds until the caller's deadline."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was let in."""

    caller: Caller
    request_id: str
    wire: Wire

    def remaining(self) -> float:
        """Seconds until its deadline, never below zero; a year and a day where there is none."""
        return max(0.0, min(self.wire.time_remaining(), ENDLESS))

    def check_wanted(self) -> None:
        """Raises DeadlineExceeded or CallCancelled when nobody waits for the answer any more."""
        if self.wire.time_remaining() <= 0:
            raise DeadlineExceeded("the deadline passed before the work was done")
        if not self.wire.is_active():
            raise CallCancelled("the call was given up before the work was done")
