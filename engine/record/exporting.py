"""The log for other programs: JSON Lines, Parquet, and the decision-log events of Open Policy Agent (OPA).

Entries are written as they come, so that a log of any length needs little memory. What was erased is exported as
erased; nothing is left out silently: each function gives what it wrote and what its format has no place for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from typing import IO, Any

from engine.errors import PluisError
from engine.record.entry import EntryKind
from engine.record.reading import Opened, State
from engine.rules.canonical import canonical_json

ROWS = 2000
"""Entries that are held at a time for Parquet, where they become one row group."""


class ParquetMissing(PluisError):
    """The library that writes Parquet is an extra, and is not there."""

    def __init__(self) -> None:
        super().__init__("Parquet needs an extra: pip install 'pluis[parquet]'")


@dataclass(frozen=True, slots=True)
class Exported:
    """How many entries were written; how many of them without what was sealed; how many have no place in the format."""

    written: int = 0
    erased: int = 0
    sealed: int = 0
    left_out: int = 0

    def and_one(self, it: Opened) -> Exported:
        """One more that was written."""
        erased, sealed = self.erased + (it.state is State.ERASED), self.sealed + (it.state is State.SEALED)
        return Exported(self.written + 1, erased, sealed, self.left_out)

    def without(self) -> Exported:
        """One more that has no place."""
        return Exported(self.written, self.erased, self.sealed, self.left_out + 1)


def export_json(entries: Iterable[Opened], out: IO[bytes]) -> Exported:
    """A line of JSON for each entry, of every kind."""
    told = Exported()
    for it in entries:
        out.write(canonical_json(line(it)) + b"\n")
        told = told.and_one(it)
    return told


def line(it: Opened) -> dict[str, Any]:
    """An entry whole: where it stands, its clear part, and what was sealed in it or `state`, which says why not."""
    entry = it.entry
    place = {"writer": entry.writer, "sequence": entry.sequence, "previous": entry.previous, "hash": entry.hash}
    sealed = {**it.sealed}
    if it.outcome:
        sealed["outcome"] = json.loads(it.outcome)
    return {**place, "state": it.state.value, **it.clear, **sealed}


def export_opa(entries: Iterable[Opened], out: IO[bytes]) -> Exported:
    """A line for each decision: an event as OPA's decision log has it. What is no decision has no place there."""
    told = Exported()
    for it in entries:
        if it.kind is not EntryKind.DECISION:
            told = told.without()
            continue
        out.write(canonical_json(event(it)) + b"\n")
        told = told.and_one(it)
    return told


def event(it: Opened) -> dict[str, Any]:
    """A decision in OPA's shape. Without what was sealed `input` and `result` are absent, and `erased` points to them.

    The ruleset is the bundle, and its digest the revision; what OPA has no field for stands in the labels.
    """
    ruleset, clear = it.ruleset, it.clear
    labels = {"id": it.entry.writer, "version": clear.get("engine", ""), "receipt": f"{it.place}/{it.entry.hash}"}
    labels |= {"ruleset_version": ruleset.version, "decision_digest": clear.get("decision_digest", "")}
    for key in ("request_id", "on_behalf_of", "respondent", "language"):
        if clear.get(key):
            labels[key] = clear[key]
    told = {
        "labels": labels,
        "decision_id": it.decision_id,
        "bundles": {ruleset.id: {"revision": ruleset.digest}},
        "path": f"{ruleset.id}/decision",
        "requested_by": clear.get("caller", ""),
        "timestamp": clear.get("time", ""),
        "metrics": {},
    }
    if it.state is State.OPEN:
        return {**told, "input": it.sealed.get("answers", {}), "result": json.loads(it.outcome)}
    return {**told, "erased": ["/input", "/result"]}


_CLEAR = (
    "kind", "time", "decision_id", "request_id", "caller", "on_behalf_of", "respondent", "language", "engine",
    "decision_digest", "subject_tag",
)  # fmt: skip
_OUTCOME = ("floor", "ceiling", "call")


def export_parquet(entries: Iterable[Opened], out: IO[bytes]) -> Exported:
    """A row for each entry of every kind; answers and outcome are JSON texts, and null where they cannot be read."""
    try:
        pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")  # neither has types
    except ImportError:
        raise ParquetMissing from None
    schema = _schema(pyarrow)
    told = Exported()
    with parquet.ParquetWriter(out, schema) as writer:
        for rows in _batches(entries):
            writer.write_table(pyarrow.Table.from_pylist([row(each) for each in rows], schema))
            for each in rows:
                told = told.and_one(each)
    return told


def row(it: Opened) -> dict[str, Any]:
    """An entry as one row. `rest` is whatever else its clear part says, as JSON."""
    entry, outcome = it.entry, json.loads(it.outcome) if it.outcome else {}
    known = {*_CLEAR, "ruleset"}
    rest = {key: said for key, said in it.clear.items() if key not in known}
    rest |= {key: said for key, said in it.sealed.items() if key not in ("answers", "outcome", "subject")}
    return {
        "writer": entry.writer,
        "sequence": entry.sequence,
        "hash": entry.hash,
        "state": it.state.value,
        **{key: it.clear.get(key) for key in _CLEAR},
        "ruleset_id": it.ruleset.id or None,
        "ruleset_version": it.ruleset.version or None,
        "ruleset_digest": it.ruleset.digest or None,
        "subject": it.sealed.get("subject"),
        "settled": outcome.get("settled"),
        **{key: outcome.get(key) for key in _OUTCOME},
        "answers": _text(it.sealed.get("answers")),
        "outcome": it.outcome.decode() or None,
        "rest": _text(rest or None),
    }


def _schema(arrow: Any) -> Any:
    """Every column; one that a new kind of entry does not fill stays, so that files of different days go together."""
    text = [
        "hash", "state", *_CLEAR, "ruleset_id", "ruleset_version", "ruleset_digest", "subject", *_OUTCOME, "answers",
        "outcome", "rest",
    ]  # fmt: skip
    others = [("writer", arrow.string()), ("sequence", arrow.int64()), ("settled", arrow.bool_())]
    return arrow.schema([*others, *((name, arrow.string()) for name in text)])


def _text(content: object) -> str | None:
    return None if content is None else canonical_json(content).decode()


def _batches(entries: Iterable[Opened]) -> Iterator[list[Opened]]:
    rest = iter(entries)
    while batch := list(islice(rest, ROWS)):
        yield batch
