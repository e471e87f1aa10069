"""How fast is a decision, in process, over gRPC and with the log? Ratios with their spread; `make bench` prints them.

Machines and moments differ, so nothing is asserted in seconds: what is compared runs in interleaved rounds of one run,
and the ratio is taken within each round. Patients are seeded: *complete* (every question answered), *partial* (some not
asked yet) and *empty* (nothing asked yet).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median

import grpc
from rich.console import Console
from rich.table import Table

from engine.decide.canonical import decision_digest
from engine.decide.compile import Network
from engine.decide.direct import DirectSession
from engine.decide.evaluate import Evaluator
from engine.decide.literals import Feed
from engine.decide.targets import Match
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.load import load
from engine.rules.model import CheckedRuleset
from engine.serve.config import LOG_OFF, Config
from engine.serve.convert import read_answers
from engine.serve.registry import Registry
from engine.serve.server import build_server
from tests.bench.asked import EVALUATE, NAME, PATIENCE, RULESETS, of, patients, serving
from tests.bench.log import with_log

KINDS = ("complete", "partial", "empty")
ECHO = "/echo/"
LIMITS = Config(rulesets=RULESETS)
INSIDE = ("direct", "literals", "rete certain", "rete possible")
STAGES = ("decode", "read", *INSIDE, "decide", "explain", "digest")


# ---- in process: where the time goes ----


class Clock:
    """Adds up the time of stages, in seconds."""

    def __init__(self) -> None:
        self.times: dict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.times[name] += time.perf_counter() - start

    def wrap(self, owner: object, method: str, name: str) -> None:
        """Puts a method on the clock."""
        original = getattr(owner, method)

        def timed(*args: object) -> object:
            with self.stage(name):
                return original(*args)

        setattr(owner, method, timed)


def on_the_clock(evaluator: Evaluator, clock: Clock) -> None:
    """Puts the parts of an evaluation on the clock."""
    run = evaluator.rete._run

    def match(network: Network, feed: Feed) -> Match:
        with clock.stage("rete certain"):
            certain = run(network, feed.certain)
        if feed.possible == feed.certain:
            return Match(certain, certain)
        with clock.stage("rete possible"):
            return Match(certain, run(network, feed.possible))

    setattr(evaluator.rete, "match", match)  # noqa: B010 - an instance, on purpose
    for method in ("answers", "standing"):
        clock.wrap(evaluator.compiled.inputs, method, "literals")
    clock.wrap(DirectSession, "_match", "direct")
    clock.wrap(evaluator.direct, "session", "direct")


def in_process(requests: Mapping[str, list[bytes]], rounds: int) -> Table:
    """Evaluations per second, and each stage's share of the time, by kind of patient."""
    checked = load(RULESETS / NAME)
    evaluator = Evaluator(checked)
    plain: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for kind in KINDS:
            answers = [read_answers(evaluator, pb.EvaluateRequest.FromString(each), LIMITS) for each in requests[kind]]
            start = time.perf_counter()
            for each in answers:
                evaluator.evaluate(each)
            plain[kind].append((time.perf_counter() - start) / len(answers))
    clocks = {kind: staged(checked, requests[kind]) for kind in KINDS}
    table = Table("in process", *KINDS, title="Evaluator.evaluate, and where the time of a whole call goes")
    table.add_row("evaluations per second", *(f"{1 / median(plain[kind]):,.0f}" for kind in KINDS))
    times = [
        f"{of([each / base for each, base in zip(plain[kind], plain['complete'], strict=True)])}" for kind in KINDS
    ]
    table.add_row("time, complete = 1", *times, end_section=True)
    for stage in STAGES:
        table.add_row(stage, *(f"{clocks[kind][stage] / sum(clocks[kind].values()):.0%}" for kind in KINDS))
    return table


