"""What was worked out before, by what it follows from: kept up to a bound, so that no caller can fill the memory."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(dict[Key, Value]):
    """Values by what they follow from, and from nothing else. It begins anew when there are too many.

    Threads may share it: two that miss the same at once both work it out, and it comes to the same.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def keep(self, key: Key, value: Value) -> Value:
        """Keeps a value, and gives it."""
        if len(self) >= self._most:
            self.clear()
        self[key] = value
        return value
