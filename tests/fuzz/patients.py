"""Mutated files of patients through `pluis evaluate`: every patient gets a decision or an error, and no traceback.

Where a decision comes, it is the one that `decide` gives for the answers as they stand in the file.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from hypothesis import strategies as st

from engine import cli
from engine.cli import asking
from engine.decide.answers import Given, given
from engine.decide.canonical import decision_digest
from engine.decide.cases import case_answers
from engine.decide.evaluate import Evaluator
from engine.rules.load import load, load_cases
from engine.serve.registry import Registry
from tests.fuzz import trees
from tests.fuzz.tally import DECIDED, REFUSED, Tally
from tests.fuzz.trees import Draw, Tree

FOLDER = Path(__file__).parents[2] / "rulesets" / "low_back_pain"


@cache
def evaluator() -> Evaluator:
    return Evaluator(load(FOLDER))


@cache
def registry() -> Registry:
    """Loaded once: the command would load it for every file."""
    return Registry(FOLDER.parent)


@cache
def patients() -> tuple[Tree, ...]:
    """The answers of the ruleset's own cases, as people write them in files."""
    checked = evaluator().checked
    return tuple(
        {
            "ruleset": checked.ruleset.id,
            "answers": {name: _written(each) for name, each in case_answers(checked.ruleset, case).items()},
            "none_of": list(case.none_of),
        }
        for case in load_cases(FOLDER, checked)
    )


def _written(answer: Given) -> Tree:
    if answer.kind is None:
        return "unknown"
    return list(answer.value) if isinstance(answer.value, tuple) else str(answer.value)


def one(draw: Draw, tally: Tally, folder: Path) -> None:
    """One mutated file, and what must hold of what is printed."""
    chosen = draw(st.lists(st.sampled_from(patients()), min_size=1, max_size=3))
    wild = draw(st.sampled_from((0, 0, 1, 2)))
    tree = trees.mutated(draw, chosen, wild, 0)
    for patient in tree if isinstance(tree, list) else ():
        _answered_otherwise(draw, patient)
    suffix, text = draw(st.sampled_from((_json, _json_lines, _yaml)))(tree)
    file = folder / f"patients.{suffix}"
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    code, out, err = _pluis("evaluate", str(file), "--json")
    assert "Traceback" not in out + err
    assert code in (0, 2, 3), err
    results = [json.loads(line) for line in out.splitlines()]
    assert results, text
    # A file that cannot be read to its end is told once, in the place of those that were not read.
    assert len(results) == len(tree) or code == 2, text
    for number, result in enumerate(results):
        if "error" in result:
            _error_is_clear(result["error"])
            tally.add(REFUSED)
        else:
            assert "decision" in result or "needsAnswers" in result, result
            if len(results) == len(tree):
                _decision_is_right(tree[number], result)
            tally.add(DECIDED)
    assert (code == 2) is any("error" in result for result in results)


def _answered_otherwise(draw: Draw, patient: Tree) -> None:
    """A few answers of a patient change into others that may fit."""
    if not isinstance(patient, dict) or not isinstance(patient.get("answers"), dict) or not patient["answers"]:
        return
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(sorted(patient["answers"], key=str)))
        question = evaluator().checked.ruleset.questions.get(name)
        options = (*(question.options if question else ()), "unknown", "yes", "no", "0", "12", "0.5", "-1", "x")
        patient["answers"][name] = draw(st.sampled_from(options))


def _error_is_clear(error: Mapping[str, Any]) -> None:
    assert error["code"] in ("INVALID_ARGUMENT", "NOT_FOUND"), error
    assert error["message"] and (error["violations"] or error["reason"])
    for each in error["violations"]:
        assert each["code"] and each["description"], error


def _decision_is_right(patient: Tree, response: Mapping[str, Any]) -> None:
    """As `decide` says for the texts of the file. Keys that stand there twice are never decided upon."""
    assert isinstance(patient, dict)
    answers = {
        name: given(tuple(map(str, each)) if isinstance(each, list) else str(each))
        for name, each in patient.get("answers", {}).items()
    }
    assert not any(trees.TWIN in str(key) for key in (*patient, *answers))
    typed = evaluator().read(answers, patient.get("none_of") or ())
    outcome = evaluator().evaluate(typed).outcome
    assert response["decisionDigest"] == decision_digest(evaluator().checked, outcome)


def _json(tree: Tree) -> tuple[str, str]:
    return "json", trees.write(tree)


def _json_lines(tree: Tree) -> tuple[str, str]:
    rows = tree if isinstance(tree, list) else [tree]
    lines = (json.dumps(each, ensure_ascii=False).replace(json.dumps(trees.TWIN)[1:-1], "") for each in rows)
    return "jsonl", "\n".join(lines) + "\n"


def _yaml(tree: Tree) -> tuple[str, str]:
    """As a list of patients; a key cannot be written twice by this writer, so twins are strange keys here."""
    return "yaml", yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)


def _pluis(*arguments: str) -> tuple[int, str, str]:
    """The command in this process: exit code, output, errors."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["pluis", *arguments]),
        patch.object(asking, "_registry", lambda _: registry()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as ended:
            assert isinstance(ended.code, int)
            return ended.code, out.getvalue(), err.getvalue()
    raise AssertionError("the command did not end the process")
