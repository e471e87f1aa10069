"""Which rulesets are served: every version below one folder, loaded, checked against its own cases, and swapped whole.

A ruleset that is broken, that fails one of its own cases, or that lacks what the server requires, is not served and
stops no other. A reload that finds any problem changes nothing: the rulesets that were served stay.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from traceback import walk_tb
from typing import Self

from engine.decide.answers import shown
from engine.decide.cases import CaseResult, run_cases
from engine.decide.evaluate import Evaluator
from engine.errors import PluisError
from engine.rules.approval import Status, TrustList
from engine.rules.load import discover, load_cases, load_texts
from engine.serve.releases.release import LoadProblem
from engine.serve.standing import Requirement, Standing, read_standing, read_trust_list

LOG = logging.getLogger("pluis.registry")
SHOWN_CASES = 5
"""How many failing cases a problem names; the others are counted."""


class NothingServed(PluisError):
    """No ruleset can be served. `problems` say why, by source."""

    def __init__(self, root: Path, problems: tuple[LoadProblem, ...]) -> None:
        told = "; ".join(f"{problem.source}: {problem.message}" for problem in problems)
        super().__init__(f"no ruleset below `{root}` can be served{': ' if told else ''}{told}")
        self.problems = problems


class NotServed(PluisError):
    """A request asks for something that is not served. `asked` names it; `available` is what there is instead."""

    def __init__(self, message: str, asked: Mapping[str, str], available: Iterable[str]) -> None:
        super().__init__(message)
        self.asked = dict(asked)
        self.available = tuple(available)


class UnknownRuleset(NotServed):
    """No ruleset has this id; `available` are the ids that are served."""


class UnknownVersion(NotServed):
    """The ruleset is served, and not in this version; `available` are its versions."""


class NotEffective(NotServed):
    """The version exists and does not count today; `available` are the versions that do."""


class UnknownLanguage(NotServed):
    """The ruleset has no texts in this language; `available` are its languages."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Served:
    """One version of a ruleset, ready to decide; `source` is its folder below the root.

    `texts` are the files that it was read from, by name: `engine.rules.load.build` makes the same ruleset of them.
    """

    evaluator: Evaluator
    source: str
    standing: Standing
    texts: Mapping[str, str]

    @property
    def id(self) -> str:
        return self.evaluator.checked.ruleset.id

    @property
    def version(self) -> str:
        return self.evaluator.checked.ruleset.version

    @property
    def digest(self) -> str:
        return self.evaluator.checked.digest

    @property
    def languages(self) -> tuple[str, ...]:
        return self.evaluator.checked.ruleset.languages

    def effective(self, today: date) -> bool:
        """Whether the version counts on this day: from the first day of its period, up to and without the last."""
        ruleset = self.evaluator.checked.ruleset
        return ruleset.effective_from <= today and (ruleset.effective_until is None or today < ruleset.effective_until)

    def status(self, today: date) -> Status:
        """How far the version is on this day."""
        return self.standing.status(self.evaluator.checked, today)

    def unmet(self, required: frozenset[Requirement], day: date) -> str:
        """What the version lacks of what is required on a day, in words; empty when it lacks nothing."""
        checked = self.evaluator.checked
        ordered = [each for each in Requirement if each in required]
        unmet = [*self.standing.unmet(checked, ordered, day)]
        return "; ".join([*unmet, *self.standing.doubts(checked, day)]) if unmet else ""

    def language(self, wanted: str) -> str:
        """The language to answer in: the one asked for, or the first when none is. Raises UnknownLanguage."""
        if not wanted:
            return self.languages[0]
        if wanted not in self.languages:
            message = f"ruleset `{self.id}` has no language `{shown(wanted)}`; it has {', '.join(self.languages)}"
            raise UnknownLanguage(message, {"ruleset": self.id, "language": wanted}, self.languages)
        return wanted


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is served at one moment. `versions` by ruleset id, the highest version first."""

    versions: Mapping[str, tuple[Served, ...]]
    problems: tuple[LoadProblem, ...] = ()

    def __iter__(self) -> Iterator[Served]:
        return (served for ruleset in sorted(self.versions) for served in self.versions[ruleset])

    def default(self, ruleset: str, today: date) -> Served | None:
        """The version that answers when none is pinned: the highest that counts today."""
        return next((served for served in self.versions.get(ruleset, ()) if served.effective(today)), None)

    def find(self, ruleset: str, version: str, today: date) -> Served:
        """The version that describes a request's ruleset: the pinned one, or the default when `version` is empty.

        Raises UnknownRuleset, UnknownVersion, or NotEffective when no version is pinned and none counts today.
        """
        versions = self.versions.get(ruleset)
        if versions is None:
            ids = sorted(self.versions)
            message = f"no ruleset `{shown(ruleset)}`; there is" if ruleset else "no ruleset is named; there is"
            message = f"{message} {', '.join(ids)}"
            raise UnknownRuleset(message, {"ruleset": ruleset}, ids)
        if not version:
            default = self.default(ruleset, today)
            if default is None:
                raise NotEffective(f"no version of ruleset `{ruleset}` is in effect", {"ruleset": ruleset}, ())
            return default
        for served in versions:
            if served.version == version:
                return served
        known = [served.version for served in versions]
        message = f"ruleset `{ruleset}` has no version `{shown(version)}`; it has {', '.join(known)}"
        raise UnknownVersion(message, {"ruleset": ruleset, "version": version}, known)

    def deciding(self, ruleset: str, version: str, today: date) -> Served:
        """As `find`, for a decision: raises NotEffective also when the pinned version does not count today."""
        served = self.find(ruleset, version, today)
        if not served.effective(today):
            period = served.evaluator.checked.ruleset
            until = f" until {period.effective_until}" if period.effective_until else ""
            message = f"version {version} of ruleset `{ruleset}` is in effect from {period.effective_from}{until} only"
            asked = {"ruleset": ruleset, "version": version, "effectiveFrom": str(period.effective_from)}
            if period.effective_until:
                asked["effectiveUntil"] = str(period.effective_until)
            others = [each.version for each in self.versions[ruleset] if each.effective(today)]
            raise NotEffective(message, asked, others)
        return served


def today() -> date:
    """The day of the machine, in UTC."""
    return datetime.now(UTC).date()


class Registry:
    """Holds the current snapshot. Safe to share between threads."""

    def __init__(
        self, root: Path, required: frozenset[Requirement] = frozenset(), today: Callable[[], date] = today
    ) -> None:
        """Loads everything below `root`. Raises NothingServed when nothing of it can be served."""
        self._begin(root, required, today, read(root, required, today()))

    @classmethod
    def of(cls, snapshot: Snapshot, root: Path, required: frozenset[Requirement], today: Callable[[], date]) -> Self:
        """A registry that begins with a snapshot which was read below `root`. Raises NothingServed when it is empty."""
        registry = cls.__new__(cls)
        registry._begin(root, required, today, snapshot)
        return registry

    def _begin(
        self, root: Path, required: frozenset[Requirement], today: Callable[[], date], snapshot: Snapshot
    ) -> None:
        self.root = root
        self.required = required
        self.today = today
        self._reloading = threading.Lock()
        self._current = snapshot
        if not snapshot.versions:
            raise NothingServed(root, snapshot.problems)

    def current(self) -> Snapshot:
        """The snapshot to answer one call from: take it once, and ask it everything."""
        return self._current

    def reload(self) -> tuple[LoadProblem, ...]:
        """Loads everything again and swaps the whole snapshot; with any problem, which it gives, the old one stays."""
        with self._reloading:
            fresh = read(self.root, self.required, self.today())
            problems = fresh.problems
            if not fresh.versions and not problems:
                problems = (LoadProblem(".", "there is no ruleset left"),)
            if problems:
                LOG.error("the rulesets were not reloaded, those before stay: %d problems", len(problems))
                _retire(fresh)
            else:
                self._swap(fresh)
            return problems

    def swap(self, fresh: Snapshot) -> None:
        """Answers from this snapshot from now on. Raises NothingServed when it is empty: then the old one stays."""
        if not fresh.versions:
            raise NothingServed(self.root, fresh.problems)
        with self._reloading:
            self._swap(fresh)

    def _swap(self, fresh: Snapshot) -> None:
        retired, self._current = self._current, fresh
        _retire(retired)


def _retire(snapshot: Snapshot) -> None:
    """Frees the engine's memory. A call in flight may still hold the snapshot: its engine then loads itself again."""
    for served in snapshot:
        served.evaluator.rete.close()


