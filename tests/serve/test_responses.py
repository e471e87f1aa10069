"""What a response carries: the decision with its texts and reasons, the questionnaire, the ruleset."""

from __future__ import annotations

from typing import Any

import pytest

from engine.pb.v1 import triage_pb2 as pb
from engine.rules.condition import DispositionIn
from engine.rules.model import QuestionType
from engine.rules.scale import Disposition
from engine.serve import convert
from engine.serve.describe import condition_message
from tests.serve.conftest import SMALL, Running

OLD_AND_FELL = {
    "age": pb.Answer(integer=70),
    "trauma": pb.Answer(choice="major"),
    "numb": pb.Answer(unknown=pb.Unknown()),
}
HEALTHY = {
    "age": pb.Answer(integer=40),
    "weeks": pb.Answer(decimal="4.5"),
    "numb": pb.Answer(yes_no=pb.YES_NO_NO),
    "fever": pb.Answer(yes_no=pb.YES_NO_NO),
    "trauma": pb.Answer(choice="none"),
}


def evaluate(small: Running, **fields: Any) -> pb.EvaluateResponse:
    response: pb.EvaluateResponse = small.stub.Evaluate(pb.EvaluateRequest(ruleset="small", **fields))
    return response


def test_a_decision_carries_everything(small: Running) -> None:
    response = evaluate(small, answers=OLD_AND_FELL, language="en")
    assert response.WhichOneof("outcome") == "decision"
    decision = response.decision
    assert decision.disposition == pb.DISPOSITION_SAME_DAY_GP
    assert decision.disposition_text == pb.Wording(title="same_day_gp title en", text="same_day_gp text en")
    assert (decision.call, decision.call_text, list(decision.calls)) == (
        pb.CALL_GP_TODAY,
        "gp_today en",
        [pb.CALL_GP_TODAY],
    )
    assert (decision.within_hours, decision.valid_days, decision.recheck_days) == (24, 1, 7)
    assert decision.guidance == pb.GUIDANCE_UNSPECIFIED
    assert list(decision.advice) == [pb.Advice(id="ADV-2", text="advice two en")]
    assert list(decision.safety_net) == [pb.SafetyNet(id="SN-1", text="safety net en")]
    assert decision.programme == pb.ProgrammeChoice(
        choice=pb.PROGRAMME_NONE_YET,
        row="PR0",
        because="first_a_doctor",
        text="first_a_doctor en",
        title="none_yet en",
    )
    assert [rule.id for rule in decision.rules] == ["S01", "G01"]
    line = 1 + (SMALL / "small" / "ruleset.yaml").read_text(encoding="utf-8").splitlines().index("  S01:")
    assert decision.rules[0] == pb.RuleReason(
        id="S01",
        disposition=pb.DISPOSITION_SAME_DAY_GP,
        because="fracture",
        text="fracture en",
        call=pb.CALL_GP_TODAY,
        within_hours=24,
        answers=[
            pb.AnswerReason(question="age", value="70", question_text="How old are you?", value_text="70 years old"),
            pb.AnswerReason(question="trauma", value="major", question_text="Did you fall?", value_text="badly"),
        ],
        evidence=[
            pb.Evidence(
                id="source",
                citation="A source, 2026",
                strength=pb.EVIDENCE_STRENGTH_GUIDELINE,
                url="https://example.org/source",
            )
        ],
        source=f"ruleset.yaml:{line}",
    )
    assert not decision.rules[1].HasField("within_hours")
    (reason,) = decision.rules[1].answers
    assert (reason.question, reason.value, reason.value_text) == ("numb", "unknown", "does not know")


