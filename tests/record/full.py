"""Records until there is no more room, and then with room again: the log has what was acknowledged, and nothing else.

    python -m tests.record.full

The room ends where a file may not grow (RLIMIT_FSIZE) and where a database may have no more pages (max_page_count). It
happens in a child, since such a limit holds for a whole process.
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from engine.errors import LogUnavailable
from engine.record.composing import Recorded
from engine.record.writer import DecisionLog
from tests.record.crash import ROOT, THREADS, Ground, check, keep, request

Limit = str
ROUNDS = 3
WIDE_OPEN = 1 << 30
MOST = 500
"""Calls of a thread until the room must have ended, or be there again."""
ROOM = 150_000
"""Bytes that are left when the limit is set, for some more decisions."""
RECEIPTS: dict[tuple[int, int], Recorded] = {}
"""What was acknowledged, by thread and number; kept in files once there is room for them."""


class FileSize:
    """No file of this process may grow beyond a size."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

    def shut(self) -> None:
        largest = max(each.stat().st_size for each in self._folder.rglob("*") if each.is_file())
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest + ROOM, self._hard))

    def lift(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._hard, self._hard))


class Pages:
    """No database may have more pages than it has, and a few. A limit of connections, set when one is used."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._most = WIDE_OPEN
        event.listen(Engine, "begin", self._limit)

    def _limit(self, connection: Any) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {self._most}")

    def shut(self) -> None:
        for path in self._folder.rglob("*.sqlite"):
            with closing(sqlite3.connect(path)) as connection:
                (pages,) = connection.execute("PRAGMA page_count").fetchone()
                (size,) = connection.execute("PRAGMA page_size").fetchone()
        self._most = pages + ROOM // size

    def lift(self) -> None:
        self._most = WIDE_OPEN


KINDS: dict[Limit, Callable[[Path], FileSize | Pages]] = {"file-size": FileSize, "pages": Pages}
LIMITS = tuple(KINDS)


def record_some(ground: Ground, log: DecisionLog, first: int, wanted: Callable[[int, int], bool]) -> tuple[int, int]:
    """Records from several threads until enough were recorded, or failed without one between that was recorded.

    Gives the number that comes next, and how many failed in all. Where room ends a small transaction may still fit.
    """

    def one(place: tuple[int, int]) -> Recorded | LogUnavailable:
        try:
            return log.record(request(*place), 60)
        except LogUnavailable as fault:
            return fault

    recorded = failed = in_a_row = 0
    number = first
    with ThreadPoolExecutor(THREADS) as pool:
        while not wanted(recorded, in_a_row):
            assert number < first + MOST, "there is no end to the room, or to the lack of it"
            places = [(thread, number) for thread in range(THREADS)]
            answers = list(pool.map(one, places))
            for place, answer in zip(places, answers, strict=True):
                if isinstance(answer, Recorded):
                    RECEIPTS[place] = answer
            made = sum(isinstance(answer, Recorded) for answer in answers)
            recorded, failed = recorded + made, failed + len(answers) - made
            in_a_row = 0 if made else in_a_row + len(answers)
            number += 1
    return number, failed


def child(ground: Ground, kind: Limit) -> None:
    """Fills and empties, and checks after each; in the process that the limit holds for."""
    number = 0
    with ground.open() as (_, log):
        number, failed = record_some(ground, log, number, lambda recorded, _: recorded >= 5 * THREADS)
        assert failed == 0
        limit = KINDS[kind](ground.folder)
        for _ in range(ROUNDS):
            limit.shut()
            before = len(RECEIPTS)
            number, _ = record_some(ground, log, number, lambda _, in_a_row: in_a_row >= 5 * THREADS)
            assert log.trouble
            assert len(RECEIPTS) > before, "there was some room"
            limit.lift()
            number, failed = record_some(ground, log, number, lambda recorded, _: recorded >= 5 * THREADS)
            assert failed == 0, "room again, and still it fails"
            assert not log.trouble
    for (thread, number), recorded in RECEIPTS.items():
        keep(ground.receipts, f"{thread}-{number}", recorded.receipt)
    assert check(ground, ground.acknowledged()) == len(RECEIPTS)
    with ground.store() as store:
        kept = sum(1 for writer in store.writers() for _ in store.entries(writer))
    assert kept == len(RECEIPTS), "a call that failed left something"
    print(f"{kind}: {len(RECEIPTS)} decisions acknowledged, all of them found, and nothing else", flush=True)


def fill(ground: Ground, kind: Limit) -> None:
    """Fills a log in a child process. AssertionError where anything is lost, or answered unrecorded."""
    ground.receipts.mkdir(parents=True)
    command = [sys.executable, "-m", "tests.record.full", "--child", kind, str(ground.folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout, end="")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--child", nargs=2, metavar=("LIMIT", "FOLDER"), help="the process that has the limit")
    said = parser.parse_args()
    if said.child:
        folder = Path(said.child[1])
        child(Ground(folder, str(folder / "log")), said.child[0])
        return
    for kind in LIMITS:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            fill(Ground(folder, str(folder / "log")), kind)


if __name__ == "__main__":
    main()
