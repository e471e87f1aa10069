"""A bounded, repeatable number of mutated patients' files; `make fuzz` reads as many as there is time for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import engine.client
from tests.fuzz.patients import one
from tests.fuzz.tally import Tally

EXAMPLES = 60


@pytest.mark.slow
def test_a_mutated_file_of_patients_is_refused_or_right(tmp_path: Path) -> None:
    tally = Tally("patients' files")

    @settings(max_examples=EXAMPLES, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.data())
    def run(data: st.DataObject) -> None:
        one(data.draw, tally, tmp_path)

    run()
    tally.report(floor=0.3)


@pytest.mark.slow
def test_a_planted_fault_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as an answer that is forgotten on the way."""
    original = engine.client.to_request

    def forgetful(**asked: Any) -> Any:
        return original(**{**asked, "answers": dict(list(asked["answers"].items())[1:])})

    monkeypatch.setattr(engine.client, "to_request", forgetful)

    @settings(max_examples=EXAMPLES, database=None, phases=[Phase.generate])
    @given(st.data())
    def run(data: st.DataObject) -> None:
        one(data.draw, Tally("planted"), tmp_path)

    with pytest.raises(AssertionError):
        run()
