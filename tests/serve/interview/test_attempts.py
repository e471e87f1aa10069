"""What somebody may try: to get markup into a page, a form that no page sent, and pages while something is broken."""

from __future__ import annotations

import logging
import random
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qsl, quote, urlencode

import pytest

from engine.decide.evaluate import Evaluator
from engine.errors import EvaluatorsDisagree, LogUnavailable
from engine.serve.gateway.gateway import Gateway
from engine.serve.interview.routes import routes
from engine.serve.service import TriageService
from tests.serve.interview.conftest import FORM, Site
from tests.serve.interview.reading import Page, read

ATTEMPTS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onfocus=alert(1) autofocus='",
    "</style></head><script>alert(1)</script>",
    "<!--alert(1)-->",
    "{{ 7 * 7 }}{% raw %}alert(1)",
    "{w.next} {0} %s alert(1)",
    "javascript:alert(1)",
    "&lt;b&gt;alert(1)&#60;i&#62;",
    "\r\nSet-Cookie: a=alert(1)",
    "\x00\x1b[2Jalert(1)",
    "\u202ealert(1)\ufeff<svg/onload=alert(1)>",
    "[alert(1)](javascript:alert(1))",
    "../../../etc/alert(1)",
]


def sent(site: Site, page: Page, *changed: tuple[str, str], go: str = "next") -> list[tuple[str, str]]:
    """The fields of a page with some of them changed, or added."""
    fields = parse_qsl(page.sends(go), keep_blank_values=True)
    names = {name for name, _ in changed}
    return [pair for pair in fields if pair[0] not in names] + list(changed)


