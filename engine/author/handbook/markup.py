"""HTML as values: every text is escaped unless it is Markup already, so that no ruleset can break the page.

For example:

>>> tag("span", "1 < 2", tag("b", "so"), class_="note")
'<span class="note">1 &lt; 2<b>so</b></span>'
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

VOID = frozenset({"br", "hr", "link", "meta"})
"""Elements without content."""
INLINE = frozenset({"a", "b", "code", "em", "q", "span", "strong", "time"})
"""Elements inside a line; after every other one the text goes on below, so that two pages can be compared."""


class Markup(str):
    """Text that is HTML already. Only this file and the diagrams make it out of plain text."""

    __slots__ = ()


def tag(element: str, /, *content: str, **attributes: str | None) -> Markup:
    """An element. `class_` is `class`, `data_rule` is `data-rule`; an attribute that is None is left out."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    end = "" if element in INLINE else "\n"
    if element in VOID:
        return Markup(f"<{element}{said}>{end}")
    return Markup(f"<{element}{said}>{join(content)}</{element}>{end}")


def join(parts: Iterable[str]) -> Markup:
    """The parts one after the other, each escaped unless it is Markup."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part, quote=False) for part in parts))


def filled(template: str, **parts: str) -> Markup:
    """A sentence with markup in its gaps.

    >>> filled("at least {n} < all", n=tag("b", "2"))
    'at least <b>2</b> &lt; all'
    """
    return Markup(escape(template, quote=False).format(**{key: join([part]) for key, part in parts.items()}))


def listed(parts: Iterable[str], joint: str = ", ") -> Markup:
    """The parts in one line, with `joint` between them.

    >>> listed([tag("b", "a"), "c"])
    '<b>a</b>, c'
    """
    between = join([joint])
    return Markup(between.join(join([part]) for part in parts))


def bullets(items: Iterable[str], class_: str | None = None) -> Markup:
    """A list, or nothing where there are no items."""
    parts = [tag("li", item) for item in items]
    return tag("ul", *parts, class_=class_) if parts else Markup("")


def table(id: str, caption: str, heads: Sequence[str], rows: Iterable[Markup]) -> Markup:
    """A table in a region of its own, which scrolls on a narrow screen and can be reached with the keyboard."""
    named = f"{id}-caption"
    head = tag("thead", tag("tr", *(tag("th", each, scope="col") for each in heads)))
    content = tag("table", tag("caption", caption, id=named), head, tag("tbody", *rows))
    return tag("div", content, class_="wide", role="region", aria_labelledby=named, tabindex="0")


def row(first: str, *cells: str, **attributes: str | None) -> Markup:
    """A row of a table: what it is about, then the rest."""
    return tag("tr", tag("th", first, scope="row"), *(tag("td", each) for each in cells), **attributes)


def facts(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Names with what they stand for; pairs without a value are left out."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs if value))


def code(text: str, **attributes: str | None) -> Markup:
    """An id, as the files write it."""
    return tag("code", text, **attributes)


def to(kind: str, id: str, text: str = "") -> Markup:
    """A link to where something is defined on this page; its text is the id, so that it can be followed on paper."""
    return tag("a", code(text or id), href=f"#{anchor(kind, id)}")


def anchor(kind: str, id: str) -> str:
    """The place on this page where something is defined."""
    return f"{kind}-{id}"


def entry(kind: str, id: str, level: int, title: str, *content: str, **attributes: str | None) -> Markup:
    """The place where something is defined: a heading and what is said of it. `data-<kind>` is its id."""
    said = {f"data_{kind}": id, "id": anchor(kind, id), "class_": f"entry {kind}", **attributes}
    return tag("article", tag(f"h{level}", title), *content, **said)
