"""The ruleset's CHANGELOG lists every question whose *unknown* still allows the mildest decision: the list is true."""

from __future__ import annotations

import re

import pytest

from engine.decide.answers import Given, given, unlisted
from engine.rules.scale import Disposition
from tests.clinical.patients import RULESETS, UNKNOWN, evaluator, span

HEADING = "### Every question whose *unknown* still allows self-care"
# Everything denied and everything else mild: one unknown answer more must not be what sends her on.
MILD = {
    name: given(text)
    for name, text in {
        "age": "40", "sex": "f", "duration_weeks": "0.5", "onset": "gradual", "course": "improving", "pain_nrs": "3",
        "current_pain": "yes", "age_at_onset": "40",
    }.items()
}  # fmt: skip


def listed() -> set[str]:
    text = (RULESETS / "low_back_pain" / "CHANGELOG.md").read_text()
    rows = text[text.index(HEADING) :].split("\n### ")[0].splitlines()
    return {name for row in rows if row.startswith("| `") for name in re.findall(r"`(\w+)`", row.split("|")[1])}


def mild_but(question: str) -> dict[str, Given]:
    answers = MILD | dict(unlisted(evaluator().checked.ruleset, MILD, "no"))
    return answers | {question: UNKNOWN}


def test_the_mild_patient_may_look_after_herself() -> None:
    assert span(mild_but("goal")) == (Disposition.SELF_CARE, Disposition.SELF_CARE)


@pytest.mark.parametrize("question", sorted(evaluator().checked.ruleset.questions))
def test_an_unknown_that_still_allows_self_care_is_listed_with_its_reason(question: str) -> None:
    found = span(mild_but(question))
    assert found is not None
    assert (found[0] is Disposition.SELF_CARE) == (question in listed())
