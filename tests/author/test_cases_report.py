"""Authors' cases as a product: which are run, what an author is told, and the same for machines.

The golden files show one failing case of each kind, in an invented domain; `make accept` rewrites them: read the diff.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from engine.author.case_formats import as_json, as_junit
from engine.author.cases_report import Detail, render_suite, render_total
from engine.author.cases_run import NothingSelected, Selection, Suite, run_suites
from engine.decide.evaluate import Evaluator
from engine.errors import RulesetError
from engine.rules.load import load, load_cases

GOLDEN = Path(__file__).parent / "golden"
MINIMAL = Path(__file__).parents[1] / "data" / "minimal"

FAILING = """
cases:
  TOO-HIGH:
    title: Brakes well, and the author forgot that nobody asked
    tags: [safety]
    answers: {bike_age: 3, brakes_fail: unknown}
    unlisted: no
    expect: {disposition: self_care, rules: [D00], call: none}
  TOO-LOW:
    title: A grinding noise that got better
    tags: [noise, safety]
    answers: {bike_age: 12, noise: grind, loose_parts: chain, rides_better: yes, tyre_bar: 3}
    none_of: [safety]
    expect: {disposition: same_day_gp, within_hours: 24, rules_include: [S02]}
  TOO-LOW-UNNAMED:
    title: The same, and the author names no rule
    answers: {bike_age: 12, noise: grind, loose_parts: chain, rides_better: yes, tyre_bar: 3}
    none_of: [safety]
    expect: {disposition: same_day_gp}
  NOT-SETTLED:
    title: Nothing but the age is known
    answers: {bike_age: 12}
    expect: {disposition: self_care, next_questions_first: [noise, brakes_fail], act_now: yes}
  SETTLED:
    title: It cannot stop, whatever else
    answers: {brakes_fail: yes}
    none_of: "*"
    expect: {disposition: needs_answers, floor: physio, ceiling: same_day_gp, open_rules_include: [S02]}
  TEXTS:
    title: <What> is shown & "what" not
    tags: [wording]
    language: nl
    answers: {noise: click, loose_parts: [light], bike_age: 1}
    unlisted: no
    expect:
      guidance: none
      programme: either
      advice_include: [ADV-001]
      advice_exclude: [ADV-002]
      safety_net: [SN-01]
      texts: {SN-02: Let op de rem, S01: Er is iets versleten, ADV-001: Niets aan de hand}
  RIGHT:
    title: It cannot stop
    tags: [safety]
    answers: {brakes_fail: yes}
    none_of: "*"
    expect: {disposition: emergency, rules_exclude: [S01]}
  NO-DECISION:
    title: Answers that contradict each other
    answers: {bike_age: 1, years_owned: 9}
    expect: {disposition: self_care}
"""


def bicycle(folder: Path, cases: str = FAILING) -> Path:
    shutil.copytree(MINIMAL, folder)
    (folder / "cases.yaml").write_text(cases, encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bicycle with failing cases; places are told from its parent."""
    bicycle(tmp_path / "bicycle")
    monkeypatch.chdir(tmp_path)
    return Path("bicycle")


def suites(*folders: Path, **selection: object) -> list[Suite]:
    return list(run_suites(folders, Selection(**selection)))  # type: ignore[arg-type]


def ran(found: Sequence[Suite]) -> list[str]:
    return [result.case.id for suite in found for result in suite.results]


def page(found: Sequence[Suite], detail: Detail = Detail.NORMAL) -> str:
    pages = [*(render_suite(suite, 90, detail) for suite in found), render_total(found, 90)]
    return "".join(f"{line.text}\n" for each in pages for line in each)


def as_text(found: Sequence[Suite]) -> str:
    return json.dumps(as_json(found), indent=1, ensure_ascii=False) + "\n"


GOLDENS: dict[str, Callable[[Sequence[Suite]], str]] = {
    "failing_cases.txt": page,
    "failing_cases.json": as_text,
    "failing_cases.xml": as_junit,
}


