"""What a run leaves behind: parts, rejects, manifest and summary, each whole or not there at all.

A file is written under another name and renamed when it is whole, in a folder as in object storage. A part is written
last of its chunk and holds the chunk's counts in its footer, so that a part that can be read is a chunk that is done.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow
from pyarrow import fs, parquet

from engine.population.rows import Chunk, Done, PopulationError, Task
from engine.rules.canonical import canonical_json

MANIFEST, SUMMARY = "manifest.json", "summary.json"
_UNFINISHED = ".unfinished"
_COUNTS = b"pluis"
"""The key in a part's footer."""
_TYPES = {
    str: pyarrow.string(),
    int: pyarrow.int64(),
    float: pyarrow.float64(),
    bool: pyarrow.bool_(),
    list: pyarrow.list_(pyarrow.string()),
}
_REJECTS = {"number": int, "id": str, "reasons": list, "raw": str}


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the rows of one chunk."""

    rows: int
    records: int
    rejected: int
    tally: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run writes: a folder, or a URL such as `s3://bucket/run`. Raises PopulationError where it cannot."""

    where: str

    def made(self) -> list[str]:
        """Makes the folder where there is none; the names of what lies in it."""
        try:
            system, root = self._system()
            system.create_dir(root, recursive=True)
            return sorted(each.base_name for each in system.get_file_info(fs.FileSelector(root)))
        except (OSError, pyarrow.ArrowException) as error:
            raise self._fault(error) from None

    def read(self, name: str) -> bytes:
        """A whole file."""
        try:
            system, root = self._system()
            with system.open_input_file(f"{root}/{name}") as file:
                return bytes(file.read())
        except (OSError, pyarrow.ArrowException) as error:
            raise self._fault(error) from None

    def write(self, name: str, content: bytes) -> None:
        """A whole file, in the place of one of that name."""
        try:
            system, root = self._system()
            unfinished = f"{root}/{name}.{uuid4().hex}{_UNFINISHED}"
            with system.open_output_stream(unfinished, compression=None) as file:
                file.write(content)
            system.move(unfinished, f"{root}/{name}")
        except (OSError, pyarrow.ArrowException) as error:
            raise self._fault(error) from None

    def tidy(self) -> None:
        """Removes what was never finished, because whoever wrote it was ended."""
        for name in self.made():
            if name.endswith(_UNFINISHED):
                system, root = self._system()
                system.delete_file(f"{root}/{name}")

    def counts(self, chunk: Chunk) -> Counts | None:
        """What became of a chunk; None where it is not done."""
        try:
            system, root = self._system()
            with system.open_input_file(f"{root}/{part(chunk)}") as file:
                told = parquet.read_metadata(file).metadata[_COUNTS]
        except (OSError, pyarrow.ArrowException, KeyError):
            return None
        return Counts(**json.loads(told))

    def write_chunk(self, chunk: Chunk, task: Task, done: Done) -> None:
        """The rejects of a chunk, where it has any, and then its part."""
        rows, records, rejected = chunk.rows, len(done.records), len(done.rejected)
        if rows != records + rejected:
            raise PopulationError(f"of {rows} rows {records} became records and {rejected} were rejected")
        if rejected:
            told = [(each.number, each.id, [*each.reasons], each.raw) for each in done.rejected]
            self.write(rejects(chunk), _parquet(_REJECTS, told, {}))
        counts = Counts(rows, records, rejected, dict(sorted(done.tally.items())))
        self.write(part(chunk), _parquet(task.columns, done.records, {_COUNTS: canonical_json(asdict(counts))}))

    def _system(self) -> tuple[Any, str]:
        where = self.where if "://" in self.where else Path(self.where).resolve().as_posix()
        system, root = fs.FileSystem.from_uri(where)
        return system, root.rstrip("/")

    def _fault(self, error: Exception) -> PopulationError:
        return PopulationError(f"`{self.where}`: {getattr(error, 'strerror', '') or type(error).__name__}")


def part(chunk: Chunk) -> str:
    """The name of the file with a chunk's records."""
    return f"part-{chunk.number:05}.parquet"


def rejects(chunk: Chunk) -> str:
    """The name of the file with a chunk's rejected rows."""
    return f"rejects-{chunk.number:05}.parquet"


def _parquet(columns: Mapping[str, type], rows: Any, footer: Mapping[bytes, bytes]) -> bytes:
    """A Parquet file: the same bytes for the same rows."""
    schema = pyarrow.schema([(name, _TYPES[kind]) for name, kind in columns.items()], metadata=footer)
    cells = zip(*rows, strict=True) if rows else [() for _ in columns]
    arrays = [pyarrow.array(each, field.type) for each, field in zip(cells, schema, strict=True)]
    out = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=schema), out, compression="zstd")
    return out.getvalue()
