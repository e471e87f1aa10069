"""Authors' cases: what is named must be equal, what is not named is not looked at, and nothing gets a second chance."""

from __future__ import annotations

import pytest

from engine.decide.cases import Difference, run_cases
from engine.decide.evaluate import Evaluator
from engine.rules.cases import Case, Expectation
from engine.rules.load import load
from engine.rules.scale import Call, Disposition, Programme
from tests.serve.conftest import SMALL


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return Evaluator(load(SMALL / "small"))


NUMB = {"numb": "yes"}
EMERGENCY = Expectation(
    disposition=Disposition.EMERGENCY,
    floor=Disposition.EMERGENCY,
    ceiling=Disposition.EMERGENCY,
    call=Call.GP_OR_HAP_NOW,
    within_hours=1,
    programme=Programme.NONE_YET,
    rules=("E01",),
    advice=("ADV-2",),
    safety_net=("SN-1",),
)


@pytest.mark.parametrize(
    ("case", "differences"),
    [
        (Case("A", answers=NUMB, expect=EMERGENCY), []),
        (Case("B", answers=NUMB), []),
        (
            Case(
                "C",
                answers=NUMB,
                expect=Expectation(disposition=Disposition.PHYSIO, acceptable=(Disposition.EMERGENCY,)),
            ),
            [Difference("disposition", "physio", "emergency")],
        ),
        (Case("D", answers=NUMB, expect=Expectation(call=Call.NONE)), [Difference("call", "none", "gp_or_hap_now")]),
        (Case("E", answers=NUMB, expect=Expectation(within_hours=24)), [Difference("within_hours", "24", "1")]),
        (
            Case("F", answers=NUMB, expect=Expectation(rules=("E01", "S01"))),
            [Difference("rules", "[E01, S01]", "[E01]")],
        ),
        (Case("G", answers=NUMB, expect=Expectation(rules=())), [Difference("rules", "[]", "[E01]")]),
        (Case("H", answers=NUMB, expect=Expectation(advice=())), [Difference("advice", "[]", "[ADV-2]")]),
        (Case("I", answers=NUMB, expect=Expectation(safety_net=())), [Difference("safety_net", "[]", "[SN-1]")]),
        (
            Case("J", answers=NUMB, expect=Expectation(programme=Programme.PILATES)),
            [Difference("programme", "pilates", "none_yet")],
        ),
        (
            Case(
                "K", expect=Expectation(needs_answers=True, floor=Disposition.SELF_CARE, ceiling=Disposition.EMERGENCY)
            ),
            [],
        ),
        (
            Case("L", answers=NUMB, expect=Expectation(needs_answers=True)),
            [Difference("disposition", "needs_answers", "emergency")],
        ),
        (
            Case("M", expect=Expectation(disposition=Disposition.SELF_CARE)),
            [Difference("disposition", "self_care", "needs_answers")],
        ),
        (Case("N", expect=Expectation(within_hours=1)), [Difference("within_hours", "1", "not set")]),
        # A single option of several, without a list.
        (
            Case("O", answers={"wants": "posture"}, unlisted="no", expect=Expectation(programme=Programme.PILATES)),
            [],
        ),
        (
            Case("P", unlisted="unknown", expect=Expectation(disposition=Disposition.GP_WITHIN_DAYS, rules=("G01",))),
            [],
        ),
        # The order of the rules is no part of what an author expects.
        (
            Case(
                "Q",
                answers={"age": "70", "trauma": "major", "numb": "yes"},
                expect=Expectation(disposition=Disposition.EMERGENCY, rules=("S01", "E01")),
            ),
            [],
        ),
    ],
    ids=lambda value: value.id if isinstance(value, Case) else "",
)
def test_what_is_named_is_compared(evaluator: Evaluator, case: Case, differences: list[Difference]) -> None:
    (result,) = run_cases(evaluator, [case])
    assert list(result.differences) == differences
    assert result.passed is not bool(differences)


def test_a_case_that_cannot_be_evaluated_fails_and_stops_no_other(evaluator: Evaluator) -> None:
    wrong, right = run_cases(evaluator, [Case("A", answers={"age": "900"}), Case("B", answers=NUMB, expect=EMERGENCY)])
    assert (wrong.passed, wrong.error, wrong.outcome) == (False, 'answers["age"]: out-of-range', None)
    assert right.passed
