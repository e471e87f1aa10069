"""Parquet and CSV as input: a column for each question, and a row for each person.

An empty cell is a question that was not asked, `unknown` one that the person could not answer. Options of one answer,
and the groups of the column `none_of`, are a list or `a|b`. The column `id` is the row's own, and a column `group_...`
is no answer but goes with the row. Any other column is a mistake, told before anything is decided.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import IO, Any

import pyarrow
from pyarrow import parquet, types

from engine.decide.answers import UNKNOWN, Given, given, shown
from engine.population.files import LONGEST_LINE, Files, lines_at, next_line, runs
from engine.population.rows import CHUNK_ROWS, Chunk, PopulationError, Row
from engine.rules.model import NO, YES, QuestionType, Ruleset
from engine.rules.suggest import did_you_mean

ID, NONE_OF, GROUP = "id", "none_of", "group_"
BETWEEN = "|"
BATCH = 1000
"""Rows that are Python's at a time."""
KEPT = 4096
"""Different cells of a column of which it is kept what they say."""

Cell = Any
"""What a cell of a table can hold: text, a number, a bool, a tuple of texts, or None."""

_Said = tuple[str, Given, str, str]
"""What a cell says: question, answer, the fault where it cannot be read (else empty), and the cell as JSON."""


class _Unreadable(Exception):
    """A cell that cannot be read; the message is the row's fault."""


class Columns:
    """How the cells of a table with these columns become a row."""

    def __init__(self, where: str, names: Sequence[str], questions: Mapping[str, QuestionType]) -> None:
        """PopulationError for every column that is unknown or stands there twice."""
        known = {*questions, ID, NONE_OF}
        faults = []
        for place, name in enumerate(names):
            if name in names[:place]:
                faults.append(f"`{shown(name)}` stands there twice")
            elif name not in known and not name.startswith(GROUP):
                meant = did_you_mean(name, known)
                faults.append(f"no question `{shown(name)}`{f', {meant}' if meant else ''}")
        if faults:
            raise PopulationError(f"columns of `{where}`: {'; '.join(faults)}")
        self.names = [*names]
        self._answers = [(at, _Cells(name, questions[name])) for at, name in enumerate(names) if name in questions]
        self._others = [(at, name) for at, name in enumerate(names) if name not in questions]

    def row(self, number: int, cells: Sequence[Cell]) -> Row:
        """A row, with a fault for each cell that cannot be read. Cells are in the order of the columns."""
        return self._row(
            number, [known[cells[at]] for at, known in self._answers], [cells[at] for at, _ in self._others]
        )

    def rows(self, number: int, batch: Any) -> Iterator[Row]:
        """The rows of an Arrow batch, each different cell of a column looked at once; `number` is the first's."""
        coded = [_coded(each) for each in batch.columns]
        said = []
        for at, known in self._answers:
            cells, places = coded[at]
            told = [known[cell] for cell in cells]
            said.append([told[place] for place in places])
        others = []
        for at, _ in self._others:
            cells, places = coded[at]
            others.append([cells[place] for place in places])
        for row in range(batch.num_rows):
            yield self._row(number + row, [each[row] for each in said], [each[row] for each in others])

    def _row(self, number: int, said: Iterable[_Said | None], cells: Sequence[Cell]) -> Row:
        answers: dict[str, Given] = {}
        others: dict[str, Cell] = {}
        faults: list[str] = []
        raw: list[str] = []
        for each in said:
            if each is None:
                continue
            name, answer, fault, text = each
            answers[name] = answer
            raw.append(text)
            if fault:
                faults.append(fault)
        for (_, name), cell in zip(self._others, cells, strict=True):
            if cell is not None and cell != "":
                others[name] = cell
                raw.append(_json(name, cell))
        id = str(others.pop(ID, ""))
        denied: tuple[str, ...] = ()
        try:
            denied = _several(others.pop(NONE_OF, ()))
        except _Unreadable as fault:
            faults.append(f"`{NONE_OF}`: {fault}")
        groups = {name.removeprefix(GROUP): str(cell) for name, cell in others.items()}
        return Row(number, id, answers, denied, groups, tuple(faults), f"{{{', '.join(raw)}}}")