@pytest.mark.parametrize("name", GOLDENS)
def test_a_failing_case_is_explained(folder: Path, name: str) -> None:
    text = re.sub(r'"digest": "[0-9a-f]{64}"', '"digest": "<digest>"', GOLDENS[name](suites(folder)))
    golden = GOLDEN / name
    if os.environ.get("ACCEPT"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_a_cause_names_rule_line_and_answers(folder: Path) -> None:
    (suite,) = as_json(suites(folder))["rulesets"]
    cases = {case["id"]: case for case in suite["cases"]}
    source = (MINIMAL / "ruleset.yaml").read_text(encoding="utf-8").splitlines()
    (cause,) = cases["TOO-HIGH"]["why"][0]["causes"]
    assert cause["id"] == "E01" and cause["state"] == "is true"
    assert source[int(cause["place"].rpartition(":")[2]) - 1] == "  E01:"
    assert cause["answers"] == [{"question": "brakes_fail", "answer": "unknown", "origin": ""}]
    for name in ("TOO-LOW", "TOO-LOW-UNNAMED"):
        low = cases[name]["why"][0]
        assert [each["id"] for each in low["causes"]] == ["S02"]
        assert low["causes"][0]["answers"] == [{"question": "rides_better", "answer": "yes", "origin": ""}]
    assert cases["NO-DECISION"]["error"].startswith("`years_owned` (9) and `bike_age` (1) contradict")
    assert "why" not in cases["RIGHT"]


def test_junit_is_well_formed_and_says_the_same(folder: Path, tmp_path: Path) -> None:
    broken = bicycle(tmp_path / "broken", "cases: {A: {title: '<&', answers: {brake: yes}, expect: {call: none}}}")
    found = suites(folder, broken)
    root = ET.fromstring(as_junit(found))
    assert root.tag == "testsuites"
    assert {key: root.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "9", "failures": "7", "errors": "1",
    }  # fmt: skip
    whole, other = root.findall("testsuite")
    assert [(case.get("name") or "").split()[0] for case in whole.findall("testcase")] == ran(found)
    failed = {
        (case.get("name") or "").split()[0] for case in whole.findall("testcase") if case.find("failure") is not None
    }
    assert failed == {result.case.id for result in found[0].results if not result.passed}
    (error,) = other.iter("error")
    assert "unknown-question" in (error.text or "") and "no question `brake`" in (error.get("message") or "")
    assert next(case.get("name") for case in whole if case.get("name", "").startswith("TEXTS")) == (
        'TEXTS <What> is shown & "what" not'
    )


def test_what_a_page_leaves_out(folder: Path) -> None:
    found = suites(folder)
    assert "PASS  RIGHT  It cannot stop" in page(found)
    assert "emergency, none_yet; rules E01" in page(found, Detail.VERBOSE)
    quiet = page(found, Detail.QUIET)
    assert "RIGHT" not in quiet and "FAIL  TOO-LOW" in quiet
    assert page(suites(folder, patterns=("RIGHT",)), Detail.QUIET) == "1 passed, 0 failed, 7 not selected\n"


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        ({"patterns": ("TOO-*",)}, ["TOO-HIGH", "TOO-LOW", "TOO-LOW-UNNAMED"]),
        ({"patterns": ("RIGHT", "S*")}, ["SETTLED", "RIGHT"]),
        ({"tags": ("noise", "wording")}, ["TOO-LOW", "TEXTS"]),
        ({"tags": ("safety", "!noise")}, ["TOO-HIGH", "RIGHT"]),
        ({"tags": ("!safety",)}, ["TOO-LOW-UNNAMED", "NOT-SETTLED", "SETTLED", "TEXTS", "NO-DECISION"]),
        ({"patterns": ("T*",), "tags": ("safety",)}, ["TOO-HIGH", "TOO-LOW"]),
        ({"language": "nl", "tags": ("wording",)}, ["TEXTS"]),
    ],
)
def test_selection(folder: Path, selection: dict[str, object], ids: list[str]) -> None:
    found = suites(folder, **selection)
    assert ran(found) == ids
    assert found[0].left_out == 8 - len(ids)


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ({"patterns": ("too-*",)}, "no case has an id like `too-*`"),
        ({"patterns": ("RIGTH",)}, "no case has an id like `RIGTH`: did you mean `RIGHT`?"),
        ({"tags": ("noise", "sefety")}, "no case has the tag `sefety`: did you mean `safety`?"),
        ({"tags": ("!x",)}, "no case has the tag `x`: write one of `noise`, `safety`, `wording`"),
        ({"patterns": ("RIGHT",), "tags": ("noise",)}, "no case fits all that was asked for: ask for less"),
        ({"language": "fr"}, "no ruleset has the language `fr`: write one of `nl`"),
    ],
)
def test_nothing_selected_is_no_silence(folder: Path, selection: dict[str, object], said: str) -> None:
    with pytest.raises(NothingSelected) as caught:
        suites(folder, **selection)
    assert str(caught.value) == said


