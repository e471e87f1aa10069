"""Every condition of a ruleset, with where it stands: what may be read there depends on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from engine.rules.condition import Condition
from engine.rules.model import (
    Advice,
    AdvicePolicy,
    Finding,
    Group,
    ProgrammeRow,
    Question,
    Refusal,
    Rule,
    Ruleset,
    SafetyNet,
)


class Stage(Enum):
    """What a condition belongs to. Rules read answers, the programme also rules, texts also the programme."""

    ANSWERS = "a rule, a finding or `asked_when`"
    REFUSE = "`refuse`"
    PROGRAMME = "a programme row"
    TEXTS = "advice or safety net"


@dataclass(frozen=True, slots=True)
class Site:
    """One condition and its stage; `owner` is the id of what it belongs to."""

    owner: str
    stage: Stage
    condition: Condition


Asked = TypeVar("Asked", Question, Group)
Owner = TypeVar("Owner", Question, Group, Finding, Rule, Refusal, ProgrammeRow, Advice, AdvicePolicy, SafetyNet)


def sites(ruleset: Ruleset) -> Iterator[Site]:
    """Every condition, in the order of the file format."""
    asked_of: tuple[Group | Question, ...] = (*ruleset.groups.values(), *ruleset.questions.values())
    named: tuple[Finding | Rule, ...] = (*ruleset.findings.values(), *ruleset.rules.values())
    for asked in asked_of:
        if asked.asked_when is not None:
            yield Site(asked.id, Stage.ANSWERS, asked.asked_when)
    for held in named:
        yield Site(held.id, Stage.ANSWERS, held.when)
    for refusal in ruleset.refusals.values():
        yield Site(refusal.id, Stage.REFUSE, refusal.when)
    for row in ruleset.programme:
        if row.when is not None:
            yield Site(row.id, Stage.PROGRAMME, row.when)
    for item in ruleset.advice.values():
        for condition in (item.when, item.hide_when):
            if condition is not None:
                yield Site(item.id, Stage.TEXTS, condition)
    for policy in ruleset.policies.values():
        yield Site(policy.id, Stage.TEXTS, policy.hide_when)
    for net in ruleset.safety_net.values():
        if net.when is not None:
            yield Site(net.id, Stage.TEXTS, net.when)


def rewrite_sites(ruleset: Ruleset, change: Callable[[Condition], Condition]) -> Ruleset:
    """The same ruleset with every condition replaced by `change(it)`."""

    def changed(condition: Condition | None) -> Condition | None:
        return None if condition is None else change(condition)

    def each(owners: Mapping[str, Owner], new: Callable[[Owner], Owner]) -> dict[str, Owner]:
        return {key: new(owner) for key, owner in owners.items()}

    def asked(it: Asked) -> Asked:
        return it if it.asked_when is None else replace(it, asked_when=change(it.asked_when))

    return replace(
        ruleset,
        groups=each(ruleset.groups, asked),
        questions=each(ruleset.questions, asked),
        findings=each(ruleset.findings, lambda it: replace(it, when=change(it.when))),
        rules=each(ruleset.rules, lambda it: replace(it, when=change(it.when))),
        refusals=each(ruleset.refusals, lambda it: replace(it, when=change(it.when))),
        programme=tuple(replace(it, when=changed(it.when)) for it in ruleset.programme),
        advice=each(
            ruleset.advice,
            lambda it: replace(it, when=changed(it.when), hide_when=changed(it.hide_when)),
        ),
        policies=each(ruleset.policies, lambda it: replace(it, hide_when=change(it.hide_when))),
        safety_net=each(ruleset.safety_net, lambda it: replace(it, when=changed(it.when))),
    )
