"""A bounded, repeatable number of mutated rulesets; `make fuzz` runs as many as there is time for."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine.decide import literals
from engine.errors import EvaluatorsDisagree
from tests.fuzz.rulesets import one
from tests.fuzz.tally import Tally

EXAMPLES = 80


@pytest.mark.slow
def test_a_mutated_ruleset_is_refused_or_right() -> None:
    tally = Tally("rulesets")

    @settings(max_examples=EXAMPLES, database=None)
    @given(st.data())
    def run(data: st.DataObject) -> None:
        one(data.draw, tally)

    run()
    tally.report(floor=0.3)


@pytest.mark.slow
def test_a_planted_fault_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as `unless` that reads as `not`, in one of the two evaluators."""
    monkeypatch.setattr(literals, "_UNLESS", literals._OPPOSITE)

    @settings(max_examples=EXAMPLES, database=None, phases=[Phase.generate])
    @given(st.data())
    def run(data: st.DataObject) -> None:
        one(data.draw, Tally("planted"))

    with pytest.raises(EvaluatorsDisagree):
        run()
