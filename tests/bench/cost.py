"""What a decision costs, counted instead of timed: the same on every machine, so that CI can tell when it grows.

    python -m tests.bench.cost             what it costs now, beside the budget
    python -m tests.bench.cost --update    makes that the budget

Counted are the instructions of Python that are executed, and the calls into the inference engine; neither hashes nor
the load of the machine change them. Each minor version of Python has instructions of its own. The budget says of which
it is; on that one a cost must be near its budget, on another only far above it is too much, and what is told says so.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from rich.console import Console

from engine.decide.evaluate import Evaluator
from engine.pb.v1 import triage_pb2 as pb
from engine.serve.calls import ANYBODY, Call
from engine.serve.config import Config
from engine.serve.registry import Registry
from engine.serve.service import TriageService
from tests.bench.asked import NAME, RULESETS, Kind, in_bytes, parted, requests
from tests.bench.results import Table
from tests.bench.stages import Endless

BUDGET = Path(__file__).with_name("cost.json")
ROOM = 0.10
"""By how much a cost may differ from its budget: upwards it got dearer, downwards the budget would let it grow back."""
ELSEWHERE = 0.50
"""By how much instructions may be more on another minor version of Python than the budget's. Newer ones need fewer."""
T = TypeVar("T")
R = TypeVar("R")
NATIVE = "durable_rules_engine"
PATIENTS = 3
"""Of each kind: few, as counting is slow."""
WARM_UP = 2
"""Others before them, that do not count: what is kept for later patients is there."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a few patients together."""

    instructions: int
    native: int
    """Calls into the inference engine."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What each piece of work may cost."""

    python: str
    """The minor version whose instructions were counted, such as `3.11`."""
    costs: dict[str, Cost]


def python() -> str:
    """The minor version that runs."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def counted(work: Callable[[T], R], these: Sequence[T]) -> tuple[Cost, list[R]]:
    """What it costs in this thread to do a piece of work to each of these, and what came of them.

    The first few do not count.
    """
    found = {"opcode": 0, "c_call": 0}

    def instruction(frame: FrameType, event: str, arg: Any) -> Any:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            found[event] += 1
        return instruction

    def call(frame: FrameType, event: str, arg: Any) -> None:
        if event == "c_call" and getattr(arg, "__module__", None) == NATIVE:
            found[event] += 1

    done = [work(each) for each in these[:WARM_UP]]
    before = sys.gettrace(), sys.getprofile()
    gc.disable()  # what others do when rubbish is collected is not to be counted
    sys.setprofile(call)
    sys.settrace(instruction)
    try:
        for each in these[WARM_UP:]:
            done.append(work(each))
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
        gc.enable()
    return Cost(found["opcode"], found["c_call"]), done


def costs() -> dict[str, Cost]:
    """What it costs to read requests of each kind, to evaluate them, and to answer them; by rulesets that are new."""
    limits = Config(rulesets=RULESETS)
    registry = Registry(RULESETS)
    service = TriageService(limits, registry)
    (served,) = (each for each in registry.current() if each.id == NAME)
    evaluator = Evaluator(served.evaluator.checked)
    call = Call(ANYBODY, "bench", Endless())
    found = {}
    for kind in Kind:
        views = parted(requests(evaluator, kind, 2 * (WARM_UP + PATIENTS)), WARM_UP + PATIENTS)
        for view, patients in zip((pb.RESPONSE_VIEW_BASIC, pb.RESPONSE_VIEW_FULL), views, strict=True):
            name = pb.ResponseView.Name(view).rpartition("_")[2].lower()
            read, asked = counted(service.ask, [in_bytes(each, view) for each in patients])
            answers = [each.read(served, limits, served.languages[0]) for each in asked]
            found[f"{kind}, {name}: read"] = read
            found[f"{kind}, {name}: evaluate"], _ = counted(evaluator.evaluate, answers)
            found[f"{kind}, {name}: reply"], _ = counted(lambda each: service.reply(each, call), asked)
    return found


# ---- the budget ----


def budget() -> Budget:
    """The one that is kept beside this file."""
    kept = json.loads(BUDGET.read_text(encoding="utf-8"))
    return Budget(kept["python"], {name: Cost(**each) for name, each in kept["costs"].items()})


def written(kept: Budget) -> str:
    """As it is kept."""
    return json.dumps(asdict(kept), indent=1) + "\n"


def differences(found: Budget, kept: Budget) -> list[str]:
    """What costs more than its budget, or on the same Python so much less that the budget should follow."""
    told = [f"{name}: not in both, budget and count" for name in found.costs.keys() ^ kept.costs.keys()]
    for name in found.costs.keys() & kept.costs.keys():
        now, allowed = found.costs[name], kept.costs[name]
        if abs(now.native - allowed.native) > ROOM * allowed.native:
            told.append(f"{name}: {now.native:,} calls into the engine, the budget has {allowed.native:,}")
        most, least = (1 + ROOM, 1 - ROOM) if found.python == kept.python else (1 + ELSEWHERE, 0.0)
        if not least * allowed.instructions <= now.instructions <= most * allowed.instructions:
            told.append(
                f"{name}: {now.instructions:,} instructions of Python {found.python}, "
                f"the budget has {allowed.instructions:,} of Python {kept.python}"
            )
    return sorted(told)


def table(found: Budget, kept: Budget) -> Table:
    """What it costs now, and what it may."""
    rows = []
    for name, now in found.costs.items():
        allowed = kept.costs.get(name)
        beside = ("-", "-") if allowed is None else (f"{allowed.instructions:,}", f"{allowed.native:,}")
        rows.append((name, f"{now.instructions:,}", beside[0], f"{now.native:,}", beside[1]))
    head = ("work", f"instructions, Python {found.python}", f"budget, Python {kept.python}", "engine calls", "budget")
    return Table(f"what {PATIENTS} patients of a kind cost", head, tuple(rows))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="what it costs now becomes the budget")
    options = parser.parse_args()
    found = Budget(python(), costs())
    if options.update:
        BUDGET.write_text(written(found), encoding="utf-8")
    kept = budget()
    Console().print(table(found, kept).printed())
    told = differences(found, kept)
    print(*told, sep="\n")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
