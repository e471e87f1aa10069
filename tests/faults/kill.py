"""Kills the server, a worker or PostgreSQL under load, again and again: nothing that was acknowledged is lost.

    python -m tests.faults.kill --kills 50 --what server --log sqlite

In each round the outside client asks until it holds receipts of that round; at a random moment the victim gets SIGKILL:
the server with all its workers, the supervisor alone (its workers end by themselves), a worker (the supervisor replaces
it), or PostgreSQL with all its processes, while the server stays up.
The client sends again what was under way. Then each receipt of the round, and some of those before, is looked up by
GetDecision; the log must hold what was acknowledged and nothing else, each request once; and it must verify.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tests.demo.demo import PLUIS
from tests.faults.judging import (
    LOG_AWAY,
    SERVER_GONE,
    SERVER_STOPS,
    ask_again,
    judge_failures,
    judge_log,
    look_up,
    nobody_is_answered,
    under_load,
    verify,
)
from tests.faults.load import Acknowledged, Load, loading
from tests.faults.served import HASTY, Served, database, kill_postgres, serving, until
from tests.record.server import Server

LOGS = ("sqlite", "postgresql")
WORKERS = 2
VERIFIED_EVERY = 10
"""Kills; at the end in any case."""
SAMPLE = 50
"""Receipts of earlier rounds that are looked up after each kill; all of them are at the end."""
LONGEST = 0.4
"""Seconds until the kill, at most, once the client holds receipts of the round."""


class What(Enum):
    """What is killed."""

    SERVER = "server"
    SUPERVISOR = "supervisor"
    WORKER = "worker"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True)
class Tally:
    """What a trial came to: requests answered, calls that failed, of how many, and how many of these were kept."""

    acknowledged: int
    failed: int
    in_flight: int
    kept: int

    def __str__(self) -> str:
        return (
            f"{self.acknowledged} decisions acknowledged, none lost; {self.failed} calls failed, of {self.in_flight} "
            f"requests, of which {self.kept} were in the log already"
        )


def strike(what: What, served: Served, postgres: Server | None, load: Load, chance: random.Random) -> None:
    """One kill; returns when what was killed is there again."""
    match what:
        case What.SERVER:
            served.kill()
            served.start()
        case What.SUPERVISOR:
            served.kill_supervisor()
            served.start()
        case What.WORKER:
            expected = served.kill_worker(chance)
            load.hold(served.address)  # the other worker answers what this one cannot any more
            served.wait_for(expected)
        case What.POSTGRESQL:
            assert postgres
            kill_postgres(postgres)
            nobody_is_answered(served, load)
            postgres.start()


def trial(folder: Path, what: What, log: str, kills: int, seed: int, command: Sequence[str] = PLUIS) -> Tally:
    """So many kills. AssertionError where anything is lost, made up, or answered unrecorded."""
    chance = random.Random(seed)
    allowed = {What.POSTGRESQL: LOG_AWAY, What.SUPERVISOR: SERVER_STOPS}.get(what, SERVER_GONE)
    with (
        database(log, folder) as (where, postgres),
        serving(folder, where, command, WORKERS) as served,
        loading(folder / "client") as load,
    ):
        acknowledged: list[Acknowledged] = []
        for number in range(1, kills + 1):
            before = {each.request for each in acknowledged}
            load.go(served.address)
            under_load(load, len(before))
            time.sleep(chance.uniform(0, LONGEST))
            strike(what, served, postgres, load, chance)
            load.hold(served.address)
            acknowledged, failed = load.acknowledged(), load.failed()
            judge_failures(failed, allowed)
            judge_log(served, acknowledged)
            fresh = [each for each in acknowledged if each.request not in before]
            older = [each for each in acknowledged if each.request in before]
            look_up(served, fresh + (older if number == kills else chance.sample(older, min(SAMPLE, len(older)))))
            in_flight = {each.request for each in failed}
            ask_again(served, (each for each in fresh if each.request in in_flight))
            until(served.log_health, "health says that decisions cannot be recorded")
            if number % VERIFIED_EVERY == 0 or number == kills:
                verify(served, acknowledged, folder)
            assert what is not What.POSTGRESQL or served.listened == WORKERS, "a worker was replaced"
            print(f"kill {number}: {len(acknowledged)} acknowledged, all found, and nothing else", flush=True)
    kept = sum(each.kept for each in acknowledged if each.request in in_flight)
    return Tally(len(acknowledged), len(failed), len(in_flight), kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--what", choices=[each.value for each in What], default=What.SERVER.value)
    parser.add_argument("--log", choices=LOGS, default="sqlite")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--planted", action="store_true", help="the server has a fault, which must be found")
    said = parser.parse_args()
    what = What(said.what)
    if what is What.POSTGRESQL and said.log != "postgresql":
        parser.error("PostgreSQL can be killed where the log lies in it: say --log postgresql")
    print(f"{said.kills} kills, --what {what.value} --log {said.log} --seed {said.seed}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally = trial(Path(folder), what, said.log, said.kills, said.seed, HASTY if said.planted else PLUIS)
    print(f"{said.kills} kills in {time.monotonic() - started:.0f} s: {tally}", flush=True)


if __name__ == "__main__":
    main()
