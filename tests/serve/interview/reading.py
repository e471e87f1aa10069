"""Reads a page as a browser does, without a browser: its text, its form, and what the form sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode

EMPTY = {"meta", "link", "input", "br"}


@dataclass
class Page:
    """One page. `fields` are those of its forms: name, type, value and whether it is chosen."""

    html: str
    text: str = ""
    title: str = ""
    language: str = ""
    headings: list[str] = field(default_factory=list)
    fields: list[tuple[str, str, str, bool]] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)
    action: str = ""
    links: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the form carries on."""
        return [(name, value) for name, kind, value, _ in self.fields if kind == "hidden"]

    @property
    def questions(self) -> dict[str, list[str]]:
        """The questions that can be answered here, and the values that are offered for each."""
        found: dict[str, list[str]] = {}
        for name, kind, value, _ in self.fields:
            if kind != "hidden":
                offered = found.setdefault(name.removeprefix("answer."), [])
                offered += [value] if kind != "text" else []
        return found

    @property
    def filled(self) -> dict[str, list[str]]:
        """What stands in the fields already."""
        found: dict[str, list[str]] = {}
        for name, kind, value, chosen in self.fields:
            if kind != "hidden" and (chosen or (kind == "text" and value)):
                found.setdefault(name.removeprefix("answer."), []).append(value)
        return found

    def sends(self, go: str, answers: Mapping[str, str | list[str]] | None = None) -> str:
        """The body that a browser would send, with these answers instead of what is filled in."""
        assert go in self.buttons, (go, self.buttons)
        said: dict[str, list[str]] = dict(self.filled)
        said |= {name: [each] if isinstance(each, str) else each for name, each in (answers or {}).items()}
        pairs = [(f"answer.{name}", value) for name, values in said.items() for value in values]
        return urlencode([*self.hidden, *pairs, ("go", go)])


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page, self.open = page, list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        self.page.tags.append((tag, known))
        if tag not in EMPTY:
            self.open.append(tag)
        if tag == "html":
            self.page.language = known["lang"]
        elif tag == "input":
            self.page.fields.append((known["name"], known["type"], known.get("value", ""), "checked" in known))
        elif tag == "button":
            self.page.buttons.append(known["value"])
        elif tag == "form":
            self.page.action = known["action"]
        elif tag == "a":
            self.page.links.append(known["href"])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "tags are not closed in order"

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if not text or "style" in self.open:
            return
        if "title" in self.open:
            self.page.title += text
            return
        if {"h1", "h2"} & set(self.open):
            self.page.headings.append(text)
        self.page.text += f"{text} "


def read(html: str) -> Page:
    """The page in an HTML text; AssertionError where its tags do not fit together."""
    page = Page(html)
    reader = _Reader(page)
    reader.feed(html)
    reader.close()
    assert reader.open == [], "tags are left open"
    return page