@pytest.fixture(scope="module")
def second(site: Site) -> Page:
    """A screen with a number, after one that was answered."""
    page = site.press(site.begin(), "next", {"numb": "no"})
    assert [*page.questions] == ["age"]
    return page


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize(
    "name",
    ["ruleset", "request", "told", "go", "said", "kept", "answer.age", "answer.numb", "answer.", "language", "version"],
)
def test_nothing_of_a_form_becomes_markup(
    site: Site, second: Page, name: str, attempt: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        shapes = [attempt]
        if name in ("said", "kept"):
            shapes += [urlencode({"numb": attempt}), urlencode({attempt: "no"}), urlencode({"weeks": attempt})]
        for shape in shapes:
            changed = [(name, shape)]
            if name == "said":
                changed.append(("said", "age=40"))
            body = urlencode(sent(site, second, *changed))
            response = site.send("POST", "/en/small", body, content_type=FORM)
            assert response.status_code in (200, 400, 404)
            check(response.text, attempt, name)
            assert "set-cookie" not in response.headers
    assert "alert" not in caplog.text


def check(html: str, attempt: str, name: str) -> None:
    """The page has the tags that our templates have, and the attempt stands nowhere but as text in its own field."""
    page = read(html)
    assert "<" not in attempt or attempt not in html
    assert not {tag for tag, _ in page.tags} & {"script", "img", "svg", "i", "b"}
    assert not [each for _, known in page.tags for each in known if each.startswith("on")]
    told = [value for each, kind, value, _ in page.fields if "alert" in value]
    assert told == ([attempt] if name == "answer.age" and told else [])
    assert "alert" not in page.text and "49" not in page.text


def test_a_number_that_is_none_comes_back_as_it_was_typed(site: Site, second: Page) -> None:
    for attempt in ATTEMPTS[:6]:
        page = site.press(second, "next", {"age": attempt})
        assert page.filled == {"age": [attempt]}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_nothing_of_a_path_or_a_header_becomes_markup(site: Site, attempt: str) -> None:
    header = quote(attempt, safe=" <>\"'()={}/;:&#[]!-%")
    for method, path in (("GET", "/"), ("GET", f"/en/{quote(attempt, safe='')}"), ("POST", f"/nl/{quote(attempt)}")):
        response = site.send(
            method, path, urlencode([("go", "on")]), accept_language=header, content_type=FORM, referer=header
        )
        assert response.status_code in (200, 400, 404, 405)
        assert "alert" not in response.text or not response.headers["content-type"].startswith("text/html")


TAMPERED: dict[str, list[tuple[str, str]]] = {
    "an answer to no question": [("said", "numb=no"), ("said", "nothing=yes")],
    "an answer that there is not": [("said", "numb=perhaps")],
    "a number out of range": [("said", "numb=no"), ("said", "weeks=99999")],
    "a number beyond measure": [("said", "numb=no"), ("said", f"weeks={'9' * 39}")],
    "a number where a word belongs": [("said", "numb=1")],
    "a text where a number belongs": [("said", "numb=no"), ("said", "weeks=long")],
    "nothing where an answer belongs": [("said", "numb=")],
    "two answers to one question": [("said", "numb=no&numb=yes")],
    "one question on two screens": [("said", "numb=no"), ("said", "numb=yes")],
    "a contradiction": [("said", "numb=no"), ("said", "age=40&onset=50")],
    "an option that there is not": [("said", "numb=no"), ("said", "wants=flight")],
    "kept: an answer to no question": [("kept", "nothing=yes")],
    "kept: a number out of range": [("kept", "weeks=99999")],
    "none of these where that is not offered": [("go", "none")],
    "a field of another screen": [("answer.fever", "yes")],
    "an id that is too long": [("request", "x" * 200), ("answer.age", "70"), ("said", "numb=yes")],
}


@pytest.mark.parametrize("fields", TAMPERED.values(), ids=TAMPERED)
def test_a_form_that_no_page_sent_is_refused_in_words(site: Site, second: Page, fields: list[tuple[str, str]]) -> None:
    response = site.send("POST", "/nl/small", urlencode(sent(site, second, *fields)), content_type=FORM)
    assert response.status_code == 400
    page = read(response.text)
    assert page.headings == ["We kunnen dit niet lezen"]
    assert page.links[-1] == "/nl"


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_sent_gets_a_page(site: Site, second: Page, seed: int) -> None:
    chance = random.Random(seed)
    fields = sent(site, second, ("kept", "weeks=3"), ("answer.age", "70"))
    for _ in range(25):
        changed = [pair for pair in fields if chance.random() > 0.05]
        body = bytearray(urlencode(changed).encode())
        for _ in range(chance.randrange(4)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        response = site.send("POST", "/en/small", bytes(body), content_type=FORM)
        assert response.status_code in (200, 400, 404), bytes(body)
        read(response.text)


def test_where_the_log_cannot_be_written_there_is_no_advice(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise LogUnavailable("the disk is full")

    body = site.begin().sends("next", {"numb": "yes"})
    monkeypatch.setattr(TriageService, "answer", away)
    response = site.send("POST", "/en/small", body, content_type=FORM)
    assert response.status_code == 503
    assert "retry-after" in response.headers
    page = read(response.text)
    assert page.headings == ["It is too busy now"]
    assert "emergency title" not in page.text and "full" not in page.text
    monkeypatch.undo()
    assert site.post("/en/small", body).headings[0] == "emergency title en"


def test_where_the_evaluators_disagree_there_is_no_page_but_a_person_to_call(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differ(*_: Any) -> None:
        raise EvaluatorsDisagree("rules: certain [E01], possible []")

    body = site.begin().sends("next", {"numb": "no"})
    before = site.server.service.disagreements
    monkeypatch.setattr(Evaluator, "evaluate", differ)
    response = site.send("POST", "/en/small", body, content_type=FORM)
    assert response.status_code == 500
    assert read(response.text).headings == ["This does not work now"]
    assert site.server.service.disagreements == before + 1


def test_a_page_that_is_closed_is_not_there() -> None:
    assert routes(cast(Gateway, SimpleNamespace(interview_open=False))) == []
