"""Every way in which a log can have been changed, found and named: by its chains, its checkpoints and its receipts.

Nothing here needs the key of a payload. Entries and checkpoints are read once, in order, and not kept;
receipts are kept, some hundred bytes each. Without the key of the codes (MAC) a chain that was made anew as a whole is
found only by checkpoints and receipts, and its last entries by nothing else: the report says what was not checked.
"""

from __future__ import annotations

import hmac
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from engine.errors import LogError
from engine.record.checkpoint import Checkpoint, Unreadable
from engine.record.entry import BEGINNING, Entry, EntryKind, Receipt, entry_hash, entry_mac
from engine.record.store import Store
from engine.rules import ed25519

MOST_FAULTS = 1000
"""Faults that a report names one by one; the others are counted."""
NEAR = 64
"""How far away the place is looked for at which an entry stood before."""
_PURGE = b'"kind":"purge"'
"""Stands in the canonical body of every purge, and unescaped in no text of another."""

PROGRESS = 1000
"""After so many entries it is told how far it is."""


class FaultKind(Enum):
    """What is wrong."""

    CHANGED = "changed"
    HASH = "hash changed"
    MOVED = "moved"
    NOT_OURS = "made without the key"
    BROKEN = "does not follow"
    FOREIGN = "of another writer"
    REPEATED = "repeated"
    MISSING = "missing"
    TRUNCATED = "cut off"
    TWO_CHAINS = "two chains"
    MISFILED = "filed under something else"
    UNREADABLE = "unreadable"
    CHECKPOINT_DIFFERS = "not what the checkpoint says"
    CHECKPOINT_FORGED = "forged checkpoint"
    CHECKPOINT_ORDER = "checkpoint out of order"
    CHECKPOINT_UNREADABLE = "unreadable checkpoint"
    RECEIPT_DIFFERS = "not what the receipt says"
    RECEIPT_LOST = "receipt without entry"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, with the writer and the sequence where it is; and in words."""

    kind: FaultKind
    writer: str
    sequence: int
    message: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known besides the log itself.

    `checkpoints` gives them anew, in the order of their file, each time that it is called: once for each writer and
    once more. `public_keys` are those that sign checkpoints; with none, signatures are not checked.
    """

    mac_key: bytes | None = None
    checkpoints: Callable[[], Iterable[Checkpoint | Unreadable]] = tuple
    public_keys: tuple[bytes, ...] = ()
    receipts: Iterable[Receipt] = ()