def test_a_case_in_another_language_is_left_out(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parents[1] / "serve" / "rulesets" / "small", tmp_path / "small")
    cases = "cases:\n" + "".join(
        f"  {name}: {{{language} answers: {{numb: yes}}, expect: {{disposition: emergency}}}}\n"
        for name, language in (("A", "language: nl,"), ("B", "language: en,"), ("C", ""))
    )
    (tmp_path / "small" / "cases.yaml").write_text(cases, encoding="utf-8")
    assert ran(suites(tmp_path / "small", language="en")) == ["B", "C"]


SLIPS = [
    ("{rules_include: []}", "missing-value", "rules_include"),
    ("{rules_include: [S09]}", "unknown-rule", "S09"),
    ("{open_rules_include: [D00]}", "unknown-rule", "D00"),
    ("{advice_exclude: [ADV-003]}", "unknown-advice", "ADV-003"),
    ("{safety_net_include: [SN-03]}", "unknown-safety-net", "SN-03"),
    ("{next_questions_first: [noises]}", "unknown-question", "noises"),
    ("{guidance: maybe}", "outside-scale", "maybe"),
    ("{act_now: perhaps}", "outside-scale", "perhaps"),
    ("{rules: [S01], rules_exclude: [S01]}", "duplicate-id", "S01"),
    ("{advice_include: [ADV-001], advice_exclude: [ADV-001]}", "duplicate-id", "ADV-001"),
    ("{texts: {SN-01: x}}", "missing-key", "texts"),
    ("{texts: {SN-09: x}, disposition: physio}", "unknown-text", "SN-09"),
    ("{acceptable: [physio]}", "missing-value", "expect"),
    ("{}", "missing-value", "expect"),
]


@pytest.mark.parametrize(("expect", "code", "word"), SLIPS, ids=[expect for expect, *_ in SLIPS])
def test_a_slip_in_an_expectation_has_a_place(tmp_path: Path, expect: str, code: str, word: str) -> None:
    text = f"cases:\n  A:\n    answers: {{brakes_fail: yes}}\n    expect: {expect}\n"
    with pytest.raises(RulesetError) as caught:
        load_cases(bicycle(tmp_path / "bicycle", text), load(MINIMAL))
    found = [problem for problem in caught.value.problems if problem.code == code]
    assert found, caught.value.problems.render()
    for problem in found:
        span = problem.span
        assert text.splitlines()[span.line - 1][span.column - 1 :].startswith(word), problem.render()


def test_without_cases_nothing_is_known(folder: Path, tmp_path: Path) -> None:
    (bicycle(tmp_path / "without") / "cases.yaml").unlink()
    found = suites(tmp_path / "without", folder)
    assert "there are no cases" in found[0].problems
    assert page(found).splitlines()[-1] == "1 passed, 7 failed, 1 ruleset not run"
    assert as_json(found)["not_run"] == 1


def test_engines_are_closed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    monkeypatch.setattr(Evaluator, "close", lambda self: closed.append(self.checked.ruleset.id))
    suites(folder)
    assert closed == ["bicycle"]
