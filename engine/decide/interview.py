"""In which order to ask: the next screen of an interview, danger first, until nothing more can change what follows.

It decides nothing. What is asked comes from the evaluation of the answers so far, and so does the end: an interview is
over when disposition and programme are settled, or when nothing is left to ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.decide.answers import Answers
from engine.decide.decision import Outcome
from engine.rules.condition import Condition, FindingIs, leaves
from engine.rules.model import Question, Ruleset
from engine.rules.scale import Disposition

MOST = 6
"""Questions on one screen."""


@dataclass(frozen=True, slots=True)
class Screen:
    """Questions to be shown together, in the order of the ruleset; of one group, or one question that has none.

    `deniable`: each can be answered with *no* or *none*, so that "none of these" answers all of them.
    """

    group: str
    questions: tuple[str, ...]
    deniable: bool


class Interview:
    """The order of one ruleset. `decide` gives what follows from answers, such as an evaluator's."""

    def __init__(self, ruleset: Ruleset, decide: Callable[[Answers], Outcome]) -> None:
        self._ruleset = ruleset
        self._decide = decide
        self._order = {name: number for number, name in enumerate(ruleset.questions)}
        self._readers = _readers(ruleset)

    def next(self, answers: Answers) -> tuple[Outcome, Screen | None]:
        """What follows from the answers so far, and what to ask now; None when the interview is over."""
        outcome = self._decide(answers)
        wanted = {each.question: each.disposition for each in outcome.next_questions}
        if not wanted and outcome.settled and outcome.programme.open:
            wanted = dict.fromkeys(outcome.programme.open_questions, outcome.floor)
        return outcome, self._screen(wanted, outcome) if wanted else None

    def _screen(self, wanted: Mapping[str, Disposition], outcome: Outcome) -> Screen:
        """The question that comes first, with those of its group that are as urgent."""
        open_rules = {name for name in outcome.open_rules if self._ruleset.rules[name].disposition > outcome.floor}

        def place(name: str) -> tuple[int, int, int]:
            return -wanted[name], -len(self._readers[name] & open_rules), self._order[name]

        first = min(wanted, key=place)
        group = self._ruleset.questions[first].group
        kin = [name for name in wanted if group and self._is_kin(name, first, wanted)]
        chosen = sorted(kin, key=place)[:MOST] or [first]
        chosen.sort(key=self._order.__getitem__)
        return Screen(group, tuple(chosen), all(_deniable(self._ruleset.questions[name]) for name in chosen))

    def _is_kin(self, name: str, first: str, wanted: Mapping[str, Disposition]) -> bool:
        questions = self._ruleset.questions
        return questions[name].group == questions[first].group and wanted[name] == wanted[first]


def _deniable(question: Question) -> bool:
    """Whether `none_of` its group would answer it."""
    return bool(question.group) and not question.yes_is_good and bool({"no", "none"} & set(question.options))


def _readers(ruleset: Ruleset) -> Mapping[str, frozenset[str]]:
    """The rules that read each question, also through findings."""
    found: dict[str, set[str]] = {name: set() for name in ruleset.questions}
    for rule in ruleset.rules.values():
        for name in _read_by(ruleset, rule.when):
            found[name].add(rule.id)
    return {name: frozenset(rules) for name, rules in found.items()}


def _read_by(ruleset: Ruleset, condition: Condition) -> set[str]:
    found: set[str] = set()
    for leaf in leaves(condition):
        if isinstance(leaf, FindingIs):
            found |= _read_by(ruleset, ruleset.findings[leaf.finding].when)
        elif (question := getattr(leaf, "question", None)) is not None:
            found.add(question)
    return found
