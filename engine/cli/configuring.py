"""The command about settings: print the reference of them all, or check a file before a server is started with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.terminal import INVALID, complain


def configuration(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Settings (TOML) to check instead.")] = None,
) -> None:
    """Print every setting of a server with its default, as Markdown; or check a file of settings. 2: it has faults.

    Only the settings are checked: whether certificates, keys and rulesets are there and fit is seen at the start.
    """
    from engine.serve.config import ConfigError
    from engine.serve.configuring import read_config
    from engine.serve.reference import reference

    if file is None:
        typer.echo(reference(), nl=False)
        return
    try:
        read_config(file, {})
    except ConfigError as error:
        complain(str(error))
        raise typer.Exit(INVALID) from None
    typer.echo(f"{file}: the settings can be used")
