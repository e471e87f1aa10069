"""What the commands of the decision log share: opening it, what is known besides it, and how far they are."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from engine.cli.terminal import FAILED, INVALID, complain

if TYPE_CHECKING:
    from engine.record.checkpoint import Checkpoint, Unreadable
    from engine.record.entry import Receipt
    from engine.record.place import Place
    from engine.record.reading import Opened
    from engine.record.sealing import Keys
    from engine.record.store import Selection, Store
    from engine.record.verify import Evidence

OUR_LOG = "pluis-log"
Where = Annotated[
    str, typer.Option("--log", envvar="PLUIS_LOG", metavar="PLACE", help="The log: a folder, or a PostgreSQL URL.")
]
LogKeys = Annotated[
    Path | None,
    typer.Option(
        "--log-keys", envvar="PLUIS_LOG_KEYS", metavar="FILE", help="Its keys; beside the log's folder when left out."
    ),
]
DAYS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
Since = Annotated[datetime | None, typer.Option(formats=DAYS, metavar="TIME", help="The first time that counts, UTC.")]
Until = Annotated[datetime | None, typer.Option(formats=DAYS, metavar="TIME", help="The first that does not, UTC.")]
SHOWN_EVERY = 250
"""Entries after which a person who looks on is told how far it is."""


def opened_log(where: str, log_keys: Path | None) -> tuple[Place, Store, Keys | None]:
    """A log that is there, and its keys where there are any."""
    from engine.record.place import place_of
    from engine.record.store import open_existing

    place = place_of(where, log_keys)
    return place, open_existing(place.where), found_keys(place, log_keys)


def found_keys(place: Place, log_keys: Path | None) -> Keys | None:
    """The keys of a log; None where nobody named their file, and there is none in its usual place."""
    from engine.record.sealing import read_keys

    return read_keys(place.keys) if log_keys is not None or place.keys.exists() else None


def needed(keys: Keys | None, place: Place) -> Keys:
    """The keys, for what cannot be done without."""
    if keys is None:
        complain(f"this needs the log's keys, and there is no file `{place.keys}`")
        raise typer.Exit(FAILED)
    return keys


def evidence(
    checkpoints: Callable[[], Iterable[Checkpoint | Unreadable]],
    keys: Keys | None,
    public_key: str = "",
    receipts: Iterable[Receipt] = (),
) -> Evidence:
    """What is known besides the log; a public key for whoever has no key file."""
    from engine.record.verify import Evidence
    from engine.rules import ed25519

    public = () if keys is None else (ed25519.public_of(keys.signing),)
    if public_key:
        read = ed25519.from_base64(public_key, ed25519.PUBLIC_SIZE)
        if read is None:
            complain("a public key is 32 bytes in base64")
            raise typer.Exit(INVALID)
        public = (*public, read)
    return Evidence(None if keys is None else keys.mac, checkpoints, public, tuple(receipts))


def read_receipts(file: Path | None) -> Iterator[Receipt]:
    """Receipts, a line of JSON each: as the contract prints them, alone or in their response."""
    from engine.record.entry import Receipt

    if file is None:
        return
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                said = json.loads(line)
                said = said.get("receipt", said)
                digest = next(said[key] for key in ("entryHash", "entry_hash", "hash") if key in said)
                yield Receipt(str(said["writer"]), int(said["sequence"]), str(digest))
            except (ValueError, TypeError, KeyError, AttributeError, StopIteration):
                complain(f"{file}:{number}: this is no receipt")
                raise typer.Exit(INVALID) from None


def selection(
    kind: str,
    since: datetime | None,
    until: datetime | None,
    ruleset: str,
    caller: str = "",
    payload_keys: frozenset[str] = frozenset(),
) -> Selection:
    """Which entries are meant; times without a zone are UTC."""
    from engine.record.entry import EntryKind, timestamp
    from engine.record.store import Selection

    first, last = ("" if each is None else timestamp(each.replace(tzinfo=UTC)) for each in (since, until))
    return Selection(EntryKind(kind) if kind else None, first, last, ruleset, caller, payload_keys)


def entries(store: Store, keys: Keys | None, chosen: Selection) -> Iterator[Opened]:
    """The entries that are meant, opened."""
    from engine.record.reading import open_entries, unsealing

    return open_entries(store.select(chosen), unsealing(store, keys))


def contents(store: Store) -> Callable[[str], Mapping[str, str] | None]:
    """The rulesets that the log holds."""

    def find(digest: str) -> Mapping[str, str] | None:
        content = store.ruleset(digest)
        return None if content is None else json.loads(content)

    return find


def asked_subject(said: str) -> str:
    """A reference to a person: as typed, or asked for and not shown.

    What a reference looks like is not held against it: whatever was ever recorded can be found and erased.
    """
    if said == "-":
        interactive = sys.stdin is not None and sys.stdin.isatty()
        said = typer.prompt("subject", hide_input=True, err=True) if interactive else sys.stdin.readline()
    if not said.strip():
        complain("no subject is named")
        raise typer.Exit(INVALID)
    return said.strip()


def keys_of(subject: str, store: Store, keys: Keys) -> frozenset[str]:
    """The ids of the keys with which what is about a person is sealed."""
    from engine.record.sealing import subject_lookup

    return frozenset(each.id for each in store.keys_of(subject_lookup(keys, subject)))


@contextmanager
def new_private_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file for its owner alone; it goes again where writing fails."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        try:
            yield file
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def progress(what: str) -> Callable[[int], None]:
    """Tells how far it is, where a person looks on."""
    if sys.stderr is None or not sys.stderr.isatty():
        return lambda entries: None

    def tell(count: int) -> None:
        if count % SHOWN_EVERY == 0:
            print(f"\r{count} entries {what}", end="", file=sys.stderr, flush=True)

    return tell


def counted(found: Iterable[Opened], what: str) -> Iterator[Opened]:
    """The same entries; tells how far it is."""
    tell = progress(what)
    for number, it in enumerate(found, 1):
        tell(number)
        yield it
