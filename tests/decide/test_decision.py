"""From true and open rules to a decision: highest wins, all are reported, and what is known already counts."""

from __future__ import annotations

import pytest

from engine.decide.canonical import outcome_content
from engine.decide.decision import Outcome
from engine.decide.evaluate import Evaluated, Evaluator
from engine.rules.scale import Call, Disposition, Guidance, Programme
from tests.decide.generate import Content, as_given, load_content, small_content

YES_NO = {"type": "yes_no"}
SCORE = {"type": "integer", "range": [0, 10], "unit": "points"}
QUESTIONS = {
    "smoke": YES_NO,
    "noise": YES_NO,
    "noise_days": {"type": "integer", "range": [0, 90], "unit": "days", "asked_when": {"noise": "yes"}},
    "wobble": YES_NO,
    "score": SCORE,
    "wish": {"type": "choice", "options": ["none", "first", "second"]},
}


def rule(when: Content, disposition: str, call: str = "clinic", hours: int = 24, **more: object) -> Content:
    then = {"disposition": disposition, "call": call, "within_hours": hours} | more
    return {"when": when, "then": then, "because": "some_reason", "evidence": ["source"]}


def row(name: str, choice: str, unknown: str, when: Content) -> Content:
    return {"id": name, "when": when, "then": choice, "when_unknown": unknown, "because": "some_reason"}


CONTENT = small_content(QUESTIONS, {"smoke": "yes"}) | {
    "rules": {
        "A1": rule({"wobble": "yes"}, "physio", "clinic", 168, guidance="offered"),
        "A2": rule({"score": {"at_least": 8}}, "physio", "clinic", 100, guidance="recommended"),
        "B1": rule({"all": [{"noise": "yes"}, {"unless": {"noise_days": {"above": 42}}}]}, "same_day_gp", "gp_today"),
        "B2": rule({"unknown": "smoke"}, "same_day_gp", "operating_hospital", 12),
        "C1": rule({"smoke": "yes"}, "emergency", "112", 1),
    },
    "programme": [
        row("P0", "none_yet", "applies", {"disposition": {"at_least": "gp_within_days"}}),
        row("P1", "none_yet", "applies", {"score": {"at_least": 8}}),
        row("P2", "pilates", "skips", {"wish": "second"}),
        {"id": "P3", "then": "either", "because": "some_reason"},
    ],
    "advice": {
        "ADV-1": {"kind": "reassurance", "when": {"disposition": {"in": ["self_care", "physio"]}}},
        "ADV-2": {"kind": "information", "hide_when": {"noise": "yes"}},
        "ADV-3": {"kind": "information", "when": {"programme": {"in": ["pilates", "either"]}}},
        "ADV-4": {"kind": "referral", "when": {"rule": "A1"}},
    },
    "advice_policies": {"A0": {"kinds": ["reassurance"], "hide_when": {"disposition": {"at_least": "gp_within_days"}}}},
    "safety_net": {"SN-0": {}, "SN-1": {"when": {"disposition": {"in": ["self_care"]}}}},
}
CALM = {"smoke": "no", "noise": "no", "wobble": "no", "score": "2", "wish": "none"}
EVALUATOR = Evaluator(load_content(CONTENT))


def evaluated(**answers: str) -> Evaluated:
    return EVALUATOR.evaluate(EVALUATOR.read(as_given(answers)))


def outcome(**answers: str) -> Outcome:
    return evaluated(**answers).outcome


def test_where_no_rule_is_true_the_default_is_the_decision() -> None:
    calm = outcome(**CALM)
    assert (calm.disposition, calm.rules, calm.call, calm.within_hours) == (
        Disposition.SELF_CARE,
        ("D00",),
        Call.NONE,
        None,
    )
    assert calm.guidance is None
    assert calm.safety_net == ("SN-0", "SN-1")


def test_the_highest_rule_wins_and_all_are_reported_most_urgent_first() -> None:
    worst = outcome(**CALM | {"smoke": "yes", "wobble": "yes", "noise": "yes", "noise_days": "3"})
    assert worst.disposition is Disposition.EMERGENCY
    assert worst.rules == ("C1", "B1", "A1")
    assert (worst.call, worst.calls, worst.within_hours) == (Call.EMERGENCY_NUMBER, (Call.EMERGENCY_NUMBER,), 1)


def test_of_several_winning_rules_the_highest_call_and_the_smallest_hours_count() -> None:
    both = outcome(**CALM | {"smoke": "unknown", "noise": "yes", "noise_days": "3"})
    assert both.calls == (Call.OPERATING_HOSPITAL, Call.GP_TODAY)
    assert (both.call, both.within_hours) == (Call.OPERATING_HOSPITAL, 12)


def test_guidance_is_the_firmest_of_the_winning_rules() -> None:
    assert outcome(**CALM | {"wobble": "yes"}).guidance is Guidance.OFFERED
    assert outcome(**CALM | {"wobble": "yes", "score": "9"}).guidance is Guidance.RECOMMENDED


def test_an_unknown_reassurance_does_not_reassure() -> None:
    assert outcome(**CALM | {"noise": "yes", "noise_days": "60"}).disposition is Disposition.SELF_CARE
    assert outcome(**CALM | {"noise": "yes", "noise_days": "unknown"}).disposition is Disposition.SAME_DAY_GP


