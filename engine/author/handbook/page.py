"""The whole handbook: every chapter in its order, in one HTML page that needs nothing beside itself."""

from __future__ import annotations

from pathlib import Path

from engine.author.handbook.asked import findings, parameters, questions
from engine.author.handbook.assurance import changes, checks, claims
from engine.author.handbook.content import Chapter, Handbook, Section
from engine.author.handbook.deciding import evidence, overview, refusals, rules
from engine.author.handbook.markup import Markup, bullets, join, tag
from engine.author.handbook.opening import how_to_read, intended_use, title_page
from engine.author.handbook.paper import paper_form, signatures
from engine.author.handbook.shown import advice, programme, safety_net

STYLE = Path(__file__).with_name("handbook.css")
CHAPTERS: tuple[Chapter, ...] = (
    intended_use,
    how_to_read,
    overview,
    rules,
    findings,
    questions,
    parameters,
    refusals,
    programme,
    advice,
    safety_net,
    evidence,
    claims,
    checks,
    changes,
    paper_form,
    signatures,
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""The page may ask for nothing: a browser that is told so refuses even what a mistake would ask for."""


def render_handbook(book: Handbook) -> str:
    """The page. The same book gives the same text."""
    sections = [chapter(book) for chapter in CHAPTERS]
    page = tag("html", _head(book), _body(book, sections), lang=book.language)
    return f"<!DOCTYPE html>\n{page}\n"


def _head(book: Handbook) -> Markup:
    words, ruleset = book.words, book.ruleset
    title = f"{words.text('ruleset', 'title')} {ruleset.version}: {words('handbook')}"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        tag("style", Markup(STYLE.read_text(encoding="utf-8"))),
    )


def _body(book: Handbook, sections: list[Section]) -> Markup:
    words = book.words
    contents = bullets(tag("a", each.title, href=f"#{each.id}") for each in sections)
    nav = tag("nav", tag("h2", words("contents"), id="contents"), contents, aria_labelledby="contents")
    return tag(
        "body",
        tag("a", words("skip"), href="#main", class_="skip"),
        tag("header", title_page(book)),
        nav,
        tag("main", join(each.markup() for each in sections), id="main"),
        tag(
            "footer",
            tag("p", words("footer", id=book.ruleset.id, version=book.ruleset.version, digest=book.checked.digest)),
        ),
    )
