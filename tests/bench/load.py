"""Calls of gRPC with as little work as can be, so that the client is not what limits; each has a message of its own.

A server may keep what it made of an earlier message, so that sending one over and over would measure its memory. Load
tools written in C send one; gRPC's own client for Python takes as much of the machine as the server. So this one writes
the frames of HTTP/2 itself, and of what comes back reads no more than it must: how many bytes, and when it ended.
"""

from __future__ import annotations

import math
import random
import selectors
import socket
import struct
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CONNECTIONS, EACH = 8, 8
"""Connections, and calls at once on each."""
PATIENCE = 60.0
"""Seconds without a byte after which a load has failed."""
FAILED = -1
"""The size of an answer that did not come: a call that fails brings no bytes."""
FRAME = 16384
WINDOW = 65535
"""What may be sent before the other side allows more, unless it says otherwise."""
MOST = 2**31 - 1
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, MORE = 0, 1, 3, 4, 6, 7, 8
END, ACKNOWLEDGED, COMPLETE = 0x1, 0x1, 0x4
INITIAL_WINDOW = 4
"""The setting of that name."""
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
KNOWN_HEADERS = bytes((0x83, 0x86, 0xC1, 0xC0, 0xBF, 0xBE))
"""POST, http, and the four headers of the first call on a connection, by their places in the table of HPACK."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of some calls, in their order: the bytes of each answer, and the seconds that it took."""

    sizes: list[int]
    """FAILED where there was none."""
    times: list[float]
    seconds: float
    """From the first call to the last answer."""
    spent: float
    """Seconds of this client's processor time."""


def at_once(
    port: int, method: str, messages: Sequence[bytes], connections: int = CONNECTIONS, each: int = EACH
) -> Loaded:
    """Sends all messages, so many at once on each connection: a new one as soon as one is answered."""
    done = _Load(port, method, messages, connections).run_closed(each)
    assert FAILED not in done.sizes, "a call failed"
    return done


def paced(port: int, method: str, messages: Sequence[bytes], rate: float, rng: random.Random) -> Loaded:
    """Sends all messages at chance moments, `rate` a second on average, whether or not others were answered.

    A call's time runs from the moment for which it was due, and never ends where it fails.
    """
    due, moments = 0.0, []
    for _ in messages:
        due += rng.expovariate(rate)
        moments.append(due)
    return _Load(port, method, messages, CONNECTIONS).run_paced(moments)


