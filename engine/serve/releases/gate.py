"""Is this folder fit to be served? Asked in a process of its own: a candidate may crash or hang the inference engine.

The folder is copied first, and the copy is checked: what was checked is what is served, whatever happens to the folder
meanwhile. While a release is active it is all or nothing; at the very first start what can be served is. The part that
asks needs neither the engine nor gRPC.
"""

from __future__ import annotations

import logging
import math
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import PluisError
from engine.serve.config import Config
from engine.serve.releases.copying import copy_rulesets
from engine.serve.releases.release import (
    RULESETS,
    LoadProblem,
    Release,
    ReleaseFault,
    ReleaseStore,
    Version,
    content_of,
)

if TYPE_CHECKING:
    from engine.serve.registry import Served

WHOLE = "."
"""The source of a problem that is no single ruleset's."""


@dataclass(frozen=True, slots=True)
class GateReport:
    """What became of a candidate. Nothing is activated yet: that is `ReleaseStore.activate(release.id)`.

    `release`: what passed, None when it was refused. `serving`: what to serve now: what passed, or else the last good
    one; None when there is neither. `changed`: what passed is another than the active one. `notes` are for the
    operator, and in nobody's way.
    """

    release: Release | None
    serving: Release | None
    problems: tuple[LoadProblem, ...] = ()
    changed: bool = False
    notes: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """For the operator: each problem with its folder, and what is served instead."""
        lines = [*(f"{each.source}: {each.message}" for each in self.problems), *self.notes]
        if self.release is None and self.serving is None:
            lines.insert(0, "the rulesets were refused, and there is no earlier release: nothing is served")
        elif self.release is None and self.serving is not None:
            lines.insert(0, f"the rulesets were refused; {self.serving.told} stays active")
        elif self.release is not None and self.problems:
            lines.insert(0, f"the first {self.release.told} has not all that the folder has")
        return tuple(lines)


def gate(
    config: Config, store: ReleaseStore, day: date, tell: Callable[[str], None] = lambda source: None
) -> GateReport:
    """Checks the folder of rulesets in this process, and adds a release when it is fit; never raises a PluisError.

    `tell` hears of each folder before it is checked.
    """
    serving: Release | None = None
    try:
        serving = store.serving()
        with store.gating() as fresh:
            return _gate(config, store, day, fresh, serving, tell)
    except (PluisError, OSError) as error:
        return refused(_why(error), serving)


def gate_in_process(config: Config, timeout: float) -> GateReport:
    """As `gate`, today and in another process, for so many seconds at most; a crash or a hang is a problem, in words.

    The checking process ends itself soon after its time is over, also when nobody is left to end it.
    """
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe(duplex=False)
    about = WHOLE
    child = spawning.Process(target=_check, args=(config, timeout, theirs), name="pluis gate", daemon=True)
    try:
        serving = ReleaseStore(config.state).serving()
    except ReleaseFault as fault:
        return refused(str(fault))
    try:
        child.start()
    except OSError as error:
        return refused(f"the process that checks cannot be started: {_why(error)}", serving)
    theirs.close()
    ends = time.monotonic() + timeout
    try:
        while ours.poll(max(0.0, ends - time.monotonic())):
            said = ours.recv()
            if isinstance(said, GateReport):
                return said
            about = said
        why = f"the check took longer than {timeout:g} seconds and was ended"
    except (EOFError, OSError):
        child.join()
        why = f"the process that checks ended {_ended(child.exitcode)}"
    finally:
        if child.is_alive():
            child.kill()
        child.join()
        ours.close()
    return refused(why, serving, about)


def refused(why: str, serving: Release | None = None, source: str = WHOLE) -> GateReport:
    """The report of a candidate that could not be checked."""
    return GateReport(None, serving, (LoadProblem(source, why),))


def _check(config: Config, timeout: float, pipe: Connection) -> None:
    """What the other process does."""
    from engine.serve.registry import today

    # A signal that the system handles: it also ends an engine that hangs, and a check whose parent was killed.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(math.ceil(timeout) + 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; the parent decides
    logging.getLogger("pluis").addHandler(logging.NullHandler())  # all is in the report
    pipe.send(gate(config, ReleaseStore(config.state), today(), pipe.send))


def _gate(
    config: Config, store: ReleaseStore, day: date, fresh: Path, serving: Release | None, tell: Callable[[str], None]
) -> GateReport:
    from engine.rules.load import discover
    from engine.serve.registry import check_folder, gather
    from engine.serve.standing import read_trust_list

    copied = fresh / RULESETS
    left_out = copy_rulesets(config.rulesets, copied)
    source = content_of(copied)
    if source in store.saw(source).held and serving is not None:
        note = f"`{config.rulesets}` holds what was rolled back from; {serving.told} stays until somebody reloads"
        return GateReport(serving, serving, notes=(note,))
    trust, unreadable = read_trust_list(copied)
    found: list[Served | LoadProblem] = [*left_out]
    for folder in discover(copied):
        tell(folder.relative_to(copied).as_posix())
        found.append(check_folder(copied, folder, trust, config.required, day))
    snapshot = gather(found)
    served = [*snapshot]
    problems = [*snapshot.problems, *(LoadProblem(WHOLE, f"no key is trusted: {doubt}") for doubt in unreadable)]
    for each in served:
        problems += [LoadProblem(each.source, doubt) for doubt in each.standing.unreadable]
    if not served and not problems:
        problems.append(LoadProblem(WHOLE, f"there is no ruleset below `{config.rulesets}`"))
    # The operator knows the folder, and not the copy.
    problems = [LoadProblem(each.source, each.message.replace(str(copied), str(config.rulesets))) for each in problems]
    if not served or (problems and serving is not None):
        return GateReport(None, serving, tuple(problems))
    versions = [Version(each.id, each.version, each.digest, each.source) for each in served]
    release = store.add(fresh, source, versions, problems)
    notes = (*_doubts(served, day), *_differences(serving, release))
    return GateReport(release, release, tuple(problems), serving is None or serving.id != release.id, notes)


def _doubts(served: list[Served], day: date) -> Iterator[str]:
    """What was signed or certified and does not count; what cannot be read is a problem already."""
    for each in served:
        for doubt in each.standing.doubts(each.evaluator.checked, day):
            if doubt not in each.standing.unreadable:
                yield f"{each.source}: {doubt}"


def _differences(before: Release | None, after: Release) -> Iterator[str]:
    """Versions that are served no longer, and those whose content changed under the same number: a slip, perhaps."""
    now = {(each.id, each.version): each.digest for each in after.versions}
    for each in before.versions if before else ():
        digest = now.get((each.id, each.version))
        if digest is None:
            yield f"{each.id} {each.version} is served no longer: the folder has it no more"
        elif digest != each.digest:
            yield f"{each.id} {each.version} changed, and has the same version as before"


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return ": ".join(str(each) for each in (error.filename, error.strerror or "an error of the disk") if each)
    return str(error)


def _ended(code: int | None) -> str:
    """An exit code in words, such as `by SIGSEGV`."""
    if code is None or code >= 0:
        return f"with code {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"