class _Cells(dict[Cell, _Said | None]):
    """What cells of one column say; None for one that is empty. Most cells say what others said."""

    def __init__(self, name: str, kind: QuestionType) -> None:
        super().__init__({None: None, "": None})
        self._name, self._kind = name, kind

    def __missing__(self, cell: Cell) -> _Said:
        text = _json(self._name, cell)
        try:
            found = self._name, _given(self._kind, cell), "", text
        except _Unreadable as fault:  # not missing: a denied group must not answer it instead
            found = self._name, UNKNOWN, f"`{self._name}`: {fault}", text
        if len(self) < KEPT:
            self[cell] = found
        return found


def _json(name: str, cell: Cell) -> str:
    told = cell if isinstance(cell, str | int | tuple) else str(cell)
    return f"{json.dumps(name)}: {json.dumps(told, ensure_ascii=False)}"


def _given(kind: QuestionType, cell: Cell) -> Given:
    """An answer by what stands in a cell. What its question does not take is found by who decides."""
    if isinstance(cell, str):
        if kind is QuestionType.SEVERAL and cell != "unknown":
            return Given(kind, _several(cell))
        return given(cell)
    if isinstance(cell, bool):
        return Given(QuestionType.YES_NO, YES if cell else NO)
    if isinstance(cell, int):
        return Given(QuestionType.INTEGER, cell)
    if isinstance(cell, tuple):
        options = _several(cell)
        return UNKNOWN if options == ("unknown",) else Given(QuestionType.SEVERAL, options)
    if isinstance(cell, bytes):
        raise _Unreadable("not UTF-8")
    number = Decimal(repr(cell)) if isinstance(cell, float) else cell
    if not isinstance(number, Decimal) or not number.is_finite():
        raise _Unreadable("not a number")
    whole = int(number)  # a column of whole numbers in which some are empty is often one of fractions
    return Given(QuestionType.INTEGER, whole) if whole == number else Given(QuestionType.DECIMAL, number)


def _several(cell: Cell) -> tuple[str, ...]:
    if isinstance(cell, str):
        return tuple(cell.split(BETWEEN))
    if isinstance(cell, tuple) and all(isinstance(each, str) for each in cell):
        return cell
    raise _Unreadable("not a list of texts")


def _coded(column: Any) -> tuple[list[Cell], list[int]]:
    """The different cells of an Arrow column, and the place of each row's cell among them."""
    if types.is_list(column.type) or types.is_large_list(column.type):  # Arrow does not tell which are equal
        return _pythons(column), [*range(len(column))]
    if types.is_dictionary(column.type):  # its dictionary may be that of a whole file
        column = column.dictionary_decode()
    coded = column.dictionary_encode()
    # The last place is that of the cells that are null.
    return [*_pythons(coded.dictionary), None], coded.indices.cast("int64").fill_null(-1).to_pylist()


def _pythons(column: Any) -> list[Cell]:
    """The cells of an Arrow column. A list is a tuple, and a text that is no UTF-8 is bytes."""
    try:
        found: list[Cell] = column.to_pylist()
    except UnicodeDecodeError:
        found = [_python(cell) for cell in column]
    return [tuple(cell) if isinstance(cell, list) else cell for cell in found]


def _python(cell: Any) -> Cell:
    try:
        return cell.as_py()
    except UnicodeDecodeError as fault:
        return fault.object


def _is_read(kind: Any) -> bool:
    """Whether cells of an Arrow type can be answers."""
    if types.is_dictionary(kind) or types.is_list(kind) or types.is_large_list(kind):
        return _is_text(kind.value_type)
    return _is_text(kind) or any(
        is_it(kind) for is_it in (types.is_boolean, types.is_integer, types.is_floating, types.is_decimal)
    )


def _is_text(kind: Any) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_null(kind))


def columns(where: str) -> list[str]:
    """The columns of a Parquet file, or of the first of a folder."""
    files = Files(where, Parquet.ENDING)
    with files.open(files.found()[0].name) as file:
        return [*_schema(where, file).names]


def _schema(where: str, file: IO[bytes]) -> Any:
    try:
        return parquet.read_schema(file)
    except (OSError, pyarrow.ArrowException):
        raise PopulationError(f"`{where}` is no Parquet file, or not whole") from None


