"""The shipped rulesets are proved, and whatever the prover does not know is never called proved."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from engine.decide.evaluate import Evaluator
from engine.prove import prover as room
from engine.prove.claims import CLAIMS
from engine.prove.obligations import Somebody, Subject
from engine.prove.prover import Prover, certificate, prove
from engine.prove.replay import Seen
from engine.prove.solving import OutOfTime, Solver
from engine.prove.verdict import Proved, Refuted, Undecided, word
from engine.rules.load import load
from engine.rules.model import CheckedRuleset, Claim
from tests.decide.generate import load_content
from tests.prove.faults import COMPLETE, FAULTS, NEVER_LAXER, PROGRAMME, REACHABLE, sound
from tests.prove.rulesets import tiny_content

RULESETS = Path(__file__).parents[2] / "rulesets"
BUDGET = 600.0
NOTHING_TO_SHOW = {("neck_pain", "no_contradicting_advice")}
"""Claims about something that the ruleset does not declare."""
LOUD = "the evaluators do not do what the solver says"
CONTRADICTING = Claim("contradicting", "no_contradicting_advice")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["low_back_pain", "neck_pain"])
def test_every_claim_of_a_shipped_ruleset_is_proved(name: str) -> None:
    checked = load(RULESETS / name)
    results = list(prove(checked, budget=BUDGET))
    assert [each.claim for each in results] == list(checked.ruleset.claims.values())
    for each in results:
        assert isinstance(each.verdict, Proved), f"{each.claim.id}: {each.verdict}"
        nothing = (name, each.claim.kind) in NOTHING_TO_SHOW
        assert (each.verdict.obligations == 0) == nothing, f"{each.claim.id}: {each.verdict}"
    print(name, {each.claim.id: each.verdict for each in results})
    assert {each.verdict for each in certificate(checked, results).claims} == {"proved"}


def test_a_claim_with_nothing_to_show_says_so() -> None:
    assert Prover(sound("bicycle")).verdict(CONTRADICTING) == Proved(0)


@pytest.mark.parametrize("kind", ["complete", "reachable", "fail_safe", "monotone", "threshold_matters"])
def test_without_time_nothing_is_proved(kind: str) -> None:
    verdict = Prover(sound("bicycle"), budget=0).verdict(Claim("claimed", kind))
    assert verdict == Undecided("the budget of time is used up")


def test_the_budget_is_for_all_claims_together() -> None:
    """Each question costs some time; the claims that come after the last of it are undecided, none of them proved."""
    passed = [0.0]

    def clock() -> float:
        passed[0] += 1
        return passed[0]

    prover = Prover(sound("bicycle"))
    prover._solver = Solver(20, clock)
    verdicts = [prover.verdict(each) for each in (COMPLETE, REACHABLE, REACHABLE)]
    assert word(verdicts[-1]) == "undecided"
    assert passed[0] > 20


def test_a_solver_that_gives_up_is_out_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    solver = Solver(60)
    monkeypatch.setattr(solver._solver, "check", not_known)
    with pytest.raises(OutOfTime):
        solver.find(Subject(sound("bicycle")).outcome.accepted)


def not_known() -> object:
    """What the solver answers when it does not know."""
    from z3 import unknown

    return unknown


def test_somebody_whom_the_evaluators_do_not_confirm_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "replay", lambda evaluator, answers: Seen(answers, failed="broken"))
    for claim in (COMPLETE, REACHABLE):
        verdict = Prover(sound("bicycle")).verdict(claim)
        assert isinstance(verdict, Undecided)
        assert LOUD in verdict.why


@pytest.mark.parametrize("name", ["disposition lowered", "weak bones are not hidden from"])
def test_a_refutation_that_the_evaluators_do_not_confirm_is_undecided(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = next(each for each in FAULTS if each.name == name)
    checked = fault.faulty()
    assert isinstance(Prover(checked).verdict(fault.claimed), Refuted)
    healthy = Evaluator(sound("low_back_pain"))
    monkeypatch.setattr(
        room, "replay", lambda evaluator, answers: Seen(answers, healthy.evaluate(healthy.read(answers)))
    )
    verdict = Prover(checked).verdict(fault.claimed)
    assert isinstance(verdict, Undecided)
    assert LOUD in verdict.why
    assert fault.told in verdict.why


def test_a_version_that_is_not_there_leaves_the_claim_open() -> None:
    verdict = Prover(sound("bicycle")).verdict(NEVER_LAXER)
    assert verdict == Undecided("version 0.1.0 is not there to compare with")


def test_a_refutation_of_nobody_names_what_shows_it() -> None:
    """Where no patient can show the fault, the answer that nobody can give does."""
    checked = sound("bicycle")
    found = [each for each in CLAIMS["complete"](Subject(checked), COMPLETE) if isinstance(each, Somebody)]
    assert found
    assert all(each.instead for each in found)


def test_the_first_failure_decides_and_the_certificate_tells_it() -> None:
    fault = next(each for each in FAULTS if each.of == "bicycle" and each.claimed is PROGRAMME)
    checked = fault.faulty()
    claims = [PROGRAMME, replace(NEVER_LAXER, id="compared"), CONTRADICTING]
    results = list(prove(checked, claims))
    assert [word(each.verdict) for each in results] == ["refuted", "undecided", "proved"]
    written = certificate(checked, results)
    assert [(each.id, each.verdict) for each in written.claims] == [
        ("programme", "refuted"),
        ("compared", "undecided"),
        ("contradicting", "proved"),
    ]
    assert written.claims[0].why == "no row of the programme table applies"
    assert written.claims[2].why == ""
    assert all(each.seconds >= 0 for each in results)


def test_a_refuting_patient_is_remarkable_in_little() -> None:
    fault = next(each for each in FAULTS if each.name == "disposition lowered")
    verdict = Prover(fault.faulty()).verdict(fault.claimed)
    assert isinstance(verdict, Refuted)
    (patient,) = verdict.patients
    assert len([name for name, each in patient.items() if each.value not in ("no", "none")]) == 1


def test_the_obligations_of_a_claim_are_counted() -> None:
    """A red flag: once where the finding holds, once where it may."""
    claim = sound("low_back_pain").ruleset.claims["cauda_equina_is_emergency"]
    assert Prover(sound("low_back_pain")).verdict(claim) == Proved(2)


def _equal_numbers(when: dict[str, object]) -> CheckedRuleset:
    """Only equal answers from 8 to 12 are accepted, so that no accepted value of `q0` is an end of any stretch."""
    content = tiny_content(random.Random(3))
    number = {"type": "integer", "unit": "pieces", "range": ["0", "20"]}
    content |= {"groups": {}, "questions": {"q0": number, "q1": number}, "findings": {"f0": when, "f1": when}}
    rule = next(iter(content["rules"].values()))
    then = {"disposition": "emergency", "call": "112", "within_hours": "1"}
    content["rules"] = {"R00": rule | {"when": when, "then": then}}
    content["refuse"] = {name: {"q0": {name: {"answer": "q1"}}} for name in ("above", "below")}
    content["refuse"] |= {"small": {"q1": {"below": "8"}}, "large": {"q1": {"above": "12"}}}
    content |= {"programme": content["programme"][-1:], "advice": {}, "advice_policies": {}, "claims": {}}
    return load_content(content | {"safety_net": {"SN-0": {}}})


@pytest.mark.parametrize(
    ("when", "verdict"),
    [
        ({"any": [{"unknown": "q0"}, {"unknown": "q1"}]}, "proved"),
        ({"all": [{"q0": {"above": "3"}}, {"q0": {"below": "17"}}]}, "undecided"),
    ],
    ids=["unknown is the worst", "it may hang on a value between"],
)
def test_where_only_values_in_between_are_accepted(when: dict[str, object], verdict: str) -> None:
    checked = _equal_numbers(when)
    found = Prover(checked).verdict(Claim("claimed", "unknown_never_milder"))
    assert word(found) == verdict, found
