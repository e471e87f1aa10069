"""The command that writes the handbook: what a clinician reads and signs."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.terminal import INVALID, RULESETS, Rulesets, complain


def render(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Of a ruleset; may be left out when there is one.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the page is written.")] = Path("handbook.html"),
    language: Annotated[str, typer.Option(help="nl or en; the ruleset's first language when left out.")] = "",
    since: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="An earlier version: tell what differs in meaning.")
    ] = None,
    rulesets: Rulesets = RULESETS,
) -> None:
    """Write the handbook of a ruleset: one HTML page to read, print and sign, which needs no network. 2: it is invalid.

    It says what the ruleset says and nothing else; what was proved, covered and planted is told only where it was
    measured for exactly this content. The same files give the same page, until an approval begins or ceases to count.
    """
    from engine.author.cases_report import find_rulesets
    from engine.author.handbook.content import NoHandbook
    from engine.author.handbook.gather import read_handbook
    from engine.author.handbook.page import render_handbook
    from engine.errors import RulesetError

    found = find_rulesets([folder or rulesets])
    if len(found) != 1:
        complain(f"there are {len(found)} rulesets in {folder or rulesets}, name the folder of one")
        raise typer.Exit(INVALID)
    try:
        page = render_handbook(read_handbook(found[0], language, since, day=date.today()))
    except (RulesetError, NoHandbook) as error:
        complain(str(error))
        raise typer.Exit(INVALID) from None
    out.write_text(page, encoding="utf-8", newline="\n")
    typer.echo(str(out))