@dataclass(slots=True)
class Report:
    """What was looked at, and what is wrong with it. `untold` counts the faults beyond those that are named."""

    macs_checked: bool
    signatures_checked: bool
    faults: list[Fault] = field(default_factory=list)
    untold: int = 0
    writers: int = 0
    entries: int = 0
    purged: int = 0
    checkpoints: int = 0
    receipts: int = 0

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def tell(self, kind: FaultKind, writer: str, sequence: int, message: str) -> None:
        """Adds a fault."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(kind, writer, sequence, message))
        else:
            self.untold += 1


@dataclass(frozen=True, slots=True)
class Purge:
    """What a purge says: entries of the writer `of` up to `through` may be gone, the last of which had this hash.

    It stands in the chain of whoever purged, and is written before anything is deleted.
    """

    of: str
    through: int
    hash: str

    def clear(self) -> dict[str, object]:
        """Its part of the body of the entry."""
        return {"kind": EntryKind.PURGE.value, "of": self.of, "through": self.through, "hash": self.hash}


def purge_of(entry: Entry) -> Purge | None:
    """The purge that an entry is about; None when it is about something else."""
    if _PURGE not in entry.body:
        return None
    try:
        said = json.loads(entry.body)
        kind, of, through, digest = (said[name] for name in ("kind", "of", "through", "hash"))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    right = kind == EntryKind.PURGE.value and isinstance(of, str) and type(through) is int
    return Purge(of, through, digest) if right else None


def verify(
    chains: Iterable[tuple[str, Iterable[Entry]]],
    evidence: Evidence,
    progress: Callable[[int], None] = lambda entries: None,
) -> Report:
    """Looks at every chain: the name of a writer, and the entries that are kept as its own, by sequence.

    `progress` is told how many entries were looked at, now and then.
    """
    report = Report(evidence.mac_key is not None, bool(evidence.public_keys))
    receipts: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for receipt in evidence.receipts:
        report.receipts += 1
        known = receipts[receipt.writer].setdefault(receipt.sequence, receipt.hash)
        if known != receipt.hash:
            message = "two receipts for one place, with two hashes"
            report.tell(FaultKind.TWO_CHAINS, receipt.writer, receipt.sequence, message)
    seen: set[str] = set()
    purges: dict[str, Purge] = {}
    beginnings: list[_Chain] = []
    for writer, entries in chains:
        if writer in seen:
            report.tell(FaultKind.TWO_CHAINS, writer, 1, "the log holds a second chain of this writer")
        seen.add(writer)
        signed = _of_writer(evidence.checkpoints(), writer, evidence.public_keys)
        walk = _Chain(writer, evidence.mac_key, signed, receipts.get(writer, {}), report, purges)
        walk.along(entries, progress)
        beginnings.append(walk)
    for walk in beginnings:  # last, since a purge may stand in any chain
        walk.beginning()
    report.writers = len(seen)
    _left_over(seen, evidence, receipts, report)
    progress(report.entries)
    return report


def verify_store(store: Store, evidence: Evidence, progress: Callable[[int], None] = lambda entries: None) -> Report:
    """Looks at a whole log, also while it is written to: `evidence` must be older than this call."""
    chains = ((writer, store.entries(writer)) for writer in store.writers())
    report = verify(chains, evidence, progress)
    for writer in store.writers():
        try:
            for sequence in store.misfiled(writer):
                report.tell(FaultKind.MISFILED, writer, sequence, "it is found under something else than what it says")
        except LogError as fault:
            report.tell(FaultKind.MISFILED, writer, 0, f"what its entries are found under cannot be read: {fault}")
    return report


def _of_writer(
    checkpoints: Iterable[Checkpoint | Unreadable], writer: str, public_keys: tuple[bytes, ...]
) -> Iterator[Checkpoint]:
    """The checkpoints of a writer that are not forged; those that are, `_left_over` tells."""
    for each in checkpoints:
        if isinstance(each, Checkpoint) and each.writer == writer and _authentic(each, public_keys):
            yield each


def _authentic(checkpoint: Checkpoint, public_keys: tuple[bytes, ...]) -> bool:
    """Whether a checkpoint may be believed; without a key to check it by, it is."""
    return not public_keys or any(checkpoint.signed_by(public) for public in public_keys)


def _left_over(seen: set[str], evidence: Evidence, receipts: Mapping[str, Mapping[int, str]], report: Report) -> None:
    """Tells forged checkpoints, and the checkpoints and receipts of writers that have no chain in the log."""
    lost: dict[str, int] = {}
    for each in evidence.checkpoints():
        report.checkpoints += 1
        if isinstance(each, Unreadable):
            message = f"line {each.line} of the checkpoints is none"
            report.tell(FaultKind.CHECKPOINT_UNREADABLE, "", 0, message)
        elif not _authentic(each, evidence.public_keys):
            known = {ed25519.key_id(public) for public in evidence.public_keys}
            why = "its signature is not that of its key" if each.key in known else "no known key signed it"
            report.tell(FaultKind.CHECKPOINT_FORGED, each.writer, each.sequence, why)
        elif each.writer not in seen:
            lost[each.writer] = max(each.sequence, lost.get(each.writer, 0))
    for writer, sequence in sorted(lost.items()):
        message = "the log has no entry of this writer, and a checkpoint has this one"
        report.tell(FaultKind.TRUNCATED, writer, sequence, message)
    for writer, places in sorted(receipts.items()):
        if writer not in seen:
            for sequence in sorted(places):
                report.tell(FaultKind.RECEIPT_LOST, writer, sequence, "the log has no entry of this writer")


def _is_entry(entry: Entry) -> bool:
    """Whether its parts are of the kinds that they should be: who changes a database may write anything into it."""
    texts: tuple[object, ...] = (entry.writer, entry.previous, entry.hash, entry.mac)
    contents: tuple[object, ...] = (entry.body, entry.payload)
    return (
        type(entry.sequence) is int
        and all(isinstance(each, str) and each.isascii() for each in texts)
        and all(isinstance(each, bytes) for each in contents)
    )


class _Chain:
    """The walk along one chain."""

    def __init__(
        self,
        writer: str,
        mac_key: bytes | None,
        checkpoints: Iterator[Checkpoint],
        receipts: Mapping[int, str],
        report: Report,
        purges: dict[str, Purge],
    ) -> None:
        self.writer = writer
        self.mac_key = mac_key
        self.checkpoints = checkpoints
        self.checkpoint = next(checkpoints, None)
        self.receipts = dict(receipts)
        self.report = report
        self.purges = purges  # of every writer the one that goes furthest
        self.last = 0  # the highest sequence so far
        self.links: tuple[str, ...] = (BEGINNING,)  # what `previous` of the next entry may be; nothing after a gap
        self.aside = False  # an entry that comes twice or late: the chain goes on from the one before it
        self.lost: list[int] = []  # the first that are missing: places that an entry may have come from
        self.first: Entry | None = None  # where the chain begins when it does not begin at 1

    def tell(self, kind: FaultKind, sequence: int, message: str) -> None:
        self.report.tell(kind, self.writer, sequence, message)

    def along(self, entries: Iterable[Entry], progress: Callable[[int], None]) -> None:
        try:
            for entry in entries:
                self.report.entries += 1
                if self.report.entries % PROGRESS == 0:
                    progress(self.report.entries)
                if not _is_entry(entry):
                    self.tell(FaultKind.UNREADABLE, self.last + 1, "what stands after the entry before it is no entry")
                    self.links = ()
                    continue
                self.place(entry)
                self.contents(entry)
                self.held_against(entry)
        except LogError as fault:  # what cannot be read is not known to be whole
            self.tell(FaultKind.UNREADABLE, self.last + 1, str(fault))
        self.end()

    def place(self, entry: Entry) -> None:
        """Is it this writer's next entry?"""
        self.aside = False
        if entry.writer != self.writer:
            self.tell(FaultKind.FOREIGN, entry.sequence, f"an entry of `{entry.writer}` stands in this chain")
        if entry.sequence <= self.last:
            self.tell(FaultKind.REPEATED, entry.sequence, f"it comes after entry {self.last}")
            self.aside = True
        elif entry.sequence > self.last + 1:
            if self.last:
                self.missing(self.last + 1, entry.sequence - 1)
            else:  # the beginning was purged, if a later entry says so
                self.first = entry
            room = NEAR - len(self.lost)
            self.lost.extend(range(self.last + 1, min(entry.sequence, self.last + 1 + room)))
            self.links = ()
        self.last = max(self.last, entry.sequence)

    def missing(self, first: int, last: int) -> None:
        several = f"entries {first} to {last} are" if last > first else f"entry {first} is"
        self.tell(FaultKind.MISSING, first, f"{several} missing")

    def contents(self, entry: Entry) -> None:
        """Does it say what it said when it was made, and does it follow the entry before it? One fault at most."""
        digest = entry_hash(entry.writer, entry.sequence, entry.body, entry.payload, entry.previous)
        follows = self.aside or not self.links or entry.previous in self.links
        links: tuple[str, ...] = (entry.hash, digest)
        if digest != entry.hash:
            links = () if self.differing(entry, digest) is FaultKind.MOVED else links
        elif self.mac_key is not None and not self.made_with_key(entry, digest):
            self.tell(FaultKind.NOT_OURS, entry.sequence, "its code (MAC) is not that of the key for its hash")
        elif not follows:
            message = "it does not follow the entry that stands before it"
            self.tell(FaultKind.BROKEN, entry.sequence, message)
        if not self.aside:
            self.links = links
        purge = purge_of(entry)
        if purge is not None and (purge.of not in self.purges or self.purges[purge.of].through < purge.through):
            self.purges[purge.of] = purge

    def made_with_key(self, entry: Entry, digest: str) -> bool:
        return self.mac_key is not None and hmac.compare_digest(entry_mac(digest, self.mac_key), entry.mac)

    def differing(self, entry: Entry, digest: str) -> FaultKind:
        """Names an entry whose hash is not that of what it says."""
        if self.made_with_key(entry, digest):
            self.tell(FaultKind.HASH, entry.sequence, "its hash was changed; what it says was not")
            return FaultKind.HASH
        near = range(max(1, entry.sequence - NEAR), entry.sequence + NEAR + 1)
        for stood in (*near, *self.lost):
            said = entry_hash(entry.writer, stood, entry.body, entry.payload, entry.previous)
            if said == entry.hash and stood != entry.sequence:
                self.tell(FaultKind.MOVED, entry.sequence, f"this is what entry {stood} was")
                return FaultKind.MOVED
        for link in self.links:
            if entry_hash(entry.writer, entry.sequence, entry.body, entry.payload, link) == entry.hash:
                self.tell(FaultKind.CHANGED, entry.sequence, "the hash that it follows was changed")
                return FaultKind.CHANGED
        self.tell(FaultKind.CHANGED, entry.sequence, "its hash is not that of what it says")
        return FaultKind.CHANGED

    def held_against(self, entry: Entry) -> None:
        """Is it what checkpoints and receipts say?"""
        while self.checkpoint is not None and self.checkpoint.sequence <= entry.sequence:
            self.compare(self.checkpoint, entry)
            following = next(self.checkpoints, None)
            if following is not None and following.sequence < self.checkpoint.sequence:
                message = f"it was made after the checkpoint of entry {self.checkpoint.sequence}"
                self.tell(FaultKind.CHECKPOINT_ORDER, following.sequence, message)
            self.checkpoint = following
        receipt = self.receipts.pop(entry.sequence, None)
        if receipt is not None and receipt != entry.hash:
            self.tell(FaultKind.RECEIPT_DIFFERS, entry.sequence, "its hash is not that of the receipt")

    def compare(self, checkpoint: Checkpoint, entry: Entry) -> None:
        if checkpoint.sequence == entry.sequence:
            if checkpoint.hash != entry.hash:
                self.tell(FaultKind.CHECKPOINT_DIFFERS, entry.sequence, "its hash is not that of the checkpoint")
        elif entry is self.first and checkpoint.sequence == entry.sequence - 1 and checkpoint.hash != entry.previous:
            message = "it does not follow the entry of which there is a checkpoint"
            self.tell(FaultKind.CHECKPOINT_DIFFERS, entry.sequence, message)

    def end(self) -> None:
        """Does the chain reach as far as its checkpoints?"""
        promised = 0
        while self.checkpoint is not None:
            promised = max(promised, self.checkpoint.sequence)
            self.checkpoint = next(self.checkpoints, None)
        if promised > self.last:
            message = f"the chain ends at entry {self.last}, and there is a checkpoint of entry {promised}"
            self.tell(FaultKind.TRUNCATED, self.last + 1, message)

    def beginning(self) -> None:
        """Does the chain begin where a purge left it? And is there a receipt of which the entry was not met?"""
        gone = 0 if self.first is None else self.first.sequence - 1
        purge = self.purges.get(self.writer, Purge(self.writer, 0, BEGINNING))
        if self.first is not None and (
            purge.through < gone or (purge.through == gone and purge.hash != self.first.previous)
        ):
            self.missing(1, gone)
            gone = 0
        self.report.purged += gone
        for sequence in sorted(self.receipts):
            if sequence > gone:
                self.tell(FaultKind.RECEIPT_LOST, sequence, "the log has no entry with this sequence")
