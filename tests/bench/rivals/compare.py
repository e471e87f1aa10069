"""How much longer do other rule engines take for the same decisions? Ratios to Pluis, from interleaved rounds.

`make bench` shows them; `python -m tests.bench.rivals.compare` measures nothing else. Every rival's rules are written
by script from low_back_pain, and must give Pluis' disposition on every patient before anything is told. In each round
all run on the same patients, whom nobody has seen before (no cache of earlier patients flatters anyone), in an order
that changes. A ratio is taken within its round.
The two forms are explained in `contestants.py`.
"""

from __future__ import annotations

import argparse
import gc
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median, quantiles

from rich.console import Console
from rich.table import Table

from engine.decide.answers import UNKNOWN, Given
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError
from engine.rules.load import load
from engine.rules.model import CheckedRuleset
from tests.bench.rivals import on_node
from tests.bench.rivals.checking import check, hold
from tests.bench.rivals.contestants import Contestant, Form, Timed, as_json, parts, pluis
from tests.bench.rivals.in_python import cel_expression, zen_expression, zen_graph_of_expression, zen_graph_of_table
from tests.bench.rivals.tree import translate
from tests.clinical.patients import RULESETS, patient

NAME = "low_back_pain"
SEED = 20261122
CHECKED = 4000
"""Patients on whom every rival must decide as Pluis does before the first round; half of them know little."""
WARM_UP = 100
"""Patients of the check on whom each contestant runs, off the clock, before each of its turns."""
WARMING = 2.0
"""Seconds for which each contestant runs before the first round: Node compiles anew after tens of thousands of runs."""


@dataclass(frozen=True, slots=True)
class Row:
    """One contestant in one form: by round, seconds for a patient, and as a ratio to Pluis (1 for Pluis itself)."""

    name: str
    form: Form
    seconds: tuple[float, ...]
    ratios: tuple[float, ...]

    @property
    def microseconds(self) -> float:
        """The median."""
        return median(self.seconds) * 1e6

    @property
    def ratio(self) -> tuple[float, float, float]:
        """Lower quartile, median and upper quartile."""
        low, middle, high = quantiles(self.ratios, n=4, method="inclusive")
        return low, middle, high


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was measured: Pluis first in each form, then parts of it, then its rivals."""

    ruleset: str
    rounds: int
    patients: int
    checked: int
    rows: tuple[Row, ...]
    versions: dict[str, str]


def compare(rounds: int, patients: int, console: Console) -> Comparison:
    """The comparison, over so many rounds (2 or more) of so many patients; progress goes to the console.

    Installs the rivals on Node. Raises RivalDiffers where a rival decides otherwise than Pluis on any patient.
    """
    on_node.install()
    checked = load(RULESETS / NAME)
    logic = translate(checked.ruleset)
    ours = pluis(checked)
    python = (zen_expression(logic), zen_graph_of_table(logic), zen_graph_of_expression(logic), cel_expression(logic))
    known = invented(checked, NAME, random.Random(f"{SEED} check"), CHECKED)
    with on_node.on_node(logic) as node:
        others: tuple[Contestant, ...] = (*parts(checked), *python, *node)
        check(checked, ours, others, known)
        console.print(f"{len(others)} others decide as Pluis does on {len(known):,} patients, in both forms")
        for contestant in (ours, *others):
            _warm_up(contestant, known[:500])
        rows = _rounds(checked, ours, others, rounds, patients, known[:WARM_UP])
    packages = {package: version(package) for package in ("zen-engine", "cel-expr-python")}
    return Comparison(NAME, rounds, patients, len(known), rows, packages | on_node.versions())


def _warm_up(contestant: Contestant, patients: Sequence[str]) -> None:
    for form in Form:
        until = time.monotonic() + WARMING
        while time.monotonic() < until:
            contestant.run(form, patients, ())


def _rounds(
    checked: CheckedRuleset,
    ours: Contestant,
    others: Sequence[Contestant],
    rounds: int,
    patients: int,
    warm_up: Sequence[str],
) -> tuple[Row, ...]:
    rng = random.Random(f"{SEED} rounds")
    contestants = (ours, *others)
    turns = [(contestant, form) for contestant in contestants for form in Form]
    seconds: dict[tuple[str, Form], list[float]] = defaultdict(list)
    for _ in range(rounds):
        fresh = [as_json(checked.ruleset, patient(rng, NAME)) for _ in range(patients)]
        runs: dict[tuple[str, Form], Timed] = {}
        for contestant, form in rng.sample(turns, len(turns)):
            gc.collect()  # what others left behind; the collector stays on meanwhile, as it does in a service
            runs[contestant.name, form] = contestant.run(form, fresh, warm_up)
        for (name, form), run in runs.items():
            hold(checked, name, fresh, runs[ours.name, form].dispositions, run.dispositions)
            seconds[name, form].append(run.seconds / patients)
    return tuple(
        Row(
            each.name,
            form,
            tuple(seconds[each.name, form]),
            tuple(theirs / our for theirs, our in zip(seconds[each.name, form], seconds[ours.name, form], strict=True)),
        )
        for form in Form
        for each in contestants
    )


def invented(checked: CheckedRuleset, name: str, rng: random.Random, number: int) -> list[str]:
    """So many patients of a shipped ruleset with no missing answer; every second of them does not know many answers."""
    evaluator = Evaluator(checked)
    texts: list[str] = []
    while len(texts) < number:
        answers = patient(rng, name)
        if len(texts) % 2:
            unknown = rng.choice((0.1, 0.4, 0.8))
            answers = {each: UNKNOWN if rng.random() < unknown else answer for each, answer in answers.items()}
        if _consistent(evaluator, answers):
            texts.append(as_json(checked.ruleset, answers))
    return texts


def _consistent(evaluator: Evaluator, answers: dict[str, Given]) -> bool:
    """Whether no rule of consistency refuses the answers; Pluis gives no decision for such patients."""
    try:
        evaluator.read(answers)
    except AnswersError:
        return False
    return True


def tables(comparison: Comparison) -> Iterator[Table]:
    """A table for each form."""
    for form in Form:
        head = ("engine", "time, Pluis = 1", "quartiles", "median, µs")
        table = Table(*head, title=f"{comparison.ruleset}, {form.value}")
        for row in comparison.rows:
            if row.form is form:
                low, middle, high = row.ratio
                table.add_row(row.name, f"{middle:.3g}", f"{low:.3g} to {high:.3g}", f"{row.microseconds:.1f}")
        yield table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--patients", type=int, default=300, help="in each round")
    options = parser.parse_args()
    console = Console()
    comparison = compare(options.rounds, options.patients, console)
    console.print(f"{comparison.rounds} rounds of {comparison.patients} patients")
    console.print(*tables(comparison), sep="\n")
    console.print(", ".join(f"{package} {number}" for package, number in comparison.versions.items()))


if __name__ == "__main__":
    main()
