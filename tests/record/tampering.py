"""A table of everything that somebody may do to a log, and how it must be found and named.

The scene is two chains, w1 of twelve entries and w2 of nine, with checkpoints of w1/4, w1/8 and w2/5 and receipts of
w1/3, w1/11 and w2/9. What was done to it is told with the key of the codes (MAC), and without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime

from engine.record.checkpoint import Checkpoint, Unreadable, sign
from engine.record.entry import BEGINNING, Entry, Receipt, chain, timestamp
from engine.record.verify import Evidence, FaultKind, Purge, Report, verify
from engine.rules import ed25519
from engine.rules.canonical import canonical_json

MAC_KEY, OTHER_KEY = b"m" * 32, b"o" * 32
SECRET, OTHER_SECRET = b"s" * 32, b"t" * 32
MOMENT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
LENGTHS = {"w1": 12, "w2": 9}
CHECKPOINTS = (("w1", 4), ("w2", 5), ("w1", 8))
RECEIPTS = (("w1", 11), ("w1", 3), ("w2", 9))
PLACES = tuple((writer, sequence) for writer, length in LENGTHS.items() for sequence in range(1, length + 1))


def body(writer: str, number: int, word: str = "") -> bytes:
    return canonical_json({"kind": "decision", "decision_id": f"{writer}-{number}{word}", "caller": '"kind":"purge"'})


def made(
    writer: str, contents: Iterable[tuple[bytes, bytes]], key: bytes = MAC_KEY, after: Entry | None = None
) -> list[Entry]:
    """A chain of these bodies and payloads; the rest of one, `after` an entry."""
    sequence, previous = (after.sequence, after.hash) if after else (0, BEGINNING)
    entries: list[Entry] = []
    for number, (clear, payload) in enumerate(contents, sequence + 1):
        entries.append(chain(writer, number, clear, payload, previous, key))
        previous = entries[-1].hash
    return entries


def contents(entries: Iterable[Entry]) -> list[tuple[bytes, bytes]]:
    return [(each.body, each.payload) for each in entries]


def receipt(entry: Entry) -> Receipt:
    return Receipt(entry.writer, entry.sequence, entry.hash)


@dataclass
class Scene:
    """A log, and what is known of it besides."""

    chains: list[tuple[str, list[Entry]]] = field(default_factory=list)
    checkpoints: list[Checkpoint | Unreadable] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)

    def of(self, writer: str) -> list[Entry]:
        return next(entries for name, entries in self.chains if name == writer)

    def at(self, writer: str, sequence: int) -> Entry:
        return self.of(writer)[sequence - 1]

    def put(self, writer: str, sequence: int, entry: Entry) -> None:
        self.of(writer)[sequence - 1] = entry

    def checkpoint(self, writer: str, sequence: int, secret: bytes = SECRET) -> Checkpoint:
        return sign(receipt(self.at(writer, sequence)), MOMENT, secret)

    def verify(self, mac_key: bytes | None) -> Report:
        evidence = Evidence(mac_key, lambda: self.checkpoints, (ed25519.public_of(SECRET),), self.receipts)
        return verify(self.chains, evidence)


def untouched() -> Scene:
    scene = Scene()
    for writer, length in LENGTHS.items():
        said = [(body(writer, number), f"sealed {number}".encode()) for number in range(1, length + 1)]
        scene.chains.append((writer, made(writer, said)))
    scene.checkpoints = [scene.checkpoint(*place) for place in CHECKPOINTS]
    scene.receipts = [receipt(scene.at(*place)) for place in RECEIPTS]
    return scene


Named = set[tuple[FaultKind, str, int]]


@dataclass(frozen=True)
class Tampering:
    """Something that is done to the scene, and what must be named. `unkeyed`: without the key, where that differs."""

    name: str
    do: Callable[[Scene], object]
    named: Named
    unkeyed: Named | None = None

    def expected(self, mac_key: bytes | None) -> Named:
        return self.named if mac_key is not None or self.unkeyed is None else self.unkeyed


def all_of(kind: FaultKind, writer: str, first: int, last: int) -> Named:
    return {(kind, writer, sequence) for sequence in range(first, last + 1)}


def flip(value: str | bytes | int) -> str | bytes | int:
    """The value with one bit of its middle changed."""
    if isinstance(value, int):
        return value ^ 16
    if isinstance(value, bytes):
        middle = len(value) // 2
        return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
    flipped = flip(value.encode())
    assert isinstance(flipped, bytes)
    return flipped.decode()


K = FaultKind


def flipped(name: str, named: Named, unkeyed: Named | None = None) -> Tampering:
    def do(scene: Scene) -> None:
        entry = scene.at("w1", 6)
        scene.put("w1", 6, replace(entry, **{name: flip(getattr(entry, name))}))
        scene.of("w1").sort(key=lambda each: each.sequence)  # as a database gives them

    return Tampering(f"a bit of {name}", do, named, unkeyed)


def swap(scene: Scene) -> None:
    """The contents of two rows, each under the other's number."""
    one, other = scene.at("w1", 6), scene.at("w1", 9)
    scene.put("w1", 6, replace(other, sequence=6))
    scene.put("w1", 9, replace(one, sequence=9))


