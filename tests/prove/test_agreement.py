"""The solver, the direct evaluator and durable-rules agree on every pair of ruleset and answers, and on every claim."""

from __future__ import annotations

import json
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from engine.prove.claims import CLAIMS
from engine.rules.shape import CLAIMS as WRITTEN
from tests.decide.agreement import FOUND
from tests.prove.agreement import SHARES, Tally, fails, keep, report, run
from tests.prove.every_patient import KINDS, Verdicts
from tests.prove.every_patient import run as run_every_patient

FAST, SLOW, WORKERS = 600, int(os.environ.get("PLUIS_PAIRS", "6000")), 2
MOST_RULESETS_SHARE = 10
"""At most so many answers are tried on one ruleset."""
LEAST = {"nobody": 0.02, "unknown": 0.02}
"""The share that each kind has at least; 4 % where nothing is said."""
FAST_RULESETS, SLOW_RULESETS = 12, int(os.environ.get("PLUIS_RULESETS", "150"))


def agreed(pairs: int, seed: int) -> Tally:
    """A run in which nothing differs."""
    tally = run(pairs, seed)
    if tally.failure:
        kept = keep(tally, seed)
        pytest.fail(f"{report(tally, seed)}\n{tally.failure}\n{'' if kept is None else f'kept as {kept.name}'}")
    return tally


def exercised(tally: Tally, seed: int) -> None:
    """Nothing that a run hardly ever meets is shown by it."""
    print(report(tally, seed))
    assert tally.rulesets * MOST_RULESETS_SHARE >= tally.pairs
    for of, kinds in SHARES:
        for kind in kinds:
            assert tally.share(kind, of) >= LEAST.get(kind, 0.04), f"{kind}: {report(tally, seed)}"


def test_hundreds_of_pairs_agree() -> None:
    exercised(agreed(FAST, seed=20_261_122), 20_261_122)


@pytest.mark.slow
def test_many_more_pairs_agree() -> None:
    first = int(os.environ.get("PLUIS_SEED", "7"))
    seeds = [first * WORKERS + each for each in range(WORKERS)]
    # a fresh process each: the inference engine does not survive a fork
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        tallies = list(pool.map(agreed, [SLOW // WORKERS] * WORKERS, seeds))
    for seed, tally in zip(seeds, tallies, strict=True):
        exercised(tally, seed)
    assert sum(tally.pairs for tally in tallies) == SLOW
    assert sum(tally.rulesets for tally in tallies) >= SLOW // MOST_RULESETS_SHARE


def test_found_pairs_stay_mended() -> None:
    for path in sorted(FOUND.glob("*.json")):
        pair = json.loads(path.read_text())
        assert not fails(pair["ruleset"], pair["answers"]), path.name


def judged(rulesets: int, seed: int) -> Verdicts:
    """A run in which every verdict is right."""
    it = run_every_patient(rulesets, seed)
    print(it)
    assert not it.failure, f"ruleset {it.rulesets} of seed {seed}: {it.failure}"
    return it


def test_the_verdicts_are_what_every_patient_shows() -> None:
    judged(FAST_RULESETS, seed=3)


ALWAYS_TRUE = ("exclusive_programme",)
"""What follows from the meaning of any ruleset with a last row; without one the evaluators stop."""


@pytest.mark.slow
def test_the_verdicts_are_what_every_patient_shows_on_many_more() -> None:
    it = judged(SLOW_RULESETS, seed=11)
    for kind in KINDS:
        proved, refuted = it.counts[kind, "proved"], it.counts[kind, "refuted"]
        least = SLOW_RULESETS // 50
        assert proved >= least, f"{kind} is hardly ever proved: {it}"
        assert kind in ALWAYS_TRUE or refuted >= least, f"{kind} is hardly ever refuted: {it}"


def test_every_kind_of_claim_is_judged() -> None:
    assert set(KINDS) == CLAIMS.keys() == set(WRITTEN)
