"""What mutation testing found, for an author at a terminal and as JSON that the handbook prints.

The JSON holds no time, no path and no patient whom the solver happened to find, so that the same ruleset and cases give
the same file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.author.layout import Page, Role
from engine.author.mutation import Fate, MutationRun, Trial
from engine.rules.model import NO, NOTHING

_INDENT = " " * 4
_DENIALS = (NO, NOTHING)


def render_run(run: MutationRun, width: int) -> Page:
    """The score, and every slip that nobody would notice, in the author's words."""
    page = Page(width)
    ruleset = run.checked.ruleset
    page.verbatim(f"{ruleset.id} {ruleset.version} ({run.folder})", Role.HEADING)
    for trial in run.survivors:
        _survivor(page, trial)
    if run.waived:
        page.heading("Waived")
        for name, waiver in run.waived.items():
            page.add(f"{name}: {waiver.reason} ({waiver.author}, until {waiver.expires})", lead="  ", indent=4)
    page.gap()
    page.add(in_short(run), Role.ALARM if run.survivors else Role.HEADING)
    return page


def in_short(run: MutationRun) -> str:
    """The run in one line."""
    told = [f"{len(run.of(Fate.KILLED))} killed by {run.cases} cases", f"{len(run.survivors)} survived"]
    for count, word in (
        (len(run.waived), "waived"),
        (len(run.of(Fate.EQUIVALENT)), "proved equivalent"),
        (len(run.of(Fate.NO_RULESET)), "not a ruleset"),
    ):
        told += [f"{count} {word}"] if count else []
    return f"{len(run.trials)} mutants: {', '.join(told)}; score {run.score:.1f} %"


def as_json(run: MutationRun) -> dict[str, Any]:
    """The run as JSON values: counts, the killer of each killed mutant, and all that is known of the others."""
    ruleset = run.checked.ruleset
    lives = [trial for trial in run.trials if trial.lives]
    return {
        "ruleset": ruleset.id,
        "version": ruleset.version,
        "digest": run.checked.digest,
        "cases": run.cases,
        "cases_digest": run.cases_digest,
        "complete": run.complete,
        "mutants": len(run.trials),
        "score": f"{run.score:.1f}",
        "counts": {fate.value: len(run.of(fate)) for fate in Fate},
        "survivors": [_entry(trial) for trial in lives if trial.mutant not in run.waived],
        "waived": [
            {
                **_entry(trial),
                "author": run.waived[trial.mutant].author,
                "reason": run.waived[trial.mutant].reason,
                "expires": run.waived[trial.mutant].expires.isoformat(),
            }
            for trial in lives
            if trial.mutant in run.waived
        ],
        "equivalent": [_entry(trial) for trial in run.of(Fate.EQUIVALENT)],
        "not_a_ruleset": {trial.mutant: trial.by for trial in run.of(Fate.NO_RULESET)},
        "killed": {trial.mutant: trial.by for trial in run.of(Fate.KILLED)},
    }


def _entry(trial: Trial) -> dict[str, Any]:
    entry: dict[str, Any] = {"mutant": trial.mutant, "owner": trial.owner, "said": trial.said, "place": trial.place}
    if trial.why:
        entry["why"] = trial.why
    if trial.claims:
        entry["claims"] = list(trial.claims)
    return entry


def _survivor(page: Page, trial: Trial) -> None:
    page.gap()
    page.add(f"nobody would notice if {trial.said}, {trial.owner}", Role.ALARM)
    page.verbatim(f"{_INDENT}{trial.place}  {trial.mutant}", Role.ASIDE)
    if trial.answers is not None:
        page.add(f"this patient would get something else: {_answers(trial.answers)}", lead=_INDENT)
    if trial.why:
        page.add(f"whether any patient would is not known: {trial.why}", lead=_INDENT)
    if trial.claims:
        page.add(f"claims that fail then: {', '.join(trial.claims)}", lead=_INDENT)


def _answers(answers: Mapping[str, str]) -> str:
    """The answers that deny nothing, and how many deny."""
    said = [f"{question}: {answer}" for question, answer in answers.items() if answer not in _DENIALS]
    denied = len(answers) - len(said)
    return ", ".join([*said, *([f"and {denied} denied"] if denied else [])])
