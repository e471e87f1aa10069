"""Where a log is: its database, the file with its keys, and the file with its checkpoints. For server and command line.

The keys never lie in the database's folder: whoever can change entries there could make them look untouched.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.errors import LogRefused
from engine.record import checkpoint

DEFAULT = "pluis-log"
"""The folder of the log where nobody names another."""


@dataclass(frozen=True, slots=True)
class Place:
    """`where` is a folder, or the URL of a PostgreSQL database."""

    where: str
    keys: Path
    checkpoints: Path


def place_of(where: str, keys: Path | None = None) -> Place:
    """The files of a log. LogRefused where they cannot be known.

    >>> place_of("pluis-log").keys.name, place_of("pluis-log").checkpoints.as_posix()
    ('pluis-log.keys.json', 'pluis-log/checkpoints.jsonl')
    >>> place_of("postgresql://host/pluis", Path("secret/keys.json")).checkpoints.as_posix()
    'secret/keys.checkpoints.jsonl'
    """
    if not where:
        raise LogRefused("no log is named: it is a folder, or the URL of a PostgreSQL database")
    if "://" in where:
        if keys is None:
            raise LogRefused("a log in a database has no folder for its keys beside it: name their file too")
        return Place(where, keys, keys.with_name(f"{keys.stem}.{checkpoint.FILE}"))
    folder = Path(where)
    return Place(where, keys or folder.with_name(f"{folder.name}.keys.json"), folder / checkpoint.FILE)
