"""Commands that measure how well the authors' cases hold a ruleset: coverage."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.terminal import CASES_FAILED, INVALID, RULESETS, Paths, Rulesets, show, width

if TYPE_CHECKING:
    from engine.author.coverage import Coverage


def coverage(
    paths: Paths = None,
    rulesets: Rulesets = RULESETS,
    as_json: Annotated[bool, typer.Option("--json", help="The whole measurement as one JSON document.")] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it as one HTML page too, to read or print.")
    ] = None,
    fail_under: Annotated[
        float,
        typer.Option(metavar="PERCENT", min=0, max=100, help="End with 4 when a ruleset's cases reach less than this."),
    ] = 0,
) -> None:
    """Show which rules, branches, thresholds and texts no case reaches: 0 done, 2 invalid, 4 below --fail-under.

    The percentage is that of all kinds together, for each ruleset by itself; what only an unknown answer shows is told
    and not counted. A branch is reached when a patient's decision about the whole condition hangs on it.
    """
    from engine.author.cases_report import find_rulesets
    from engine.author.coverage import reaches
    from engine.author.coverage_html import render_page
    from engine.author.coverage_report import as_json as json_of
    from engine.author.coverage_report import render_coverage

    folders = find_rulesets(paths or [rulesets])
    found = [*_measured(folders)]
    if html is not None:
        html.write_text(render_page(found), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(json_of(found)))
    else:
        for number, (folder, each) in enumerate(found):
            if number:
                typer.echo()
            show(render_coverage(each, folder, width()))
    wanted = Decimal(str(fail_under))
    below = any(not reaches(each.total(), wanted) for _, each in found)
    raise typer.Exit(INVALID if len(found) < len(folders) else CASES_FAILED if below else 0)


def _measured(folders: Iterable[Path]) -> Iterator[tuple[Path, Coverage]]:
    """What the cases in each folder reach; the problems of one that is invalid are told, and it is passed over."""
    from engine.author.coverage_report import measure
    from engine.errors import RulesetError

    for folder in folders:
        try:
            yield folder, measure(folder)
        except RulesetError as error:
            typer.echo(error.problems.render(), err=True)
