"""A ruleset's CHANGELOG lists every question whose *unknown* still allows the mildest decision: the list is true."""

from __future__ import annotations

import re

import pytest

from engine.decide.answers import Given, given, unlisted
from engine.rules.scale import Disposition
from tests.clinical.patients import RULESETS, UNKNOWN, evaluator, span

HEADING = "### Every question whose *unknown* still allows self-care"
# Everything denied and everything else mild: one unknown answer more must not be what sends her on.
MILD = {
    name: {question: given(text) for question, text in answers.items()}
    for name, answers in {
        "low_back_pain": {
            "age": "40", "sex": "f", "duration_weeks": "0.5", "onset": "gradual", "course": "improving",
            "pain_nrs": "3", "current_pain": "yes", "age_at_onset": "40",
        },
        "neck_pain": {"age": "40", "duration_weeks": "0.5", "course": "improving", "pain_nrs": "3"},
    }.items()
}  # fmt: skip
EACH = [(name, question) for name in MILD for question in sorted(evaluator(name).checked.ruleset.questions)]


def listed(name: str) -> set[str]:
    text = (RULESETS / name / "CHANGELOG.md").read_text()
    rows = text[text.index(HEADING) :].split("\n### ")[0].splitlines()
    return {found for row in rows if row.startswith("| `") for found in re.findall(r"`(\w+)`", row.split("|")[1])}


def mild_but(name: str, question: str) -> dict[str, Given]:
    answers = MILD[name] | dict(unlisted(evaluator(name).checked.ruleset, MILD[name], "no"))
    return answers | {question: UNKNOWN}


def test_every_shipped_ruleset_has_a_mild_patient() -> None:
    assert set(MILD) == {path.parent.name for path in RULESETS.glob("*/ruleset.yaml")}


@pytest.mark.parametrize("name", MILD)
def test_the_mild_patient_may_look_after_herself(name: str) -> None:
    assert span(mild_but(name, "programme_preference"), name) == (Disposition.SELF_CARE, Disposition.SELF_CARE)


@pytest.mark.parametrize(("name", "question"), EACH)
def test_an_unknown_that_still_allows_self_care_is_listed_with_its_reason(name: str, question: str) -> None:
    found = span(mild_but(name, question), name)
    assert found is not None
    assert (found[0] is Disposition.SELF_CARE) == (question in listed(name))


@pytest.mark.parametrize("name", MILD)
def test_the_list_names_no_other_question(name: str) -> None:
    assert listed(name) <= set(evaluator(name).checked.ruleset.questions)
