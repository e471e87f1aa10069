"""All that one run measured, as tables for the screen, and as BENCHMARKS.md with its pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tests.bench import aims, large, plot, stages, wire, workers
from tests.bench.asked import NAME, ROOT, Ratio, ratio
from tests.bench.results import Table, machine
from tests.bench.rivals.compare import Comparison
from tests.bench.rivals.contestants import PLUIS, Form

PAGE = ROOT / "BENCHMARKS.md"
PLOTS = Path("tests/bench/plots")
"""From the top of the project."""

BY_RULES = "evaluations, as rules grow"
GROWTH = """\
Invented rulesets, both evaluators, without explanation; medians. What is denied is answered. What is left out is told:
every rule that could still hold, and every question to ask next, so that it grows with the ruleset."""
INTRODUCTION = """\
# Benchmarks

One run of `make bench WRITE=1`, on {day}; made by [tests/bench](tests/bench/bench.py), and not by hand. Machines
and moments differ, so that what is compared ran in interleaved rounds of this run. Every number is a ratio taken within
a round: the median of the rounds, with the quartiles. Both evaluators are on everywhere. The patients are seeded; the
ruleset is {ruleset}, where nothing else is said.

- *typical*: a vignette of the ruleset's cases. What it lists is answered, `none_of` denies the groups, questions
  outside groups are answered one by one
- *complete*: every question is answered by itself
- *partial*: some questions are not asked yet, so that the outcome may be a span of dispositions
- *empty*: nothing is asked yet
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run measured, part by part."""

    rivals: Comparison
    wire: wire.Wire
    stages: list[stages.Stages]
    log: Table
    workers: dict[int, Ratio]
    large: large.Large

    @property
    def aims(self) -> list[aims.Aim]:
        return [*aims.of_rivals(self.rivals), *aims.of_wire(self.wire), *aims.of_large(self.large)]


def tables(run: Run) -> Iterator[Table]:
    """Everything, in the order of the page."""
    yield aims.table(run.aims)
    yield rivals_table(run.rivals)
    yield wire.table(run.wire)
    yield stages.table(run.stages, run.wire.evaluate)
    yield run.log
    yield workers.table(run.workers)
    yield large.loading(run.large)
    yield growth(BY_RULES, "rules", run.large.by_rules)
    yield growth(f"evaluations of {large.STEADY:,} rules, as answers grow", "answers given", run.large.by_answers)
    yield machine(run.rivals.versions)


def rivals_table(comparison: Comparison) -> Table:
    """Time of each engine in both forms."""
    every = {(row.name, row.form): ratio(row.ratios) for row in comparison.rows}
    names = dict.fromkeys(row.name for row in comparison.rows)
    return Table(
        "rule engines in process",
        ("engine", *(f"time for a patient, {form.value}, Pluis = 1" for form in Form)),
        tuple((name, *(str(every[name, form]) for form in Form)) for name in names),
        f"All were translated by script from {comparison.ruleset}, and gave Pluis' disposition on "
        f"{comparison.checked:,} patients and on all that were timed: {comparison.rounds} rounds of "
        f"{comparison.patients} fresh ones. Pluis decides everything, on both evaluators; the others, and "
        "the two parts of Pluis, work out the disposition alone, once. From raw answers Pluis also checks them.",
    )


def growth(title: str, across: str, measured: Sequence[large.Evaluating]) -> Table:
    """Time of an evaluation, and how many rules read one of the answers that were given."""
    first = {each.rest: each.seconds for each in reversed(measured)}
    rows = tuple(
        (
            f"{each.rules if across == 'rules' else each.given:,}",
            each.rest.value,
            f"{each.readers:,.0f}",
            f"{each.seconds / first[each.rest]:.2f}",
        )
        for each in measured
    )
    head = (across, "questions without an answer of their own", "rules that read an answer", "time, first = 1")
    return Table(title, head, rows, GROWTH)


def pictures(run: Run) -> Mapping[str, str]:
    """Draws what the tables say; by the title of a table the file of its picture."""
    (ROOT / PLOTS).mkdir(exist_ok=True)
    speeds = [*run.wire.evaluate.values(), run.wire.batch]
    bounds = {run.wire.evaluate[key].name: least for key, least in aims.CALLS.items()}
    bounds[run.wire.batch.name] = aims.BATCH
    names = [each.name for each in speeds]
    plot.bars(
        ROOT / PLOTS / "wire.svg",
        "Calls a second over gRPC, echo = 1; the mark is the aim",
        [(each.name, each.calls) for each in speeds],
        bounds | {run.wire.batch.name: aims.BATCH},
        names,
    )
    prepared = [(row.name, ratio(row.ratios)) for row in run.rivals.rows if row.form is Form.PREPARED]
    plot.bars(
        ROOT / PLOTS / "rivals.svg",
        "Time for a patient in process, Pluis = 1, logarithmic",
        sorted(prepared, key=lambda each: each[1].middle),
        {},
        [name for name, _ in prepared if name.startswith(PLUIS)],
        "log",
    )
    plot.lines(
        ROOT / PLOTS / "loading.svg",
        "Seconds from files to evaluators, both axes logarithmic",
        "rules",
        {"load": [(each.rules, each.whole) for each in run.large.loads]},
    )
    plot.lines(
        ROOT / PLOTS / "rules.svg",
        f"Time of an evaluation, {large.GIVEN} answers given, the smallest ruleset = 1",
        "rules",
        {
            rest.value: relative([(each.rules, each.seconds) for each in run.large.by_rules if each.rest is rest])
            for rest in large.Rest
        },
    )
    return {
        rivals_table(run.rivals).title: "rivals.svg",
        wire.table(run.wire).title: "wire.svg",
        large.loading(run.large).title: "loading.svg",
        BY_RULES: "rules.svg",
    }


def relative(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same, the first = 1."""
    return [(across, each / points[0][1]) for across, each in points]


def write(run: Run) -> None:
    """BENCHMARKS.md, and its pictures."""
    drawn = pictures(run)
    parts = [INTRODUCTION.format(day=date.today().isoformat(), ruleset=NAME)]
    for table in tables(run):
        picture = drawn.get(table.title)
        parts.append(table.markdown() + (f"\n![{table.title}]({PLOTS.as_posix()}/{picture})\n" if picture else ""))
    PAGE.write_text("\n".join(parts), encoding="utf-8")
