"""Damage of every kind in every format: each row is in the output, or in the rejects with every reason."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from engine.decide.answers import given
from engine.population import files, tables
from engine.population.deciding import Batch, Decider
from engine.population.rows import PopulationError, Rejected
from engine.population.running import Local, run
from engine.population.sources import open_source
from tests.population import damage
from tests.population.damage import COLUMNS, Said, Told
from tests.record.decided import MINIMAL, bicycle, texts

SHORT, LONG = 700, int(os.environ.get("PLUIS_ROWS", "3000"))
"""`make population` damages ten thousand."""


def outcome(said: Said) -> tuple[str | None, list[str]]:
    """What one evaluator, by itself, makes of somebody's answers."""
    answers = bicycle().read({name: given(each) for name, each in said.items()})
    decided = bicycle().evaluate(answers).outcome
    return decided.disposition.word if decided.disposition else None, [*decided.rules]


def check(records: Iterable[Sequence[Any]], rejected: Iterable[Rejected], told: Sequence[Told]) -> None:
    """Each row is in one of the two: decided as it is alone, or rejected with every reason that it was made with."""
    decided = {record[0]: record for record in records}
    refused = {each.number: each for each in rejected}
    assert not decided.keys() & refused.keys()
    assert sorted([*decided, *refused]) == list(range(len(told)))
    for number, row in enumerate(told):
        if not row.reasons:
            assert number in decided, (number, refused[number].reasons)
            _, id, disposition, _, _, _, _, rules, *_ = decided[number]
            assert (id, (disposition, rules)) == (row.id, outcome(row.said))
            continue
        assert number in refused, (number, row)
        found = refused[number]
        for reason in row.reasons:
            assert any(reason in each for each in found.reasons), (number, reason, found)
        assert found.id == row.id
        assert found.raw or found.reasons == ("the line is empty",)
    assert decided and refused


def in_process(where: Path) -> tuple[list[Sequence[Any]], list[Rejected]]:
    """Every chunk of an input, decided here."""
    source = pickle.loads(pickle.dumps(open_source(str(where), MINIMAL)))
    task = Batch(Decider(texts()))
    records: list[Sequence[Any]] = []
    rejected: list[Rejected] = []
    for chunk in source.chunks():
        done = task.do(source.read(chunk))
        assert len(done.records) + len(done.rejected) == chunk.rows
        assert sum(done.tally.values()) == len(done.records)
        records += done.records
        rejected += done.rejected
    return records, rejected


def by_lines(path: Path, lines: Iterable[tuple[bytes, Told]], head: bytes = b"") -> list[Told]:
    """Writes lines, the last of them cut off; what must be told of each."""
    told = []
    with path.open("wb") as out:
        out.write(head)
        for line, row in lines:
            out.write(line + b"\n")
            told.append(row)
        out.write(line[: len(line) // 2])
    return [*told, Told("", ("the line",))]


def csv(folder: Path, count: int) -> list[Told]:
    return by_lines(folder / "in.csv", damage.comma_separated(count, 9), ",".join(COLUMNS).encode() + b"\n")


def ndjson(folder: Path, count: int) -> list[Told]:
    return by_lines(folder / "in.ndjson", damage.ndjson(count, 9))


def in_parquet(folder: Path, count: int) -> list[Told]:
    """A folder of files whose columns are of other types, or not there."""
    inside = folder / "in.parquet"
    inside.mkdir()
    told: list[Told] = []
    rows, expected = zip(*damage.table(count // 2, 9), strict=True)
    names = {name: pyarrow.array([row.get(name) for row in rows], pyarrow.string()) for name in COLUMNS}
    parquet.write_table(pyarrow.table(names), inside / "a.parquet", row_group_size=300)
    told += expected
    rows, expected = zip(*damage.typed(count // 2, 9), strict=True)
    parquet.write_table(pyarrow.Table.from_pylist([*rows], damage.TYPED), inside / "b.parquet", row_group_size=70)
    told += expected
    parquet.write_table(pyarrow.table({"noise": ["click", None, "rattle"]}), inside / "c.parquet")
    told += [Told("", (), {"noise": "click"}), Told("", (), {}), Told("", ("`noise` has no option `rattle`",))]
    bad = pyarrow.Array.from_buffers(
        pyarrow.string(), 2, [None, pyarrow.py_buffer(b"\0\0\0\0\5\0\0\0\7\0\0\0"), pyarrow.py_buffer(b"click\xff\xfe")]
    )
    parquet.write_table(pyarrow.table({"id": ["x", "y"], "noise": bad}), inside / "d.parquet")
    told += [Told("x", (), {"noise": "click"}), Told("y", ("`noise`",))]
    parquet.write_table(pyarrow.table({"noise": pyarrow.nulls(2)}), inside / "e.parquet")
    parquet.write_table(pyarrow.table({"noise": pyarrow.nulls(0)}), inside / "f.parquet")
    return [*told, Told(""), Told("")]


FORMATS = {"in.csv": csv, "in.ndjson": ndjson, "in.parquet": in_parquet}


@pytest.mark.parametrize("name", FORMATS)
def test_every_row_is_decided_or_rejected_with_every_reason(name: str, tmp_path: Path) -> None:
    told = FORMATS[name](tmp_path, SHORT)
    check(*in_process(tmp_path / name), told)


def written(out: Path) -> tuple[list[Sequence[Any]], list[Rejected]]:
    """What a run wrote."""
    records = [
        tuple(row.values()) for path in sorted(out.glob("part-*")) for row in parquet.read_table(path).to_pylist()
    ]
    rejected = [
        Rejected(row["number"], row["id"], tuple(row["reasons"]), row["raw"])
        for path in sorted(out.glob("rejects-*"))
        for row in parquet.read_table(path).to_pylist()
    ]
    return records, rejected


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Exception ignored in.*FileIO:pytest.PytestUnraisableExceptionWarning")  # Daft's own
@pytest.mark.parametrize("name", FORMATS)
def test_damaged_rows_through_a_whole_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for room in (tables, files):  # several chunks for several workers
        monkeypatch.setattr(room, "CHUNK_ROWS", 800)
    told = FORMATS[name](tmp_path, LONG)
    source = open_source(str(tmp_path / name), MINIMAL)
    summary = run(source, Batch(Decider(texts())), str(tmp_path / "out"), Local(2))
    records, rejected = written(tmp_path / "out")
    check(records, rejected, told)
    assert (summary.rows, summary.records, summary.rejected) == (len(told), len(records), len(rejected))


REFUSED = {
    "dates": pyarrow.array([0], pyarrow.date32()),
    "times": pyarrow.array([0], pyarrow.timestamp("us")),
    "nested values": pyarrow.array([{"a": 1}]),
    "lists of lists": pyarrow.array([[["a"]]]),
    "bytes": pyarrow.array([b"click"]),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_column_of_which_no_cell_can_be_an_answer_is_told_before_the_run(kind: str, tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"noise": REFUSED[kind]}), tmp_path / "in.parquet")
    with pytest.raises(PopulationError, match="`noise` has cells of type"):
        in_process(tmp_path / "in.parquet")
