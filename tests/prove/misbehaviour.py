"""Whether the evaluators misbehave on a patient who is said to refute a claim; shares nothing with the prover."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal

from engine.decide.answers import Given
from engine.decide.decision import Outcome
from engine.decide.direct import FALSE, TRUE
from engine.decide.evaluate import Evaluated, Evaluator
from engine.errors import AnswersError
from engine.rules.condition import FindingIs
from engine.rules.model import Claim, Question, QuestionType
from engine.rules.scale import Programme
from tests.clinical.patients import patient, telling_values

SAMPLES = 150
Answers = Mapping[str, Given]
Shows = Callable[[Evaluator, Claim, Sequence[Answers]], bool]


def decided(evaluator: Evaluator, answers: Answers) -> Evaluated | None:
    """What the evaluators decide; None where they refuse the answers."""
    try:
        return evaluator.evaluate(evaluator.read(answers))
    except AnswersError:
        return None


def _outcomes(evaluator: Evaluator, patients: Sequence[Answers]) -> list[Outcome | None]:
    found = [decided(evaluator, each) for each in patients]
    return [None if each is None else each.outcome for each in found]


def _said(outcome: Outcome) -> tuple[object, ...]:
    it = outcome
    programme = (it.programme.choice, it.programme.open)
    return it.floor, it.ceiling, it.calls, it.within_hours, it.guidance, programme, it.advice, it.safety_net


def _only_change(one: Answers, other: Answers) -> str:
    """The one question in which two patients differ."""
    (question,) = {name for name in {**one, **other} if one.get(name) != other.get(name)}
    return question


def red_flag_floor(evaluator: Evaluator, claim: Claim, patients: Sequence[Answers]) -> bool:
    (seen,) = (decided(evaluator, each) for each in patients)
    assert seen is not None and claim.at_least is not None
    found = seen.reading.outcomes(FindingIs(claim.finding))
    return (found == TRUE and seen.outcome.floor < claim.at_least) or (
        bool(found & TRUE) and seen.outcome.ceiling < claim.at_least
    )


def monotone(evaluator: Evaluator, claim: Claim, patients: Sequence[Answers]) -> bool:
    before, after = _outcomes(evaluator, patients)
    assert before is not None and after is not None
    question = evaluator.checked.ruleset.questions[_only_change(*patients)]
    denied = patients[0][question.id].value in ("no", "none")
    lower = after.floor < before.floor or after.ceiling < before.ceiling
    return denied and question.id in patients[1] and question.id not in claim.exempt and lower


def unknown_never_milder(evaluator: Evaluator, claim: Claim, patients: Sequence[Answers]) -> bool:
    """Not only the values that the prover tried: every value there is, or many."""
    unknown, other = patients[0], patients[1]
    question = evaluator.checked.ruleset.questions[_only_change(unknown, other)]
    seen = decided(evaluator, unknown)
    values = [decided(evaluator, {**unknown, question.id: each}) for each in _values(question)]
    floors = [each.outcome.floor for each in values if each is not None]
    assert seen is not None and unknown[question.id] == Given(None)
    return bool(floors) and seen.outcome.floor < min(floors)


def _values(question: Question) -> Iterator[Given]:
    if question.type.is_number:
        assert question.low is not None and question.high is not None
        for value in range(int(question.low), min(int(question.high), 400) + 1):
            exact = value if question.type is QuestionType.INTEGER else Decimal(value)
            yield Given(question.type, exact)
    for option in question.options:
        yield Given(question.type, option)


def unasked_changes_nothing(evaluator: Evaluator, claim: Claim, patients: Sequence[Answers]) -> bool:
    silent, said = (decided(evaluator, each) for each in patients)
    assert silent is not None and said is not None
    question = _only_change(*patients)
    unasked = silent.reading.asked(question) == FALSE and question not in patients[0]
    return unasked and question not in claim.exempt and _said(silent.outcome) != _said(said.outcome)


def no_programme_when(evaluator: Evaluator, claim: Claim, patients: Sequence[Answers]) -> bool:
    (outcome,) = _outcomes(evaluator, patients)
    assert outcome is not None and claim.at_least is not None
    return outcome.ceiling >= claim.at_least and outcome.programme.choice is not Programme.NONE_YET


def exclusive_programme(evaluator: Evaluator, claim: Claim, patients: Sequence[Answers]) -> bool:
    """No decision at all: the evaluators stop."""
    try:
        decided(evaluator, patients[0])
    except TypeError:
        return True
    return False


def no_contradicting_advice(evaluator: Evaluator, claim: Claim, patients: Sequence[Answers]) -> bool:
    (outcome,) = _outcomes(evaluator, patients)
    assert outcome is not None
    advice = evaluator.checked.ruleset.advice
    return any(other in outcome.advice for name in outcome.advice for other in advice[name].contradicts)


def safety_net_always(evaluator: Evaluator, claim: Claim, patients: Sequence[Answers]) -> bool:
    (outcome,) = _outcomes(evaluator, patients)
    return outcome is not None and not outcome.safety_net


def complete(evaluator: Evaluator, claim: Claim, patients: Sequence[Answers]) -> bool:
    """Whoever gives that answer is refused, whatever else is answered: nothing, or what a random patient answers."""
    (instead,) = patients
    rng = random.Random(4)
    others = [{}, *(patient(rng) for _ in range(SAMPLES))]
    return all(decided(evaluator, {**each, **instead}) is None for each in others)


def fail_safe(evaluator: Evaluator, claim: Claim, patients: Sequence[Answers]) -> bool:
    before, after = (decided(evaluator, each) for each in patients)
    assert before is not None and after is not None
    added = patients[1].keys() - patients[0].keys()
    kept = all(patients[1].get(name) == each for name, each in patients[0].items())
    asked = all(after.reading.asked(name) != FALSE for name in added)
    one, other = before.outcome, after.outcome
    return bool(added) and kept and asked and (other.floor < one.floor or other.ceiling > one.ceiling)


def never_laxer(new: Evaluator, old: Evaluator, patients: Sequence[Answers]) -> bool:
    before, after = _outcomes(old, patients[:1])[0], _outcomes(new, patients[1:])[0]
    assert before is not None and after is not None and patients[0] == patients[1]
    return after.floor < before.floor or after.ceiling < before.ceiling


SHOWS: Mapping[str, Shows] = {
    each.__name__: each
    for each in (
        red_flag_floor,
        monotone,
        unknown_never_milder,
        unasked_changes_nothing,
        no_programme_when,
        exclusive_programme,
        no_contradicting_advice,
        safety_net_always,
        complete,
        fail_safe,
    )
}


def somebody_reaches(evaluator: Evaluator, about: str) -> bool:
    """Whether a sampled patient gets a rule that decides, a row or a text; `about`: its id, and questions to vary."""
    rng = random.Random(3)
    wanted, *questions = about.split()
    rules, values = evaluator.checked.ruleset.rules, telling_values("low_back_pain")
    for _ in range(SAMPLES * 2):
        seen = decided(evaluator, {**patient(rng), **{name: rng.choice(values[name]) for name in questions}})
        if seen is None:
            continue
        it = seen.outcome
        deciding = [name for name in it.rules if name in rules and rules[name].disposition is it.floor]
        if wanted in (*deciding, *it.advice, it.programme.row):
            return True
    return False


def somebody_is_parted(evaluator: Evaluator, about: str) -> bool:
    """Whether the rule (`about`: rule, question and two numbers) tells apart two patients who differ in that number."""
    rule, question, *sides = about.split()
    asked = evaluator.checked.ruleset.questions[question]
    rng = random.Random(3)
    others = [patient(rng) for _ in range(SAMPLES)] if evaluator.checked.ruleset.id == "low_back_pain" else [{}]
    for answers in others:
        seen = [decided(evaluator, {**answers, question: Given(asked.type, int(each))}) for each in sides]
        if all(seen) and len({rule in each.outcome.rules for each in seen if each is not None}) > 1:
            return True
    return False
