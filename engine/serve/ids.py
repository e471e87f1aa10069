"""New ids: UUIDs of version 4, for which the system is asked once for many.

To ask it for each lets another thread in, which costs a busy server more than all else about an id.
"""

from __future__ import annotations

import os
from collections import deque

BYTES, AT_ONCE = 16, 64
VARIANTS = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""The digit that says how a UUID is made up, by the random digit in its place."""

_drawn: deque[str] = deque()
os.register_at_fork(after_in_child=_drawn.clear)  # INVARIANT: no two processes give the same id


def new_id() -> str:
    """A UUID that nobody can guess. Threads may ask at once."""
    while True:
        try:
            digits = _drawn.pop()
        except IndexError:
            drawn = os.urandom(BYTES * AT_ONCE).hex()
            _drawn.extend(drawn[start : start + 2 * BYTES] for start in range(0, len(drawn), 2 * BYTES))
        else:
            variant = VARIANTS[digits[16]]
            return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
