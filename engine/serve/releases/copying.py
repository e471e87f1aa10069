"""What of the folder of rulesets counts, and how it is copied: so that what was checked is what is served.

Only the files of rulesets are looked at, in `<name>/` and `<name>/<version>/`; names that begin with a dot are passed
over. A link is followed where it stays inside the folder, as those of mounted configuration do.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import PluisError
from engine.rules.certificate import CERTIFICATE
from engine.rules.document import LARGEST
from engine.rules.load import CASES, MAIN
from engine.rules.signed_files import APPROVALS, KEYS
from engine.serve.releases.release import LoadProblem

MOST = 2000
"""Files in a folder of rulesets; one with more is something else."""


class FolderUnusable(PluisError):
    """The folder of rulesets cannot be taken as it is now, not even in parts; the message says why."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that counts, by its name below the folder; `mark` changes whenever the file does."""

    name: str
    real: Path
    mark: tuple[int, ...]

    @property
    def folder(self) -> str:
        """The folder of the ruleset that it belongs to; `.` for the trust list."""
        return self.name.rpartition("/")[0] or "."


@dataclass(frozen=True, slots=True)
class Survey:
    """The files of a folder of rulesets at one moment, and what is wrong with it before any is read."""

    files: tuple[File, ...]
    problems: tuple[LoadProblem, ...]


def survey(root: Path) -> Survey:
    """Looks at the names alone, and reads nothing. Raises FolderUnusable."""
    try:
        top = root.resolve(strict=True)
        looked = [*_look(top, top, ".")]
    except (OSError, RuntimeError) as fault:
        raise FolderUnusable(f"the folder of rulesets `{root}` cannot be read: {_why(fault)}") from None
    files = sorted((each for each in looked if isinstance(each, File)), key=lambda file: file.name)
    problems = [each for each in looked if isinstance(each, LoadProblem)]
    if len(files) > MOST:
        raise FolderUnusable(f"the folder of rulesets `{root}` has {len(files)} files, more than {MOST}")
    for folder in sorted({file.folder for file in files} - {"."}):
        names = [file.name.rpartition("/")[2] for file in files if file.folder == folder]
        if MAIN not in names and folder not in {problem.source for problem in problems}:
            problems.append(LoadProblem(folder, f"there is no `{MAIN}` beside `{names[0]}`"))
    return Survey(tuple(files), tuple(problems))


def copy_rulesets(root: Path, target: Path) -> tuple[LoadProblem, ...]:
    """Copies the folders that have no problem; gives the problems of the others.

    Raises FolderUnusable, also when the folder changed meanwhile: then the copy may hold halves.
    """
    before = survey(root)
    problems = list(before.problems)
    left_out = {problem.source for problem in problems}
    target.mkdir()
    for file in before.files:
        if file.folder in left_out:
            continue
        try:
            content = _content(file.real)
        except OSError as fault:
            problems.append(LoadProblem(file.folder, f"`{file.name}` cannot be read: {_why(fault)}"))
            continue
        place = target / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    if survey(root) != before:
        raise FolderUnusable(f"the folder of rulesets `{root}` changed while it was copied: reload when it rests")
    return tuple(problems)


def _look(top: Path, folder: Path, source: str) -> Iterator[File | LoadProblem]:
    """The files that count in a folder and the folders in it, and what cannot count though it is named so."""
    depth = 0 if source == "." else source.count("/") + 1
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name = entry.name if source == "." else f"{source}/{entry.name}"
        inside = os.path.isdir(entry.path)  # no error where links go round: reading them says so
        if entry.name.startswith(".") or not (_counts(entry.name, depth) or (inside and depth < 2)):
            continue
        at = name if inside and not _counts(entry.name, depth) else source
        if not name.isprintable():
            yield LoadProblem(ascii(at)[1:-1], f"`{ascii(name)[1:-1]}` is no name that can be shown")
            continue
        try:
            real = Path(entry.path).resolve()
            if not real.is_relative_to(top):
                yield LoadProblem(at, f"`{name}` is a link out of the folder of rulesets, and is not followed")
            elif at == name:
                yield from _look(top, real, name)
            else:
                yield _file(name, at, real)
        except (OSError, RuntimeError) as fault:
            yield LoadProblem(at, f"`{name}` cannot be read: {_why(fault)}")


def _file(name: str, source: str, real: Path) -> File | LoadProblem:
    found = real.stat()
    if not stat.S_ISREG(found.st_mode):
        return LoadProblem(source, f"`{name}` is not a file")
    if found.st_size > LARGEST:
        return LoadProblem(source, f"`{name}` has {found.st_size} bytes, more than {LARGEST}")
    mark = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return File(name, real, mark)


def _counts(name: str, depth: int) -> bool:
    """Whether a file of this name is part of a ruleset, or, at the top, the trust list."""
    if depth == 0:
        return name == KEYS
    return name in (MAIN, CASES, CERTIFICATE, APPROVALS) or (name.startswith("texts.") and name.endswith(".yaml"))


def _content(file: Path) -> bytes:
    """The bytes of a file; never waits for one that has become a pipe, nor reads more than is allowed."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as opened:
        return opened.read(LARGEST + 1)


def _why(fault: OSError | RuntimeError) -> str:
    return (fault.strerror or "an error of the disk").lower() if isinstance(fault, OSError) else "its links go round"
