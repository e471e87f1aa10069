"""What the cases of a ruleset could show: every rule, finding, branch, threshold and text, with its place.

An aim is one thing that some case should show, such as a patient in whom one member of a rule decides about it. Where
no case shows it, `missed` says so in the author's words. Whether any patient at all could show it is not asked here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from engine.author.masking import Path, can_be_unknown
from engine.author.written import written
from engine.decide.answers import plain_number
from engine.decide.direct import FALSE, TRUE, UNKNOWN
from engine.rules.condition import AnyOf, Compare, Condition, FindingIs, Not, Operator, Surely, Unless, leaves, members
from engine.rules.model import Default, Group, Question, QuestionType, Rule, Ruleset
from engine.rules.scale import Disposition
from engine.rules.source import Span


class Kind(Enum):
    """What is counted, each by itself. What an unknown answer decides is told apart and not in the percentage."""

    RULES = "rules"
    FINDINGS = "findings"
    BRANCHES = "branches"
    THRESHOLDS = "thresholds"
    TEXTS = "texts"
    UNKNOWNS = "unknowns"


@dataclass(frozen=True, slots=True)
class Owner:
    """The part of the ruleset to which an aim belongs. `disposition` is the most urgent that hangs on it."""

    what: str
    id: str
    disposition: Disposition | None = None

    @property
    def title(self) -> str:
        urgency = "" if self.disposition is None else f" ({self.disposition.word})"
        return f"{self.what} {self.id}{urgency}"


@dataclass(frozen=True, slots=True)
class Boundary:
    """A value at a threshold, or within one step of it: `direction` -1 below, 0 exactly there, 1 above."""

    question: str
    bound: Decimal
    direction: int
    step: Decimal

    def reached(self, value: Decimal) -> bool:
        """Whether a value is there.

        >>> below = Boundary("age", Decimal(60), -1, Decimal(1))
        >>> [below.reached(Decimal(value)) for value in (58, 59, 60)]
        [False, True, False]
        """
        away = (value - self.bound) * self.direction
        return value == self.bound if self.direction == 0 else 0 < away <= self.step


@dataclass(frozen=True, slots=True)
class Aim:
    """One thing that a case can show.

    `part` is the member or comparison in the author's words, empty for the whole; `side` what of it is to be seen.
    """

    kind: Kind
    owner: Owner
    part: str
    side: str
    missed: str
    span: Span
    boundary: Boundary | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A condition that is measured. It takes effect when no outcome outside `accept` is possible.

    `key` is the word of the file that holds it: `when`, `hide_when` or `asked_when`.
    """

    owner: Owner
    key: str
    condition: Condition
    accept: int = TRUE

    @property
    def subject(self) -> str:
        """As a sentence names it."""
        return f"`{self.owner.id}`" if self.key == "when" else f"the `{self.key}` of `{self.owner.id}`"


RULE, FINDING, DEFAULT = "rule", "finding", "default"
SIDES = {TRUE: "true", FALSE: "false", UNKNOWN: "unknown"}
DECIDING = "deciding"


def conditions(ruleset: Ruleset) -> Iterator[Measured]:
    """Every condition that cases can reach, with when it takes effect: all but those of `refuse`."""
    urgency = _urgency(ruleset)
    for rule in ruleset.rules.values():
        yield Measured(Owner(RULE, rule.id, rule.disposition), "when", rule.when)
    for finding in ruleset.findings.values():
        yield Measured(Owner(FINDING, finding.id, urgency.get(finding.id)), "when", finding.when)
    asked_of: tuple[Group | Question, ...] = (*ruleset.groups.values(), *ruleset.questions.values())
    for asked in asked_of:
        if asked.asked_when is not None:  # a question drops out when it is certainly not asked
            what = "group" if isinstance(asked, Group) else "question"
            yield Measured(Owner(what, asked.id), "asked_when", asked.asked_when, FALSE)
    for row in ruleset.programme:
        if row.when is not None:
            accept = TRUE | UNKNOWN if row.applies_unknown else TRUE
            yield Measured(Owner("programme row", row.id), "when", row.when, accept)
    for item in ruleset.advice.values():
        if item.when is not None:
            yield Measured(Owner("advice", item.id), "when", item.when)
        if item.hide_when is not None:  # a text is shown when it is certainly not hidden
            yield Measured(Owner("advice", item.id), "hide_when", item.hide_when, FALSE)
    for policy in ruleset.policies.values():
        yield Measured(Owner("advice policy", policy.id), "hide_when", policy.hide_when, FALSE)
    for net in ruleset.safety_net.values():
        if net.when is not None:
            yield Measured(Owner("safety net", net.id), "when", net.when)


