"""What CHANGELOG.md says of one version, as HTML: headings, paragraphs, lists and tables; no more of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from engine.author.handbook.markup import Markup, join, row, table, tag

HEADING = re.compile(r"(#+) +(.*)")
ITEM = re.compile(r"[-*] +(.*)")
SPAN = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*")
RULE = re.compile(r"[|\s:-]+")


def of_version(text: str, version: str) -> str:
    """What a changelog says of a version: below the heading that begins with it, up to the next of that rank.

    >>> of_version("# All\\n## 2.0.0 (today)\\nNew.\\n### Why\\nSo.\\n## 1.0.0\\nOld.", "2.0.0")
    'New.\\n### Why\\nSo.'
    """
    lines = text.splitlines()
    heads = [
        (number, len(found[1]), found[2]) for number, line in enumerate(lines) if (found := HEADING.fullmatch(line))
    ]
    for place, (number, rank, title) in enumerate(heads):
        if re.split(r"[\s:,(]", title.lstrip("v["))[0].rstrip("]") == version:
            end = next((each for each, other, _ in heads[place + 1 :] if other <= rank), len(lines))
            return "\n".join(lines[number + 1 : end]).strip()
    return ""


def changelog_markup(text: str, level: int, caption: str) -> Markup:
    """The text as elements; its first rank of headings becomes `level`. `caption` names tables, with their number."""
    ranks = [len(found[1]) for line in text.splitlines() if (found := HEADING.fullmatch(line))]
    shift = level - min(ranks, default=1)
    parts: list[Markup] = []
    before = level - 1
    tables = 0
    for kind, block in _blocks(text):
        match kind:
            case "heading":
                found = HEADING.fullmatch(block[0])
                rank, title = (len(found[1]), found[2]) if found else (1, block[0])
                before = min(rank + shift, before + 1, 6)  # no rank of heading is skipped
                parts.append(tag(f"h{before}", _inline(title)))
            case "list":
                parts.append(tag("ul", *(tag("li", _inline(item)) for item in _items(block))))
            case "table":
                tables += 1
                parts.append(_table(block, tables, caption))
            case _:
                parts.append(tag("p", _inline(" ".join(line.strip() for line in block))))
    return join(parts)


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Runs of lines of one kind; an indented line belongs to the item above it."""
    kinds: list[tuple[str, str]] = []
    kind = ""
    for line in text.splitlines():
        if not line.strip():
            kind = ""
        elif HEADING.fullmatch(line):
            kind = "heading"
        elif line.startswith("|"):
            kind = "table"
        elif ITEM.fullmatch(line):
            kind = "list"
        elif kind not in ("list", "text"):
            kind = "text"
        kinds.append((kind, line))
    for found, group in groupby(kinds, key=lambda each: each[0]):
        lines = [line for _, line in group]
        if found == "heading":
            yield from ((found, [line]) for line in lines)
        elif found:
            yield found, lines


def _items(lines: list[str]) -> Iterator[str]:
    item = ""
    for line in lines:
        found = ITEM.fullmatch(line)
        if found and item:
            yield item
        item = found[1] if found else f"{item} {line.strip()}"
    yield item


def _table(lines: list[str], number: int, caption: str) -> Markup:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if not RULE.fullmatch(line)]
    body = (row(_inline(first), *(_inline(cell) for cell in rest)) for first, *rest in rows[1:])
    return table(f"changelog-{number}", f"{caption} {number}", [_inline(cell) for cell in rows[0]], body)


def _inline(text: str) -> Markup:
    """Code and emphasis; everything else is text."""
    parts: list[str] = []
    end = 0
    for found in SPAN.finditer(text):
        parts.append(text[end : found.start()])
        name = "code" if found[1] else "strong" if found[2] else "em"
        parts.append(tag(name, found[1] or found[2] or found[3]))
        end = found.end()
    return join([*parts, text[end:]])
