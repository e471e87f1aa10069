"""The files of an input, here or in object storage by URL: listed in order, told apart, opened, and read by lines."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow
from pyarrow import dataset, fs

from engine.population.rows import CHUNK_ROWS, PopulationError
from engine.rules.canonical import digest_of

LONGEST_LINE = 1024 * 1024
"""Bytes of a line; one that is longer is no row."""
CHUNK_BYTES = 64 * 1024 * 1024
"""Bytes of lines after which a chunk ends before it is full: all its rows could be rejected, and are then in memory."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file of an input: its name below the input's folder, its size in bytes, and when it was written (ns)."""

    name: str
    size: int
    written: int


@dataclass(frozen=True, slots=True)
class Files:
    """One file, or those below a folder whose names end so; `where` is a path or a URL such as `s3://bucket/year`."""

    where: str
    ending: str

    def found(self) -> Sequence[Found]:
        """All of them, by name. PopulationError where there are none, or the place cannot be reached."""
        try:
            system, root = self._system()
            (info,) = system.get_file_info([root])
            infos = [info] if info.is_file else []
            if info.type is fs.FileType.Directory:
                inside = system.get_file_info(fs.FileSelector(root, recursive=True))
                infos = [each for each in inside if each.is_file and each.path.endswith(self.ending)]
        except (OSError, pyarrow.ArrowException) as error:
            raise PopulationError(f"`{self.where}` cannot be read: {_kind(error)}") from None
        if not infos:
            raise PopulationError(f"there is no file `{self.where}`, and no folder with files `*{self.ending}`")
        return sorted(
            (Found(each.path[len(root) :].lstrip("/"), each.size, each.mtime_ns) for each in infos),
            key=lambda found: found.name,
        )

    def fingerprint(self) -> str:
        """Names, sizes and times of all of them, as a digest."""
        return digest_of([[each.name, each.size, str(each.written)] for each in self.found()])

    def open(self, name: str) -> IO[bytes]:
        """A file of `found` by its name, to be read from any place in it."""
        try:
            system, root = self._system()
            return io.BufferedReader(system.open_input_file(f"{root}/{name}" if name else root))
        except (OSError, pyarrow.ArrowException) as error:
            raise PopulationError(f"`{self.where}` cannot be read: {_kind(error)}") from None

    def table(self, columns: Sequence[str], where: Any) -> Any:
        """Some columns of those rows of Parquet files for which `where` (an Arrow expression) holds: an Arrow table."""
        names = [each.name for each in self.found()]
        try:
            system, root = self._system()
            paths = [f"{root}/{name}" if name else root for name in names]
            rows = dataset.dataset(paths, filesystem=system, format="parquet")
            return rows.to_table(columns=[*columns], filter=where)
        except (OSError, pyarrow.ArrowException) as error:
            raise PopulationError(f"`{self.where}` cannot be read: {_kind(error)}") from None

    def _system(self) -> tuple[Any, str]:
        where = self.where if "://" in self.where else Path(self.where).resolve().as_posix()
        system, root = fs.FileSystem.from_uri(where)
        return system, root.rstrip("/")


def runs(file: IO[bytes]) -> Iterator[tuple[int, int]]:
    """Where each chunk of lines begins, from where the file stands, and how many lines it has."""
    offset, rows = file.tell(), 0
    while next_line(file):
        rows += 1
        if rows == CHUNK_ROWS or file.tell() - offset >= CHUNK_BYTES:
            yield offset, rows
            offset, rows = file.tell(), 0
    if rows:
        yield offset, rows


def lines_at(file: IO[bytes], offset: int, count: int) -> Iterator[bytes]:
    """So many lines from a place in a file. PopulationError where there are fewer: it is not the file that it was."""
    file.seek(offset)
    for _ in range(count):
        line = next_line(file)
        if not line:
            raise PopulationError("a file became shorter while it was read")
        yield line


def next_line(file: IO[bytes]) -> bytes:
    """A line with its end; of one that is longer than LONGEST_LINE its beginning, and the file then stands behind it.

    Empty behind the last line; what follows the end of the last line is none.
    """
    line = piece = file.readline(LONGEST_LINE + 1)
    while len(piece) > LONGEST_LINE and not piece.endswith(b"\n"):
        piece = file.readline(LONGEST_LINE + 1)
    return line


def _kind(error: Exception) -> str:
    """What went wrong, without whatever an object store answered."""
    return getattr(error, "strerror", "") or type(error).__name__
