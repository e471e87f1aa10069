"""How log lines look: text for people, or one JSON object each; and what never stands in one.

Of an exception a line has its type and its place, never its text, which could quote an answer. Of other libraries'
messages it has the pattern without what was filled in, or where there is no pattern the place in their code alone:
grpc, for one, writes the text of exceptions into its messages.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from types import TracebackType
from typing import TextIO

from engine.serve.config import LogFormat
from engine.serve.telemetry.later import Later

OURS = "pluis"
FRAMES = 4
"""Places that are told of one exception, the innermost first."""
CAUSES = 4
"""Exceptions that are told, of one and those that led to it."""
Value = str | int | float | bool | None
_ENCODE = json.JSONEncoder().encode


class Event:
    """A message with fields: `LOG.info(Event("call", code="OK"))`. Its text is their JSON."""

    def __init__(self, event: str, **fields: Value) -> None:
        self.fields: Mapping[str, Value] = {"event": event, **fields}

    def __str__(self) -> str:
        return json.dumps(self.fields)


def tell(log: logging.Logger, event: Event) -> None:
    """An event at level INFO. What `log.info` does, but for looking up where it was called, which no event tells."""
    if log.isEnabledFor(logging.INFO):
        log.handle(logging.LogRecord(log.name, logging.INFO, "", 0, event, (), None))


def told(error: BaseException) -> str:
    """An exception without a word of it: `ValueError at engine/record/writer.py:12 < ..., after KeyError at ...`."""
    return ", after ".join(_told(each) for each in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(CAUSES):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _told(error: BaseException) -> str:
    frames = [*traceback.walk_tb(error.__traceback__)][-FRAMES:]
    places = " < ".join(f"{_short(frame.f_code.co_filename)}:{line}" for frame, line in reversed(frames))
    name = type(error).__qualname__
    return f"{name} at {places}" if places else name


def _short(path: str) -> str:
    """The end of a path: enough to find the file, and nothing about the machine."""
    return "/".join(path.split(os.sep)[-3:])


def _said(record: logging.LogRecord) -> str:
    """What a line may say of a record's message."""
    if record.name == OURS or record.name.startswith(f"{OURS}."):
        return record.getMessage()
    if isinstance(record.msg, str) and record.args:
        return record.msg
    return f"said at {_short(record.pathname)}:{record.lineno}"


def _error(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


class TextLines(logging.Formatter):
    """Lines for people: `2026-12-01T12:00:00.123Z INFO w1 pluis.server: pluis stops`."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        said, error = _said(record).replace("\n", "\n  "), _error(record)
        after = "" if error is None else f" ({told(error)})"
        return f"{_time(record)} {record.levelname} {self._process} {record.name}: {said}{after}"


class JsonLines(logging.Formatter):
    """One JSON object in each line: time, level, logger, process, pid, and the fields of an event or a message."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process
        self._sources: dict[tuple[str, str, int | None], str] = {}

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Value] = {}
        if isinstance(record.msg, Event):
            fields.update(record.msg.fields)
        else:
            fields["message"] = _said(record)
        if (error := _error(record)) is not None:
            fields["exception"] = told(error)
        source = self._source(record.levelname, record.name, record.process)
        return f'{{"time": "{_time(record)}", {source}, {_ENCODE(fields)[1:]}'

    def _source(self, level: str, logger: str, pid: int | None) -> str:
        """Level, logger, process and pid, as they stand in a line."""
        known = self._sources.get((level, logger, pid))
        if known is None:
            fields: dict[str, Value] = {"level": level.lower(), "logger": logger, "process": self._process, "pid": pid}
            known = self._sources[level, logger, pid] = _ENCODE(fields)[1:-1]
        return known


def _time(record: logging.LogRecord) -> str:
    return f"{_whole_seconds(int(record.created))}.{int(record.msecs):03d}Z"


@lru_cache(maxsize=2)
def _whole_seconds(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


class _Lines(logging.Handler):
    """Writes lines to standard error: those of events of calls with the next ones, all others at once.

    The library's own way of telling that it cannot prints what was to be filled in.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._later: Later[str] = Later(self._write)

    def createLock(self) -> None:
        """None: what it is made of is safe by itself, and calls would wait for each other's lines."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._later.add(self.format(record))
            if record.levelno > logging.INFO or not isinstance(record.msg, Event):
                self._later.flush()
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        self._later.flush()

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exception()
        with suppress(OSError, ValueError):  # standard error itself may be gone
            self._stream.write(f"a log line could not be written: {told(error) if error else record.name}\n")

    def _write(self, lines: Sequence[str]) -> None:
        with suppress(OSError, ValueError):  # as above
            self._stream.write("".join([f"{line}\n" for line in lines]))
            self._stream.flush()


def set_up_lines(how: LogFormat, process: str) -> None:
    """From now on this process writes its log lines to standard error. `process` is its name: `w1`, `supervisor`.

    Ours from INFO, other libraries' from WARNING. What nobody catches is told as a line too, and where the process
    breaks off in native code, Python's places are.
    """
    handler = _Lines(sys.stderr)
    handler.setFormatter(JsonLines(process) if how is LogFormat.JSON else TextLines(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.logThreads = logging.logMultiprocessing = False  # no line tells them, and to look them up costs time
    log = logging.getLogger(OURS)
    log.setLevel(logging.INFO)

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.critical("nobody caught it", exc_info=(kind, error, trace))

    def uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    def unraisable(args: sys.UnraisableHookArgs) -> None:
        if args.exc_value is not None:
            uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook = uncaught
    threading.excepthook = uncaught_in_thread
    sys.unraisablehook = unraisable
    faulthandler.enable()
