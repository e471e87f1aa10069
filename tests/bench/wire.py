"""How much of what gRPC allows is left when a decision is made? Evaluate against an echo, both asked the same.

The server stands beside an echo with the same threads and options, each in a process of its own; log off, access lines
on. No patient is asked twice. Every round asks both the same, in turns, and the ratio is taken within the round: of
calls a second, and of the servers' processor time for a call, which other programmes on the machine disturb less.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from rich.console import Console

from engine.decide.evaluate import Evaluator
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.load import load
from engine.serve.config import LOG_OFF, Config
from engine.serve.registry import Registry
from engine.serve.server import build_server
from engine.serve.telemetry.lines import set_up_lines
from tests.bench.asked import (
    EVALUATE,
    NAME,
    RULESETS,
    Kind,
    Ratio,
    Serving,
    answered,
    in_bytes,
    parted,
    ratios,
    requests,
    serving,
    tell,
)
from tests.bench.echo import ECHO, echoed
from tests.bench.load import CONNECTIONS, EACH, Loaded, at_once, paced
from tests.bench.results import Table

LOST = 0.01
"""The part of an answer's bytes by which another to the same may differ: a time is longer or shorter."""
EVALUATE_BATCH = "/triage.v1.TriageService/EvaluateBatch"
BASIC, FULL = pb.RESPONSE_VIEW_BASIC, pb.RESPONSE_VIEW_FULL
ASKED = (
    (Kind.TYPICAL, BASIC),
    (Kind.TYPICAL, FULL),
    (Kind.COMPLETE, BASIC),
    (Kind.COMPLETE, FULL),
    (Kind.PARTIAL, BASIC),
    (Kind.EMPTY, BASIC),
)
BATCH_OF = 100
BATCHES_AT_ONCE = 1
"""On each connection: a batch is a hundred calls, and more of them only wait."""
NOTE = f"""\
No patient comes twice; {CONNECTIONS * EACH} calls at once over {CONNECTIONS} connections, or a batch on each.
One server process, the log off, access lines to a file. The echo has the same threads and options, takes as many bytes
and answers as many; that of a batch reads the requests and builds its response of ready results. p99 at half load, each
at half of its own capacity at chance moments, typical requests in the basic view, echo = 1: {{}}."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    rounds: int
    calls: int
    """Of each server in each round."""
    batches: int
    """Calls of EvaluateBatch in a round."""
    paced: float
    """Seconds of a round at half load."""


WHOLE = Effort(rounds=9, calls=1600, batches=16, paced=3.0)
QUICK = Effort(rounds=3, calls=400, batches=8, paced=1.5)
TURNS = 4
"""In each round, so that what the machine does meanwhile falls on both."""
WARM_UP = 64
"""Calls that do not count, through a real client and at once."""


@dataclass
class Side:
    """What one server did: an entry for each round."""

    calls: list[float] = field(default_factory=list)
    """A second."""
    processor: list[float] = field(default_factory=list)
    """Seconds of its processor time for one call."""
    busy: list[float] = field(default_factory=list)
    """Of one core, by the server."""
    client: list[float] = field(default_factory=list)
    """Of one core, by the client."""


@dataclass(frozen=True, slots=True)
class Speed:
    """A server and its echo, asked the same."""

    name: str
    asked: float
    """Bytes of a message, the median."""
    answered: float
    ours: Side
    echo: Side

    @property
    def calls(self) -> Ratio:
        """Calls a second, echo = 1."""
        return ratios(self.ours.calls, self.echo.calls)

    @property
    def processor(self) -> Ratio:
        """Calls for the same processor time of the server, echo = 1."""
        return ratios(self.echo.processor, self.ours.processor)


@dataclass(frozen=True, slots=True)
class Wire:
    """All that was measured over the wire."""

    evaluate: dict[tuple[Kind, pb.ResponseView], Speed]
    batch: Speed
    p99: Ratio
    """At half of what each can do, for typical requests in the basic view; echo = 1."""


# ---- servers ----


def serve() -> None:
    """A server as `build_server` gives it, its log off; access lines go to standard error, as with `pluis serve`."""
    with tempfile.TemporaryDirectory() as state:
        config = Config(rulesets=RULESETS, port=0, log=LOG_OFF, state=Path(state), drain=0.0)
        set_up_lines(config.log_format, "bench")
        server = build_server(config, Registry(RULESETS))
        server.start()
        tell(server.port)
        server.stop()


@contextmanager
def beside(*echo: str) -> Iterator[tuple[Serving, Serving]]:
    """Ours, and an echo."""
    with serving("tests.bench.wire", "evaluate") as ours, serving("tests.bench.echo", *echo) as other:
        yield ours, other


# ---- measuring ----


def warm_up(port: int, method: str, messages: Sequence[bytes]) -> list[bytes]:
    """Asks through a real client, which raises where a call fails; and again at once, which must give the same."""
    answers = [answered(port, method, each) for each in messages]
    sizes = at_once(port, method, messages, each=1).sizes
    for answer, size in zip(answers, sizes, strict=True):
        assert abs(len(answer) - size) <= LOST * len(answer), "what the load got is not what a real client gets"
    return answers


def speed(
    name: str, method: str, servers: tuple[Serving, Serving], rounds: Sequence[Sequence[bytes]], each: int
) -> Speed:
    """Asks ours and the echo in turns, so many calls at once on a connection; a list of messages for each round."""
    sides = (Side(), Side())
    sizes: list[int] = []
    for messages in rounds:
        done: tuple[list[Loaded], list[Loaded]] = ([], [])
        spent = [0.0, 0.0]
        length = -(-len(messages) // TURNS)
        for start in range(0, len(messages), length):
            turn = messages[start : start + length]
            before = [server.spent() for server in servers]
            done[0].append(at_once(servers[0].port, method, turn, each=each))
            same = done[0][-1].sizes
            sizes += same
            asked = turn if method == EVALUATE_BATCH else [*map(echoed, turn, same)]
            done[1].append(at_once(servers[1].port, ECHO, asked, each=each))
            for side, server in enumerate(servers):
                spent[side] += server.spent() - before[side]
        for side, found in enumerate(sides):
            took = sum(each.seconds for each in done[side])
            found.calls.append(len(messages) / took)
            found.processor.append(spent[side] / len(messages))
            found.busy.append(spent[side] / took)
            found.client.append(sum(each.spent for each in done[side]) / took)
    return Speed(name, median(len(each) for messages in rounds for each in messages), median(sizes), *sides)


def half_load(measured: Speed, evaluator: Evaluator, effort: Effort) -> Ratio:
    """The p99 of ours over that of the echo, each at half of what it can do."""
    rates = [median(side.calls) / 2 for side in (measured.ours, measured.echo)]
    ours, echo = (round(rate * effort.paced) for rate in rates)
    messages = [in_bytes(each, BASIC) for each in requests(evaluator, Kind.TYPICAL, WARM_UP + effort.rounds * ours)]
    times: tuple[list[float], list[float]] = ([], [])
    with beside("unary") as servers:
        warm_up(servers[0].port, EVALUATE, messages[:WARM_UP])
        for place in range(effort.rounds):
            turn = messages[WARM_UP + place * ours :][:ours]
            rng = random.Random(place)
            came = paced(servers[0].port, EVALUATE, turn, rates[0], rng)
            times[0].append(p99(came.times))
            same = [echoed(turn[each % ours], max(0, came.sizes[each % ours])) for each in range(echo)]
            times[1].append(p99(paced(servers[1].port, ECHO, same, rates[1], rng).times))
    return ratios(*times)


def p99(times: Sequence[float]) -> float:
    return quantiles(times, n=100)[98]


def evaluating(evaluator: Evaluator, kind: Kind, view: pb.ResponseView, effort: Effort) -> Speed:
    """Evaluate for one kind of patient and one view, by servers that have seen nobody."""
    messages = [in_bytes(each, view) for each in requests(evaluator, kind, WARM_UP + effort.rounds * effort.calls)]
    name = f"{kind}, {'full' if view == FULL else 'basic'}"
    with beside("unary") as servers:
        for answer in warm_up(servers[0].port, EVALUATE, messages[:WARM_UP]):
            assert pb.EvaluateResponse.FromString(answer).WhichOneof("outcome") in ("decision", "needs_answers")
        return speed(name, EVALUATE, servers, parted(messages[WARM_UP:], effort.calls), EACH)


def batching(evaluator: Evaluator, effort: Effort) -> Speed:
    """EvaluateBatch of typical patients, beside an echo that has a hundred results ready."""
    asked = requests(evaluator, Kind.TYPICAL, BATCH_OF * (1 + effort.rounds * effort.batches))
    for each in asked:
        each.view = BASIC
    messages = [pb.EvaluateBatchRequest(requests=each).SerializeToString() for each in parted(asked, BATCH_OF)]
    with serving("tests.bench.wire", "evaluate") as ours:
        (answer,) = warm_up(ours.port, EVALUATE_BATCH, messages[:1])
        results = pb.EvaluateBatchResponse.FromString(answer).results
        assert [each.WhichOneof("result") for each in results] == ["response"] * BATCH_OF
        with tempfile.NamedTemporaryFile() as prebuilt:
            prebuilt.write(answer)
            prebuilt.flush()
            with serving("tests.bench.echo", "batch", prebuilt.name) as echo:
                rounds = parted(messages[1:], effort.batches)
                return speed(f"batch of {BATCH_OF}, basic", EVALUATE_BATCH, (ours, echo), rounds, BATCHES_AT_ONCE)


def measure(evaluator: Evaluator, effort: Effort, console: Console) -> Wire:
    """Evaluate by kind of patient and view, at half load, and EvaluateBatch."""
    evaluate = {}
    for kind, view in ASKED:
        evaluate[kind, view] = evaluating(evaluator, kind, view, effort)
        console.print(f"over gRPC: {evaluate[kind, view].name}: {evaluate[kind, view].calls} of the echo")
    at_half = half_load(evaluate[Kind.TYPICAL, BASIC], evaluator, effort)
    console.print(f"over gRPC: p99 at half load: {at_half} times the echo's")
    batch = batching(evaluator, effort)
    console.print(f"over gRPC: {batch.name}: {batch.calls} of an echo that builds its response")
    return Wire(evaluate, batch, at_half)


def table(wire: Wire) -> Table:
    """Every kind of request, as parts of what the echo did."""
    rows = []
    for each in (*wire.evaluate.values(), wire.batch):
        rows.append(
            (
                each.name,
                f"{each.asked:,.0f} / {each.answered:,.0f}",
                str(each.calls),
                str(each.processor),
                f"{median(each.ours.busy):.2f} / {median(each.echo.busy):.2f}",
                f"{median(each.ours.client):.2f} / {median(each.echo.client):.2f}",
            )
        )
    head = (
        "request, view",
        "bytes: request / response",
        "calls a second, echo = 1",
        "calls by processor time, echo = 1",
        "cores busy: Pluis / echo",
        "cores the client takes: Pluis / echo",
    )
    return Table("calls over gRPC, against an echo of the same sizes", head, tuple(rows), NOTE.format(wire.p99))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", choices=("evaluate",), help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="a short form: few rounds")
    options = parser.parse_args()
    if options.serve:
        serve()
        return
    console = Console()
    start = time.monotonic()
    wire = measure(Evaluator(load(RULESETS / NAME)), QUICK if options.quick else WHOLE, console)
    console.print(table(wire).printed())
    console.print(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
