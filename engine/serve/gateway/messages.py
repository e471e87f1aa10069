"""Messages of the contract as JSON (proto3 JSON), strictly: every fault is told, each with the path of its field.

Nothing is guessed and nothing dropped: a field that does not exist, one that stands there under both of its names, two
answers where one is asked for, and a number that is not whole are refused. Words of a violation repeat no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeAlias, TypeVar

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from engine.decide.answers import shown
from engine.errors import Violation
from engine.rules.suggest import one_of
from engine.serve.errors import InvalidRequest, MalformedRequest

M = TypeVar("M", bound=Message)
BITS = {
    FieldDescriptor.CPPTYPE_INT32: 32,
    FieldDescriptor.CPPTYPE_INT64: 64,
}
"""Of the whole numbers that the contract has."""
AnyDescriptor: TypeAlias = Any
AnyField: TypeAlias = Any
"""Descriptors of messages and of fields: the stubs have two types for each."""
WHOLE = re.compile(r"-?[0-9]{1,19}")


def read_message(kind: type[M], value: object) -> M:
    """The message. Raises InvalidRequest with every fault; the fields have the names of the contract."""
    message = kind()
    faults = [*_faults(message.DESCRIPTOR, value, "")]
    if faults or not isinstance(value, dict):
        raise InvalidRequest(faults)
    try:
        return json_format.ParseDict(value, message)
    except json_format.ParseError:
        raise MalformedRequest(f"the JSON is no {message.DESCRIPTOR.name}") from None


def write_message(message: Message) -> bytes:
    """The message as JSON in UTF-8."""
    return json_format.MessageToJson(message, indent=None, ensure_ascii=False).encode()


def entry_of(field: AnyField) -> AnyField | None:
    """The values of a field that is a map, which to descriptors is a list of entries; None for any other field."""
    entry = field.message_type
    return entry.fields_by_name["value"] if entry is not None and entry.GetOptions().map_entry else None


def _faults(descriptor: AnyDescriptor, value: object, path: str) -> Iterator[Violation]:
    if descriptor.full_name == Timestamp.DESCRIPTOR.full_name:
        yield from _faults_of_time(value, path)
        return
    if not isinstance(value, dict):
        yield _wrong(path, "must be an object")
        return
    known = {name: field for field in descriptor.fields for name in (field.json_name, field.name)}
    taken: dict[str, str] = {}
    for name, item in value.items():
        field = known.get(name)
        if field is None:
            help = one_of(name, [each.json_name for each in descriptor.fields])
            message = f"there is no such field{f': {help}' if help else ''}"
            yield Violation(_inside(path, shown(name)), "unknown-field", message)
            continue
        here = _inside(path, field.name)
        if item is None:
            continue
        choice = field.containing_oneof
        place = field.name if choice is None else choice.name
        if place in taken:
            yield Violation(here, "duplicate", f"only one of `{taken[place]}` and `{name}` can be given")
        taken[place] = name
        yield from _faults_of_field(field, item, here)


def _faults_of_field(field: AnyField, value: object, path: str) -> Iterator[Violation]:
    if (entry := entry_of(field)) is not None:
        if not isinstance(value, dict):
            yield _wrong(path, "must be an object")
            return
        for key, item in value.items():
            yield from _faults_of_one(entry, item, f'{path}["{shown(key)}"]')
    elif field.is_repeated:
        if not isinstance(value, list):
            yield _wrong(path, "must be a list")
            return
        for number, item in enumerate(value):
            yield from _faults_of_one(field, item, f"{path}[{number}]")
    else:
        yield from _faults_of_one(field, value, path)


def _faults_of_one(field: AnyField, value: object, path: str) -> Iterator[Violation]:
    kind = field.cpp_type
    if field.message_type is not None:
        yield from _faults(field.message_type, value, path)
    elif field.enum_type is not None:
        names = field.enum_type.values_by_name
        if not isinstance(value, str):
            yield _wrong(path, f"must be the name of a {field.enum_type.name}")
        elif value not in names:
            yield Violation(path, "unknown-value", f"must be one of {', '.join(names)}")
    elif kind in BITS:
        if not _is_whole(value, BITS[kind]):
            yield _wrong(path, f"must be a whole number of at most {BITS[kind]} bits")
    elif kind == FieldDescriptor.CPPTYPE_BOOL:
        if not isinstance(value, bool):
            yield _wrong(path, "must be true or false")
    elif not isinstance(value, str):
        yield _wrong(path, "must be text")


def _is_whole(value: object, bits: int) -> bool:
    """Whether it is a number without a fraction, or its digits as text, that fits."""
    if isinstance(value, str) and WHOLE.fullmatch(value):
        value = int(value)
    return isinstance(value, int) and not isinstance(value, bool) and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)


def _faults_of_time(value: object, path: str) -> Iterator[Violation]:
    try:
        if isinstance(value, str):
            Timestamp().FromJsonString(value)
            return
    except ValueError:
        pass
    yield _wrong(path, "must be a time such as 2026-12-01T12:00:00Z")


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _wrong(path: str, message: str) -> Violation:
    return Violation(path, "wrong-type", message)


def fields_of(query: list[tuple[str, str]]) -> dict[str, Any]:
    """The parameters of a URL as the JSON of a message. Raises InvalidRequest for one that stands there twice."""
    twice = {name for number, (name, _) in enumerate(query) if name in dict(query[:number])}
    if twice:
        raise InvalidRequest(Violation(shown(name), "duplicate", "stands there twice") for name in twice)
    return dict(query)
