"""Text becomes Markdown that shows exactly this text: no link, no image, no HTML, whoever wrote it.

Cards are shown by programs that we do not know; some take the HTML in them for HTML. So `<`, `>` and `&` become
entities, and whatever Markdown or its GitHub flavour would act on is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
ACTIVE = re.compile(r"[\\`*_{}\[\]#|~!@$]|:(?=//)|(?<=\bwww)\.|(?<=\bmailto):|(?<=\bxmpp):", re.IGNORECASE)
"""What does something inside a line; also what makes links of bare addresses."""
BEGINNING = re.compile(r"^(\d*)([-+=.)])")
"""What does something at the beginning of one: lists, rules, underlined headings."""


def escaped(text: str) -> str:
    r"""The text as one line of Markdown. What cannot be printed becomes a space, and spaces become one.

    >>> escaped("<b>50% *x*</b>")
    '&lt;b&gt;50% \\*x\\*&lt;/b&gt;'
    """
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    line = ACTIVE.sub(r"\\\g<0>", line)
    line = BEGINNING.sub(r"\1\\\2", line)
    return "".join(ENTITIES.get(char, char) for char in line)


def headed(heading: str, *blocks: str) -> Iterable[str]:
    """A heading, which is text, and what stands below it, which is Markdown; nothing where nothing does."""
    if any(blocks):
        yield f"**{escaped(heading)}**"
        yield from filter(None, blocks)


def bullets(texts: Iterable[str]) -> str:
    """Texts as a list."""
    return "\n".join(f"- {escaped(each)}" for each in texts)


def labelled(label: str, text: str) -> str:
    """A text behind its label; empty where there is none."""
    return f"**{escaped(label)}:** {escaped(text)}" if text else ""


def lines(text: str) -> str:
    """A text of several lines, each on a line of its own."""
    blocks: list[list[str]] = [[]]
    for line in text.splitlines():
        if said := escaped(line):
            blocks[-1].append(said)
        else:
            blocks.append([])
    return "\n\n".join("\\\n".join(block) for block in blocks if block)
