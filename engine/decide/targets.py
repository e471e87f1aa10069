"""What is asked of an evaluator: named conditions in three stages, and how it answers.

Each stage may read the one before: rules read answers, programme rows also what the rules gave (`Standing`), texts also
the programmes that could apply. Both evaluators get these very conditions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from engine.decide.answers import Placed
from engine.rules.condition import All, Condition, Not, Surely, Unless
from engine.rules.model import Advice, CheckedRuleset, ProgrammeRow
from engine.rules.scale import Disposition, Programme


@dataclass(frozen=True, slots=True)
class Targets:
    """The conditions of each stage by id. A programme row without condition, or a text without one, is not listed."""

    rules: Mapping[str, Condition]
    programme: Mapping[str, Condition]
    texts: Mapping[str, Condition]


class Match(NamedTuple):
    """Which conditions of a stage are certainly true, and which could still be (a superset)."""

    certain: frozenset[str]
    possible: frozenset[str]


class Standing(NamedTuple):
    """What the rules gave: the dispositions that are still possible, and the rules that are true or could be."""

    dispositions: frozenset[Disposition]
    rules: Match


class Session(Protocol):
    """One evaluator at work on one patient's answers. Stages are asked for in order."""

    def rules(self) -> Match: ...

    def programme(self, standing: Standing) -> Match: ...

    def texts(self, standing: Standing, programmes: frozenset[Programme]) -> Match: ...


class Matcher(Protocol):
    """An evaluator of one ruleset."""

    def session(self, placed: Placed) -> Session: ...


def targets(checked: CheckedRuleset) -> Targets:
    """The conditions that both evaluators answer for."""
    ruleset = checked.ruleset
    texts = {item.id: condition for item in ruleset.advice.values() if (condition := _shown(checked, item)) is not None}
    texts |= {item.id: item.when for item in ruleset.safety_net.values() if item.when is not None}
    return Targets(
        rules={rule.id: rule.when for rule in ruleset.rules.values()},
        programme={row.id: _applies(row, row.when) for row in ruleset.programme if row.when is not None},
        texts=texts,
    )


def _applies(row: ProgrammeRow, when: Condition) -> Condition:
    """The row's condition with unknown turned into true (`applies`) or false (`skips`)."""
    return Unless(Not(when, when.span), when.span) if row.applies_unknown else Surely(when, when.span)


def _shown(checked: CheckedRuleset, item: Advice) -> Condition | None:
    """`when` certainly true and every `hide_when` certainly false, as one condition; None: always shown."""
    hidden = [policy.hide_when for policy in checked.ruleset.policies.values() if item.kind in policy.kinds]
    if item.hide_when is not None:
        hidden.append(item.hide_when)
    parts: list[Condition] = [] if item.when is None else [item.when]
    parts.extend(Not(condition, condition.span) for condition in hidden)
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else All(tuple(parts), item.span)
