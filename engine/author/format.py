"""One stable layout for the files that authors write, so that a difference between two versions is one of meaning.

The author's order of entries, comments, and the choice between brackets and lines stay. What changes: indentation,
brackets that fit on one line or do not, needless quotes, the order of keys inside an entry, spaces and blank lines.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from engine.author import quoting
from engine.author.cases_report import find_rulesets
from engine.author.comments import Comment, Entry, Outline
from engine.rules import document
from engine.rules.document import LARGEST, Mapping, Node, Scalar, Sequence
from engine.rules.problem import Problems
from engine.rules.source import Source

WIDTH = 128
"""Columns of a line; only what cannot be broken is longer."""

_KEYS = {
    "ruleset": "id version languages effective authors title summary intended_use disclaimer",
    "ruleset.effective": "from until",
    "parameters.*": "value unit range",
    "groups.*": "asked_when title none_of",
    "questions.*": "text help type unit range options group asked_when core yes_is_good",
    "rules.*": "when then because evidence",
    "rules.*.then": "disposition call within_hours guidance",
    "default": "id then because evidence",
    "default.then": "disposition call within_hours",
    "dispositions.*": "valid_days recheck_days title text",
    "programme.*": "id when then when_unknown because evidence",
    "advice.*": "kind when hide_when contradicts patient clinician",
    "advice_policies.*": "kinds hide_when",
    "safety_net.*": "when patient clinician",
    "evidence.*": "citation url strength",
    "claims.*": "claim finding at_least than exempt",
    "answers": "yes no unknown missing",
    "findings.*": "patient clinician",
    "reasons.*": "patient clinician",
    "questions.*.text": "patient clinician",
    "questions.*.help": "patient clinician",
    "dispositions.*.title": "patient clinician",
    "dispositions.*.text": "patient clinician",
    "cases.*": "title source url tags language answers none_of unlisted expect",
    "cases.*.expect": "disposition floor ceiling acceptable call within_hours guidance act_now programme"
    " rules rules_include rules_exclude advice advice_include advice_exclude safety_net safety_net_include"
    " safety_net_exclude open_rules_include next_questions_first texts",
}
ORDER = {tuple(path.split(".")): tuple(keys.split()) for path, keys in _KEYS.items()}
"""The keys inside an entry, as rulesets/README.md has them; `*` is any id or any item. Ids keep the author's order."""

_WRAPPED = {("cases", "*", "answers")}
"""Mappings that fill lines like a list of words does, also when one of their values is a list."""

_FILES = ("ruleset.yaml", "texts.*.yaml", "cases.yaml")

Said: TypeAlias = "str | tuple[object, ...]"


def format_text(source: Source) -> tuple[str, str]:
    """The text in its stable layout, and why it had to stay as it is: empty, or what its author is told."""
    text = source.text.replace("\r\n", "\n")
    clean = Source(source.name, text.removeprefix("\ufeff"))
    node, problems = document.read(source)
    if node is not None and not problems:
        node, problems = document.read(clean)
    if node is None or problems:
        return source.text, Problems(problems).render()
    if isinstance(node, Scalar) or _is_empty(node):
        return source.text, ""
    outline = Outline(clean, node)
    formatted = Source(source.name, _Printer(outline).text())
    after, problems = document.read(formatted)
    # INVARIANT: what is written says what was read, with the same comments. A layout that would not is not written.
    if after is None or problems or not _same(outline, node, Outline(formatted, after), after):
        return source.text, f"{source.name}: error: no layout was found that keeps all that it says; lay it out by hand"
    return formatted.text, ""


def format_file(path: Path) -> tuple[str | None, str]:
    """What a file becomes, or None where it stays as it is; and what its author is told where it had to."""
    with path.open("rb") as opened:
        data = opened.read(LARGEST + 1)
    source, problems = document.decode(str(path), data)
    if problems:
        return None, Problems(problems).render()
    text, complaint = format_text(source)
    return (None if complaint or text.encode() == data else text), complaint


def find_files(paths: Iterable[Path]) -> list[Path]:
    """The files that are meant: each path itself, or those with a layout in the rulesets below it. Raises NoRuleset."""
    found: dict[Path, None] = {}
    for path in paths:
        folders = [] if path.is_file() else find_rulesets([path])
        below = [file for folder in folders for name in _FILES for file in sorted(folder.glob(name))]
        found.update(dict.fromkeys(below or [path]))
    return list(found)


def write_text(path: Path, text: str) -> None:
    """Puts a text in place of a file at once: a reader sees the old one or the new one, with the same mode."""
    target = path.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(text.encode())
        shutil.copymode(target, name)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _is_empty(node: Node) -> bool:
    return not (node.entries if isinstance(node, Mapping) else node.items if isinstance(node, Sequence) else ())


