"""Where does the time of a call go, and how much dearer is one kind of patient than another? By processor time.

Every stage is timed by itself over the same new patients, at places that other rooms use too. What cannot be had by
itself is a difference: *respond* is the service's reply without checking and evaluating; of what a server spent on a
call over gRPC, *gRPC* is as much as the echo spent, and *the rest* is what is left.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import TypeVar

from engine.decide.evaluate import Evaluator
from engine.pb.v1 import triage_pb2 as pb
from engine.serve.calls import ANYBODY, ENDLESS, Call
from engine.serve.config import Config
from engine.serve.registry import Registry
from engine.serve.service import TriageService
from tests.bench.asked import NAME, RULESETS, Kind, Ratio, in_bytes, parted, ratios, requests
from tests.bench.results import Table
from tests.bench.wire import Speed

LIMITS = Config(rulesets=RULESETS)
T = TypeVar("T")
R = TypeVar("R")


class Stage(StrEnum):
    """What is done for a call, in this order."""

    READ = "decode and read"
    CHECK = "look for contradictions"
    EVALUATE = "evaluate"
    RESPOND = "respond, digest and serialise"
    GRPC = "gRPC, as the echo"
    REST = "the rest of the call"


INSIDE = (Stage.READ, Stage.CHECK, Stage.EVALUATE, Stage.RESPOND)
"""What is timed in process."""


@dataclass(frozen=True, slots=True)
class Stages:
    """Seconds of each stage for one call, of requests of one kind and view, one entry for each round."""

    kind: Kind
    view: pb.ResponseView
    times: Mapping[Stage, list[float]]

    def middle(self, stage: Stage) -> float:
        return max(0.0, median(self.times[stage]))


class Endless:
    """A wire on which a caller waits for ever."""

    def is_active(self) -> bool:
        return True

    def time_remaining(self) -> float:
        return ENDLESS


def timed(do: Callable[[T], R], these: Iterable[T]) -> tuple[float, list[R]]:
    """Seconds of processor time that it took for one, and what came of each."""
    every = list(these)
    start = time.process_time()
    done = [do(each) for each in every]
    return (time.process_time() - start) / len(every), done


def measure(
    evaluator: Evaluator, views: Sequence[tuple[Kind, pb.ResponseView]], patients: int, rounds: int
) -> list[Stages]:
    """So many patients of each kind in every round; the kinds take turns. The first round does not count."""
    registry = Registry(RULESETS)
    service = TriageService(LIMITS, registry)
    (served,) = (each for each in registry.current() if each.id == NAME)
    call = Call(ANYBODY, "bench", Endless())
    number = {kind: sum(kind is each for each, _ in views) for kind in Kind}
    new = {
        kind: iter(parted(requests(evaluator, kind, patients * (rounds + 1) * times), patients))
        for kind, times in number.items()
    }
    found: dict[tuple[Kind, pb.ResponseView], dict[Stage, list[float]]] = defaultdict(lambda: defaultdict(list))
    for place in range(rounds + 1):
        for kind, view in views:
            messages = [in_bytes(each, view) for each in next(new[kind])]
            read, asked = timed(service.ask, messages)
            check, answers = timed(lambda each: each.read(served, LIMITS, served.languages[0]), asked)
            evaluate, _ = timed(evaluator.evaluate, answers)
            reply, _ = timed(lambda each: service.reply(each, call), asked)
            if place == 0:
                continue
            for stage, took in zip(INSIDE, (read, check, evaluate, reply - check - evaluate), strict=True):
                found[kind, view][stage].append(took)
    return [Stages(kind, view, times) for (kind, view), times in found.items()]


def dearer(stages: Iterable[Stages]) -> dict[Kind, Ratio]:
    """The time of `Evaluator.evaluate` for each kind, the first kind = 1."""
    by_kind = {each.kind: each.times[Stage.EVALUATE] for each in reversed([*stages])}
    first = by_kind[Kind.TYPICAL]
    return {kind: ratios(by_kind[kind], first) for kind in Kind if kind in by_kind}


def table(stages: list[Stages], over_wire: Mapping[tuple[Kind, pb.ResponseView], Speed]) -> Table:
    """Each stage's share of the processor time that a server spends on a call."""
    columns = []
    for each in stages:
        speed = over_wire[each.kind, each.view]
        took = {stage: each.middle(stage) for stage in each.times}
        took[Stage.GRPC] = median(speed.echo.processor)
        took[Stage.REST] = max(0.0, median(speed.ours.processor) - sum(took.values()))
        columns.append(took)
    rows = [("evaluate, time, typical = 1", *(str(dearer(stages)[each.kind]) for each in stages))]
    rows += [(stage, *(f"{took[stage] / sum(took.values()):.0%}" for took in columns)) for stage in Stage]
    names = [over_wire[each.kind, each.view].name for each in stages]
    return Table(
        "where the time of a call goes", ("stage", *names), tuple(rows), "Of the processor time of the server."
    )
