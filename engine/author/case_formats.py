"""A run of the authors' cases for machines: one JSON document, or JUnit XML as CI systems read it.

Both are made of the same Suites as the page on the terminal, and say the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from engine.author.cases_report import difference_lines, failure_text
from engine.author.cases_run import Suite
from engine.author.causes import Why, why
from engine.author.layout import plain
from engine.decide.cases import CaseResult
from engine.rules.model import Ruleset


def as_json(suites: Sequence[Suite], language: str = "") -> Mapping[str, Any]:
    """The whole run as one document; rulesets/README.md describes it."""
    return {
        "passed": sum(suite.passed for suite in suites),
        "failed": sum(suite.failed for suite in suites),
        "not_selected": sum(suite.left_out for suite in suites),
        "not_run": sum(bool(suite.problems) for suite in suites),
        "rulesets": [_suite(suite, language) for suite in suites],
    }


def _suite(suite: Suite, language: str) -> dict[str, Any]:
    about: dict[str, Any] = {"folder": str(suite.folder)}
    if suite.checked is None:
        return {**about, "problems": suite.problems, "cases": []}
    ruleset = suite.checked.ruleset
    about |= {"id": ruleset.id, "version": ruleset.version, "digest": suite.checked.digest}
    return {**about, "cases": [_case(result, ruleset, language) for result in suite.results]}


def _case(result: CaseResult, ruleset: Ruleset, language: str) -> dict[str, Any]:
    case, outcome = result.case, result.outcome
    found: dict[str, Any] = {
        "id": case.id,
        "title": case.title,
        "tags": list(case.tags),
        "place": case.span.place,
        "passed": result.passed,
    }
    if result.error:
        return {**found, "error": result.error}
    if outcome is not None:
        found["outcome"] = {
            "disposition": None if outcome.disposition is None else outcome.disposition.word,
            "floor": outcome.floor.word,
            "ceiling": outcome.ceiling.word,
            "call": outcome.call.word,
            "within_hours": outcome.within_hours,
            "guidance": None if outcome.guidance is None else outcome.guidance.word,
            "programme": outcome.programme.choice.word,
            "rules": list(outcome.rules),
            "advice": list(outcome.advice),
            "safety_net": list(outcome.safety_net),
            "next_questions": [each.question for each in outcome.next_questions],
        }
    if result.passed:
        return found
    found["differences"] = [
        {
            "key": each.key,
            "expected": each.expected,
            "got": each.got,
            "missing": list(each.missing),
            "surplus": list(each.surplus),
        }
        for each in result.differences
    ]
    return {**found, "why": [_why(each) for each in why(ruleset, result, language)]}


def _why(reason: Why) -> dict[str, Any]:
    causes = [
        {
            "id": cause.id,
            "state": cause.state,
            "about": cause.about,
            "place": cause.place,
            "answers": [
                {"question": each.question, "answer": each.answer, "origin": each.origin} for each in cause.answers
            ],
        }
        for cause in reason.causes
    ]
    return {"says": reason.says, "causes": causes, "more": reason.more}


def as_junit(suites: Sequence[Suite], language: str = "") -> str:
    """The whole run as JUnit XML: a testsuite for each ruleset, a testcase for each case.

    A ruleset that could not be run is a testcase with an error, so that no CI system takes silence for success.
    """
    failures, errors = sum(suite.failed for suite in suites), sum(bool(suite.problems) for suite in suites)
    tests = sum(len(suite.results) for suite in suites) + errors
    root = ET.Element("testsuites", {"name": "pluis", **_counts(tests, failures, errors)})
    for suite in suites:
        broken = int(bool(suite.problems))
        counts = _counts(len(suite.results) + broken, suite.failed, broken)
        below = ET.SubElement(root, "testsuite", {"name": plain(suite.name), **counts})
        if suite.problems:
            element = ET.SubElement(below, "testcase", classname=plain(suite.name), name="ruleset")
            first = suite.problems.partition("\n")[0]
            ET.SubElement(element, "error", message=plain(first), type="invalid").text = plain(suite.problems)
        if suite.checked is not None:
            for result in suite.results:
                _testcase(below, suite.checked.ruleset, result, language)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _counts(tests: int, failures: int, errors: int) -> dict[str, str]:
    return {"tests": str(tests), "failures": str(failures), "errors": str(errors), "skipped": "0"}


def _testcase(suite: ET.Element, ruleset: Ruleset, result: CaseResult, language: str) -> None:
    case = result.case
    name = plain(f"{case.id} {case.title}".rstrip())
    file, line = plain(case.span.source.name), str(case.span.line)
    element = ET.SubElement(suite, "testcase", classname=ruleset.id, name=name, file=file, line=line)
    if result.passed:
        return
    said = [f"{each.key}: {' / '.join(difference_lines(each))}" for each in result.differences]
    message = result.error or "; ".join(" ".join(each.split()) for each in said)
    kind = "no-decision" if result.error else "expectation"
    failure = ET.SubElement(element, "failure", message=plain(message), type=kind)
    failure.text = f"\n{failure_text(result, ruleset, language)}\n"
