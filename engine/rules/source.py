"""A text with a name, and places in it: the only notion of "where" in Pluis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Source:
    """One named text. `name` is what people are shown: a path, or `<stdin>`."""

    name: str
    text: str

    def line(self, number: int) -> str:
        """The text of line `number` (1-based), without its line break; empty past the end."""
        lines = self.text.split("\n")
        return lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else ""


class Span(NamedTuple):
    """A stretch of a source. Lines and columns are 1-based and count characters; the end is exclusive.

    A tuple, as everything that stands in a tree of a text: there are hundreds of thousands in a large ruleset.
    """

    source: Source
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def place(self) -> str:
        """`file:line:column`, as editors and terminals link it."""
        return f"{self.source.name}:{self.line}:{self.column}"

    def excerpt(self) -> str:
        """The line with carets below the span.

        >>> print(Span(Source("a.yaml", "fever: yess"), 1, 8, 1, 12).excerpt())
            1 | fever: yess
              |        ^^^^
        """
        line = self.source.line(self.line)
        last = self.end_column if self.end_line == self.line else len(line) + 1
        carets = "^" * max(1, last - self.column)
        indent = "".join("\t" if char == "\t" else " " for char in line[: self.column - 1])
        return f"{self.line:5} | {line}\n      | {indent}{carets}"

    def __repr__(self) -> str:
        return f"Span({self.place})"


NOWHERE = Span(Source("<built>", ""), 1, 1, 1, 1)
"""The span of things that no author wrote: generated rulesets in tests."""
