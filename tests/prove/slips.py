"""Slips that somebody could make in the encoder, each as a function that plants it; `encoder_faults` says what for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal

import z3
from pytest import MonkeyPatch

from engine.prove import conditions, difference, obligations, pairs, patient
from engine.prove.conditions import TRUE, Encoder, Outcomes, Readers, Stage, conjunction, negation
from engine.prove.logic import Formula, both, either, no
from engine.prove.outcome import Aspect, SymbolicOutcome
from engine.prove.patient import Answer, Patient
from engine.rules.condition import Compare, Condition, Operator, Surely, Unknown, Unless
from engine.rules.model import Advice, ProgrammeRow, Question, QuestionType, Ruleset
from engine.rules.scale import Disposition

Change = Callable[[Encoder, Condition, Stage | None], Outcomes]


def _instead(patch: MonkeyPatch, kind: type[Condition], change: Change) -> None:
    """Conditions of one kind are encoded by `change`."""
    original = Encoder.outcomes

    def broken(self: Encoder, condition: Condition, stage: Stage | None = None) -> Outcomes:
        return change(self, condition, stage) if isinstance(condition, kind) else original(self, condition, stage)

    patch.setattr(Encoder, "outcomes", broken)


def _part(patch: MonkeyPatch, name: str, made: Callable[[SymbolicOutcome], object]) -> None:
    """A part of the decision is encoded by `made`."""
    patch.setattr(SymbolicOutcome, name, property(made))


# -- conditions ----------------------------------------------------------------------------------------------------


def unless_as_not(patch: MonkeyPatch) -> None:
    _instead(patch, Unless, lambda it, condition, stage: negation(it.outcomes(_member(condition), stage)))


def surely_as_it_is(patch: MonkeyPatch) -> None:
    _instead(patch, Surely, lambda it, condition, stage: it.outcomes(_member(condition), stage))


def _member(condition: Condition) -> Condition:
    assert isinstance(condition, Unless | Surely)
    return condition.member


def count_off_by_one(patch: MonkeyPatch) -> None:
    original = conditions._count
    patch.setattr(conditions, "_count", lambda least, parts: original(least + 1, parts))


def unknown_in_a_count_as_true(patch: MonkeyPatch) -> None:
    original = conditions._count

    def broken(least: int, parts: list[Outcomes]) -> Outcomes:
        return original(least, [Outcomes(either((it.true, it.unknown)), it.false, False) for it in parts])

    patch.setattr(conditions, "_count", broken)


def missing_as_false(patch: MonkeyPatch) -> None:
    original = Encoder._compare

    def broken(self: Encoder, condition: Compare) -> Outcomes:
        it, missing = original(self, condition), self.patient.answers[condition.question].missing
        return Outcomes(both((it.true, no(missing))), it.false, both((it.unknown, no(missing))))

    patch.setattr(Encoder, "_compare", broken)


def unknown_as_false(patch: MonkeyPatch) -> None:
    original = Encoder._compare

    def broken(self: Encoder, condition: Compare) -> Outcomes:
        it, unknown = original(self, condition), self.patient.answers[condition.question].unknown
        return Outcomes(it.true, either((it.false, unknown)), both((it.unknown, no(unknown))))

    patch.setattr(Encoder, "_compare", broken)


def above_as_at_least(patch: MonkeyPatch) -> None:
    original = Encoder._compare

    def broken(self: Encoder, condition: Compare) -> Outcomes:
        inclusive = condition.operator is Operator.ABOVE
        return original(self, replace(condition, operator=Operator.AT_LEAST) if inclusive else condition)

    patch.setattr(Encoder, "_compare", broken)


def several_all_instead_of_any(patch: MonkeyPatch) -> None:
    original = Encoder._holds

    def broken(self: Encoder, condition: Compare, answer: Answer) -> tuple[Formula, Formula]:
        if self.ruleset.questions[condition.question].type is QuestionType.SEVERAL:
            return True, both(answer.options[str(operand)] for operand in condition.operands)
        return original(self, condition, answer)

    patch.setattr(Encoder, "_holds", broken)


def decimals_rounded(patch: MonkeyPatch) -> None:
    patch.setattr(conditions, "_exact", lambda number: z3.Q(int(number), 1))


def gate_ignored(patch: MonkeyPatch) -> None:
    patch.setattr(Encoder, "asked", lambda self, question: TRUE)


def gate_of_the_group_ignored(patch: MonkeyPatch) -> None:
    def broken(ruleset: Ruleset, question: str) -> list[Condition]:
        gate = ruleset.questions[question].asked_when
        return [] if gate is None else [gate]

    patch.setattr(conditions, "gates", broken)


def never_where_unknown_is_left(patch: MonkeyPatch) -> None:
    patch.setattr(Outcomes, "never", property(lambda self: both((self.false, no(self.true)))))


def unknown_where_it_is_not_asked(patch: MonkeyPatch) -> None:
    def broken(self: Encoder, condition: Condition, stage: Stage | None) -> Outcomes:
        assert isinstance(condition, Unknown)
        answer = self.patient.answers[condition.question]
        return Outcomes(no(answer.given), either((answer.given, answer.missing)), False)

    _instead(patch, Unknown, broken)


# -- the decision ----------------------------------------------------------------------------------------------------


def floor_from_possible_rules(patch: MonkeyPatch) -> None:
    _part(patch, "certain", lambda it: it.possible)


def ceiling_without_open_rules(patch: MonkeyPatch) -> None:
    _part(patch, "ceiling_at_least", lambda it: it.floor_at_least)


def call_of_all_rules(patch: MonkeyPatch) -> None:
    _part(patch, "_winning", lambda it: tuple((rule, it.certain[rule.id]) for rule in it.ruleset.rules.values()))


def disposition_of_the_floor_alone(patch: MonkeyPatch) -> None:
    _part(patch, "dispositions", lambda it: it.floor)


def row_ignores_when_unknown(patch: MonkeyPatch) -> None:
    original = SymbolicOutcome._applies

    def broken(self: SymbolicOutcome, row: ProgrammeRow, when: Condition) -> Outcomes:
        return original(self, replace(row, applies_unknown=True), when)

    patch.setattr(SymbolicOutcome, "_applies", broken)


def candidates_without_earlier_rows(patch: MonkeyPatch) -> None:
    def broken(it: SymbolicOutcome) -> tuple[tuple[ProgrammeRow, Formula, Formula], ...]:
        applies = [(row, TRUE if row.when is None else it._applies(row, row.when)) for row in it.ruleset.programme]
        return tuple((row, found.true, found.certain) for row, found in applies)

    _part(patch, "rows", broken)


def programme_of_each_candidate(patch: MonkeyPatch) -> None:
    _part(patch, "programme", lambda it: it.candidates)


def hide_when_ignored(patch: MonkeyPatch) -> None:
    original = SymbolicOutcome._shown
    patch.setattr(SymbolicOutcome, "_shown", lambda self, item: original(self, replace(item, hide_when=None)))


def policies_ignored(patch: MonkeyPatch) -> None:
    def broken(self: SymbolicOutcome, item: Advice) -> Formula:
        stage = self._after_programme
        parts = [] if item.when is None else [self.encoder.outcomes(item.when, stage)]
        if item.hide_when is not None:
            parts.append(negation(self.encoder.outcomes(item.hide_when, stage)))
        return conjunction(parts).certain

    patch.setattr(SymbolicOutcome, "_shown", broken)


def safety_net_always_shown(patch: MonkeyPatch) -> None:
    _part(patch, "safety_net", lambda it: dict.fromkeys(it.ruleset.safety_net, True))


def refusals_ignored(patch: MonkeyPatch) -> None:
    _part(patch, "accepted", lambda it: both(it.patient.domain))


def complete_without_gates(patch: MonkeyPatch) -> None:
    _part(patch, "complete", lambda it: both(no(answer.missing) for answer in it.patient.answers.values()))


def always_complete(patch: MonkeyPatch) -> None:
    _part(patch, "complete", lambda it: True)


# -- patients --------------------------------------------------------------------------------------------------------


def range_forgotten(patch: MonkeyPatch) -> None:
    original = patient.answer_domain

    def broken(question: Question, answer: Answer) -> list[Formula]:
        return list(original(replace(question, low=None, high=None), answer))

    patch.setattr(patient, "answer_domain", broken)


def two_options_chosen(patch: MonkeyPatch) -> None:
    original = patient.answer_domain

    def broken(question: Question, answer: Answer) -> list[Formula]:
        loose = question.type is QuestionType.CHOICE
        return list(original(replace(question, type=QuestionType.SEVERAL) if loose else question, answer))

    patch.setattr(patient, "answer_domain", broken)


def states_do_not_differ(patch: MonkeyPatch) -> None:
    original = patient.differs
    patch.setattr(patient, "differs", lambda one, other: both((original(one, other), one.given, other.given)))


def _encoder_keeps(patch: MonkeyPatch, name: str) -> None:
    original = Encoder.but

    def broken(self: Encoder, question: str, answer: Answer, readers: Readers) -> Encoder:
        other = original(self, question, answer, readers)
        setattr(other, name, dict(getattr(self, name)))
        return other

    patch.setattr(Encoder, "but", broken)


def another_answer_keeps_findings(patch: MonkeyPatch) -> None:
    _encoder_keeps(patch, "_findings")


def another_answer_keeps_gates(patch: MonkeyPatch) -> None:
    _encoder_keeps(patch, "_asked")


def another_answer_keeps_rules(patch: MonkeyPatch) -> None:
    original = SymbolicOutcome.but

    def broken(self: SymbolicOutcome, question: str, answer: Answer, readers: Readers) -> SymbolicOutcome:
        other = original(self, question, answer, readers)
        other._rules.update(self._rules)
        return other

    patch.setattr(SymbolicOutcome, "but", broken)


# -- pairs of patients -----------------------------------------------------------------------------------------------


def completion_of_another_record(patch: MonkeyPatch) -> None:
    original = pairs.completion

    def broken(ruleset: Ruleset, record: Patient) -> tuple[SymbolicOutcome, Formula]:
        return SymbolicOutcome(ruleset, patient.free(ruleset, "later")), original(ruleset, record)[1]

    patch.setattr(pairs, "completion", broken)


def completion_by_what_is_not_asked(patch: MonkeyPatch) -> None:
    original = pairs.completion
    patch.setattr(pairs, "completion", lambda ruleset, record: (original(ruleset, record)[0], True))


def milder_by_ceiling_unseen(patch: MonkeyPatch) -> None:
    patch.setattr(pairs, "_lower", lambda one, other: obligations.milder(one.floor_at_least, other.floor_at_least))


def milder_the_other_way(patch: MonkeyPatch) -> None:
    patch.setattr(pairs, "milder", lambda one, other: obligations.milder(other, one))


def milder_below_the_doctor_unseen(patch: MonkeyPatch) -> None:
    original = obligations.milder
    patch.setattr(pairs, "milder", lambda one, other: original(_from_doctor(one), _from_doctor(other)))


def _from_doctor(steps: Mapping[Disposition, Formula]) -> dict[Disposition, Formula]:
    return {each: True if each < Disposition.GP_WITHIN_DAYS else formula for each, formula in steps.items()}


def only_urgency_differs(patch: MonkeyPatch) -> None:
    original = obligations.unlike

    def broken(one: Mapping[Aspect, Formula], other: Mapping[Aspect, Formula]) -> Formula:
        urgency = ("floor", "ceiling")
        return original(*({each: said for each, said in it.items() if each.kind in urgency} for it in (one, other)))

    patch.setattr(pairs, "unlike", broken)
    patch.setattr(difference, "unlike", broken)


def hours_that_one_version_names(patch: MonkeyPatch) -> None:
    patch.setattr(obligations, "_said", lambda decision, aspect: decision.get(aspect, False))


def same_question_in_another_unit(patch: MonkeyPatch) -> None:
    patch.setattr(pairs, "same_question", lambda one, other: one.type is other.type)


def no_question_is_the_same(patch: MonkeyPatch) -> None:
    patch.setattr(pairs, "same_question", lambda one, other: False)


def unknown_is_left_out(patch: MonkeyPatch) -> None:
    patch.setattr(pairs, "unknown_answer", patient.missing_answer)


def only_the_ends_of_a_range(patch: MonkeyPatch) -> None:
    patch.setattr(pairs, "numbers", lambda ruleset, question: (int(question.low), int(question.high)))


def the_same_side_of_a_threshold(patch: MonkeyPatch) -> None:
    def broken(question: Question, leaf: Compare) -> tuple[Decimal | int, Decimal | int] | None:
        bound = leaf.operands[0]
        assert isinstance(bound, int | Decimal)
        return bound, bound + (1 if leaf.operator in (Operator.AT_LEAST, Operator.BELOW) else -1)

    patch.setattr(pairs, "_sides", broken)


def another_threshold_counts(patch: MonkeyPatch) -> None:
    patch.setattr(pairs, "_turned", lambda one, other, condition: True)
