"""Lines for a terminal: wrapped to its width, each with the part it plays, so that colour stays outside.

Nothing that a terminal would act on gets through, whoever wrote the text.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

NARROWEST, WIDEST = 40, 100


class Role(Enum):
    """What a line is, for whoever gives it a colour."""

    TITLE = "title"
    ALARM = "alarm"
    HEADING = "heading"
    TEXT = "text"
    ASIDE = "aside"


@dataclass(frozen=True, slots=True)
class Line:
    """One line, without its break."""

    text: str
    role: Role = Role.TEXT


class Page:
    """Lines that are added from the top. `width` in columns, kept within what can be read."""

    def __init__(self, width: int) -> None:
        self.width = max(NARROWEST, min(WIDEST, width))
        self.lines: list[Line] = []

    def add(self, text: str, role: Role = Role.TEXT, lead: str = "", indent: int | None = None) -> None:
        """A paragraph after `lead`; its further lines are indented by `indent` columns, else below the first word."""
        lead = plain(lead)
        hang = " " * (len(lead) if indent is None else indent)
        for number, line in enumerate(plain(text).splitlines() or [""]):
            first = lead if number == 0 else hang
            wrapped = textwrap.wrap(line, self.width, initial_indent=first, subsequent_indent=hang)
            self.lines.extend(Line(each, role) for each in wrapped or ([first.rstrip()] if first.strip() else []))

    def verbatim(self, text: str, role: Role = Role.TEXT) -> None:
        """Lines as they are, however long: carets stay below their excerpt, and a path stays whole."""
        self.lines.extend(Line(plain(line), role) for line in text.split("\n"))

    def heading(self, text: str) -> None:
        """A heading with an empty line before it."""
        self.gap()
        self.add(text, Role.HEADING)

    def gap(self) -> None:
        """An empty line, unless there is one."""
        if self.lines and self.lines[-1].text:
            self.lines.append(Line(""))

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Labels with their texts in two columns; pairs without a text are left out."""
        kept = [(label, text) for label, text in pairs if text]
        column = max((len(label) for label, _ in kept), default=0) + 2
        for label, text in kept:
            self.add(text, lead=f"{label:{column}}")

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)


def plain(text: str) -> str:
    """The text without anything that is not printed, line breaks excepted."""
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
