"""What goes in and comes out, row by row: the words that sources, tasks and the runner of this room share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.decide.answers import Given
from engine.errors import PluisError

CHUNK_ROWS = 20_000
"""Rows of a full chunk. A fixed number, so that what is written depends on neither workers nor partitions."""


class PopulationError(PluisError):
    """A run cannot start or go on. The message names files, columns and chunks, never what a patient answered."""


@dataclass(frozen=True, slots=True)
class Row:
    """One patient as a source read it, not yet held against the ruleset.

    `number` counts from 0 over the whole input; `id` is the row's own, empty where it has none. `answers` may have
    wrong names, types and ranges: whoever decides finds all of them. `groups` are columns that are no answers, by name.
    `faults` is why the row could not be read at all, in full; then it is rejected with all of these. `raw` is the row
    as it came, as JSON text, for the rejects alone.
    """

    number: int
    id: str
    answers: Mapping[str, Given]
    none_of: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that are done together and become one part.

    `number` counts chunks from 0 over the whole input, `start` is the number of the first row, and `rows` how many
    there are, at most CHUNK_ROWS. `place` is where they lie, in words that only their source understands, such as a
    file and an offset in it.
    """

    number: int
    place: str
    start: int
    rows: int


class Source(Protocol):
    """An input. Picklable, and small when pickled: each worker gets a copy and opens what it reads by itself."""

    def fingerprint(self) -> str:
        """Tells two inputs apart without reading all: names, sizes and times of files, or a seed and a number.

        A run that is taken up again refuses an input with another one. It holds no path of a folder.
        """
        ...

    def chunks(self) -> Sequence[Chunk]:
        """All of the input, in order and without gaps: the same chunks each time.

        Raises PopulationError for what is wrong with the whole input, such as a column that nobody knows.
        """
        ...

    def read(self, chunk: Chunk) -> Iterator[Row]:
        """Exactly the rows of a chunk, in order, one at a time. A row that cannot be read has `faults`."""
        ...


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row for which there is no decision, with every reason."""

    number: int
    id: str
    reasons: tuple[str, ...]
    raw: str


Cell = str | int | float | bool | list[str] | None
"""What a column of a part can hold; each column is of one type."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a task made of one chunk: each of its rows is in `records` or in `rejected`.

    `records` are tuples in the order of the task's columns, sorted by row. `tally` are counts that are added up over
    all chunks, by a name of the task's choice, such as `disposition/physio`.
    """

    records: Sequence[tuple[Cell, ...]]
    rejected: Sequence[Rejected]
    tally: Mapping[str, int] = field(default_factory=dict)


class Task(Protocol):
    """What is done with the rows of a chunk. Picklable, and small when pickled: texts of rulesets and options.

    Each worker gets a copy. What takes long to make (an Evaluator) is made at the first call of `do` and left out of
    the pickle. The result of `do` follows from the rows and `fingerprint` alone; an EngineError stops the whole run.
    """

    @property
    def name(self) -> str:
        """One word, such as `batch`."""
        ...

    @property
    def fingerprint(self) -> str:
        """All on which its results depend: digests of rulesets, and options."""
        ...

    @property
    def columns(self) -> Mapping[str, type]:
        """The columns of its parts, in order: str, int, float, bool, or list for a list of texts. All may be null."""
        ...

    def do(self, rows: Iterator[Row]) -> Done:
        """What becomes of the rows of a chunk. Reads them once, in order."""
        ...
