"""What the service is meant to show, beside what this run showed: each aim, met or not."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from statistics import median

from tests.bench.asked import Kind, Ratio, ratio
from tests.bench.large import Large, Rest
from tests.bench.results import Table
from tests.bench.rivals.compare import Comparison, Row
from tests.bench.rivals.contestants import PLUIS, Form
from tests.bench.wire import BASIC, FULL, Wire

CALLS = {
    (Kind.TYPICAL, BASIC): 0.85,
    (Kind.TYPICAL, FULL): 0.85,
    (Kind.COMPLETE, BASIC): 0.7,
    (Kind.COMPLETE, FULL): 0.7,
}
"""Calls a second by what is asked, of those of the echo."""
BATCH, P99 = 0.5, 1.3
LOADING = 2.0
"""Seconds."""
RIVALS = {"": 1.0, "zen-engine, graph": 1.5, "json-rules-engine": 10.0}
"""Time of the fastest rival whose name begins so, Pluis = 1."""


class Bound(Enum):
    """On which side of an aim it is met; the words for it."""

    AT_LEAST = "at least"
    AT_MOST = "at most"

    def holds(self, measured: float, aim: float) -> bool:
        compare: Callable[[float, float], bool] = operator.ge if self is Bound.AT_LEAST else operator.le
        return compare(measured, aim)


@dataclass(frozen=True, slots=True)
class Aim:
    """One thing to show, as a ratio; or in seconds, where `unit` says so."""

    what: str
    bound: Bound
    aim: float
    measured: Ratio
    unit: str = ""

    @property
    def met(self) -> bool:
        """By the median."""
        return self.bound.holds(self.measured.middle, self.aim)


def of_wire(wire: Wire) -> Iterator[Aim]:
    """Those of calls over gRPC."""
    for key, least in CALLS.items():
        speed = wire.evaluate[key]
        yield Aim(f"Evaluate, {speed.name}: calls a second, echo = 1", Bound.AT_LEAST, least, speed.calls)
    yield Aim("Evaluate, typical, basic: p99 at half load, echo = 1", Bound.AT_MOST, P99, wire.p99)
    told = f"EvaluateBatch, {wire.batch.name}: calls a second, an echo that builds its response = 1"
    yield Aim(told, Bound.AT_LEAST, BATCH, wire.batch.calls)


def of_rivals(comparison: Comparison) -> Iterator[Aim]:
    """Those of `Evaluator.evaluate` beside other engines."""
    for beginning, least in RIVALS.items():
        rival = fastest(comparison, beginning)
        whose = "" if beginning else "the fastest rival, "
        yield Aim(f"time of {whose}{rival.name}, Pluis = 1", Bound.AT_LEAST, least, ratio(rival.ratios))


def of_large(measured: Large) -> Iterator[Aim]:
    """Those of large rulesets, without a spread: medians were taken already."""
    largest = measured.loads[-1]
    loaded = largest.read + largest.parse + largest.check
    for told, seconds in (("loaded", loaded), ("loaded and ready to evaluate", largest.whole)):
        yield Aim(f"{largest.rules:,} rules, {told}", Bound.AT_MOST, LOADING, Ratio(seconds, seconds, seconds), " s")
    for rest in Rest:
        first, *_, last = (each for each in measured.by_rules if each.rest is rest)
        grown = last.seconds / first.seconds / (last.readers / first.readers)
        told = f"growth of an evaluation from {first.rules:,} to {last.rules:,} rules, others {rest.value}, "
        told += "growth of the rules that read the answers = 1"
        yield Aim(told, Bound.AT_MOST, 1.0, Ratio(grown, grown, grown))


def fastest(comparison: Comparison, beginning: str) -> Row:
    """The row of the rival that takes the least time for a prepared patient."""
    rivals = [each for each in comparison.rows if each.form is Form.PREPARED and not each.name.startswith(PLUIS)]
    return min((each for each in rivals if each.name.startswith(beginning)), key=lambda each: median(each.ratios))


def table(aims: list[Aim]) -> Table:
    rows = []
    for each in aims:
        aim = f"{each.bound.value} {each.aim:g}{each.unit}"
        rows.append((each.what, aim, f"{each.measured}{each.unit}", "yes" if each.met else "no"))
    return Table("what is aimed at", ("what", "aim", "measured", "met"), tuple(rows), "Met or not by the median.")