def _urgency(ruleset: Ruleset) -> dict[str, Disposition]:
    """Of each finding the most urgent disposition of a rule that reads it, itself or through other findings."""
    found: dict[str, Disposition] = {}

    def reach(condition: Condition, disposition: Disposition) -> None:
        for leaf in leaves(condition):
            if isinstance(leaf, FindingIs) and found.get(leaf.finding, 0) < disposition:
                found[leaf.finding] = disposition
                reach(ruleset.findings[leaf.finding].when, disposition)

    for rule in ruleset.rules.values():
        reach(rule.when, rule.disposition)
    return found


def whole_aims(ruleset: Ruleset, measured: Measured) -> Iterator[tuple[str, Aim]]:
    """Of a rule or finding by side: that it was true, false and, for a rule, the one that decided."""
    owner, subject = measured.owner, measured.subject
    kind = Kind.RULES if owner.what == RULE else Kind.FINDINGS
    span = (ruleset.rules if owner.what == RULE else ruleset.findings)[owner.id].span
    yield "true", Aim(kind, owner, "", "true", f"no case has a patient in whom {subject} holds", span)
    yield "false", Aim(kind, owner, "", "false", f"no case has a patient in whom {subject} surely does not hold", span)
    if owner.what == RULE:
        yield DECIDING, Aim(kind, owner, "", DECIDING, f"no case has a patient for whom {subject} decides", span)


def default_aim(ruleset: Ruleset) -> Aim:
    """That no rule held and the default decided."""
    default = ruleset.default
    missed = f"no case has a patient for whom no rule holds, so that `{default.id}` decides"
    return Aim(Kind.RULES, Owner(DEFAULT, default.id, default.disposition), "", DECIDING, missed, default.span)


def branch_aims(ruleset: Ruleset, measured: Measured) -> Iterator[tuple[Path, int, Aim]]:
    """Of each member both sides and, of a leaf that an unknown answer can leave unknown, that side too.

    `not`, `unless` and `surely` stand for what is in them. The whole of a rule or finding has aims of its own kind.
    """
    for path, part, upright, only in _members(measured.condition, (), True, True):
        leaf = not members(part)
        if path or measured.owner.what not in (RULE, FINDING):
            for side in (TRUE, FALSE):
                missed = _missed_branch(measured.subject, part, path, side, upright, only)
                yield path, side, Aim(Kind.BRANCHES, measured.owner, written(part), SIDES[side], missed, part.span)
        if leaf and can_be_unknown(ruleset, part):
            missed = (
                f"no case has a patient in whom `{written(part)}` is unknown, and that decides about {measured.subject}"
            )
            yield path, UNKNOWN, Aim(Kind.UNKNOWNS, measured.owner, written(part), "unknown", missed, part.span)


def _members(
    condition: Condition, path: Path, upright: bool, only: bool
) -> Iterator[tuple[Path, Condition, bool, bool]]:
    """Every member with its path; whether the whole moves with it, not against it; whether only `any` is around."""
    turned = isinstance(condition, Not | Unless)
    if not isinstance(condition, Not | Unless | Surely):
        yield path, condition, upright, only
    for number, part in enumerate(members(condition)):
        alone = only and isinstance(condition, AnyOf)
        yield from _members(part, (*path, number), upright != turned, alone)


def _missed_branch(subject: str, part: Condition, path: Path, side: int, upright: bool, only: bool) -> str:
    holds = (side == TRUE) == upright
    if not path:
        return f"no case has a patient in whom {subject} {'holds' if holds else 'surely does not hold'}"
    if holds and only:
        return f"no case has a patient in whom {subject} holds only because of `{written(part)}`"
    told = "holds, and would not" if holds else "does not hold, and would"
    return f"no case has a patient in whom {subject} {told} {'without' if side == TRUE else 'with'} `{written(part)}`"


def threshold_aims(ruleset: Ruleset, measured: Measured, steps: dict[str, Decimal]) -> Iterator[Aim]:
    """Of each comparison with a number the values on both sides of it, as far as answers can have them."""
    for leaf in leaves(measured.condition):
        if not isinstance(leaf, Compare) or not (question := ruleset.questions[leaf.question]).type.is_number:
            continue
        bounds = [Decimal(each) for each in leaf.operands if isinstance(each, int | Decimal)]
        for bound in bounds:
            for direction, holds in _SIDES_OF[leaf.operator]:
                boundary = Boundary(question.id, bound, direction, steps[question.id])
                neighbour = bound + direction * boundary.step
                taken = direction != 0 and leaf.operator is Operator.IN and neighbour in bounds
                if _in_range(question, bound, direction) and not taken:
                    yield _threshold(measured.owner, question, leaf, boundary, holds)


