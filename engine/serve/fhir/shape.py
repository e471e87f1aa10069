"""Whether JSON is a FHIR R4 resource at all: the one door to fhirkit, which knows every element and type."""

from __future__ import annotations

import re
from collections.abc import Iterator

import fhirkit

from engine.decide.answers import shown
from engine.errors import Violation
from engine.serve.errors import InvalidRequest
from engine.serve.fhir.names import Json

PLAIN_PATH = re.compile(r"[A-Za-z0-9_.\[\]]{1,300}")
"""What FHIR itself calls its elements; anything else in a path was chosen by the caller."""
LONGEST = 300
"""Characters of a message."""
ROOT = "Resource"


class MalformedResource(InvalidRequest):
    """What came is no FHIR R4 resource of a type that is taken here. The fields of its violations are FHIRPaths."""


def resource(value: object, *types: str, at: str = "") -> Json:
    """The value as a resource of one of the types.

    `at` is where it stands, where it is part of another. Raises MalformedResource with every fault of its shape:
    unknown elements, wrong types, what is required and not there.
    """
    kind = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(kind, str):
        raise MalformedResource([Violation(at or ROOT, "not-fhir", "a FHIR resource is an object with a resourceType")])
    if kind not in types:
        message = f"a resource of type {' or '.join(types)} is taken here, not `{shown(kind)}`"
        raise MalformedResource([Violation(at or ROOT, "wrong-resource", message)])
    faults = [*_faults(value, kind, at or kind)]
    if faults:
        raise MalformedResource(faults)
    return value


def _faults(value: Json, kind: str, at: str) -> Iterator[Violation]:
    for issue in fhirkit.validate(value):
        path = issue.path if PLAIN_PATH.fullmatch(issue.path) else kind
        inside = path.removeprefix(kind) if path.startswith(kind) else ""
        clean = "".join(char if char.isprintable() else "?" for char in issue.message[:LONGEST])
        yield Violation(f"{at}{inside}", "bad-shape", clean)