def test_why_the_next_higher_disposition_does_not_hold(small: Running) -> None:
    why_not = evaluate(small, answers=OLD_AND_FELL, language="en").decision.why_not
    assert why_not.disposition == pb.DISPOSITION_EMERGENCY
    (obstacle,) = why_not.rules
    assert (obstacle.id, obstacle.because, obstacle.clinician_text) == ("E01", "nerves", "nerves for a clinician en")
    assert [(each.question, each.value) for each in obstacle.answers] == [("numb", "unknown")]
    assert not obstacle.open
    highest = evaluate(small, answers={"numb": pb.Answer(yes_no=pb.YES_NO_YES)})
    assert not highest.decision.HasField("why_not")


def test_a_milder_decision_has_guidance_and_its_programme_may_be_open(small: Running) -> None:
    response = evaluate(small, answers=HEALTHY)
    decision = response.decision
    assert response.language == "nl"
    assert decision.disposition == pb.DISPOSITION_PHYSIO
    assert (decision.guidance, decision.guidance_text) == (pb.GUIDANCE_RECOMMENDED, "recommended nl")
    assert not decision.HasField("within_hours")
    assert decision.programme == pb.ProgrammeChoice(
        choice=pb.PROGRAMME_NONE_YET, title="none_yet nl", open=True, open_questions=["wants"]
    )
    several = pb.Answer(several=pb.Options(options=["strength"]))
    chosen = evaluate(small, answers=HEALTHY | {"wants": several}).decision.programme
    assert (chosen.choice, chosen.row, chosen.open) == (pb.PROGRAMME_MEDICAL_FITNESS, "PR1", False)


def test_an_unsettled_result_is_no_decision_and_carries_its_floor(small: Running) -> None:
    response = evaluate(
        small, answers={"age": pb.Answer(integer=70), "trauma": pb.Answer(choice="minor")}, language="en"
    )
    assert response.WhichOneof("outcome") == "needs_answers"
    needs = response.needs_answers
    assert (needs.floor, needs.ceiling, needs.act_now) == (pb.DISPOSITION_SAME_DAY_GP, pb.DISPOSITION_EMERGENCY, True)
    assert needs.floor_text.title == "same_day_gp title en"
    assert (needs.call, needs.within_hours, list(needs.open_rules)) == (pb.CALL_GP_TODAY, 24, ["E01"])
    assert [rule.id for rule in needs.rules] == ["S01"]
    assert [each.id for each in needs.safety_net] == ["SN-1"]
    (asked,) = needs.next_questions
    assert (asked.id, asked.disposition) == ("numb", pb.DISPOSITION_EMERGENCY)
    assert asked.question == pb.Question(
        id="numb", type=pb.QUESTION_TYPE_YES_NO, text="Are you numb?", group="flags", core=True
    )
    assert not evaluate(small).needs_answers.act_now


def test_the_basic_view_leaves_out_the_explanation_and_nothing_of_the_decision(small: Running) -> None:
    full = evaluate(small, answers=OLD_AND_FELL)
    basic = evaluate(small, answers=OLD_AND_FELL, view=pb.RESPONSE_VIEW_BASIC)
    assert basic.decision_digest == full.decision_digest
    for rule in full.decision.rules:
        rule.ClearField("answers")
        rule.ClearField("evidence")
        rule.ClearField("source")
    full.decision.ClearField("why_not")
    assert basic.decision == full.decision


def test_the_outcome_is_the_same_each_time_and_the_envelope_is_not(small: Running) -> None:
    one, other = (evaluate(small, answers=OLD_AND_FELL) for _ in range(2))
    assert one.decision.SerializeToString(deterministic=True) == other.decision.SerializeToString(deterministic=True)
    assert one.decision_digest == other.decision_digest
    assert one.decision_id != other.decision_id
    english = evaluate(small, answers=OLD_AND_FELL, language="en")
    assert english.decision_digest == one.decision_digest
    assert english.decision != one.decision
    who = pb.RequestContext(subject_reference="6f1d9c1e-7a40-4c0e-9d52-0b5e3f7a7731", respondent=pb.RESPONDENT_PROXY)
    assert evaluate(small, answers=OLD_AND_FELL, context=who).decision == one.decision
    assert one.ruleset.id == "small"
    assert len(one.ruleset.digest) == len(one.decision_digest) == 64
    assert one.decide_time.ToJsonString() == "2026-12-01T12:00:00Z"


