"""The command that tells how often people decided otherwise: log overrides."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from engine.cli.opening import OUR_LOG, LogKeys, Since, Until, Where, counted, entries, opened_log, selection
from engine.cli.terminal import show, width


def overrides(
    where: Where = OUR_LOG,
    log_keys: LogKeys = None,
    since: Since = None,
    until: Until = None,
    ruleset: Annotated[str, typer.Option(metavar="ID", help="Only decisions by this ruleset.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, a line for each rule.")] = False,
) -> None:
    """Tell for each rule how many of the decisions with feedback were overridden; small numbers are not told."""
    from engine.author.layout import Page
    from engine.record.feedback import FEWEST, override_rates

    _, store, keys = opened_log(where, log_keys)
    with store:
        feedback = entries(store, keys, selection("feedback", since, None, ""))
        decisions = entries(store, keys, selection("decision", since, until, ruleset))
        rates = override_rates(feedback, counted(decisions, "read"))
    if as_json:
        for each in rates:
            typer.echo(json.dumps(asdict(each)))
        return
    page = Page(width())
    for each in rates:
        told = f"fewer than {FEWEST} decisions with feedback"
        if each.rate is not None:
            told = f"{each.rate:.0%}: {each.overridden} of {each.decisions} overridden"
        page.add(told, lead=f"{each.ruleset} {each.rule}  ")
    if not rates:
        page.add("no feedback was recorded")
    show(page)
