"""Would the cases notice a slip? Runs them on every mutant of a ruleset, and asks the prover about those that live.

Mutation is about meaning, so the direct evaluator decides alone here: that both evaluators agree is held elsewhere. A
mutant that lives is called equivalent only when the prover shows that no patient can tell it from the original.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from enum import Enum
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

from engine.author.mutants import Mutant, mutants
from engine.author.waivers import Waiver
from engine.decide.cases import run_case
from engine.decide.evaluate import Rehearsal
from engine.errors import PluisError
from engine.rules.cases import Case
from engine.rules.check import check
from engine.rules.load import CASES, load, load_cases, load_written
from engine.rules.model import CheckedRuleset
from engine.rules.suggest import one_of


class NothingToMutate(PluisError):
    """There are no cases, the cases fail on the ruleset itself, or a rule that was asked for is not there."""


class Fate(Enum):
    """What became of a mutant. UNCLEAR lives, and the prover could not say whether it differs at all."""

    KILLED = "killed"
    SURVIVED = "survived"
    UNCLEAR = "unclear"
    EQUIVALENT = "equivalent"
    NO_RULESET = "not a ruleset"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is known of two rulesets: `differ` on a patient (`answers`, in words), or never (False), or None and `why`.

    `claims` of the new one do not hold, where that was asked.
    """

    differ: bool | None
    answers: Mapping[str, str]
    why: str = ""
    claims: tuple[str, ...] = ()


class Compare(Protocol):
    """Asks whether any patient can tell two rulesets apart, within a number of seconds."""

    def __call__(self, old: CheckedRuleset, new: CheckedRuleset, budget: float) -> Comparison: ...


@dataclass(frozen=True, slots=True)
class Trial:
    """One mutant and its fate.

    `place` is its line in ruleset.yaml, `by` the first case that killed it or the first code of what check refused;
    `answers` are those of a patient whom it changes without anybody noticing; `claims` would have been refuted.
    """

    mutant: str
    owner: str
    said: str
    place: str
    fate: Fate
    by: str = ""
    answers: Mapping[str, str] | None = None
    why: str = ""
    claims: tuple[str, ...] = ()

    @property
    def lives(self) -> bool:
        return self.fate in (Fate.SURVIVED, Fate.UNCLEAR)


@dataclass(frozen=True, slots=True)
class MutationRun:
    """The trials on one ruleset. `cases_digest` is SHA-256 of the cases file as it stands.

    `complete` says that no mutant was left out.
    """

    folder: Path
    checked: CheckedRuleset
    cases: int
    cases_digest: str
    trials: tuple[Trial, ...]
    waived: Mapping[str, Waiver]
    complete: bool

    def of(self, *fates: Fate) -> tuple[Trial, ...]:
        """The trials with one of these fates."""
        return tuple(each for each in self.trials if each.fate in fates)

    @property
    def survivors(self) -> tuple[Trial, ...]:
        """Those that live and are not waived."""
        return tuple(each for each in self.trials if each.lives and each.mutant not in self.waived)

    @property
    def score(self) -> float:
        """Killed by cases, in percent of all that could be: equivalent and waived ones and non-rulesets left out."""
        killed = len(self.of(Fate.KILLED))
        counted = killed + len(self.survivors)
        return 100 * killed / counted if counted else 100.0


Progress = Callable[[int, int], None]
"""Told after each mutant: how many are done, of how many."""


def run_trials(
    folder: Path,
    rules: Sequence[str] = (),
    *,
    only: Callable[[Sequence[str]], Sequence[str]] | None = None,
    workers: int = 1,
    budget: float = 30.0,
    compare: Compare | None = None,
    progress: Progress | None = None,
) -> MutationRun:
    """Tries every mutant, or those of the named rules (findings, questions, texts ...), or those that `only` picks.

    `budget` is the prover's seconds for each mutant that lives. Raises NothingToMutate and RulesetError.
    """
    bench = _Bench(folder, compare, budget)
    names = _selected(bench, rules)
    if only is not None:
        names = only(names)
    trials: list[Trial] = []
    for trial in _tried(bench, names, workers):
        trials.append(trial)
        if progress is not None:
            progress(len(trials), len(names))
    return MutationRun(
        folder=folder,
        checked=bench.checked,
        cases=len(bench.cases),
        cases_digest=hashlib.sha256((folder / CASES).read_bytes()).hexdigest(),
        trials=tuple(trials),
        waived={},
        complete=len(names) == len(bench.mutants),
    )


def _selected(bench: _Bench, rules: Sequence[str]) -> Sequence[str]:
    owners = {name.replace(":", ".").split(".")[1] for name in bench.mutants}
    for each in rules:
        if each not in owners:
            raise NothingToMutate(f"nothing that can be changed is called `{each}`: {one_of(each, sorted(owners))}")
    return [name for name in bench.mutants if not rules or name.replace(":", ".").split(".")[1] in rules]


def _tried(bench: _Bench, names: Sequence[str], workers: int) -> Iterator[Trial]:
    """Trials in the order of the names."""
    if workers <= 1:
        yield from map(bench.trial, names)
        return
    # Started afresh, not forked: handles of the inference engine and of the solver do not survive a fork.
    setup = partial(_set_up, bench.folder, bench.compare, bench.budget)
    with ProcessPoolExecutor(workers, get_context("spawn"), setup) as pool:
        yield from pool.map(_try, names, chunksize=4)


class _Bench:
    """A ruleset, its cases and its mutants, ready for trials."""

    def __init__(self, folder: Path, compare: Compare | None, budget: float) -> None:
        self.folder, self.compare, self.budget = folder, compare, budget
        self.checked = load(folder)
        self.cases: tuple[Case, ...] = load_cases(folder, self.checked)
        if not self.cases:
            raise NothingToMutate(f"{folder}: there are no cases; write them in {CASES}")
        original = Rehearsal(self.checked)
        failed = [case.id for case in self.cases if not run_case(original, case).passed]
        if failed:
            raise NothingToMutate(f"{folder}: `{failed[0]}` fails on the ruleset itself: see `pluis test`")
        self.mutants: Mapping[str, Mutant] = {each.id: each for each in mutants(load_written(folder))}

    def trial(self, name: str) -> Trial:
        """Tries one mutant."""
        mutant = self.mutants[name]
        place = f"{Path(mutant.span.source.name).name}:{mutant.span.line}:{mutant.span.column}"
        told = partial(Trial, mutant.id, mutant.owner, mutant.said, place)
        checked, problems = check(mutant.ruleset)
        if checked is None:
            return told(Fate.NO_RULESET, problems.errors[0].code)
        rehearsal = Rehearsal(checked)
        for case in self.cases:
            if not run_case(rehearsal, case).passed:
                return told(Fate.KILLED, case.id)
        if self.compare is None:
            return told(Fate.UNCLEAR, why="the prover was not asked")
        found = self.compare(self.checked, checked, self.budget)
        if found.differ is None:
            return told(Fate.UNCLEAR, why=found.why)
        if not found.differ:
            return told(Fate.EQUIVALENT)
        return told(Fate.SURVIVED, answers=found.answers, claims=found.claims)


_AT_WORK: list[_Bench] = []
"""The one bench of a worker process, made when it starts."""


def _set_up(folder: Path, compare: Compare | None, budget: float) -> None:
    _AT_WORK.append(_Bench(folder, compare, budget))


def _try(name: str) -> Trial:
    return _AT_WORK[0].trial(name)
