"""When a claim about two patients holds: the same answers but for one, a record and its completion, two versions."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations

from engine.decide.answers import GivenValue, plain_number
from engine.decide.direct import FALSE
from engine.prove.conditions import Outcomes
from engine.prove.logic import Formula, both, differ, either, no
from engine.prove.obligations import Confirmed, Never, Obligation, Somebody, Subject, Unclear, milder, unlike
from engine.prove.outcome import SymbolicOutcome
from engine.prove.patient import (
    Answer,
    Patient,
    answer_domain,
    free,
    free_answer,
    missing_answer,
    settled_answer,
    unknown_answer,
)
from engine.prove.replay import Seen, aspects
from engine.rules.condition import Compare, Condition, Operand, Operator, leaves
from engine.rules.model import NO, NOTHING, Claim, Question, QuestionType, Ruleset
from engine.rules.sites import Stage, sites

FINEST = Decimal("0.01")
"""How near two decimals are that lie on the two sides of a threshold: finer than anybody measures."""
MOST_SUBSETS = 6
"""A question of type several with more options than this has too many values to go through."""


def monotone(subject: Subject, claim: Claim) -> Iterator[Obligation]:
    """No answer that goes from no or none to another or to unknown lowers floor or ceiling; exempt questions apart."""
    for question in subject.ruleset.questions.values():
        denial = _denial(question)
        if not denial or question.yes_is_good or question.id in claim.exempt:
            continue
        denied = subject.but(question.id, settled_answer(question, denial))
        for told, answer in (
            *((option, settled_answer(question, option)) for option in question.options if option != denial),
            ("unknown", unknown_answer(question)),
        ):
            said = subject.but(question.id, answer)
            yield Never(
                f"`{question.id}` from {denial} to {told} lowers the disposition",
                (denied.accepted, said.accepted, _lower(said, denied)),
                (denied.patient, said.patient),
                _second_is_milder,
            )


def _denial(question: Question) -> str:
    """The answer that denies a question: no, or the option none; empty where it has neither."""
    if question.type is QuestionType.YES_NO:
        return NO
    return NOTHING if question.type is QuestionType.CHOICE and NOTHING in question.options else ""


def _lower(one: SymbolicOutcome, other: SymbolicOutcome) -> Formula:
    return either(
        (
            milder(one.floor_at_least, other.floor_at_least),
            milder(one.ceiling_at_least, other.ceiling_at_least),
        )
    )


def _second_is_milder(seen: tuple[Seen, ...]) -> bool:
    before, after = (each.outcome for each in seen)
    return before is not None and after is not None and (after.floor < before.floor or after.ceiling < before.ceiling)


def fail_safe(subject: Subject, claim: Claim) -> Iterator[Obligation]:
    """Whatever is answered later, among the questions that apply by then, floor and ceiling hold: never too mild."""
    record = subject.outcome
    later, applicable = completion(subject.ruleset, subject.patient)
    for what, wrong in (
        ("more urgent than its ceiling", milder(record.ceiling_at_least, later.floor_at_least)),
        ("able to become more urgent than its ceiling", milder(record.ceiling_at_least, later.ceiling_at_least)),
        ("milder than its floor", milder(later.floor_at_least, record.floor_at_least)),
    ):
        yield Never(
            f"further answers make a record {what}",
            (record.accepted, later.accepted, applicable, wrong),
            (record.patient, later.patient),
            _completion_leaves,
        )


def completion(ruleset: Ruleset, record: Patient) -> tuple[SymbolicOutcome, Formula]:
    """The same record with some of its missing questions answered, and whether all of these apply by then."""
    answers: dict[str, Answer] = {}
    domain: list[Formula] = []
    for name, before in record.answers.items():
        added = free_answer(ruleset.questions[name], "later")
        # a value that the record leaves open is as good as a new one, and spares a variable
        value = added if before.given is False else before
        answers[name] = Answer(
            either((before.given, both((before.missing, added.given)))),
            either((before.unknown, both((before.missing, added.unknown)))),
            value.options,
            value.number,
        )
        domain.extend(answer_domain(ruleset.questions[name], added))
    later = SymbolicOutcome(ruleset, Patient(ruleset.questions, answers, tuple(domain)))
    return later, applies(record, later)


def applies(record: Patient, later: SymbolicOutcome) -> Formula:
    """Whether every question that a completion answers beyond the record can be asked by then."""
    return both(
        no(both((before.missing, no(later.patient.answers[name].missing), later.encoder.asked(name).never)))
        for name, before in record.answers.items()
    )


def _completion_leaves(seen: tuple[Seen, ...]) -> bool:
    before, after = (each.evaluated for each in seen)
    if before is None or after is None:
        return False
    added = [name for name in seen[1].answers if name not in seen[0].answers]
    if any(after.reading.asked(name) == FALSE for name in added):
        return False
    one, other = before.outcome, after.outcome
    return other.floor < one.floor or other.ceiling > one.ceiling


def unknown_never_milder(subject: Subject, claim: Claim) -> Iterator[Obligation]:
    """Unknown is at least as urgent as the mildest value that could have been given; exempt questions apart."""
    for question in subject.ruleset.questions.values():
        if question.id in claim.exempt:
            continue
        if question.type is QuestionType.SEVERAL and len(question.options) > MOST_SUBSETS:
            yield Unclear(f"`{question.id}` has {len(question.options)} options: too many combinations")
            continue
        unknown = subject.but(question.id, unknown_answer(question))
        values = [subject.but(question.id, settled_answer(question, each)) for each in _values(subject, question)]
        # a value that is not among these counts where all of these are refused; the evaluators do not confirm it then
        own = subject.patient.answers[question.id]
        other = subject.but(question.id, Answer(True, False, own.options, own.number))
        accepted = both((unknown.accepted, either((other.accepted, *(each.accepted for each in values)))))
        wrong = both(
            either((no(each.accepted), milder(unknown.floor_at_least, each.floor_at_least)))
            for each in (other, *values)
        )
        yield Never(
            f"`{question.id}` unknown is milder than every value of it",
            (accepted, wrong),
            (unknown.patient, *(each.patient for each in values)),
            _first_is_mildest,
        )


def _values(subject: Subject, question: Question) -> Iterator[GivenValue]:
    """Values of which the mildest is the mildest of all: every option, and both ends of each stretch of numbers."""
    if question.type is QuestionType.SEVERAL:
        for size in range(1, len(question.options) + 1):
            yield from combinations(question.options, size)
    elif not question.type.is_number:
        yield from question.options
    else:
        yield from numbers(subject.ruleset, question)


def numbers(ruleset: Ruleset, question: Question) -> tuple[int | Decimal, ...]:
    """The ends of the range, and the values at and on either side of each number that a condition compares with."""
    step = 1 if question.type is QuestionType.INTEGER else FINEST
    found = {end for end in (question.low, question.high) if end is not None}
    for site in sites(ruleset):
        for leaf in leaves(site.condition):
            if isinstance(leaf, Compare) and leaf.question == question.id:
                for operand in leaf.operands:
                    if isinstance(operand, int | Decimal):
                        found |= {Decimal(operand) + each for each in (-step, 0, step)}
    kept = sorted(
        each
        for each in found or {Decimal(0)}
        if (question.low is None or each >= question.low) and (question.high is None or each <= question.high)
    )
    return tuple(int(each) if question.type is QuestionType.INTEGER else each for each in kept)


def _first_is_mildest(seen: tuple[Seen, ...]) -> bool:
    unknown, *others = (each.outcome for each in seen)
    floors = [each.floor for each in others if each is not None]
    return unknown is not None and bool(floors) and unknown.floor < min(floors)


def unasked_changes_nothing(subject: Subject, claim: Claim) -> Iterator[Obligation]:
    """An answer to a question that is certainly not asked changes nothing that is said; exempt questions apart."""
    for question in subject.ruleset.questions.values():
        asked = subject.outcome.encoder.asked(question.id)
        if asked.never is False or question.id in claim.exempt:
            continue
        silent = subject.but(question.id, missing_answer(question))
        free_value = subject.patient.answers[question.id]
        for told, answer in (
            ("a value", Answer(True, False, free_value.options, free_value.number)),
            ("unknown", unknown_answer(question)),
        ):
            said = subject.but(question.id, answer)
            yield Never(
                f"`{question.id}` is not asked, and {told} changes what is decided",
                (asked.never, silent.accepted, said.accepted, unlike(silent.said, said.said)),
                (silent.patient, said.patient),
                _both_differ(subject.ruleset),
            )


def threshold_matters(subject: Subject, claim: Claim) -> Iterator[Obligation]:
    """Each threshold parts two patients who differ in nothing else and of whom something else is decided."""
    it = subject.outcome
    for site in sites(subject.ruleset):
        if site.stage is Stage.REFUSE:
            continue  # nobody is decided on beyond it
        for leaf in leaves(site.condition):
            if not isinstance(leaf, Compare) or leaf.operator is Operator.IN:
                continue
            question = subject.ruleset.questions[leaf.question]
            told = f"`{{{leaf.question}: {{{leaf.operator.value}: {_plain(leaf.operands[0])}}}}}` of `{site.owner}`"
            sides = _sides(question, leaf)
            if sides is None:
                yield Somebody(f"{told} matters to nobody: one side is out of range", (False,), (), _never)
                continue
            one, other = (subject.but(question.id, settled_answer(question, side)) for side in sides)
            turned = _turned(one, other, site.condition) if site.stage is Stage.ANSWERS else True
            yield Somebody(
                f"{told} matters to nobody",
                (one.accepted, other.accepted, turned, unlike(one.said, other.said)),
                (one.patient, other.patient),
                _both_differ(it.ruleset),
            )


def _turned(one: SymbolicOutcome, other: SymbolicOutcome, condition: Condition) -> Formula:
    before, after = one.encoder.outcomes(condition), other.encoder.outcomes(condition)
    return either(differ(x, y) for x, y in zip(_three(before), _three(after), strict=True))


def _three(it: Outcomes) -> tuple[Formula, ...]:
    return it.true, it.false, it.unknown


def _sides(question: Question, leaf: Compare) -> tuple[Decimal | int, Decimal | int] | None:
    """The last value on one side of a threshold and the first on the other; None where one is out of range."""
    bound = leaf.operands[0]
    if not isinstance(bound, int | Decimal):
        return None
    step = 1 if question.type is QuestionType.INTEGER else FINEST
    beyond = bound - step if leaf.operator in (Operator.AT_LEAST, Operator.BELOW) else bound + step
    for side in (bound, beyond):
        if (question.low is not None and side < question.low) or (question.high is not None and side > question.high):
            return None
    return bound, beyond


def _plain(operand: Operand) -> str:
    return plain_number(operand) if isinstance(operand, int | Decimal) else "..."


def _never(seen: tuple[Seen, ...]) -> bool:
    return False


def _both_differ(ruleset: Ruleset) -> Confirmed:
    def confirmed(seen: tuple[Seen, ...]) -> bool:
        one, other = (each.outcome for each in seen)
        if one is None or other is None:
            return False
        before, after = aspects(ruleset, one), aspects(ruleset, other)
        return any(before[it] != after[it] for it in before if it.kind not in ("rule", "open rule", "row"))

    return confirmed


def never_laxer(subject: Subject, claim: Claim) -> Iterator[Obligation]:
    """Nobody gets a milder disposition than by the version that the claim names."""
    old = subject.versions.get(claim.than)
    if old is None:
        yield Unclear(f"version {claim.than} is not there to compare with")
        return
    before = SymbolicOutcome(old.ruleset, shared(old.ruleset, subject.patient))
    yield Never(
        f"the disposition is milder than by version {claim.than}",
        (before.accepted, subject.outcome.accepted, _lower(subject.outcome, before)),
        (before.patient, subject.patient),
        _second_is_milder,
        (claim.than, ""),
    )


def shared(ruleset: Ruleset, patient: Patient) -> Patient:
    """The same patient as another version asks: equal questions have the same answer, others one of their own."""
    own = free(ruleset, "old")
    answers: dict[str, Answer] = {}
    domain: list[Formula] = []
    for name, question in ruleset.questions.items():
        known = patient.answers.get(name)
        if known is not None and same_question(question, patient.questions[name]):
            answers[name] = known
        else:
            answers[name] = own.answers[name]
        domain.extend(answer_domain(question, answers[name]))
    return Patient(ruleset.questions, answers, tuple(domain))


def same_question(one: Question, other: Question) -> bool:
    """Whether an answer to one is an answer to the other: type, options and unit are equal (ranges may differ)."""
    return (one.type, one.unit, set(one.options)) == (other.type, other.unit, set(other.options))
