"""Files of patients' answers, read exactly and one patient at a time: JSON, JSON Lines or YAML; no input raises.

Exactly means: a number stays the text that was written, a key that is given twice is refused, and nothing is guessed
from an empty value. Whatever is wrong with a patient is a `Fault` in its place, naming everything; the rest goes on.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from pathlib import PurePath
from typing import BinaryIO, TypeAlias

from engine.decide.answers import EVERY_GROUP, field, given, plain_number, shown
from engine.errors import Violation
from engine.rules import document
from engine.rules.model import NO, YES
from engine.rules.source import Source

LARGEST = 1 << 24
"""Bytes of one JSON document, or of one line of JSON Lines; of a YAML document `document.LARGEST` counts."""
MOST_FAULTS = 100
"""How many faults of one patient are named."""

_LARGEST_NUMBER = 2**63 - 1  # what the contract can carry
_LINES = (".jsonl", ".ndjson")
_YAML = (".yaml", ".yml")
_BOM = b"\xef\xbb\xbf"


Answer: TypeAlias = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Patient:
    """One patient's answers as texts, or tuples of options. `place` is empty where the file is one patient."""

    place: str
    ruleset: str
    version: str
    language: str
    answers: Mapping[str, Answer]
    none_of: tuple[str, ...]
    request_id: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A patient who cannot be read, and everything that is wrong."""

    place: str
    violations: tuple[Violation, ...]


Read: TypeAlias = Patient | Fault
_Numbered: TypeAlias = tuple[int, bytes]


def read_patients(stream: BinaryIO, name: str) -> Iterator[Read]:
    """The patients of a file as they are read; `name` tells the format by its ending, else the first lines do."""
    nobody = True
    for patient in _patients(enumerate(_lines(stream), 1), PurePath(name).suffix.lower()):
        nobody = False
        yield patient
    if nobody:
        yield _fault("", "empty-file", f"there is no patient in `{shown(name)}`")


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines with their breaks; of a line that is too long one byte more than allowed."""
    start = _BOM
    while line := stream.readline(LARGEST + 1):
        rest = line
        while len(rest) > LARGEST and not rest.endswith(b"\n"):
            rest = stream.readline(LARGEST + 1)
        yield line.removeprefix(start)
        start = b""


def _patients(lines: Iterator[_Numbered], suffix: str) -> Iterator[Read]:
    if suffix in _YAML:
        return _yaml(lines)
    if suffix in _LINES:
        return _json_lines(lines)
    first: list[_Numbered] = []
    head: list[bytes] = []
    for line in lines:
        first.append(line)
        if line[1].strip():
            head.append(line[1])
        # Whoever writes one patient a line and waits for the answer gets it before the second line.
        if head and (len(head) == 2 or _whole_object(head[0])):
            break
    lines = chain(first, lines)
    if head and not head[0].startswith((b"[", b"-", b"#", b"%")) and _whole_object(head[-1]):
        return _json_lines(lines)
    if suffix == ".json" or re.match(rb"\s*[\[{][\s\[{]*([\"\]}]|$)", b"".join(head)):
        return _json(lines)
    return _yaml(lines)


# ---- json ----


class _Number(str):
    """A number as it was written."""


@dataclass(frozen=True, slots=True)
class _Constant:
    """NaN or an infinity, which JSON does not have."""

    text: str


