"""Which release is active, and everything that changes it: the start, the folder, a signal, an operator, a rollback.

One thread does one change after the other, so that two never mix; the supervisor's loop goes on meanwhile. What is
asked for while a reload is under way waits, and reloads that wait become one.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from engine.errors import PluisError
from engine.record.entry import RulesetKey
from engine.serve.config import Config
from engine.serve.fleet.messages import Answer, Refused, Reload, Rollback
from engine.serve.operations import OperationRefused, ProblemTold, ReleaseTold, Reloaded
from engine.serve.releases.gate import GateReport, gate_in_process
from engine.serve.releases.release import LoadProblem, Release, ReleaseStore
from engine.serve.releases.watching import Watcher
from engine.serve.telemetry.metrics import Metrics

LOG = logging.getLogger("pluis.server")
CHECKING = 100.0
"""Seconds that the check of a folder may take: all cases of all versions."""
LOOKS = 1.0
"""Seconds between looks at what is active; the folder has its own pace."""
MOST, LONGEST = 20, 500
"""Problems, and characters of each, that are told to callers; the log has all of them."""


class Workers(Protocol):
    """Those who take a release up; asked in the thread of the changes."""

    def load(self, release: str) -> str:
        """Lets all load a release, and says what is in its way; empty when nothing is."""

    def swap(self, release: str) -> None:
        """Lets all serve what they loaded."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is active, what can be gone back to (ids, the latest first), and what the last reload found."""

    release: ReleaseTold
    earlier: tuple[str, ...]
    problems: tuple[ProblemTold, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """The folder of rulesets has changed: it is read again, and nothing that is held back is let go."""


@dataclass(frozen=True, slots=True)
class Activated:
    """Somebody activated another release on disk."""

    release: str


@dataclass(frozen=True, slots=True)
class _Change:
    """What is to be done, and who wants to know."""

    what: Reload | Rollback | Changed | Activated
    answers: tuple[Callable[[Answer], None], ...] = ()


class Changes:
    """The thread. `begun` gets the release to begin with, or in words why there is none."""

    def __init__(
        self, config: Config, workers: Workers, metrics: Metrics, begun: Callable[[Release | str], None]
    ) -> None:
        self._config = config
        self._workers = workers
        self._metrics = metrics
        self._begun = begun
        self._store = ReleaseStore(config.state)
        self._watcher = Watcher(config.rulesets, config.watch)
        self._wanted: queue.SimpleQueue[_Change] = queue.SimpleQueue()
        self._ends = False
        self._unfit = ""
        """A release that somebody activated on disk, and that the workers did not take up."""
        self.standing: Standing | None = None
        """How things are; None before the start."""

    def start(self) -> None:
        """Begins; the thread ends with the process at the latest."""
        threading.Thread(target=self._run, name="changes", daemon=True).start()

    def end(self) -> None:
        """Begins no further change, and ends the thread when it is done with the one before."""
        self._ends = True

    def ask(self, what: Reload | Rollback, answer: Callable[[Answer], None] = lambda answer: None) -> None:
        """A person wants a change; `answer` is told in the thread."""
        self._wanted.put(_Change(what, (answer,)))

    def _run(self) -> None:
        try:
            first = self._first()
        except Exception as error:
            first = _why(error)
        self._begun(first)
        while not isinstance(first, str) and not self._ends:
            for change in self._next():
                answer = self._answer(change)
                for each in change.answers:
                    each(answer)

    def _first(self) -> Release | str:
        report = self._checked()
        if report.serving is None:
            problems = "; ".join(f"{each.source}: {each.message}" for each in report.problems)
            return f"no ruleset below `{self._config.rulesets}` can be served: {problems}"
        if report.changed:
            self._store.activate(report.serving.id)
        self._stands(report.serving, report.problems)
        return report.serving

    def _next(self) -> tuple[_Change, ...]:
        """What is to be done now; after a while nothing, or what a look at the disk shows."""
        try:
            wanted = [self._wanted.get(timeout=LOOKS)]
        except queue.Empty:
            return self._look()
        while not self._wanted.empty():
            wanted.append(self._wanted.get())
        reloads = [each for each in wanted if each.what == Reload()]
        others = [each for each in wanted if each.what != Reload()]
        answers = tuple(answer for each in reloads for answer in each.answers)
        return (*others, *([_Change(Reload(), answers)] if reloads else []))

    def _look(self) -> tuple[_Change, ...]:
        try:
            active = self._store.active().active
        except PluisError as error:
            if self._unfit != str(error):
                LOG.error("what is active cannot be told: %s", error)
                self._unfit = str(error)
            return ()
        if active not in (self._serving.id, self._unfit):
            return (_Change(Activated(active)),)
        return (_Change(Changed()),) if self._watcher.changed() else ()

    def _answer(self, change: _Change) -> Answer:
        try:
            match change.what:
                case Reload():
                    if self._store.lift():
                        LOG.warning("somebody reloads: what was rolled back from is no longer held back")
                    return self._reload()
                case Changed():
                    return self._reload()
                case Rollback(to):
                    return self._roll_back(to)
                case Activated(release):
                    return self._follow(release)
        except Exception as error:
            LOG.error("the rulesets stay as they are: %s", _why(error))
            return Refused(_why(error)[:LONGEST])

    def _reload(self) -> Reloaded:
        report = self._checked()
        problems = report.problems
        if report.release is not None and report.release.id != self._serving.id:
            fresh = report.release
            if problem := self._take_up(fresh, lambda: self._store.activate(fresh.id)):
                problems = (LoadProblem(".", problem),)
        self._metrics.reloaded(not problems)
        return self._stands(self._serving, problems)

    def _roll_back(self, to: str) -> Reloaded:
        earlier = self._store.release(to) if to else self._store.previous()
        if earlier is None:
            raise OperationRefused("there is no earlier release to go back to")
        if earlier.id == self._serving.id:
            raise OperationRefused(f"{earlier.told} is active already")
        if problem := self._take_up(earlier, lambda: self._store.rollback(earlier.id)):
            raise OperationRefused(problem)
        return self._stands(earlier, ())

    def _follow(self, id: str) -> Reloaded:
        self._unfit = id
        activated = self._store.release(id)
        if problem := self._take_up(activated, lambda: None):
            raise OperationRefused(problem)
        return self._stands(activated, ())

    def _take_up(self, release: Release, keep: Callable[[], object]) -> str:
        """Lets all workers serve a release once all have loaded it and it is kept; or says why none of them does."""
        if problem := self._workers.load(release.id):
            problem = f"{release.told} is not taken up: {problem}"
            LOG.error("%s", problem)
            return problem
        keep()
        self._workers.swap(release.id)
        self._serving, self._unfit = release, ""
        LOG.info("%s is served now", release.told)
        return ""

    def _checked(self) -> GateReport:
        report = gate_in_process(self._config, CHECKING)
        for line in report.told:
            LOG.log(logging.ERROR if report.problems else logging.WARNING, "%s", line)
        return report

    def _stands(self, release: Release, problems: Iterable[LoadProblem]) -> Reloaded:
        self._serving = release
        told = tuple(ProblemTold(each.source[:LONGEST], each.message[:LONGEST]) for each in problems)[:MOST]
        versions = tuple(RulesetKey(each.id, each.version, each.digest) for each in release.versions)
        self.standing = Standing(ReleaseTold(release.id, release.made, versions), self._store.active().previous, told)
        return Reloaded(self.standing.release, told)


def _why(error: Exception) -> str:
    """An error in words; of one that is not ours, its kind alone."""
    return str(error) if isinstance(error, PluisError) else f"an error of the program: {type(error).__name__}"
