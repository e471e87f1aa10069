"""The releases on disk: immutable copies of checked rulesets, and which of them is active.

    <state>/releases/<id>/rulesets/     the files, as they were checked
    <state>/releases/<id>/release.json  what is served of them
    <state>/active.json                 which release is active, those before it, and what is held back

A release and `active.json` appear whole or not at all, whenever power is lost. Nothing here needs the inference engine
or gRPC: the supervisor uses it.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from engine.errors import PluisError

LOG = logging.getLogger("pluis.releases")
RULESETS = "rulesets"
KEPT = 10
"""Releases that are kept; the active one and the one before it are kept always."""
Content = TypeVar("Content")
_ID = re.compile("[0-9a-f]{16}")


class ReleaseFault(PluisError):
    """A release cannot be read, activated or gone back to; the message says which file, and what to do."""


@dataclass(frozen=True, slots=True)
class LoadProblem:
    """Why a folder is not served. `source` is the folder below the root; `message` may have many lines."""

    source: str
    message: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a ruleset in a release; `folder` is below the release's rulesets."""

    id: str
    version: str
    digest: str
    folder: str


@dataclass(frozen=True, slots=True)
class Release:
    """A checked copy of the folder of rulesets.

    `source` stands for the copied bytes, `id` for them and what is served of them. `problems` are of the folders that
    are left out, which happens only while there is no earlier release.
    """

    id: str
    source: str
    made: datetime
    versions: tuple[Version, ...]
    problems: tuple[LoadProblem, ...] = ()

    @property
    def told(self) -> str:
        """The release in words."""
        return f"release {self.id} ({', '.join(f'{each.id} {each.version}' for each in self.versions)})"


@dataclass(frozen=True, slots=True)
class Active:
    """What is active, by release id; `previous` can be gone back to, the latest first.

    `seen` stands for what the gate looked at last, passed or not. `held` was gone back from: as long as the folder of
    rulesets has one of these contents, it is not activated again unless a person asks for it.
    """

    active: str = ""
    previous: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    seen: str = ""


