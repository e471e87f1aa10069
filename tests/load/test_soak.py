"""The short form of the soak: some thousand evaluations while a worker is killed; `make soak` is the long one."""

from __future__ import annotations

import pytest

from tests.load.soak import Soaked, soak

MOST = 1.8
"""Memory at most, of what it was at the start. A short run only warms up (a long one came to 1.4 and stayed there)."""


@pytest.mark.slow
def test_a_worker_is_killed_under_load_and_no_request_fails() -> None:
    done = soak(6000, 1)
    assert done.killed == 1
    assert max(done.memory) < MOST * done.memory[0]


def test_growth_is_that_of_the_later_part() -> None:
    grows = Soaked(0, 0, 0, 0.0, tuple(range(100, 200)), ())
    assert grows.growth > 0.4
    assert abs(Soaked(0, 0, 0, 0.0, (10, *[100] * 99), ()).growth) < 0.01
