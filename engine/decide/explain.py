"""A decision -> reasons: the answers behind each true rule, and why the next-higher disposition does not hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.decide.decision import Outcome
from engine.decide.direct import FALSE, TRUE, UNKNOWN, Reading
from engine.decide.missing import undecided
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
    """The explanation of an outcome that was reached on this reading. The default rule has no answers behind it."""
    rules = reading.ruleset.rules
    reasons = tuple(
        Reason(name, tuple(support(reading, rules[name].when, TRUE)) if name in rules else ()) for name in outcome.rules
    )
    higher = [rule.disposition for rule in rules.values() if rule.disposition > outcome.floor]
    if not higher:
        return Explanation(reasons, None, ())
    target = min(higher)
    obstacles = tuple(
        _obstacle(reading, name, rules[name].when)
        for name in sorted(rules)
        if rules[name].disposition is target and name not in outcome.rules
    )
    return Explanation(reasons, target, obstacles)


def _obstacle(reading: Reading, name: str, condition: Condition) -> Reason:
    if reading.outcomes(condition) & TRUE:
        return Reason(name, tuple(dict.fromkeys(undecided(reading, condition))), open=True)
    return Reason(name, tuple(support(reading, condition, FALSE | UNKNOWN)))


def support(reading: Reading, condition: Condition, accept: int) -> dict[str, None]:
    """The questions because of which `condition` can have no outcome outside `accept`; in order, each once."""
    return dict.fromkeys(_support(reading, condition, accept))


def _support(reading: Reading, condition: Condition, accept: int) -> Iterator[str]:
    match condition:
        case All(parts) | AnyOf(parts) | Count(_, parts):
            for part in parts:
                if not reading.outcomes(part) & ~accept:
                    yield from _support(reading, part, accept)
        case Not(part):
            yield from _support(reading, part, _negated(accept))
        case Unless(part):
            yield from _support(reading, part, TRUE if accept & FALSE else FALSE | UNKNOWN)
        case Surely(part):
            yield from _support(reading, part, FALSE | UNKNOWN if accept & FALSE else TRUE)
        case FindingIs(name):
            yield from _support(reading, reading.ruleset.findings[name].when, accept)
        case Compare(question, _, operands):
            yield from _answer(reading, question)
            for operand in operands:
                if isinstance(operand, Sum):
                    yield from (term.question for term in operand.terms)
        case Unknown(question) | Answered(question):
            yield from _answer(reading, question)
        case _:
            return


def _answer(reading: Reading, question: str) -> Iterator[str]:
    """The question; or, where it is not applicable, the answers that make it so."""
    if question in reading.answers.values or reading.asked(question) != FALSE:
        yield question
        return
    entry = reading.ruleset.questions[question]
    gates = [entry.asked_when, reading.ruleset.groups[entry.group].asked_when if entry.group else None]
    for gate in gates:
        if gate is not None and reading.outcomes(gate) == FALSE:
            yield from _support(reading, gate, FALSE)


def _negated(accept: int) -> int:
    return accept & UNKNOWN | (TRUE if accept & FALSE else 0) | (FALSE if accept & TRUE else 0)
