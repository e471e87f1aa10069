"""An impact from input to sums: read so that both versions can decide, and done over all chunks.

What only one version asks is no mistake of a row. Which rows change is written only for who asks for it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from pyarrow import compute, parquet

from engine.population.fhir import BulkData
from engine.population.impact import Impact, Kind, Listing, Sums
from engine.population.rows import Chunk, PopulationError, Row, Source
from engine.population.running import Local, Ray, run
from engine.population.sources import open_source
from engine.population.tables import Csv, Parquet
from engine.population.writing import Place
from engine.rules.load import load, load_texts


@dataclass(frozen=True, slots=True)
class Versions:
    """The folders of two versions of one ruleset."""

    old: Path
    new: Path


def run_impact(
    source: Source,
    versions: Versions,
    listing: Listing,
    place: str,
    on: Local | Ray,
    partitions: int = 0,
    progress: Callable[[int, int], None] = lambda done, rows: None,
) -> Sums:
    """The sums over all rows of a source of `open_for_both`. PopulationError where it has none, and as `running.run`.

    `place` is a folder or URL for what is between: nothing in it is protected.
    """
    old, new = (load_texts(each)[1] for each in (versions.old, versions.new))
    sums = Sums.of(run(source, Impact(old, new, listing), place, on, partitions, progress).tally)
    if not sums.rows:
        raise PopulationError("the input has no rows")
    return sums


def write_changed(place: str, file: IO[bytes]) -> int:
    """Writes the rows that change, of a run that kept CHANGES, as Parquet by their numbers; how many there are."""
    parts = [name for name in Place(place).made() if name.startswith("part-")]
    words = [kind.value for kind in Kind if kind.changes]
    first = parquet.read_schema(io.BytesIO(Place(place).read(parts[0]))).remove_metadata()
    rows = 0
    with parquet.ParquetWriter(file, first, compression="zstd") as writer:
        for name in parts:
            table = parquet.read_table(io.BytesIO(Place(place).read(name)), filters=compute.field("kind").isin(words))
            writer.write_table(table.replace_schema_metadata(None))
            rows += table.num_rows
    return rows


class EitherVersion:
    """An input whose rows only a ruleset can read: the answers that either version reads in them.

    A row that one version cannot read is as the other reads it; one that neither reads has the faults of the new one.
    """

    def __init__(self, old: Source, new: Source) -> None:
        self._old, self._new = old, new

    def fingerprint(self) -> str:
        """That of the input, which is one and the same."""
        return self._new.fingerprint()

    def chunks(self) -> Sequence[Chunk]:
        """Those of the input."""
        return self._new.chunks()

    def read(self, chunk: Chunk) -> Iterator[Row]:
        """Each row as the versions read it."""
        for old, new in zip(self._old.read(chunk), self._new.read(chunk), strict=True):
            if new.faults:
                yield new if old.faults else old
            else:
                yield replace(new, answers={**old.answers, **new.answers})


def open_for_both(where: str, versions: Versions, keys: Path | None = None) -> Source:
    """The source that an input is, as `open_source` has it, read by two versions.

    A table may have columns for the questions of either. Patients are simulated as the new version's folder says.
    Raises PopulationError where the versions are of different rulesets.
    """
    old, new = load(versions.old).ruleset, load(versions.new).ruleset
    if old.id != new.id:
        raise PopulationError(f"`{old.id}` and `{new.id}` are different rulesets, not two versions of one")
    source = open_source(where, versions.new, keys)
    if isinstance(source, BulkData):
        return EitherVersion(open_source(where, versions.old, keys), source)
    if isinstance(source, Csv | Parquet):
        return type(source)(where, replace(new, questions={**old.questions, **new.questions}))
    return source
