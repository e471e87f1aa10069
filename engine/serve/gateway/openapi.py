"""The description of the JSON wire (OpenAPI 3.1), made out of the contract itself, so that the two cannot part."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import status_pb2
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import engine
from engine.serve.gateway.gateway import Gateway
from engine.serve.gateway.json import OPERATIONS, Operation
from engine.serve.gateway.media import JSON
from engine.serve.gateway.messages import BITS, AnyDescriptor, AnyField, entry_of
from engine.serve.interceptors import REQUEST_ID_HEADER

Json: TypeAlias = dict[str, Any]
PATH = "/openapi.json"
ANY = "google.protobuf.Any"
FAILURES = {
    400: "the request breaks the contract, or its answers cannot be used; or nothing was effective on that day",
    401: "the call does not show who makes it",
    403: "the caller may not do this",
    404: "there is no such ruleset, version or decision, or nothing is at this path",
    406: "the caller does not take JSON",
    408: "the body did not come in time",
    409: "the request id was used for another request",
    413: "the body is too large",
    415: "the body is not JSON in UTF-8",
    429: "too much is asked at this moment; `Retry-After` says when to try again",
    500: "an error of the program: there is no decision",
    503: "not now: nothing was recorded, and it may be tried again with the same request id",
    504: "there was no time for an answer",
}
"""The statuses without an answer; each has a google.rpc.Status."""
OF_A_BODY = (408, 413, 415)


def describe(base: str) -> Json:
    """The whole description; `base` is where callers find the server."""
    paths: Json = {}
    for operation in OPERATIONS:
        paths.setdefault(_camel_path(operation), {})[operation.method.lower()] = _operation(operation)
    kinds = [status_pb2.Status, *(each.response for each in OPERATIONS)]
    kinds += [each.request for each in OPERATIONS if each.method == "POST" and not each.in_path]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Pluis",
            "version": engine.__version__,
            "summary": "Answers in, a referral decision out: the messages of triage.v1 as proto3 JSON.",
            "description": "Fields that are empty, false or zero are left out. A field that does not exist is refused.",
        },
        "servers": [{"url": base}],
        "security": [{"token": []}, {}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": dict(sorted((_name(each), _schema(each)) for each in _reached(kinds))),
        },
    }


def routes(gateway: Gateway) -> list[BaseRoute]:
    """The description, for anybody."""
    body = json.dumps(describe(gateway.base)).encode()

    async def description(request: Request) -> Response:
        return Response(body, media_type=JSON)

    return [Route(PATH, description)]


def _operation(operation: Operation) -> Json:
    by_post = operation.method == "POST"
    described: Json = {
        "operationId": f"{operation.rpc}{'ByPost' if operation.path.endswith('/search') else ''}",
        "summary": operation.summary,
        "parameters": [*_parameters(operation)],
        "responses": {"200": _response("the answer", operation.response)},
    }
    if by_post:
        schema = _reference(operation.request.DESCRIPTOR)
        if operation.in_path:
            schema = _without(operation.request.DESCRIPTOR, operation.in_path)
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    for status, said in FAILURES.items():
        if by_post or status not in OF_A_BODY:
            described["responses"][str(status)] = _response(said, status_pb2.Status)
    return described


def _parameters(operation: Operation) -> Iterator[Json]:
    for field in operation.request.DESCRIPTOR.fields:
        in_path = field.name in operation.in_path
        if in_path or (operation.method == "GET" and field.name not in operation.not_in_query):
            place = {"in": "path", "required": True} if in_path else {"in": "query"}
            schema = {"type": "string", "minLength": 1} if in_path else _of_one(field)
            yield {"name": field.json_name, **place, "schema": schema}
    yield {"name": REQUEST_ID_HEADER, "in": "header", "schema": {"type": "string", "maxLength": 128}}


def _camel_path(operation: Operation) -> str:
    """The path with the names of fields as JSON has them."""
    path = operation.path
    for name in operation.in_path:
        path = path.replace(name, operation.request.DESCRIPTOR.fields_by_name[name].json_name)
    return path


def _response(said: str, kind: type[Message]) -> Json:
    header = {"description": "the id of the call", "schema": {"type": "string"}}
    content = {JSON: {"schema": _reference(kind.DESCRIPTOR)}}
    return {"description": said, "headers": {REQUEST_ID_HEADER: header}, "content": content}


def _reached(kinds: list[type[Message]]) -> list[AnyDescriptor]:
    """Every message that stands in one of these, each once."""
    found: dict[str, AnyDescriptor] = {}
    left: list[AnyDescriptor] = [kind.DESCRIPTOR for kind in kinds]
    while left:
        each = left.pop()
        if each.full_name in found or each.full_name in (ANY, Timestamp.DESCRIPTOR.full_name):
            continue
        found[each.full_name] = each
        left += [inner.message_type for field in each.fields if (inner := entry_of(field) or field).message_type]
    return list(found.values())


def _name(descriptor: AnyDescriptor) -> str:
    return str(descriptor.full_name).removeprefix("triage.v1.").replace("google.rpc.", "Rpc")


def _reference(descriptor: AnyDescriptor) -> Json:
    return {"$ref": f"#/components/schemas/{_name(descriptor)}"}


def _schema(descriptor: AnyDescriptor) -> Json:
    return _without(descriptor, ())


def _without(descriptor: AnyDescriptor, left_out: tuple[str, ...]) -> Json:
    """The schema of a message, without the fields that stand elsewhere."""
    fields = [field for field in descriptor.fields if field.name not in left_out]
    schema: Json = {
        "type": "object",
        "properties": {field.json_name: _of_field(field) for field in fields},
        "additionalProperties": False,
    }
    choices = [choice for choice in descriptor.oneofs if len(choice.fields) > 1]
    if len(choices) == 1:
        names = [field.json_name for field in choices[0].fields]
        only = [{"required": [name], "not": _any_of(other for other in names if other != name)} for name in names]
        schema["oneOf"] = [*only, {"not": _any_of(names)}]
    return schema


def _any_of(names: Any) -> Json:
    return {"anyOf": [{"required": [name]} for name in names]}


def _of_field(field: AnyField) -> Json:
    if (entry := entry_of(field)) is not None:
        return {"type": "object", "additionalProperties": _of_one(entry)}
    return {"type": "array", "items": _of_one(field)} if field.is_repeated else _of_one(field)


def _of_one(field: AnyField) -> Json:
    if field.message_type is not None:
        match field.message_type.full_name:
            case Timestamp.DESCRIPTOR.full_name:
                return {"type": "string", "format": "date-time"}
            case name if name == ANY:
                return {"type": "object", "properties": {"@type": {"type": "string"}}, "required": ["@type"]}
        return _reference(field.message_type)
    if field.enum_type is not None:
        return {"type": "string", "enum": [value.name for value in field.enum_type.values]}
    bits = BITS.get(field.cpp_type)
    if bits is not None:
        limits = {"minimum": -(2 ** (bits - 1)), "maximum": 2 ** (bits - 1) - 1}
        return {"oneOf": [{"type": "integer", **limits}, {"type": "string", "pattern": "^-?[0-9]{1,9}$"}]}
    return {"type": "boolean" if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL else "string"}
