"""For every kind of claim: a slip in the part of the encoder that it rests on is found by the agreement runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.prove.claims import CLAIMS
from tests.decide import agreement as of_evaluators
from tests.prove import agreement, every_patient, slips
from tests.prove.encoder_faults import FAULTS, By, Fault

PAIRS, RULESETS = 3_000, 400
"""No more than the slow runs take, and each stops at the first difference."""

# the first of each kind is found at once
planted = pytest.mark.parametrize(
    ("kind", "fault"),
    [
        pytest.param(
            kind,
            fault,
            id=f"{kind}-{fault.name}-{fault.by.name.lower()}",
            marks=pytest.mark.slow if number else (),
        )
        for kind, faults in FAULTS.items()
        for number, fault in enumerate(faults)
    ],
)


def found(kind: str, fault: Fault) -> str:
    """What the run says that has to find a fault."""
    if fault.by is By.AGREEMENT:
        return agreement.run(PAIRS, seed=5).failure
    return every_patient.run(RULESETS, seed=5, kinds=(kind,)).failure


@planted
def test_a_slip_in_the_encoder_is_found(kind: str, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    fault.plant(monkeypatch)
    assert found(kind, fault), f"{fault.name} went unnoticed"


def test_every_kind_of_claim_has_a_slip() -> None:
    assert FAULTS.keys() == CLAIMS.keys()
    assert all(FAULTS.values())


@pytest.mark.slow
def test_hours_that_only_one_version_names_are_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """No claim rests on it, but the comparison of versions does."""
    slips.hours_that_one_version_names(monkeypatch)
    assert "versions" in agreement.run(PAIRS, seed=5).failure


def test_a_failing_pair_is_kept_and_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(of_evaluators, "FOUND", tmp_path)
    slips.several_all_instead_of_any(monkeypatch)
    tally = agreement.run(PAIRS, seed=5)
    path = agreement.keep(tally, 5)
    assert path is not None
    pair = json.loads(path.read_text())
    assert tally.content is not None
    assert len(pair["ruleset"]["rules"]) < len(tally.content["rules"])
    assert agreement.fails(pair["ruleset"], pair["answers"])
    monkeypatch.undo()
    assert not agreement.fails(pair["ruleset"], pair["answers"])