def swap_whole(scene: Scene) -> None:
    one, other = scene.at("w1", 6), scene.at("w1", 7)
    scene.put("w1", 6, other)
    scene.put("w1", 7, one)


def move_away(scene: Scene) -> None:
    entries = scene.of("w1")
    entries.append(replace(entries.pop(5), sequence=1000))


def insert(scene: Scene) -> None:
    """A decision that nobody made between two that were, and all after it one number further."""
    entries = scene.of("w1")
    (new,) = made("w1", [(body("w1", 9, "new"), b"new")], OTHER_KEY, after=entries[8])
    entries[9:] = [new, *(replace(each, sequence=each.sequence + 1) for each in entries[9:])]


def insert_rechained(scene: Scene) -> None:
    """The same by somebody who knows how hashes are made and does not have the key."""
    entries = scene.of("w1")
    said = [(body("w1", 9, "new"), b"new"), *contents(entries[9:])]
    entries[9:] = made("w1", said, OTHER_KEY, after=entries[8])


def rewrite(scene: Scene, first: int, writer: str = "w1") -> None:
    """One decision made another, and every hash from there on made anew without the key."""
    entries = scene.of(writer)
    said = contents(entries[first - 1 :])
    said[0] = (body(writer, first, "other"), said[0][1])
    entries[first - 1 :] = made(writer, said, OTHER_KEY, after=entries[first - 2] if first > 1 else None)


def rehash(scene: Scene) -> None:
    """One decision made another, with its own hash, and nothing else."""
    before, entry = scene.at("w1", 5), scene.at("w1", 6)
    (new,) = made("w1", [(body("w1", 6, "other"), entry.payload)], OTHER_KEY, after=before)
    scene.put("w1", 6, new)


def cut(scene: Scene, writer: str, last: int, checkpoints: int = 3, receipts: int = 3) -> None:
    """The end of a chain taken away; with the last of the checkpoints and receipts, where they are told."""
    del scene.of(writer)[last:]
    del scene.checkpoints[checkpoints:]
    del scene.receipts[receipts:]


def replay_older(scene: Scene) -> None:
    """An older copy of the database in place of it, to which the service went on writing."""
    entries = scene.of("w1")
    del entries[6:]
    entries += made("w1", [(body("w1", number, "later"), b"later") for number in range(7, 11)], after=entries[-1])
    scene.checkpoints.append(scene.checkpoint("w1", 10))


def lose_chain(scene: Scene, writer: str) -> None:
    scene.chains = [(name, entries) for name, entries in scene.chains if name != writer]


def purged(scene: Scene, gone: int, said: int, digest: str = "") -> None:
    """Deletes the entries of w1 up to one, and says in w2 that it was one; with a false hash, where one is given."""
    entries, other = scene.of("w1"), scene.of("w2")
    purge = Purge("w1", said, digest or next(each.hash for each in entries if each.sequence == said))
    clear = canonical_json({**purge.clear(), "time": timestamp(MOMENT)})
    other.extend(made("w2", [(clear, b"")], after=other[-1]))
    entries[:] = [each for each in entries if each.sequence > gone]


