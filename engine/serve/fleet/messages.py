"""What a supervisor and its workers say to each other, and the pipe through which they say it."""

from __future__ import annotations

import pickle
import select
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TypeAlias

from engine.serve.config import Config
from engine.serve.operations import Reloaded, Status

LARGEST = 64 * 1024
"""Bytes of a message. A pipe that can be written at all takes so much at once, so that nobody waits in the middle."""


class PipeFull(OSError):
    """The other side has read nothing for long, and the message was not sent."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports that the workers share; `http` is None where there is none."""

    grpc: int
    http: int | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """What a new worker is to do. It comes as a file: settings have no largest size."""

    config: Config
    ports: Ports
    number: int
    release: str


@dataclass(frozen=True, slots=True)
class Load:
    """To a worker: have this release ready, and go on serving the one before."""

    release: str


@dataclass(frozen=True, slots=True)
class Swap:
    """To a worker: serve the release that was loaded last, from now on."""

    release: str


@dataclass(frozen=True, slots=True)
class Drain:
    """To a worker: stop in good order."""


@dataclass(frozen=True, slots=True)
class Serving:
    """From a worker: calls are answered by this release from now on."""

    release: str


@dataclass(frozen=True, slots=True)
class Beat:
    """From a worker: a trial evaluation of everything that is served succeeded."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """From a worker: the release is ready, or why it cannot be."""

    release: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """From a worker that ends before it served anything: why."""

    problem: str


@dataclass(frozen=True, slots=True)
class Reload:
    """A question: read the folder of rulesets again."""


@dataclass(frozen=True, slots=True)
class Rollback:
    """A question: activate an earlier release; the one before when none is named."""

    release: str


@dataclass(frozen=True, slots=True)
class HowIsIt:
    """A question: how the service is doing."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer: it cannot be done, and why."""

    message: str


Question: TypeAlias = Reload | Rollback | HowIsIt
Answer: TypeAlias = Reloaded | Status | Refused


@dataclass(frozen=True, slots=True)
class Asked:
    """From a worker: an operator asks. The answer comes with the same number."""

    number: int
    question: Question


@dataclass(frozen=True, slots=True)
class Answered:
    """To a worker: what became of a question."""

    number: int
    answer: Answer


Message: TypeAlias = Load | Swap | Drain | Serving | Beat | Loaded | Failed | Asked | Answered


class Pipe:
    """One side of the pipe between a supervisor and a worker. Safe to share between threads; it never waits to send."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = threading.Lock()

    def fileno(self) -> int:
        """For those who wait until something comes."""
        return self._connection.fileno()

    def send(self, message: Message) -> None:
        """Raises PipeFull when the other side does not read, OSError when there is none, ValueError for too much."""
        content = pickle.dumps(message)
        if len(content) > LARGEST:
            raise ValueError(f"a message of {len(content)} bytes, of which at most {LARGEST} can be sent")
        with self._sending:
            if not select.select([], [self._connection], [], 0)[1]:
                raise PipeFull("the pipe is full")
            self._connection.send_bytes(content)

    def receive(self) -> Message:
        """The next message; waits for it. Raises EOFError or OSError when the other side is gone."""
        message: Message = pickle.loads(self._connection.recv_bytes())
        return message

    def waiting(self) -> Iterator[Message]:
        """The messages that are there already. Raises EOFError or OSError when the other side is gone."""
        while self._connection.poll():
            yield self.receive()

    def close(self) -> None:
        """The other side reads an end then."""
        self._connection.close()
