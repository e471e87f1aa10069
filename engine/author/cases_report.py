"""What an author is told about rulesets: their problems, and of every case whether it passed or what came instead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from pathlib import Path

from engine.author.cases_run import Suite
from engine.author.causes import Cause, why
from engine.author.layout import WIDEST, Page, Role
from engine.decide.cases import CaseResult, Difference
from engine.decide.decision import Outcome
from engine.errors import PluisError
from engine.rules.load import MAIN, discover
from engine.rules.model import Ruleset

_INDENT = " " * 6
"""Below the id of a case."""


class Detail(Enum):
    """How much is told of cases that passed: nothing, their names, or their outcomes too."""

    QUIET = "quiet"
    NORMAL = "normal"
    VERBOSE = "verbose"


class NoRuleset(PluisError):
    """There is no ruleset where an author said."""


def find_rulesets(paths: Iterable[Path]) -> list[Path]:
    """The folders of rulesets that are meant: each path itself, or those below it. Raises NoRuleset."""
    found: dict[Path, None] = {}
    for path in paths:
        folder = path.parent if path.name == MAIN else path
        below = [folder] if (folder / MAIN).exists() else discover(folder)
        if not below:
            raise NoRuleset(f"{path}: there is no ruleset here; a ruleset is a folder with {MAIN}")
        found.update(dict.fromkeys(below))
    here = Path.cwd()
    return [each.relative_to(here) if each.is_relative_to(here) else each for each in found]


def render_suite(suite: Suite, width: int, detail: Detail = Detail.NORMAL, language: str = "") -> Page:
    """The page of one ruleset: a line for each case, below a failing one what differs and why.

    Nothing for a ruleset of which no case was selected and, with Detail.QUIET, of which all passed.
    """
    page = Page(width)
    if suite.problems:
        page.verbatim(suite.problems, Role.ALARM)
    shown = [result for result in suite.results if detail is not Detail.QUIET or not result.passed]
    if suite.checked is None or not shown:
        return page
    page.verbatim(f"{suite.name} ({suite.folder})", Role.HEADING)
    for result in shown:
        said = f"{result.case.id}  {result.case.title}".rstrip()
        if result.passed:
            page.add(said, lead="PASS  ")
            if detail is Detail.VERBOSE and result.outcome is not None:
                page.add(in_short(result.outcome), Role.ASIDE, _INDENT)
        else:
            page.add(said, Role.ALARM, "FAIL  ")
            _failure(page, result, suite.checked.ruleset, language)
    return page


def render_total(suites: Sequence[Suite], width: int) -> Page:
    """How many cases passed and failed, how many were not selected, and how many rulesets could not be run."""
    page = Page(width)
    failed, left_out = sum(suite.failed for suite in suites), sum(suite.left_out for suite in suites)
    invalid = sum(bool(suite.problems) for suite in suites)
    told = [f"{sum(suite.passed for suite in suites)} passed", f"{failed} failed"]
    told += [f"{left_out} not selected"] if left_out else []
    told += [f"{_counted(invalid, 'ruleset')} not run"] if invalid else []
    page.add(", ".join(told), Role.ALARM if failed or invalid else Role.HEADING)
    return page


def failure_text(result: CaseResult, ruleset: Ruleset, language: str = "") -> str:
    """What differs in a failing case and why, as plain text for reports that are read elsewhere."""
    page = Page(WIDEST)
    _failure(page, result, ruleset, language, indent="")
    return "\n".join(line.text for line in page)


def in_short(outcome: Outcome) -> str:
    """An outcome in one line: the disposition, or between which two it is, the programme and the true rules."""
    found = f"{outcome.floor.word} to {outcome.ceiling.word}" if not outcome.settled else outcome.floor.word
    programme = "programme open" if outcome.programme.open else outcome.programme.choice.word
    return f"{found}, {programme}; rules {', '.join(outcome.rules) or 'none'}"


def difference_lines(difference: Difference) -> tuple[str, ...]:
    """A difference in the author's words: of lists only what is missing or too much."""
    lines = []
    if difference.missing:
        lines.append(f"expected, and missing: {', '.join(difference.missing)}")
    if difference.surplus:
        lines.append(f"not expected: {', '.join(difference.surplus)}")
    return tuple(lines) or (f"expected {difference.expected}", f"got      {difference.got}")


def _failure(page: Page, result: CaseResult, ruleset: Ruleset, language: str, indent: str = _INDENT) -> None:
    """Where the case stands, each difference, and the rules, rows and texts that made it."""
    page.verbatim(f"{indent}{result.case.span.place}", Role.ASIDE)
    if result.error:
        page.add(f"no decision: {result.error}", lead=indent)
    column = max((len(each.key) for each in result.differences), default=0) + 2
    for each in result.differences:
        label = f"{each.key}:"
        for number, line in enumerate(difference_lines(each)):
            page.add(line, lead=f"{indent}{'' if number else label:{column}}")
    if result.case.expect.acceptable:
        words = ", ".join(each.word for each in result.case.expect.acceptable)
        page.add(f"reviewers would also accept: {words}", Role.ASIDE, indent)
    for reason in why(ruleset, result, language):
        page.add(f"{reason.says}:", lead=indent)
        for cause in reason.causes:
            _cause(page, cause, f"{indent}  ")
        if reason.more:
            page.add(f"and {reason.more} more", lead=f"{indent}  ")


def _cause(page: Page, cause: Cause, indent: str) -> None:
    page.add(f"{cause.id} {cause.state}", lead=indent)
    if cause.about:
        page.add(cause.about, Role.ASIDE, f"{indent}    ")
    for each in cause.answers:
        origin = f" ({each.origin})" if each.origin else ""
        page.add(f"{each.question}: {each.answer}{origin}", lead=f"{indent}    - ")
    if cause.place:
        page.verbatim(f"{indent}    {cause.place}", Role.ASIDE)


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
