"""Faults that an author could write into a ruleset, each with the claim that has to be refuted and what must be told.

An edit is a piece of `ruleset.yaml` that is replaced. What `check` refuses is doctored into the checked
ruleset instead: the prover has to find it all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from engine.rules.condition import Compare, Operator
from engine.rules.load import build
from engine.rules.model import CheckedRuleset, Claim, Ruleset
from engine.rules.scale import Disposition
from engine.rules.source import Source

ROOT = Path(__file__).parents[2]
FOLDERS = {"low_back_pain": ROOT / "rulesets" / "low_back_pain", "bicycle": ROOT / "tests" / "data" / "minimal"}

COMPLETE = Claim("complete", "complete")
REACHABLE = Claim("reachable", "reachable")
FAIL_SAFE = Claim("fail_safe", "fail_safe")
THRESHOLDS = Claim("thresholds", "threshold_matters")
PROGRAMME = Claim("programme", "exclusive_programme")
NEVER_LAXER = Claim("never_laxer", "never_laxer", than="0.1.0")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `claim` is the id of one of the ruleset's claims, or a claim of our own.

    `edit` replaces a text (which occurs once) by another; `doctor` changes what is checked already. `about` names what
    nobody reaches where the fault is that there is no such patient, and the questions that it hangs on.
    """

    name: str
    claim: str | Claim
    told: str
    edit: tuple[str, str] = ("", "")
    doctor: Callable[[Ruleset], Ruleset] | None = None
    about: str = ""
    of: str = "low_back_pain"

    @property
    def kind(self) -> str:
        return self.claimed.kind

    @property
    def claimed(self) -> Claim:
        return sound(self.of).ruleset.claims[self.claim] if isinstance(self.claim, str) else self.claim

    def faulty(self) -> CheckedRuleset:
        """The ruleset with the fault in it."""
        checked = _build(self.of, *self.edit)
        return checked if self.doctor is None else CheckedRuleset(self.doctor(checked.ruleset), checked.digest)


@cache
def sound(name: str) -> CheckedRuleset:
    """The ruleset as it is."""
    return _build(name, "", "")


def _build(name: str, old: str, new: str) -> CheckedRuleset:
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDERS[name].glob("*.yaml"))}
    texts.pop("cases.yaml")
    if old:
        assert texts["ruleset.yaml"].count(old) == 1, f"{old!r} occurs {texts['ruleset.yaml'].count(old)} times"
        texts["ruleset.yaml"] = texts["ruleset.yaml"].replace(old, new)
    checked, problems = build({file: Source(file, text) for file, text in texts.items()})
    assert checked is not None, problems.render()
    return checked


def _when(finding: str, condition: str, then: str = "then: {disposition") -> tuple[str, str]:
    """A rule that reads a finding gets another condition."""
    return f"when: {{finding: {finding}}}\n    {then}", f"when: {condition}\n    {then}"


def _then(finding: str, old: str, new: str) -> tuple[str, str]:
    """A rule that reads a finding gets another disposition."""
    start = f"when: {{finding: {finding}}}\n    then: {{disposition: "
    return start + old, start + new


def _last_row_asks(ruleset: Ruleset) -> Ruleset:
    *rows, last = ruleset.programme
    return replace(ruleset, programme=(*rows, replace(last, when=ruleset.programme[0].when, applies_unknown=False)))


def _nothing_always_shown(ruleset: Ruleset) -> Ruleset:
    kept = {name: each for name, each in ruleset.safety_net.items() if each.when is not None}
    return replace(ruleset, safety_net=kept)


def _default_above_a_rule(ruleset: Ruleset) -> Ruleset:
    rules = {name: replace(each, disposition=Disposition.PHYSIO) for name, each in ruleset.rules.items()}
    return replace(ruleset, rules=rules, default=replace(ruleset.default, disposition=Disposition.GP_WITHIN_DAYS))


def _bound_beyond_the_range(ruleset: Ruleset) -> Ruleset:
    rule = next(iter(ruleset.rules.values()))
    when = Compare("bike_age", Operator.AT_LEAST, (99,))
    return replace(ruleset, rules=dict(ruleset.rules) | {rule.id: replace(rule, when=when)})


OR_LIMITED = "{any: [{movement_getting_harder: yes}, {activity_limitation: severe}]}"

