"""The rivals on Node decide as Pluis does. It needs Node: `python -m pytest tests/bench_rivals/node_rivals.py`.

`make test` needs no Node and leaves it out, as it does the clients' calls. `make bench` checks low_back_pain by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from engine.rules.model import CheckedRuleset
from tests.bench.rivals.checking import RivalDiffers, check
from tests.bench.rivals.contestants import Form, pluis
from tests.bench.rivals.on_node import install, on_node
from tests.bench.rivals.tree import Logic, translate
from tests.bench_rivals.cases import at_random, shipped


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    install()


def compared(checked: CheckedRuleset, logic: Logic, patients: Sequence[str]) -> None:
    with on_node(logic) as node:
        check(checked, pluis(checked), node, patients)


@pytest.mark.parametrize("name", ["low_back_pain", "neck_pain"])
def test_both_decide_as_pluis_on_shipped_rulesets(name: str) -> None:
    checked, patients = shipped(name, 400)
    compared(checked, translate(checked.ruleset), patients)


def test_both_decide_as_pluis_on_rulesets_at_random() -> None:
    for checked, patients in at_random(20):
        compared(checked, translate(checked.ruleset), patients)


@pytest.mark.parametrize("rival", [0, 1])
def test_a_rule_that_is_left_out_is_found(rival: int) -> None:
    checked, patients = shipped("low_back_pain", 400)
    logic = translate(checked.ruleset)
    with on_node(replace(logic, rules=logic.rules[3:])) as node, pytest.raises(RivalDiffers, match=node[rival].name):
        check(checked, pluis(checked), node[rival : rival + 1], patients)


def test_a_process_that_fails_gives_no_times() -> None:
    checked, patients = shipped("neck_pain", 150)
    with on_node(translate(checked.ruleset)) as node, pytest.raises(RuntimeError, match=r"node ended with 1"):
        node[0].run(Form.PREPARED, [patients[0], "{"], ())