def read(root: Path, required: frozenset[Requirement], day: date) -> Snapshot:
    """Every version below `root` that can be served on a day, and why the others cannot."""
    trust, unreadable = read_trust_list(root)
    for doubt in unreadable:
        LOG.error("no key is trusted: %s", doubt)
    found = []
    for folder in discover(root):
        loaded = check_folder(root, folder, trust, required, day)
        if isinstance(loaded, Served):  # what was signed or certified and does not count
            for doubt in loaded.standing.doubts(loaded.evaluator.checked, day):
                LOG.warning("%s: %s", loaded.source, doubt)
        found.append(loaded)
    snapshot = gather(found)
    for problem in snapshot.problems:
        LOG.error("%s is not served: %s", problem.source, problem.message)
    return snapshot


def check_folder(
    root: Path, folder: Path, trust: TrustList, required: frozenset[Requirement], day: date
) -> Served | LoadProblem:
    """The version in a folder, if it passes its own cases and has what is required; never raises."""
    source = folder.relative_to(root).as_posix()
    try:
        served = load_version(root, folder, trust)
        try:
            wrong = _failed(served, folder) or served.unmet(required, day)
        except BaseException:
            served.evaluator.rete.close()
            raise
    except PluisError as error:
        return LoadProblem(source, str(error))
    except Exception as error:  # whatever one folder does, the others are served
        *_, (place, line) = walk_tb(error.__traceback__)
        at = f"{Path(place.f_code.co_filename).name}:{line}"
        return LoadProblem(source, f"an error of the program: {type(error).__name__} ({at})")
    if not wrong:
        return served
    served.evaluator.rete.close()
    return LoadProblem(source, wrong)


