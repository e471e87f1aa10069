"""What came as text, strictly: JSON with nothing that two readers could take for two things."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.serve.errors import MalformedRequest

DEEPEST = 100
"""Arrays and objects inside each other; the contract and FHIR need far fewer."""
LONGEST_NUMBER = 400
"""Characters of a number: longer ones take long to read and mean nothing."""
BRACKETS_OR_TEXTS = re.compile(r'[\[\]{}]|"(?:[^"\\]++|\\.)*+"', re.DOTALL)
HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""How JSON writes half of a surrogate pair."""


def read_json(body: bytes) -> Any:
    """The value of a JSON text, its fractions as Decimal. Raises MalformedRequest, whose words repeat nothing of it.

    Refused: what is not UTF-8, a name that stands twice in an object, NaN and infinities, numbers beyond measure, too
    much depth.

    >>> read_json(b'{"a": [1, 2.50]}')
    {'a': [1, Decimal('2.50')]}
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedRequest("the body is not UTF-8") from None
    if _depth(text) > DEEPEST:
        raise MalformedRequest(f"the body has more than {DEEPEST} levels")
    try:
        value = json.loads(
            text, parse_float=_fraction, parse_int=_integer, parse_constant=_constant, object_pairs_hook=_object
        )
    except json.JSONDecodeError as error:
        message = f"the body is not JSON: line {error.lineno}, column {error.colno}"
        raise MalformedRequest(message) from None
    if HALF.search(text):
        _check_texts(value)
    return value


def _check_texts(value: Any) -> None:
    """Raises MalformedRequest for half of a surrogate pair, which JSON can write and UTF-8 cannot."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise MalformedRequest("a text in the body is no Unicode: half of a surrogate pair") from None


def _depth(text: str) -> int:
    """How many arrays and objects are inside each other, at most."""
    depth = deepest = 0
    for each in BRACKETS_OR_TEXTS.finditer(text):
        match each[0]:
            case "[" | "{":
                depth += 1
                deepest = max(deepest, depth)
            case "]" | "}":
                depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise MalformedRequest("a name stands twice in one object of the body")
    return found


def _integer(text: str) -> int:
    _check_length(text)
    return int(text)


def _fraction(text: str) -> Decimal:
    _check_length(text)
    try:
        value = Decimal(text)
    except InvalidOperation:  # its exponent is more than Decimal has
        value = Decimal("infinity")
    if not math.isfinite(float(value)) or abs(int(value.as_tuple().exponent)) > LONGEST_NUMBER:
        raise MalformedRequest("a number in the body is beyond measure")
    return value


def _constant(text: str) -> Any:
    raise MalformedRequest("NaN and infinities are no JSON")


def _check_length(text: str) -> None:
    if len(text) > LONGEST_NUMBER:
        raise MalformedRequest(f"a number in the body has more than {LONGEST_NUMBER} characters")
