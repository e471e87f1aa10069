"""Holds every rival's dispositions against Pluis': what does not give the same answers is not worth timing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from engine.decide.evaluate import Evaluator
from engine.rules.model import CheckedRuleset
from tests.bench.rivals.contestants import Contestant, Form, reader


class RivalDiffers(Exception):
    """A rival decides otherwise than Pluis. The message names rules, never answers."""


def check(checked: CheckedRuleset, pluis: Contestant, rivals: Sequence[Contestant], patients: Sequence[str]) -> None:
    """Raises RivalDiffers for the first rival that decides otherwise on any patient, in either form."""
    for form in Form:
        expected = pluis.run(form, patients, ()).dispositions
        for rival in rivals:
            hold(checked, rival.name, patients, expected, rival.run(form, patients, ()).dispositions)


def hold(
    checked: CheckedRuleset, rival: str, patients: Sequence[str], expected: Sequence[str], got: Sequence[str]
) -> None:
    """Raises RivalDiffers unless the dispositions are equal; says which differ, and which rules were true there."""
    if len(got) != len(expected):
        raise RivalDiffers(f"{rival} decided on {len(got)} of {len(expected)} patients")
    other = [place for place in range(len(expected)) if got[place] != expected[place]]
    if not other:
        return
    evaluator = Evaluator(checked)
    read = reader(evaluator)
    words = Counter(f"{got[place]!s:.60} for {expected[place]}" for place in other)
    rules = Counter(rule for place in other for rule in evaluator.evaluate(read(patients[place])).outcome.rules)
    raise RivalDiffers(
        f"{rival} decides otherwise on {len(other)} of {len(expected)} patients ({_most(words)}); "
        f"true for them: {_most(rules)}"
    )


def _most(found: Counter[str]) -> str:
    """The most frequent, each with how often."""
    return ", ".join(f"{each} {number} times" for each, number in found.most_common(5))
