"""Which slips in the encoder have to be found, by the kind of claim that rests on what is slipped in.

Each is planted by a test, which shows that the agreement runs find it: `agreement` where a formula about a patient is
wrong, `every_patient` where a claim asks the wrong thing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from pytest import MonkeyPatch

from tests.prove import slips

Plant = Callable[[MonkeyPatch], None]


class By(Enum):
    """Which run finds a fault."""

    AGREEMENT = "agreement"
    EVERY_PATIENT = "every patient"


@dataclass(frozen=True, slots=True)
class Fault:
    """A slip, how it is planted, and the run that has to find it."""

    plant: Plant
    by: By = By.AGREEMENT

    @property
    def name(self) -> str:
        return self.plant.__name__


SEEN = By.EVERY_PATIENT
FAULTS: Mapping[str, tuple[Fault, ...]] = {
    "complete": (
        Fault(slips.complete_without_gates),
        Fault(slips.always_complete),
        Fault(slips.always_complete, SEEN),
        Fault(slips.refusals_ignored),
        Fault(slips.refusals_ignored, SEEN),
        Fault(slips.range_forgotten),
        Fault(slips.two_options_chosen),
    ),
    "reachable": (
        Fault(slips.several_all_instead_of_any),
        Fault(slips.candidates_without_earlier_rows),
        Fault(slips.candidates_without_earlier_rows, SEEN),
        Fault(slips.surely_as_it_is),
        Fault(slips.call_of_all_rules),
    ),
    "red_flag_floor": (
        Fault(slips.unless_as_not),
        Fault(slips.unless_as_not, SEEN),
        Fault(slips.count_off_by_one),
        Fault(slips.unknown_in_a_count_as_true),
        Fault(slips.missing_as_false),
        Fault(slips.floor_from_possible_rules),
        Fault(slips.floor_from_possible_rules, SEEN),
        Fault(slips.ceiling_without_open_rules),
    ),
    "monotone": (
        Fault(slips.another_answer_keeps_rules),
        Fault(slips.another_answer_keeps_rules, SEEN),
        Fault(slips.another_answer_keeps_findings),
        Fault(slips.milder_by_ceiling_unseen),
        Fault(slips.milder_by_ceiling_unseen, SEEN),
        Fault(slips.unknown_is_left_out, SEEN),
    ),
    "fail_safe": (
        Fault(slips.completion_of_another_record),
        Fault(slips.completion_of_another_record, SEEN),
        Fault(slips.completion_by_what_is_not_asked),
        Fault(slips.completion_by_what_is_not_asked, SEEN),
        Fault(slips.ceiling_without_open_rules, SEEN),
        Fault(slips.states_do_not_differ),
    ),
    "exclusive_programme": (
        Fault(slips.programme_of_each_candidate),
        Fault(slips.programme_of_each_candidate, SEEN),
        Fault(slips.row_ignores_when_unknown),
    ),
    "no_programme_when": (
        Fault(slips.disposition_of_the_floor_alone),
        Fault(slips.disposition_of_the_floor_alone, SEEN),
        Fault(slips.row_ignores_when_unknown, SEEN),
    ),
    "safety_net_always": (Fault(slips.safety_net_always_shown), Fault(slips.safety_net_always_shown, SEEN)),
    "no_contradicting_advice": (
        Fault(slips.hide_when_ignored),
        Fault(slips.hide_when_ignored, SEEN),
        Fault(slips.policies_ignored),
        Fault(slips.policies_ignored, SEEN),
    ),
    "threshold_matters": (
        Fault(slips.above_as_at_least),
        Fault(slips.decimals_rounded),
        Fault(slips.only_urgency_differs),
        Fault(slips.only_urgency_differs, SEEN),
        Fault(slips.the_same_side_of_a_threshold, SEEN),
        Fault(slips.another_threshold_counts, SEEN),
    ),
    "unknown_never_milder": (
        Fault(slips.unknown_as_false),
        Fault(slips.unknown_as_false, SEEN),
        Fault(slips.only_the_ends_of_a_range, SEEN),
        Fault(slips.unknown_is_left_out, SEEN),
        Fault(slips.milder_below_the_doctor_unseen, SEEN),
    ),
    "unasked_changes_nothing": (
        Fault(slips.gate_ignored),
        Fault(slips.gate_ignored, SEEN),
        Fault(slips.gate_of_the_group_ignored),
        Fault(slips.never_where_unknown_is_left),
        Fault(slips.unknown_where_it_is_not_asked),
        Fault(slips.another_answer_keeps_gates),
        Fault(slips.only_urgency_differs, SEEN),
    ),
    "never_laxer": (
        Fault(slips.milder_the_other_way),
        Fault(slips.no_question_is_the_same),
        Fault(slips.no_question_is_the_same, SEEN),
        Fault(slips.same_question_in_another_unit),
        Fault(slips.milder_the_other_way, SEEN),
    ),
}
"""By kind of claim. A fault stands under each kind for which a run of its own has to find it."""
