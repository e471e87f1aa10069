"""What conditions come to: never or always true, repeating another, or showing texts that contradict each other.

These are warnings about a ruleset that is valid; `advise` gives them to whoever writes it. Nothing is found wrongly;
what only a solver can see is not found here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.rules.alternatives import FALSE, NOT_FALSE, NOT_TRUE, TRUE, Alternatives, Space, both, implies
from engine.rules.condition import (
    All,
    Answered,
    AnyOf,
    Compare,
    Condition,
    Count,
    FindingIs,
    Operator,
    RuleIs,
    Unknown,
    leaves,
    members,
)
from engine.rules.model import Advice, CheckedRuleset, ProgrammeRow, Rule, Ruleset
from engine.rules.problem import Problem, Problems, warning
from engine.rules.sites import Site, Stage, sites


def advise(checked: CheckedRuleset) -> Problems:
    """Every warning about what the conditions of a valid ruleset come to."""
    ruleset, space = checked.ruleset, Space(checked.ruleset)
    found: list[Problem] = []
    for site in sites(ruleset):
        found.extend(_never_or_always(site, space))
    spoilt = {problem.span for problem in found}
    found.extend(_rules_that_repeat(ruleset, space))
    found.extend(_rows_never_reached(ruleset, space))
    shown = {key: _shown(it, ruleset, space) for key, it in ruleset.advice.items()}
    for item in ruleset.advice.values():
        conditions = [each for each in (item.when, item.hide_when) if each is not None]
        if not shown[item.id] and not any(_spans(each) & spoilt for each in conditions):
            help = f"change its `when`, its `hide_when`, or the policy that hides {item.kind.value}"
            message = f"`{item.id}` is never shown: it is hidden whenever its `when` holds"
            found.append(warning("never-true", item.span, message, help))
    found.extend(_texts_that_contradict(ruleset, shown))
    return Problems(found)


def _never_or_always(site: Site, space: Space) -> Iterator[Problem]:
    """A condition, or the smallest part of it, that nobody can fulfil; one that everybody does; one never asked for."""
    condition = site.condition
    never = list(_never(condition, space))
    if not never and not space.holding(condition):
        help = "without `not` and `unless` it may be easier to see why"
        never.append(warning("never-true", condition.span, "never true: it contradicts itself", help))
    yield from never
    if never:
        return
    if not space.holding(condition, NOT_TRUE):
        help = "take the condition out, or check whether `any` should be `all`"
        yield warning("always-true", condition.span, "always true: whatever is answered, this holds", help)
        return
    if site.stage is Stage.REFUSE:  # whose very task it is to refuse an answer that nobody asked for
        return
    for branch in _branches(condition):
        yield from _never_asked(branch, space)


def _never(condition: Condition, space: Space) -> Iterator[Problem]:
    inside = [problem for part in members(condition) for problem in _never(part, space)]
    yield from inside
    if inside or space.holding(condition):
        return
    match condition:
        case All(parts):
            yield _excluded(parts, space)
        case Count(number):
            message = f"never true: no {number} of these can hold together"
            yield warning("never-true", condition.span, message, "lower `at_least`, or change the list")
        case Compare(question, _, _, span) if condition.operator is not Operator.IN:
            it = space.ruleset.questions[question]
            message = f"never true: `{question}` lies in {it.low} to {it.high}"
            yield warning("never-true", span, message, f"change the number, or the range (line {it.span.line})")
        case _:
            return


def _excluded(parts: tuple[Condition, ...], space: Space) -> Problem:
    """The first part that does not go with those before it."""
    so_far: Alternatives = ({},)
    for number, part in enumerate(parts):
        so_far = space.together((so_far, space.holding(part)))
        if so_far:
            continue
        help = "take one of them out, or write `any` where one is enough"
        for other in parts[:number]:
            if not both(space.holding(other), space.holding(part)):
                message = f"never true: {_said(part)} excludes {_said(other)} (line {other.span.line})"
                return warning("never-true", part.span, message, help)
        return warning("never-true", part.span, f"never true: {_said(part)} excludes what stands before it", help)
    return warning("never-true", parts[0].span, "never true: these exclude each other", "take one of them out")


def _said(condition: Condition) -> str:
    """A condition in the words of its author, as far as they fit in a message."""
    match condition:
        case Compare(question, Operator.IN, operands):
            return f"`{question}: {' or '.join(str(each) for each in operands)}`"
        case Compare(question, operator, operands):
            return f"`{question}: {{{operator.value}: {operands[0]}}}`"
        case Unknown(name) | Answered(name) | FindingIs(name) | RuleIs(name):
            return f"`{type(condition).__name__.removesuffix('Is').lower()}: {name}`"
        case _:
            return "this"


def _branches(condition: Condition) -> Iterator[Condition]:
    """What each alone makes a condition true."""
    if not isinstance(condition, AnyOf):
        yield condition
        return
    for part in condition.members:
        yield from _branches(part)


def _never_asked(condition: Condition, space: Space) -> Iterator[Problem]:
    """A condition that needs an answer to a question that is not asked where the rest of it holds."""
    if isinstance(condition, FindingIs | RuleIs):  # told at its own place
        return
    holding = space.holding(condition)
    wanted = [set(space.gated(each)) for each in holding]
    for question in sorted(set.intersection(*wanted)) if wanted else ():
        gates = [space.holding(gate, NOT_FALSE) for gate in space.gates(question)]
        if not space.together((holding, *gates)):
            place = next((leaf.span for leaf in leaves(condition) if question == getattr(leaf, "question", "")), None)
            message = f"`{question}` is not asked where the rest of this holds"
            line = space.gates(question)[0].span.line
            help = f"change this, or the `asked_when` on line {line}"
            yield warning("never-asked", place or condition.span, message, help)
            return


def _spans(condition: Condition) -> set[object]:
    return {condition.span, *(span for part in members(condition) for span in _spans(part))}


def _rules_that_repeat(ruleset: Ruleset, space: Space) -> Iterator[Problem]:
    """Rules that change no decision, because another that does as much is true whenever they are."""
    named = {leaf.rule for site in sites(ruleset) for leaf in leaves(site.condition) if isinstance(leaf, RuleIs)}
    rules = list(ruleset.rules.values())
    told: set[str] = set()
    for rule in reversed(rules):  # of two that are equal the later one repeats
        when = space.holding(rule.when)
        if rule.id in named or not when or not space.holding(rule.when, NOT_TRUE):
            continue
        for other in rules:
            if other.id == rule.id or other.id in told or not _does_as_much(other, rule):
                continue
            if implies(when, space.holding(other.when)):
                told.add(rule.id)
                same = "exactly when" if implies(space.holding(other.when), when) else "only when"
                message = f"`{rule.id}` changes no decision: it is true {same} `{other.id}` is (line {other.span.line})"
                yield warning("repeated-rule", rule.span, message, "take it out, or make it more urgent than the other")
                break


def _does_as_much(other: Rule, rule: Rule) -> bool:
    """Whether a decision stays as it is when `rule` is true beside `other`."""
    if rule.guidance is not None and (other.guidance is None or other.guidance < rule.guidance):
        return False
    if other.disposition != rule.disposition:
        return other.disposition > rule.disposition
    sooner = rule.within_hours is not None and (other.within_hours is None or other.within_hours > rule.within_hours)
    same_call = other.call == rule.call or other.call.rank > rule.call.rank
    return same_call and not sooner


def _rows_never_reached(ruleset: Ruleset, space: Space) -> Iterator[Problem]:
    """Programme rows that an earlier row keeps from everybody."""
    before: list[tuple[ProgrammeRow, Alternatives]] = []
    for row in ruleset.programme:
        if row.when is None:
            return
        applies = space.holding(row.when, NOT_FALSE if row.applies_unknown else TRUE)
        for earlier, taken in before:
            if applies and implies(applies, taken):
                message = f"row `{row.id}` is never reached: `{earlier.id}` applies first (line {earlier.span.line})"
                yield warning("unreachable-row", row.span, message, "move it up, or narrow the other")
                break
        before.append((row, applies))


def _shown(item: Advice, ruleset: Ruleset, space: Space) -> Alternatives:
    """When an advice item is shown: its `when` holds, and nothing hides it."""
    hiding = [it.hide_when for it in ruleset.policies.values() if item.kind in it.kinds]
    parts = [space.holding(each, FALSE) for each in (item.hide_when, *hiding) if each is not None]
    return space.together([*([space.holding(item.when)] if item.when is not None else []), *parts])


def _texts_that_contradict(ruleset: Ruleset, shown: dict[str, Alternatives]) -> Iterable[Problem]:
    """Advice that its author called contradicting, and of which one never comes without the other."""
    for item in ruleset.advice.values():
        for number, name in enumerate(item.contradicts):
            one, other = shown[item.id], shown[name]
            if not one or not other:
                continue
            span = ruleset.place("advice", item.id, "contradicts", number)
            for first, second, narrow, wide in ((item.id, name, one, other), (name, item.id, other, one)):
                if implies(narrow, wide):
                    message = f"`{first}` is never shown without `{second}`, and the two contradict each other"
                    help = "give one of them a `hide_when`, or change a `when`"
                    yield warning("contradicting-advice", span, message, help)
                    break
