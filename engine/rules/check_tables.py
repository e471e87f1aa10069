"""Structure: no circles, nothing read before it is known, and no table with a hole that a person could fall through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.rules.condition import (
    AnyOf,
    Compare,
    Condition,
    DispositionIn,
    FindingIs,
    Leaf,
    ProgrammeIn,
    RuleIs,
    Sum,
    leaves,
    questions_of,
)
from engine.rules.model import AdviceKind, Default, Rule, Ruleset
from engine.rules.problem import Problem, error
from engine.rules.scale import Disposition
from engine.rules.sites import Stage, sites

CALMING = (AdviceKind.REASSURANCE, AdviceKind.ACTIVITY)
"""Kinds of advice that must not stand beside an urgent disposition."""
FIRST_DOCTOR = Disposition.GP_WITHIN_DAYS
"""From here on no calming text is shown."""


def stages_respected(ruleset: Ruleset) -> Iterable[Problem]:
    """Conditions that read what is decided only after them."""
    for site in sites(ruleset):
        for leaf in leaves(site.condition):
            reach = _reach(leaf)
            if reach is None:
                continue
            word, allowed, help = reach
            if site.stage not in allowed:
                yield error("misplaced-condition", leaf.span, f"{site.stage.value} cannot read {word}", help)


def _reach(leaf: Leaf) -> tuple[str, tuple[Stage, ...], str] | None:
    """What a leaf reads, the stages where that is known, and the remedy elsewhere; None: answers, known everywhere."""
    match leaf:
        case Compare(_, _, operands):
            if any(isinstance(operand, Sum) for operand in operands):
                return "another answer as a bound", (Stage.REFUSE,), "compare with a number"
        case RuleIs():
            help = "give what the two rules share a name under `findings`"
            return "a rule", (Stage.PROGRAMME, Stage.TEXTS), help
        case DispositionIn():
            return "the disposition", (Stage.PROGRAMME, Stage.TEXTS), "ask for the answers that lead to it"
        case ProgrammeIn():
            return "the programme", (Stage.TEXTS,), "ask for the answers that lead to it"
    return None


def no_circles(ruleset: Ruleset) -> Iterable[Problem]:
    """Findings that are defined by themselves, and questions that are asked only when they are answered."""
    needs = {key: _findings_in(it.when) for key, it in ruleset.findings.items()}
    for circle in _circles(needs):
        message = f"the finding `{circle[0]}` is defined by itself: {_arrow(circle)}"
        yield error("finding-cycle", ruleset.findings[circle[0]].span, message, "take one of them out of the other")
    asked: dict[str, list[str]] = {}
    for key, question in ruleset.questions.items():
        group = ruleset.groups.get(question.group)
        conditions = (question.asked_when, group.asked_when if group else None)
        asked[key] = [name for it in conditions if it is not None for name in _questions_in(it, ruleset)]
    for circle in _circles(asked):
        message = f"whether `{circle[0]}` is asked depends on itself: {_arrow(circle)}"
        help = "change the `asked_when` of one of them, or of its group"
        yield error("asked-when-cycle", ruleset.questions[circle[0]].span, message, help)


def _arrow(circle: list[str]) -> str:
    return " -> ".join(f"`{name}`" for name in (*circle, circle[0]))


def _findings_in(condition: Condition) -> list[str]:
    return [leaf.finding for leaf in leaves(condition) if isinstance(leaf, FindingIs)]


def _questions_in(condition: Condition, ruleset: Ruleset) -> Iterator[str]:
    """The questions that a condition reads, also through findings."""
    waiting, seen = [condition], set[str]()
    while waiting:
        now = waiting.pop()
        yield from questions_of(now)
        for name in _findings_in(now):
            if name in ruleset.findings and name not in seen:
                seen.add(name)
                waiting.append(ruleset.findings[name].when)


def _circles(edges: Mapping[str, list[str]]) -> Iterator[list[str]]:
    """Circles in a graph, at least one for each set of names that lead to each other. A walk, for chains are long."""
    done: set[str] = set()
    for start in edges:
        path: dict[str, Iterator[str]] = {} if start in done else {start: iter(edges[start])}
        while path:
            here = next(reversed(path))
            for name in path[here]:
                if name in path:
                    yield list(path)[list(path).index(name) :]
                elif name in edges and name not in done:
                    path[name] = iter(edges[name])
                    break
            else:
                done.add(here)
                del path[here]


def programme_total(ruleset: Ruleset) -> Iterable[Problem]:
    """The programme table must give a row for everybody: the last, and only the last, has no `when`."""
    others, last = ruleset.programme[:-1], ruleset.programme[-1:]
    if not last:
        yield error("programme-not-total", ruleset.place("programme"), "the programme table has no row", "add a row")
    for row in last:
        if row.when is None:
            continue
        message = f"the last row `{row.id}` has a `when`, so the table may give nothing"
        yield error("programme-not-total", row.span, message, "end the table with a row without `when`")
    for row in others:
        if row.when is None:
            message = f"row `{row.id}` has no `when`, so no row after it can apply"
            yield error("programme-not-total", row.span, message, "give it a `when`, or move it to the end")


def dispositions_complete(ruleset: Ruleset) -> Iterable[Problem]:
    """Every disposition says how long it is valid, and no rule asks for less than the default gives."""
    for each in Disposition:
        if each not in ruleset.validity:
            help = f"add `{each.word}: {{valid_days: ..., recheck_days: ...}}`"
            message = f"`dispositions` does not name `{each.word}`"
            yield error("disposition-missing", ruleset.place("dispositions"), message, help)
    for rule in ruleset.rules.values():
        if rule.disposition < ruleset.default.disposition:
            span = ruleset.place("rules", rule.id, "then", "disposition")
            message = f"`{rule.disposition.word}` is less urgent than the default `{ruleset.default.disposition.word}`"
            yield error("rule-below-default", span, message, "a rule can only raise the disposition")


def rules_supported(ruleset: Ruleset) -> Iterable[Problem]:
    """Rules without a citation."""
    results: tuple[Rule | Default, ...] = (*ruleset.rules.values(), ruleset.default)
    for it in results:
        if not it.evidence:
            message = f"`{it.id}` names no evidence"
            yield error("evidence-missing", it.span, message, "add `evidence: [...]`, where need be of strength policy")


def safety_net_spans_all(ruleset: Ruleset) -> Iterable[Problem]:
    """Every decision must carry safety-net advice, so one item at least has no condition."""
    if all(it.when is not None for it in ruleset.safety_net.values()):
        help = "take the `when` out of one of them"
        yield error("safety-net-missing", ruleset.place("safety_net"), "no safety net is shown to everybody", help)


def calming_texts_hidden(ruleset: Ruleset) -> Iterable[Problem]:
    """Reassurance and advice to stay active need a policy that hides them from the first doctor upwards."""
    urgent = frozenset(each for each in Disposition if each >= FIRST_DOCTOR)
    hidden = {kind for it in ruleset.policies.values() if _covers(it.hide_when, urgent) for kind in it.kinds}
    for advice in ruleset.advice.values():
        if advice.kind in CALMING and advice.kind not in hidden:
            message = f"no policy hides `{advice.id}` ({advice.kind.value}) when a doctor is needed"
            help = (
                f"add a policy with `kinds: [{advice.kind.value}]` "
                f"and `hide_when: {{disposition: {{at_least: {FIRST_DOCTOR.word}}}}}`"
            )
            yield error("reassurance-not-hidden", advice.span, message, help)


def _covers(condition: Condition, urgent: frozenset[Disposition]) -> bool:
    """Whether a condition certainly holds for every urgent disposition; what cannot be seen at once does not count."""
    if isinstance(condition, DispositionIn):
        return condition.dispositions >= urgent
    return isinstance(condition, AnyOf) and any(_covers(member, urgent) for member in condition.members)


def claims_complete(ruleset: Ruleset) -> Iterable[Problem]:
    """Claims that lack what they are about."""
    for claim in ruleset.claims.values():
        needs_finding = claim.kind == "red_flag_floor"
        if needs_finding and not claim.finding:
            yield error("claim-incomplete", claim.span, f"`{claim.kind}` needs a finding", "add `finding: ...`")
        if (needs_finding or claim.kind == "no_programme_when") and claim.at_least is None:
            yield error("claim-incomplete", claim.span, f"`{claim.kind}` needs a disposition", "add `at_least: ...`")
        if claim.kind == "never_laxer" and not claim.than:
            yield error("claim-incomplete", claim.span, f"`{claim.kind}` needs a version", "add `than: 1.2.0`")


def period_runs_forward(ruleset: Ruleset) -> Iterable[Problem]:
    """A ruleset whose last day comes before its first is never effective."""
    if ruleset.effective_until is not None and ruleset.effective_until <= ruleset.effective_from:
        span = ruleset.place("ruleset", "effective", "until")
        yield error(
            "bad-period", span, "the ruleset ends before it begins", "`until` is the first day it does not count"
        )
