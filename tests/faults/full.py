"""Takes the log away from a server under load and gives it back: a disk without room, a database that is stopped.

    python -m tests.faults.full

While it is away calls fail UNAVAILABLE, none is answered unrecorded, and health says so; once it is back all goes on
without a hand. The room ends for the process of the server alone (RLIMIT_FSIZE). That a database has no more pages
(max_page_count) is a setting of connections, so tests.record.full does that, in the process that has them.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from tests.demo.demo import PLUIS
from tests.faults.judging import (
    LOG_AWAY,
    calls_fail,
    judge_failures,
    judge_log,
    look_up,
    nobody_is_answered,
    under_load,
    verify,
)
from tests.faults.kill import Tally
from tests.faults.load import Load, loading
from tests.faults.served import HASTY, Served, children, database, serving, until
from tests.record.server import Server

ROOM = 150_000
"""Bytes, at most, that are left when the limit is set, for some more decisions."""


class Away(Enum):
    """What is taken away."""

    ROOM = "room"
    DATABASE = "database"


def take_away(away: Away, served: Served, postgres: Server | None, load: Load, chance: random.Random) -> None:
    """Returns when it was away for a while, and is there again."""
    match away:
        case Away.ROOM:
            largest = max(each.stat().st_size for each in Path(served.where).rglob("*") if each.is_file())
            limit_files(served, largest + chance.randrange(ROOM))
            calls_fail(served, load)
            limit_files(served, None)
        case Away.DATABASE:
            assert postgres
            postgres.stop()
            nobody_is_answered(served, load)
            postgres.start()


def limit_files(served: Served, size: int | None) -> None:
    """No process of the server may let a file grow beyond a size, from now on; None: as far as it ever might."""
    for pid in (served.pid, *children(served.pid)):
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))


def trial(folder: Path, away: Away, rounds: int, seed: int, command: Sequence[str] = PLUIS) -> Tally:
    """So many times. AssertionError where anything is lost, or answered unrecorded, or does not recover."""
    chance = random.Random(seed)
    kind = "sqlite" if away is Away.ROOM else "postgresql"
    with (
        database(kind, folder) as (where, postgres),
        serving(folder, where, command) as served,
        loading(folder / "client") as load,
    ):
        for _ in range(rounds):
            load.go(served.address)
            under_load(load, load.count("receipts"))
            take_away(away, served, postgres, load, chance)
            load.hold(served.address)
            until(served.log_health, "health says that decisions cannot be recorded")
            acknowledged, failed = load.acknowledged(), load.failed()
            judge_failures(failed, LOG_AWAY)
            judge_log(served, acknowledged)
        assert served.listened == 1, "the worker was replaced"
        look_up(served, acknowledged)
        verify(served, acknowledged, folder)
    in_flight = {each.request for each in failed}
    kept = sum(each.kept for each in acknowledged if each.request in in_flight)
    return Tally(len(acknowledged), len(failed), len(in_flight), kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--what", choices=[each.value for each in Away], action="append", help="all when left out")
    parser.add_argument("--planted", action="store_true", help="the server has a fault, which must be found")
    said = parser.parse_args()
    for away in map(Away, said.what or Away):
        print(f"{said.rounds} times without {away.value}, --seed {said.seed}", flush=True)
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            tally = trial(Path(folder), away, said.rounds, said.seed, HASTY if said.planted else PLUIS)
        print(f"{said.rounds} times in {time.monotonic() - started:.0f} s: {tally}", flush=True)


if __name__ == "__main__":
    main()
