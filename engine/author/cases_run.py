"""Which of the authors' cases are run, and what came of them: one Suite for each ruleset, whatever the report.

Everything is read before anything is run, so that a pattern or a tag that fits no case is told and not passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from engine.decide.cases import CaseResult, run_cases
from engine.decide.evaluate import Evaluator
from engine.errors import PluisError, RulesetError
from engine.rules.cases import Case
from engine.rules.load import CASES, load, load_cases
from engine.rules.model import CheckedRuleset
from engine.rules.suggest import did_you_mean, one_of

EXCLUDES = "!"
"""Before a tag: the cases that have it are left out."""


class NothingSelected(PluisError):
    """A pattern, tag or language fits no case, or all of them together do not."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which cases are meant. Several patterns, or several tags, widen; patterns, tags and language narrow each other.

    `patterns` are shell patterns for ids; a tag after `!` leaves cases out. With `language` the cases that are frozen
    in another one are left out.
    """

    patterns: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    language: str = ""

    def takes(self, case: Case) -> bool:
        """Whether a case is meant.

        >>> case = Case("A1", tags=("hard",))
        >>> Selection(tags=("hard", "!found")).takes(case), Selection(tags=("!hard",)).takes(case)
        (True, False)
        """
        wanted = {tag for tag in self.tags if not tag.startswith(EXCLUDES)}
        return (
            (not self.patterns or any(fnmatchcase(case.id, pattern) for pattern in self.patterns))
            and (not wanted or not wanted.isdisjoint(case.tags))
            and not any(EXCLUDES + tag in self.tags for tag in case.tags)
            and self.language in ("", case.language or self.language)
        )

    def misses(self, cases: Sequence[Case], languages: Iterable[str]) -> Iterator[str]:
        """What fits no case at all: most likely a slip, whatever else was asked for."""
        ids = [case.id for case in cases]
        for pattern in self.patterns:
            if not any(fnmatchcase(name, pattern) for name in ids):
                yield _told(f"no case has an id like `{pattern}`", did_you_mean(pattern, ids))
        tags = sorted({tag for case in cases for tag in case.tags})
        for tag in (each.removeprefix(EXCLUDES) for each in self.tags):
            if tag not in tags:
                yield _told(f"no case has the tag `{tag}`", one_of(tag, tags))
        if self.language and self.language not in (known := sorted(set(languages))):
            yield _told(f"no ruleset has the language `{self.language}`", one_of(self.language, known))


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases of one ruleset. `problems` say why they could not be run; then nothing else is known.

    `left_out` counts the cases that were not selected.
    """

    folder: Path
    checked: CheckedRuleset | None = None
    results: tuple[CaseResult, ...] = ()
    left_out: int = 0
    problems: str = ""

    @property
    def name(self) -> str:
        """The ruleset and its version; the folder while that is all there is."""
        return str(self.folder) if self.checked is None else _name(self.checked)

    @property
    def passed(self) -> int:
        return sum(result.passed for result in self.results)

    @property
    def failed(self) -> int:
        return len(self.results) - self.passed


def run_suites(folders: Iterable[Path], selection: Selection) -> Iterator[Suite]:
    """Runs the selected cases of one ruleset after another. Raises NothingSelected before anything is run."""
    read = [_read(folder) for folder in folders]
    if not any(suite.problems for suite, _ in read):
        every = [case for _, cases in read for case in cases]
        languages = [each for suite, _ in read if suite.checked for each in suite.checked.ruleset.languages]
        misses = [*selection.misses(every, languages)]
        if misses or not any(selection.takes(case) for case in every):
            raise NothingSelected("; ".join(misses) or "no case fits all that was asked for: ask for less")
    for suite, cases in read:
        yield _run(suite, cases, selection)


def _read(folder: Path) -> tuple[Suite, tuple[Case, ...]]:
    """A ruleset with its cases. Without cases nothing is known about it: a problem."""
    try:
        checked = load(folder)
        cases = load_cases(folder, checked)
    except RulesetError as error:
        return Suite(folder, problems=error.problems.render()), ()
    if not cases:
        return Suite(folder, problems=f"{folder}: error: there are no cases; write them in {CASES}"), ()
    return Suite(folder, checked), cases


def _run(suite: Suite, cases: tuple[Case, ...], selection: Selection) -> Suite:
    selected = [case for case in cases if selection.takes(case)]
    if suite.checked is None or not selected:
        return Suite(suite.folder, suite.checked, (), len(cases), suite.problems)
    evaluator = Evaluator(suite.checked)
    try:
        return Suite(suite.folder, suite.checked, run_cases(evaluator, selected), len(cases) - len(selected))
    finally:
        evaluator.close()


def _name(checked: CheckedRuleset) -> str:
    return f"{checked.ruleset.id} {checked.ruleset.version}"


def _told(message: str, help: str) -> str:
    return f"{message}: {help}" if help else message
