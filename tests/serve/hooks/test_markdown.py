"""No text acts as Markdown or HTML: what a reader sees is the text, by a Markdown program not written here."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from engine.serve.hooks.markdown import bullets, escaped, headed, labelled, lines

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
INJECTIONS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<!-- -->", "<?x?>", "<![CDATA[x]]>", "</p><h1>x", "<https://evil.example>", "<a@b.example>",
    "[x](https://evil.example)", "[x](javascript:alert(1))", "[x][1]", "[1]: https://evil.example", "![x](https://e.ex/p)",
    "[^1]", "[ ] done", "![[x]]",
    "**bold**", "__bold__", "*x*", "_x_", "~~x~~", "`x`", "``` x", "~~~", "    code", "\tcode",
    "# x", "###### x", "> x", "- x", "+ x", "* x", "1. x", "1) x", "10. x", "---", "***", "___", "===", "- - -",
    "-", "+",
    "a | b", "| a | b |\n|---|---|\n| c | d |", "x\n===", "x\n---", "x\n\n# y", "x\n<div>", "a\\", "\\",
    "\\<b>", "\\\\<b>",
    "&lt;script&gt;", "&#60;b&#62;", "&amp;lt;", "&copy;", "&", "<", ">", "a < b > c",
    "www.evil.example", "https://evil.example", "http://evil.example", "a@evil.example", "mailto:a@b.example",
    "xmpp:a@b.example", "@everyone", "$x$", ":x:", "^x^", "==x==", "{{constructor}}", "{x}", "%s", "#1",
    "\u202etxet", "\u200b", "\u0000", "\u2028# x", "\x1b[31m", "\x85# x", "a\r# x", "a\r\n# x", "  \n# x", "é ü — …",
]  # fmt: skip


class Seen(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.elements.append("comment")


def shown(text: str) -> str:
    """What is to be seen: what can be printed, on one line."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def check(text: str) -> None:
    seen = Seen(MARKDOWN.render(escaped(text)))
    assert seen.elements in ([], ["p"])
    assert seen.text.strip() == shown(text)
    heading = f"a {text}"  # headings and labels are words of ours, never empty
    inside = Seen(MARKDOWN.render("\n\n".join([*headed(heading, bullets([text, text])), labelled(heading, text)])))
    assert set(inside.elements) <= {"p", "strong", "ul", "li"}
    assert [each for each in inside.elements if each == "li"] == ["li", "li"]
    assert not {"<", ">"} & {*escaped(text)}  # a program may take Markdown for HTML


@pytest.mark.parametrize("text", INJECTIONS)
def test_an_injection_is_only_text(text: str) -> None:
    check(text)


@given(st.text(alphabet=st.sampled_from("ab1. \n\t\\`*_{}[]()<>#+-!|~&;:/@=$\"'^w"), max_size=30))
def test_whatever_the_text_is(text: str) -> None:
    check(text)


@pytest.mark.parametrize("text", ["https://evil.example", "see www.evil.example", "a@evil.example"])
def test_a_bare_address_is_broken(text: str) -> None:
    """GitHub's flavour makes links of addresses; what it looks for does not stand there any more."""
    said = escaped(text)
    assert "s://" not in said
    assert "www." not in said
    assert "a@" not in said


@given(st.lists(st.text(alphabet="ab \\#->1.<*|=\n", max_size=8), max_size=6))
def test_lines_stay_lines(parts: list[str]) -> None:
    text = "\n".join(parts)
    page = MARKDOWN.render(lines(text))
    assert set(Seen(page).elements) <= {"p", "br"}
    wanted = [said for line in text.splitlines() if (said := shown(line))]
    assert [line for line in Seen(page).text.split("\n") if line.strip()] == wanted


def test_nothing_has_no_heading() -> None:
    assert [*headed("x", "")] == []
    assert labelled("x", "") == ""
    assert lines("\n\n") == ""
