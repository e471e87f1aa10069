"""One patient as unknowns of the solver: for every question the state of its answer, and its value.

An answer is a value (`given`), `unknown`, or missing (neither). A value is a number, or for each option whether it was
chosen. Ranges are those that the ruleset declares, so that a patient who is found can be put to the evaluators.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Context, Decimal
from fractions import Fraction

import z3

from engine.decide.answers import UNKNOWN, Given
from engine.prove.logic import Formula, both, differ, either, no, term
from engine.rules.condition import Value
from engine.rules.model import NO, NOTHING, YES, Question, QuestionType, Ruleset

DIGITS = 12
"""To so many digits a fraction of the solver's is written as an answer, where it has no finite decimal form."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question. `options` are exclusive but for `several`; `number` is None where they count."""

    given: Formula
    unknown: Formula
    options: Mapping[str, Formula] = field(default_factory=dict)
    number: z3.ArithRef | None = None

    @property
    def missing(self) -> Formula:
        return both((no(self.given), no(self.unknown)))


@dataclass(frozen=True, slots=True)
class Patient:
    """Answers to all questions of a ruleset, and what has to hold of them (`domain`) to be answers at all."""

    questions: Mapping[str, Question]
    answers: Mapping[str, Answer]
    domain: tuple[Formula, ...]

    def but(self, question: str, answer: Answer) -> Patient:
        """The same patient with another answer to one question."""
        return Patient(self.questions, {**self.answers, question: answer}, self.domain)

    def read(self, model: z3.ModelRef) -> dict[str, Given]:
        """The answers in a model of the solver, in the order of the questions; missing ones are left out."""
        found: dict[str, Given] = {}
        for name, answer in self.answers.items():
            if _holds(model, answer.unknown):
                found[name] = UNKNOWN
            elif _holds(model, answer.given):
                found[name] = _value(model, self.questions[name], answer)
        return found


def free(ruleset: Ruleset, name: str = "") -> Patient:
    """A patient of whom nothing is known yet; `name` tells the unknowns of one patient from another's."""
    answers: dict[str, Answer] = {}
    domain: list[Formula] = []
    for question in ruleset.questions.values():
        answers[question.id] = free_answer(question, name)
        domain.extend(answer_domain(question, answers[question.id]))
    return Patient(ruleset.questions, answers, tuple(domain))


def free_answer(question: Question, name: str = "") -> Answer:
    """An answer of which nothing is known yet."""
    stem = f"{name}:{question.id}"
    given, unknown = z3.Bool(f"{stem}?given"), z3.Bool(f"{stem}?unknown")
    if question.type.is_number:
        sort = z3.Int if question.type is QuestionType.INTEGER else z3.Real
        return Answer(given, unknown, number=sort(stem))
    if question.type is QuestionType.YES_NO:
        said = z3.Bool(stem)
        return Answer(given, unknown, {YES: said, NO: z3.Not(said)})
    return Answer(given, unknown, {option: z3.Bool(f"{stem}={option}") for option in question.options})


def answer_domain(question: Question, answer: Answer) -> Iterator[Formula]:
    """What has to hold of an answer: one state, a number in its range, one option, or at least one of several."""
    yield no(both((answer.given, answer.unknown)))
    if answer.number is not None:
        if question.low is not None:
            yield answer.number >= z3.Q(*question.low.as_integer_ratio())
        if question.high is not None:
            yield answer.number <= z3.Q(*question.high.as_integer_ratio())
    elif question.type is QuestionType.CHOICE:
        yield z3.PbEq([(term(chosen), 1) for chosen in answer.options.values()], 1)
    elif question.type is QuestionType.SEVERAL:
        yield either(answer.options.values())


def settled_answer(question: Question, value: Value | tuple[str, ...]) -> Answer:
    """A value as an answer that leaves nothing open."""
    if question.type.is_number:
        if not isinstance(value, int | Decimal):
            raise TypeError(f"`{question.id}` takes a number")
        exact = Decimal(value)
        number = z3.IntVal(int(exact)) if question.type is QuestionType.INTEGER else z3.Q(*exact.as_integer_ratio())
        return Answer(True, False, number=number)
    chosen = value if isinstance(value, tuple) else (value,)
    return Answer(True, False, {option: option in chosen for option in question.options or (YES, NO)})


def unknown_answer(question: Question) -> Answer:
    """*Unknown*: asked, and the person does not know."""
    return _nothing(question, unknown=True)


def missing_answer(question: Question) -> Answer:
    """Not asked yet."""
    return _nothing(question, unknown=False)


def _nothing(question: Question, unknown: Formula) -> Answer:
    if question.type.is_number:
        return Answer(False, unknown, number=z3.IntVal(0) if question.type is QuestionType.INTEGER else z3.RealVal(0))
    return Answer(False, unknown, dict.fromkeys(question.options or (YES, NO), False))


def pinned(questions: Mapping[str, Question], answers: Mapping[str, Given]) -> Patient:
    """A patient whose answers are known: what is not in `answers` is missing."""
    found: dict[str, Answer] = {}
    for name, question in questions.items():
        known = answers.get(name)
        if known is None:
            found[name] = missing_answer(question)
        else:
            found[name] = unknown_answer(question) if known.kind is None else settled_answer(question, known.value)
    return Patient(questions, found, ())


def differs(one: Answer, other: Answer) -> Formula:
    """Whether two answers to the same question are not the same."""
    states = either((differ(one.given, other.given), differ(one.unknown, other.unknown)))
    if one.number is not None and other.number is not None:
        values: Formula = one.number != other.number
    else:
        values = either(differ(one.options[option], other.options[option]) for option in one.options)
    return either((states, both((one.given, other.given, values))))


def remarkable_last(patient: Patient) -> list[Formula]:
    """Wishes for a patient who is easy to read: each answer denies or, where it cannot, is missing."""
    return [_unremarkable(patient.questions[name], answer) for name, answer in patient.answers.items()]


def _unremarkable(question: Question, answer: Answer) -> Formula:
    denial = NO if question.type is QuestionType.YES_NO else NOTHING
    if denial in answer.options and question.type is not QuestionType.SEVERAL:
        return both((answer.given, answer.options[denial]))
    return answer.missing


def _holds(model: z3.ModelRef, formula: Formula) -> bool:
    return formula if isinstance(formula, bool) else z3.is_true(model.eval(formula, model_completion=True))


def _value(model: z3.ModelRef, question: Question, answer: Answer) -> Given:
    if answer.number is None:
        chosen = tuple(option for option, formula in answer.options.items() if _holds(model, formula))
        several = question.type is QuestionType.SEVERAL
        return Given(question.type, chosen if several else chosen[0])
    exact = model.eval(answer.number, model_completion=True)
    if question.type is QuestionType.INTEGER:
        return Given(question.type, exact.as_long())
    fraction: Fraction = exact.as_fraction()
    return Given(question.type, _decimal(fraction))


def _decimal(fraction: Fraction) -> Decimal:
    """A fraction as a decimal, exactly where it has one."""
    context = Context(prec=DIGITS, rounding=ROUND_FLOOR)
    exact = Context(prec=60).divide(Decimal(fraction.numerator), Decimal(fraction.denominator))
    return exact.normalize() if Fraction(exact) == fraction else context.plus(exact)
