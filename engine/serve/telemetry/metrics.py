"""What a server counts and measures for Prometheus: every metric, its labels, and the page that has them all.

Alerts and the dashboard rely on these names; a test holds the table against what is there.

    metric                                      type       labels                               what
    pluis_calls_total                           counter    method code caller                   rpcs that ended
    pluis_call_duration_seconds                 histogram  method code                          how long they took
    pluis_calls_in_flight                       gauge      -                                    rpcs under way now
    pluis_decisions_total                       counter    ruleset version disposition outcome  decisions and floors
    pluis_programmes_total                      counter    ruleset programme outcome            their programmes
    pluis_unknown_answers_total                 counter    ruleset question                     asked, and not known
    pluis_refusals_total                        counter    reason                               left without an answer
    pluis_authentication_failures_total         counter    why                                  callers that were none
    pluis_disagreements_total                   counter    ruleset version                      the evaluators differ
    pluis_feedback_total                        counter    ruleset verdict                      accepted or overridden
    pluis_rule_feedback_total                   counter    ruleset rule verdict                 by deciding rule
    pluis_log_entries_total                     counter    -                                    made durable
    pluis_log_write_duration_seconds            histogram  -                                    until durable
    pluis_log_entries_waiting                   gauge      -                                    not durable yet
    pluis_log_trouble                           gauge      -                                    workers in trouble
    pluis_ruleset_info                          gauge      release ruleset version digest pid   1: now, 0: before
    pluis_reloads_total                         counter    result                               taken, or refused
    pluis_reload_refused                        gauge      -                                    1: the last refused
    pluis_shadow_decisions_total                counter    ruleset result                       what candidates say
    pluis_shadow_off                            gauge      -                                    workers without it
    pluis_worker_restarts_total                 counter    reason                               replaced workers
    pluis_workers                               gauge      state                                ready, and wanted
    pluis_certificate_expiry_timestamp_seconds  gauge      of                                   Unix time at its end

Labels are words of the program, of the rulesets or of the settings: never a caller's text. `digest`: its first twelve
digits; `pid`: the name of the process (`w1`, `supervisor`); `outcome`: settled | open (its floor and ceiling differ:
the `disposition` is the floor); `verdict`: accepted | overridden; `result` of a reload: taken | refused, of the
shadow as in `engine.serve.shadow.comparing`; `reason` of a refusal as in `engine.serve.errors`, of a restart as in
`Restart`; `why` as in `engine.serve.access`; `state`: ready | wanted; `of`: server | client_authorities.
"""

from __future__ import annotations

import atexit
import os
from collections import Counter as Counted
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app, values
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from engine.serve.telemetry.later import Later

