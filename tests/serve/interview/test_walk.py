"""What comes after a form, without a server: where urgent advice breaks in, and what is never told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import cast

import pytest

from engine.decide.answers import Answers, Given, field
from engine.decide.decision import Outcome
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError, Violation
from engine.rules.load import load
from engine.rules.scale import Disposition
from engine.serve.interview.entries import Fault, Remark
from engine.serve.interview.state import Form, Go, State, Texts
from engine.serve.interview.walk import Ask, Tell, Unsettled, urgent, walk
from tests.serve.conftest import SMALL

EVALUATOR = Evaluator(load(SMALL / "small"))


def decide(answers: Answers) -> Outcome:
    return EVALUATOR.evaluate(answers).outcome


def after(go: Go, *screens: Texts, told: str = "", entries: Texts | None = None) -> Ask | Tell:
    return walk(EVALUATOR, decide, "en", Form(State("digest", screens, told=told), "request", go, entries or {}))


def test_it_asks_first_what_is_most_urgent() -> None:
    step = after(Go.ON)
    assert isinstance(step, Ask)
    assert step.screen.questions == ("numb",)
    assert step.remarks == {}


def test_what_was_told_is_what_the_answers_come_to_and_never_what_the_form_says() -> None:
    step = after(Go.NEXT, {"numb": ("no",)}, told="<b>", entries={"age": ("70",)})
    assert isinstance(step, Ask)
    assert step.state.told == ""


def test_urgent_advice_breaks_in_once() -> None:
    urgent_answers: Texts = {"trauma": ("major",), "age": ("70",)}
    first = after(Go.ON, urgent_answers)
    assert isinstance(first, Tell) and not first.over
    assert first.state.told == "same_day_gp gp_today 24"
    second = after(Go.ON, urgent_answers, told=first.state.told)
    assert isinstance(second, Ask)
    assert second.screen.questions == ("numb",)
    assert isinstance(after(Go.BACK, urgent_answers, {"numb": ("no",)}), Ask)


def test_a_blank_question_comes_back_also_after_urgent_advice() -> None:
    step = after(Go.NEXT, {"age": ("70",), "trauma": ("major",)}, told="same_day_gp gp_today 24")
    assert isinstance(step, Ask)
    assert step.remarks["numb"].fault is Fault.BLANK


def test_what_is_over_is_told() -> None:
    step = after(Go.NEXT, {"numb": ("yes",)})
    assert isinstance(step, Tell) and step.over
    assert step.state.told == "emergency gp_or_hap_now 1"
    assert urgent(decide(EVALUATOR.read({}))) == ""


def test_a_contradiction_that_names_earlier_answers_alone_is_told_at_the_first_question() -> None:
    def read(answers: Mapping[str, Given], none_of: Iterable[str] = (), language: str = "") -> Answers:
        if "age" in answers:
            raise AnswersError([Violation(field("numb"), "contradiction", "x", "They do not fit.", "en")])
        return EVALUATOR.read(answers, none_of, language)

    evaluator = cast(Evaluator, SimpleNamespace(checked=EVALUATOR.checked, read=read))
    state = State("digest", ({"numb": ("no",)},))
    step = walk(evaluator, decide, "en", Form(state, "request", Go.NEXT, {"age": ("70",)}))
    assert isinstance(step, Ask)
    assert step.remarks == {"age": Remark(Fault.CONTRADICTION, "They do not fit.", ("numb",))}
    assert step.state.screens == state.screens


def test_where_questions_run_out_before_anything_is_settled_nothing_is_told() -> None:
    def stuck(answers: Answers) -> Outcome:
        return decide(answers)._replace(floor=Disposition.SELF_CARE, ceiling=Disposition.EMERGENCY, next_questions=())

    with pytest.raises(Unsettled):
        walk(EVALUATOR, stuck, "en", Form(State("digest"), "request", Go.ON, {}))
