"""The decision log as input: the answers of each decision by a ruleset, out of the log itself or its Parquet export.

Rows come by writer and sequence, whichever of the two they are read from; `pluis log export` writes the newest first.
Only decisions by one ruleset are rows, in whichever version. What was erased, is sealed with a key that is not here, or
cannot be read is a row with a fault. Who a decision is about is left where it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

from pyarrow import dataset

from engine.errors import LogRefused
from engine.population.files import Files
from engine.population.rows import CHUNK_ROWS, Chunk, PopulationError, Row
from engine.record.entry import Entry, EntryKind
from engine.record.place import Place, place_of
from engine.record.reading import Opened, State, open_entry, unsealing
from engine.record.sealing import Keys, read_keys
from engine.record.store import Store, open_existing
from engine.record.tables import filed_under
from engine.rules.canonical import digest_of

CHANGED = "the log was purged while it was read: start again, in another folder"
BATCH = 1000
"""Rows of an export that are Python's at a time."""
_EXPORTED = ("writer", "sequence", "state", "decision_id", "caller", "ruleset_version", "answers")
"""The columns of an export that are read."""
_CLOSED = {
    State.ERASED: "its answers were erased",
    State.SEALED: "its answers are sealed with a master key that is not in the key file",
    State.EMPTY: "it holds no answers",
}


class RecordedLog:
    """A log in a folder or a PostgreSQL database, and the decisions by one ruleset in it.

    `keys` is the file with its keys; that beside the folder where it is None. Entries that are recorded after `chunks`
    are no part of the input.
    """

    def __init__(self, where: str, ruleset: str, keys: Path | None = None) -> None:
        self._place = place_of(where, keys)
        self._named = keys is not None
        self._ruleset = ruleset

    def fingerprint(self) -> str:
        """Where the chain of each writer ends."""
        with open_existing(self._place.where) as store:
            ends = [(end.writer, end.sequence, end.hash) for each in store.writers() if (end := store.last(each))]
        return digest_of([self._ruleset, ends])

    def chunks(self) -> Sequence[Chunk]:
        """Runs of decisions of one writer. LogRefused where there is no log."""
        with open_existing(self._place.where) as store:
            return _chunked(
                (writer, entry.sequence) for writer in store.writers() for entry in self._decisions(store, writer, 0)
            )

    def read(self, chunk: Chunk) -> Iterator[Row]:
        """The decisions of a chunk. PopulationError where they are not all there any more."""
        writer, first, last = _span(chunk)
        with open_existing(self._place.where) as store:
            unseal = unsealing(store, _keys(self._place, self._named))
            number = chunk.start
            for entry in self._decisions(store, writer, first - 1):
                if entry.sequence > last:
                    break
                try:
                    row = _row(number, open_entry(entry, unseal))
                except LogRefused as error:
                    row = Row(number, "", {}, faults=(str(error),), raw=_raw(entry.writer, entry.sequence))
                yield row
                number += 1
        _check_all(number, chunk)

    def _decisions(self, store: Store, writer: str, after: int) -> Iterator[Entry]:
        return (entry for entry in store.entries(writer, after) if self._counts(entry))

    def _counts(self, entry: Entry) -> bool:
        try:
            filed = filed_under(entry)
        except (ValueError, TypeError):  # nobody knows what it was: it is told as a fault of its row
            return True
        return filed.kind == EntryKind.DECISION.value and filed.ruleset_id == self._ruleset


