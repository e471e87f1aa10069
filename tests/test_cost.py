"""What a decision costs, in instructions and calls into the inference engine, stays what the budget says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.bench.cost import (
    BUDGET,
    ELSEWHERE,
    ROOM,
    WARM_UP,
    Budget,
    Cost,
    budget,
    costs,
    counted,
    differences,
    python,
    written,
)

REMEDY = "if it is meant: python -m tests.bench.cost --update"


def test_a_decision_costs_what_the_budget_says() -> None:
    found = Budget(python(), costs())
    assert differences(found, budget()) == [], REMEDY
    assert all(each.native > 0 for name, each in found.costs.items() if name.endswith("evaluate"))


def test_the_budget_is_written_as_it_is_kept() -> None:
    assert BUDGET.read_text(encoding="utf-8") == written(budget())


def work(times: int) -> int:
    return sum(range(times)) + sum([each + 1 for each in range(times)])


def test_instructions_are_counted_the_same_each_time() -> None:
    few = {counted(work, [10] * (WARM_UP + 1))[0] for _ in range(5)}
    many = {counted(work, [1000] * (WARM_UP + 1))[0] for _ in range(5)}
    assert len(few) == len(many) == 1
    assert 0 < few.pop().instructions < many.pop().instructions


def test_the_first_do_not_count() -> None:
    assert counted(work, [1000] * WARM_UP + [10])[0] == counted(work, [10] * (WARM_UP + 1))[0]
    assert counted(work, [10] * WARM_UP) == (Cost(0, 0), [work(10)] * WARM_UP)


def test_calls_into_other_libraries_do_not_count() -> None:
    assert counted(work, [10] * (WARM_UP + 1))[0].native == 0


OLD = Budget("3.11", {"a: evaluate": Cost(1000, 100)})


@pytest.mark.parametrize(
    ("version", "cost", "told"),
    [
        ("3.11", Cost(1000, 100), ""),
        ("3.11", Cost(round(1000 * (1 + ROOM)), 100), ""),
        ("3.11", Cost(round(1000 * (1 + ROOM)) + 1, 100), "1,101 instructions of Python 3.11, the budget has 1,000"),
        ("3.11", Cost(round(1000 * (1 - ROOM)) - 1, 100), "899 instructions of Python 3.11, the budget has 1,000"),
        ("3.11", Cost(1000, 111), "111 calls into the engine, the budget has 100"),
        ("3.11", Cost(1000, 89), "89 calls into the engine, the budget has 100"),
        ("3.99", Cost(500, 100), ""),
        ("3.99", Cost(round(1000 * (1 + ELSEWHERE)) + 1, 100), "of Python 3.99, the budget has 1,000 of Python 3.11"),
        ("3.99", Cost(500, 111), "111 calls into the engine, the budget has 100"),
    ],
)
def test_what_differs_is_told(version: str, cost: Cost, told: str) -> None:
    found = differences(Budget(version, {"a: evaluate": cost}), OLD)
    assert (told in found[0] and len(found) == 1) if told else found == []


def test_what_is_not_counted_is_told() -> None:
    more = replace(OLD, costs={**OLD.costs, "b: evaluate": Cost(1, 1)})
    assert differences(OLD, more) == differences(more, OLD) == ["b: evaluate: not in both, budget and count"]
