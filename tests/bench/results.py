"""A table of what was measured, on the screen and in BENCHMARKS.md; and on which machine it was."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import rich.table

ENGINES = ("grpcio", "protobuf", "durable_rules")
"""Packages whose versions the measured times depend on."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; the first column names what the others tell of. The note says how to read it."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def printed(self) -> rich.table.Table:
        """For a terminal."""
        table = rich.table.Table(*self.head, title=self.title, caption=self.note or None)
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """For a page, under a heading of its own."""
        lines = [self.head, ("---",) * len(self.head), *self.rows]
        rows = "\n".join(f"| {' | '.join(each.replace('|', '/') for each in line)} |" for line in lines)
        return f"## {self.title[:1].upper()}{self.title[1:]}\n\n{rows}\n" + (f"\n{self.note}\n" if self.note else "")


def machine(others: Mapping[str, str]) -> Table:
    """What it was measured on, with the versions of other engines too; nothing that names it."""
    rows = (
        ("processor", f"{processor()}, {os.cpu_count()} cores for clients and servers together"),
        ("system", f"{platform.system()} on {platform.machine()}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        *((name, version(name)) for name in ENGINES),
        *others.items(),
    )
    return Table("the machine", ("what", "which"), rows)


def processor() -> str:
    """The model, as the system tells it."""
    told = Path("/proc/cpuinfo")
    found = (
        re.search(r"^model name\s*: (.+)$", told.read_text(encoding="utf-8"), re.MULTILINE) if told.exists() else None
    )
    return found[1] if found else platform.processor() or "unknown"
