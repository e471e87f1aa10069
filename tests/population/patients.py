"""Random patients of the shipped ruleset as tables, for the tests of this folder and for `million`."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow
from pyarrow import parquet

from engine.decide.answers import Given, plain_number
from tests.clinical.patients import RULESETS, evaluator, partial, patient

RULESET = RULESETS / "low_back_pain"
BATCH = 50_000


def cell(answer: Given | None) -> str:
    """What a table says for an answer."""
    if answer is None:
        return ""
    if answer.kind is None:
        return "unknown"
    return "|".join(answer.value) if isinstance(answer.value, tuple) else plain_number(answer.value)


def patients(count: int, seed: int = 7) -> Iterator[Mapping[str, Given]]:
    """Patients of whom a third have not been asked everything."""
    chance = random.Random(seed)
    for _ in range(count):
        yield (partial if chance.random() < 0.3 else patient)(chance)


def records(count: int, seed: int = 7) -> list[dict[str, str]]:
    """The same as rows of a table, with an id and a group."""
    questions = evaluator().checked.ruleset.questions
    return [
        {"id": f"p{at}", "group_clinic": f"c{at % 3}", **{name: cell(each.get(name)) for name in questions}}
        for at, each in enumerate(patients(count, seed))
    ]


def write_csv(file: Path, rows: list[dict[str, str]]) -> None:
    """A table as CSV."""
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, [*rows[0]])
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(file: Path, rows: list[dict[str, str]], row_group: int = 1000) -> None:
    """A table as Parquet, in row groups of such a size."""
    parquet.write_table(pyarrow.Table.from_pylist(rows), file, row_group_size=row_group)


def write_many(file: Path, rows: int, different: int = 20_000) -> None:
    """Parquet of any length: so many different patients, drawn again and again."""
    table = pyarrow.Table.from_pylist(records(min(rows, different)))
    chance = random.Random(rows)
    with parquet.ParquetWriter(file, table.schema, compression="zstd") as writer:
        for start in range(0, rows, BATCH):
            drawn = [chance.randrange(table.num_rows) for _ in range(min(BATCH, rows - start))]
            writer.write_table(table.take(pyarrow.array(drawn)))
