"""Open rules -> the next questions: what to ask so that the decision, or the programme, settles."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from engine.decide.decision import NextQuestion, Ranks
from engine.decide.direct import FALSE, TRUE, UNKNOWN, Reading
from engine.decide.targets import Standing, Targets
from engine.rules.condition import Answered, Compare, Condition, FindingIs, Unknown, members
from engine.rules.model import ProgrammeRow

DECIDED = (TRUE, FALSE, UNKNOWN)
"""Sets of outcomes in which one is left."""


def next_questions(reading: Reading, ranks: Ranks, standing: Standing) -> tuple[NextQuestion, ...]:
    """The questions behind open rules above the floor: the most urgent disposition first, then by rule id.

    Only undecided parts of a rule are asked about, and only questions that can be asked now: where it is still open
    whether a question is asked at all, the questions that decide this come instead.
    """
    ruleset = reading.ruleset
    floor = min(standing.dispositions)
    search = _Search(reading)
    found: list[NextQuestion] = []
    for name in ranks.rules(standing.rules.possible - standing.rules.certain):
        rule = ruleset.rules[name]
        if rule.disposition > floor:
            search.undecided(rule.when)
            found += [NextQuestion(question, rule.disposition) for question in islice(search.found, len(found), None)]
    return tuple(found)


def programme_questions(reading: Reading, rows: Iterable[ProgrammeRow], targets: Targets) -> tuple[str, ...]:
    """The questions that would settle which of these rows applies, in the order of the table."""
    search = _Search(reading)
    for row in rows:
        if row.id in targets.programme:
            search.undecided(targets.programme[row.id])
    return tuple(search.found)


def undecided(reading: Reading, condition: Condition) -> tuple[str, ...]:
    """The missing questions in the parts of `condition` that are undecided, in order, each once."""
    search = _Search(reading)
    search.undecided(condition)
    return tuple(search.found)


class _Search:
    """Missing questions in the order in which they are met; what was searched before has no new ones."""

    def __init__(self, reading: Reading) -> None:
        self.found: dict[str, None] = {}
        self._reading = reading
        self._searched: set[int] = set()

    def undecided(self, condition: Condition) -> None:
        """Adds what is missing in the undecided parts of a condition, which outlives this search."""
        if id(condition) in self._searched or self._reading.outcomes(condition) in DECIDED:
            return
        self._searched.add(id(condition))
        match condition:
            case Compare(question) | Unknown(question) | Answered(question):
                self._ask(question)
            case FindingIs(name):
                self.undecided(self._reading.ruleset.findings[name].when)
            case _:
                for member in members(condition):
                    self.undecided(member)

    def _ask(self, question: str) -> None:
        reading = self._reading
        if not reading.asked(question) & FALSE:
            self.found[question] = None
            return
        entry = reading.ruleset.questions[question]
        group = reading.ruleset.groups[entry.group].asked_when if entry.group else None
        for gate in (group, entry.asked_when):
            if gate is not None:
                self.undecided(gate)
