"""Whole runs: the same bytes whoever does the work, taken up again after a kill, and never over another run."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import parquet

from engine.decide.canonical import decision_digest
from engine.population.deciding import Batch, Decider
from engine.population.rows import Chunk, Done, PopulationError, Row
from engine.population.running import Work
from engine.population.tables import Csv, Parquet
from engine.population.writing import Place
from engine.rules.load import load_texts
from tests.clinical.patients import evaluator
from tests.population.patients import RULESET, patients, records, write_csv, write_parquet
from tests.population.running import batch, bytes_of, parts, started

FILES, ROWS = 6, 100


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small files, each a chunk."""
    folder = tmp_path_factory.mktemp("input")
    rows = records(FILES * ROWS)
    for at in range(FILES):
        write_parquet(folder / f"{at}.parquet", rows[at * ROWS : (at + 1) * ROWS])
    return folder


@pytest.fixture(scope="module")
def task() -> Batch:
    return Batch(Decider(load_texts(RULESET)[1]))


@pytest.fixture(scope="module")
def whole(where: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of one worker."""
    out = tmp_path_factory.mktemp("runs") / "one"
    code, told, complaints = batch(where, out, "--workers", "1")
    assert code == 0, complaints
    assert told.startswith(f"{FILES * ROWS} rows: {FILES * ROWS} decided, 0 rejected")
    return out


def test_each_row_is_decided_as_alone(whole: Path) -> None:
    found = [row for part in parts(whole) for row in parquet.read_table(part).to_pylist()]
    assert [row["number"] for row in found] == [*range(FILES * ROWS)]
    each = evaluator()
    for row, answers in zip(found, patients(FILES * ROWS), strict=True):
        outcome = each.evaluate(each.read(answers)).outcome
        assert row["decision_digest"] == decision_digest(each.checked, outcome)
        assert row["disposition"] == (outcome.disposition.word if outcome.disposition else None)
        assert (row["rules"], row["advice"]) == ([*outcome.rules], [*outcome.advice])
        assert json.loads(row["groups"]) == {"clinic": f"c{row['number'] % 3}"}


@pytest.mark.slow
def test_two_workers_write_the_same_bytes(where: Path, whole: Path, tmp_path: Path) -> None:
    assert batch(where, tmp_path / "two", "--workers", "2", "--partitions", "3")[0] == 0
    assert bytes_of(tmp_path / "two") == bytes_of(whole)


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_stopped(where: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    running = started(where, out, "--workers", "1")
    while not parts(out) and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert not (out / "summary.json").exists()
    (out / "part-00005.parquet.x.unfinished").write_bytes(b"half")
    (out / "part-00004.parquet").write_bytes(b"PAR1 and no more")
    before = {part: part.stat().st_mtime_ns for part in parts(out) if part.name != "part-00004.parquet"}
    code, told, complaints = batch(where, out)
    assert code == 0, complaints
    assert before and {part: part.stat().st_mtime_ns for part in before} == before
    assert f" of {FILES} parts had been written before" in told
    assert bytes_of(out) == bytes_of(whole)


def test_another_run_is_not_written_over(where: Path, whole: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_parquet(tmp_path / "in" / "0.parquet", records(5))
    before = bytes_of(whole)
    code, _, complaints = batch(tmp_path / "in", whole)
    assert (code, "has another run" in complaints) == (1, True)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    code, _, complaints = batch(where, tmp_path / "full")
    assert (code, "is not empty" in complaints) == (1, True)
    assert bytes_of(whole) == before


def test_bad_rows_are_rejected_and_counted(tmp_path: Path) -> None:
    rows = records(30)
    rows[3] |= {"age": "390", "fever": "perhaps"}
    rows[7]["age"] = "x"
    write_csv(tmp_path / "in.csv", rows)
    with (tmp_path / "in.csv").open("ab") as out:
        out.write(b'a,b\n\n"open\n\xff\n')
    code, told, _ = batch(tmp_path / "in.csv", tmp_path / "out")
    assert (code, told.splitlines()[0]) == (2, "34 rows: 28 decided, 6 rejected")
    found = parquet.read_table(tmp_path / "out" / "rejects-00000.parquet").to_pylist()
    assert [row["number"] for row in found] == [3, 7, 30, 31, 32, 33]
    assert [len(row["reasons"]) for row in found] == [2, 1, 1, 1, 1, 1]
    assert json.loads(found[0]["raw"])["age"] == "390"


class Losing:
    """A task that forgets a row."""

    name, fingerprint = "losing", ""
    columns: dict[str, type] = {"number": int}  # noqa: RUF012 - as the protocol has it

    def do(self, rows: Iterator[Row]) -> Done:
        return Done([(row.number,) for row in rows][1:], [])


class Failing(Losing):
    """A task whose error has a patient's answer in its text."""

    def do(self, rows: Iterator[Row]) -> Done:
        raise ValueError(f"age is {next(rows).answers['age'].value}")


def test_a_lost_row_is_a_fault(where: Path, tmp_path: Path) -> None:
    source = Parquet(str(where), evaluator().checked.ruleset)
    place = Place(str(tmp_path))
    assert (
        Work(source, Losing(), place).fault(source.chunks()[0]) == "of 100 rows 99 became records and 0 were rejected"
    )
    assert not parts(tmp_path)


def test_no_answer_stands_in_a_fault(where: Path, tmp_path: Path) -> None:
    source = Parquet(str(where), evaluator().checked.ruleset)
    fault = Work(source, Failing(), Place(str(tmp_path))).fault(source.chunks()[0])
    assert fault.startswith("ValueError (test_running.py:")


def test_what_is_done_is_not_done_again(where: Path, task: Batch, tmp_path: Path) -> None:
    source = Parquet(str(where), evaluator().checked.ruleset)
    place, (chunk, *_) = Place(str(tmp_path)), source.chunks()
    assert Work(source, task, place).fault(chunk) == ""
    assert Work(source, Failing(), place).fault(chunk) == ""


def test_csv_and_parquet_decide_alike(tmp_path: Path, task: Batch) -> None:
    rows = records(50)
    write_csv(tmp_path / "a.csv", rows)
    write_parquet(tmp_path / "a.parquet", rows)
    ruleset = evaluator().checked.ruleset
    done = []
    for source in (Csv(str(tmp_path / "a.csv"), ruleset), Parquet(str(tmp_path / "a.parquet"), ruleset)):
        done.append(task.do(source.read(source.chunks()[0])))
    assert done[0] == done[1]
    assert len(done[0].records) == 50


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PopulationError, match="file"):
        Place(str(tmp_path / "file" / "out")).made()
    assert Place(str(tmp_path)).counts(Chunk(0, "", 0, 1)) is None
