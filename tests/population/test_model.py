"""The file of a simulated population is read whole: what is wrong is told in its place, and nothing is guessed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.errors import RulesetError
from engine.population.model import ASSUMED, POPULATION, Model, load_model, read_model
from engine.population.model_tests import read_test
from engine.rules.load import load
from engine.rules.model import CheckedRuleset
from engine.rules.source import Source

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "rulesets" / "low_back_pain"
TEXT = (FOLDER / POPULATION).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def checked() -> CheckedRuleset:
    return load(FOLDER)


@pytest.fixture(scope="module")
def model(checked: CheckedRuleset) -> Model:
    return load_model(FOLDER / POPULATION, checked.ruleset)


def faults(text: str, checked: CheckedRuleset) -> str:
    with pytest.raises(RulesetError) as raised:
        read_model(Source(POPULATION, text), checked.ruleset)
    return raised.value.problems.render()


def test_the_shipped_population_draws_every_question_and_says_what_is_assumed(
    model: Model, checked: CheckedRuleset
) -> None:
    assert set(checked.ruleset.questions) <= set(model.draws)
    assert {row.source for row in model.rows} == {*model.sources, ASSUMED}
    assert {each.id for each in model.conditions.values() if each.serious}


def test_every_condition_has_a_title_in_every_language(model: Model, checked: CheckedRuleset) -> None:
    for each in model.conditions.values():
        assert set(each.titles) == set(checked.ruleset.languages)


WRONG = {
    "[4, 9, 0.90]]": ("[4, 9, 0.90], [], [5]]", "a band is `[lowest, highest, share]`"),
    "yes: 0.10, source: assumed}]\n  burden": ("yes: 1.10, source: assumed}]\n  burden", "`1.10` is no probability"),
    "share: {low: 0.50, medium: 0.33": ("share: {low: 0.51, medium: 0.33", "the weights add up to `1.01`"),
    "share: {sudden: 0.32, gradual: rest}": ("share: {sudden: rest, gradual: rest}", "only one share can be `rest`"),
    "share: {sudden: 0.32, gradual:": ("share: {suden: 0.32, gradual:", "no option `suden`"),
    "share: {sudden: 0.60, gradual": ("share: {sudden: many, gradual", "`many` is no number"),
    "[[16, 17, 0.02]": ("[[16, 170, 0.02]", "a band is `[lowest, highest, share]`, within the question's range"),
    "{yes: 0.42, source: assumed}]\n  pain_const": (
        "{yes: 0.42, source: asumed}]\n  pain_const",
        "no source `asumed`",
    ),
    "  dialysis:": ("  dialyses:", "no question `dialyses`"),
    "age: {below: 45}}\n": ("weight: {below: 45}}\n", "`weight` is not drawn before this"),
    "when: {burden: high}, yes: 0.03": ("when: {burden: much}, yes: 0.03", "only `low`, `medium`, `high` can be here"),
    "when: {duration_weeks: {below: 12}}, bands": ("when: {duration_weeks: 12}, bands", "a number is tested by"),
    "when: {pain_nrs: {at_least: 5}}": ("when: {pain_nrs: {}}", "a number is tested by"),
    "duration_weeks: -0.0193": ("course: -0.0193", "`course` is no number that is drawn before"),
    "  heavy_work: [{yes: 0.30,": ("  heavy_work: [{share: {yes: 0.3, no: rest}, yes: 0.30,", "by one of `yes` or"),
    "ruleset: low_back_pain": ("ruleset: neck_pain", "for another ruleset than `low_back_pain`"),
    "groups: [sex, age_band]": ("groups: [sex, age]", "nothing draws options of `age`"),
    "    - {yes: 0.03, source: assumed}\n  no_imp": (
        "    - {when: {sex: f}, yes: 0.03, source: assumed}\n  no_imp",
        "the last row, and only the last, has no `when`",
    ),
    "needs: self_care": ("needs: rest", "rest"),
}


@pytest.mark.parametrize("right", WRONG)
def test_a_fault_is_told_in_its_place(right: str, checked: CheckedRuleset) -> None:
    wrong, told = WRONG[right]
    assert TEXT.count(right) == 1
    said = faults(TEXT.replace(right, wrong), checked)
    assert told in said
    assert f"{POPULATION}:" in said


def test_all_faults_are_told_at_once(checked: CheckedRuleset) -> None:
    text = TEXT
    for right in ("  dialysis:", "[[16, 17, 0.02]", "duration_weeks: -0.0193"):
        text = text.replace(right, WRONG[right][0])
    said = faults(text, checked)
    assert all(WRONG[right][1] in said for right in ("  dialysis:", "[[16, 17, 0.02]", "duration_weeks: -0.0193"))
    assert "nothing says how `dialysis` is drawn" in said


def test_what_decides_whether_something_is_asked_is_drawn_before_it(checked: CheckedRuleset) -> None:
    lines = TEXT.split("\n")
    [works] = [line for line in lines if line.startswith("  works:")]
    lines.remove(works)
    lines.insert(next(n for n, line in enumerate(lines) if line.startswith("  suicidal_thoughts:")), works)
    assert "`works` decides whether this is asked, and is drawn later" in faults("\n".join(lines), checked)


def test_hesitation_hangs_on_what_is_drawn_before_anybody_hesitates(checked: CheckedRuleset) -> None:
    text = TEXT.replace("{when: {hesitant: yes}, share", "{when: {fever: yes}, share")
    assert "`fever` is not drawn before this" in faults(text, checked)


def test_the_population_is_no_part_of_the_ruleset(checked: CheckedRuleset, tmp_path: Path) -> None:
    for file in FOLDER.glob("*.yaml"):
        if file.name != POPULATION:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    assert load(tmp_path).digest == checked.digest


def test_a_test_of_a_number_never_holds_for_what_does_not_apply() -> None:
    assert not read_test({"below": "5"}, None).holds(None)
    assert not read_test("yes", ("yes", "no")).holds(None)


def test_the_example_that_authors_read_lacks_only_the_questions_it_leaves_out() -> None:
    guide = (ROOT / "rulesets" / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(population:.*?)```", guide, re.DOTALL)
    bicycle = load(ROOT / "tests" / "data" / "minimal")
    told = faults(example, bicycle)
    left_out = bicycle.ruleset.questions.keys() - {"bike_age", "brakes_fail"}
    assert set(re.findall(r"nothing says how `(\w+)` is drawn", told)) == left_out
    assert told.count("missing-key") == len(left_out)