_SIDES_OF = {
    Operator.IN: ((-1, False), (0, True), (1, False)),
    Operator.AT_LEAST: ((-1, False), (0, True)),
    Operator.AT_MOST: ((0, True), (1, False)),
    Operator.ABOVE: ((0, False), (1, True)),
    Operator.BELOW: ((-1, True), (0, False)),
}
"""By operator the sides of its bound, each with whether the comparison holds there."""


def _in_range(question: Question, bound: Decimal, direction: int) -> bool:
    if direction < 0:
        return question.low is None or bound > question.low
    return direction == 0 or question.high is None or bound < question.high


def _threshold(owner: Owner, question: Question, leaf: Compare, boundary: Boundary, holds: bool) -> Aim:
    told = f"with which `{written(leaf)}` {'holds' if holds else 'does not hold'}"
    if boundary.direction == 0:
        side = plain_number(boundary.bound)
        missed = f"no case has `{question.id}: {side}`, {told}"
    elif question.type is QuestionType.INTEGER:
        side = plain_number(boundary.bound + boundary.direction)
        missed = f"no case has `{question.id}: {side}`, {told}"
    else:
        word = "below" if boundary.direction < 0 else "above"
        side = f"{word} {plain_number(boundary.bound)}"
        missed = f"no case has `{question.id}` {side} by at most {plain_number(boundary.step)}, {told}"
    return Aim(Kind.THRESHOLDS, owner, written(leaf), side, missed, leaf.span, boundary)


def steps(ruleset: Ruleset) -> dict[str, Decimal]:
    """How near to a threshold is near: 1 for whole numbers, else the last digit with which any of them is written."""
    found = {each.id: Decimal(1) for each in ruleset.questions.values() if each.type.is_number}
    for measured in conditions(ruleset):
        for leaf in leaves(measured.condition):
            if isinstance(leaf, Compare):
                digits = [_last_digit(each) for each in leaf.operands if isinstance(each, Decimal)]
                found |= {leaf.question: min([found[leaf.question], *digits])} if digits else {}
    return found


def _last_digit(number: Decimal) -> Decimal:
    exponent = number.normalize().as_tuple().exponent
    return Decimal(1).scaleb(min(0, exponent)) if isinstance(exponent, int) else Decimal(1)


def text_aims(ruleset: Ruleset) -> Iterator[tuple[tuple[str, str], Aim]]:
    """Of each text that a decision can show, by its section and id; of the scales only what a rule or row can give."""
    givers: tuple[Rule | Default, ...] = (*ruleset.rules.values(), ruleset.default)
    reasons: dict[str, Disposition | None] = {row.because: None for row in ruleset.programme}
    reasons |= {each.because: each.disposition for each in sorted(givers, key=lambda each: each.disposition)}
    words: tuple[tuple[str, str, Mapping[str, Disposition | None]], ...] = (
        ("advice", "advice", dict.fromkeys(ruleset.advice)),
        ("safety_net", "safety net", dict.fromkeys(ruleset.safety_net)),
        ("programme", "programme row", dict.fromkeys(row.id for row in ruleset.programme)),
        ("reasons", "reason", reasons),
        ("dispositions", "disposition", {each.disposition.word: each.disposition for each in givers}),
        ("calls", "call", dict.fromkeys(each.call.word for each in givers)),
        ("guidance", "guidance", dict.fromkeys(each.guidance.word for each in ruleset.rules.values() if each.guidance)),
        ("programmes", "programme", dict.fromkeys(row.choice.word for row in ruleset.programme)),
    )
    for section, what, urgency in words:
        for name, disposition in urgency.items():
            aim = Aim(
                Kind.TEXTS,
                Owner(what, name, disposition),
                "",
                "shown",
                f"no case shows the {what} `{name}`",
                _text_place(ruleset, section, name),
            )
            yield (section, name), aim


def _text_place(ruleset: Ruleset, section: str, name: str) -> Span:
    """Where the part stands in the ruleset; of words that stand in no place of their own, their text."""
    rows = {row.id: row.span for row in ruleset.programme}
    match section:
        case "advice":
            return ruleset.advice[name].span
        case "safety_net":
            return ruleset.safety_net[name].span
        case "programme":
            return rows[name]
        case _:
            return ruleset.place("texts", ruleset.languages[0], section, name)
