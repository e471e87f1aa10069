"""How fast is a decision, in process, over gRPC and beside other engines? One run, ratios; `make bench` prints them.

Machines and moments differ, so nothing is asserted in seconds: what is compared runs in interleaved rounds of one run,
and the ratio is taken within each round.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from rich.console import Console

from engine.decide.evaluate import Evaluator
from engine.rules.load import load
from tests.bench import large, report, stages, wire, workers
from tests.bench.asked import NAME, RULESETS
from tests.bench.log import with_log
from tests.bench.rivals.compare import compare


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    rounds: int
    patients: int
    """Of each kind in each round, in process."""
    calls: int
    """Of each server in each round, with the log and with several workers."""
    wire: wire.Effort


WHOLE = Effort(rounds=9, patients=300, calls=1280, wire=wire.WHOLE)
QUICK = Effort(rounds=3, patients=30, calls=320, wire=wire.QUICK)


def run(effort: Effort, console: Console) -> report.Run:
    """Everything, part by part; says where it is."""
    evaluator = Evaluator(load(RULESETS / NAME))
    rounds = effort.rounds
    console.print("in process, beside other engines")
    rivals = compare(rounds, effort.patients, console)
    console.print("in process, stage by stage")
    staged = stages.measure(evaluator, wire.ASKED, effort.patients // 3, rounds)
    over_wire = wire.measure(evaluator, effort.wire, console)
    console.print("with the decision log")
    log = with_log(evaluator, rounds, effort.calls)
    console.print("with several workers")
    several = workers.measure(evaluator, rounds, effort.calls)
    console.print("large rulesets")
    return report.Run(rivals, over_wire, staged, log, several, large.measure(rounds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a short form: few rounds, wide spreads")
    parser.add_argument("--write", action="store_true", help=f"write {report.PAGE.name} and its pictures")
    options = parser.parse_args()
    console = Console()
    done = run(QUICK if options.quick else WHOLE, console)
    for table in report.tables(done):
        console.print(table.printed())
    if options.write:
        report.write(done)


if __name__ == "__main__":
    main()
