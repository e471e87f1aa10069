"""The short form of the reloads under load; `make faults` has all kinds."""

from __future__ import annotations

import pytest

from tests.load.reloads import plants, reloads

SOME = ("cut in the middle", "zeros", "a failing case", "a link out", "unknown-question")


def test_there_are_fifty_kinds() -> None:
    assert len(plants()) >= 50


@pytest.mark.slow
def test_callers_notice_nothing_of_bad_rulesets() -> None:
    kinds = plants()
    chosen = {name: plant for name, plant in kinds.items() if name in SOME}
    assert len(chosen) >= len(SOME) - 1
    assert reloads(chosen, lambda told: None) > 0