class ExportedLog:
    """A Parquet file that `pluis log export` wrote, or a folder of them, and the decisions by one ruleset in it."""

    def __init__(self, where: str, ruleset: str) -> None:
        self._files = Files(where, ".parquet")
        self._ruleset = ruleset

    def fingerprint(self) -> str:
        """Names, sizes and times of the files, and which ruleset."""
        return digest_of([self._ruleset, self._files.fingerprint()])

    def chunks(self) -> Sequence[Chunk]:
        """Runs of decisions of one writer. PopulationError where a decision has no place, or stands there twice."""
        table = self._decisions(["writer", "sequence"])
        writers, sequences = (table.column(name).to_pylist() for name in ("writer", "sequence"))
        places = [*zip(writers, sequences, strict=True)]
        if any(None in place or place == before for before, place in pairwise([(None, None), *places])):
            raise PopulationError("an entry stands twice in the export, or has no place: is it of one log, and whole?")
        return _chunked(places)

    def read(self, chunk: Chunk) -> Iterator[Row]:
        """The decisions of a chunk."""
        writer, first, last = _span(chunk)
        sequence = dataset.field("sequence")
        here = (dataset.field("writer") == writer) & (sequence >= first) & (sequence <= last)
        number = chunk.start
        for batch in self._decisions(_EXPORTED, here).to_batches(max_chunksize=BATCH):
            for said in batch.to_pylist():
                yield _row(number, _opened(said))
                number += 1
        _check_all(number, chunk)

    def _decisions(self, columns: Sequence[str], here: Any = None) -> Any:
        """The decisions as an Arrow table, in their order."""
        ours = (dataset.field("kind") == EntryKind.DECISION.value) & (dataset.field("ruleset_id") == self._ruleset)
        table = self._files.table(columns, ours if here is None else ours & here)
        return table.sort_by([("writer", "ascending"), ("sequence", "ascending")])


def is_export(columns: Iterable[str]) -> bool:
    """Whether a Parquet file with these columns is an export of the log."""
    return {*_EXPORTED, "kind", "ruleset_id"} <= {*columns}


def _opened(said: dict[str, Any]) -> Opened:
    """A row of the export as the entry that it was. What is no JSON any more counts as no answers."""
    try:
        state, sealed = State(said["state"]), {"answers": json.loads(said["answers"] or "null")}
    except ValueError:
        state, sealed = State.EMPTY, {}
    clear = {key: said[key] or "" for key in ("decision_id", "caller")}
    clear["ruleset"] = {"version": said["ruleset_version"] or ""}
    entry = Entry(said["writer"], said["sequence"], b"", b"", "", "", "")
    return Opened(entry, EntryKind.DECISION, clear, state, sealed)


def _keys(place: Place, named: bool) -> Keys | None:
    """The keys of a log; None where nobody named their file, and there is none in its usual place."""
    return read_keys(place.keys) if named or place.keys.exists() else None


def _chunked(places: Iterable[tuple[str, int]]) -> tuple[Chunk, ...]:
    """Chunks of decisions, whose (writer, sequence) come in order; none has those of two writers."""
    found: list[Chunk] = []
    start = 0
    for writer, group in groupby(places, itemgetter(0)):
        while page := [sequence for _, sequence in islice(group, CHUNK_ROWS)]:
            found.append(Chunk(len(found), f"{writer}/{page[0]}/{page[-1]}", start, len(page)))
            start += len(page)
    return tuple(found)


def _span(chunk: Chunk) -> tuple[str, int, int]:
    """Of which writer the decisions of a chunk are, and the sequences of the first and the last."""
    writer, first, last = chunk.place.rsplit("/", 2)
    return writer, int(first), int(last)


def _check_all(number: int, chunk: Chunk) -> None:
    if number != chunk.start + chunk.rows:
        raise PopulationError(CHANGED)


def _row(number: int, it: Opened) -> Row:
    """A decision as a row: its answers, and beside them who asked and by which version was decided."""
    raw = _raw(it.entry.writer, it.entry.sequence, it.sealed.get("answers"))
    fault = _CLOSED.get(it.state, "") or ("" if _are_answers(it.sealed.get("answers")) else "it holds no answers")
    if fault:
        return Row(number, it.decision_id, {}, faults=(f"entry {it.place}: {fault}",), raw=raw)
    groups = {"caller": str(it.clear.get("caller", "")), "version": it.ruleset.version}
    return Row(number, it.decision_id, it.answers(), groups=groups, raw=raw)


def _are_answers(said: object) -> bool:
    """Whether it is a mapping of questions to what the log writes as answers: a text, texts, or None for unknown."""
    return isinstance(said, dict) and all(
        each is None or isinstance(each, str) or (isinstance(each, list) and all(isinstance(one, str) for one in each))
        for each in said.values()
    )


def _raw(writer: str, sequence: int, answers: object = None) -> str:
    return json.dumps({"writer": writer, "sequence": sequence, "answers": answers}, sort_keys=True)
