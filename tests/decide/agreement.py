"""Runs the two evaluators against each other on seeded (ruleset, answers) pairs, and counts what the run has seen.

A run that never meets an unknown answer or a count proves nothing about them, so the share of each kind is part of it.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from engine.decide.direct import TRUE, UNKNOWN, Direct, Reading
from engine.decide.evaluate import Evaluator
from engine.errors import EngineFault, EvaluatorsDisagree
from engine.rules.condition import Condition, Count, FindingIs, leaves, members
from engine.rules.model import Ruleset
from tests.decide.generate import Content, answer_texts, as_given, load_content, ruleset_content

FOUND = Path(__file__).parent.parent / "data" / "found"
ANSWERS_PER_RULESET = 50


@dataclass
class Tally:
    """What a run has seen: rule checks by kind, and the first pair on which the evaluators differed."""

    pairs: int = 0
    checks: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    failure: tuple[Content, dict[str, str | list[str]]] | None = None

    def share(self, kind: str) -> float:
        return self.kinds[kind] / self.checks


def run(pairs: int, seed: int, spoil: Callable[[Evaluator], None] | None = None) -> Tally:
    """Evaluates random pairs, until the first on which the evaluators differ. `spoil` may break an evaluator."""
    rng = random.Random(seed)
    tally = Tally()
    while tally.pairs < pairs and tally.failure is None:
        content = ruleset_content(rng)
        evaluator = Evaluator(load_content(content))
        if spoil is not None:
            spoil(evaluator)
        for _ in range(min(ANSWERS_PER_RULESET, pairs - tally.pairs)):
            texts = answer_texts(rng, content["questions"])
            tally.pairs += 1
            if _differ(evaluator, texts):
                tally.failure = (content, texts)
                break
            _count(evaluator, texts, tally)
        evaluator.close()
    return tally


def _differ(evaluator: Evaluator, texts: dict[str, str | list[str]]) -> bool:
    """Whether the network, the written functions and the walk through the conditions are not all of one mind."""
    answers = evaluator.read(as_given(texts))
    try:
        evaluated = evaluator.evaluate(answers)
    except (EvaluatorsDisagree, EngineFault):
        return True
    placed, standing = evaluator.order.place(answers), evaluated.reading.standing
    assert standing is not None
    walked = Direct(evaluator.checked.ruleset, evaluator.compiled.targets).session(placed)
    written = evaluator.written.session(placed)
    programmes = evaluated.reading.programmes
    return (
        walked.rules() != written.rules()
        or walked.programme(standing) != written.programme(standing)
        or walked.texts(standing, programmes) != written.texts(standing, programmes)
    )


def _count(evaluator: Evaluator, texts: dict[str, str | list[str]], tally: Tally) -> None:
    reading = Reading(evaluator.checked.ruleset, evaluator.read(as_given(texts)))
    for rule in evaluator.checked.ruleset.rules.values():
        outcomes = reading.outcomes(rule.when)
        tally.checks += 1
        tally.kinds["true"] += outcomes == TRUE
        tally.kinds["open"] += bool(outcomes & TRUE) and outcomes != TRUE
        tally.kinds["unknown"] += bool(outcomes & UNKNOWN) and not outcomes & TRUE
        tally.kinds["at_least"] += _counts(rule.when, evaluator.checked.ruleset)


def _counts(condition: Condition, ruleset: Ruleset) -> bool:
    return (
        isinstance(condition, Count)
        or any(_counts(part, ruleset) for part in members(condition))
        or any(
            _counts(ruleset.findings[each.finding].when, ruleset)
            for each in leaves(condition)
            if isinstance(each, FindingIs)
        )
    )


def shrink(
    content: Content, texts: dict[str, str | list[str]], fails: Callable[[Content, dict[str, str | list[str]]], bool]
) -> tuple[Content, dict[str, str | list[str]]]:
    """The pair with rules, rows, texts and answers taken out for as long as it still fails."""
    changed = True
    while changed:
        changed = False
        for section in ("rules", "advice", "findings"):
            for name in list(content[section]):
                smaller = content | {section: {key: each for key, each in content[section].items() if key != name}}
                if _loadable(smaller) and fails(smaller, texts):
                    content, changed = smaller, True
        for number in range(len(content["programme"]) - 2, -1, -1):
            rows = content["programme"]
            smaller = content | {"programme": rows[:number] + rows[number + 1 :]}
            if fails(smaller, texts):
                content, changed = smaller, True
        for name in list(texts):
            fewer = {key: each for key, each in texts.items() if key != name}
            if fails(content, fewer):
                texts, changed = fewer, True
    return content, texts


def _loadable(content: Content) -> bool:
    try:
        load_content(content)
    except AssertionError:
        return False
    return True


def fails(content: Content, texts: dict[str, str | list[str]]) -> bool:
    """Whether the evaluators differ on this pair."""
    evaluator = Evaluator(load_content(content))
    try:
        return _differ(evaluator, texts)
    finally:
        evaluator.close()


def keep(tally: Tally, seed: int) -> Path:
    """Writes the shrunken failing pair to tests/data/found/, where the suite repeats it for ever."""
    assert tally.failure is not None
    content, texts = shrink(*tally.failure, fails)
    path = FOUND / f"seed-{seed}-{tally.pairs}.json"
    path.write_text(json.dumps({"ruleset": content, "answers": texts}, indent=1) + "\n")
    return path
