"""Kills a process that records, again and again: what was acknowledged is in the log, and the log verifies.

    python -m tests.record.crash --kills 50

The short form of `tests.faults.kill`, without a server: a second for a kill, and so many checkpoints that kills come
between them and their entries.

One log goes through all of it. In each round a child opens it and records from several threads; each thread writes the
receipt to a file of its own, durably, before its next call. The parent kills the child (SIGKILL) at a random moment,
opens the log, looks for every receipt that was ever written, and verifies. Then it asks for the next request of each
thread, which the child may or may not have recorded: it gets one entry either way.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from uuid import UUID, uuid5

from engine.record.checkpoint import FILE, snapshot
from engine.record.entry import Draft, Receipt
from engine.record.sealing import Keys, ensure_keys
from engine.record.store import Store, open_existing, open_store
from engine.record.verify import Evidence, verify_store
from engine.record.writer import DecisionLog, Pace
from engine.rules import ed25519
from tests.record.decided import STOPS, WORN, draft, texts

THREADS = 8
PACE = Pace(checkpoint_entries=50, checkpoint_seconds=0.05)
"""Many checkpoints, so that kills come between them and the entries."""
SUBJECTS = 5
PATIENCE = 60
"""Seconds in which a child must have recorded something."""
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ground:
    """Where a trial takes place. `where` is the log: a folder, or the URL of a PostgreSQL database."""

    folder: Path
    where: str

    @property
    def receipts(self) -> Path:
        return self.folder / "receipts"

    @property
    def checkpoints(self) -> Path:
        return self.folder / FILE

    def keys(self) -> Keys:
        return ensure_keys(self.folder / "keys.json")

    def store(self) -> Store:
        """The log, to be read."""
        return open_existing(self.where)

    @contextmanager
    def open(self) -> Iterator[tuple[Store, DecisionLog]]:
        with open_store(self.where) as store, DecisionLog(store, self.keys(), self.checkpoints, pace=PACE) as log:
            log.add_ruleset(example(0).ruleset.digest, texts())
            yield store, log

    def acknowledged(self) -> dict[str, Receipt]:
        """Every receipt that was written, by request id."""
        return {each.stem: Receipt(**json.loads(each.read_text())) for each in self.receipts.glob("*.json")}


@cache
def example(number: int) -> Draft:
    return draft(number, (STOPS, WORN)[number % 2])


def request(thread: int, number: int) -> Draft:
    """The request of a thread with a number: the same each time."""
    name = f"{thread}-{number}"
    subject = str(UUID(int=number % SUBJECTS + 1, version=4)) if number % (SUBJECTS + 1) else ""
    decision_id = str(uuid5(UUID(int=0), name))
    return replace(example(number % 2), decision_id=decision_id, request_id=name, subject=subject)


def keep(folder: Path, name: str, receipt: Receipt) -> None:
    """Writes a receipt to a file of its own; when this returns it is durable, and it is never there in half."""
    part = folder / f"{name}.part"
    with part.open("w") as file:
        json.dump({"writer": receipt.writer, "sequence": receipt.sequence, "hash": receipt.hash}, file)
        file.flush()
        os.fsync(file.fileno())
    part.rename(folder / f"{name}.json")


def record_for_ever(ground: Ground, starts: list[int]) -> None:
    """What the child does until it is killed: each thread from its number on."""

    def work(thread: int, number: int, log: DecisionLog) -> None:
        try:
            while True:
                keep(ground.receipts, f"{thread}-{number}", log.record(request(thread, number), 60).receipt)
                number += 1
        except BaseException as fault:
            print(f"{type(fault).__name__}: {fault}", flush=True)
            os._exit(3)

    with ground.open() as (_, log):
        threads = [threading.Thread(target=work, args=(*each, log)) for each in enumerate(starts)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()


def starts(acknowledged: dict[str, Receipt]) -> list[int]:
    """The number with which each thread goes on: the first without a receipt."""
    done = [0] * THREADS
    for name in acknowledged:
        thread, number = map(int, name.split("-"))
        done[thread] = max(done[thread], number + 1)
    return done


def one_kill(ground: Ground, chance: random.Random) -> int:
    """One round; how many receipts there are after it. AssertionError where anything is lost."""
    before = ground.acknowledged()
    command = [sys.executable, "-m", "tests.record.crash", "--child", str(ground.folder), ground.where]
    numbers = ",".join(map(str, starts(before)))
    with subprocess.Popen([*command, numbers], cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        end = time.monotonic() + PATIENCE
        while len(list(ground.receipts.glob("*.json"))) == len(before):  # it has to be at work
            if child.poll() is not None or time.monotonic() > end:
                child.kill()
                raise AssertionError(f"the child does not record: {child.communicate()[0]}")
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.4))
        os.kill(child.pid, signal.SIGKILL)
        said, _ = child.communicate()
        assert child.returncode == -signal.SIGKILL, said
    acknowledged = ground.acknowledged()
    check(ground, acknowledged)
    with ground.open() as (store, log):
        for thread, number in enumerate(starts(acknowledged)):
            found = store.request(request(thread, number).caller, f"{thread}-{number}")
            recorded = log.record(request(thread, number))
            assert recorded.replayed == (found is not None)
            assert found is None or recorded.receipt.hash == found.hash
            keep(ground.receipts, f"{thread}-{number}", recorded.receipt)
    return check(ground, ground.acknowledged())


def check(ground: Ground, acknowledged: dict[str, Receipt]) -> int:
    """Every receipt is found under its request and its place, each request once, and the log verifies."""
    keys = ground.keys()
    evidence = Evidence(
        keys.mac, snapshot(ground.checkpoints), (ed25519.public_of(keys.signing),), list(acknowledged.values())
    )
    with ground.store() as store:
        report = verify_store(store, evidence)
        assert report.whole, report.faults[:5]
        assert report.receipts == len(acknowledged)
        requests = [
            json.loads(entry.body)["request_id"] for writer in store.writers() for entry in store.entries(writer)
        ]
        assert len(requests) == len(set(requests))
        assert acknowledged.keys() <= set(requests)
        for name, receipt in list(acknowledged.items())[-100:]:
            thread, number = map(int, name.split("-"))
            found = store.decision(request(thread, number).decision_id)
            assert found is not None
            assert (found.writer, found.sequence, found.hash) == (receipt.writer, receipt.sequence, receipt.hash)
    return len(acknowledged)


def trial(ground: Ground, kills: int, seed: int) -> int:
    """So many kills; how many receipts were written in all."""
    ground.receipts.mkdir(parents=True)
    chance = random.Random(seed)
    count = 0
    for number in range(1, kills + 1):
        count = one_kill(ground, chance)
        print(f"kill {number}: {count} acknowledged, all of them found; the log verifies", flush=True)
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument(
        "--log", default="", help="the URL of an empty PostgreSQL database; a folder where it is left out"
    )
    parser.add_argument("--child", nargs=3, metavar=("FOLDER", "LOG", "NUMBERS"), help="what is killed")
    said = parser.parse_args()
    if said.child:
        folder, where, numbers = said.child
        record_for_ever(Ground(Path(folder), where), [int(each) for each in numbers.split(",")])
        return
    with tempfile.TemporaryDirectory() as place:
        print(f"{said.kills} kills, --seed {said.seed}", flush=True)
        folder = Path(place)
        count = trial(Ground(folder, said.log or str(folder / "log")), said.kills, said.seed)
        print(f"{said.kills} kills, {count} decisions acknowledged, none lost", flush=True)


if __name__ == "__main__":
    main()