if TYPE_CHECKING:
    from engine.decide.decision import Outcome

    _Decided = tuple[str, str, Outcome, Collection[str]]

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the buckets of every duration."""
DIGEST = 12
RESERVED = 1 << 20
"""Bytes that are taken on disk for each file of values when it is made. A mapped file that has to grow on a full disk
kills its process, and the decision log may fill the disk."""
KINDS = ("counter", "histogram")
App = Callable[..., Iterable[bytes]]
"""A WSGI application."""
# The library's own functions have no types.
_by_process: Callable[[Callable[[], str]], type] = values.MultiProcessValue
_mark_dead: Callable[[str, str], None] = mark_process_dead
_collect: Callable[[CollectorRegistry, str], object] = MultiProcessCollector
Metric = TypeVar("Metric", bound=MetricWrapperBase)


class Restart(Enum):
    """Why a worker was replaced."""

    CRASHED = "crashed"
    HUNG = "hung"


class Version(Protocol):
    """A version of a ruleset, as far as it is counted."""

    @property
    def id(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def digest(self) -> str: ...


class _Children(dict[tuple[str, ...], Metric], Generic[Metric]):
    """The series of one metric by their labels, each made when it is first needed. `labels` itself takes a lock."""

    def __init__(self, family: Metric) -> None:
        super().__init__()
        self._family = family

    def __missing__(self, labels: tuple[str, ...]) -> Metric:
        child = self[labels] = self._family.labels(*labels)
        return child


class Metrics:
    """The metrics of one process. Safe to share between threads.

    In a server with workers `shared_metrics` makes them; made directly they are this object's alone.
    """

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"pluis_{name}", what, labels, registry=registry)

        def gauge(name: str, what: str, mode: Any, *labels: str) -> Gauge:
            return Gauge(f"pluis_{name}", what, labels, registry=registry, multiprocess_mode=mode)

        def durations(name: str, what: str, *labels: str) -> Histogram:
            return Histogram(f"pluis_{name}", what, labels, registry=registry, buckets=SECONDS)

        self._calls = _Children(counter("calls", "rpcs that ended", "method", "code", "caller"))
        self._call_seconds = _Children(durations("call_duration_seconds", "seconds of an rpc", "method", "code"))
        self._in_flight = gauge("calls_in_flight", "rpcs under way", "livesum")
        self._decisions = _Children(
            counter("decisions", "decisions and floors", "ruleset", "version", "disposition", "outcome")
        )
        self._programmes = _Children(counter("programmes", "programmes", "ruleset", "programme", "outcome"))
        self._unknown = _Children(counter("unknown_answers", "answers `unknown`", "ruleset", "question"))
        self._decided: Later[_Decided] = Later(self._count_decided)
        self._refusals = _Children(counter("refusals", "requests without an answer", "reason"))
        self._strangers = _Children(counter("authentication_failures", "calls that showed nobody", "why"))
        self._disagreements = _Children(
            counter("disagreements", "decisions on which the evaluators differed", "ruleset", "version")
        )
        self._feedback = _Children(counter("feedback", "feedback on decisions", "ruleset", "verdict"))
        self._rule_feedback = _Children(
            counter("rule_feedback", "feedback by deciding rules", "ruleset", "rule", "verdict")
        )
        self._entries = counter("log_entries", "entries of the decision log")
        self._log_seconds = durations("log_write_duration_seconds", "seconds until an entry was durable")
        self._waiting = gauge("log_entries_waiting", "entries that are not durable yet", "livesum")
        self._trouble = gauge("log_trouble", "workers that cannot record decisions", "livesum")
        self._served = _Children(
            gauge("ruleset_info", "1: served", "liveall", "release", "ruleset", "version", "digest")
        )
        self._reloads = _Children(counter("reloads", "reloads of the rulesets", "result"))
        self._refused = gauge("reload_refused", "1: the last reload was refused", "livemax")
        self._shadow = _Children(counter("shadow_decisions", "candidates against what is served", "ruleset", "result"))
        self._shadow_off = gauge("shadow_off", "workers that lost their shadow", "livesum")
        self._restarts = _Children(counter("worker_restarts", "workers that were replaced", "reason"))
        self._workers = _Children(gauge("workers", "workers", "livemax", "state"))
        self._expiry = _Children(
            gauge("certificate_expiry_timestamp_seconds", "Unix time at which it expires", "livemin", "of")
        )

    def app(self) -> App:
        """The page of these metrics alone, as a WSGI application."""
        application: App = make_wsgi_app(self._registry)

        def page(*request: Any) -> Iterable[bytes]:
            self.flush()
            return application(*request)

        return page

    def flush(self) -> None:
        """Counts what waits to be counted: to be called when the process ends."""
        self._decided.flush()

    # ---- calls ----

    def call_began(self) -> None:
        """An rpc is under way; `call` says how it ended. Each takes one of the other."""
        self._in_flight.inc()

    def call(self, method: str, code: str, seconds: float, caller: str) -> None:
        """An rpc ended. `caller`: the name from the settings, empty where nobody was let in or nobody has names."""
        self._in_flight.dec()
        self._calls[method, code, caller].inc()
        self._call_seconds[method, code].observe(seconds)

    def decided(self, ruleset: str, version: str, outcome: Outcome, unknown: Collection[str]) -> None:
        """A new decision, or a floor while answers are needed. `unknown`: the questions that were answered so."""
        self._decided.add((ruleset, version, outcome, unknown))

    def _count_decided(self, seen: Sequence[_Decided]) -> None:
        outcomes = Counted((ruleset, version, outcome) for ruleset, version, outcome, _ in seen)
        for (ruleset, version, outcome), number in outcomes.items():
            settled = "settled" if outcome.settled else "open"
            self._decisions[ruleset, version, outcome.floor.word, settled].inc(number)
            programme = outcome.programme
            self._programmes[ruleset, programme.choice.word, "open" if programme.open else "settled"].inc(number)
        unknown: defaultdict[str, Counted[str]] = defaultdict(Counted)
        for ruleset, _, _, questions in seen:
            unknown[ruleset].update(questions)
        for ruleset, numbers in unknown.items():
            for question, number in numbers.items():
                self._unknown[ruleset, question].inc(number)

    def refused(self, reason: str) -> None:
        """A request got no answer: the call, or its place in a batch. `reason` as callers get it."""
        self._refusals[reason,].inc()

    def unauthenticated(self, why: str) -> None:
        """A call did not show who makes it; the caller does not learn `why`."""
        self._strangers[why,].inc()

    def disagreed(self, ruleset: str, version: str) -> None:
        """The two evaluators differed, so there was no decision."""
        self._disagreements[ruleset, version].inc()

    def feedback(self, ruleset: str, verdict: str, rules: Iterable[str]) -> None:
        """Feedback on a decision. `rules`: those that made its disposition; none where it cannot be read any more."""
        self._feedback[ruleset, verdict].inc()
        for rule in rules:
            self._rule_feedback[ruleset, rule, verdict].inc()

    # ---- the decision log ----

    def log_waiting(self, entries: int) -> None:
        """So many entries more wait to become durable; below zero: fewer."""
        self._waiting.inc(entries)

    def log_written(self, seconds: float, entries: int) -> None:
        """Entries are durable, so long after they were handed over."""
        self._log_seconds.observe(seconds)
        self._entries.inc(entries)

    def log_trouble(self, trouble: bool) -> None:
        """Whether this worker cannot record decisions."""
        self._trouble.set(trouble)

    # ---- rulesets ----

    def serving(self, release: str, versions: Iterable[Version]) -> None:
        """From now on these versions are served, and no others."""
        for served in self._served.values():
            served.set(0)  # a series of a file that processes share cannot be taken out
        for each in versions:
            self._served[release, each.id, each.version, each.digest[:DIGEST]].set(1)
            # INVARIANT: what an alert waits for is there at 0 before it happens: to come at 1 is no increase
            _ = self._disagreements[each.id, each.version]

    def reloaded(self, taken: bool) -> None:
        """A reload was taken, or refused while the release before stays."""
        self._reloads["taken" if taken else "refused",].inc()
        self._refused.set(not taken)

    def shadowed(self, ruleset: str, result: str, number: int = 1) -> None:
        """A candidate decided for itself, or was not asked; `result` is one of few words."""
        self._shadow[ruleset, result].inc(number)

    def shadow_off(self, off: bool) -> None:
        """Whether this worker's shadow was switched off."""
        self._shadow_off.set(off)

    # ---- processes ----

    def foresee(self, reasons: Iterable[str]) -> None:
        """Series at 0 for every reason of a refusal, so that the first one counts as an increase."""
        for reason in reasons:
            _ = self._refusals[reason,]

    def supervising(self) -> None:
        """The same for what a supervisor counts."""
        for why in Restart:
            _ = self._restarts[why.value,]
        for result in ("taken", "refused"):
            _ = self._reloads[result,]

    def worker_restarted(self, reason: Restart) -> None:
        """A worker was replaced."""
        self._restarts[reason.value,].inc()

    def workers(self, ready: int, wanted: int) -> None:
        """How many workers answer, and how many there should be."""
        self._workers["ready",].set(ready)
        self._workers["wanted",].set(wanted)

    def certificate(self, of: str, expiry: float) -> None:
        """When a certificate expires, in seconds since 1970: `server`, or the first of `client_authorities`."""
        self._expiry[of,].set(expiry)


def clear_metrics(folder: Path) -> None:
    """Makes the folder that the processes of a server share, empty. For the supervisor, before anything counts."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in folder.glob("*.db"):
        each.unlink()


def shared_metrics(folder: Path, process: str) -> Metrics:
    """The metrics of one of several processes; `process` is its name, without underscores: `w1`, `supervisor`.

    Once in a process. A process that replaces another has its name and goes on with its counters, so that there are
    never more files than processes. Raises OSError where the folder cannot be written.
    """
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    forget_process(folder, process)
    for kind in KINDS:
        with (folder / f"{kind}_{process}.db").open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, RESERVED)
    values.ValueClass = _by_process(lambda: process)
    metrics = Metrics()
    atexit.register(metrics.flush)
    return metrics


def forget_process(folder: Path, process: str) -> None:
    """Takes out what a process that is dead said of its present state; what it counted stays."""
    _mark_dead(process, str(folder))


def shared_app(folder: Path) -> App:
    """The page with the metrics of all processes together, as a WSGI application."""
    registry = CollectorRegistry()
    _collect(registry, str(folder))
    application: App = make_wsgi_app(registry)
    return application
