"""Rivals that decide otherwise are timed for nothing: the translation is right, and the check finds a wrong one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from engine.rules.condition import Condition, Count, Operator, Unless
from engine.rules.load import load
from engine.rules.model import CheckedRuleset
from tests.bench.rivals import text, tree
from tests.bench.rivals.checking import RivalDiffers, check, hold
from tests.bench.rivals.contestants import Contestant, Form, pluis
from tests.bench.rivals.in_python import cel_expression, zen_expression, zen_graph_of_expression, zen_graph_of_table
from tests.bench.rivals.tree import Translator, Tree, translate
from tests.bench_rivals.cases import MINIMAL, at_random, shipped

RIVALS = (zen_expression, zen_graph_of_table, zen_graph_of_expression, cel_expression)


def compared(checked: CheckedRuleset, patients: Sequence[str]) -> None:
    logic = translate(checked.ruleset)
    check(checked, pluis(checked), [rival(logic) for rival in RIVALS], patients)


@pytest.mark.parametrize("name", ["low_back_pain", "neck_pain"])
def test_every_rival_in_python_decides_as_pluis_on_shipped_rulesets(name: str) -> None:
    compared(*shipped(name, 150))


def test_every_rival_in_python_decides_as_pluis_on_rulesets_at_random() -> None:
    seen = 0
    for checked, patients in at_random(20):
        compared(checked, patients)
        seen += len(set(pluis(checked).run(Form.PREPARED, patients, ()).dispositions))
    assert seen > 24, "the rulesets decide the same for everybody"


@pytest.mark.slow
def test_every_rival_in_python_decides_as_pluis_on_many_rulesets_at_random() -> None:
    for checked, patients in at_random(140):  # CEL refuses to read the 146th: it nests deeper than 32 levels
        compared(checked, patients)


def _unless_as_not(true: Callable[[Translator, Condition], Tree], self: Translator, condition: Condition) -> Tree:
    return self.false(condition.member) if isinstance(condition, Unless) else true(self, condition)


def _one_more(true: Callable[[Translator, Condition], Tree], self: Translator, condition: Condition) -> Tree:
    if isinstance(condition, Count):
        return tree.at_least(condition.at_least + 1, map(self.true, condition.members))
    return true(self, condition)


@pytest.mark.parametrize("slip", [_unless_as_not, _one_more])
def test_a_construct_with_another_meaning_is_found(slip: Callable[..., Tree], monkeypatch: pytest.MonkeyPatch) -> None:
    true = Translator.true
    monkeypatch.setattr(Translator, "true", lambda self, condition: slip(true, self, condition))
    with pytest.raises(RivalDiffers, match=r"^zen-engine, one expression decides otherwise on \d+ of 400 patients"):
        compared(*shipped("low_back_pain", 400))


def test_a_question_that_counts_as_asked_though_it_is_not_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Translator, "_not_asked", lambda self, question: tree.NEVER)
    with pytest.raises(RivalDiffers):
        for checked, patients in at_random(20):  # no rule of a shipped ruleset hangs on it
            compared(checked, patients)


def test_a_threshold_that_is_shifted_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(text.SIGN, Operator.AT_LEAST, ">")
    with pytest.raises(RivalDiffers):
        compared(*shipped("low_back_pain", 400))


def test_a_rule_that_is_left_out_is_named() -> None:
    checked, patients = shipped("neck_pain", 150)
    whole = translate(checked.ruleset)
    decisive = whole.rules[0].rule
    logic = replace(whole, rules=whole.rules[1:])
    with pytest.raises(RivalDiffers, match=rf"true for them: {decisive} \d+ times"):
        check(checked, pluis(checked), [zen_expression(logic)], patients)


def test_a_rival_that_forgets_a_patient_is_found() -> None:
    checked, patients = shipped("neck_pain", 150)
    with pytest.raises(RivalDiffers, match="decided on 1 of 2 patients"):
        hold(checked, "somebody", patients[:2], ["physio", "physio"], ["physio"])


def test_no_answer_is_told() -> None:
    checked, patients = shipped("neck_pain", 150)
    expected = pluis(checked).run(Form.RAW, patients, ()).dispositions
    with pytest.raises(RivalDiffers) as caught:
        hold(checked, "somebody", patients, expected, ["nothing"] * len(patients))
    assert not [question for question in checked.ruleset.questions if question in str(caught.value)]


def test_prepared_and_raw_start_from_the_same_patient() -> None:
    checked = load(MINIMAL)
    logic = translate(checked.ruleset)
    patient = json.dumps(dict.fromkeys(checked.ruleset.questions))
    contestants: list[Contestant] = [pluis(checked), *(rival(logic) for rival in RIVALS)]
    words = {each.run(form, [patient], [patient]).dispositions for each in contestants for form in Form}
    assert len(words) == 1


def test_patients_differ_in_how_much_they_know() -> None:
    _, patients = shipped("low_back_pain", 150)
    unknown = [sum(value is None for value in json.loads(each).values()) for each in patients]
    assert min(unknown) < 30 and max(unknown) > 70