def resigned(scene: Scene) -> None:
    """A chain and its checkpoints made anew by somebody with a signing key of his own."""
    rewrite(scene, 7)
    scene.checkpoints[2] = scene.checkpoint("w1", 8, OTHER_SECRET)


def forge(scene: Scene) -> None:
    """A checkpoint of what the log was made to say, with the signature of another."""
    rewrite(scene, 7)
    true = scene.checkpoints[2]
    assert isinstance(true, Checkpoint)
    scene.checkpoints[2] = replace(true, hash=scene.at("w1", 8).hash)


def mixed(scene: Scene) -> None:
    """An entry of one chain in the place of another's."""
    scene.put("w1", 6, scene.at("w2", 6))


def fork(scene: Scene) -> None:
    """Two chains of one name: somebody with all the keys wrote a second one."""
    said = [(body("w1", number, "second"), b"") for number in range(1, 13)]
    scene.chains.append(("w1", made("w1", said)))


def foreign_types(scene: Scene) -> None:
    entry = scene.at("w1", 6)
    wrong: dict[str, object] = {"body": "text"}
    scene.put("w1", 6, replace(entry, **wrong))  # type: ignore[arg-type]  # a database holds what it was given


FORGED_6_ON = all_of(K.NOT_OURS, "w1", 7, 12)
AFTER_GAP: Named = {(K.MISSING, "w1", 6)}
REWRITTEN = {(K.CHECKPOINT_DIFFERS, "w1", 4), (K.CHECKPOINT_DIFFERS, "w1", 8)}
REWRITTEN_RECEIPTS: Named = {(K.RECEIPT_DIFFERS, "w1", 3), (K.RECEIPT_DIFFERS, "w1", 11)}
FORGED = {(K.CHECKPOINT_FORGED, "w1", 8), (K.RECEIPT_DIFFERS, "w1", 11)}

