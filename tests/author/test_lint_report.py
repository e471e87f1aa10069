"""What lint says reaches its reader whole: a person, a program, or a review, each with the same problems."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from engine.author.lint_report import Format, lint_folder, render_lint
from engine.rules.problem import Problem, Problems, error, warning
from engine.rules.source import Source, Span
from tests.rules.bicycle import FOLDER
from tests.rules.wrong import lint

SPAN = Span(Source("rulesets/a,b/c:d%.yaml", "fever: 100%\ncough: no\n"), 1, 8, 1, 12)
FOUND = Problems(
    [
        error("unknown-option", SPAN, "no option `100%`, or: `x`", "write `yes`, or 50%"),
        warning("unused-finding", SPAN, "x"),
    ]
)
NOTHING = Problems()


def test_json_has_every_field_of_every_problem() -> None:
    told = json.loads(render_lint([(Path("a"), FOUND), (Path("b"), NOTHING), (Path("c"), FOUND)], Format.JSON))
    assert len(told) == 4
    assert told[0] == {
        "code": "unknown-option",
        "severity": "error",
        "file": "rulesets/a,b/c:d%.yaml",
        "line": 1,
        "column": 8,
        "endLine": 1,
        "endColumn": 12,
        "message": "no option `100%`, or: `x`",
        "help": "write `yes`, or 50%",
    }
    assert (told[1]["severity"], told[1]["help"]) == ("warning", "")


def test_without_problems_json_is_an_empty_list_and_a_review_says_nothing() -> None:
    assert json.loads(render_lint([(Path("a"), NOTHING)], Format.JSON)) == []
    assert render_lint([(Path("a"), NOTHING)], Format.GITHUB) == ""
    assert render_lint([(Path("a"), NOTHING)], Format.TEXT) == "a: 0 errors, 0 warnings"


def test_a_review_gets_one_escaped_command_for_each_problem() -> None:
    first, second = render_lint([(Path("a"), FOUND)], Format.GITHUB).split("\n")
    assert first == (
        "::error file=rulesets/a%2Cb/c%3Ad%25.yaml,line=1,col=8,endLine=1,endColumn=12,title=unknown-option"
        "::no option `100%25`, or: `x`%0Ahelp: write `yes`, or 50%25"
    )
    assert second.startswith("::warning ") and second.endswith("title=unused-finding::x")


@pytest.mark.parametrize("text", ["a\r\nb", "a%0Ab", "a::b,c=d", "%", ":,", "::error::x"])
def test_whatever_an_author_writes_can_be_read_back(text: str) -> None:
    span = Span(Source(text, ""), 1, 1, 1, 1)
    command = render_lint(
        [(Path("a"), Problems([Problem("bad-id", FOUND.errors[0].severity, span, text)]))], Format.GITHUB
    )
    found = re.fullmatch(
        r"::error file=([^,:\r\n]*),line=1,col=1,endLine=1,endColumn=1,title=bad-id::([^\r\n]*)", command
    )
    assert found, command
    assert (unquote(found[1]), unquote(found[2])) == (text, text)


def test_text_is_as_the_terminal_shows_it() -> None:
    assert render_lint([(Path("a"), FOUND)], Format.TEXT) == f"{FOUND.render()}\na: 1 error, 1 warning"


def test_a_valid_ruleset_has_no_problem() -> None:
    assert lint_folder(FOLDER).render() == ""


def test_all_sorts_of_problems_come_together(tmp_path: Path) -> None:
    problems = lint(
        tmp_path,
        [
            ("ruleset.yaml", "SN-02: {when: {brakes_fail: no}}", "SN-02: {when: {bike_age: {above: 80}}}"),
            ("texts.nl.yaml", "ADV-002: Lees het boekje", "ADV-002: Lees derhalve het boekje"),
            ("cases.yaml", "call: gp_or_hap_now", "call: somebody"),
        ],
    )
    assert [problem.code for problem in problems] == ["outside-scale", "never-true", "hard-word"]
