"""Names: every one that is used is defined, every one that is defined is used, and none is given twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.rules.codes import UNKNOWN, UNUSED
from engine.rules.condition import Answered, Compare, FindingIs, Leaf, Parameter, RuleIs, Sum, Unknown, leaves
from engine.rules.document import KEY, Path
from engine.rules.model import Advice, Default, ProgrammeRow, Rule, Ruleset, SafetyNet
from engine.rules.problem import Problem, error, warning
from engine.rules.sites import sites
from engine.rules.source import Span
from engine.rules.suggest import did_you_mean, one_of

Spans = Mapping[str, Span]


def names_defined(ruleset: Ruleset) -> Iterable[Problem]:
    """Questions, findings, parameters, rules, groups, evidence and advice that nobody defined."""
    known = {
        "question": {key: it.span for key, it in ruleset.questions.items()},
        "finding": {key: it.span for key, it in ruleset.findings.items()},
        "parameter": {key: it.span for key, it in ruleset.parameters.items()},
        "rule": {key: it.span for key, it in ruleset.rules.items()},
        "group": {key: it.span for key, it in ruleset.groups.items()},
        "evidence": {key: it.span for key, it in ruleset.evidence.items()},
        "advice": {key: it.span for key, it in ruleset.advice.items()},
    }
    for what, name, where in _references(ruleset):
        if name not in known[what]:
            help = did_you_mean(name, known[what]) or one_of(name, known[what])
            span = where if isinstance(where, Span) else ruleset.place(*where)
            yield error(UNKNOWN[what], span, f"no {what} `{name}`", help)


def _references(ruleset: Ruleset) -> Iterator[tuple[str, str, Span | Path]]:
    """What is named where: its sort, its name, its place or the path of that."""
    for site in sites(ruleset):
        for leaf in leaves(site.condition):
            yield from _named_in(leaf)
    for question in ruleset.questions.values():
        if question.group:
            yield "group", question.group, ("questions", question.id, "group")
    for rule in ruleset.rules.values():
        for number, name in enumerate(rule.evidence):
            yield "evidence", name, ("rules", rule.id, "evidence", number)
    for number, name in enumerate(ruleset.default.evidence):
        yield "evidence", name, ("default", "evidence", number)
    for place, row in enumerate(ruleset.programme):
        for number, name in enumerate(row.evidence):
            yield "evidence", name, ("programme", place, "evidence", number)
    for claim in ruleset.claims.values():
        if claim.finding:
            yield "finding", claim.finding, ("claims", claim.id, "finding")
        for name in claim.exempt:  # with a reason, so it counts as used
            yield "question", name, ("claims", claim.id, "exempt", name, KEY)
    for item in ruleset.advice.values():
        for number, name in enumerate(item.contradicts):
            yield "advice", name, ("advice", item.id, "contradicts", number)


def _named_in(leaf: Leaf) -> Iterator[tuple[str, str, Span]]:
    match leaf:
        case Compare(question, _, operands, span):
            yield "question", question, span
            for operand in operands:
                if isinstance(operand, Parameter):
                    yield "parameter", operand.name, operand.span
                elif isinstance(operand, Sum):
                    yield from (("question", term.question, term.span) for term in operand.terms)
        case Unknown(question, span) | Answered(question, span):
            yield "question", question, span
        case FindingIs(finding, span):
            yield "finding", finding, span
        case RuleIs(rule, span):
            yield "rule", rule, span
        case _:
            pass


def names_used(ruleset: Ruleset) -> Iterable[Problem]:
    """Questions, findings, parameters and evidence that nothing reads: asked or written for nothing."""
    used = {(what, name) for what, name, _ in _references(ruleset)}
    defined: tuple[tuple[str, Spans], ...] = (
        ("question", {key: it.span for key, it in ruleset.questions.items()}),
        ("finding", {key: it.span for key, it in ruleset.findings.items()}),
        ("parameter", {key: it.span for key, it in ruleset.parameters.items()}),
        ("evidence", {key: it.span for key, it in ruleset.evidence.items()}),
    )
    for what, spans in defined:
        for name, span in spans.items():
            if (what, name) not in used:
                yield warning(UNUSED[what], span, f"nothing uses the {what} `{name}`", "use it or take it out")


def ids_unique(ruleset: Ruleset) -> Iterable[Problem]:
    """Ids that a decision reports side by side (rules, rows, texts) and options and languages that stand twice."""
    first: dict[str, Span] = {}
    everywhere: tuple[Rule | Default | ProgrammeRow | Advice | SafetyNet, ...] = (
        *ruleset.rules.values(),
        ruleset.default,
        *ruleset.programme,
        *ruleset.advice.values(),
        *ruleset.safety_net.values(),
    )
    for it in everywhere:
        if it.id in first:
            message = f"the id `{it.id}` was given before, on line {first[it.id].line}"
            yield error("duplicate-id", it.span, message, "give one of them another id")
        first.setdefault(it.id, it.span)
    for number, language in enumerate(ruleset.languages):
        if language in ruleset.languages[:number]:
            span = ruleset.place("ruleset", "languages", number)
            yield error("duplicate-id", span, f"the language `{language}` is listed twice", "list it once")


def rules_in_order(ruleset: Ruleset) -> Iterable[Problem]:
    """Where the order of the file and the order of the ids, in which rules are reported, part."""
    before = ""
    for rule in ruleset.rules.values():
        if rule.id < before:
            message = f"rule `{rule.id}` stands after `{before}`, rules are taken in the order of their ids"
            yield warning("rules-out-of-order", rule.span, message, "move it up")
            return
        before = rule.id