TABLE = (
    flipped("writer", {(K.FOREIGN, "w1", 6), (K.CHANGED, "w1", 6)}),
    flipped(
        "sequence",
        {(K.MISSING, "w1", 6), (K.MISSING, "w1", 13), (K.MOVED, "w1", 22)},
    ),
    flipped("body", {(K.CHANGED, "w1", 6)}),
    flipped("payload", {(K.CHANGED, "w1", 6)}),
    flipped("previous", {(K.CHANGED, "w1", 6)}),
    flipped("hash", {(K.HASH, "w1", 6)}, {(K.CHANGED, "w1", 6)}),
    flipped("mac", {(K.NOT_OURS, "w1", 6)}, set()),
    Tampering("an entry deleted", lambda scene: scene.of("w1").pop(5), AFTER_GAP),
    Tampering("three entries deleted", lambda scene: scene.of("w1").__delitem__(slice(4, 7)), {(K.MISSING, "w1", 5)}),
    Tampering(
        "an entry with a receipt deleted",
        lambda scene: scene.of("w1").pop(10),
        {(K.MISSING, "w1", 11), (K.RECEIPT_LOST, "w1", 11)},
    ),
    Tampering("the first entry deleted", lambda scene: scene.of("w1").pop(0), {(K.MISSING, "w1", 1)}),
    Tampering(
        "a deleted entry closed up",
        lambda scene: scene.of("w1").__setitem__(
            slice(8, 12), [replace(each, sequence=each.sequence - 1) for each in scene.of("w1")[9:]]
        ),
        {(K.RECEIPT_DIFFERS, "w1", 11)} | all_of(K.MOVED, "w1", 9, 11),
    ),
    Tampering(
        "an entry inserted",
        insert,
        {(K.NOT_OURS, "w1", 10), (K.RECEIPT_DIFFERS, "w1", 11)} | all_of(K.MOVED, "w1", 11, 13),
        {(K.RECEIPT_DIFFERS, "w1", 11)} | all_of(K.MOVED, "w1", 11, 13),
    ),
    Tampering(
        "an entry inserted, hashes made anew",
        insert_rechained,
        {(K.RECEIPT_DIFFERS, "w1", 11)} | all_of(K.NOT_OURS, "w1", 10, 13),
        {(K.RECEIPT_DIFFERS, "w1", 11)},
    ),
    Tampering("an entry twice", lambda scene: scene.of("w1").insert(6, scene.at("w1", 6)), {(K.REPEATED, "w1", 6)}),
    Tampering("two entries swapped", swap, {(K.MOVED, "w1", 6), (K.MOVED, "w1", 9)}),
    Tampering("two rows swapped", swap_whole, {(K.MISSING, "w1", 6), (K.REPEATED, "w1", 6)}),
    Tampering(
        "a decision made another, with its hash",
        rehash,
        {(K.NOT_OURS, "w1", 6), (K.BROKEN, "w1", 7)},
        {(K.BROKEN, "w1", 7)},
    ),
    Tampering(
        "a whole chain made anew",
        lambda scene: rewrite(scene, 1),
        all_of(K.NOT_OURS, "w1", 1, 12) | REWRITTEN | REWRITTEN_RECEIPTS,
        REWRITTEN | REWRITTEN_RECEIPTS,
    ),
    Tampering(
        "the end of a chain made anew",
        lambda scene: rewrite(scene, 9),
        all_of(K.NOT_OURS, "w1", 9, 12) | {(K.RECEIPT_DIFFERS, "w1", 11)},
        {(K.RECEIPT_DIFFERS, "w1", 11)},
    ),
    Tampering(
        "cut off, checkpoints and receipts there",
        lambda scene: cut(scene, "w1", 7),
        {(K.TRUNCATED, "w1", 8), (K.RECEIPT_LOST, "w1", 11)},
    ),
    Tampering("cut off, no receipts", lambda scene: cut(scene, "w1", 7, receipts=0), {(K.TRUNCATED, "w1", 8)}),
    Tampering(
        "cut off, no checkpoints", lambda scene: cut(scene, "w1", 7, checkpoints=0), {(K.RECEIPT_LOST, "w1", 11)}
    ),
    Tampering("cut off after the last checkpoint and receipt", lambda scene: cut(scene, "w1", 11), set()),
    Tampering(
        "a chain emptied", lambda scene: scene.of("w2").clear(), {(K.TRUNCATED, "w2", 1), (K.RECEIPT_LOST, "w2", 9)}
    ),
    Tampering(
        "a chain lost", lambda scene: lose_chain(scene, "w2"), {(K.TRUNCATED, "w2", 5), (K.RECEIPT_LOST, "w2", 9)}
    ),
    Tampering(
        "an older file in place of it",
        replay_older,
        {(K.CHECKPOINT_DIFFERS, "w1", 8), (K.RECEIPT_LOST, "w1", 11)},
    ),
    Tampering(
        "an older file in place of it, at once",
        lambda scene: (cut(scene, "w1", 6), scene.checkpoints.append(scene.checkpoint("w1", 6))),
        {(K.TRUNCATED, "w1", 7), (K.RECEIPT_LOST, "w1", 11)},
    ),
    Tampering(
        "a checkpoint of another key",
        resigned,
        {(K.CHECKPOINT_FORGED, "w1", 8), (K.RECEIPT_DIFFERS, "w1", 11)} | FORGED_6_ON,
        FORGED,
    ),
    Tampering(
        "a forged checkpoint",
        forge,
        {(K.CHECKPOINT_FORGED, "w1", 8), (K.RECEIPT_DIFFERS, "w1", 11)} | FORGED_6_ON,
        FORGED,
    ),
    Tampering(
        "a forged checkpoint of what never was",
        lambda scene: scene.checkpoints.append(replace(scene.checkpoint("w1", 8), sequence=99)),
        {(K.CHECKPOINT_FORGED, "w1", 99)},
    ),
    Tampering(
        "an entry moved far away", move_away, {(K.MISSING, "w1", 6), (K.MISSING, "w1", 13), (K.MOVED, "w1", 1000)}
    ),
    Tampering(
        "checkpoints out of order",
        lambda scene: scene.checkpoints.append(scene.checkpoint("w1", 6)),
        {(K.CHECKPOINT_ORDER, "w1", 6)},
    ),
    Tampering(
        "a line that is no checkpoint",
        lambda scene: scene.checkpoints.append(Unreadable(4)),
        {(K.CHECKPOINT_UNREADABLE, "", 0)},
    ),
    Tampering(
        "a checkpoint of another log, of our key",
        lambda scene: scene.checkpoints.insert(0, sign(Receipt("w1", 2, "a" * 64), MOMENT, SECRET)),
        {(K.CHECKPOINT_DIFFERS, "w1", 2)},
    ),
    Tampering(
        "a receipt of another log",
        lambda scene: scene.receipts.append(Receipt("w1", 6, "a" * 64)),
        {(K.RECEIPT_DIFFERS, "w1", 6)},
    ),
    Tampering(
        "a receipt of a writer that the log does not know",
        lambda scene: scene.receipts.append(Receipt("w7", 6, "a" * 64)),
        {(K.RECEIPT_LOST, "w7", 6)},
    ),
    Tampering(
        "two receipts for one place",
        lambda scene: scene.receipts.append(Receipt("w1", 11, "a" * 64)),
        {(K.TWO_CHAINS, "w1", 11)},
    ),
    Tampering("an entry of another writer", mixed, {(K.FOREIGN, "w1", 6), (K.BROKEN, "w1", 6), (K.BROKEN, "w1", 7)}),
    Tampering("a second chain of one name", fork, {(K.TWO_CHAINS, "w1", 1)} | REWRITTEN | REWRITTEN_RECEIPTS),
    Tampering("a column of another type", foreign_types, {(K.UNREADABLE, "w1", 6), (K.MISSING, "w1", 6)}),
    Tampering(
        "purged more than is said", lambda scene: purged(scene, 5, 4), {(K.MISSING, "w1", 1), (K.RECEIPT_LOST, "w1", 3)}
    ),
    Tampering(
        "purged, with another hash",
        lambda scene: purged(scene, 5, 5, "a" * 64),
        {(K.MISSING, "w1", 1), (K.RECEIPT_LOST, "w1", 3)},
    ),
    Tampering(
        "purged, and another log's end put on",
        lambda scene: (
            purged(scene, 8, 8),
            scene.of("w1").__setitem__(
                slice(0, 4),
                made("w1", contents(scene.of("w1")), MAC_KEY, replace(scene.of("w1")[0], sequence=8, hash="b" * 64)),
            ),
        ),
        {
            (K.MISSING, "w1", 1),
            (K.CHECKPOINT_DIFFERS, "w1", 9),
            (K.RECEIPT_LOST, "w1", 3),
            (K.RECEIPT_DIFFERS, "w1", 11),
        },
    ),
)

LEGITIMATE = (
    Tampering("nothing", lambda scene: None, set()),
    Tampering("purged", lambda scene: purged(scene, 5, 5), set()),
    Tampering("purged but for what could not be deleted yet", lambda scene: purged(scene, 2, 5), set()),
    Tampering("purged up to a checkpoint", lambda scene: purged(scene, 8, 8), set()),
    Tampering("announced, and not purged yet", lambda scene: purged(scene, 0, 5), set()),
    Tampering("purged twice", lambda scene: (purged(scene, 2, 2), purged(scene, 5, 5)), set()),
    Tampering("no checkpoints", lambda scene: scene.checkpoints.clear(), set()),
    Tampering("no receipts", lambda scene: scene.receipts.clear(), set()),
    Tampering("a checkpoint twice", lambda scene: scene.checkpoints.append(scene.checkpoint("w1", 8)), set()),
    Tampering(
        "no log at all", lambda scene: (scene.chains.clear(), scene.checkpoints.clear(), scene.receipts.clear()), set()
    ),
)
"""What may be so: nothing is wrong."""

FIELDS = tuple(each.name for each in fields(Entry))
