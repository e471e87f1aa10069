"""Open rules -> the next questions: what to ask so that the decision, or the programme, settles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.decide.decision import NextQuestion, Ranks
from engine.decide.direct import FALSE, OPEN, Reading
from engine.decide.targets import Standing, Targets
from engine.rules.condition import (
    Answered,
    Compare,
    Condition,
    FindingIs,
    Unknown,
    members,
)
from engine.rules.model import ProgrammeRow


def next_questions(reading: Reading, ranks: Ranks, standing: Standing) -> tuple[NextQuestion, ...]:
    """The questions behind open rules above the floor: the most urgent disposition first, then by rule id.

    Only undecided parts of a rule are asked about, and only questions that can be asked now: where it is still open
    whether a question is asked at all, the questions that decide this come instead.
    """
    ruleset = reading.ruleset
    floor = min(standing.dispositions)
    found: dict[str, NextQuestion] = {}
    for name in ranks.rules(standing.rules.possible - standing.rules.certain):
        rule = ruleset.rules[name]
        if rule.disposition > floor:
            for question in undecided(reading, rule.when):
                found.setdefault(question, NextQuestion(question, rule.disposition))
    return tuple(found.values())


def programme_questions(reading: Reading, rows: Iterable[ProgrammeRow], targets: Targets) -> tuple[str, ...]:
    """The questions that would settle which of these rows applies, in the order of the table."""
    found: dict[str, None] = {}
    for row in rows:
        if row.id in targets.programme:
            found.update(dict.fromkeys(undecided(reading, targets.programme[row.id])))
    return tuple(found)


def undecided(reading: Reading, condition: Condition) -> Iterator[str]:
    """The missing questions in the parts of `condition` that are undecided, in order, with repetitions."""
    if _decided(reading.outcomes(condition)):
        return
    match condition:
        case Compare(question) | Unknown(question) | Answered(question):
            yield from _askable(reading, question)
        case FindingIs(name):
            yield from undecided(reading, reading.ruleset.findings[name].when)
        case _:
            for member in members(condition):
                yield from undecided(reading, member)


def _askable(reading: Reading, question: str) -> Iterator[str]:
    if not reading.asked(question) & FALSE:
        yield question
        return
    entry = reading.ruleset.questions[question]
    group = reading.ruleset.groups[entry.group].asked_when if entry.group else None
    for gate in (group, entry.asked_when):
        if gate is not None:
            yield from undecided(reading, gate)


def _decided(outcomes: int) -> bool:
    """Whether one outcome is left."""
    return outcomes & (outcomes - 1) & OPEN == 0
