"""The meaning of a ruleset's text: every check there is, and the one place that makes a CheckedRuleset.

A check takes the whole parsed ruleset and yields problems; it may not assume that another check has passed. To add one,
write it beside its kin, add it to `CHECKS`, and give it a file in `tests/data/invalid/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from engine.rules.check_names import ids_unique, names_defined, names_used, rules_in_order
from engine.rules.check_tables import (
    calming_texts_hidden,
    claims_complete,
    dispositions_complete,
    no_circles,
    period_runs_forward,
    programme_total,
    rules_supported,
    safety_net_spans_all,
    stages_respected,
)
from engine.rules.check_texts import texts_complete
from engine.rules.check_values import operands_fit, parameters_in_range, questions_sound, typed
from engine.rules.content import digest
from engine.rules.model import CheckedRuleset, Ruleset
from engine.rules.problem import Problem, Problems

Check = Callable[[Ruleset], Iterable[Problem]]

CHECKS: tuple[Check, ...] = (
    names_defined,
    names_used,
    ids_unique,
    rules_in_order,
    questions_sound,
    parameters_in_range,
    operands_fit,
    stages_respected,
    no_circles,
    programme_total,
    dispositions_complete,
    rules_supported,
    safety_net_spans_all,
    calming_texts_hidden,
    claims_complete,
    period_runs_forward,
    texts_complete,
)


def check(ruleset: Ruleset) -> tuple[CheckedRuleset | None, Problems]:
    """The ruleset with its meaning established, or None when there is an error; and every problem."""
    problems = Problems(problem for each in CHECKS for problem in each(ruleset))
    if problems:
        return None, problems
    return CheckedRuleset(_ordered(typed(ruleset)), digest(ruleset)), problems


T = TypeVar("T")


def _by_id(entries: Mapping[str, T]) -> dict[str, T]:
    return {key: entries[key] for key in sorted(entries)}


def _ordered(ruleset: Ruleset) -> Ruleset:
    """What the digest takes as unordered comes in the order of its ids, so that file order cannot show anywhere."""
    return replace(
        ruleset,
        parameters=_by_id(ruleset.parameters),
        findings=_by_id(ruleset.findings),
        rules=_by_id(ruleset.rules),
        refusals=_by_id(ruleset.refusals),
        policies=_by_id(ruleset.policies),
        evidence=_by_id(ruleset.evidence),
        claims=_by_id(ruleset.claims),
        validity={each: ruleset.validity[each] for each in sorted(ruleset.validity)},
    )
