"""The Questionnaire and the other definitions: valid by two checkers, whole, and in all languages the same."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import AnswersError, Violation
from engine.rules.model import QuestionType
from engine.serve.errors import TABLE, UNEXPECTED, Forbidden, RateExceeded, Unauthenticated
from engine.serve.fhir import outcomes
from engine.serve.fhir.definitions import (
    capability_statement,
    code_systems,
    operation_definition,
    plan_definition,
    question_codes,
    searchset,
)
from engine.serve.fhir.outcomes import MOST, Severity, of_error, of_violations
from engine.serve.registry import NotEffective, UnknownRuleset
from tests.serve.fhir.conftest import BASE, TODAY, form, shelf_of
from tests.serve.fhir.test_guidance import faults
from tests.serve.fhir.written import every_item

RULESETS = ("small", "low_back_pain", "neck_pain")


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("ruleset", RULESETS)
def test_every_resource_is_valid(ruleset: str, language: str) -> None:
    served = shelf_of(ruleset).served(ruleset)
    for resource in (
        form(ruleset, language),
        plan_definition(served, language, BASE, TODAY),
        question_codes(served, language, BASE, TODAY),
        searchset([form(ruleset, language)], BASE, f"{BASE}/Questionnaire"),
        searchset([], BASE, f"{BASE}/Questionnaire"),
    ):
        assert [*faults(resource)] == []


def test_what_belongs_to_no_ruleset_is_valid() -> None:
    for resource in (
        *code_systems(BASE, TODAY),
        operation_definition(BASE, TODAY),
        capability_statement(BASE, TODAY, authenticated=True),
        capability_statement(BASE, TODAY, authenticated=False),
    ):
        assert [*faults(resource)] == []


@pytest.mark.parametrize("ruleset", RULESETS)
def test_every_question_can_be_answered_and_be_unknown(ruleset: str) -> None:
    checked = shelf_of(ruleset).served(ruleset).evaluator.checked.ruleset
    items = {item["linkId"]: item for item in every_item(form(ruleset)["item"])}
    assert len(items) == sum(1 for _ in every_item(form(ruleset)["item"]))
    for question in checked.questions.values():
        item = items[question.id]
        options = [option["valueCoding"]["code"] for option in item.get("answerOption", ())]
        if question.type.is_number:
            assert item["type"] == question.type.value
            assert items[f"{question.id}-unknown"]["answerOption"][0]["valueCoding"]["code"] == "asked-unknown"
        else:
            assert options[-1] == "asked-unknown"
            assert [code.removeprefix(f"{question.id}.") for code in options[:-1]] == list(question.options)
        assert item.get("repeats", False) is (question.type is QuestionType.SEVERAL)
        assert "required" not in item
    for group in checked.groups:
        assert items[f"group-{group}"]["type"] == "group"
        assert items[f"none-of-{group}"]["answerOption"][0]["valueCoding"]["code"] == "none-of"


def test_tests_of_enable_when_are_about_items_that_exist_and_options_they_have() -> None:
    for ruleset in RULESETS:
        items = {item["linkId"]: item for item in every_item(form(ruleset)["item"])}
        for item in items.values():
            tests = item.get("enableWhen", [])
            assert ("enableBehavior" in item) is (len(tests) > 1)
            for test in tests:
                asked = items[test["question"]]
                if "answerCoding" in test:
                    options = [option["valueCoding"] for option in asked["answerOption"]]
                    assert test["answerCoding"] in [{k: option[k] for k in ("system", "code")} for option in options]
                elif "answerBoolean" not in test:
                    assert f"answer{asked['type'].capitalize()}" in test


def test_ranges_and_units_are_those_of_the_ruleset() -> None:
    items = {item["linkId"]: item for item in every_item(form("low_back_pain", "en")["item"])}
    found = {each["url"].rpartition("/")[2]: each for each in items["weight_loss_kg_6m"]["extension"]}
    assert (found["minValue"]["valueDecimal"], found["maxValue"]["valueDecimal"]) == (0, 200)
    assert found["questionnaire-unit"]["valueCoding"] == {"display": "kilos"}


def test_languages_differ_in_words_alone() -> None:
    assert bones(form("low_back_pain", "nl")) == bones(form("low_back_pain", "en"))
    assert form("low_back_pain", "nl") != form("low_back_pain", "en")


def bones(value: Any) -> Any:
    """A resource without its words."""
    if isinstance(value, dict):
        words = ("text", "display", "title", "description", "purpose", "language")
        return {name: bones(inside) for name, inside in value.items() if name not in words}
    return [bones(inside) for inside in value] if isinstance(value, list) else value


def test_a_draft_is_called_a_draft() -> None:
    assert form("low_back_pain")["status"] == "draft"
    assert form("low_back_pain")["version"] == shelf_of("low_back_pain").served("low_back_pain").version


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Unauthenticated("bad-signature"), "login"),
        (Forbidden("not allowed"), "forbidden"),
        (RateExceeded("too often", 2), "throttled"),
        (UnknownRuleset("no ruleset `x`", {"ruleset": "x"}, ()), "not-found"),
        (NotEffective("not yet", {"ruleset": "x"}, ()), "business-rule"),
        (ZeroDivisionError("secret"), "exception"),
        (AnswersError([Violation("QuestionnaireResponse.item[0]", "out-of-range", "too high")]), "value"),
    ],
)
def test_failures_are_told_as_the_table_has_them(error: Exception, kind: str) -> None:
    found = of_error(error)
    assert [*faults(found)] == []
    (issue,) = found["issue"]
    assert (issue["severity"], issue["code"]) == ("error", kind)
    assert "secret" not in str(found)
    assert "bad-signature" not in str(found)


def test_every_status_of_the_table_has_a_kind() -> None:
    assert {row.code.name for row in (*TABLE.values(), UNEXPECTED)} <= set(outcomes.KINDS)


def test_what_is_too_much_is_counted() -> None:
    many = [Violation(f"a[{number}]", "bad-shape", "wrong") for number in range(MOST + 5)]
    issues = of_violations(many, Severity.ERROR)
    assert len(issues) == MOST + 1
    assert issues[-1]["diagnostics"] == "5 more were left out here"
