"""What every command shares with the terminal: exit codes, options, complaints and pages."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

if TYPE_CHECKING:
    from engine.author.layout import Page

FAILED, INVALID, CASES_FAILED, LAXER, FAULTS = 1, 2, 4, 5, 6
RULESETS = Path(__file__).resolve().parent.parent.parent / "rulesets"


Rulesets = Annotated[
    Path, typer.Option(envvar="PLUIS_RULESETS", metavar="DIR", help="The folder with the rulesets.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="One line of JSON each, as the contract prints it.")]
Paths = Annotated[list[Path] | None, typer.Argument(metavar="[PATH]...", help="Folders of rulesets; all by default.")]


def complain(message: str) -> None:
    """Tells what went wrong, apart from what was asked for."""
    typer.echo(f"pluis: {message}", err=True)


@contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """A file to read; `-` is standard input."""
    if file == "-" and sys.stdin is None:
        raise OSError("standard input is closed")
    with nullcontext(sys.stdin.buffer) if file == "-" else open(file, "rb") as stream:
        yield stream


_STYLES: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "underline": True},
    "alarm": {"bold": True, "fg": "red"},
    "heading": {"bold": True},
    "aside": {"dim": True},
}


def show(page: Page) -> None:
    """A page at once; with colour only where a person reads it."""
    plain = sys.stdout is None or not sys.stdout.isatty() or os.environ.get("NO_COLOR")
    styles = {} if plain else _STYLES
    typer.echo(
        "\n".join(
            typer.style(line.text, **style) if (style := styles.get(line.role.value)) else line.text for line in page
        )
    )


def width() -> int:
    """The columns that a page may take."""
    return shutil.get_terminal_size().columns
