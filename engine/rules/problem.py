"""Something wrong in a text, with its place and its remedy; and all problems together, as an author reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from engine.rules.codes import Code
from engine.rules.source import Span

LIMIT = 100
"""How many problems are kept: nobody reads more, and a broken file must not flood a log."""

WIDEST = 400
"""Longer lines are not shown, and longer messages are cut."""


class Severity(Enum):
    """An error means that there is no ruleset; a warning leaves the choice to the author."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong. `message` and `help` are one line each, without a final period."""

    code: Code
    severity: Severity
    span: Span
    message: str
    help: str = ""

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def render(self) -> str:
        """The problem as the terminal shows it, without a final line break.

        >>> from engine.rules.source import Source
        >>> span = Span(Source("a.yaml", "fever: yess"), 1, 8, 1, 12)
        >>> print(error("unknown-option", span, "no option `yess`", "write `yes`").render())
        a.yaml:1:8: error[unknown-option]: no option `yess`
            1 | fever: yess
              |        ^^^^
           help: write `yes`
        """
        lines = [f"{self.span.place}: {self.severity.value}[{self.code}]: {self.message}"]
        if 0 < len(self.span.source.line(self.span.line)) <= WIDEST:
            lines.append(self.span.excerpt())
        if self.help:
            lines.append(f"   help: {self.help}")
        return "\n".join(lines)


def error(code: Code, span: Span, message: str, help: str = "") -> Problem:
    """A problem that leaves no ruleset."""
    return Problem(code, Severity.ERROR, span, _one_line(message), _one_line(help))


def warning(code: Code, span: Span, message: str, help: str = "") -> Problem:
    """A problem that an author may leave as it is."""
    return Problem(code, Severity.WARNING, span, _one_line(message), _one_line(help))


def _one_line(text: str) -> str:
    """An author's text can have many lines and any length; a message has one line."""
    line = " ".join(text.split())
    return line if len(line) <= WIDEST else f"{line[: WIDEST - 3]}..."


def _order(problem: Problem) -> tuple[str, int, int, str, str]:
    return (problem.span.source.name, problem.span.line, problem.span.column, problem.code, problem.message)


class Problems:
    """All problems of a text: sorted by place, without repetitions, at most `LIMIT` (errors go before warnings).

    True in a condition when there is at least one error; iterating gives errors and warnings.
    """

    __slots__ = ("_kept", "left_out")

    def __init__(self, found: Iterable[Problem] = ()) -> None:
        distinct: dict[tuple[str, int, int, str, str], Problem] = {}
        for problem in found:
            distinct.setdefault(_order(problem), problem)
        ranked = sorted(distinct.values(), key=lambda problem: (not problem.is_error, _order(problem)))
        self._kept: tuple[Problem, ...] = tuple(sorted(ranked[:LIMIT], key=_order))
        self.left_out: int = len(ranked) - len(self._kept)

    def __bool__(self) -> bool:
        return any(problem.is_error for problem in self._kept)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._kept)

    def __repr__(self) -> str:
        return f"Problems({', '.join(f'{problem.span.place} {problem.code}' for problem in self._kept)})"

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self._kept if problem.is_error)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self._kept if not problem.is_error)

    def render(self) -> str:
        """Every problem below the other, and how many were left out; empty when there is none."""
        parts = [problem.render() for problem in self._kept]
        if self.left_out:
            parts.append(f"{self.left_out} more were left out")
        return "\n".join(parts)
