"""Every problem of a ruleset, its cases and its texts, for a person at a terminal, for a program, or for a review.

`text` is what a person reads, `json` what a program or an editor takes, `github` are workflow commands that show each
problem beside its line in a pull request.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from engine.author.readability import find_hard_texts
from engine.author.signed_report import find_unsound_signatures
from engine.errors import RulesetError
from engine.rules.check_logic import advise
from engine.rules.load import load_cases, read_ruleset
from engine.rules.problem import Problem, Problems


class Format(Enum):
    """For whom problems are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def lint_folder(folder: Path) -> Problems:
    """Every problem of the ruleset in a folder today. What needs a valid ruleset is looked at only when it is one."""
    checked, problems = read_ruleset(folder)
    if checked is None:
        return problems
    found: list[Problem] = [*problems, *advise(checked), *find_hard_texts(checked.ruleset)]
    try:
        load_cases(folder, checked)
    except RulesetError as error:
        found.extend(error.problems)
    found.extend(find_unsound_signatures(folder, checked, datetime.now(UTC).date()))
    return Problems(found)


def render_lint(results: Iterable[tuple[Path, Problems]], format: Format) -> str:
    """The problems of some folders as text, without a final line break."""
    match format:
        case Format.TEXT:
            return "\n".join(_text(folder, problems) for folder, problems in results)
        case Format.JSON:
            content = [_content(problem) for _, problems in results for problem in problems]
            return json.dumps(content, indent=2)
        case Format.GITHUB:
            return "\n".join(_command(problem) for _, problems in results for problem in problems)


def _text(folder: Path, problems: Problems) -> str:
    count = f"{_counted(len(problems.errors), 'error')}, {_counted(len(problems.warnings), 'warning')}"
    return "\n".join(filter(None, [problems.render(), f"{folder}: {count}"]))


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _content(problem: Problem) -> dict[str, str | int]:
    """One problem as JSON values. Lines and columns count from 1, and the end is the first column that is fine."""
    span = problem.span
    return {
        "code": problem.code,
        "severity": problem.severity.value,
        "file": span.source.name,
        "line": span.line,
        "column": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
        "message": problem.message,
        "help": problem.help,
    }


def _command(problem: Problem) -> str:
    """One workflow command. Its data and its properties are escaped each in their own way."""
    span = problem.span
    properties = {
        "file": span.source.name,
        "line": span.line,
        "col": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
        "title": problem.code,
    }
    told = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    message = f"{problem.message}\nhelp: {problem.help}" if problem.help else problem.message
    return f"::{problem.severity.value} {told}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
