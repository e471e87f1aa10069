"""How one text is written in YAML: plain or quoted, on one line or folded over several, with the same meaning."""

from __future__ import annotations

import re

_SPACE = re.compile(r"(?<=[^ \t\\]) (?=[^ \t])")
"""A space at which a text may be folded: YAML reads the break and the indentation as one space."""

_BEGINS = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`=<~]|-[^\s\-,\[\]{}:#]")
# What other tools read as something else than text (yes, no, null, numbers, dates): quotes that are there stay.
_MISREAD = re.compile(
    r"(?i:y|n|yes|no|on|off|true|false|null|~|<<|=|[-+]?\.(inf|nan))|[-+.]?[0-9][-+0-9a-fA-FeExXo_.,:/ TtZz]*"
)
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def is_block(raw: str) -> bool:
    """Was it written as lines below a `|` or `>`?"""
    return raw[:1] in ("|", ">")


def one_line(text: str, raw: str, was_flow: bool, flow: bool, key: bool = False) -> str:
    """A text on one line. `raw` is how it was written, the two flags where it stood and where it is to stand."""
    if not raw:
        return ""
    safe = _safe(text, flow)
    if raw[0] in "'\"":
        if safe and not _MISREAD.fullmatch(text) and not ((key or flow) and ":" in text):
            return text
        return raw if "\n" not in raw else _quote(text, raw[0])
    if not is_block(raw):
        if safe:
            return text
        if was_flow == flow and "\n" not in raw:
            return raw
    return _quote(text, '"')


def lines_of(text: str, raw: str, was_flow: bool) -> list[str]:
    """A text outside brackets, as the paragraphs that may each be folded at spaces; between two stands a blank line."""
    if raw and raw[0] not in "'\"|>" and all(_safe(part, False) for part in text.split("\n") if part):
        return text.split("\n")
    return [one_line(text, raw, was_flow, False)]


def fold(text: str, first: int, indent: int, width: int) -> list[str]:
    """A text on as many lines as it needs; the first begins in column `first`, the others are indented."""
    first_word, *words = _SPACE.split(text)
    lines, column = [first_word], first + len(first_word)
    for word in words:
        column += 1 + len(word)
        if column > width:
            lines.append(" " * indent + word)
            column = indent + len(word)
        else:
            lines[-1] += f" {word}"
    return lines


def block(text: str, raw: str, indent: int) -> list[str] | None:
    """The header, then the lines of a text that was written below a `|` or `>`; None where it must be quoted."""
    header, _, body = raw.partition("\n")
    sign = header.partition("#")[0].strip()
    if sign[0] == ">" and not re.search("[0-9+]", sign) and body.strip():
        kept = body.split("\n")
        own = min(len(line) - len(line.lstrip(" ")) for line in kept if line.strip(" "))
        return [sign, *(" " * indent + line[own:] if line.strip(" ") else "" for line in kept)]
    content = text.rstrip("\n")
    if not content.strip(" \t") or "\r" in text:
        return None
    ends = len(text) - len(content)
    mark = "" if content[0] not in " \t\n" else "2"
    sign = f"|{mark}{'-' if not ends else '' if ends == 1 else '+'}"
    body_lines = [" " * indent + line if line else "" for line in content.split("\n")]
    return [sign, *body_lines, *([""] * (ends - 1))]


def _safe(text: str, flow: bool) -> bool:
    """Can it stand without quotes, and be read as this text?"""
    return (
        bool(_BEGINS.match(text))
        and text == text.strip()
        and not re.search(r"[\n\t\r]|: | #|:$|^(---|\.\.\.)", text)
        and not (flow and re.search(r"[,\[\]{}]|:[,\[\]{}]", text))
    )


def _quote(text: str, mark: str) -> str:
    if mark == "'" and not re.search("[\n\r\t]", text):
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_ESCAPES.get(char, char) for char in text) + '"'
