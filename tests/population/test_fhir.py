"""FHIR Bulk Data: a row for each line, its answers those of the response, or every fault of it."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engine.decide.answers import Given, given
from engine.population import fhir, files
from engine.population.fhir import BulkData
from engine.population.rows import PopulationError, Row, Source
from engine.serve.fhir.questionnaire import questionnaire
from engine.serve.registry import Served
from engine.serve.standing import Standing
from tests.record.decided import bicycle, texts
from tests.serve.fhir.written import respond

BASE = "https://clinic.example/fhir/R4"
PERSON = "Patient/7f3c1e52-9d04-4b6a-8f21-0c5d7e9ab134"


@cache
def form(base: str = BASE) -> dict[str, Any]:
    return questionnaire(Served(bicycle(), "", Standing(), {}), "nl", base, date(2026, 11, 22))


def line(said: Mapping[str, str | tuple[str, ...]], none_of: tuple[str, ...] = (), **more: Any) -> str:
    """A response with these answers, on one line."""
    response = respond(form(), {name: given(each) for name, each in said.items()}, none_of)
    return json.dumps({**response, **more}, default=float)


def written(folder: Path, lines: Sequence[str | bytes], name: str = "year.ndjson") -> BulkData:
    path = folder / name
    path.write_bytes(b"".join((each.encode() if isinstance(each, str) else each) + b"\n" for each in lines))
    return BulkData(str(path), texts())


def rows(source: Source) -> list[Row]:
    """All rows, read by a copy of the source as a worker gets one."""
    chunks = source.chunks()
    worker: Source = pickle.loads(pickle.dumps(source))
    found = [row for chunk in chunks for row in worker.read(chunk)]
    assert [row.number for row in found] == list(range(len(found)))
    assert sum(chunk.rows for chunk in chunks) == len(found)
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    return found


def test_a_line_is_the_answers_of_its_response(tmp_path: Path) -> None:
    said = {"bike_age": "12", "years_owned": "3.5", "noise": "unknown", "loose_parts": ("light", "chain")}
    more = {"id": "r-1", "subject": {"reference": PERSON}}
    (row,) = rows(written(tmp_path, [line(said, **more)]))
    assert row.answers == {
        "bike_age": given("12"),
        "years_owned": Given(given("0.5").kind, Decimal("3.5")),
        "noise": given("unknown"),
        "loose_parts": given(("chain", "light")),
    }
    assert (row.id, row.groups, row.faults) == ("r-1", {"version": "1.0.0"}, ())


def test_a_denied_group_is_written_out(tmp_path: Path) -> None:
    (row,) = rows(written(tmp_path, [line({"noise": "click"}, ("safety",))]))
    assert row.answers == {"noise": given("click"), "brakes_fail": given("no")}


def test_responses_of_several_servers_and_versions_stand_together(tmp_path: Path) -> None:
    other = respond(form("https://elsewhere.example/fhir"), {"noise": given("grind")})
    other["questionnaire"] = other["questionnaire"].replace("|1.0.0", "|0.9.0")
    first, second = rows(written(tmp_path, [line({"noise": "click"}), json.dumps(other)]))
    assert (first.answers["noise"], second.answers["noise"]) == (given("click"), given("grind"))
    assert (first.groups["version"], second.groups["version"]) == ("1.0.0", "0.9.0")


FAULTS: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "empty": ("", ("the line is empty",)),
    "blank": (" \t", ("the line is empty",)),
    "no JSON": ("{", ("the line cannot be read: the body is not JSON: line 1, column 2",)),
    "no UTF-8": (b'{"resourceType": "\xff"}', ("the line cannot be read: the body is not UTF-8",)),
    "NaN": ("NaN", ("the line cannot be read: NaN and infinities are no JSON",)),
    "no resource": ("[1]", ("Resource: a FHIR resource is an object with a resourceType (not-fhir)",)),
    "somebody else's": (
        '{"resourceType": "Patient"}',
        ("Resource: a resource of type QuestionnaireResponse is taken here, not `Patient` (wrong-resource)",),
    ),
    "no form": (
        '{"resourceType": "QuestionnaireResponse", "status": "completed"}',
        (
            "QuestionnaireResponse.questionnaire: a response names the Questionnaire that was answered, as "
            "`url|version` (missing)",
        ),
    ),
    "no version": (
        line({}, questionnaire=f"{BASE}/Questionnaire/bicycle"),
        (
            "QuestionnaireResponse.questionnaire: the version of the Questionnaire is missing: write `url|version`, as "
            "the Questionnaire has them (missing)",
        ),
    ),
    "another form": (
        line({}, questionnaire=f"{BASE}/Questionnaire/tricycle|1.0.0"),
        (
            "QuestionnaireResponse.questionnaire: this is the form of the ruleset `tricycle`, not of "
            "`bicycle` (wrong-ruleset)",
        ),
    ),
    "every fault at once": (
        line({"bike_age": "81", "years_owned": "90", "noise": "click"}, status="in-progress"),
        (
            "QuestionnaireResponse.item[0]: `bike_age` is 81, outside 0 to 80 years (out-of-range)",
            "QuestionnaireResponse.item[1]: `years_owned` is 90, outside 0 to 80 years (out-of-range)",
            "QuestionnaireResponse.status: a response with status `in-progress` is not evaluated: only completed and "
            "amended (not-completed)",
        ),
    ),
    "a contradiction": (
        line({"bike_age": "1", "years_owned": "2"}),
        (
            "QuestionnaireResponse.item[0]: `years_owned` (2) and `bike_age` (1) contradict each other "
            "(`owned_before_built`) (contradiction)",
            "QuestionnaireResponse.item[1]: `years_owned` (2) and `bike_age` (1) contradict each other "
            "(`owned_before_built`) (contradiction)",
        ),
    ),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_what_is_wrong_with_a_line_is_a_fault_of_its_row_and_of_no_other(kind: str, tmp_path: Path) -> None:
    bad, faults = FAULTS[kind]
    before, row, after = rows(written(tmp_path, [line({"noise": "click"}), bad, line({"noise": "grind"})]))
    assert (row.faults, dict(row.answers)) == (faults, {})
    assert row.raw == (bad if isinstance(bad, str) else bad.decode("utf-8", "backslashreplace"))
    assert [each.answers["noise"].value for each in (before, after)] == ["click", "grind"]


def test_a_fault_keeps_the_id_of_its_response(tmp_path: Path) -> None:
    (row,) = rows(written(tmp_path, [line({}, id="r-7", status="stopped")]))
    assert row.id == "r-7" and row.faults


def test_a_line_that_is_too_long_is_a_fault_and_what_follows_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = line({"noise": "click"})
    longest = len(good) + len("\r\n")
    for room in (files, fhir):
        monkeypatch.setattr(room, "LONGEST_LINE", longest)
    for longer in (longest, longest + 1, 3 * longest, 3 * longest + 2):
        fits, long, after = rows(written(tmp_path, [good + "\r", "x" * longer, good]))
        assert fits.answers == after.answers == {"noise": given("click")}
        assert long.faults == (f"the line has more than {longest} bytes, of which no more are kept",)
        assert long.raw == "x" * min(longer, longest + 1)


def test_a_last_line_without_its_end_is_a_line(tmp_path: Path) -> None:
    good = line({"noise": "click"})
    source = written(tmp_path, [good])
    (tmp_path / "year.ndjson").write_text(f"{good}\n{good}")
    assert [row.faults for row in rows(source)] == [(), ()]
    (tmp_path / "year.ndjson").write_text(f"{good}\n{good[:-9]}")
    assert [bool(row.faults) for row in rows(source)] == [False, True]
    (tmp_path / "year.ndjson").write_text("")
    assert rows(source) == []


def test_chunks_are_as_long_as_they_may_be_and_begin_anew_in_each_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "CHUNK_ROWS", 3)
    monkeypatch.setattr(files, "LONGEST_LINE", 100)
    for name, count in (("b", 2), ("a", 7), ("c", 3), ("d", 0)):
        written(tmp_path, [f"{name}{number}" + "-" * (150 * (number % 2)) for number in range(count)], f"{name}.ndjson")
    (tmp_path / "notes.txt").write_text("not read")
    source = BulkData(str(tmp_path), texts())
    lines = [*(f"a{number}" for number in range(7)), "b0", "b1", "c0", "c1", "c2"]
    assert [(chunk.start, chunk.rows) for chunk in source.chunks()] == [(0, 3), (3, 3), (6, 1), (7, 2), (9, 3)]
    assert [row.raw.rstrip("-") for row in rows(source)] == lines
    monkeypatch.setattr(files, "CHUNK_BYTES", 150)  # a chunk ends with the line in which it has as many
    assert [(chunk.start, chunk.rows) for chunk in source.chunks()][:4] == [(0, 2), (2, 2), (4, 2), (6, 1)]
    assert [row.raw.rstrip("-") for row in rows(source)] == lines


def test_a_file_that_became_shorter_stops_the_run(tmp_path: Path) -> None:
    source = written(tmp_path, ["x", "y"])
    (chunk,) = source.chunks()
    written(tmp_path, ["x"])
    with pytest.raises(PopulationError, match="shorter"):
        list(source.read(chunk))


def test_another_file_has_another_fingerprint(tmp_path: Path) -> None:
    source = written(tmp_path, ["x"])
    before = source.fingerprint()
    assert source.fingerprint() == before
    written(tmp_path, ["xy"])
    assert source.fingerprint() != before


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PopulationError, match="there is no file"):
        BulkData(str(tmp_path / "absent.ndjson"), texts()).chunks()
    with pytest.raises(PopulationError, match="no folder with files"):
        BulkData(str(tmp_path), texts()).chunks()
