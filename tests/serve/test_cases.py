"""Authors' cases: what is named must be equal, what is not named is not looked at, and nothing gets a second chance."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.decide.cases import Difference, run_cases
from engine.decide.evaluate import Evaluator
from engine.rules.cases import Case, Expectation
from engine.rules.load import load
from engine.rules.model import Wording
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
            [Difference("rules", "[E01, S01]", "[E01]", missing=("S01",))],
        ),
        (Case("G", answers=NUMB, expect=Expectation(rules=())), [Difference("rules", "[]", "[E01]", surplus=("E01",))]),
        (
            Case("H", answers=NUMB, expect=Expectation(advice=())),
            [Difference("advice", "[]", "[ADV-2]", surplus=("ADV-2",))],
        ),
        (
            Case("I", answers=NUMB, expect=Expectation(safety_net=())),
            [Difference("safety_net", "[]", "[SN-1]", surplus=("SN-1",))],
        ),
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


PARTS = [
    (NUMB, Expectation(rules_include=("E01",), advice_include=("ADV-2",), safety_net_exclude=("SN-2",)), []),
    (NUMB, Expectation(rules_include=("E01", "S01")), [Difference("rules_include", "with [S01]", "[E01]", ("S01",))]),
    (
        NUMB,
        Expectation(rules_exclude=("E01", "S01")),
        [Difference("rules_exclude", "without [E01]", "[E01]", surplus=("E01",))],
    ),
    (
        NUMB,
        Expectation(advice_include=("ADV-1",), advice_exclude=("ADV-2",)),
        [
            Difference("advice_include", "with [ADV-1]", "[ADV-2]", ("ADV-1",)),
            Difference("advice_exclude", "without [ADV-2]", "[ADV-2]", surplus=("ADV-2",)),
        ],
    ),
    (
        NUMB,
        Expectation(safety_net_include=("SN-2",), safety_net_exclude=("SN-1",)),
        [
            Difference("safety_net_include", "with [SN-2]", "[SN-1]", ("SN-2",)),
            Difference("safety_net_exclude", "without [SN-1]", "[SN-1]", surplus=("SN-1",)),
        ],
    ),
    ({}, Expectation(open_rules_include=("E01",), next_questions_first=("numb",), act_now=False, guidance="none"), []),
    (
        NUMB,
        Expectation(open_rules_include=("S01",), next_questions_first=("numb",)),
        [
            Difference("open_rules_include", "with [S01]", "[]", ("S01",)),
            Difference("next_questions_first", "[numb]", "[]", ("numb",)),
        ],
    ),
    (NUMB, Expectation(act_now=True), [Difference("act_now", "yes", "no")]),
    (NUMB, Expectation(guidance="offered"), [Difference("guidance", "offered", "none")]),
]


@pytest.mark.parametrize(("answers", "expect", "differences"), PARTS)
def test_a_part_is_compared(
    evaluator: Evaluator, answers: dict[str, str], expect: Expectation, differences: list[Difference]
) -> None:
    (result,) = run_cases(evaluator, [Case("A", answers=answers, expect=expect)])
    assert list(result.differences) == differences


def test_a_wording_is_frozen(evaluator: Evaluator) -> None:
    for language in ("nl", "en"):
        texts = evaluator.checked.ruleset.texts[language]
        right = {
            "ADV-2": texts.get("advice", "ADV-2"),
            "SN-1": texts.get("safety_net", "SN-1"),
            "E01": texts.get("reasons", evaluator.checked.ruleset.rules["E01"].because),
        }
        case = Case("A", answers=NUMB, language=language, expect=Expectation(texts=right))
        wrong = Expectation(texts={"ADV-2": Wording("other", "for you"), "ADV-1": Wording("hidden")})
        passed, failed = run_cases(evaluator, [case, replace(case, expect=wrong)])
        assert passed.passed, passed.differences
        found = right["ADV-2"]
        assert list(failed.differences) == [
            Difference("texts ADV-2", "other", found.patient),
            Difference("texts ADV-2 (clinician)", "for you", found.clinician),
            Difference("texts ADV-1", "hidden", "not shown"),
        ]


def test_a_case_that_cannot_be_evaluated_fails_and_stops_no_other(evaluator: Evaluator) -> None:
    wrong, right = run_cases(evaluator, [Case("A", answers={"age": "900"}), Case("B", answers=NUMB, expect=EMERGENCY)])
    assert (wrong.passed, wrong.error, wrong.outcome) == (False, "`age` is 900, outside 0 to 120 years", None)
    assert right.passed
