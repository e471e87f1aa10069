"""A decision -> reasons: the answers behind each true rule, and why the next-higher disposition does not hold."""

from __future__ import annotations

from dataclasses import dataclass

from engine.decide.decision import Outcome
from engine.decide.direct import FALSE, TRUE, UNKNOWN, Reading
from engine.decide.missing import gates, undecided
from engine.rules.condition import (
    All,
    Answered,
    AnyOf,
    Compare,
    Condition,
    Count,
    FindingIs,
    Not,
    Sum,
    Surely,
    Unknown,
    Unless,
)
from engine.rules.model import Ruleset
from engine.rules.scale import Disposition


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule, and the questions whose answers made it true or keep it from being true."""

    rule: str
    questions: tuple[str, ...]
    open: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why this decision. `obstacles` are the rules of `next_higher`, which is None where nothing is more urgent."""

    reasons: tuple[Reason, ...]
    next_higher: Disposition | None
    obstacles: tuple[Reason, ...]


def explain(reading: Reading, outcome: Outcome) -> Explanation:
    """The explanation of an outcome that was reached on this reading."""
    reasons = tuple(reason(reading, name) for name in outcome.rules)
    target, names = next_higher(reading.ruleset, outcome)
    return Explanation(reasons, target, tuple(obstacle(reading, name) for name in names))


def reason(reading: Reading, name: str) -> Reason:
    """The answers that made a rule true. The default rule has no answers behind it."""
    rule = reading.ruleset.rules.get(name)
    return Reason(name, () if rule is None else support(reading, rule.when, TRUE))


def next_higher(ruleset: Ruleset, outcome: Outcome) -> tuple[Disposition | None, tuple[str, ...]]:
    """The disposition above the floor, None where nothing is more urgent, and its rules that are not true, by id."""
    target = min(
        (rule.disposition for rule in ruleset.rules.values() if rule.disposition > outcome.floor), default=None
    )
    found = (name for name, rule in ruleset.rules.items() if rule.disposition is target and name not in outcome.rules)
    return target, tuple(sorted(found))


def obstacle(reading: Reading, name: str) -> Reason:
    """Why a rule is not true."""
    condition = reading.ruleset.rules[name].when
    if reading.outcomes(condition) & TRUE:
        return Reason(name, undecided(reading, condition), open=True)
    return Reason(name, support(reading, condition, FALSE | UNKNOWN))


def support(reading: Reading, condition: Condition, accept: int) -> tuple[str, ...]:
    """The questions because of which `condition` can have no outcome outside `accept`; in order, each once."""
    found: dict[str, None] = {}
    _support(reading, condition, accept, found)
    return tuple(found)


def _support(reading: Reading, condition: Condition, accept: int, found: dict[str, None]) -> None:
    match condition:
        case Compare(question, _, operands):
            _answer(reading, question, found)
            for operand in operands:
                if isinstance(operand, Sum):
                    found.update(dict.fromkeys(term.question for term in operand.terms))
        case Unknown(question) | Answered(question):
            _answer(reading, question, found)
        case All(parts) | AnyOf(parts) | Count(_, parts):
            for part in parts:
                if not reading.outcomes(part) & ~accept:
                    _support(reading, part, accept, found)
        case FindingIs(name):
            _support(reading, reading.ruleset.findings[name].when, accept, found)
        case Not(part):
            _support(reading, part, _negated(accept), found)
        case Unless(part):
            _support(reading, part, TRUE if accept & FALSE else FALSE | UNKNOWN, found)
        case Surely(part):
            _support(reading, part, FALSE | UNKNOWN if accept & FALSE else TRUE, found)
        case _:
            return


def _answer(reading: Reading, question: str, found: dict[str, None]) -> None:
    """The question; or, where it is not applicable, the answers that make it so."""
    if question in reading.answers.values or reading.asked(question) != FALSE:
        found[question] = None
        return
    for gate in gates(reading.ruleset, question):
        if reading.outcomes(gate) == FALSE:
            _support(reading, gate, FALSE, found)


def _negated(accept: int) -> int:
    return accept & UNKNOWN | (TRUE if accept & FALSE else 0) | (FALSE if accept & TRUE else 0)