def staged(checked: CheckedRuleset, requests: list[bytes]) -> dict[str, float]:
    """The time of every stage of a call, without gRPC and without writing the response."""
    original = DirectSession._match
    clock, evaluator = Clock(), Evaluator(checked)
    on_the_clock(evaluator, clock)
    try:
        for each in requests:
            with clock.stage("decode"):
                request = pb.EvaluateRequest.FromString(each)
            with clock.stage("read"):
                answers = read_answers(evaluator, request, LIMITS)
            with clock.stage("all"):
                evaluated = evaluator.evaluate(answers)
            with clock.stage("explain"):
                evaluated.explain()
            with clock.stage("digest"):
                decision_digest(checked, evaluated.outcome)
    finally:
        DirectSession._match = original  # type: ignore[method-assign]
    inner = sum(clock.times[stage] for stage in INSIDE)
    return {stage: clock.times.get(stage, clock.times["all"] - inner) for stage in STAGES}


# ---- over gRPC: what the decision adds to a call ----


def serve(what: str) -> None:
    """A server in a process of its own; prints its port. Ends with its standard input."""
    if what == "evaluate":
        server = build_server(Config(rulesets=RULESETS, port=0, log=LOG_OFF), Registry(RULESETS))
        server.start()
        print(server.port, flush=True)
        sys.stdin.read()
        server.stop()
        return
    echo = grpc.server(ThreadPoolExecutor(16), handlers=[Echo()])
    port = echo.add_insecure_port("127.0.0.1:0")
    echo.start()
    print(port, flush=True)
    sys.stdin.read()
    echo.stop(0).wait()


class Echo(grpc.GenericRpcHandler):
    """Answers a call to /echo/<size> with so many bytes, and does nothing else."""

    def service(self, call: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        answer = bytes(int(call.method.removeprefix(ECHO)))
        return grpc.unary_unary_rpc_method_handler(lambda request, context: answer)


@contextmanager
def channel(what: str) -> Iterator[grpc.Channel]:
    with serving("tests.bench.bench", what) as port, grpc.insecure_channel(f"127.0.0.1:{port}") as opened:
        yield opened


def over_grpc(requests: Mapping[str, list[bytes]], rounds: int) -> Table:
    """Evaluate against an echo with the same message sizes: bytes out, bytes in, so only the server's work differs."""
    table = Table("gRPC", *KINDS, title="Evaluate against an echo of the same sizes, one call after the other")
    ratios: dict[str, list[float]] = defaultdict(list)
    sizes: dict[str, str] = {}
    with channel("evaluate") as real, channel("echo") as echo:
        evaluate = real.unary_unary(EVALUATE)
        for kind in KINDS:
            responses = [len(evaluate(each, timeout=PATIENCE)) for each in requests[kind]]
            sizes[kind] = f"{median(map(len, requests[kind])):,.0f} / {median(responses):,.0f}"
            calls = [echo.unary_unary(f"{ECHO}{size}") for size in responses]
            for _ in range(rounds):
                start = time.perf_counter()
                for each in requests[kind]:
                    evaluate(each, timeout=PATIENCE)
                middle = time.perf_counter()
                for each, call in zip(requests[kind], calls, strict=True):
                    call(each, timeout=PATIENCE)
                ratios[kind].append((middle - start) / (time.perf_counter() - middle))
    table.add_row("bytes, request / response", *(sizes[kind] for kind in KINDS))
    table.add_row("time of a call, echo = 1", *(of(ratios[kind]) for kind in KINDS))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", choices=("evaluate", "echo"), help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--patients", type=int, default=100, help="of each kind, in each round")
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    evaluator = Evaluator(load(RULESETS / NAME))
    requests = {kind: patients(evaluator, kind, options.patients) for kind in KINDS}
    console = Console()
    console.print(f"{NAME}: {options.rounds} rounds of {options.patients} patients of each kind; medians (quartiles)")
    console.print(in_process(requests, options.rounds))
    console.print(over_grpc(requests, options.rounds))
    console.print(with_log(requests["complete"], options.rounds))


if __name__ == "__main__":
    main()
