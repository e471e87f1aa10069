"""The form: what it carries on, and everything that no page of ours sends."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from engine.serve.errors import MalformedRequest
from engine.serve.interview.state import MOST_FIELDS, Form, Go, State, read_form

STATE = State(
    "digest", ({"age": ("40",)}, {"wants": ("strength", "posture"), "numb": ("unknown",)}), {"onset": ("30",)}, "told"
)


def body(*extra: tuple[str, str], go: str = "next", state: State = STATE) -> bytes:
    return urlencode([*state.fields("r1"), *extra, ("go", go)]).encode()


def test_what_a_form_carries_comes_back_as_it_was() -> None:
    assert read_form(body()) == Form(STATE, "r1", Go.NEXT, {})
    awkward = State("d", ({"a": ("x&said=y;=%\u00e9\n", "")},))
    assert read_form(body(state=awkward)).state == awkward


def test_what_was_filled_in_stands_apart() -> None:
    form = read_form(body(("answer.weeks", " 3 "), ("answer.weeks", "unknown"), ("answer.", "x")))
    assert form.entries == {"weeks": (" 3 ", "unknown"), "": ("x",)}
    assert form.state == STATE


def test_going_back_keeps_what_was_answered_without_counting_it() -> None:
    back = STATE.back()
    assert back.answers == {"age": ("40",)}
    assert back.kept == {"onset": ("30",), "wants": ("strength", "posture"), "numb": ("unknown",)}
    assert back.back().back() == back.back()
    again = back.with_screen({"numb": ("no",)})
    assert again.answers == {"age": ("40",), "numb": ("no",)}
    assert "numb" not in again.kept
    assert again.with_screen({}) == again


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"go",
        b"\xff=1",
        body(go="home"),
        body(("go", "next")),
        body(("ruleset", "other")),
        body(("request", "r2")),
        body(("told", "")),
        body(("said", "age=41")),
        body(("said", "onset=41")),
        body(("said", "age")),
        body(("said", "a=%ff")),
        body(("kept", "age=41")),
        body(("disposition", "self_care")),
        urlencode(list(STATE.fields("r1"))).encode(),
        body(*[("answer.a", "1")] * MOST_FIELDS),
        b"{}",
    ],
    ids=lambda wrong: repr(wrong[-40:]),
)
def test_what_no_page_sends_is_refused(wrong: bytes) -> None:
    with pytest.raises(MalformedRequest) as refused:
        read_form(wrong)
    assert str(refused.value) == "the form is not one of this page"
