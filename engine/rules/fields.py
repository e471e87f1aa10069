"""JSON that a program wrote, read strictly: every member is named, every value is of its kind, every fault is told.

Certificates, approvals and trust lists are read with it. The text goes through `document` first, which refuses what is
too large or too deep and duplicate keys, and knows the place of everything; then it must be JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeAlias

from engine.rules import document
from engine.rules.codes import Code
from engine.rules.document import Node
from engine.rules.problem import Problem, error
from engine.rules.source import Source, Span
from engine.rules.suggest import one_of

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
_SHA256 = re.compile("[0-9a-f]{64}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_NO_DAY = date(1, 1, 1)


@dataclass(frozen=True, slots=True)
class Field:
    """One value and where it stands. What is asked of it and does not hold is added to `told`.

    What is asked of a wrong value gives an empty one in its place, so that a reader goes on and finds the other faults;
    after any fault the whole is thrown away.
    """

    value: Json
    node: Node
    told: list[Problem]

    def members(self, *names: str) -> Mapping[str, Field]:
        """The members of an object that has exactly these names."""
        value = self.value if isinstance(self.value, dict) else None
        if value is None or not isinstance(self.node, document.Mapping):
            self._wrong("an object", "{...}")
            value = {}
        found: dict[str, Field] = {}
        for name in names:
            node = self.node.get(name) if isinstance(self.node, document.Mapping) else None
            if node is not None and name in value:
                found[name] = Field(value[name], node, self.told)
            else:  # told once: what is asked of a member that is missing is told to nobody
                found[name] = Field(None, self.node, [])
                if isinstance(self.value, dict):
                    self.tell("missing-key", f"`{name}` is missing")
        for key, _ in self.node.entries if isinstance(self.node, document.Mapping) else ():
            if key.text not in names:
                self.told.append(error("unknown-key", key.span, f"no key `{key.text}` here", one_of(key.text, names)))
        return found

    def items(self) -> list[Field]:
        """The items of a list."""
        if not isinstance(self.value, list) or not isinstance(self.node, document.Sequence):
            self._wrong("a list", "[...]")
            return []
        return [Field(value, node, self.told) for value, node in zip(self.value, self.node.items, strict=True)]

    def prose(self) -> str:
        """A text, which may be empty or have many lines."""
        if not isinstance(self.value, str):
            self._wrong("a text", '"..."')
            return ""
        return self.value

    def text(self) -> str:
        """A text of one line without characters that cannot be seen; may be empty."""
        text = self.prose()
        if not text.isprintable():
            self.tell("wrong-type", "this text has more than one line, or a character that cannot be seen")
        return text

    def word(self, *allowed: str) -> str:
        """One of some words."""
        word = self.text()
        if isinstance(self.value, str) and word not in allowed:
            self.tell("outside-scale", f"`{word}` cannot stand here", one_of(word, allowed))
        return word

    def sha256(self) -> str:
        """A digest: 64 hexadecimal digits."""
        text = self.text()
        if isinstance(self.value, str) and not _SHA256.fullmatch(text):
            self.tell("wrong-type", f"`{text}` is no digest", "a digest has 64 digits 0 to 9 and a to f")
        return text

    def day(self) -> date:
        """A day, as 2026-11-30."""
        text = self.text()
        if isinstance(self.value, str):
            try:
                return date.fromisoformat(text if _DAY.fullmatch(text) else "")
            except ValueError:
                self.tell("bad-date", f"`{text}` is no day", "write year, month and day, such as 2026-11-30")
        return _NO_DAY

    def optional_day(self) -> date | None:
        """A day, or null."""
        return None if self.value is None else self.day()

    def moment(self) -> datetime:
        """A time in UTC, to the second, as 2026-11-30T09:30:00Z."""
        text = self.text()
        if isinstance(self.value, str):
            try:
                return datetime.fromisoformat(text if _MOMENT.fullmatch(text) else "")
            except ValueError:
                help = "write a time in UTC, such as 2026-11-30T09:30:00Z"
                self.tell("bad-date", f"`{text}` is no time in UTC", help)
        return datetime(1, 1, 1, tzinfo=UTC)

    def exactly(self, number: int) -> None:
        """This whole number and no other value."""
        if type(self.value) is not int or self.value != number:
            shown = json.dumps(self.value, ensure_ascii=False)
            self.tell("outside-scale", f"`{shown}` cannot stand here", f"write {number}, the form that is known")

    def tell(self, code: Code, message: str, help: str = "") -> None:
        """Says that something is wrong with this value."""
        self.told.append(error(code, self.node.span, message, help))

    def _wrong(self, kind: str, form: str) -> None:
        self.tell("wrong-type", f"this must be {kind}", f"write {form}")


def read_json(source: Source) -> tuple[Field | None, list[Problem]]:
    """The whole text as one value, or None; with every problem.

    The list goes on to hold what those who read the value find wrong with it.
    """
    node, problems = document.read(source)
    if node is None or problems:
        return None, problems
    try:
        value = json.loads(source.text)
    except json.JSONDecodeError as fault:
        span = Span(source, fault.lineno, fault.colno, fault.lineno, fault.colno + 1)
        return None, [error("yaml-syntax", span, "this is not json", "restore the file as it was written")]
    except ValueError:  # a number with thousands of digits
        return None, [error("yaml-syntax", node.span, "a number in this file is too large")]
    return Field(value, node, problems), problems


def render_json(content: Json) -> str:
    """The text of a file: sorted keys, indented, with a line break at the end; the same for the same content."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False, indent=2) + "\n"
