"""Every way of being wrong, one a file: what an author is told, word for word.

A file in `tests/data/invalid/` lists changes to the minimal ruleset and is named after the problem's code (behind `--`
stands a variant); the `.txt` beside it is what the terminal shows. `make accept` writes those anew: read the diff.
Every code has an example in block style and one in flow style, seen by where its problem stands.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
import yaml

from engine.rules import document
from engine.rules.codes import CODES
from engine.rules.condition import All, Compare, Sum, leaves
from engine.rules.load import build
from engine.rules.problem import Problem, Problems
from engine.rules.sites import sites
from engine.rules.source import Source
from tests.rules.bicycle import sources, valid
from tests.rules.wrong import WHOLE, lint

INVALID = Path(__file__).parent.parent / "data" / "invalid"
FILES = sorted(INVALID.glob("*.yaml"))

STYLELESS = {
    "empty-document": "there is nothing in the file",
    "file-missing": "there is no file",
    "file-unreadable": "there is no text",
    "too-large": "nothing of the file is read",
    "approval-invalid": "approvals are JSON",
    "approval-outdated": "approvals are JSON",
    "approval-unknown-key": "approvals are JSON",
    "certificate-invalid": "a certificate is JSON",
}
"""Codes of problems that have no style, with the reason."""


@cache
def problems_of(file: Path) -> Problems:
    """The problems of the minimal ruleset after the changes that a file lists."""
    node, wrong = document.read(Source(file.name, file.read_text(encoding="utf-8")))
    assert isinstance(node, document.Sequence) and not wrong
    changes = [(it["file"], it.get("replace", WHOLE), it.get("with", "")) for it in document.plain(node)]
    with tempfile.TemporaryDirectory() as folder:
        return lint(Path(folder), changes)


def code_of(file: Path) -> str:
    return file.stem.partition("--")[0]


def styles(file: Path) -> Iterator[str]:
    """The styles in which the problems stand that a file is named after; of text that cannot be parsed, by its name."""
    for problem in problems_of(file):
        if problem.code != code_of(file):
            continue
        try:
            yield style(problem)
        except yaml.YAMLError:
            named = file.stem.partition("--")[2].partition("-")[0]
            yield from {named} & {"block", "flow"}


def style(problem: Problem) -> str:
    """`flow` where the place of a problem is, or is inside, braces or brackets; of a section, where its value is."""
    place = (problem.span.line, problem.span.column)
    around: list[bool] = []
    section = False
    for event in yaml.parse(problem.span.source.text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        begins = isinstance(event, yaml.CollectionStartEvent)
        if section and begins:
            return "flow" if event.flow_style else "block"
        if isinstance(event, yaml.CollectionEndEvent):
            around.pop()
        braces = begins and event.flow_style
        mark = event.start_mark if begins else event.end_mark
        reached = (mark.line + 1, mark.column + 1) > place or (braces and (mark.line + 1, mark.column + 1) == place)
        if reached and (braces or isinstance(event, yaml.ScalarEvent | yaml.AliasEvent)):
            section = place[1] == 1 and len(around) == 1 and not around[0]
            if not section:
                return "flow" if braces or (around and around[-1]) else "block"
        if begins:
            around.append(event.flow_style)
    return "block"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_author_is_told_exactly(file: Path) -> None:
    problems = problems_of(file)
    golden = file.with_suffix(".txt")
    said = problems.render() + "\n"
    if os.environ.get("ACCEPT"):
        golden.write_text(said, encoding="utf-8")
    assert said == golden.read_text(encoding="utf-8")
    assert code_of(file) in {problem.code for problem in problems}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_messages_keep_the_habits(file: Path) -> None:
    for problem in problems_of(file):
        for line in (problem.message, problem.help):
            assert not line.endswith(".") and "\n" not in line, line
            # pydantic's and PyYAML's own phrases
            assert not re.search(
                r"(?i)input should|field required|validation|extra inputs|while (scanning|parsing)", line
            )
        assert problem.message[0] == problem.message[0].lower()
        assert problem.span.source.name in {
            "ruleset.yaml", "texts.nl.yaml", "cases.yaml", "approvals.json", "certificate.json",
        }  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_an_example_in_each_style(code: str) -> None:
    """The codes come from the registry, whose type lets no other code pass, so that no check goes without examples."""
    files = [file for file in FILES if code_of(file) == code]
    assert files, f"add tests/data/invalid/{code}--block.yaml and {code}--flow.yaml"
    if code not in STYLELESS:
        assert {style for file in files for style in styles(file)} == {"block", "flow"}


def test_every_file_is_named_after_a_code() -> None:
    assert {code_of(file) for file in FILES} == set(CODES)
    assert set(STYLELESS) <= set(CODES)


def test_every_golden_text_has_its_file() -> None:
    assert {file.stem for file in INVALID.glob("*.txt")} == {file.stem for file in FILES}


def test_the_minimal_ruleset_has_no_problem() -> None:
    checked, problems = build(sources())
    assert checked is not None
    assert problems.render() == ""


def test_operands_are_typed() -> None:
    checked = valid()
    types: dict[str, set[type]] = {}
    for site in sites(checked.ruleset):
        for leaf in leaves(site.condition):
            if isinstance(leaf, Compare):
                types.setdefault(leaf.question, set()).update(type(operand) for operand in leaf.operands)
    assert types["bike_age"] == {int}
    assert types["tyre_bar"] == {Decimal}
    assert types["years_owned"] == {Sum}
    assert types["noise"] == types["brakes_fail"] == types["loose_parts"] == {str}


def test_a_parameter_is_replaced_by_its_value() -> None:
    when = valid(("ruleset.yaml", "value: 2.5", "value: 3.25")).ruleset.findings["soft_tyre"].when
    assert isinstance(when, Compare) and when.operands == (Decimal("3.25"),)


def test_a_whole_parameter_is_an_integer_for_an_integer_question() -> None:
    change = ("ruleset.yaml", "{bike_age: {above: 10}}", "{bike_age: {above: {parameter: low_bar}}}")
    when = valid(change, ("ruleset.yaml", "value: 2.5", "value: 3.0")).ruleset.findings["neglected"].when
    assert isinstance(when, All) and isinstance(when.members[1], Compare)
    assert when.members[1].operands == (3,) and type(when.members[1].operands[0]) is int


def test_rules_come_in_the_order_of_their_ids() -> None:
    later = (("ruleset.yaml", "  E01:\n", "  Z01:\n"), ("cases.yaml", "[E01, S01]", "[Z01, S01]"))
    assert list(valid(*later).ruleset.rules) == ["S01", "S02", "Z01"]
