"""The decision log as input: the same rows out of the log and its export, and a fault where nobody can read one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from engine.decide.answers import UNKNOWN, given
from engine.errors import LogError, LogRefused
from engine.population import recorded
from engine.population.recorded import ExportedLog, RecordedLog, is_export
from engine.population.rows import PopulationError, Row
from engine.record.exporting import export_parquet
from engine.record.feedback import FeedbackDraft, FeedbackVerdict
from engine.record.reading import open_entries, unsealing
from engine.record.sealing import add_master, write_keys
from engine.record.store import Selection
from engine.record.tables import ENTRIES
from engine.record.writer import DecisionLog
from tests.population.test_fhir import rows
from tests.record.decided import FINE, HALF, STOPS, SUBJECT, WORN, bicycle, draft, texts
from tests.record.world import World

OTHER = "0f6a1a52-5f0e-4c53-9f3b-5a3f7a1b9c11"


class Log(World):
    """A log of two writers in a folder or a database: five decisions by the bicycle, and what is no such decision."""

    def __init__(self, folder: Path, where: str = "") -> None:
        super().__init__(folder)
        if where:
            self.place = replace(self.place, where=where, checkpoints=folder / "checkpoints.jsonl")

    def fill(self) -> None:
        drafts = [draft(number, said, self.now) for number, said in enumerate((STOPS, WORN, FINE, HALF, WORN), 1)]
        drafts[2] = replace(drafts[2], subject=OTHER, caller="clinic b")
        tricycle = replace(
            drafts[0], ruleset=replace(drafts[0].ruleset, id="tricycle"), decision_id="t", request_id="t"
        )
        feedback = FeedbackDraft(drafts[0].decision_id, self.now, "desk", FeedbackVerdict.ACCEPTED, "", "a remark", "")
        for writer, some in (("w2", drafts[:2]), ("w1", [*drafts[2:4], tricycle]), ("w2", drafts[4:])):
            with self.open() as store, DecisionLog(store, self.keys, self.place.checkpoints, (writer,)) as log:
                log.add_ruleset(bicycle().checked.digest, texts())
                for each in some:
                    log.record(each)
                if writer == "w2" and len(some) > 1:
                    log.record_feedback(feedback)

    def source(self) -> RecordedLog:
        return RecordedLog(self.place.where, "bicycle", self.place.keys)

    def export(self, folder: Path) -> ExportedLog:
        path = folder / "export.parquet"
        with self.open() as store, path.open("wb") as out:
            export_parquet(open_entries(store.select(Selection()), unsealing(store, self.keys)), out)
        return ExportedLog(str(path), "bicycle")


@pytest.fixture(params=["sqlite", "postgres"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Log:
    log = Log(tmp_path, "" if request.param == "sqlite" else str(request.getfixturevalue("database")))
    log.fill()
    return log


def test_each_decision_by_the_ruleset_is_a_row_by_writer_and_sequence(log: Log) -> None:
    found = rows(log.source())
    assert [row.id for row in found] == [draft(number, FINE).decision_id for number in (3, 4, 1, 2, 5)]
    for row, said in zip(found, (FINE, HALF, STOPS, WORN, WORN), strict=True):
        assert row.answers == {name: given(each) for name, each in said.items()}
        assert row.faults == ()
    assert found[1].answers["years_owned"] == UNKNOWN
    assert found[0].groups == {"caller": "clinic b", "version": "1.0.0"}
    assert json.loads(found[2].raw)["answers"]["bike_age"] == "12"
    assert not any(subject in repr(found) for subject in (SUBJECT, OTHER, "remark"))


def test_the_export_has_the_same_rows(log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exported = log.export(tmp_path)
    assert rows(exported) == rows(log.source())
    for size in (1, 2):
        monkeypatch.setattr(recorded, "CHUNK_ROWS", size)
        monkeypatch.setattr(recorded, "BATCH", size)
        assert rows(exported) == rows(log.source())
        assert exported.chunks() == log.source().chunks()
    assert [chunk.rows for chunk in exported.chunks()] == [2, 2, 1]
    assert is_export(parquet.read_schema(tmp_path / "export.parquet").names)
    assert not is_export(["writer", "answers"])


def test_what_is_erased_is_a_fault_of_its_row(log: Log, tmp_path: Path) -> None:
    assert log.erase(OTHER) == 1
    for source in (log.source(), log.export(tmp_path)):
        erased, *others = rows(source)
        assert erased.faults == ("entry w1/1: its answers were erased",)
        assert (erased.id, dict(erased.answers)) == (draft(3, FINE).decision_id, {})
        assert json.loads(erased.raw) == {"writer": "w1", "sequence": 1, "answers": None}
        assert not any(row.faults for row in others)


def test_what_is_sealed_with_another_key_is_a_fault_of_its_row(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.keys = add_master(log.keys)
    log.fill()
    write_keys(log.place.keys, replace(log.keys, masters={}, current=""))
    sealed = rows(RecordedLog(log.place.where, "bicycle"))
    assert len(sealed) == 5
    assert {row.faults[0].partition(": ")[2] for row in sealed} == {
        "its answers are sealed with a master key that is not in the key file"
    }
    log.keys = replace(log.keys, masters={}, current="")
    assert rows(log.export(tmp_path)) == sealed
    log.place.keys.unlink()
    assert rows(RecordedLog(log.place.where, "bicycle")) == sealed, "nobody named the file: it is opened without"
    with pytest.raises(LogError):
        rows(log.source())


def test_an_entry_that_somebody_changed_is_a_fault_of_its_row(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.fill()
    with log.open() as store, store._databases.altering() as engines:
        for engine in engines:
            with engine.begin() as connection:
                changed = ENTRIES.update().where(ENTRIES.c.sequence == 1)
                connection.execute(changed.values(payload=b"x" * 40))
                connection.execute(ENTRIES.update().where(ENTRIES.c.sequence == 2).values(body=b"{"))
    found = rows(log.source())
    assert [bool(row.faults) for row in found] == [True, True, True, True, False]
    assert found[0].faults == ("entry 1 of writer `w1` cannot be read: `pluis log verify` tells what was changed",)
    assert [json.loads(row.raw)["sequence"] for row in found] == [1, 2, 1, 2, 4]


def test_a_purge_while_it_is_read_stops_the_run(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.fill()
    source = log.source()
    (chunk, _) = source.chunks()
    with log.open() as store:
        store.purge("w1", 1)
    with pytest.raises(PopulationError, match="purged"):
        list(source.read(chunk))


def test_what_is_recorded_meanwhile_is_no_part_of_it(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.fill()
    source = log.source()
    chunks, before = source.chunks(), source.fingerprint()
    assert source.fingerprint() == before
    log.number = 10
    log.record("w1", SUBJECT)
    assert sum(len([*source.read(chunk)]) for chunk in chunks) == 5
    assert source.fingerprint() != before


def test_no_log_is_told() -> None:
    with pytest.raises(LogRefused, match="there is no decision log"):
        RecordedLog("absent", "bicycle").chunks()


def altered(folder: Path, source: Path, column: str, values: list[Any]) -> ExportedLog:
    """The export with other values in a column of its first rows."""
    table = parquet.read_table(source)
    place = table.column_names.index(column)
    said = [*values, *table.column(column).to_pylist()[len(values) :]]
    path = folder / "altered.parquet"
    parquet.write_table(table.set_column(place, column, pyarrow.array(said, table.schema.field(column).type)), path)
    return ExportedLog(str(path), "bicycle")


def by_entry(found: list[Row]) -> dict[str, Row]:
    told = (json.loads(row.raw) for row in found)
    return {f"{each['writer']}/{each['sequence']}": row for each, row in zip(told, found, strict=True)}


@pytest.mark.parametrize("answers", [None, "", "{", "[]", '{"noise": 3}', '{"noise": ["click", 1]}', '"\\ud800"'])
def test_an_export_with_answers_that_are_none_is_a_fault_of_that_row(answers: str | None, tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.fill()
    log.export(tmp_path)
    first = parquet.read_table(tmp_path / "export.parquet").to_pylist()[0]
    assert first["kind"] == "decision"
    found = by_entry(rows(altered(tmp_path, tmp_path / "export.parquet", "answers", [answers])))
    bad = found.pop(f"{first['writer']}/{first['sequence']}")
    assert bad.faults == (f"entry {first['writer']}/{first['sequence']}: it holds no answers",)
    assert len(found) == 4 and not any(row.faults for row in found.values())


def test_a_state_that_is_none_is_a_fault_of_its_row(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.fill()
    log.export(tmp_path)
    found = rows(altered(tmp_path, tmp_path / "export.parquet", "state", ["ajar", None, None]))
    assert sorted(row.faults[0].partition(": ")[2] for row in found if row.faults) == ["it holds no answers"] * 2


def test_an_export_in_which_an_entry_has_no_place_of_its_own_is_refused(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.fill()
    log.export(tmp_path)
    table = parquet.read_table(tmp_path / "export.parquet")
    both = tmp_path / "both"
    both.mkdir()
    for name in ("a", "b"):
        parquet.write_table(table, both / f"{name}.parquet")
    for source in (
        ExportedLog(str(both), "bicycle"),
        altered(tmp_path, tmp_path / "export.parquet", "writer", [None]),
        altered(tmp_path, tmp_path / "export.parquet", "sequence", [None]),
    ):
        with pytest.raises(PopulationError, match="stands twice in the export, or has no place"):
            source.chunks()


def test_exports_of_several_days_go_together(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.fill()
    whole = rows(log.export(tmp_path))
    table = parquet.read_table(tmp_path / "export.parquet")
    days = tmp_path / "days"
    days.mkdir()
    parquet.write_table(table.slice(0, 3), days / "b.parquet")
    parquet.write_table(table.slice(3), days / "a.parquet")
    assert rows(ExportedLog(str(days), "bicycle")) == whole


def test_a_file_that_is_no_parquet_is_told_without_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "export.parquet").write_bytes(b"a patient")
    with pytest.raises(PopulationError, match="cannot be read") as told:
        ExportedLog(str(tmp_path / "export.parquet"), "bicycle").chunks()
    assert "patient" not in str(told.value)
