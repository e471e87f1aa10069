"""Large rulesets: how the time to load one, and to evaluate one patient, grows with its rules and with the answers.

The rulesets are those of `invented.py`.

    python -m tests.bench.large                     the tables: 10 to 5,000 rules
    python -m tests.bench.large --keep FOLDER       writes the rulesets into a folder, to look at them, and stops
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import TypeVar

from rich.console import Console

from engine.decide.answers import Answers, given, unlisted
from engine.decide.evaluate import Evaluator
from engine.rules import document
from engine.rules.check import check
from engine.rules.condition import Condition, FindingIs, leaves, questions_of
from engine.rules.load import MAIN, collector_paused, load
from engine.rules.model import NO, Question, QuestionType, Ruleset
from engine.rules.parse import parse
from engine.rules.problem import Problem, Problems
from engine.rules.source import Source
from tests.bench.invented import LANGUAGES, write_ruleset
from tests.bench.results import Table

SIZES = (10, 100, 1_000, 5_000)
"""Rules."""
GIVEN = 20
"""Answers that are given while the rules grow."""
STEPS = (0, 10, 20, 50, 100, 200, 500)
"""Answers that are given while the rules stay as they are, at `STEADY` rules."""
STEADY = 1_000
PATIENTS = 20

# ---- patients ----


class Rest(Enum):
    """What becomes of the questions that are not answered one by one."""

    MISSING = "left out"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Patient:
    """Answers, and the questions that they answer."""

    answers: Answers
    asked: frozenset[str]


def patient(evaluator: Evaluator, rng: random.Random, number: int, rest: Rest) -> Patient:
    """So many questions answered at random, and the rest of them left out or denied."""
    ruleset = evaluator.checked.ruleset
    asked = rng.sample(sorted(ruleset.questions), min(number, len(ruleset.questions)))
    said = {name: given(_said(ruleset.questions[name], rng)) for name in asked}
    more = dict(unlisted(ruleset, said, NO)) if rest is Rest.DENIED else {}
    return Patient(evaluator.read({**said, **more}), frozenset(said) | more.keys())


def _said(question: Question, rng: random.Random) -> str | tuple[str, ...]:
    if question.type.is_number:
        return str(rng.randint(0, 100))
    chosen = rng.choice(question.options)
    return (chosen,) if question.type is QuestionType.SEVERAL else chosen


def readers(ruleset: Ruleset, asked: Iterable[str]) -> int:
    """How many rules read one of these answers, themselves or through a finding."""
    names = frozenset(asked)

    def reads(condition: Condition) -> bool:
        return not names.isdisjoint(questions_of(condition)) or any(
            reads(ruleset.findings[leaf.finding].when) for leaf in leaves(condition) if isinstance(leaf, FindingIs)
        )

    return sum(reads(rule.when) for rule in ruleset.rules.values())


# ---- what it costs ----


@dataclass(frozen=True, slots=True)
class Loading:
    """From files to an evaluator that is ready: seconds of each stage, and of the whole, which is timed by itself.

    `read`: text to tree; `parse`: tree to Ruleset; `check`: its meaning, and the digest; `compile`: the evaluators.
    """

    rules: int
    questions: int
    size: int  # bytes of the three files
    read: float
    parse: float
    check: float
    compile: float
    whole: float


@dataclass(frozen=True, slots=True)
class Evaluating:
    """Seconds of one `Evaluator.evaluate`, both evaluators on, when so many answers are given one by one.

    `readers`: how many rules read any answer, one that was given or one that denies, on average over the patients.
    """

    rules: int
    given: int
    rest: Rest
    readers: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Large:
    """All that is measured: two curves of evaluations, against rules at `GIVEN` answers and against answers."""

    loads: tuple[Loading, ...]
    by_rules: tuple[Evaluating, ...]
    by_answers: tuple[Evaluating, ...]


def measure(rounds: int = 5, sizes: Sequence[int] = SIZES) -> Large:
    """Writes rulesets of these sizes to a folder of its own and measures them; medians over interleaved rounds."""
    with TemporaryDirectory() as place:
        folders = {rules: Path(place) / str(rules) for rules in sizes}
        for rules, folder in folders.items():
            folder.mkdir()
            write_ruleset(folder, rules)
        loads = tuple(_middle(each) for each in zip(*(_loads(folders) for _ in range(rounds)), strict=True))
        evaluators = {rules: Evaluator(load(folder)) for rules, folder in folders.items()}
    try:
        by_rules = [(rules, GIVEN, rest) for rest in Rest for rules in sizes]
        by_answers = [(STEADY, number, rest) for rest in Rest for number in STEPS if STEADY in sizes]
        return Large(loads, _evaluations(evaluators, by_rules, rounds), _evaluations(evaluators, by_answers, rounds))
    finally:
        for evaluator in evaluators.values():
            evaluator.close()


def _loads(folders: Mapping[int, Path]) -> list[Loading]:
    return [_load(rules, folder) for rules, folder in folders.items()]


def _load(rules: int, folder: Path) -> Loading:
    clock = Clock()
    whole = Evaluator(load(folder))
    total = clock.lap()
    whole.close()
    sources = {file.name: Source(str(file), file.read_text(encoding="utf-8")) for file in sorted(folder.iterdir())}
    with collector_paused():  # as `build` does
        clock.lap()
        trees: dict[str, document.Node] = {}
        for name, source in sources.items():
            node, problems = document.read(source)
            trees[name] = _sound(node, problems)
        read = clock.lap()
        texts = {language: trees[f"texts.{language}.yaml"] for language in LANGUAGES}
        ruleset = _sound(*parse(trees[MAIN], texts))
        parsed = clock.lap()
        checked = _sound(*check(ruleset))
        meaning = clock.lap()
    clock.lap()
    evaluator = Evaluator(checked)
    compiled = clock.lap()
    evaluator.close()
    size = sum(file.stat().st_size for file in folder.iterdir())
    return Loading(rules, len(ruleset.questions), size, read, parsed, meaning, compiled, total)


def _middle(loads: Sequence[Loading]) -> Loading:
    names = ("read", "parse", "check", "compile", "whole")
    return replace(loads[0], **{name: median(getattr(each, name) for each in loads) for name in names})


def _evaluations(
    evaluators: Mapping[int, Evaluator], kinds: Iterable[tuple[int, int, Rest]], rounds: int
) -> tuple[Evaluating, ...]:
    """The same seeded patients in every round, one kind after the other."""
    rng = random.Random(8)
    cohorts = {kind: [patient(evaluators[kind[0]], rng, *kind[1:]) for _ in range(PATIENTS)] for kind in kinds}
    times: dict[tuple[int, int, Rest], list[float]] = {kind: [] for kind in cohorts}
    for _ in range(rounds):
        for kind, cohort in cohorts.items():
            clock = Clock()
            for each in cohort:
                evaluators[kind[0]].evaluate(each.answers)
            times[kind].append(clock.lap() / len(cohort))
    return tuple(
        Evaluating(
            *kind,
            readers=mean(readers(evaluators[kind[0]].checked.ruleset, each.asked) for each in cohort),
            seconds=median(times[kind]),
        )
        for kind, cohort in cohorts.items()
    )


class Clock:
    """Seconds between one lap and the next."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        now = time.perf_counter()
        taken, self._last = now - self._last, now
        return taken


