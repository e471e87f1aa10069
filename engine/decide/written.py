"""The direct evaluator on functions that were written when the ruleset was loaded, as a Matcher.

It means what `direct.py` means, and like it shares no code with the inference network. Tests hold it against
`direct.py` on random pairs of ruleset and answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from engine.decide.answers import Answers, Order, Placed
from engine.decide.targets import Match, Standing, Targets
from engine.decide.writing import Ask, Earlier, Function, Writer
from engine.rules.condition import Condition
from engine.rules.model import Ruleset
from engine.rules.scale import Programme

CONDITIONS_OF_A_BLOCK = 64
"""Conditions that one function tells about; where no answer is given that it reads, it need not be called."""
NOTHING_EARLIER = Earlier()


@dataclass(frozen=True, slots=True)
class _Block:
    """Some conditions as one function, the questions that it reads, and what it gives before any is answered."""

    function: Function
    reads: frozenset[str]
    unanswered: list[str] | None
    """None: it depends on what earlier stages gave."""


class _Conditions:
    """The conditions of one stage, and what is asked of them."""

    def __init__(self, ruleset: Ruleset, order: Order, conditions: Mapping[str, Condition], ask: Ask) -> None:
        self._blocks = [*_blocks(ruleset, order, conditions, ask)]
        by_question: dict[str, set[int]] = {}
        for number, block in enumerate(self._blocks):
            for question in block.reads:
                by_question.setdefault(question, set()).add(number)
        self._by_question = {question: frozenset(numbers) for question, numbers in by_question.items()}

    def hold(self, placed: Placed, earlier: Earlier) -> frozenset[str]:
        """The ids of those of which it holds."""
        row = placed.row
        if len(self._blocks) == 1:
            return frozenset(self._blocks[0].function(row, earlier))
        answers, known = placed.answers, self._by_question
        read = (known[name] for name in (*answers.values, *answers.unknown) if name in known)
        touched = frozenset[int]().union(*read)
        found: list[str] = []
        for number, block in enumerate(self._blocks):
            if block.unanswered is None or number in touched:
                found += block.function(row, earlier)
            else:
                found += block.unanswered
        return frozenset(found)


def _blocks(ruleset: Ruleset, order: Order, conditions: Mapping[str, Condition], ask: Ask) -> Iterator[_Block]:
    blank = order.place(Answers({}, frozenset())).row
    rest = iter(conditions.items())
    while some := [*islice(rest, CONDITIONS_OF_A_BLOCK)]:
        writer = Writer(ruleset, order)
        function = writer.function(some, ask)
        unanswered = None if writer.reads_earlier else function(blank, NOTHING_EARLIER)
        yield _Block(function, frozenset(writer.reads), unanswered)


class _Stage:
    """The conditions of one stage: which are true, and which could be."""

    def __init__(self, ruleset: Ruleset, order: Order, conditions: Mapping[str, Condition]) -> None:
        self.certain = _Conditions(ruleset, order, conditions, Ask.TRUE)
        self.possible = _Conditions(ruleset, order, conditions, Ask.MAYBE_TRUE)


class Written:
    """The direct evaluator as a Matcher. Safe to share between threads."""

    def __init__(self, ruleset: Ruleset, order: Order, targets: Targets) -> None:
        self.rules = _Stage(ruleset, order, targets.rules)
        self.programme = _Stage(ruleset, order, targets.programme)
        self.texts = _Stage(ruleset, order, targets.texts)
        refusals = {name: refusal.when for name, refusal in ruleset.refusals.items()}
        self._refusals = _Conditions(ruleset, order, refusals, Ask.TRUE)

    def session(self, placed: Placed) -> WrittenSession:
        return WrittenSession(self, placed)

    def refused(self, placed: Placed) -> frozenset[str]:
        """The contradictions that certainly hold, by id."""
        return self._refusals.hold(placed, NOTHING_EARLIER)


class WrittenSession:
    """The functions at work on one patient's answers. What could be is asked only where something is missing."""

    def __init__(self, written: Written, placed: Placed) -> None:
        self._written = written
        self._placed = placed

    def rules(self) -> Match:
        return self._match(self._written.rules, NOTHING_EARLIER)

    def programme(self, standing: Standing) -> Match:
        rules = standing.rules
        return self._match(self._written.programme, Earlier(standing.dispositions, rules.certain, rules.possible))

    def texts(self, standing: Standing, programmes: frozenset[Programme]) -> Match:
        rules = standing.rules
        earlier = Earlier(standing.dispositions, rules.certain, rules.possible, programmes)
        return self._match(self._written.texts, earlier)

    def _match(self, stage: _Stage, earlier: Earlier) -> Match:
        certain = stage.certain.hold(self._placed, earlier)
        if not self._placed.missing:
            return Match(certain, certain)
        return Match(certain, stage.possible.hold(self._placed, earlier))
