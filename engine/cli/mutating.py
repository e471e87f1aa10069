"""The command that tries whether a ruleset's cases would notice a slip of its author: mutate."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.terminal import CASES_FAILED, INVALID, RULESETS, Rulesets, complain, show, width


def mutate(
    path: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="The folder of a ruleset; all by default.")
    ] = None,
    rulesets: Rulesets = RULESETS,
    as_json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all that was found to a file too.")
    ] = None,
    rule: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only slips in this rule, finding, question or text.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.", show_default="one a core")] = os.cpu_count() or 1,
    fail_under: Annotated[float, typer.Option(min=0, max=100, help="The lowest score that passes, in percent.")] = 95.0,
    budget: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="The prover's time for each slip that no case notices.")
    ] = 30.0,
    claims: Annotated[
        bool, typer.Option("--claims", help="Of each slip that no case notices, tell which claims would fail.")
    ] = False,
) -> None:
    """Try every small slip in a ruleset: would a case notice? 0 enough are noticed, 4 too few, 2 invalid."""
    from engine.author.cases_report import find_rulesets
    from engine.author.equivalence import ask_claims_too, ask_prover
    from engine.author.mutation import NothingToMutate, run_trials
    from engine.author.mutation_report import as_json as json_of
    from engine.author.mutation_report import render_run
    from engine.author.waivers import faults, load_waivers, waived
    from engine.errors import RulesetError

    folders = find_rulesets([path or rulesets])
    if as_json is not None and len(folders) > 1:
        complain("--json takes one ruleset: name its folder")
        raise typer.Exit(INVALID)
    code = 0
    for folder in folders:
        try:
            waivers = load_waivers(folder)
            run = run_trials(
                folder,
                rule or (),
                workers=workers,
                budget=budget,
                compare=ask_claims_too if claims else ask_prover,
                progress=_tell,
            )
        except (RulesetError, NothingToMutate) as error:
            complain(str(error))
            raise typer.Exit(INVALID) from None
        lives = [trial.mutant for trial in run.trials if trial.lives]
        run = replace(run, waived=waived(waivers, lives))
        show(render_run(run, width()))
        wrong = list(faults(waivers, lives, len(run.trials), date.today())) if run.complete else []
        for each in wrong:
            typer.echo(each)
        if wrong or run.score < fail_under:
            code = INVALID if wrong or code == INVALID else CASES_FAILED
        if as_json is not None:
            text = json.dumps(json_of(run), indent=1, ensure_ascii=False)
            as_json.write_text(f"{text}\n", encoding="utf-8")
    raise typer.Exit(code)


def _tell(done: int, of: int) -> None:
    """How far it is, where a person looks on."""
    if sys.stderr.isatty():
        print(f"\r{done} of {of} mutants", end="\n" if done == of else "", file=sys.stderr, flush=True)