class Parquet:
    """Parquet in a file or in the `*.parquet` of a folder."""

    ENDING = ".parquet"

    def __init__(self, where: str, ruleset: Ruleset) -> None:
        self._files = Files(where, self.ENDING)
        self._questions = {name: each.type for name, each in ruleset.questions.items()}

    def fingerprint(self) -> str:
        """Names, sizes and times of the files."""
        return self._files.fingerprint()

    def chunks(self) -> Sequence[Chunk]:
        """Runs of rows of one file. PopulationError for columns that nobody knows, or of which cells are no answers."""
        found: list[Chunk] = []
        start = 0
        for each in self._files.found():
            where = each.name or self._files.where
            with self._files.open(each.name) as file:
                schema = _schema(where, file)
                Columns(where, schema.names, self._questions)
                for field in schema:
                    if not _is_read(field.type):
                        raise PopulationError(f"columns of `{where}`: `{field.name}` has cells of type {field.type}")
                rows = parquet.read_metadata(file).num_rows
            for first in range(0, rows, CHUNK_ROWS):
                found.append(Chunk(len(found), f"{first}@{each.name}", start + first, min(CHUNK_ROWS, rows - first)))
            start += rows
        return found

    def read(self, chunk: Chunk) -> Iterator[Row]:
        """The rows of a chunk; of the file no more than the row groups in which they lie is read."""
        offset, _, name = chunk.place.partition("@")
        skip, number = int(offset), chunk.start
        with self._files.open(name) as opened:
            file = parquet.ParquetFile(opened)
            table = Columns(name, file.schema_arrow.names, self._questions)
            groups = []
            before = 0
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if before + rows <= int(offset):
                    skip -= rows
                elif before < int(offset) + chunk.rows:
                    groups.append(group)
                before += rows
            for batch in file.iter_batches(BATCH, groups, use_threads=False):
                wanted = batch.slice(skip, chunk.start + chunk.rows - number)
                skip = max(0, skip - batch.num_rows)
                yield from table.rows(number, wanted)
                number += wanted.num_rows
                if number == chunk.start + chunk.rows:
                    return


class Csv:
    """CSV in a file or in the `*.csv` of a folder: UTF-8, commas, a first line with the columns. A row is one line.

    A line that cannot be read is a row with a fault, an empty line too.
    """

    ENDING = ".csv"

    def __init__(self, where: str, ruleset: Ruleset) -> None:
        self._files = Files(where, self.ENDING)
        self._questions = {name: each.type for name, each in ruleset.questions.items()}

    def fingerprint(self) -> str:
        """Names, sizes and times of the files."""
        return self._files.fingerprint()

    def chunks(self) -> Sequence[Chunk]:
        """Runs of lines of one file: looks through all files once, for where lines end."""
        found: list[Chunk] = []
        start = 0
        for each in self._files.found():
            with self._files.open(each.name) as file:
                self._columns(each.name, file)
                for offset, rows in runs(file):
                    found.append(Chunk(len(found), f"{offset}@{each.name}", start, rows))
                    start += rows
        return found

    def read(self, chunk: Chunk) -> Iterator[Row]:
        """A row for each line."""
        offset, _, name = chunk.place.partition("@")
        with self._files.open(name) as file:
            table = self._columns(name, file)
            for number, line in enumerate(lines_at(file, int(offset), chunk.rows), chunk.start):
                cells, fault = _cells(line, len(table.names))
                if fault:
                    raw = json.dumps(line.decode("utf-8", "backslashreplace").rstrip("\r\n"), ensure_ascii=False)
                    yield Row(number, "", {}, faults=(fault,), raw=raw)
                else:
                    yield table.row(number, cells)

    def _columns(self, name: str, file: IO[bytes]) -> Columns:
        where = name or self._files.where
        line = next_line(file)
        names, fault = _cells(line.removeprefix(b"\xef\xbb\xbf"), None)
        if fault:
            raise PopulationError(f"columns of `{where}`: {fault}")
        return Columns(where, names, self._questions)


def _cells(line: bytes, count: int | None) -> tuple[list[str], str]:
    """The cells of a line, so many of them, and why it cannot be read; no fault is empty."""
    if len(line) > LONGEST_LINE:
        return [], f"the line has more than {LONGEST_LINE} bytes, of which no more are kept"
    try:
        cells = next(csv.reader([line.decode("utf-8").rstrip("\r\n")], strict=True), [])
    except UnicodeDecodeError as fault:
        return [], f"byte {fault.start + 1} of the line is no UTF-8"
    except csv.Error as fault:
        return [], f"the line is no CSV: {fault}"
    if not cells:
        return [], "the line is empty"
    if count is not None and len(cells) != count:
        return [], f"the line has {len(cells)} cells, and there are {count} columns"
    return cells, ""
