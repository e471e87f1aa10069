"""Runs the prover on tiny rulesets and holds each verdict against trying every patient: what `exhaustive` says.

`python -m tests.prove.every_patient RULESETS SEED` runs as many as you like.
"""

from __future__ import annotations

import copy
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import z3

from engine.errors import PluisError
from engine.prove.prover import Prover
from engine.prove.verdict import Proved, Refuted, word
from engine.rules.model import CheckedRuleset
from engine.rules.scale import Disposition
from tests.decide.generate import load_content
from tests.prove.exhaustive import BROKEN, MOST_PATIENTS, World, never_laxer, random_claim
from tests.prove.rulesets import other_version, tiny_content

KINDS = (*BROKEN, "never_laxer")


@dataclass
class Verdicts:
    """What a run has seen: by kind of claim how often it was proved and refuted, and the first wrong verdict."""

    rulesets: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    failure: str = ""

    def __str__(self) -> str:
        told = (f"{kind} {self.counts[kind, 'proved']}/{self.counts[kind, 'refuted']}" for kind in KINDS)
        return f"{self.rulesets} rulesets, every patient tried; proved/refuted: {', '.join(told)}"


def run(rulesets: int, seed: int, kinds: Sequence[str] = KINDS) -> Verdicts:
    """The verdicts on random claims of these kinds about tiny rulesets, until the first that is wrong."""
    rng = random.Random(seed)
    it = Verdicts()
    while it.rulesets < rulesets and not it.failure:
        content = tiny_content(rng)
        checked = _doctored(rng, load_content(content))
        old = load_content(other_version(rng, copy.deepcopy(content)))
        world = World(checked, old)
        if world.size > MOST_PATIENTS:
            continue
        it.rulesets += 1
        try:
            it.failure = _claims(rng, checked, old, world, it, kinds)
        except (PluisError, TypeError, AttributeError, KeyError, ValueError, IndexError, z3.Z3Exception) as error:
            it.failure = f"{type(error).__name__}: {error}"
    return it


def _doctored(rng: random.Random, checked: CheckedRuleset) -> CheckedRuleset:
    """Sometimes as `check` would refuse it: no safety net for all, or rules that ask for less than the default."""
    ruleset = checked.ruleset
    if rng.random() < 0.5:
        kept = {name: each for name, each in ruleset.safety_net.items() if each.when is not None}
        ruleset = replace(ruleset, safety_net=kept)
    if rng.random() < 0.2:
        ruleset = replace(ruleset, default=replace(ruleset.default, disposition=Disposition.SAME_DAY_GP))
    return CheckedRuleset(ruleset, checked.digest)


def _claims(
    rng: random.Random,
    checked: CheckedRuleset,
    old: CheckedRuleset,
    world: World,
    it: Verdicts,
    kinds: Sequence[str],
) -> str:
    prover = Prover(checked, {"0.9.0": old}, budget=120)
    for kind in kinds:
        claim = random_claim(rng, kind, checked.ruleset)
        if kind == "never_laxer":
            before = World(old, checked)
            if before.size > MOST_PATIENTS:
                continue
            broken = never_laxer(world, claim, before)
        else:
            broken = BROKEN[kind](world, claim)
        verdict = prover.verdict(claim)
        it.counts[kind, word(verdict)] += 1
        if not isinstance(verdict, Refuted if broken else Proved):
            return f"{kind}: {verdict}, and of all patients {'some' if broken else 'none'} show a fault"
    return ""


if __name__ == "__main__":
    wanted, chosen_seed = (int(each) for each in (*sys.argv[1:], "200", "1")[:2])
    done = run(wanted, chosen_seed)
    print(done)
    sys.exit(done.failure or 0)
