"""Whether a record is settled, exactly: what `decide` bounds from above, asked of all completions at once.

`decide` lets each literal vary on its own, so it may still call a rule open that no further answers can make true. That
errs towards care. Here the solver looks for the answers themselves.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.decide.answers import UNKNOWN, Given
from engine.decide.decision import Outcome
from engine.decide.direct import FALSE, Reading
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError
from engine.prove.conditions import readers
from engine.prove.logic import Formula, both
from engine.prove.obligations import milder
from engine.prove.outcome import SymbolicOutcome
from engine.prove.pairs import applies, completion, numbers
from engine.prove.patient import Patient, answer_domain, free_answer, pinned
from engine.prove.solving import Solver
from engine.rules.model import NO, NOTHING, CheckedRuleset, Question, QuestionType, Ruleset
from engine.rules.scale import Disposition


@dataclass(frozen=True, slots=True)
class Exact:
    """A record beside what is exactly so: the ceiling, and those of its open rules and next questions that matter."""

    answers: Mapping[str, Given]
    bound: Outcome
    ceiling: Disposition
    open_rules: tuple[str, ...]
    next_questions: tuple[str, ...]

    @property
    def settled(self) -> bool:
        """Whether no further answer can raise the disposition."""
        return self.bound.floor is self.ceiling

    @property
    def idle_rules(self) -> tuple[str, ...]:
        """Rules that `decide` calls open and that no further answers can make true."""
        return tuple(name for name in self.bound.open_rules if name not in self.open_rules)

    @property
    def idle_questions(self) -> tuple[str, ...]:
        """Questions that `decide` would ask next and whose answer can change the disposition of no completed record."""
        return tuple(each.question for each in self.bound.next_questions if each.question not in self.next_questions)


class ExactTest:
    """A ruleset whose records are to be looked at one after the other."""

    def __init__(self, checked: CheckedRuleset) -> None:
        self.evaluator = Evaluator(checked)
        self._ruleset = checked.ruleset
        self._readers = readers(checked.ruleset)

    def look(self, answers: Mapping[str, Given], budget: float = 30.0) -> Exact:
        """What is exactly so for one record. Raises AnswersError where it is refused, OutOfTime above the budget."""
        bound = self.evaluator.evaluate(self.evaluator.read(answers)).outcome
        record = pinned(self._ruleset.questions, answers)
        later, applicable = completion(self._ruleset, record)
        solver = Solver(budget)
        solver.require(later.accepted, applicable)
        reached = [each for each in Disposition if each > bound.floor and solver.find(later.floor_at_least[each])]
        rules = tuple(name for name in bound.open_rules if solver.find(later.certain[name]))
        questions = tuple(
            each.question for each in bound.next_questions if solver.find(self._matters(record, later, each.question))
        )
        return Exact(answers, bound, max(reached, default=bound.floor), rules, questions)

    def _matters(self, record: Patient, later: SymbolicOutcome, question: str) -> Formula:
        """Whether another answer, with all that is asked because of it, changes what a completed record comes to."""
        other, domain = later, list[Formula]()
        hanging = (name for name in self._ruleset.questions if name in self._readers.asked[question])
        for name in (question, *hanging):
            if record.answers[name].missing is True:
                answer = free_answer(self._ruleset.questions[name], "another")
                domain.extend(answer_domain(self._ruleset.questions[name], answer))
                other = other.but(name, answer, self._readers)
        return both(
            (
                later.complete,
                other.complete,
                other.accepted,
                applies(record, other),
                *domain,
                milder(later.floor_at_least, other.floor_at_least),
            )
        )


def sample(evaluator: Evaluator, count: int, seed: int) -> Iterator[dict[str, Given]]:
    """Records in the middle of an interview, seeded: a random share of what could be asked is answered."""
    rng = random.Random(seed)
    ruleset = evaluator.checked.ruleset
    for _ in range(count):
        share = rng.random()
        record: dict[str, Given] = {}
        for question in ruleset.questions.values():
            if rng.random() >= share:
                continue
            further = {**record, question.id: _random_answer(rng, ruleset, question)}
            try:
                reading = Reading(ruleset, evaluator.read(further))
            except AnswersError:
                continue
            if reading.asked(question.id) != FALSE:
                record = further
        yield record


UNKNOWN_SHARE, REMARKABLE_SHARE = 0.05, 0.15
"""Of the answers of a sampled record: most people know, and deny most of what they are asked."""


def _random_answer(rng: random.Random, ruleset: Ruleset, question: Question) -> Given:
    if rng.random() < UNKNOWN_SHARE:
        return UNKNOWN
    if question.type.is_number:
        return Given(question.type, rng.choice(numbers(ruleset, question)))
    options = question.options
    if question.type is QuestionType.SEVERAL:
        return Given(question.type, tuple(each for each in options if rng.random() < REMARKABLE_SHARE) or options[:1])
    denial = [each for each in options if each in (NO, NOTHING)]
    return Given(question.type, denial[0] if denial and rng.random() >= REMARKABLE_SHARE else rng.choice(options))


def measure(checked: CheckedRuleset, count: int, seed: int, budget: float = 30.0) -> Iterator[Exact]:
    """What is exactly so for `count` sampled records; `budget` is in seconds for each of them."""
    test = ExactTest(checked)
    for answers in sample(test.evaluator, count, seed):
        yield test.look(answers, budget)
