"""The one canonical form of JSON: what is digested or signed anywhere in Pluis is these bytes."""

from __future__ import annotations

import hashlib
import json


def canonical_json(content: object) -> bytes:
    """RFC 8785 of content made of objects with ASCII keys, arrays, strings, booleans, null and integers below 2**53.

    Within these bounds the standard library's sorted output is the RFC's (tests hold it against the `rfc8785` package).

    >>> canonical_json({"b": [1, None], "a": "é"}).decode()
    '{"a":"é","b":[1,null]}'
    """
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def digest_of(content: object) -> str:
    """SHA-256 of the canonical bytes, 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(content)).hexdigest()