class ReleaseStore:
    """The releases in a state folder, shared by processes: every change is made under a lock and is durable."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.folder = state / "releases"
        self._active = state / "active.json"

    def rulesets(self, id: str) -> Path:
        """The folder of rulesets of a release."""
        return self.folder / id / RULESETS

    def release(self, id: str) -> Release:
        """What a release holds. Raises ReleaseFault where there is none, or it cannot be read."""
        file = self.folder / id / "release.json"
        if not _ID.fullmatch(id) or not file.exists():
            known = ", ".join(each.id for each in self.releases()) or "none"
            asked = f"release {id}" if _ID.fullmatch(id) else "such release"
            raise ReleaseFault(f"there is no {asked} in `{self.folder}`; there is {known}")
        return _read(file, Release)

    def whole(self, id: str) -> Release:
        """As `release`; raises ReleaseFault also when its files are not those that were checked."""
        release = self.release(id)
        try:
            same = content_of(self.rulesets(id)) == release.source
        except OSError as fault:
            raise ReleaseFault(f"{release.told} cannot be read: {fault.filename}: {fault.strerror}") from None
        if not same:
            raise ReleaseFault(f"the files in `{self.rulesets(id)}` are not those that were checked")
        return release

    def releases(self) -> tuple[Release, ...]:
        """Every release that can be read, the latest first."""
        found = []
        for id in self._ids():
            try:
                found.append(_read(self.folder / id / "release.json", Release))
            except ReleaseFault as fault:
                LOG.error("%s", fault)
        return tuple(sorted(found, key=lambda release: (release.made, release.id), reverse=True))

    def active(self) -> Active:
        """What is active; an empty id while nothing was activated. Raises ReleaseFault where that cannot be read."""
        if not self._active.exists():
            return Active()
        active, known = _read(self._active, Active), self._ids()
        return replace(active, previous=tuple(each for each in active.previous if each in known))

    def serving(self) -> Release | None:
        """The active release, None while there is none. Raises ReleaseFault where it cannot be read."""
        active = self.active().active
        return self.release(active) if active else None

    def previous(self) -> Release | None:
        """The release that `rollback` goes back to. Raises ReleaseFault where it cannot be read."""
        previous = self.active().previous
        return self.release(previous[0]) if previous else None

    def add(
        self, copied: Path, source: str, versions: Sequence[Version], problems: Sequence[LoadProblem] = ()
    ) -> Release:
        """Makes a release of a folder in `gating`, which holds `rulesets`; activates nothing."""
        served = tuple(sorted(versions, key=lambda each: (each.id, each.version)))
        told = "\n".join([source, *(f"{each.id} {each.version} {each.digest} {each.folder}" for each in served)])
        id = hashlib.sha256(told.encode()).hexdigest()[:16]
        release = Release(id, source, datetime.now(UTC), served, tuple(problems))
        target = self.folder / id
        try:
            if target.exists():
                return self.whole(id)
        except ReleaseFault as fault:  # the copy that was just checked takes its place
            LOG.warning("%s; it is made anew", fault)
        (copied / "release.json").write_bytes(TypeAdapter(Release).dump_json(release, indent=2))
        for each in (*copied.rglob("*"), copied):
            _sync(each)
        if target.exists():
            shutil.rmtree(target)
        copied.rename(target)
        _sync(self.folder)
        self._prune(id)
        return release

    def activate(self, id: str) -> Active:
        """Makes a release the active one. Raises ReleaseFault when its content is held back: `lift` that first."""
        with self._locked("active.lock"):
            before, release = self.active(), self.release(id)
            if before.active == id:
                return before
            if release.source in before.held:
                raise ReleaseFault(f"{release.told} was rolled back from, and is held back until somebody reloads")
            previous = tuple(each for each in (before.active, *before.previous) if each not in ("", id))
            return self._write(replace(before, active=id, previous=previous[:KEPT], held=()))

    def rollback(self, to: str = "") -> Release:
        """Activates an earlier release, the one before when none is named, and holds back what it leaves.

        That is what was active, and what the gate saw last: the folder may have been changed to and fro meanwhile.

        So neither watching nor a restart brings back what was gone back from. Raises ReleaseFault where there is
        nothing to go back to.
        """
        with self._locked("active.lock"):
            before = self.active()
            if not to and not before.previous:
                raise ReleaseFault(f"there is no release before {before.active or 'the first'}; name one of the others")
            release = self.whole(to or before.previous[0])
            if release.id == before.active:
                raise ReleaseFault(f"{release.told} is active already")
            previous = (before.active, *before.previous) if before.active else before.previous
            if release.id in before.previous:  # what was gone back from is not gone back to
                previous = before.previous[before.previous.index(release.id) + 1 :]
            left = {before.seen}
            with suppress(ReleaseFault):  # one that cannot be read is left too, and may be why
                left.add(self.release(before.active).source)
            held = () if before.seen == release.source else tuple(sorted(left - {"", release.source}))
            self._write(replace(before, active=release.id, previous=previous[:KEPT], held=held))
            return release

    def lift(self) -> bool:
        """Holds nothing back any more; whether something was."""
        with self._locked("active.lock"):
            before = self.active()
            if before.held:
                self._write(replace(before, held=()))
            return bool(before.held)

    def saw(self, source: str) -> Active:
        """Remembers what the gate looks at, before it does; gives what is active."""
        with self._locked("active.lock"):
            before = self.active()
            return before if before.seen == source else self._write(replace(before, seen=source))

    @contextmanager
    def gating(self) -> Iterator[Path]:
        """An empty folder for one candidate, on the disk of the releases; one process at a time has it."""
        with self._locked("gate.lock"):
            fresh = self.folder / ".new"
            shutil.rmtree(fresh, ignore_errors=True)  # of a gate that was killed
            fresh.mkdir(parents=True, mode=0o700)
            try:
                yield fresh
            finally:
                shutil.rmtree(fresh, ignore_errors=True)

    def _ids(self) -> list[str]:
        if not self.folder.exists():
            return []
        return sorted(each.name for each in self.folder.iterdir() if _ID.fullmatch(each.name))

    def _prune(self, added: str) -> None:
        active = self.active()
        kept = {added, active.active, *active.previous[:1], *(each.id for each in self.releases()[:KEPT])}
        for id in self._ids():
            if id not in kept:
                shutil.rmtree(self.folder / id, ignore_errors=True)

    def _write(self, active: Active) -> Active:
        beside = self._active.with_suffix(".new")
        beside.write_bytes(TypeAdapter(Active).dump_json(active, indent=2))
        _sync(beside)
        beside.replace(self._active)
        _sync(self.state)
        return active

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        self.state.mkdir(parents=True, mode=0o700, exist_ok=True)
        descriptor = os.open(self.state / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def content_of(folder: Path) -> str:
    """What stands for the names and bytes of all files below a folder: a SHA-256 in hex."""
    told = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if not file.is_dir()):
        content = file.read_bytes()
        told.update(f"{file.relative_to(folder).as_posix()}\n{len(content)}\n".encode())
        told.update(content)
    return told.hexdigest()


def _read(file: Path, kind: type[Content]) -> Content:
    try:
        return TypeAdapter(kind).validate_json(file.read_bytes())
    except (OSError, ValidationError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "it is not what was written"
        remedy = (
            "roll back to another release" if kind is Release else "take it away to begin with the folder of rulesets"
        )
        raise ReleaseFault(f"`{file}` cannot be read: {why}; {remedy}") from None


def _sync(path: Path) -> None:
    """Makes a file, or the names in a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
