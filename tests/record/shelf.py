"""A log in memory that keeps the promises of engine.record.store, and fails or waits when a test says so."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import LogUnavailable, RequestTaken, WriterTaken
from engine.record.entry import Entry, Receipt
from engine.record.sealing import WrappedKey
from engine.record.store import Batch, Claim, Store


def said(entry: Entry) -> dict[str, str]:
    """The clear part of an entry."""
    found: dict[str, str] = json.loads(entry.body)
    return found


def _request(entry: Entry) -> tuple[str, str]:
    return said(entry).get("caller", ""), said(entry).get("request_id", "")


class Shelf(Store):
    """`folder` None: as PostgreSQL, where one index over all writers refuses a request that is there already."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.location = "memory"
        self.chains: dict[str, list[Entry]] = {}
        self.rows: dict[str, WrappedKey] = {}
        self.contents: dict[str, bytes] = {}
        self.taken: set[str] = set()
        self.batches: list[Batch] = []
        self.before: Callable[[], None] = lambda: None
        """Called before anything is read or written; it may raise, and it may wait."""
        self.held: list[tuple[str, str]] = []

    def claim(self, writer: str) -> Claim:
        self.before()
        if writer in self.taken:
            raise WriterTaken("taken")
        self.taken.add(writer)
        return ShelfClaim(self, writer)

    @contextmanager
    def locked(self, requests: Iterable[tuple[str, str]]) -> Iterator[None]:
        self.held = list(requests)
        yield
        self.held = []

    def requests(self, requests: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Entry]:
        wanted = set(requests)
        assert self.folder is None or wanted <= set(self.held)
        return {_request(each): each for each in self.all() if _request(each) in wanted}

    def requests_elsewhere(self, writer: str, requests: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Entry]:
        return (
            {}
            if self.folder is None
            else {request: entry for request, entry in self.requests(requests).items() if entry.writer != writer}
        )

    def decision(self, decision_id: str) -> Entry | None:
        return next((each for each in self.all() if said(each)["decision_id"] == decision_id), None)

    def key(self, id: str) -> WrappedKey | None:
        return self.rows.get(id)

    def all(self) -> Iterator[Entry]:
        for chain in self.chains.values():
            yield from chain


class ShelfClaim(Claim):
    def __init__(self, shelf: Shelf, writer: str) -> None:
        self.shelf = shelf
        self.writer = writer
        self.owned: set[str] = set()
        self.thread: int | None = None

    def last(self) -> Receipt | None:
        self.own()
        self.shelf.before()
        chain = self.shelf.chains.get(self.writer)
        return Receipt(self.writer, chain[-1].sequence, chain[-1].hash) if chain else None

    def append(self, batch: Batch) -> None:
        self.own()
        self.shelf.before()
        index = self.shelf.all() if self.shelf.folder is None else self.shelf.chains.get(self.writer, [])
        there = {_request(entry) for entry in index if said(entry).get("request_id")}
        if any(_request(entry) in there for entry in batch.entries):
            raise RequestTaken("taken")
        if not batch.relies_on <= self.shelf.rows.keys():
            raise LogUnavailable("a key is gone")
        chain = self.shelf.chains.setdefault(self.writer, [])
        assert [each.sequence for each in batch.entries] == [len(chain) + 1 + n for n in range(len(batch.entries))]
        chain.extend(batch.entries)
        self.shelf.batches.append(batch)
        self.shelf.rows.update({row.id: row for row in batch.keys})
        self.owned |= {row.id for row in batch.keys}
        self.shelf.contents.update(batch.rulesets)

    def keys(self, subjects: Iterable[str]) -> dict[str, WrappedKey]:
        self.own()
        rows = (self.shelf.rows.get(id) for id in self.owned)
        return {row.subject: row for row in rows if row is not None and row.subject in set(subjects)}

    def close(self) -> None:
        self.shelf.taken.discard(self.writer)

    def own(self) -> None:
        """A claim is for one thread."""
        self.thread = self.thread or threading.get_ident()
        assert self.thread == threading.get_ident()
