"""A bounded, repeatable number of mutated requests to a real server; `make fuzz` sends as many as there is time for."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine.serve import convert
from tests.fuzz.requests import one
from tests.fuzz.tally import Tally
from tests.serve.conftest import PUBLISHED, running

EXAMPLES = 250


@pytest.mark.slow
def test_a_mutated_request_is_refused_or_right() -> None:
    tally = Tally("requests")
    with running(PUBLISHED) as started:

        @settings(max_examples=EXAMPLES, database=None)
        @given(st.data())
        def run(data: st.DataObject) -> None:
            one(data.draw, tally, started.client)

        run()
    tally.report(floor=0.3)


@pytest.mark.slow
def test_a_planted_fault_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a half answer that becomes a *no*."""
    monkeypatch.setattr(convert, "_READERS", {**convert._READERS, None: lambda name, answer: convert._NO})
    with running(PUBLISHED) as started:

        @settings(max_examples=4 * EXAMPLES, database=None, phases=[Phase.generate])  # it ends with the first find
        @given(st.data())
        def run(data: st.DataObject) -> None:
            one(data.draw, Tally("planted"), started.client)

        with pytest.raises(AssertionError):
            run()
