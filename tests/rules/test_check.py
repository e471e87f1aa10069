"""Every way of being wrong, one a file: what an author is told, word for word.

A file in `tests/data/invalid/` lists changes to the minimal ruleset and is named after the problem's code (behind `--`
stands a variant); the `.txt` beside it is what the terminal shows. `make accept` writes those anew: read the diff.
"""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path

import pytest

import engine.rules
from engine.rules import document
from engine.rules.cases import parse_cases
from engine.rules.condition import All, Compare, Sum, leaves
from engine.rules.load import build
from engine.rules.problem import Problems
from engine.rules.sites import sites
from engine.rules.source import Source
from tests.rules.bicycle import sources, valid

INVALID = Path(__file__).parent.parent / "data" / "invalid"
FILES = sorted(INVALID.glob("*.yaml"))


def problems_of(file: Path) -> Problems:
    """The problems of the minimal ruleset after the changes that a file lists."""
    node, wrong = document.read(Source(file.name, file.read_text(encoding="utf-8")))
    assert isinstance(node, document.Sequence) and not wrong
    changes = []
    for change in document.plain(node):
        changes.append((change["file"], change["replace"], change.get("with", "")))
    texts = sources(changes)
    checked, problems = build(texts)
    if checked is None:
        return problems
    cases, wrong = document.read(texts["cases.yaml"])
    return Problems([*problems, *wrong, *(parse_cases(cases, checked)[1] if cases else ())])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_author_is_told_exactly(file: Path) -> None:
    problems = problems_of(file)
    golden = file.with_suffix(".txt")
    said = problems.render() + "\n"
    if os.environ.get("ACCEPT"):
        golden.write_text(said, encoding="utf-8")
    assert said == golden.read_text(encoding="utf-8")
    assert file.stem.split("--")[0] in {problem.code for problem in problems}


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
        assert problem.span.source.name in {"ruleset.yaml", "texts.nl.yaml", "cases.yaml"}


def test_every_code_has_a_file() -> None:
    """The codes are read from the program, so that a new check cannot go without an example."""
    room = Path(engine.rules.__path__[0])
    program = "\n".join(file.read_text(encoding="utf-8") for file in room.glob("*.py"))
    codes = set(re.findall(r'\b(?:error|warning|refuse)\(\s*"([a-z-]+)"', program))
    codes |= set(re.findall(r'error\("([a-z-]+)"', program))
    named = re.findall(r'yield "(question|finding|parameter|rule|group|evidence)"', program)
    codes |= {f"unknown-{what}" for what in (*named, "advice", "safety-net")}
    codes |= {f"unused-{what}" for what in ("question", "finding", "parameter", "evidence")}
    # Whole files: these have their tests in test_document and test_load.
    elsewhere = {"too-large", "too-deep", "empty-document", "file-missing", "file-unreadable", "bad-encoding"}
    assert codes - elsewhere <= {file.stem.split("--")[0] for file in FILES}
    assert len(codes) > 60


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
