"""Patients whom the solver makes up: one under a random wish, one with a completion, and one under two versions.

What is read from a model must fare in the evaluators as the formulas say in that model. The other way round a record
that somebody made at random is put into the solver, and the formulas about two patients must come to what is so.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

import z3

from engine.decide.answers import read_answers
from engine.decide.decision import Outcome
from engine.decide.direct import FALSE, Reading
from engine.decide.evaluate import Evaluator
from engine.prove import pairs
from engine.prove import patient as patients
from engine.prove.conditions import readers
from engine.prove.difference import Comparison
from engine.prove.logic import Formula, both, either, no
from engine.prove.obligations import Subject, milder
from engine.prove.outcome import SymbolicOutcome
from engine.prove.patient import Patient as Unknowns
from engine.prove.patient import pinned
from engine.prove.replay import Seen, aspects, replay
from engine.prove.solving import Solver
from engine.rules.model import Question, QuestionType
from tests.decide.generate import Content, answer_texts, as_given, load_content
from tests.prove.compared import Holds, Patient, difference, random_answer
from tests.prove.rulesets import other_version

WISHES = 3
BUDGET = 60.0


def check(
    rng: random.Random, evaluator: Evaluator, content: Content, seen: Sequence[Patient], kinds: Counter[str]
) -> str:
    """Where a patient who was made up fares otherwise than the solver says; the three ways take turns."""
    subject = Subject(evaluator.checked)
    match kinds["made up"] % 3:
        case 0:
            found = _wishes(rng, evaluator, subject, seen, kinds)
        case 1:
            found = _completed(rng, evaluator, subject, content, kinds)
        case _:
            found = _versions(rng, evaluator, content, seen, kinds)
    kinds["made up"] += 1
    return found


def within(model: z3.ModelRef) -> Holds:
    """The value of a formula in a model."""
    return lambda formula: (
        formula if isinstance(formula, bool) else z3.is_true(model.eval(formula, model_completion=True))
    )


def _wishes(
    rng: random.Random, evaluator: Evaluator, subject: Subject, seen: Sequence[Patient], kinds: Counter[str]
) -> str:
    """A patient of whom something random holds; where there is none, none of the random patients is one either."""
    ruleset, it, solver = evaluator.checked.ruleset, subject.outcome, Solver(BUDGET)
    real = [aspects(ruleset, each.outcome) for each in (replay(evaluator, one) for one in seen) if each.outcome]
    for _ in range(WISHES):
        kinds["wishes"] += 1
        aspect, wanted = rng.choice(list(it.whole)), rng.random() < 0.5
        model = solver.find(it.accepted, it.whole[aspect] if wanted else no(it.whole[aspect]))
        if model is None:
            kinds["nobody"] += 1
            if any(each[aspect] is wanted for each in real):
                return f"there is a patient with {aspect} {wanted}"
            continue
        answers = subject.patient.read(model)
        found = difference(evaluator, it, answers, within(model))
        if found:
            return f"a patient with {aspect} {wanted}: {found}"
        question = ruleset.questions[rng.choice(list(ruleset.questions))]
        given, answer = random_answer(rng, question)
        changed = {key: each for key, each in answers.items() if key != question.id}
        found = difference(
            evaluator,
            it.but(question.id, answer, readers(ruleset)),
            changed if given is None else changed | {question.id: given},
            within(model),
        )
        if found:
            return f"a patient with {aspect} {wanted} and `{question.id}` changed: {found}"
    if solver.find(*subject.patient.domain, either(_impossible(subject.patient))) is not None:
        return "an answer that nobody can give"
    model = solver.find(*subject.patient.domain, no(it.accepted))
    if model is not None and not replay(evaluator, subject.patient.read(model)).refused:
        return "a patient who should be refused is not"
    return ""


def _impossible(patient: Unknowns) -> Iterator[Formula]:
    """Answers that no question takes: two states, a number out of range, no option, or two where one is asked for."""
    for name, answer in patient.answers.items():
        question = patient.questions[name]
        yield both((answer.given, answer.unknown))
        if answer.number is not None:
            yield z3.Or(answer.number < int(question.low or 0), answer.number > int(question.high or 0))
        else:
            yield no(either(answer.options.values()))
            if question.type is not QuestionType.SEVERAL:
                yield from (both(two) for two in combinations(answer.options.values(), 2))


def are(patient: Unknowns, answers: Patient) -> Formula:
    """Whether these are the answers of the patient."""
    known = pinned(patient.questions, answers)
    return both(no(patients.differs(each, known.answers[name])) for name, each in patient.answers.items())


def _completed(
    rng: random.Random, evaluator: Evaluator, subject: Subject, content: Content, kinds: Counter[str]
) -> str:
    """A record and its completion: the one that the solver makes up is one, and a real one is found to be one."""
    ruleset, record, solver = evaluator.checked.ruleset, subject.outcome, Solver(BUDGET)
    later, applicable = pairs.completion(ruleset, subject.patient)
    question = rng.choice(list(ruleset.questions))
    added = both((record.patient.answers[question].missing, no(later.patient.answers[question].missing)))
    model = solver.find(record.accepted, later.accepted, applicable, added)
    if model is not None:
        kinds["completions"] += 1
        before, after = record.patient.read(model), later.patient.read(model)
        if question in before or question not in after or any(after.get(name) != each for name, each in before.items()):
            return "a completion changes what was answered"
        found = _of_two(evaluator, record, later, applicable, before, after, within(model))
        if found:
            return f"a record and its completion: {found}"
    for number in range(WISHES):
        after = as_given(answer_texts(rng, content["questions"]))
        before = {name: each for name, each in after.items() if rng.random() < 0.6}
        if number:
            # a record that is known: its completion has other unknowns
            record = SymbolicOutcome(ruleset, pinned(ruleset.questions, before))
            later, applicable = pairs.completion(ruleset, record.patient)
        given = are(record.patient, before), are(later.patient, after)
        model = solver.find(*record.patient.domain, *later.patient.domain, *given)
        if model is None:
            return "a completion that there is cannot be had"
        found = _of_two(evaluator, record, later, applicable, before, after, within(model))
        if found:
            return f"a random record and its completion: {found}"
    return ""


def _of_two(
    evaluator: Evaluator,
    record: SymbolicOutcome,
    later: SymbolicOutcome,
    applicable: Formula,
    before: Patient,
    after: Patient,
    holds: Holds,
) -> str:
    found = difference(evaluator, record, before, holds) or difference(evaluator, later, after, holds)
    if found:
        return found
    ruleset = evaluator.checked.ruleset
    reading = Reading(ruleset, read_answers(ruleset, after))
    if holds(applicable) == any(reading.asked(name) == FALSE for name in after if name not in before):
        return "whether what was added is asked by then"
    one, other = (replay(evaluator, each).outcome for each in (before, after))
    if one is None or other is None:
        return ""
    for what, formula, real in (
        ("floor below floor", milder(later.floor_at_least, record.floor_at_least), other.floor < one.floor),
        ("ceiling below floor", milder(record.ceiling_at_least, later.floor_at_least), one.ceiling < other.floor),
        ("ceiling below ceiling", milder(record.ceiling_at_least, later.ceiling_at_least), one.ceiling < other.ceiling),
        ("lower", pairs._lower(later, record), other.floor < one.floor or other.ceiling < one.ceiling),
    ):
        if holds(formula) != real:
            return what
    return ""


def _versions(
    rng: random.Random, evaluator: Evaluator, content: Content, seen: Sequence[Patient], kinds: Counter[str]
) -> str:
    """The same patient as two versions ask."""
    old_content = other_version(rng, content)
    old = Evaluator(load_content(old_content))
    try:
        return _two_versions(rng, old, evaluator, old_content, seen, kinds)
    finally:
        old.close()


def _two_versions(
    rng: random.Random, old: Evaluator, new: Evaluator, content: Content, seen: Sequence[Patient], kinds: Counter[str]
) -> str:
    comparison, solver = Comparison(old.checked, new.checked), Solver(BUDGET)
    kinds["versions"] += 1
    model = solver.find(comparison.different)
    if model is not None:
        kinds["different"] += 1
        found = _under_both(old, new, comparison, *_both_read(comparison, model), within(model))
        if found:
            return f"a patient on whom two versions differ: {found}"
    for answers in seen[:WISHES]:
        before = dict(as_given(answer_texts(rng, content["questions"])))
        for name, question in old.checked.ruleset.questions.items():
            if alike(question, new.checked.ruleset.questions.get(name)):
                before.pop(name, None)
                if name in answers:
                    before[name] = answers[name]
        asked_so = (are(comparison.before.patient, before), are(comparison.patient, answers), comparison.domain)
        pair = solver.find(*asked_so)
        if pair is None:
            return "a patient whom two versions ask the same cannot be had"
        found = _under_both(old, new, comparison, before, answers, within(pair))
        if found:
            return f"a random patient under two versions: {found}"
        if model is None and _differ(replay(old, before), replay(new, answers)):
            return "two versions are the same, and a random patient fares otherwise"
    return ""


def _both_read(comparison: Comparison, model: z3.ModelRef) -> tuple[Patient, Patient]:
    return comparison.before.patient.read(model), comparison.patient.read(model)


def alike(one: Question, other: Question | None) -> bool:
    """Whether an answer to one question is an answer to the other."""
    return (
        other is not None
        and (one.type, one.unit) == (other.type, other.unit)
        and set(one.options) == set(other.options)
    )


def _under_both(
    old: Evaluator, new: Evaluator, comparison: Comparison, before: Patient, after: Patient, holds: Holds
) -> str:
    for name, question in old.checked.ruleset.questions.items():
        if alike(question, new.checked.ruleset.questions.get(name)) and before.get(name) != after.get(name):
            return f"`{name}` is the same question, and has two answers"
    found = difference(old, comparison.before, before, holds) or difference(new, comparison.after, after, holds)
    if found:
        return found
    one, other = replay(old, before), replay(new, after)
    if holds(comparison.different) != _differ(one, other):
        return "whether the versions differ"
    if one.outcome is None or other.outcome is None:
        return ""
    laxer = other.outcome.floor < one.outcome.floor or other.outcome.ceiling < one.outcome.ceiling
    return "" if holds(pairs._lower(comparison.after, comparison.before)) == laxer else "whether the new is laxer"


def _differ(one: Seen, other: Seen) -> bool:
    """Whether two decisions differ in anything but the questions that come next; read from the decisions themselves."""
    if one.outcome is None or other.outcome is None:
        return one.outcome is not other.outcome
    return _compared(one.outcome) != _compared(other.outcome)


def _compared(outcome: Outcome) -> Outcome:
    programme = outcome.programme._replace(because="", open_questions=())
    rules, open_rules = tuple(sorted(outcome.rules)), tuple(sorted(outcome.open_rules))
    return outcome._replace(programme=programme, next_questions=(), rules=rules, open_rules=open_rules)