T = TypeVar("T")


def _sound(made: T | None, problems: Iterable[Problem]) -> T:
    """What was made of a text; a problem in it is a fault of this generator."""
    errors = Problems(problems)
    if made is None or errors:
        raise AssertionError(errors.render())
    return made


def loading(measured: Large) -> Table:
    """The loads as a table: the time of every stage in milliseconds."""
    rows = tuple(
        (
            f"{each.rules:,}",
            f"{each.questions:,}",
            f"{each.size / 1e6:.2f}",
            *(f"{1e3 * part:,.0f}" for part in (each.read, each.parse, each.check, each.compile, each.whole)),
        )
        for each in measured.loads
    )
    head = ("rules", "questions", "MB", "read", "parse", "check", "compile", "whole")
    return Table("loading large rulesets", head, rows, "Milliseconds, medians; the whole is timed by itself.")


def evaluating(title: str, measured: Sequence[Evaluating]) -> Table:
    """Evaluations as a table, in microseconds."""
    rows = tuple(
        (f"{it.rules:,}", f"{it.given}", it.rest.value, f"{it.readers:,.0f}", f"{1e6 * it.seconds:,.0f}")
        for it in measured
    )
    head = ("rules", "answers given", "the others", "rules that read them", "microseconds")
    return Table(title, head, rows, "Both evaluators on, without explanation; medians.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="rules")
    parser.add_argument("--keep", type=Path, help="a folder to write the rulesets to")
    options = parser.parse_args()
    if options.keep is not None:
        for rules in options.sizes:
            folder = options.keep / str(rules)
            folder.mkdir(parents=True, exist_ok=True)
            write_ruleset(folder, rules)
        return
    measured, console = measure(options.rounds, options.sizes), Console()
    console.print(loading(measured).printed())
    console.print(evaluating("evaluations against rules", measured.by_rules).printed())
    console.print(evaluating("evaluations against answers", measured.by_answers).printed())


if __name__ == "__main__":
    main()
