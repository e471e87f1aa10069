"""The clinician's walk of rulesets/README.md, walked: each mistake is found, and told in the words that stand there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from engine.decide.cases import run_cases
from engine.decide.evaluate import Evaluator
from engine.rules.load import load, load_cases, read_ruleset

RULESETS = Path(__file__).parent.parent / "rulesets"
README = (RULESETS / "README.md").read_text(encoding="utf-8")

QUESTION = "  bed_rest_days: {type: integer, unit: days, range: [0, 365]}\n"
RULE = """  P09:                                      # more than two days in bed
    when: {any: [{bed_rest_day: {above: 2}}, {bed_rest_days: unknown}]}
    then: {disposition: physiotherapist, call: clinic, within_hours: 168, guidance: recommended}
    because: too_long_in_bed
    evidence: [kngf_2013_profile]

"""
TEXTS = {
    "nl": (
        "  bed_rest_days:\n    text: Hoeveel dagen lag u de afgelopen week vooral in bed?\n"
        "    help: Gewoon slapen in de nacht telt niet.\n",
        "  too_long_in_bed: U lag een paar dagen in bed. Een fysiotherapeut helpt u om weer op gang te komen.\n",
    ),
    "en": (
        "  bed_rest_days:\n    text: How many days of the past week were you mostly in bed?\n"
        "    help: Ordinary sleep at night does not count.\n",
        "  too_long_in_bed: You were in bed for some days. A physiotherapist helps you to get going again.\n",
    ),
}
CASE = """
  LBP-B90:
    title: Three days in bed, getting better
    tags: [constructed, boundary]
    answers: {age: 40, sex: m, duration_weeks: 0.5, onset: sudden, course: improving, pain_nrs: 3, bed_rest_days: 3}
    unlisted: no
    expect: {disposition: self_care}
"""


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
    file.write_text(text.replace(old, new), encoding="utf-8")


def told(folder: Path) -> list[str]:
    """The codes of the errors; of each code one stands in the README, with its message and remedy."""
    _, problems = read_ruleset(folder)
    codes = [problem.code for problem in problems.errors]
    shown = {problem.code for problem in problems.errors if all(map(stands, (problem.message, problem.help)))}
    assert shown == set(codes)
    return codes


def stands(line: str) -> bool:
    return re.sub(r",? on line \d+| \(line \d+\)\?|, here or at .*", "", line) in README


def test_the_walk(tmp_path: Path) -> None:
    folder = tmp_path / "low_back_pain"
    shutil.copytree(RULESETS / "low_back_pain", folder)
    ruleset = folder / "ruleset.yaml"
    before = "  movement_getting_harder: {type: yes_no, group: pain}\n"
    edit(ruleset, before, before + QUESTION)
    edit(ruleset, "  # S: the same day", RULE + "  # S: the same day")
    missing = ["text-missing"] * 2

    assert told(folder) == [*missing, "duplicate-key"]
    edit(ruleset, RULE.splitlines()[0], RULE.splitlines()[0].replace("P09:", "P10:"))
    assert told(folder) == [*missing, "unknown-as-value", "outside-scale"]
    edit(ruleset, "{bed_rest_days: unknown}", "{unknown: bed_rest_days}")
    edit(ruleset, "disposition: physiotherapist", "disposition: physio")
    assert told(folder) == [*missing, "unknown-question", *missing, "unknown-evidence"]
    edit(ruleset, "{bed_rest_day:", "{bed_rest_days:")
    edit(ruleset, "[kngf_2013_profile]", "[kngf_2013_profiles]")
    assert told(folder) == missing * 2
    for language, (question, reason) in TEXTS.items():
        texts = folder / f"texts.{language}.yaml"
        edit(texts, "\nfindings:\n", f"{question}\nfindings:\n")
        edit(texts, "\nreasons:\n", f"\nreasons:\n{reason}")
    assert told(folder) == []

    with (folder / "cases.yaml").open("a", encoding="utf-8") as cases:
        cases.write(CASE)
    assert len(failures(folder)) > 50, "everybody of whom the new question was not asked is sent to the physiotherapist"
    edit(ruleset, "{any: [{bed_rest_days: {above: 2}}, {unknown: bed_rest_days}]}", "{bed_rest_days: {above: 2}}")
    assert failures(folder) == {"LBP-B58", "LBP-B90"}
    edit(
        folder / "cases.yaml",
        "    expect: {disposition: self_care}\n",
        "    expect: {disposition: physio, rules: [P10]}\n",
    )
    old, new = (
        "exercise_warning_symptoms: no, age_at_onset: 40}",
        "exercise_warning_symptoms: no, age_at_onset: 40, bed_rest_days: 0}",
    )
    text = (folder / "cases.yaml").read_text(encoding="utf-8")
    (folder / "cases.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    assert failures(folder) == set()


def failures(folder: Path) -> set[str]:
    checked = load(folder)
    evaluator = Evaluator(checked)
    failed = {result.case.id for result in run_cases(evaluator, load_cases(folder, checked)) if not result.passed}
    evaluator.close()
    return failed