def test_the_questionnaire_has_every_question_with_its_conditions(small: Running) -> None:
    response = small.stub.GetQuestionnaire(pb.GetQuestionnaireRequest(ruleset="small", language="en"))
    assert [question.id for question in response.questions] == [
        "age", "onset", "weeks", "trauma", "numb", "fever", "fever_days", "wants",
    ]  # fmt: skip
    assert (response.title, response.language, response.ruleset.version) == ("Small", "en", "1.0.0")
    assert list(response.groups) == [pb.QuestionGroup(id="flags", title="flags en", none_of_text="none of these en")]
    age, trauma, days = response.questions[0], response.questions[3], response.questions[6]
    assert (age.type, age.minimum, age.maximum, age.unit) == (pb.QUESTION_TYPE_INTEGER, "0", "120", "years")
    assert [(option.id, option.text) for option in trauma.options] == [
        ("none", "no"),
        ("minor", "slightly"),
        ("major", "badly"),
    ]
    assert not age.HasField("asked_when")
    fever = pb.Comparison(question="fever", operator=pb.COMPARISON_OPERATOR_IN, values=["yes"])
    assert days.asked_when == pb.Condition(comparison=fever)


def test_a_ruleset_is_described_with_its_rules_and_their_conditions(small: Running) -> None:
    response = small.stub.GetRuleset(pb.GetRulesetRequest(ruleset="small", language="en"))
    assert (response.description, response.intended_use, response.disclaimer) == (
        "summary en",
        "use en",
        "disclaimer en",
    )
    assert list(response.parameters) == [pb.ParameterDescription(id="old", value="60", unit="years")]
    assert [rule.id for rule in response.rules] == ["E01", "G01", "P01", "S01", "D00"]
    rules = {rule.id: rule for rule in response.rules}
    old, fell = rules["S01"].when.all.conditions  # the finding is written out, the parameter filled in
    assert old.comparison == pb.Comparison(question="age", operator=pb.COMPARISON_OPERATOR_AT_LEAST, values=["60"])
    assert fell.comparison == pb.Comparison(
        question="trauma", operator=pb.COMPARISON_OPERATOR_IN, values=["minor", "major"]
    )
    assert rules["P01"].when.all.conditions[1].unless.comparison.question == "fever"
    assert rules["G01"].when.any.conditions[1].unknown == "numb"
    assert not rules["D00"].HasField("when")
    assert rules["E01"].clinician_text == "nerves for a clinician en"
    assert [each.id for each in response.evidence] == ["source"]
    summary = response.summary
    assert (summary.title, summary.status, summary.is_default) == ("Small", pb.RULESET_STATUS_DRAFT, True)
    assert (summary.effective_from, summary.effective_until) == ("2026-01-01", "2030-01-01")


def test_a_condition_on_more_than_answers_is_not_sent() -> None:
    with pytest.raises(TypeError, match="DispositionIn"):
        condition_message({}, DispositionIn(frozenset({Disposition.PHYSIO})))


def test_every_word_has_its_number_and_every_number_its_word() -> None:
    tables: list[tuple[Any, Any]] = [
        (convert.DISPOSITIONS, pb.Disposition),
        (convert.CALLS, pb.Call),
        (convert.GUIDANCE, pb.Guidance),
        (convert.PROGRAMMES, pb.Programme),
        (convert.STRENGTHS, pb.EvidenceStrength),
        (convert.QUESTION_TYPES, pb.QuestionType),
        (convert.OPERATORS, pb.ComparisonOperator),
    ]
    for table, enum in tables:
        assert sorted([0, *table.values()]) == sorted(enum.values())
    assert convert.QUESTION_TYPES[QuestionType.SEVERAL] == pb.QUESTION_TYPE_SEVERAL
