"""`pluis impact` as a clinic group meets it: from folders, digests and a table to a page, a document and exit codes."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pyarrow import parquet

from engine.cli import main
from engine.decide.answers import Given, plain_number
from engine.population import impact_run
from engine.population.impact import Impact, Listing, Sums
from engine.population.impact_told import as_json, tell
from engine.population.rows import Row, Source, Task
from engine.population.running import Summary
from engine.population.writing import Place
from tests.population.impact_world import FINE, NEW, OLD, checked, rows
from tests.population.running import COMMAND
from tests.record.decided import SUBJECT
from tests.record.world import World

ROWS = 400
Ran = tuple[int, str, str]
Run = Callable[..., Ran]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder to be in, with both versions, as `rulesets/old` and `rulesets/new`, and `year.csv`."""
    for name, texts in (("old", OLD), ("new", NEW)):
        write(tmp_path / "rulesets" / name, texts)
    table(tmp_path / "year.csv", ROWS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLUIS_RULESETS", str(tmp_path / "rulesets"))
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], place: Path) -> Run:
    """Runs the command in this process, chunk by chunk instead of by Daft."""
    monkeypatch.setattr(impact_run, "run", here)

    def _run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["pluis", "impact", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return (ended.value.code, *capfd.readouterr())

    return _run


def here(source: Source, task: Task, out: str, *_: object) -> Summary:
    """What a run writes and adds up, without its engine."""
    Place(out).made()
    chunks = source.chunks()
    for chunk in chunks:
        Place(out).write_chunk(chunk, task, task.do(source.read(chunk)))
    told = [counts for chunk in chunks if (counts := Place(out).counts(chunk)) is not None]
    tally = sum((Counter(each.tally) for each in told), Counter[str]())
    rows = sum(each.rows for each in told)
    return Summary(len(told), 0, rows, rows, 0, tally)


def write(folder: Path, texts: Mapping[str, str]) -> None:
    folder.mkdir(parents=True)
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")


def table(path: Path, count: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["id", *FINE, "group_shop", "group_year"])
        for row in rows(count):
            said = [cell(row.answers[name]) if name in row.answers else "" for name in FINE]
            lines.writerow([row.id, *said, row.groups["shop"], row.groups["year"]])


def cell(answer: Given) -> str:
    if answer.kind is None:
        return "unknown"
    return "|".join(answer.value) if isinstance(answer.value, tuple) else plain_number(answer.value)


def test_a_page_a_document_and_the_rows_that_change(run: Run, place: Path) -> None:
    told(run, place)


@pytest.mark.slow
def test_the_same_by_daft(place: Path) -> None:
    def by_daft(*arguments: object) -> Ran:
        command = [*COMMAND[:-1], "impact", *map(str, arguments)]
        done = subprocess.run(command, text=True, capture_output=True, timeout=600, check=False)
        return done.returncode, done.stdout, done.stderr

    told(by_daft, place)


def told(run: Run, place: Path) -> None:
    """Everything that the command can write is what the sums in this process say."""
    named = "--json", "--page", "page.html", "--changed", "changed.parquet", "--work", "work", "--language", "en"
    code, out, err = run("rulesets/old", checked(NEW).digest[:16], "year.csv", *named)
    assert (code, err) == (5, "")
    said = json.loads(out)
    assert said["rows"] == ROWS
    found = [Row(row.number, row.id, row.answers, groups=row.groups) for row in rows(ROWS)]
    sums = Sums.of(Impact(OLD, NEW, Listing.NUMBERS).do(found).tally)
    assert said == as_json(tell(sums), checked(OLD), checked(NEW))
    assert "What would change: bicycle 1.0.0 to 2.0.0" in (place / "page.html").read_text("utf-8")
    changed = parquet.read_table("changed.parquet").to_pylist()
    unchanged = ("same", "unreadable", "refused_by_both")
    expected = [each for each in Impact(OLD, NEW, Listing.CHANGES).do(found).records if each[2] not in unchanged]
    assert [tuple(each.values()) for each in changed] == expected
    assert (place / "changed.parquet").stat().st_mode & 0o077 == 0


def test_the_same_version_changes_nothing_and_leaves_nothing(run: Run, place: Path) -> None:
    code, out, _ = run("rulesets/new", "rulesets/new", "year.csv")
    assert code == 0
    assert "400  Patiënten in de invoer" in out
    assert sorted(each.name for each in place.iterdir()) == ["rulesets", "year.csv"]


def test_a_version_that_only_the_decision_log_has(run: Run, place: Path) -> None:
    world = World(place)
    world.record("w", SUBJECT)
    digest = checked(OLD).digest
    code, out, err = run(digest, "rulesets/new", "year.csv", "--json", "--rulesets", "none", "--log", place / "log")
    assert code == 5, err
    assert json.loads(out)["old"]["digest"] == digest


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("rulesets/old", "0123456789abcdef", "year.csv"), 2, "no ruleset of digest `0123456789abcdef`"),
        (("rulesets/old", "nowhere", "year.csv"), 2, "there is no such file"),
        (("rulesets/old", "rulesets/new", "year.csv", "--language", "fr"), 2, "not in `fr`"),
        (("rulesets/old", "rulesets/new", "none.csv"), 1, "none.csv"),
        (("rulesets/old", "rulesets/new", "year.csv", "--engine", "ray", "--address", "127.0.0.1:1"), 2, "--work"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, arguments: tuple[str, ...], code: int, told: str) -> None:
    ended, out, err = run(*arguments)
    assert (ended, out) == (code, "")
    assert told in err


def test_an_input_without_rows_is_no_population(run: Run, place: Path) -> None:
    (place / "none.csv").write_text("id,rust\n", "utf-8")
    code, out, err = run("rulesets/old", "rulesets/new", "none.csv", "--changed", "changed.parquet")
    assert (code, out, err) == (1, "", "pluis: the input has no rows\n")
    assert not (place / "changed.parquet").exists()


def test_a_file_of_changed_rows_is_never_written_over(run: Run, place: Path) -> None:
    (place / "changed.parquet").write_bytes(b"kept")
    code, _, err = run("rulesets/old", "rulesets/new", "year.csv", "--changed", "changed.parquet")
    assert code == 1
    assert "changed.parquet" in err
    assert (place / "changed.parquet").read_bytes() == b"kept"
