"""One input for two versions: what only one of them asks is read, and no more is forgiven than that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine.decide.answers import given
from engine.decide.evaluate import Evaluator
from engine.population.impact import Impact, Kind, Listing, Sums, Version
from engine.population.impact_run import Versions, open_for_both
from engine.population.rows import PopulationError, Row, Source
from engine.serve.fhir.questionnaire import questionnaire
from engine.serve.registry import Served
from engine.serve.standing import Standing
from tests.population.impact_world import FINE, NEW, OLD, checked
from tests.serve.fhir.written import respond

BASE = "https://clinic.example/fhir/R4"


@pytest.fixture
def versions(tmp_path: Path) -> tuple[Path, Path]:
    return written(tmp_path / "old", OLD), written(tmp_path / "new", NEW)


def written(folder: Path, texts: Mapping[str, str]) -> Path:
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def read(source: Source) -> list[Row]:
    return [row for chunk in source.chunks() for row in source.read(chunk)]


def sums_of(found: list[Row]) -> Sums:
    return Sums.of(Impact(OLD, NEW, Listing.NUMBERS).do(found).tally)


def test_a_table_may_have_what_only_one_version_asks(tmp_path: Path, versions: tuple[Path, Path]) -> None:
    table = tmp_path / "year.csv"
    table.write_text("id,bike_age,rust,group_shop\na,5,yes,north\nb,5,,south\n", "utf-8")
    for old, new, by in ((*versions, Version.OLD), (versions[1], versions[0], Version.NEW)):
        found = read(open_for_both(str(table), Versions(old, new)))
        assert [row.answers.get("rust") for row in found] == [given("yes"), None]
        assert [dict(row.groups) for row in found] == [{"shop": "north"}, {"shop": "south"}]
        texts = (OLD, NEW) if by is Version.OLD else (NEW, OLD)
        sums = Sums.of(Impact(*texts, Listing.NUMBERS).do(found).tally)
        assert sums.left_out == {(by, "rust"): 1}


def test_a_column_that_neither_asks_is_a_mistake(tmp_path: Path, versions: tuple[Path, Path]) -> None:
    table = tmp_path / "year.csv"
    table.write_text("id,colour\na,red\n", "utf-8")
    with pytest.raises(PopulationError, match="colour"):
        open_for_both(str(table), Versions(*versions)).chunks()


def response(texts: Mapping[str, str], **said: str | tuple[str, ...]) -> str:
    form: dict[str, Any] = questionnaire(
        Served(Evaluator(checked(texts)), "", Standing(), {}), "nl", BASE, date(2026, 11, 22)
    )
    return json.dumps(respond(form, {name: given(each) for name, each in said.items()}, ()), default=float)


def test_a_response_is_read_by_the_version_that_can(tmp_path: Path, versions: tuple[Path, Path]) -> None:
    fine = {name: said for name, said in FINE.items() if name not in ("rust", "rides_better")}
    chain: dict[str, str | tuple[str, ...]] = {**fine, "loose_parts": ("chain",), "rides_better": "no", "rust": "yes"}
    lines = [response(OLD, **fine), response(NEW, **chain), response(OLD, **{**fine, "bike_age": "70"}), "torn"]
    table = tmp_path / "year.ndjson"
    table.write_text("\n".join(lines) + "\n", "utf-8")
    found = read(open_for_both(str(table), Versions(*versions)))
    sums = sums_of(found)
    assert sums.left_out == {(Version.OLD, "rust"): 1}
    kinds = {place.kind: count for place, count in sums.classes.items()}
    assert kinds == {Kind.SAME: 1, Kind.MORE_URGENT: 1, Kind.REFUSED_BY_NEW: 1, Kind.UNREADABLE: 1}


def test_two_rulesets_are_no_two_versions(tmp_path: Path, versions: tuple[Path, Path]) -> None:
    other = written(
        tmp_path / "other", {**OLD, "ruleset.yaml": OLD["ruleset.yaml"].replace("id: bicycle", "id: tandem")}
    )
    with pytest.raises(PopulationError, match="different rulesets"):
        open_for_both("year.csv", Versions(versions[0], other))
