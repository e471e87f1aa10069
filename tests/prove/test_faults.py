"""Every fault that is planted in a ruleset is refuted, by a patient on whom the evaluators really misbehave."""

from __future__ import annotations

import pytest
from _pytest.mark import ParameterSet

from engine.decide.answers import Given
from engine.decide.evaluate import Evaluator
from engine.prove.claims import CLAIMS
from engine.prove.prover import Prover
from engine.prove.verdict import Proved, Refuted, Verdict
from engine.rules.model import QuestionType
from tests.prove.faults import FAULTS, NEVER_LAXER, PROGRAMME, Fault, sound
from tests.prove.misbehaviour import SHOWS, never_laxer, somebody_is_parted, somebody_reaches

BUDGET = 600.0
FAST = ("disposition lowered", "weak bones are not hidden from", "no safety net in an emergency")
"""With those of the small ruleset the short form."""
_BEFORE: dict[tuple[str, str], Verdict] = {}


def before(fault: Fault) -> Verdict:
    """The verdict on the ruleset without the fault."""
    key = fault.of, fault.claimed.id
    if key not in _BEFORE:
        checked = sound(fault.of)
        _BEFORE[key] = Prover(checked, {NEVER_LAXER.than: checked}, BUDGET).verdict(fault.claimed)
    return _BEFORE[key]


def refuted(fault: Fault) -> Refuted:
    """The verdict on the ruleset with the fault."""
    verdict = Prover(fault.faulty(), {NEVER_LAXER.than: sound(fault.of)}, BUDGET).verdict(fault.claimed)
    assert isinstance(verdict, Refuted), verdict
    return verdict


def params() -> list[ParameterSet]:
    quick = [each.of == "bicycle" or each.name in FAST for each in FAULTS]
    return [
        pytest.param(fault, id=fault.name, marks=() if fast else pytest.mark.slow)
        for fault, fast in zip(FAULTS, quick, strict=True)
    ]


@pytest.mark.parametrize("fault", params())
def test_a_fault_is_refuted_by_a_patient_who_misbehaves(fault: Fault) -> None:
    if fault.of == "low_back_pain":
        assert isinstance(before(fault), Proved)
    verdict = refuted(fault)
    assert fault.told in verdict.why
    evaluator = Evaluator(fault.faulty())
    match fault.kind:
        case "reachable":
            assert not verdict.patients
            assert not somebody_reaches(evaluator, fault.about)
            assert somebody_reaches(Evaluator(sound(fault.of)), fault.about)
        case "threshold_matters":
            assert not verdict.patients
            assert not somebody_is_parted(evaluator, fault.about)
        case "never_laxer":
            assert never_laxer(evaluator, Evaluator(sound(fault.of)), verdict.patients)
        case kind:
            assert SHOWS[kind](evaluator, fault.claimed, verdict.patients)


def test_a_sound_ruleset_does_not_misbehave() -> None:
    """Each way of looking can say no."""
    healthy = {name: Given(QuestionType.YES_NO, "no") for name in ("saddle_numbness", "fever")}
    evaluator = Evaluator(sound("low_back_pain"))
    for fault in FAULTS:
        claim = fault.claimed
        if fault.of == "low_back_pain" and fault.kind in ("red_flag_floor", "no_programme_when", "safety_net_always"):
            assert not SHOWS[fault.kind](evaluator, claim, (healthy,))
    assert not SHOWS["exclusive_programme"](evaluator, PROGRAMME, (healthy,))
    assert not SHOWS["no_contradicting_advice"](evaluator, PROGRAMME, (healthy,))
    assert not SHOWS["complete"](evaluator, PROGRAMME, (healthy,))
    more = {**healthy, "chest_pain": Given(QuestionType.YES_NO, "yes")}
    less = {**healthy, "chest_pain": Given(QuestionType.YES_NO, "no")}
    silent = {**healthy, "chest_pain": Given(None)}
    claim = evaluator.checked.ruleset.claims["symptoms_never_lower"]
    assert not SHOWS["monotone"](evaluator, claim, (less, more))
    assert not SHOWS["unknown_never_milder"](evaluator, claim, (silent, less, more))
    assert not SHOWS["unasked_changes_nothing"](evaluator, claim, (healthy, more))
    assert not SHOWS["fail_safe"](evaluator, claim, (healthy, more))
    assert not never_laxer(evaluator, evaluator, (healthy, healthy))
    assert somebody_is_parted(evaluator, "P06 age 15 16")


def test_there_are_faults_of_every_kind() -> None:
    assert {fault.kind for fault in FAULTS} == CLAIMS.keys()
    assert len(FAULTS) >= 30
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
