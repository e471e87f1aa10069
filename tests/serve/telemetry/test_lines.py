"""Log lines in both forms; and that nothing of an exception stands in them but its type and place."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.serve.telemetry.lines import Event, JsonLines, TextLines, Value, told

ROOT = Path(__file__).resolve().parents[3]
SECRET = "what-the-patient-said"


def record(message: object, *arguments: object, logger: str = "pluis.calls", error: Any = None) -> logging.LogRecord:
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord(logger, logging.ERROR, __file__, 12, message, arguments, exc_info)
    made.created, made.msecs = 1_800_000_000.0, 7.0
    return made


def as_json(made: logging.LogRecord) -> dict[str, Value]:
    line: dict[str, Value] = json.loads(JsonLines("w1").format(made))
    return line


def failed() -> BaseException:
    """An exception that quotes, with another one that led to it."""
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as cause:
            raise ValueError(f"no {SECRET}") from cause
    except ValueError as error:
        return error


def test_text() -> None:
    line = TextLines("w1").format(record("pluis serving %s on %s", "small 1.0.0", "127.0.0.1:50051"))
    assert line == "2027-01-15T08:00:00.007Z ERROR w1 pluis.calls: pluis serving small 1.0.0 on 127.0.0.1:50051"


def test_one_record_is_one_entry_in_text() -> None:
    line = TextLines("w1").format(record("first\n2027-01-15T08:00:00.007Z INFO forged"))
    assert line.splitlines()[1].startswith("  ")


def test_json() -> None:
    line = as_json(record("pluis stops"))
    process = line.pop("pid")
    assert isinstance(process, int)
    assert line == {
        "time": "2027-01-15T08:00:00.007Z",
        "level": "error",
        "logger": "pluis.calls",
        "process": "w1",
        "message": "pluis stops",
    }


def test_an_event_has_its_fields() -> None:
    event = Event("call", method="Evaluate", code="OK", ms=1.5, request_id="visit-1")
    line = as_json(record(event))
    assert {key: line[key] for key in ("event", "method", "code", "ms", "request_id")} == event.fields
    assert "message" not in line
    text = TextLines("w1").format(record(event))
    assert json.loads(text.partition(": ")[2]) == event.fields


@pytest.mark.parametrize("formatter", [TextLines("w1"), JsonLines("w1")], ids=["text", "json"])
def test_an_exception_has_a_type_and_a_place(formatter: logging.Formatter) -> None:
    line = formatter.format(record("it failed", error=failed()))
    assert "it failed" in line
    assert "ValueError at serve/telemetry/test_lines.py:" in line
    assert "after KeyError at serve/telemetry/test_lines.py:" in line
    assert SECRET not in line and str(ROOT) not in line


@pytest.mark.parametrize(
    ("message", "arguments", "said"),
    [
        ("Failed to export %s to %s", ("traces", SECRET), "Failed to export %s to %s"),
        (f"Exception calling application: {SECRET}", (), "said at serve/telemetry/test_lines.py:12"),
        ([f"ValueError: {SECRET}\n"], (), "said at serve/telemetry/test_lines.py:12"),  # as grpc does
        (ValueError(SECRET), (), "said at serve/telemetry/test_lines.py:12"),
    ],
)
def test_others_are_not_quoted(message: object, arguments: tuple[object, ...], said: str) -> None:
    for logger in ("grpc._server", "pluisx"):
        line = as_json(record(message, *arguments, logger=logger, error=failed()))
        assert line["message"] == said
        assert SECRET not in json.dumps(line)


def test_causes_that_go_round_end() -> None:
    error, other = ValueError(SECRET), KeyError(SECRET)
    error.__cause__, other.__cause__ = other, error
    assert told(error) == "ValueError, after KeyError, after ValueError, after KeyError"


PROGRAM = f"""
import logging, sys, threading
from engine.serve.config import LogFormat
from engine.serve.telemetry.lines import set_up_lines
set_up_lines(LogFormat.JSON, "w1")
import sqlalchemy
def fail(*_):
    raise ValueError("{SECRET}")
class Unraisable:
    __del__ = fail
class Unprintable:
    def __str__(self):
        raise ValueError("{SECRET}")
with sqlalchemy.create_engine("sqlite://").connect() as connection:
    connection.execute(sqlalchemy.text("SELECT '{SECRET}'"))
logging.getLogger("joserfc").info("not told")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
Unraisable()
logging.getLogger("pluis.calls").info("%s", Unprintable())
logging.getLogger("pluis.calls").info("told")
fail()
"""


def test_what_nobody_catches_is_told_without_its_text() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert SECRET not in done.stdout + done.stderr
    thread, unraisable, broken, said, main = done.stderr.splitlines()
    for line in (thread, unraisable, main):
        assert json.loads(line)["message"] == "nobody caught it"
        assert json.loads(line)["exception"].startswith("ValueError at ")
    assert broken.startswith("a log line could not be written: ValueError at ")
    assert json.loads(said)["message"] == "told"
