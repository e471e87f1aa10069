"""Where the formulas of one patient say something else than both evaluators do: everything that a decision holds."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import z3

from engine.decide.answers import Given, read_answers
from engine.decide.direct import FALSE, TRUE, UNKNOWN, Reading
from engine.decide.evaluate import Evaluated, Evaluator
from engine.errors import AnswersError
from engine.prove.logic import Formula
from engine.prove.outcome import SymbolicOutcome
from engine.prove.patient import Answer, missing_answer, settled_answer, unknown_answer
from engine.prove.replay import aspects
from engine.rules.model import Question, QuestionType, Ruleset
from engine.rules.sites import Stage, sites

Patient = Mapping[str, Given]
Holds = Callable[[Formula], bool]


def constant(formula: Formula) -> bool:
    """The value of a formula in which nothing is left open."""
    if isinstance(formula, bool):
        return formula
    simple = z3.simplify(formula)
    if not (z3.is_true(simple) or z3.is_false(simple)):
        raise ValueError(f"the answers are known, and `{simple}` is left")
    return bool(z3.is_true(simple))


def difference(evaluator: Evaluator, it: SymbolicOutcome, answers: Patient, holds: Holds) -> str:
    """Where the formulas say something else than both evaluators; empty where they agree on everything."""
    ruleset = evaluator.checked.ruleset
    reading = Reading(ruleset, read_answers(ruleset, answers))
    for site in sites(ruleset):
        if site.stage in (Stage.ANSWERS, Stage.REFUSE):
            coded, real = it.encoder.outcomes(site.condition), reading.outcomes(site.condition)
            if [holds(coded.true), holds(coded.false), holds(coded.unknown)] != _bits(real):
                return f"the condition of `{site.owner}` can come to {_bits(real)} (true, false, unknown)"
            if holds(coded.certain) != (real == TRUE) or holds(coded.never) != (real == FALSE):
                return f"whether the condition of `{site.owner}` is certain"
    for name in ruleset.questions:
        coded, real = it.encoder.asked(name), reading.asked(name)
        if [holds(coded.true), holds(coded.false), holds(coded.unknown)] != _bits(real):
            return f"whether `{name}` is asked"
    if holds(it.complete) != all(name in answers or reading.asked(name) == FALSE for name in ruleset.questions):
        return "whether nothing is left to ask"
    try:
        evaluated = evaluator.evaluate(evaluator.read(answers))
    except AnswersError:
        return "the answers are refused" if holds(it.accepted) else ""
    return _decided(ruleset, it, evaluated, holds) if holds(it.accepted) else "the answers are not refused"


def _bits(outcomes: int) -> list[bool]:
    return [bool(outcomes & each) for each in (TRUE, FALSE, UNKNOWN)]


def _decided(ruleset: Ruleset, it: SymbolicOutcome, evaluated: Evaluated, holds: Holds) -> str:
    outcome, standing = evaluated.outcome, evaluated.reading.standing
    real = aspects(ruleset, outcome)
    if real.keys() != it.whole.keys():
        return f"only one of them speaks of {sorted(map(str, real.keys() ^ it.whole.keys()))}"
    for aspect, formula in it.whole.items():
        if holds(formula) != real[aspect]:
            return f"{aspect} is {real[aspect]}"
    assert standing is not None
    for what, formulas, wanted in (
        ("floor", it.floor, {outcome.floor}),
        ("ceiling", it.ceiling, {outcome.ceiling}),
        ("dispositions", it.dispositions, standing.dispositions),
        ("candidates", it.candidates, evaluated.reading.programmes),
    ):
        if {each for each, formula in formulas.items() if holds(formula)} != wanted:
            return f"{what}: {sorted(str(each) for each in wanted)}"
    return "" if holds(it.settled) == outcome.settled else "settled"


def random_answer(rng: random.Random, question: Question) -> tuple[Given | None, Answer]:
    """An answer (None: missing), and the same as a formula."""
    kind = rng.choice(("missing", "unknown", "value", "value"))
    if kind == "missing":
        return None, missing_answer(question)
    if kind == "unknown":
        return Given(None), unknown_answer(question)
    if question.type.is_number:
        given = Given(QuestionType.INTEGER, rng.randint(0, 20))
    elif question.type is QuestionType.SEVERAL:
        chosen = rng.sample(question.options, rng.randint(1, len(question.options)))
        given = Given(question.type, tuple(each for each in question.options if each in chosen))
    else:
        given = Given(question.type, rng.choice(question.options))
    return given, settled_answer(question, given.value)
