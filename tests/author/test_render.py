"""Pages for a terminal: the words of both languages, the width, and nothing that a terminal would act on.

Whole pages are compared in `tests/test_cli.py`; here stands what they do not show.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.author.labels import LABELS, counted, labels
from engine.author.layout import Page
from engine.author.questionnaire import in_words
from engine.author.render import Json, render_refusal, render_response
from engine.author.results import OTHER, REFUSED, Result, failure
from engine.errors import Violation


def text_of(page: Page) -> str:
    return "".join(f"{line.text}\n" for line in page)


def test_every_language_has_every_label() -> None:
    assert len({frozenset(words) for words in LABELS.values()}) == 1
    assert labels("nl-BE") is LABELS["nl"]
    assert labels("") is labels("xx") is LABELS["en"]


def test_one_is_one() -> None:
    assert [counted(LABELS["en"], "days", number) for number in (1, 2)] == ["1 day", "2 days"]
    assert [counted(LABELS["nl"], "after_days", number) for number in (1, 14)] == ["na 1 dag", "na 14 dagen"]
    assert counted(LABELS["nl"], "hours", 1) == "binnen 1 uur"


@given(st.text(), st.integers(1, 200))
def test_no_line_is_too_wide_and_nothing_acts(text: str, width: int) -> None:
    page = Page(width)
    page.heading(text)
    page.add(text, lead="  - ")
    page.pairs([("label", text), ("other", "")])
    for line in page:
        assert len(line.text) <= page.width
        assert line.text.isprintable() or not line.text


def test_escapes_of_a_server_do_not_reach_the_terminal() -> None:
    decision = {"dispositionText": {"title": "\x1b[2J now\x07"}, "rules": [{"id": "\x9b1", "text": "\u202eabc"}]}
    text = text_of(render_response({"language": "en", "decision": decision}, 80))
    assert not any(char in text for char in "\x1b\x07\x9b\u202e")


def test_a_response_without_texts_is_still_read() -> None:
    """As RESPONSE_VIEW_BASIC of a server with a newer contract would be: words of the scale stand in."""
    decision = {
        "disposition": "DISPOSITION_SAME_DAY_GP",
        "call": "CALL_GP_TODAY",
        "programme": {"choice": "PROGRAMME_EITHER"},
    }
    text = text_of(render_response({"decision": decision}, 80))
    for word in ("same_day_gp", "gp_today", "either"):
        assert word in text
    assert text_of(render_response({}, 80))


def compared(question: str, operator: str, *values: str) -> Json:
    return {"comparison": {"question": question, "operator": f"COMPARISON_OPERATOR_{operator}", "values": list(values)}}


A, B = compared("a", "IN", "x", "y"), compared("b", "AT_LEAST", "2")


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (A, "a is x or y"),
        ({"unknown": "a"}, "a is unknown"),
        ({"all": {"conditions": [{"any": {"conditions": [A, B]}}, {"not": B}]}},
         "(a is x or y or b at least 2) and not b at least 2"),
        ({"unless": {"all": {"conditions": [B, {"answered": "a"}]}}}, "not surely (b at least 2 and a is answered)"),
        ({"surely": {"count": {"atLeast": 2, "conditions": [A, B]}}},
         "surely at least 2 of (a is x or y, b at least 2)"),
        ({}, "?"),
    ],
)  # fmt: skip
def test_conditions_in_words(condition: Json, words: str) -> None:
    assert in_words(LABELS["en"], condition) == words


def test_a_refusal_tells_each_thing_once() -> None:
    message = "9 violations in the request, such as a: b; 8 were left out here, `validate_only` gives them all"
    error = failure("INVALID_ARGUMENT", "INVALID_ANSWERS", message, [Violation("a", "x", "b")])
    text = text_of(render_refusal(error["error"], "en", 100))
    assert text.splitlines() == [
        "Refused: 9 violations in the request; 8 were left out here, `validate_only` gives them all",
        "  - a: b",
    ]
    assert Result("", "", error).exit_code == REFUSED


def test_a_failure_is_no_refusal() -> None:
    error = failure("INTERNAL", "INTERNAL", "let a person decide", [])
    assert text_of(render_refusal(error["error"], "nl", 80)) == "Geen besluit: let a person decide\n"
    assert Result("", "", error).exit_code == OTHER
