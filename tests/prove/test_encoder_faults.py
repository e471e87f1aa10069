"""For every kind of claim: a slip in the part of the encoder that it rests on is found by the agreement runs."""

from __future__ import annotations

import pytest

from engine.prove.claims import CLAIMS
from tests.prove import agreement, every_patient
from tests.prove.encoder_faults import FAULTS, By, Fault

PAIRS, RULESETS = 3_000, 60
"""As many as the runs take in their short form, or a little more: each stops at the first difference."""

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
