"""Counts how fuzzed examples ended: a run that never gets past the first check has shown nothing about the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

DECIDED = "decided"
REFUSED = "refused"

LINES: list[str] = []
"""What the runs of this session have seen; tests/conftest.py prints it at the end."""


@dataclass
class Tally:
    """How the examples of one run ended."""

    name: str
    endings: Counter[str] = field(default_factory=Counter)

    def add(self, ending: str) -> None:
        self.endings[ending] += 1

    @property
    def total(self) -> int:
        return self.endings.total()

    @property
    def share(self) -> float:
        """The share that reached decide."""
        return self.endings[DECIDED] / self.total if self.total else 0.0

    def line(self) -> str:
        rest = ", ".join(f"{number} {ending}" for ending, number in sorted(self.endings.items()) if ending != DECIDED)
        return f"fuzz {self.name}: {self.total} examples, {self.share:.0%} reached decide; {rest}"

    def report(self, floor: float) -> None:
        """Keeps the line for the end of the session; fails where too few examples reached decide."""
        LINES.append(self.line())
        assert self.share >= floor, self.line()
