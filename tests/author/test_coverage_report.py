"""What cases reach is told whole and safely, at a terminal, to a program and on a page that needs nothing else."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.author.coverage import LeftOut, coverage
from engine.author.coverage_html import render_page
from engine.author.coverage_report import as_json, render_coverage
from engine.cli import app
from engine.rules.load import load_cases
from tests.rules.bicycle import FOLDER, valid

VOID = {"meta", "br", "hr"}
HERE = Path("bicycle")
FOUND = coverage(valid(), load_cases(FOLDER, valid()))
UNSAFE = '<img src=x onerror="alert(1)">&'


class Reader(HTMLParser):
    """Holds the tags against each other and keeps what a page says and asks for."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data


def terminal(width: int = 100) -> str:
    return "\n".join(line.text for line in render_coverage(FOUND, HERE, width))


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["coverage", *arguments])
    return done.exit_code, done.output


def test_the_page_for_a_terminal() -> None:
    told = terminal()
    assert told.startswith("bicycle 1.0.0 (bicycle)\n2 cases\nrules       50.0 %  5 of 10\n")
    assert "\nthe whole  47.6 %  41 of 86\nunknowns: 7.1 %  1 of 14 (" in told
    assert "\nrule E01 (emergency)\n  - no case has a patient in whom `E01` holds only because of" in told
    assert "\n    ruleset.yaml:26:19\n" in told
    assert "refuse\n  not measurable by cases: " in told and "owned_long_before_built  ruleset.yaml:53:3" in told


def test_every_miss_is_on_every_page() -> None:
    missed = [item.missed for item in FOUND.items if not item.covered]
    assert len(missed) > 50
    page = Reader(render_page([(HERE, FOUND)]))
    flat = " ".join(terminal().split())
    told = json.loads(json.dumps(as_json([(HERE, FOUND)])))["rulesets"][0]
    for each in missed:
        assert each in flat
        assert each.replace("`", "") in page.text
    assert [item["missed"] for item in told["items"] if item["case"] is None] == missed


def test_the_document_for_a_program() -> None:
    told = as_json([(HERE, FOUND)])["rulesets"][0]
    assert (told["id"], told["cases"], told["covered"], told["total"]) == ("bicycle", 2, 41, 86)
    assert told["summary"][0] == {"kind": "rules", "covered": 5, "total": 10, "counted": True}
    assert told["summary"][-1] == {"kind": "unknowns", "covered": 1, "total": 14, "counted": False}
    assert told["items"][0] == {
        "kind": "rules", "of": "rule", "id": "E01", "disposition": "emergency", "part": "", "side": "true",
        "place": "ruleset.yaml:25:3", "case": "BIKE-1",
    }  # fmt: skip
    assert [each["id"] for each in told["not_measurable"]] == ["owned_before_built", "owned_long_before_built"]


def test_the_html_page_is_whole_and_asks_for_nothing() -> None:
    text = render_page([(HERE, FOUND), (Path("another"), FOUND)])
    page = Reader(text)
    assert page.open == []
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert not {name for name, _ in page.attributes} & {"src", "href", "style", "onclick"}
    assert not re.search(r"https?:|//|url\(|@import", text)
    assert ("lang", "en") in page.attributes and ("name", "viewport") in page.attributes
    assert "@media print" in text and text.count("<h1>") == 1
    assert page.text.count("47.6 %") == 2


def test_what_an_author_or_a_folder_is_called_stays_text() -> None:
    items = tuple(replace(item, case=item.case and UNSAFE) for item in FOUND.items)
    unsafe = replace(
        FOUND, ruleset=UNSAFE, version=UNSAFE, items=items, left_out=(LeftOut(UNSAFE, f"`{UNSAFE}`\x1b[31m"),)
    )
    text = render_page([(Path(UNSAFE), unsafe)])
    assert "<img" not in text
    assert Reader(text).text.count(UNSAFE) > 10
    assert "\x1b" not in "".join(line.text for line in render_coverage(unsafe, Path(UNSAFE), 80))


@pytest.mark.parametrize(("percent", "code"), [("0", 0), ("47.67", 0), ("47.68", 4), ("100", 4)])
def test_the_exit_code(percent: str, code: int) -> None:
    """41 of 86 are 47.674 percent."""
    assert run(str(FOLDER), "--fail-under", percent)[0] == code


def test_the_command_writes_what_it_is_asked_for(tmp_path: Path) -> None:
    code, out = run(str(FOLDER), "--json", "--html", str(tmp_path / "page.html"))
    assert code == 0
    assert json.loads(out)["rulesets"][0]["id"] == "bicycle"
    assert "<h2>bicycle 1.0.0</h2>" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_ruleset_that_is_wrong_is_told_and_hides_no_other(tmp_path: Path) -> None:
    for name in ("right", "wrong"):
        shutil.copytree(FOLDER, tmp_path / name)
    wrong = "cases: {A: {answers: {bike_ag: 1}, expect: {disposition: emergency}}}\n"
    (tmp_path / "wrong" / "cases.yaml").write_text(wrong, encoding="utf-8")
    code, out = run(str(tmp_path))
    assert code == 2
    assert "no question `bike_ag`" in out and "41 of 86" in out


def test_without_cases_nothing_is_reached(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "bicycle")
    (tmp_path / "bicycle" / "cases.yaml").unlink()
    code, out = run(str(tmp_path), "--fail-under", "0.1")
    assert code == 4
    assert "0.0 %  0 of 86" in out
