"""The command that shows what a new version of a ruleset does to patients: diff."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.proving import installed
from engine.cli.terminal import FAILED, INVALID, LAXER, complain, show, width


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The folder of the version to compare with.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The folder of the version that is new.")],
    as_json: Annotated[bool, typer.Option("--json", help="The whole comparison as one JSON document.")] = False,
    budget: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="The solver's time for all of it.")] = 120.0,
    language: Annotated[str, typer.Option(help="To tell it in; the new version's first when left out.")] = "",
) -> None:
    """Show what a new version changes for which patients: 0 nothing is laxer, 5 something is or may be, 2 invalid.

    The meaning is compared, not the text, for every possible patient. Each change comes with an example patient, whom
    both evaluators decided on by both versions. Laxer is less urgent, later, or less to watch for.
    """
    if not installed():
        raise typer.Exit(FAILED)
    from engine.errors import RulesetError
    from engine.rules.load import load

    try:
        versions = load(old), load(new)
    except RulesetError as error:
        complain(str(error))
        raise typer.Exit(INVALID) from None
    for checked in versions:
        if language and language not in checked.ruleset.texts:
            complain(f"`{checked.ruleset.id}` {checked.ruleset.version} has no texts in `{language}`")
            raise typer.Exit(FAILED)
    from engine.author.diff_report import as_json as json_of
    from engine.author.diff_report import render_diff
    from engine.prove.diff import diff as compare

    found = compare(*versions, budget)
    if as_json:
        typer.echo(json.dumps(json_of(found), ensure_ascii=False))
    else:
        show(render_diff(found, width(), language))
    raise typer.Exit(LAXER if found.laxer else 0)
