"""Messages as bytes, where that is faster than to make objects of them: parts that are not read, and parts joined.

Messages of one type that stand one behind the other are one message: what does not depend on answers is serialised
once, and put together as bytes.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

SEVEN = 0x7F
"""The bits of a number that a byte holds."""
MORE = 0x80
"""Set in each byte of a number but the last."""
WIRE_BITS = 3
DELIMITED = 2
"""What comes after a tag with these bits is a length, and as many bytes."""


def tag_of(message: type[Message], field: str) -> bytes:
    """What stands before each message or text of a field."""
    return varint(message.DESCRIPTOR.fields_by_name[field].number << WIRE_BITS | DELIMITED)


def varint(number: int) -> bytes:
    """A number, not below zero, as it is sent."""
    if number <= SEVEN:
        return bytes((number,))
    return bytes((number & SEVEN | MORE,)) + varint(number >> SEVEN.bit_length())


def framed(tag: bytes, content: bytes) -> bytes:
    """A message of a field."""
    return tag + varint(len(content)) + content


def part(message: type[Message], **fields: Any) -> bytes:
    """The bytes of a message that has only these fields."""
    return message(**fields).SerializeToString()


def unread(message: type[Message], field: str) -> Any:
    """A type for the same bytes as `message`, of which the messages of one repeated field or map stay bytes."""
    whole = message.DESCRIPTOR.file
    file = descriptor_pb2.FileDescriptorProto(name=f"unread/{message.DESCRIPTOR.full_name}.proto", syntax="proto3")
    file.package = f"unread.{whole.package}"
    file.dependency.append(whole.name)
    message.DESCRIPTOR.CopyToProto(file.message_type.add())
    (copied,) = file.message_type
    del copied.nested_type[:]
    (changed,) = (each for each in copied.field if each.name == field)
    changed.ClearField("type_name")
    changed.type = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
    pool = descriptor_pool.Default()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.{copied.name}"))
