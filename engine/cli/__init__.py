"""The `pluis` command: reads what was typed, calls, prints, and ends with an exit code that a script can rely on.

Exit codes: 0 done, 1 anything that went wrong, 2 refused or invalid, 3 answers are needed, 4 cases failed or reach too
little, 5 a new version is laxer or may be, 6 the decision log has faults. Each command imports what it needs when it
runs, so that `pluis --help` answers at once. To add one, write it beside its kin in this room, and name it in
`COMMANDS`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from traceback import walk_tb
from typing import Annotated

import typer

import engine
from engine.cli import (
    asking,
    authoring,
    comparing,
    configuring,
    measuring,
    mutating,
    operating,
    overriding,
    population,
    proving,
    records,
    rendering,
    serving,
    signing,
)
from engine.cli.terminal import FAILED, complain

COMMANDS = (
    asking.evaluate,
    asking.questionnaire,
    serving.serve,
    authoring.lint,
    authoring.fmt,
    authoring.explain,
    authoring.schema,
    authoring.test,
    measuring.coverage,
    mutating.mutate,
    proving.prove,
    comparing.diff,
    configuring.configuration,
    records.replay,
    population.batch,
    population.impact,
    population.simulate,
    rendering.render,
    signing.approve,
    signing.sign,
    signing.verify,
)


app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Runs the command and ends the process. Whatever happens, there is a message and no traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code = app(standalone_mode=False) or 0  # ends the process itself when nobody reads its output any more
    except Exception as error:
        code = _explain(error)
    sys.exit(code)


def _explain(error: Exception) -> int:
    from engine.errors import PluisError

    show = getattr(error, "show", None)
    if callable(show):  # what was typed cannot be understood
        show()
    elif isinstance(error, PluisError):
        complain(str(error))
    elif isinstance(error, OSError):
        complain(": ".join(str(each) for each in (error.filename, error.strerror or error) if each))
    else:
        *_, (place, line) = walk_tb(error.__traceback__)
        complain(f"an error of the program: {type(error).__name__} ({Path(place.f_code.co_filename).name}:{line})")
    return FAILED


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pluis {engine.__version__}")
        raise typer.Exit


@app.callback()
def _pluis(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version and stop.")
    ] = False,
) -> None:
    """Pluis: a patient's answers in, a referral decision out."""


for _command in COMMANDS:
    app.command()(_command)
app.add_typer(signing.keys, name="keys")
records.log.command()(overriding.overrides)
app.add_typer(records.log, name="log")
app.add_typer(operating.releases, name="releases")
