"""Every kind of slip, by hand on an invented ruleset: what it changes, how it is told, and that ids stay."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.author.edits import Kind, written
from engine.author.mutants import Mutant, mutants
from engine.rules.check import check
from engine.rules.content import content
from engine.rules.load import load, load_written
from engine.rules.model import Ruleset

MINIMAL = Path(__file__).parents[1] / "data" / "minimal"
LOW_BACK_PAIN = Path(__file__).parents[2] / "rulesets" / "low_back_pain"


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    return load_written(MINIMAL)


@pytest.fixture(scope="module")
def every(ruleset: Ruleset) -> Mapping[str, Mutant]:
    return {each.id: each for each in mutants(ruleset)}


CONDITIONS = {
    "findings.neglected.all.1:up": "{all: [{finding: soft_tyre}, {bike_age: {above: 11}}]}",
    "findings.neglected.all.1:down": "{all: [{finding: soft_tyre}, {bike_age: {above: 9}}]}",
    "findings.neglected.all.0:dropped": "{all: [{bike_age: {above: 10}}]}",
    "findings.neglected.all:any_all": "{any: [{finding: soft_tyre}, {bike_age: {above: 10}}]}",
    "rules.E01.when.any:any_all": "{all: [{brakes_fail: yes}, {unknown: brakes_fail}]}",
    "rules.E01.when.any.0:yes_no": "{any: [{brakes_fail: no}, {unknown: brakes_fail}]}",
    "rules.E01.when.any.1:dropped": "{any: [{brakes_fail: yes}]}",
    "rules.S01.when.count:up": "{count: {at_least: 3, of: "
    "[{noise: {in: [click, grind]}}, {finding: neglected}, {loose_parts: light}]}}",
    "rules.S01.when.count:down": "{count: {at_least: 1, of: "
    "[{noise: {in: [click, grind]}}, {finding: neglected}, {loose_parts: light}]}}",
    "rules.S01.when.count.0.click:dropped": "{count: {at_least: 2, of: "
    "[{noise: grind}, {finding: neglected}, {loose_parts: light}]}}",
    "rules.S01.when.count.2:another": "{count: {at_least: 2, of: "
    "[{noise: {in: [click, grind]}}, {finding: neglected}, {loose_parts: saddle}]}}",
    "rules.S02.when.all.1.unless:unless_not": "{all: [{noise: grind}, {not: {rides_better: yes}}, "
    "{not: {tyre_bar: {at_most: 1}}}, {surely: {answered: bike_age}}]}",
    "rules.S02.when.all.2.not:unless_not": "{all: [{noise: grind}, {unless: {rides_better: yes}}, "
    "{unless: {tyre_bar: {at_most: 1}}}, {surely: {answered: bike_age}}]}",
    "rules.S02.when.all.2.not:up": "{all: [{noise: grind}, {unless: {rides_better: yes}}, "
    "{not: {tyre_bar: {at_most: 1.1}}}, {surely: {answered: bike_age}}]}",
    "rules.S02.when.all.3.surely:dropped": "{all: [{noise: grind}, {unless: {rides_better: yes}}, "
    "{not: {tyre_bar: {at_most: 1}}}, {answered: bike_age}]}",
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_one_step_in_a_condition(every: Mapping[str, Mutant], name: str) -> None:
    section, owner, *_ = name.split(".")
    changed = every[name].ruleset
    held = changed.findings[owner] if section == "findings" else changed.rules[owner]
    assert written(held.when) == CONDITIONS[name]


def test_a_bound_on_the_disposition_moves_and_an_option_is_left_out(every: Mapping[str, Mutant]) -> None:
    """An author writes `at_least`; a set from one disposition upwards is the same."""

    def shown(name: str) -> str:
        policy, advice = every[name].ruleset.policies["A0"], every[name].ruleset.advice
        condition = policy.hide_when if name.startswith("advice_policies") else advice[name.split(".")[1]].when
        assert condition is not None
        return written(condition)

    assert shown("advice_policies.A0.hide_when:up") == "{disposition: {in: [same_day_gp, emergency]}}"
    assert "physio, gp_within_days" in shown("advice_policies.A0.hide_when:down")
    assert shown("advice.ADV-001.when.physio:dropped") == "{disposition: {in: [self_care]}}"
    assert shown("advice.ADV-002.when.either:dropped") == "{programme: {in: [pilates]}}"


def test_what_a_rule_gives_becomes_less(every: Mapping[str, Mutant]) -> None:
    def result(name: str) -> tuple[object, ...]:
        rule = every[name].ruleset.rules[name.split(".")[1]]
        return rule.disposition.word, rule.call.word, rule.within_hours, rule.guidance and rule.guidance.word

    assert result("rules.E01.then.disposition:lower") == ("same_day_gp", "gp_or_hap_now", 1, None)
    assert result("rules.E01.then.call:lower") == ("emergency", "gp_today", 1, None)
    assert result("rules.E01.then.within_hours:dropped") == ("emergency", "gp_or_hap_now", None, None)
    assert result("rules.E01.then.within_hours:doubled") == ("emergency", "gp_or_hap_now", 2, None)
    assert result("rules.S01.then.guidance:lower") == ("physio", "clinic", None, None)
    assert not [name for name in every if name.startswith("default.")], "nothing is lower than the default"


def test_whole_conditions_rows_and_kinds(every: Mapping[str, Mutant], ruleset: Ruleset) -> None:
    assert every["groups.comfort.asked_when:dropped"].ruleset.groups["comfort"].asked_when is None
    assert every["questions.rides_better.asked_when:dropped"].ruleset.questions["rides_better"].asked_when is None
    assert every["advice.ADV-001.hide_when:dropped"].ruleset.advice["ADV-001"].hide_when is None
    assert every["safety_net.SN-02.when:dropped"].ruleset.safety_net["SN-02"].when is None
    assert [row.id for row in every["programme.PR0:swapped"].ruleset.programme] == ["PR1", "PR0", "PR2"]
    assert "programme.PR1:swapped" not in every, "the last row stays the last"
    assert every["programme.PR1.then:another"].ruleset.programme[1].choice.word == "medical_fitness"
    assert every["programme.PR1:when_unknown"].ruleset.programme[1].applies_unknown
    kinds = every["advice_policies.A0.kinds.activity:dropped"].ruleset.policies["A0"].kinds
    assert [kind.value for kind in kinds] == ["reassurance"]
    assert str(every["parameters.low_bar:up"].ruleset.parameters["low_bar"].value) == "2.6", "a decimal question's step"


def test_a_slip_is_told_in_the_authors_words(every: Mapping[str, Mutant]) -> None:
    told = {name: f"{it.said}, {it.owner}" for name, it in every.items()}
    assert told["findings.neglected.all.1:up"] == "10 became 11 in `{bike_age: {above: 10}}`, finding `neglected`"
    assert told["rules.E01.when.any.1:dropped"] == "`{unknown: brakes_fail}` was left out of `any`, rule E01"
    assert told["rules.E01.then.disposition:lower"] == "disposition: emergency became same_day_gp, rule E01"
    assert told["parameters.low_bar:down"] == "2.5 became 2.4, parameter `low_bar`"
    assert told["programme.PR0:swapped"] == "it came after PR1, programme row PR0"
    assert "above: {answer: bike_age}" in told["refuse.owned_before_built:up"]
    place = every["findings.neglected.all.1:up"].span
    assert place.source.line(place.line)[place.column - 1 :].startswith("bike_age"), "and with its place"


def test_each_mutant_is_another_ruleset_and_every_kind_occurs(every: Mapping[str, Mutant], ruleset: Ruleset) -> None:
    contents = [str(content(each.ruleset)) for each in every.values()]
    assert str(content(ruleset)) not in contents
    assert {each.kind for each in every.values()} == set(Kind)
    assert all(name.endswith(f":{each.kind.value}") for name, each in every.items())


def test_ids_are_unique_and_stay_where_other_parts_change(ruleset: Ruleset, tmp_path: Path) -> None:
    ids = [each.id for each in mutants(ruleset)]
    assert len(ids) == len(set(ids))
    for file in MINIMAL.iterdir():
        text = file.read_text(encoding="utf-8").replace("bike_age: {above: 10}", "bike_age: {above: 12}")
        (tmp_path / file.name).write_text(f"# moved\n{text}", encoding="utf-8")
    assert [each.id for each in mutants(load_written(tmp_path))] == ids
    large = [each.id for each in mutants(load_written(LOW_BACK_PAIN))]
    assert len(large) == len(set(large)) > 1000


def test_what_was_written_is_what_was_checked() -> None:
    """`load_written` gives the same content as `load`, with parameters and operands as they stand in the file."""
    checked, _ = check(load_written(MINIMAL))
    assert checked == load(MINIMAL)
    assert "{parameter: low_bar}" in written(load_written(MINIMAL).findings["soft_tyre"].when)
