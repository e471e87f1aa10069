"""What `pluis explain` says is true: each code is explained, its wrong example gives it, its right one is fine."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.author.explanations import FILE, NoSuchCode, explanations, list_codes, render_explanation
from engine.rules import document
from engine.rules.codes import CODES
from engine.rules.source import Source
from tests.rules.wrong import lint

ALSO = {"unused-question": [("texts.nl.yaml", "  tyre_bar: {", "  colour_known: {text: Kleur bekend?}\n  tyre_bar: {")]}
"""What an example needs in another file to be wrong in one way only."""


def test_every_code_is_explained_and_nothing_else() -> None:
    node, problems = document.read(Source(FILE.name, FILE.read_text(encoding="utf-8")))
    assert isinstance(node, document.Mapping) and not problems
    assert [key.text for key, _ in node.entries] == list(CODES)
    assert tuple(explanations()) == CODES
    keys = {key.text for _, entry in node.entries if isinstance(entry, document.Mapping) for key, _ in entry.entries}
    assert keys == {"title", "means", "matters", "file", "at", "wrong", "right"}


@pytest.mark.parametrize("code", CODES)
def test_the_wrong_example_gives_this_code_alone(code: str, tmp_path: Path) -> None:
    it = explanations()[code]
    problems = lint(tmp_path, [(it.file, it.at, it.wrong), *ALSO.get(code, ())])
    assert {problem.code for problem in problems} == {code}, problems.render()


@pytest.mark.parametrize("code", CODES)
def test_the_right_example_gives_no_problem(code: str, tmp_path: Path) -> None:
    it = explanations()[code]
    assert lint(tmp_path, [(it.file, it.at, it.right), *ALSO.get(code, ())]).render() == ""


@pytest.mark.parametrize("code", CODES)
def test_explanations_keep_the_habits(code: str) -> None:
    it = explanations()[code]
    assert it.title[0].islower() or it.title.startswith("YAML")
    assert not it.title.endswith(".") and len(it.title) <= 60
    for text in (it.means, it.matters):
        assert text.endswith(".") and (text[0].isupper() or text[0] in "`*"), text
    lines = [line.text for line in render_explanation(code, 80)]
    assert lines[0] == f"{code}: {it.title}"
    assert "Why it matters" in lines and f"Wrong, in {it.file}" in lines and f"Right, in {it.file}" in lines


def test_the_list_has_a_line_for_each_code() -> None:
    lines = [line.text for line in list_codes(100)]
    assert [line.split()[0] for line in lines] == list(CODES)


def test_a_code_can_be_pasted_as_lint_shows_it() -> None:
    assert list(render_explanation("error[bad-date]", 80)) == list(render_explanation("bad-date", 80))
    assert list(render_explanation("[bad-date]", 80)) == list(render_explanation("bad-date", 80))


@pytest.mark.parametrize(("code", "said"), [("bad-dates", "did you mean `bad-date`?"), ("x", "`pluis explain` lists")])
def test_an_unknown_code_is_said_so(code: str, said: str) -> None:
    with pytest.raises(NoSuchCode, match="no problem has the code") as raised:
        render_explanation(code, 80)
    assert said in str(raised.value)
