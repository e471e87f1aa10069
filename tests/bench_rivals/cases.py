"""Rulesets and patients on whom the rivals' translations are tried: shipped ones, and many small ones at random."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from engine.rules.load import load
from engine.rules.model import CheckedRuleset
from tests.bench.rivals.compare import invented
from tests.bench.rivals.contestants import as_json
from tests.clinical.patients import RULESETS
from tests.decide.generate import answer_texts, as_given, load_content, ruleset_content

MINIMAL = Path(__file__).parents[1] / "data" / "minimal"


@cache
def shipped(name: str, number: int) -> tuple[CheckedRuleset, list[str]]:
    """A shipped ruleset, and so many seeded patients."""
    checked = load(RULESETS / name)
    return checked, invented(checked, name, random.Random(name), number)


def at_random(number: int) -> Iterator[tuple[CheckedRuleset, list[str]]]:
    """So many seeded rulesets of every construct, each with patients; what they have not answered is unknown."""
    for seed in range(number):
        rng = random.Random(f"rivals {seed}")
        content = ruleset_content(rng)
        checked = load_content(content)
        patients = (as_given(answer_texts(rng, content["questions"])) for _ in range(60))
        yield checked, [as_json(checked.ruleset, each) for each in patients]
