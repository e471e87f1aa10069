"""What reflection tells of the contract: descriptors with the JSON name of every field.

The generated Python code leaves these names out, and clients that build messages from reflection then print
`within_hours` where the contract promises `withinHours`.
"""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool


def describe_files(files: Iterable[FileDescriptor]) -> DescriptorPool:
    """A pool with these files and all that they import, every field with its JSON name."""
    pool = DescriptorPool()
    added: set[str] = set()

    def add(file: FileDescriptor) -> None:
        if file.name in added:
            return
        added.add(file.name)
        for imported in file.dependencies:
            add(imported)
        written = FileDescriptorProto()
        file.CopyToProto(written)
        _name(written.message_type)
        pool.Add(written)

    for each in files:
        add(each)
    return pool


def _name(messages: Iterable[DescriptorProto]) -> None:
    for message in messages:
        for field in message.field:
            field.json_name = _json_name(field.name)
        _name(message.nested_type)


def _json_name(name: str) -> str:
    """The JSON name that protoc gives.

    >>> _json_name("within_hours")
    'withinHours'
    """
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
