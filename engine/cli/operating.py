"""Commands for whoever keeps a server's rulesets, also while it is down: releases list, status, rollback."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.terminal import FAILED, complain

if TYPE_CHECKING:
    from engine.serve.releases.release import ReleaseStore

releases = typer.Typer(no_args_is_help=True, help="See which rulesets a server has, and go back to earlier ones.")

State = Annotated[
    Path, typer.Option(envvar="PLUIS_STATE", metavar="DIR", help="The server's `state`; act as the user it runs as.")
]
OUR_STATE = Path("pluis-state")


@releases.command("list")
def list_(state: State = OUR_STATE) -> None:
    """List the releases that are kept, the latest first.

    `*` stands before the active one, `<` before those that can be gone back to.
    """
    store = _store(state)
    active = store.active()
    for each in store.releases():
        mark = "*" if each.id == active.active else "<" if each.id in active.previous else " "
        versions = ", ".join(f"{version.id} {version.version}" for version in each.versions)
        typer.echo(f"{mark} {each.id}  {each.made:%Y-%m-%d %H:%M:%S} UTC  {versions}")


@releases.command()
def status(state: State = OUR_STATE) -> None:
    """Tell what is active, left out and held back.

    Also what `rollback` goes back to.
    """
    store = _store(state)
    serving, previous, active = store.serving(), store.previous(), store.active()
    if serving is None:
        typer.echo("no release is active yet")
        return
    typer.echo(f"active    {serving.id}, made on {serving.made:%Y-%m-%d at %H:%M:%S} UTC")
    for each in serving.versions:
        typer.echo(f"          {each.id} {each.version}  {each.digest[:12]}  {each.folder}")
    for problem in serving.problems:
        typer.echo(f"left out  {problem.source}: {problem.message}")
    typer.echo(f"before    {previous.told if previous else 'none'}")
    if active.held:
        typer.echo("held      what was rolled back from, until the folder of rulesets changes or somebody reloads")


@releases.command()
def rollback(
    release: Annotated[
        str, typer.Argument(metavar="[RELEASE]", help="Its id, as `list` has it; the one before when left out.")
    ] = "",
    state: State = OUR_STATE,
) -> None:
    """Go back to an earlier release.

    A server that runs takes it up by itself, one that is down when it starts.
    """
    store = _store(state)
    before = store.active().active
    to = store.rollback(release)
    typer.echo(f"active now: {to.told}; before: {before or 'none'}")
    if store.active().held:
        typer.echo("what the folder of rulesets has now is held back until it changes or somebody reloads")


def _store(state: Path) -> ReleaseStore:
    from engine.serve.releases.release import ReleaseStore

    if not state.is_dir():
        complain(f"there is no folder `{state}`: give the server's with --state")
        raise typer.Exit(FAILED)
    return ReleaseStore(state)
