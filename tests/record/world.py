"""A log in a folder, and a clock that tests set: what the tests of its upkeep and of backups begin with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.record.checkpoint import snapshot
from engine.record.entry import Draft
from engine.record.place import Place, place_of
from engine.record.reading import State, open_entries, unsealing
from engine.record.sealing import Keys, ensure_keys
from engine.record.store import Store, open_store
from engine.record.upkeep import Purged, Upkeep, erase, moment_before, purge
from engine.record.verify import Evidence, Report, verify_store
from engine.record.writer import DecisionLog
from engine.rules.ed25519 import public_of
from tests.record.decided import FINE, WORN, bicycle, draft, texts

THEN = datetime(2020, 2, 29, 12, tzinfo=UTC)


class World:
    """A log in a folder, and a clock that tests set."""

    def __init__(self, folder: Path) -> None:
        self.place: Place = place_of(str(folder / "log"))
        self.keys: Keys = ensure_keys(self.place.keys)
        self.now = THEN
        self.number = 0

    def open(self) -> Store:
        return open_store(self.place.where)

    def upkeep(self, store: Store) -> Upkeep:
        return Upkeep(store, self.keys, self.place.checkpoints, lambda: self.now)

    def record(self, writer: str, *said: str) -> None:
        """One decision for each subject, a second apart."""
        with self.open() as store, DecisionLog(store, self.keys, self.place.checkpoints, (writer,)) as log:
            log.add_ruleset(bicycle().checked.digest, texts())
            for subject in said:
                log.record(self.draft(subject))

    def draft(self, subject: str) -> Draft:
        self.number += 1
        self.now += timedelta(seconds=1)
        return replace(draft(self.number, WORN if self.number % 2 else FINE, self.now), subject=subject)

    def purge(self, span: str) -> list[Purged]:
        with self.open() as store:
            return list(purge(self.upkeep(store), moment_before(self.now, span)))

    def erase(self, subject: str) -> int:
        with self.open() as store:
            return erase(self.upkeep(store), subject)

    def verify(self) -> Report:
        known = Evidence(self.keys.mac, snapshot(self.place.checkpoints), (public_of(self.keys.signing),))
        with self.open() as store:
            return verify_store(store, known)

    def states(self) -> list[State]:
        with self.open() as store:
            found = (entry for writer in store.writers() for entry in store.entries(writer))
            return [each.state for each in open_entries(found, unsealing(store, self.keys))]
