"""Files and folders: what is read, what is found, and what is said when it cannot be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.errors import PluisError, RulesetError
from engine.rules.cases import Case
from engine.rules.document import LARGEST
from engine.rules.load import discover, load, load_cases, read_ruleset
from engine.rules.scale import Call, Disposition
from tests.rules.bicycle import FOLDER, valid


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the minimal ruleset that a test may spoil."""
    return Path(shutil.copytree(FOLDER, tmp_path / "bicycle"))


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def codes(folder: Path) -> list[str]:
    with pytest.raises(RulesetError) as raised:
        load(folder)
    assert isinstance(raised.value, PluisError)
    assert str(raised.value) == raised.value.problems.render()
    return [problem.code for problem in raised.value.problems]


def test_a_folder_and_its_main_file_give_the_same(folder: Path) -> None:
    assert load(folder) == load(folder / "ruleset.yaml") == load(str(folder))
    assert load(folder).digest == valid().digest


def test_warnings_do_not_stop_a_ruleset(folder: Path) -> None:
    edit(folder / "texts.nl.yaml", "  own_choice:", "  not_used: x\n  own_choice:")
    checked, problems = read_ruleset(folder)
    assert checked is not None and not problems
    assert [problem.code for problem in problems.warnings] == ["unknown-text"]


def test_what_is_not_there(tmp_path: Path) -> None:
    assert codes(tmp_path / "nowhere") == ["file-missing"]


def test_what_cannot_be_opened(folder: Path) -> None:
    (folder / "ruleset.yaml").unlink()
    (folder / "ruleset.yaml").mkdir()
    assert codes(folder) == ["file-unreadable"]


def test_what_is_not_utf_8_does_not_hide_the_rest(folder: Path) -> None:
    (folder / "texts.nl.yaml").write_bytes(b"language: nl\xff")
    edit(folder / "ruleset.yaml", "strength: policy", "strength: habit")
    assert codes(folder) == ["outside-scale", "bad-encoding"]


def test_what_is_too_large(folder: Path) -> None:
    (folder / "ruleset.yaml").write_bytes(b"#" * (LARGEST + 1))
    assert codes(folder) == ["too-large"]


def test_problems_in_several_files_come_together(folder: Path) -> None:
    edit(folder / "ruleset.yaml", "strength: policy", "strength: habit")
    edit(folder / "ruleset.yaml", "{brakes_fail: yes}", "{brakes_fail: unknown}")
    edit(folder / "texts.nl.yaml", "language: nl", "tongue: nl")
    assert codes(folder) == ["unknown-as-value", "outside-scale", "missing-key", "unknown-key"]


def test_more_problems_than_anyone_reads_are_counted(folder: Path) -> None:
    rows = "\n".join(f"  r{number}: {{}}" for number in range(130))
    edit(folder / "ruleset.yaml", "parameters:", f"parameters:\n{rows}")
    _, problems = read_ruleset(folder)
    assert (len(problems.errors), problems.left_out) == (100, 30)
    assert problems.render().endswith("\n30 more were left out")


def test_cases_are_read_as_they_are_written() -> None:
    first, second = load_cases(FOLDER, valid())
    assert (first.id, first.tags, first.language, first.none_of, first.unlisted) == (
        "BIKE-1",
        ("constructed",),
        "nl",
        ("comfort",),
        "no",
    )
    assert first.answers == {
        "bike_age": "12",
        "brakes_fail": "unknown",
        "loose_parts": ("chain", "light"),
        "tyre_bar": "2.0",
    }
    assert (first.expect.disposition, first.expect.call) == (Disposition.EMERGENCY, Call.GP_OR_HAP_NOW)
    assert (first.expect.rules, first.expect.advice, first.expect.needs_answers) == (("E01", "S01"), (), False)
    assert (second.none_of, second.expect.needs_answers, second.expect.disposition) == (("*",), True, None)
    assert (second.expect.floor, second.expect.rules) == (Disposition.SELF_CARE, None)


def test_a_ruleset_without_cases_has_none(folder: Path) -> None:
    (folder / "cases.yaml").unlink()
    assert load_cases(folder, valid()) == ()


def test_a_wrong_case_is_an_error(folder: Path) -> None:
    edit(folder / "cases.yaml", "call: gp_or_hap_now", "call: somebody")
    edit(folder / "cases.yaml", "floor: self_care", "flour: self_care")
    with pytest.raises(RulesetError) as raised:
        load_cases(folder, valid())
    assert [problem.code for problem in raised.value.problems] == ["outside-scale", "unknown-key"]


def test_a_case_without_anything_expects_nothing() -> None:
    assert Case("X").expect.disposition is None


def test_discover_finds_rulesets_and_their_versions(tmp_path: Path) -> None:
    for path in ("a", "b/1.0.0", "b/1.1.0", "c/d/e", "f"):
        (tmp_path / path).mkdir(parents=True)
        if path != "f":
            (tmp_path / path / "ruleset.yaml").touch()
    assert [path.relative_to(tmp_path).as_posix() for path in discover(tmp_path)] == ["a", "b/1.0.0", "b/1.1.0"]
