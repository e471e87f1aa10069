"""The claims of a ruleset on several cores: each worker has a solver of its own and takes the claim that is next."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor

from engine.prove.prover import Prover
from engine.prove.verdict import ClaimResult
from engine.rules.model import CheckedRuleset, Claim

LONGEST_FIRST = (
    "threshold_matters",
    "complete",
    "monotone",
    "unasked_changes_nothing",
    "unknown_never_milder",
    "reachable",
    "fail_safe",
)
"""Claims with the most to show, so that no worker is left with one of them at the end."""

_prover: list[Prover] = []
"""The prover of a worker process; the process has no other state."""


def prove_on(
    workers: int,
    checked: CheckedRuleset,
    claims: Sequence[Claim],
    versions: Mapping[str, CheckedRuleset],
    budget: float,
) -> Iterator[ClaimResult]:
    """The verdict on each claim, in the order given, as soon as it and those before it are there.

    `budget` is in seconds and for all claims together, whatever the number of workers.
    """
    until = time.monotonic() + budget
    # the inference engine's handles do not survive a fork
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _prepare, (checked, versions, until)) as pool:
        futures = {claim.id: pool.submit(_verdict, claim) for claim in sorted(claims, key=_length)}
        for claim in claims:
            yield futures[claim.id].result()


def _length(claim: Claim) -> int:
    return LONGEST_FIRST.index(claim.kind) if claim.kind in LONGEST_FIRST else len(LONGEST_FIRST)


def _prepare(checked: CheckedRuleset, versions: Mapping[str, CheckedRuleset], until: float) -> None:
    _prover.append(Prover(checked, versions, until - time.monotonic()))


def _verdict(claim: Claim) -> ClaimResult:
    start = time.monotonic()
    verdict = _prover[0].verdict(claim)
    return ClaimResult(claim, verdict, time.monotonic() - start)
