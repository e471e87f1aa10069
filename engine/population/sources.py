"""Which source an input is, by how it is written: tables, FHIR Bulk Data, a decision log, or simulated patients."""

from __future__ import annotations

import re
from pathlib import Path

from engine.population import tables
from engine.population.files import Files
from engine.population.rows import PopulationError, Source
from engine.rules.load import load_texts
from engine.rules.model import Ruleset

SIMULATED = "simulated:"
"""Such an input is `simulated:SEED:ROWS`."""
_PARQUET, _CSV, _NDJSON = ".parquet", ".csv", ".ndjson"
_LOGS = ("postgresql://", "postgres://")


def open_source(where: str, ruleset: str | Path, keys: Path | None = None) -> Source:
    """The source that an input is, read by the ruleset in a folder.

    A path or URL that ends in `.parquet`, `.csv` or `.ndjson`, or a folder of such files of one kind; a decision log,
    with the file of its `keys`, or its Parquet export; or `simulated:SEED:ROWS`. Raises PopulationError where it is
    none of these.
    """
    checked, texts = load_texts(ruleset)
    if where.startswith(SIMULATED):
        return _simulated(where, Path(ruleset), checked.ruleset)
    if where.startswith(_LOGS):
        return _log(where, checked.ruleset.id, keys)
    kind = _kind(where)
    if kind == _NDJSON:
        from engine.population.fhir import BulkData

        return BulkData(where, texts)
    if kind == _CSV:
        return tables.Csv(where, checked.ruleset)
    if kind == _PARQUET:
        from engine.population.recorded import ExportedLog, is_export

        if is_export(tables.columns(where)):
            return ExportedLog(where, checked.ruleset.id)
        return tables.Parquet(where, checked.ruleset)
    return _log(where, checked.ruleset.id, keys)


def _kind(where: str) -> str:
    """The ending of an input's files; empty for a folder that has none of them, as that of a log."""
    kinds = [each for each in (_PARQUET, _CSV, _NDJSON) if where.endswith(each)]
    if not kinds:
        names = [each.name for each in Files(where, "").found()]
        kinds = [each for each in (_PARQUET, _CSV, _NDJSON) if any(name.endswith(each) for name in names)]
        if "" in names or len(kinds) > 1:
            raise PopulationError(f"`{where}`: name a file `*.parquet`, `*.csv` or `*.ndjson`, or a folder of one kind")
    return kinds[0] if kinds else ""


def _log(where: str, ruleset: str, keys: Path | None) -> Source:
    from engine.population.recorded import RecordedLog

    return RecordedLog(where, ruleset, keys)


def _simulated(where: str, folder: Path, ruleset: Ruleset) -> Source:
    from engine.population.model import POPULATION, load_model
    from engine.population.simulated import Simulated

    found = re.fullmatch(r"simulated:([0-9]{1,18}):([0-9]{1,18})", where)
    if found is None:
        raise PopulationError(f"`{where}`: write `simulated:SEED:ROWS`, with two whole numbers")
    seed, rows = map(int, found.groups())
    return Simulated(load_model(folder / POPULATION, ruleset), seed, rows)