def _same(first: Outline, before: Node, second: Outline, after: Node) -> bool:
    return _said(before, ()) == _said(after, ()) and sorted(first.comments) == sorted(second.comments)


def _said(node: Node, path: tuple[str, ...]) -> Said:
    """What a node says, with its order wherever that can count."""
    match node:
        case Scalar(text):
            return text
        case Sequence(items):
            return ("list", *(_said(item, (*path, "*")) for item in items))
        case Mapping(entries):
            pairs = [(key.text, _said(value, (*path, key.text))) for key, value in entries]
            return ("mapping", *(sorted(pairs, key=lambda pair: pair[0]) if _order(path) else pairs))


def _order(path: tuple[str, ...]) -> tuple[str, ...]:
    """The order of the keys at a path; empty where they are ids."""
    if path[-1:] == ("count",):
        return ("at_least", "of")
    if path[-2:] == ("sum", "*"):
        return ("answer", "times")
    return next((order for pattern, order in ORDER.items() if _fits(pattern, path)), ())


def _below(path: tuple[str, ...], child: Entry) -> tuple[str, ...]:
    return (*path, child.key.text if child.key is not None else "*")


def _fits(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    return len(pattern) == len(path) and all(one in ("*", two) for one, two in zip(pattern, path, strict=True))


@dataclass(slots=True)
class _Line:
    """One line of the result, and the comments behind it. `more`: it continues the line above."""

    text: str
    more: bool = False
    comments: list[Comment] = field(default_factory=list)
    aside: bool = False
    """A comment of its own, or blank."""


class _Printer:
    """Entries into lines."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline

    def text(self) -> str:
        lines = self._children(self.outline.root, 0, ())
        while lines and not lines[0].text:
            lines.pop(0)
        return "".join(f"{line}\n" for line in _with_comments(lines))

    def _children(self, entry: Entry, indent: int, path: tuple[str, ...]) -> list[_Line]:
        """The lines of what an entry holds, and the comments that end it."""
        lines: list[_Line] = []
        for child in _arranged(entry.children, _order(path)):
            lines += _asides(child.above, indent)
            lines += self._entry(child, indent, _below(path, child))
        return lines + _asides(entry.tail, indent)

    def _entry(self, entry: Entry, indent: int, path: tuple[str, ...]) -> list[_Line]:
        lead = " " * indent + (f"{self._scalar(entry.key, entry, False)}:" if entry.key is not None else "-")
        if isinstance(entry.value, Scalar):
            return self._text(entry, entry.value, lead, indent)
        flat = self._flat(entry, path)
        if flat is not None and (len(lead) + 1 + len(flat) <= WIDTH or not entry.children):
            return [_Line(f"{lead} {flat}", comments=[*entry.head, *entry.foot])]
        if flat is not None and _fills(entry, path):
            return self._filled(entry, lead, indent, path)
        below = self._children(entry, indent + 2, path)
        if entry.key is not None:
            lines = [_Line(lead), *below]
        else:  # the first line stands behind the dash; what stood above it goes above the dash
            count = next(number for number, line in enumerate(below) if not line.aside)
            above = [_Line(" " * indent + line.text.strip() if line.text else "", aside=True) for line in below[:count]]
            first = below[count]
            first.text = f"{lead} {first.text[indent + 2 :]}"
            lines = [*above, *below[count:]]
        next(line for line in lines if not line.aside).comments[:0] = entry.head
        next(line for line in reversed(lines) if not line.aside).comments += entry.foot
        return lines

    def _text(self, entry: Entry, scalar: Scalar, lead: str, indent: int) -> list[_Line]:
        raw = self.outline.raw(scalar)
        if quoting.is_block(raw):
            block = quoting.block(scalar.text, raw, indent + 2)
            if block is not None:
                header, *body = block
                first = _Line(f"{lead} {header}", comments=[*entry.head, *entry.foot])
                return [first, *(_Line(line, more=True) for line in body)]
        if not raw:
            return [_Line(lead, comments=[*entry.head, *entry.foot])]
        lines: list[_Line] = []
        for part in quoting.lines_of(scalar.text, raw, self._was_flow(entry)):
            if lines:
                lines.append(_Line("", more=True))
            if part:
                first_column = indent + 2 if lines else len(lead) + 1
                folded = quoting.fold(part, first_column, indent + 2, WIDTH)
                begin = " " * (indent + 2) if lines else f"{lead} "
                lines.append(_Line(begin + folded[0], more=bool(lines)))
                lines += [_Line(line, more=True) for line in folded[1:]]
        lines[-1].comments = [*entry.head, *entry.foot]
        return lines

    def _filled(self, entry: Entry, lead: str, indent: int, path: tuple[str, ...]) -> list[_Line]:
        """Brackets whose content fills as many lines as it needs."""
        opened, closed = ("{", "}") if isinstance(entry.value, Mapping) else ("[", "]")
        lines = [_Line(lead)]
        if entry.key is not None and (opened == "{" or self._stands_below(entry)):
            column = indent + 2
            lines.append(_Line(" " * column + opened, more=True))
        else:
            column = len(lead) + 1
            lines[0].text += f" {opened}"
        parts = self._flat_children(entry, path)
        for number, part in enumerate(parts):
            ending = closed if number == len(parts) - 1 else ","
            gap = "" if number == 0 else " "
            if number and len(lines[-1].text) + len(gap) + len(part) + 1 > WIDTH:
                lines.append(_Line(" " * (column + 1), more=True))
                gap = ""
            lines[-1].text += f"{gap}{part}{ending}"
        head = lines[0] if lines[0].text == lead else lines[-1]
        head.comments += entry.head
        lines[-1].comments += entry.foot
        return lines

    def _stands_below(self, entry: Entry) -> bool:
        return self.outline.line_of(entry.start) != entry.value.span.line

    def _flat(self, entry: Entry, path: tuple[str, ...]) -> str | None:
        """The value on one line; None where it is not in brackets, or a comment stands between them."""
        if isinstance(entry.value, Scalar):
            return self._scalar(entry.value, entry, True)
        opened, closed = ("{", "}") if isinstance(entry.value, Mapping) else ("[", "]")
        if not entry.children:
            return opened + closed
        if not entry.flow or entry.commented:
            return None
        return opened + ", ".join(self._flat_children(entry, path)) + closed

    def _flat_children(self, entry: Entry, path: tuple[str, ...]) -> list[str]:
        parts = []
        for child in _arranged(entry.children, _order(path)):
            value = self._flat(child, _below(path, child)) or ""
            parts.append(value if child.key is None else f"{self._scalar(child.key, child, True)}: {value}")
        return parts

    def _scalar(self, scalar: Scalar, entry: Entry, flow: bool) -> str:
        raw = self.outline.raw(scalar)
        return quoting.one_line(scalar.text, raw, self._was_flow(entry), flow, key=scalar is entry.key)

    def _was_flow(self, entry: Entry) -> bool:
        return entry.parent is not None and entry.parent.flow


def _fills(entry: Entry, path: tuple[str, ...]) -> bool:
    """Is it a list or mapping of plain words, which fill lines; others get a line for each child."""
    wide = any(_fits(pattern, path) for pattern in _WRAPPED)
    return all(
        isinstance(child.value, Scalar) or (wide and all(isinstance(each.value, Scalar) for each in child.children))
        for child in entry.children
    )


def _arranged(children: list[Entry], order: Iterable[str]) -> list[Entry]:
    """Children in the order of their keys; one whose key is not known stays behind the one it follows."""
    ranks = {key: number for number, key in enumerate(order)}
    ranked: list[tuple[int, Entry]] = []
    rank = -1
    for child in children:
        rank = ranks.get(child.key.text, rank) if child.key is not None else rank
        ranked.append((rank, child))
    return [child for _, child in sorted(ranked, key=lambda pair: pair[0])]


def _asides(texts: list[str], indent: int) -> list[_Line]:
    return [_Line(" " * indent + text if text else "", aside=True) for text in texts]


def _with_comments(lines: list[_Line]) -> list[str]:
    """The lines with the comments behind them; one that makes its line too long goes above it."""
    result: list[str] = []
    begin = 0
    for line in lines:
        if not line.more:
            begin = len(result)
        text = line.text
        first = result[begin] if line.more else text
        indent = " " * (len(first) - len(first.lstrip(" ")))
        if line.comments:
            *above, last = line.comments
            behind = _behind(text, last)
            if behind is None:
                above.append(last)
            for comment in above:
                result.insert(begin, indent + comment.text)
                begin += 1
            text = behind or text
        result.append(text)
    return result


def _behind(text: str, comment: Comment) -> str | None:
    """A line with its comment, in the author's column where it is free; None where it does not fit."""
    aligned = comment.column if comment.column > len(text) else len(text) + 2
    for column in (aligned, len(text) + 2, len(text) + 1):
        if column + len(comment.text) <= WIDTH:
            return text.ljust(column) + comment.text
    return None