def load_version(root: Path, folder: Path, trust: TrustList) -> Served:
    """The version in a folder, ready to decide; its cases are not run. Raises RulesetError or EngineError."""
    checked, texts = load_texts(folder)
    return Served(Evaluator(checked), folder.relative_to(root).as_posix(), read_standing(folder, trust), texts)


def gather(found: Iterable[Served | LoadProblem]) -> Snapshot:
    """A snapshot of what was found; of one version in two folders the first."""
    versions: dict[str, list[Served]] = {}
    problems: list[LoadProblem] = []
    for each in found:
        if isinstance(each, LoadProblem):
            problems.append(each)
        elif any(each.version == other.version for other in versions.get(each.id, ())):
            each.evaluator.rete.close()
            problems.append(LoadProblem(each.source, f"`{each.id}` {each.version} stands in another folder too"))
        else:
            versions.setdefault(each.id, []).append(each)
    for served in versions.values():
        served.sort(key=lambda each: precedence(each.version), reverse=True)
    return Snapshot({ruleset: tuple(served) for ruleset, served in sorted(versions.items())}, tuple(problems))


def _failed(served: Served, folder: Path) -> str:
    """Which of its own cases a version fails, in words; empty when it passes them all. Raises PluisError."""
    cases = load_cases(folder, served.evaluator.checked)
    if not cases:  # nothing would have been checked, and silence is not a pass
        return "it has no cases, and only a ruleset that passes its own cases is served"
    failed = [result for result in run_cases(served.evaluator, cases) if not result.passed]
    return _told(failed) if failed else ""


def _told(failed: list[CaseResult]) -> str:
    """The first failing cases in words. A case is an author's example: it holds nobody's answers."""
    lines = []
    for result in failed[:SHOWN_CASES]:
        differences = [f"{each.key} is {each.got}, expected {each.expected}" for each in result.differences]
        lines.append(f"case {result.case.id}: {result.error or ', '.join(differences)}")
    more = len(failed) - len(lines)
    return "; ".join([*lines, *([f"and {more} more cases"] if more else [])])


def precedence(version: str) -> tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]:
    """What semantic versions are ordered by: numbers by value, a pre-release before its release.

    >>> sorted(["1.10.0", "1.9.0", "1.10.0-rc.2", "1.10.0-rc.11"], key=precedence)
    ['1.9.0', '1.10.0-rc.2', '1.10.0-rc.11', '1.10.0']
    """
    release, _, before = version.partition("-")
    numbers = tuple(int(part) for part in release.split("."))
    parts = before.split(".") if before else []
    identifiers = tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts)
    return numbers, not before, identifiers
