"""Tables as input: what each kind of cell says, which columns are mistakes, and that no line is ever lost."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from engine.decide.answers import UNKNOWN, Given
from engine.population import files, tables
from engine.population.rows import Chunk, PopulationError, Row, Source
from engine.population.sources import open_source
from engine.population.tables import Columns, Csv, Parquet, _pythons
from engine.rules.model import NO, YES, QuestionType, Ruleset
from tests.clinical.patients import evaluator
from tests.population.patients import RULESET

QUESTIONS = {
    "yes": QuestionType.YES_NO,
    "whole": QuestionType.INTEGER,
    "number": QuestionType.DECIMAL,
    "one": QuestionType.CHOICE,
    "many": QuestionType.SEVERAL,
}


@pytest.fixture
def ruleset() -> Ruleset:
    return evaluator().checked.ruleset


def read(source: Source) -> list[Row]:
    return [row for chunk in source.chunks() for row in source.read(chunk)]


@pytest.mark.parametrize(
    ("name", "cell", "said"),
    [
        ("yes", "yes", Given(QuestionType.YES_NO, YES)),
        ("yes", False, Given(QuestionType.YES_NO, NO)),
        ("yes", 1, Given(QuestionType.INTEGER, 1)),  # the ruleset refuses it: a bool is no number
        ("yes", "unknown", UNKNOWN),
        ("whole", 39, Given(QuestionType.INTEGER, 39)),
        ("whole", 39.0, Given(QuestionType.INTEGER, 39)),
        ("whole", 39.5, Given(QuestionType.DECIMAL, Decimal("39.5"))),
        ("number", Decimal("0.70"), Given(QuestionType.DECIMAL, Decimal("0.7"))),
        ("number", "0.7", Given(QuestionType.DECIMAL, Decimal("0.7"))),
        ("one", " a", Given(QuestionType.CHOICE, " a")),
        ("many", "a", Given(QuestionType.SEVERAL, ("a",))),
        ("many", "a|b", Given(QuestionType.SEVERAL, ("a", "b"))),
        ("many", ("a", "b"), Given(QuestionType.SEVERAL, ("a", "b"))),
        ("many", (), Given(QuestionType.SEVERAL, ())),
        ("many", "unknown", UNKNOWN),
        ("many", ("unknown",), UNKNOWN),
    ],
)
def test_a_cell_says(name: str, cell: Any, said: Given) -> None:
    columns = Columns("x", [name], QUESTIONS)
    for _ in range(2):  # the second time it is remembered
        assert columns.row(0, [cell]).answers == {name: said}


@pytest.mark.parametrize("cell", [None, ""])
def test_an_empty_cell_was_not_asked(cell: object) -> None:
    row = Columns("x", ["yes", "many", "none_of", "id", "group_a"], QUESTIONS).row(0, [cell] * 5)
    assert row == Row(0, "", {}, raw="{}")


@pytest.mark.parametrize(("name", "cell"), [("whole", math.nan), ("whole", math.inf), ("many", ("a", None))])
def test_a_cell_that_is_no_answer_is_a_fault(name: str, cell: Any) -> None:
    row = Columns("x", ["whole", "many"], QUESTIONS).row(
        0, [cell if each == name else None for each in ("whole", "many")]
    )
    assert row.answers == {name: UNKNOWN}  # not missing: a denied group must not answer it
    assert [fault.partition(":")[0] for fault in row.faults] == [f"`{name}`"]


def test_the_rest_of_a_row() -> None:
    row = Columns("x", ["id", "none_of", "group_clinic", "one"], QUESTIONS).row(4, ["p4", "a|b", 7, 'say "a"'])
    assert (row.number, row.id, row.none_of, row.groups) == (4, "p4", ("a", "b"), {"clinic": "7"})
    assert row.raw == '{"one": "say \\"a\\"", "id": "p4", "none_of": "a|b", "group_clinic": 7}'


def test_a_batch_says_what_its_cells_say() -> None:
    few = pyarrow.dictionary(pyarrow.int8(), pyarrow.string())
    columns = {
        "yes": pyarrow.array([True, None, False, True, None], pyarrow.bool_()),
        "whole": pyarrow.array([3, 3, None, -1, 40], pyarrow.int8()),
        "number": pyarrow.array([0.5, None, 2.0, math.nan, 0.5]),
        "one": pyarrow.array(["a", None, "", "b", "a"]).cast(few),
        "many": pyarrow.array([["a"], None, [], ["a", "b"], ["a", None]], pyarrow.list_(pyarrow.string())),
        "id": pyarrow.array(["p", "p", "q", None, ""], pyarrow.large_string()),
        "group_none": pyarrow.nulls(5),
        "group_sum": pyarrow.array([Decimal("1.50"), None, Decimal("1.50"), Decimal("2.00"), None]),
    }
    whole = pyarrow.record_batch(columns)
    for batch in (whole, whole.slice(1, 3), whole.slice(2, 0)):
        told = Columns("x", batch.schema.names, QUESTIONS)
        cells = zip(*(_pythons(each) for each in batch.columns), strict=True)
        assert [*told.rows(7, batch)] == [told.row(number, each) for number, each in enumerate(cells, 7)]
    first, second, *_, last = Columns("x", whole.schema.names, QUESTIONS).rows(7, whole)
    assert (first.number, first.id, first.groups) == (7, "p", {"sum": "1.50"})
    assert (second.answers, second.raw) == ({"whole": Given(QuestionType.INTEGER, 3)}, '{"whole": 3, "id": "p"}')
    assert last.answers["one"] == Given(QuestionType.CHOICE, "a") and last.faults[0].startswith("`many`")


def test_every_unknown_column_is_told() -> None:
    with pytest.raises(PopulationError) as told:
        Columns("in.csv", ["whol", "yes", "yes", "zzzzzz", "group_x"], QUESTIONS)
    text = str(told.value)
    assert "did you mean `whole`?" in text and "`zzzzzz`" in text and "`yes` stands there twice" in text
    assert "group_x" not in text


@pytest.mark.parametrize("rows", [1, 999, 2500])
def test_chunks_of_parquet_have_all_rows(rows: int, ruleset: Ruleset, tmp_path: Path, monkeypatch: Any) -> None:
    """Across row groups, batches and files, wherever their ends lie."""
    monkeypatch.setattr(tables, "CHUNK_ROWS", 700)
    monkeypatch.setattr(tables, "BATCH", 64)
    for name in ("a", "b"):
        table = pyarrow.table({"id": [f"{name}{at}" for at in range(rows)]})
        parquet.write_table(table, tmp_path / f"{name}.parquet", row_group_size=333)
    source = Parquet(str(tmp_path), ruleset)
    found = read(source)
    assert [row.number for row in found] == [*range(2 * rows)]
    assert [row.id for row in found] == [f"{name}{at}" for name in ("a", "b") for at in range(rows)]
    assert {chunk.rows for chunk in source.chunks()} <= {700, rows % 700}


def test_chunks_of_csv_have_all_lines(ruleset: Ruleset, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(files, "CHUNK_ROWS", 70)
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfid,age\r\n" + b"".join(b"%d,39\r\n" % at for at in range(205)))
    (tmp_path / "b.csv").write_bytes(b'age,id\n40,"x, y"')
    source = Csv(str(tmp_path), ruleset)
    assert [chunk.rows for chunk in source.chunks()] == [70, 70, 65, 1]
    found = read(source)
    assert [row.id for row in found] == [*map(str, range(205)), "x, y"]
    assert not any(row.faults for row in found)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"", "the line is empty"),
        (b"1", "the line has 1 cells, and there are 2 columns"),
        (b"1,2,3", "the line has 3 cells, and there are 2 columns"),
        (b'1,"2', "the line is no CSV"),
        (b'1,"2"3', "the line is no CSV"),
        (b"1,\xff", "byte 3 of the line is no UTF-8"),
        (b"1," + b"x" * files.LONGEST_LINE, "the line has more than"),
        (b"1," + b"x" * 3 * files.LONGEST_LINE, "the line has more than"),
    ],
)
def test_a_damaged_line_is_one_row(line: bytes, fault: str, ruleset: Ruleset, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,age\n1,39\n" + line + b"\n3,39\n")
    before, damaged, after = read(Csv(str(tmp_path / "a.csv"), ruleset))
    assert (before.id, after.id, before.faults, after.faults) == ("1", "3", (), ())
    (told,) = damaged.faults
    assert told.startswith(fault)
    assert damaged.raw.startswith('"')


def test_a_file_that_is_no_table_is_told(ruleset: Ruleset, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(PopulationError, match="no Parquet file"):
        Parquet(str(tmp_path / "a.parquet"), ruleset).chunks()
    parquet.write_table(pyarrow.table({"age": [b"39"]}), tmp_path / "b.parquet")
    with pytest.raises(PopulationError, match="cells of type binary"):
        Parquet(str(tmp_path / "b.parquet"), ruleset).chunks()


def test_an_input_is_what_its_name_says(tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"age": ["39"]}), tmp_path / "a.parquet")
    assert isinstance(open_source(str(tmp_path), RULESET), Parquet)
    assert isinstance(open_source(f"file://{tmp_path}/a.parquet", RULESET), Parquet)
    (tmp_path / "a.csv").write_text("age\n39\n")
    assert isinstance(open_source(str(tmp_path / "a.csv"), RULESET), Csv)
    with pytest.raises(PopulationError, match="of one kind"):
        open_source(str(tmp_path), RULESET)
    with pytest.raises(PopulationError, match="two whole numbers"):
        open_source("simulated:x:1", RULESET)
    with pytest.raises(PopulationError, match="no file"):
        open_source(str(tmp_path / "nowhere"), RULESET)


def test_a_chunk_says_where_it_is(ruleset: Ruleset, tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"age": ["39"] * 3}), tmp_path / "a.parquet")
    assert Parquet(str(tmp_path), ruleset).chunks() == [Chunk(0, "0@a.parquet", 0, 3)]
