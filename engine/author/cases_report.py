"""What an author is told about rulesets: their problems, and of every case whether it passed or what came instead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from engine.author.layout import Page, Role
from engine.decide.cases import CaseResult, run_cases
from engine.decide.evaluate import Evaluator
from engine.errors import PluisError, RulesetError
from engine.rules.load import CASES, MAIN, discover, load, load_cases, read_ruleset
from engine.rules.problem import Problems


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


def lint_ruleset(folder: Path) -> tuple[str, Problems]:
    """Every problem of a ruleset and of its cases, as text with a line that counts them, and as they are."""
    checked, problems = read_ruleset(folder)
    if checked is not None:
        try:
            load_cases(folder, checked)
        except RulesetError as error:
            problems = Problems([*problems, *error.problems])
    count = f"{_counted(len(problems.errors), 'error')}, {_counted(len(problems.warnings), 'warning')}"
    return "\n".join(filter(None, [problems.render(), f"{folder}: {count}"])), problems


class CasesReport:
    """Runs the cases of one ruleset after another, and knows whether every one passed."""

    def __init__(self, width: int) -> None:
        self._width = width
        self.passed = 0
        self.failed = 0
        self.invalid = 0
        """Rulesets that could not be run."""

    def run(self, folder: Path) -> Page:
        """A line for each case of a ruleset, its differences below it. Without cases nothing is known: an error."""
        page = Page(self._width)
        try:
            checked = load(folder)
            cases = load_cases(folder, checked)
        except RulesetError as error:
            self.invalid += 1
            page.verbatim(error.problems.render())
            return page
        if not cases:
            self.invalid += 1
            page.verbatim(f"{folder}: error: there are no cases; write them in {CASES}", Role.ALARM)
            return page
        page.verbatim(f"{checked.ruleset.id} {checked.ruleset.version} ({folder})", Role.HEADING)
        evaluator = Evaluator(checked)
        self._add(page, run_cases(evaluator, cases))
        evaluator.rete.close()
        return page

    def total(self) -> Page:
        """How many cases passed and failed."""
        page = Page(self._width)
        page.add(f"{self.passed} passed, {self.failed} failed", Role.ALARM if self.failed else Role.HEADING)
        return page

    def _add(self, page: Page, results: Sequence[CaseResult]) -> None:
        for result in results:
            said = f"{result.case.id}  {result.case.title}".rstrip()
            if result.passed:
                self.passed += 1
                page.add(said, lead="PASS  ")
            else:
                self.failed += 1
                page.add(said, Role.ALARM, "FAIL  ")
                _why(page, result)


def _why(page: Page, result: CaseResult) -> None:
    """Where the case stands, each difference in its author's words, and the rules that were true."""
    page.verbatim(f"      {result.case.span.place}", Role.ASIDE)
    if result.error:
        page.add(f"no decision: {result.error}", lead="      ")
    column = max((len(each.key) for each in result.differences), default=0) + 2
    for each in result.differences:
        label = f"{each.key}:"
        page.add(f"expected {each.expected}", lead=f"      {label:{column}}")
        page.add(f"got      {each.got}", lead=" " * (6 + column))
    if result.outcome is not None:
        page.add(f"rules that were true: {', '.join(result.outcome.rules)}", lead="      ")
    if result.case.expect.acceptable:
        words = ", ".join(each.word for each in result.case.expect.acceptable)
        page.add(f"reviewers would also accept: {words}", Role.ASIDE, "      ")


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