FAULTS: tuple[Fault, ...] = (
    # a red flag that does not lead to what it should
    Fault("disposition lowered", "cauda_equina_is_emergency", "`cauda_equina_sign` holds",
          _then("cauda_equina_sign", "emergency", "same_day_gp")),
    Fault("only for adults", "weak_both_legs_is_emergency", "`weakness_both_legs` holds",
          _when("weakness_both_legs", "{all: [{finding: weakness_both_legs}, {age: {at_least: 18}}]}")),
    Fault("one of two signs forgotten", "failing_circulation_is_emergency", "`circulation_failing` holds",
          _when("circulation_failing", "{collapse_or_fainting: yes}")),
    Fault("one branch forgotten", "aneurysm_alarm_is_emergency", "`aneurysm_alarm` holds",
          _when("aneurysm_alarm", "{pulsating_abdomen: yes}")),
    Fault("a day too few", "recent_major_trauma_is_emergency", "`recent_major_trauma` holds",
          _when("recent_major_trauma", "{all: [{trauma: major}, {trauma_days: {at_most: 1}}]}")),
    Fault("the GP in days instead of today", "severe_weakness_is_same_day", "below `same_day_gp`",
          _then("severe_weakness", "same_day_gp", "gp_within_days")),
    Fault("explained away", "fever_is_same_day", "`feverish` holds",
          _when("feverish", "{all: [{finding: feverish}, {unless: {general_viral_illness: yes}}]}")),
    Fault("one unknown read of five", "unknown_core_is_same_day", "`core_answer_unknown` holds",
          _when("core_answer_unknown", "{unknown: leg_weakness}")),
    Fault("one option forgotten", "cancer_sees_a_doctor", "`cancer` holds",
          _when("cancer", "{cancer_history: past}")),
    Fault("all instead of any", "leg_signs_see_a_physio", "`leg_signs` holds",
          _when("leg_signs", "{all: [{leg_pain: below_knee}, {leg_numbness: one}]}")),
    Fault("an unknown answer goes unread", "unknown_answer_sees_a_physio", "`answer_unknown` holds",
          _when("answer_unknown", "{unknown: fever}")),
    # a symptom that lowers
    Fault("a second complaint excuses the first", "symptoms_never_lower", "`vomiting` from no to",
          ("{any: [{flank_colic: yes}, {blood_in_urine: yes}, {all: [{painful_urination: yes}, {flank_pain: yes}]}]}",
           "{all: [{flank_colic: yes}, {vomiting: no}]}")),
    Fault("a virus excuses a fever", "symptoms_never_lower", "`general_viral_illness` from no to",
          _when("feverish", "{all: [{finding: feverish}, {unless: {general_viral_illness: yes}}]}")),
    Fault("numbness excuses walking", "symptoms_never_lower", "`leg_numbness` from none to",
          ("when: {walking_claudication: yes}", "when: {all: [{walking_claudication: yes}, {leg_numbness: none}]}")),
    # what is not known is read as harmless
    Fault("every option but not unknown", "unknown_is_never_milder", "`activity_limitation` unknown is milder",
          (OR_LIMITED, "{activity_limitation: {in: [none, mild, moderate, severe]}}")),
    Fault("answered instead of not denied", "unknown_is_never_milder", "`pain_nrs` unknown is milder",
          (OR_LIMITED, "{any: [{movement_getting_harder: yes}, {activity_limitation: severe}, {answered: pain_nrs}]}")),
    # an answer to a question that is not asked
    Fault("the gate is not read", "unasked_answers_change_nothing", "is not asked, and a value changes",
          ("{all: [{pregnant: yes}, {finding: obstetric_sign}]}", "{finding: obstetric_sign}")),
    Fault("stiffness at any age", "unasked_answers_change_nothing", "`morning_stiffness_minutes` is not asked",
          (OR_LIMITED, "{any: [{movement_getting_harder: yes}, {morning_stiffness_minutes: {at_least: 30}}]}")),
    # programmes
    Fault("a programme before the GP", "no_programme_before_the_doctor", "or may become `gp_within_days`",
          ("when: {disposition: {at_least: gp_within_days}}\n    then: none_yet",
           "when: {disposition: {at_least: same_day_gp}}\n    then: none_yet")),
    Fault("the first row gives another programme", "no_programme_before_the_doctor", "a programme is recommended",
          ("when: {disposition: {at_least: gp_within_days}}\n    then: none_yet",
           "when: {disposition: {at_least: gp_within_days}}\n    then: either")),
    Fault("no last row", "one_programme", "no row of the programme table applies", doctor=_last_row_asks),
    Fault("no last row either", PROGRAMME, "no row of the programme table applies",
          doctor=_last_row_asks, of="bicycle"),
    # texts
    Fault("weak bones are not hidden from", "no_contradicting_advice", "`ADV-007` and `ADV-G09`",
          ("{finding: bone_risk}, {trauma: {in: [minor, major]}}]}\n    contradicts",
           "{trauma: {in: [minor, major]}}]}\n    contradicts")),
    Fault("two texts at once", "no_contradicting_advice", "`ADV-001` and `ADV-003`",
          ("ADV-001: {kind: reassurance, when: {disposition: {in: [self_care, physio]}}}",
           "ADV-001: {kind: reassurance, when: {disposition: {in: [self_care, physio]}}, contradicts: [ADV-003]}")),
    Fault("no safety net in an emergency", "always_a_safety_net", "no safety net", doctor=_nothing_always_shown),
    # answers that nobody can give
    Fault("pregnancy is refused", "every_answer_gets_a_decision", "`pregnant` with yes is refused",
          ("pregnant_man: {all: [{sex: m}, {pregnant: yes}]}", "pregnant_man: {pregnant: yes}")),
    Fault("not knowing is refused", "every_answer_gets_a_decision", "`sex` with unknown is refused",
          ("pregnant_man: {all: [{sex: m}, {pregnant: yes}]}", "pregnant_man: {unknown: sex}")),
    Fault("the end of the range is refused", "every_answer_gets_a_decision", "`age_at_onset` with 120 is refused",
          ("onset_after_age: {age_at_onset: {above: {answer: age}}}", "onset_after_age: {age_at_onset: {above: 100}}")),
    # what is there for nobody
    Fault("a rule that cannot be true", "every_rule_can_fire", "`G11` is true and decides for nobody",
          ("    when: {age: {below: 16}}\n", "    when: {all: [{age: {below: 16}}, {age: {above: 60}}]}\n"),
          about="G11"),
    Fault("a rule that never decides", "every_rule_can_fire", "`P06` is true and decides for nobody",
          ("    when: {age: {below: 16}}\n", "    when: {age: {below: 18}}\n"), about="P06"),
    Fault("a row behind another", "every_rule_can_fire", "`PR10b` applies first for nobody",
          ("when: {programme_preference: pilates}", "when: {programme_preference: medical_fitness}"),
          about="PR10b programme_preference"),
    Fault("a text that hides itself", "every_rule_can_fire", "`ADV-G07` is shown for nobody",
          ("{kind: information, when: {sick_leave: yes}}",
           "{kind: information, when: {sick_leave: yes}, hide_when: {sick_leave: yes}}"), about="ADV-G07"),
    Fault("a finding that contradicts itself", "every_rule_can_fire", "`S02` is true and decides for nobody",
          ("{all: [{finding: new_weakness}, {leg_weakness_progressive: yes}]}",
           "{all: [{finding: new_weakness}, {leg_weakness: none}]}"),
          about="S02 leg_weakness leg_weakness_progressive leg_weakness_days"),
    # thresholds
    Fault("a threshold behind another", "every_threshold_matters", "`{age: {at_least: 15}}` of `P06`",
          ("{all: [{age: {at_least: 16}}, {age: {below: 18}}]}",
           "{all: [{age: {at_least: 16}}, {age: {at_least: 15}}, {age: {below: 18}}]}"), about="P06 age 15 14"),
    Fault("a threshold at the end of the range", "every_threshold_matters", "one side is out of range",
          ("{finding: fracture_cluster}, {any: [{age: {at_least: 50}}",
           "{finding: fracture_cluster}, {any: [{age: {at_least: 0}}"), about="G01 age 0 -1"),
    Fault("a threshold beyond the range", THRESHOLDS, "one side is out of range", doctor=_bound_beyond_the_range,
          about="E01 bike_age 99 98", of="bicycle"),
    # records and versions
    Fault("a rule below the default", FAIL_SAFE, "milder than its floor", doctor=_default_above_a_rule, of="bicycle"),
    Fault("a rule became milder", NEVER_LAXER, "milder than by version 0.1.0",
          ("when: {sexual_change_new: yes}\n    then: {disposition: same_day_gp",
           "when: {sexual_change_new: yes}\n    then: {disposition: gp_within_days")),
    Fault("a week later", NEVER_LAXER, "milder than by version 0.1.0",
          ("guidance_recommend_from_weeks: {value: 3,", "guidance_recommend_from_weeks: {value: 4,")),
)  # fmt: skip
"""Each is refuted; those that show in a patient, by a patient on whom the evaluators misbehave."""
