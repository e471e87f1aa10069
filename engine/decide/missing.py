"""Open rules -> the next questions: what to ask so that the decision, or the programme, settles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from engine.decide.answers import Answers
from engine.decide.decision import NextQuestion, Ranks
from engine.decide.direct import FALSE, TRUE, UNKNOWN, Reading
from engine.decide.targets import Standing, Targets
from engine.rules.condition import Answered, Compare, Condition, FindingIs, Leaf, Sum, Unknown, leaves, members
from engine.rules.model import ProgrammeRow, Ruleset

DECIDED = (TRUE, FALSE, UNKNOWN)
"""Sets of outcomes in which one is left."""


class Untouched:
    """What is missing in each rule while nobody answered anything that it reads: the same for everybody."""

    def __init__(self, ruleset: Ruleset) -> None:
        blank = Reading(ruleset, Answers({}, frozenset()))
        self._rules = {
            name: (frozenset(read_by(ruleset, rule.when)), undecided(blank, rule.when))
            for name, rule in ruleset.rules.items()
        }

    def missing(self, rule: str, answered: frozenset[str]) -> tuple[str, ...] | None:
        """The missing questions of a rule, as `undecided` has them; None where it reads any that was answered."""
        reads, questions = self._rules[rule]
        return questions if reads.isdisjoint(answered) else None


def next_questions(
    reading: Reading, ranks: Ranks, standing: Standing, untouched: Untouched
) -> tuple[NextQuestion, ...]:
    """The questions behind open rules above the floor: the most urgent disposition first, then by rule id.

    Only undecided parts of a rule are asked about, and only questions that can be asked now: where it is still open
    whether a question is asked at all, the questions that decide this come instead.
    """
    ruleset, answers = reading.ruleset, reading.answers
    floor = min(standing.dispositions)
    answered = answers.unknown.union(answers.values)
    search = _Search(reading)
    found: list[NextQuestion] = []
    for name in ranks.rules(standing.rules.possible - standing.rules.certain):
        rule = ruleset.rules[name]
        if rule.disposition > floor:
            known = untouched.missing(name, answered)
            if known is None:
                search.undecided(rule.when)
            else:
                search.found.update(dict.fromkeys(known))
            if new := len(search.found) - len(found):
                last = islice(reversed(search.found), new)  # from its end: to pass all before would take long
                found += [NextQuestion(question, rule.disposition) for question in reversed((*last,))]
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


def read_by(ruleset: Ruleset, condition: Condition) -> tuple[str, ...]:
    """Every question on whose answer the reason or obstacle of a rule with this condition can depend.

    Those that it names, by itself or by its findings; and those that decide whether one of these is asked.
    """
    found: dict[str, None] = {}
    conditions = [condition]
    while conditions:
        for leaf in leaves(conditions.pop()):
            if isinstance(leaf, FindingIs):
                conditions.append(ruleset.findings[leaf.finding].when)
            for question in _named(leaf):
                if question not in found:
                    found[question] = None
                    conditions.extend(gates(ruleset, question))
    return tuple(found)


def _named(leaf: Leaf) -> Iterator[str]:
    """The questions that a leaf names."""
    if isinstance(leaf, Compare | Unknown | Answered):
        yield leaf.question
    if isinstance(leaf, Compare):
        for operand in leaf.operands:
            if isinstance(operand, Sum):
                yield from (term.question for term in operand.terms)


def gates(ruleset: Ruleset, question: str) -> Iterator[Condition]:
    """The conditions under which a question is asked: its own, and that of its group."""
    entry = ruleset.questions[question]
    group = ruleset.groups[entry.group] if entry.group else None
    for gate in (entry.asked_when, None if group is None else group.asked_when):
        if gate is not None:
            yield gate


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
        for gate in reversed((*gates(reading.ruleset, question),)):  # what the whole group hangs on comes first
            self.undecided(gate)