class _Object(dict[str, object]):
    """A JSON object that remembers which keys were given more than once."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        self.twice: list[str] = []
        if len(pairs) != len(self):
            self.twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]


def _parse(text: str) -> object:
    """Raises ValueError, or RecursionError where the text is too deep."""
    return json.loads(text, object_pairs_hook=_Object, parse_float=_Number, parse_int=_Number, parse_constant=_Constant)


def _whole_object(line: bytes) -> bool:
    try:
        return line.startswith(b"{") and isinstance(_parse(line.decode()), dict)
    except (ValueError, RecursionError):
        return False


def _value(data: bytes, place: str, first: int) -> object:
    """What a JSON text says, or a Fault; `first` is the number of its first line."""
    if len(data) > LARGEST:
        return _fault(
            place, "too-large", f"{_at(place)}this is larger than {LARGEST >> 20} MiB; write one patient a line"
        )
    try:
        return _parse(data.decode())
    except UnicodeDecodeError:
        return _fault(place, "bad-encoding", f"{_at(place)}this is not utf-8")
    except json.JSONDecodeError as error:
        why = error.msg[:1].lower() + error.msg[1:]
        where = f"line {first + error.lineno - 1}, column {error.colno}"
        return _fault(place, "json-syntax", f"{where}: this cannot be read as json: {shown(why)}")
    except (ValueError, RecursionError):
        return _fault(place, "too-deep", f"{_at(place)}lists and objects are too deep inside each other")


def _json_lines(lines: Iterator[_Numbered]) -> Iterator[Read]:
    for number, line in lines:
        if line.strip():
            place = f"line {number}"
            value = _value(line.rstrip(b"\r\n"), place, number)
            yield value if isinstance(value, Fault) else _patient(value, place)


def _json(lines: Iterator[_Numbered]) -> Iterator[Read]:
    data, first = bytearray(), 0
    for number, line in lines:
        first = first or number
        data += line
        if len(data) > LARGEST:
            break
    if not data.strip():
        return
    value = _value(bytes(data), "", first)
    del data
    if isinstance(value, Fault):
        yield value
    else:
        yield from _several(value, "")


# ---- yaml ----

_MARK = re.compile(rb"---(\s|$)")
_PROLOGUE = re.compile(rb"\s*([#%].*)?")


def _yaml(lines: Iterator[_Numbered]) -> Iterator[Read]:
    """Each document on its own; `---` at the beginning of a line can stand nowhere else."""
    documents = _documents(lines)
    first = next(documents, None)
    if first is None:
        return
    second = next(documents, None) if first[1] is not None else None
    many = second is not None
    for number, (line, data) in enumerate(chain([first], [second] if second else [], documents), 1):
        yield from _document(data, f"document {number}" if many else "", line)


def _documents(lines: Iterator[_Numbered]) -> Iterator[tuple[int, bytes | None]]:
    """The number of the first line and the text of each document; no text where it is too large."""
    parts: list[bytes] = []
    start, size, begun = 1, 0, False
    for number, line in lines:
        if begun and _MARK.match(line):
            yield start, _joined(parts, size)
            parts, size = [], 0
        if not parts:
            start = number
        begun = begun or not _PROLOGUE.fullmatch(line.rstrip(b"\r\n"))
        size += len(line)
        if size <= document.LARGEST:
            parts.append(line)
    if begun:
        yield start, _joined(parts, size)


def _joined(parts: list[bytes], size: int) -> bytes | None:
    return b"".join(parts) if size <= document.LARGEST else None


def _document(data: bytes | None, place: str, first: int) -> Iterator[Read]:
    if data is None:
        yield _fault(
            place, "too-large", f"{_at(place)}this is larger than {document.LARGEST >> 20} MiB; use json lines"
        )
        return
    source, problems = document.decode(place, data)
    node = None
    if not problems:
        node, problems = document.read(Source(place, source.text))
    if node is None or problems:
        yield _refused(
            place,
            [
                Violation(
                    "", each.code, f"line {first + each.span.line - 1}, column {each.span.column}: {each.message}"
                )
                for each in problems
            ],
        )
        return
    yield from _several(document.plain(node), place)


# ---- one patient ----


def _several(value: object, place: str) -> Iterator[Read]:
    """A patient, or each of a list."""
    if not isinstance(value, list):
        yield _patient(value, place)
        return
    for number, each in enumerate(value, 1):
        yield _patient(each, f"{place}, patient {number}" if place else f"patient {number}")


_KEYS = ("ruleset", "version", "language", "answers", "none_of", "request_id")


def _patient(value: object, place: str) -> Read:
    if not isinstance(value, dict):
        return _fault(place, "wrong-shape", f"{_at(place)}a patient is a mapping with the keys {', '.join(_KEYS)}")
    found: list[Violation] = [*_twice(value, shown)]
    for key in value:
        if key not in _KEYS:
            found.append(
                Violation(shown(key), "unknown-key", f"there is no key `{shown(key)}`; there are {', '.join(_KEYS)}")
            )
    if "answers" not in value and "none_of" not in value:
        found.append(Violation("answers", "no-answers", "there are no answers; give `answers`, `none_of` or both"))
    texts = {key: _text(value.get(key, ""), key, found) for key in ("ruleset", "version", "language", "request_id")}
    for key in texts:
        if key in value and value[key] == "":
            found.append(Violation(key, "no-value", f"`{key}` has no value; leave it out, or write one"))
    answers = _answers(value.get("answers", {}), found)
    none_of = _none_of(value.get("none_of", []), found)
    if found:
        return _refused(place, found)
    return Patient(place, texts["ruleset"], texts["version"], texts["language"], answers, none_of, texts["request_id"])


def _twice(value: object, path: Callable[[str], str]) -> Iterator[Violation]:
    if isinstance(value, _Object):
        for key in value.twice:
            yield Violation(path(key), "duplicate-key", f"the key `{shown(key)}` is given twice")


def _text(value: object, key: str, found: list[Violation]) -> str:
    if isinstance(value, str) and not isinstance(value, _Number) and _sayable(value):
        return value
    found.append(Violation(key, "wrong-type", f"`{key}` must be a text"))
    return ""


def _answers(value: object, found: list[Violation]) -> dict[str, Answer]:
    if not isinstance(value, dict):
        found.append(Violation("answers", "wrong-shape", "`answers` must be a mapping from question to answer"))
        return {}
    found.extend(_twice(value, field))
    answers: dict[str, Answer] = {}
    for question, each in value.items():
        wrong = _wrong(each) if _sayable(question) else "this is no text"
        if wrong:
            code = "no-value" if each is None or each == "" else "wrong-type"
            found.append(Violation(field(question), code, f"`{shown(question)}`: {wrong}"))
        elif isinstance(each, bool):
            answers[question] = YES if each else NO
        else:
            answers[question] = tuple(each) if isinstance(each, list) else _plain(each)
    return answers


def _wrong(value: object) -> str:
    """Why a value is no answer; empty where it is one."""
    if value is None or value == "":
        return "there is no value; leave the question out when it was not asked, or write `unknown`"
    if isinstance(value, _Constant):
        return f"`{value.text}` is not a number"
    if isinstance(value, str):
        number = given(_plain(value)).value
        if isinstance(number, int) and abs(number) > _LARGEST_NUMBER:
            return "this number is too large"
        return "" if _sayable(value) else "this is no text"
    if isinstance(value, list):
        fits = all(isinstance(each, str) and each and _sayable(each) for each in value)
        return "" if fits else "a list may hold only the ids of options"
    return "" if isinstance(value, bool) else "an answer is one value, `unknown`, or a list of options"


_NUMERIC = re.compile(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")


def _plain(text: str) -> str:
    """A number without exponent and without zeros that say nothing: 7.0 and 0.7e1 are 7, in every format."""
    return plain_number(Decimal(text)) if _NUMERIC.fullmatch(text) else text


def _none_of(value: object, found: list[Violation]) -> tuple[str, ...]:
    if value == EVERY_GROUP:
        return (EVERY_GROUP,)
    if isinstance(value, list) and all(isinstance(each, str) and each and _sayable(each) for each in value):
        return tuple(value)
    found.append(
        Violation("none_of", "wrong-type", f'`none_of` must be a list of groups, or "{EVERY_GROUP}" for every group')
    )
    return ()


def _sayable(text: str) -> bool:
    """Whether a text can be sent at all: JSON can write halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fault(place: str, code: str, message: str) -> Fault:
    return Fault(place, (Violation("", code, message),))


def _refused(place: str, found: Iterable[Violation]) -> Fault:
    violations = sorted(set(found))
    left_out = len(violations) - MOST_FAULTS
    if left_out > 0:
        violations = [*violations[:MOST_FAULTS], Violation("", "left-out", f"{left_out} more were left out")]
    return Fault(place, tuple(violations))


def _at(place: str) -> str:
    return f"{place}: " if place else ""