def test_an_empty_record_is_no_decision() -> None:
    empty = outcome()
    assert not empty.settled
    assert empty.disposition is None
    assert empty.rules == (), "that nothing holds is not known yet"
    assert (empty.floor, empty.ceiling) == (Disposition.SELF_CARE, Disposition.EMERGENCY)
    assert empty.advice == ()
    assert "SN-0" in empty.safety_net
    assert "SN-1" not in empty.safety_net


def test_stopping_early_is_allowed_upwards_only() -> None:
    assert outcome(smoke="yes").settled
    assert not outcome(**{name: answer for name, answer in CALM.items() if name != "smoke"}).settled


def test_the_floor_of_an_open_record_carries_what_a_decision_carries() -> None:
    part = outcome(noise="yes", noise_days="3")
    assert (part.floor, part.ceiling) == (Disposition.SAME_DAY_GP, Disposition.EMERGENCY)
    assert (part.rules, part.open_rules) == (("B1",), ("C1",))
    assert (part.call, part.within_hours, part.act_now) == (Call.GP_TODAY, 24, True)
    assert "SN-0" in part.safety_net
    assert not outcome(wobble="yes").act_now
    assert not outcome(smoke="yes").act_now, "a settled decision says what to do by itself"


def test_next_questions_are_the_most_urgent_first_and_gates_come_before_what_hangs_on_them() -> None:
    asked = [(each.question, each.disposition) for each in outcome().next_questions]
    assert asked == [
        ("smoke", Disposition.EMERGENCY),
        ("noise", Disposition.SAME_DAY_GP),
        ("wobble", Disposition.PHYSIO),
        ("score", Disposition.PHYSIO),
    ]
    assert [each.question for each in outcome(smoke="no", noise="yes").next_questions] == [
        "noise_days",
        "wobble",
        "score",
    ]


def test_only_rules_above_the_floor_are_asked_about() -> None:
    assert [each.question for each in outcome(noise="yes", noise_days="3").next_questions] == ["smoke"]


@pytest.mark.parametrize(
    ("answers", "choice", "row", "questions"),
    [
        (CALM | {"wish": "second"}, Programme.PILATES, "P2", ()),
        (CALM | {"wish": "unknown"}, Programme.EITHER, "P3", ()),
        (CALM | {"score": "unknown"}, Programme.NONE_YET, "P1", ()),
        (CALM | {"smoke": "yes", "wish": "second"}, Programme.NONE_YET, "P0", ()),
        ({name: each for name, each in CALM.items() if name != "wish"}, Programme.NONE_YET, "", ("wish",)),
        ({"smoke": "yes"}, Programme.NONE_YET, "P0", ()),
    ],
)
def test_the_programme_is_the_first_row_that_applies(
    answers: dict[str, str], choice: Programme, row: str, questions: tuple[str, ...]
) -> None:
    programme = outcome(**answers).programme
    assert (programme.choice, programme.row, programme.open_questions) == (choice, row, questions)
    assert programme.open == bool(questions)


def test_an_open_programme_does_not_keep_the_decision_open() -> None:
    assert outcome(**{name: each for name, each in CALM.items() if name != "wish"}).settled


def test_advice_is_shown_only_where_it_certainly_applies() -> None:
    assert outcome(**CALM).advice == ("ADV-1", "ADV-2", "ADV-3")
    assert outcome(**CALM | {"wobble": "yes", "score": "9"}).advice == ("ADV-1", "ADV-2", "ADV-4")
    assert outcome(**CALM | {"smoke": "yes"}).advice == ("ADV-2",)
    assert "ADV-2" not in outcome(**CALM | {"noise": "unknown"}).advice, "unknown is not certainly no"
    assert "ADV-1" not in outcome(wobble="yes").advice, "no reassurance while the decision could still rise"


def test_reasons_name_the_answers_that_made_each_rule_true() -> None:
    explanation = evaluated(**CALM | {"noise": "yes", "noise_days": "3", "wobble": "yes"}).explain()
    assert [(each.rule, each.questions) for each in explanation.reasons] == [
        ("B1", ("noise", "noise_days")),
        ("A1", ("wobble",)),
    ]
    assert explanation.next_higher is Disposition.EMERGENCY
    assert [(each.rule, each.questions, each.open) for each in explanation.obstacles] == [("C1", ("smoke",), False)]


def test_why_not_names_what_is_open_and_stops_at_the_top() -> None:
    explanation = evaluated(noise="yes", noise_days="3").explain()
    assert [(each.rule, each.questions, each.open) for each in explanation.obstacles] == [("C1", ("smoke",), True)]
    assert evaluated(smoke="yes").explain().next_higher is None


def test_a_question_that_is_not_applicable_is_explained_by_what_makes_it_so() -> None:
    explanation = evaluated(**CALM).explain()
    assert explanation.reasons[0].questions == ()
    assert evaluated(**CALM | {"wobble": "yes"}).explain().obstacles[0].rule == "B1"
    assert evaluated(**CALM | {"wobble": "yes"}).explain().obstacles[0].questions == ("noise",)


def test_the_canonical_content_holds_no_text_and_no_answer() -> None:
    told = str(outcome_content(EVALUATOR.checked, outcome(**CALM | {"score": "7"})))
    assert "7" not in told.replace(EVALUATOR.checked.digest, "")
