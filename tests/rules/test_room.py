"""The room as a whole: its examples are true, its libraries have one door, problems render as designed."""

from __future__ import annotations

import ast
import doctest
import importlib
from pathlib import Path

import pytest

import engine.rules
from engine.errors import AnswersError, EngineError, EngineFault, EvaluatorsDisagree, PluisError, Violation
from engine.rules.problem import Problem, Problems, error, warning
from engine.rules.source import Source, Span

FILES = sorted(Path(engine.rules.__path__[0]).glob("*.py"))
SOURCE = Source("a.yaml", "fever: yess\ncough: no\n")


def imports(file: Path) -> set[str]:
    """Every module that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_examples_are_true(file: Path) -> None:
    result = doctest.testmod(importlib.import_module(f"engine.rules.{file.stem}".removesuffix(".__init__")))
    assert result.failed == 0


def test_there_are_examples() -> None:
    modules = [importlib.import_module(f"engine.rules.{stem}") for stem in ("problem", "scalar", "source", "suggest")]
    assert sum(doctest.testmod(module).attempted for module in modules) >= 8


@pytest.mark.parametrize(("library", "door"), [("yaml", "document"), ("pydantic", "shape")])
def test_each_library_has_one_door(library: str, door: str) -> None:
    through = {file.stem for file in FILES for name in imports(file) if name.split(".")[0] == library}
    assert through == {door}


def test_the_room_reads_no_later_room() -> None:
    for file in FILES:
        for name in imports(file):
            assert not name.startswith("engine.") or name.startswith(("engine.rules", "engine.errors")), (file, name)


def test_only_load_touches_files() -> None:
    through = {file.stem for file in FILES if {"pathlib", "os", "io"} & imports(file)}
    assert through == {"load"}


def _at(line: int, column: int, code: str = "x", make: object = error) -> Problem:
    assert make in (error, warning)
    build = error if make is error else warning
    return build(code, Span(SOURCE, line, column, line, column + 1), "message")


def test_problems_are_sorted_and_told_once() -> None:
    found = Problems([_at(2, 1), _at(1, 5, "b"), _at(1, 5, "a"), _at(2, 1)])
    assert [(each.span.line, each.span.column, each.code) for each in found] == [(1, 5, "a"), (1, 5, "b"), (2, 1, "x")]


def test_problems_are_true_when_there_is_an_error() -> None:
    assert not Problems()
    assert not Problems([_at(1, 1, make=warning)])
    assert Problems([_at(1, 1)])


def test_warnings_do_not_push_out_errors() -> None:
    found = Problems([*(_at(1, column, make=warning) for column in range(1, 200)), _at(2, 1)])
    assert found and found.left_out == 100
    assert len(found.errors) == 1


def test_a_message_is_one_line() -> None:
    problem = error("x", Span(SOURCE, 1, 1, 1, 2), "one\n  two " + "w" * 1000)
    assert "\n" not in problem.message and len(problem.message) <= 400


def test_a_line_too_long_to_read_is_not_shown() -> None:
    problem = error("x", Span(Source("a", "w" * 1000), 1, 1, 1, 2), "message", "remedy")
    assert problem.render() == "a:1:1: error[x]: message\n   help: remedy"


def test_exceptions_are_one_tree() -> None:
    assert issubclass(EngineFault, EngineError) and issubclass(EvaluatorsDisagree, EngineError)
    assert issubclass(EngineError, PluisError) and issubclass(AnswersError, PluisError)
    assert EvaluatorsDisagree("E01").details == "E01"


def test_violations_are_sorted_and_their_messages_stay_out_of_logs() -> None:
    found = AnswersError(
        [Violation("b", "two", "secret"), Violation("a", "one", "secret"), Violation("a", "one", "secret")]
    )
    assert [each.field for each in found.violations] == ["a", "b"]
    assert "secret" not in str(found)
