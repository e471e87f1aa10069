"""Mutants that an author has decided to live with: who says so, why, and until when. Read from `mutation_waivers.yaml`.

A waiver is no verdict: it only moves a survivor out of the count, for a while and for a reason that can be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from engine.errors import RulesetError
from engine.rules import document, shape
from engine.rules.problem import Problems
from engine.rules.source import Span

WAIVERS = "mutation_waivers.yaml"
"""The file, beside a ruleset's cases."""
SHARE = 0.03
"""The largest part of the mutants that may be waived."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """One entry: `pattern` is a shell pattern for ids of mutants; it holds up to and with the day `expires`."""

    pattern: str
    author: str
    reason: str
    expires: date
    span: Span

    def covers(self, mutant: str) -> bool:
        """Whether a mutant is meant.

        >>> from engine.rules.source import NOWHERE
        >>> Waiver("rules.G04.*:up", "A", "why", date(2030, 1, 1), NOWHERE).covers("rules.G04.when.all.0:up")
        True
        """
        return fnmatchcase(mutant, self.pattern)


def load_waivers(folder: Path) -> tuple[Waiver, ...]:
    """The waivers in a ruleset's folder, none without the file; RulesetError with every problem of the file."""
    file = folder / WAIVERS
    if not file.exists():
        return ()
    source, problems = document.decode(str(file), file.read_bytes())
    node = None
    if not problems:
        node, problems = document.read(source)
    read = None
    places = {} if node is None else dict(document.places(node))
    if node is not None and not problems:
        read = shape.check_shape(shape.WaiversFile, node, places, problems)
    if read is None:
        raise RulesetError(Problems(problems))
    return tuple(
        Waiver(each.mutant, each.author, each.reason, each.expires, places["waivers", number, "mutant"])
        for number, each in enumerate(read.waivers)
    )


def waived(waivers: Iterable[Waiver], survivors: Iterable[str]) -> dict[str, Waiver]:
    """The first waiver of each survivor that has one."""
    found = {name: next((each for each in waivers if each.covers(name)), None) for name in survivors}
    return {name: waiver for name, waiver in found.items() if waiver is not None}


def faults(waivers: Sequence[Waiver], survivors: Sequence[str], mutants: int, today: date) -> Iterator[str]:
    """What is wrong with the waivers, with the place of each: expired, without a survivor, or too many in all."""
    for each in waivers:
        if each.expires < today:
            yield f"{each.span.place}: error: the waiver of `{each.pattern}` expired on {each.expires}: write a case"
        elif not any(each.covers(name) for name in survivors):
            yield f"{each.span.place}: error: no surviving mutant is like `{each.pattern}`: drop the waiver"
    count = len(waived(waivers, survivors))
    if waivers and count > SHARE * mutants:
        place = waivers[0].span.source.name
        yield f"{place}: error: {count} of {mutants} mutants are waived, more than {SHARE:.0%}: write cases for some"