class _Connection:
    """One connection, and the calls on it."""

    def __init__(self, port: int, method: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.open: dict[int, int] = {}
        """By stream the place of its message."""
        self._got: dict[int, int] = {}
        self._headers = b"\x83\x86\x44" + _text(method) + b"\x41" + _text("localhost")
        self._headers += b"\x5f" + _text("application/grpc") + b"\x40" + _text("te") + _text("trailers")
        self._stream = 1
        self._in = b""
        self._window, self._initial = WINDOW, WINDOW
        self._windows: dict[int, int] = {}
        self._waiting: deque[tuple[int, bytes]] = deque()
        settings = struct.pack(">HI", INITIAL_WINDOW, MOST)
        self._write(PREFACE + _frame(SETTINGS, 0, 0, settings) + _frame(MORE, 0, 0, struct.pack(">I", MOST - WINDOW)))

    def call(self, place: int, message: bytes) -> None:
        """Begins a call."""
        stream, self._stream = self._stream, self._stream + 2
        self.open[stream], self._got[stream] = place, 0
        head = _frame(HEADERS, COMPLETE, stream, self._headers)
        self._headers = KNOWN_HEADERS
        body = b"\0" + len(message).to_bytes(4, "big") + message
        if len(body) <= FRAME and len(body) <= min(self._window, self._initial) and not self._waiting:
            self._window -= len(body)
            self._windows[stream] = self._initial - len(body)
            self._write(head + _frame(DATA, END, stream, body))
            return
        self._windows[stream] = self._initial
        self._write(head)
        self._waiting.append((stream, body))
        self._send_waiting()

    def ended(self) -> Iterator[tuple[int, int]]:
        """Reads what has come: of each call that ended, the place of its message and the bytes of its answer."""
        came = self.socket.recv(1 << 18)
        assert came, "the server closed a connection"
        data = self._in + came if self._in else came
        at, size = 0, len(data)
        while size - at >= 9:
            first, flags, stream = struct.unpack_from(">IBI", data, at)
            length, kind = first >> 8, first & 0xFF
            if size - at - 9 < length:
                break
            if kind == DATA:
                self._got[stream] += length
            elif kind != HEADERS:
                self._told(kind, flags, stream, data[at + 9 : at + 9 + length])
            if kind <= HEADERS and flags & END:
                got = self._got.pop(stream)
                del self._windows[stream]
                yield self.open.pop(stream), got - 5 if got else FAILED
            at += 9 + length
        self._in = data[at:]

    def _told(self, kind: int, flags: int, stream: int, content: bytes) -> None:
        assert kind not in (RESET, GOAWAY), "the server gave up"
        if kind == SETTINGS and not flags & ACKNOWLEDGED:
            for name, value in struct.iter_unpack(">HI", content):
                if name == INITIAL_WINDOW:
                    self._windows = {each: left + value - self._initial for each, left in self._windows.items()}
                    self._initial = value
            self._write(_frame(SETTINGS, ACKNOWLEDGED, 0, b""))
        elif kind == PING and not flags & ACKNOWLEDGED:
            self._write(_frame(PING, ACKNOWLEDGED, 0, content))
        elif kind == MORE:
            (more,) = struct.unpack(">I", content)
            if stream == 0:
                self._window += more
            elif stream in self._windows:
                self._windows[stream] += more
        self._send_waiting()

    def _send_waiting(self) -> None:
        """Sends of long messages what the other side allows, one after the other."""
        while self._waiting:
            stream, body = self._waiting[0]
            part = body[: max(0, min(FRAME, self._window, self._windows[stream]))]
            if not part:
                return
            self._window -= len(part)
            self._windows[stream] -= len(part)
            self._write(_frame(DATA, END if len(part) == len(body) else 0, stream, part))
            self._waiting.popleft()
            if len(part) < len(body):
                self._waiting.appendleft((stream, body[len(part) :]))

    def _write(self, frames: bytes) -> None:
        self.socket.sendall(frames)


class _Load:
    """All connections, and what came of the calls."""

    def __init__(self, port: int, method: str, messages: Sequence[bytes], connections: int) -> None:
        self._messages = messages
        self._sizes, self._times = [0] * len(messages), [0.0] * len(messages)
        self._begun = [0.0] * len(messages)
        self._left = len(messages)
        self._connections = [_Connection(port, method) for _ in range(connections)]
        self._selector = selectors.DefaultSelector()
        for each in self._connections:
            self._selector.register(each.socket, selectors.EVENT_READ, each)

    def run_closed(self, each: int) -> Loaded:
        places = iter(range(len(self._messages)))

        def call(connection: _Connection) -> None:
            place = next(places, None)
            if place is not None:
                self._begun[place] = time.perf_counter()
                connection.call(place, self._messages[place])

        start, spent = time.perf_counter(), time.process_time()
        for _ in range(each):
            for connection in self._connections:
                call(connection)
        while self._left:
            for connection in self._read(PATIENCE):
                call(connection)
        return self._done(start, spent)

    def run_paced(self, moments: Sequence[float]) -> Loaded:
        start, spent = time.perf_counter(), time.process_time()
        place = 0
        while self._left:
            wait = PATIENCE if place == len(moments) else start + moments[place] - time.perf_counter()
            if wait > 0:
                for _ in self._read(wait):
                    pass
                continue
            self._begun[place] = start + moments[place]
            self._connections[place % len(self._connections)].call(place, self._messages[place])
            place += 1
        return self._done(start, spent)

    def _read(self, patience: float) -> Iterator[_Connection]:
        """Waits for what comes: the connection of each call that ended."""
        ready = self._selector.select(patience)
        assert ready or patience < PATIENCE, "no call was answered for long"
        for key, _ in ready:
            connection: _Connection = key.data
            for place, size in connection.ended():
                self._sizes[place] = size
                self._times[place] = math.inf if size == FAILED else time.perf_counter() - self._begun[place]
                self._left -= 1
                yield connection

    def _done(self, start: float, spent: float) -> Loaded:
        seconds, spent = time.perf_counter() - start, time.process_time() - spent
        self._selector.close()
        for each in self._connections:
            each.socket.close()
        return Loaded(self._sizes, self._times, seconds, spent)


def _text(text: str) -> bytes:
    """As HPACK has it, without Huffman's code."""
    return bytes((len(text),)) + text.encode("ascii")


def _frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    return struct.pack(">IBI", len(content) << 8 | kind, flags, stream) + content
