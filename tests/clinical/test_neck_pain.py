"""The second complaint is data only: it decides beside the first, says what it rests on, and its cases cover it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.client import TriageError
from engine.decide.answers import given, unlisted
from engine.decide.evaluate import Evaluator
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.cases import Case
from engine.rules.condition import Unknown, leaves
from engine.rules.load import load_cases
from engine.rules.scale import Disposition, Strength
from tests.clinical.patients import RULESETS, UNKNOWN, evaluator, patient, span
from tests.serve.conftest import running

NAME = "neck_pain"
OTHER = "low_back_pain"
RULESET = evaluator(NAME).checked.ruleset
CASES: tuple[Case, ...] = tuple(load_cases(RULESETS / NAME, evaluator(NAME).checked))
MILD = {"age": "40", "duration_weeks": "0.5", "course": "improving", "pain_nrs": "3"}


def after(name: str = NAME, **changes: str) -> Disposition:
    """Where somebody goes with these answers, everything else being mild."""
    said = {question: given(text) for question, text in (MILD | changes).items()}
    found = span(said | dict(unlisted(evaluator(name).checked.ruleset, said, "no")), name)
    assert found is not None
    assert found[0] is found[1]
    return found[0]


# ---- what it says about itself ----


def test_it_says_that_it_is_a_draft_and_not_for_patients() -> None:
    readme = (RULESETS / NAME / "README.md").read_text(encoding="utf-8")
    changelog = (RULESETS / NAME / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "must not be used on patients" in readme
    assert "must not be used on patients" in changelog.split("\n### ")[0]
    assert "### What could not be verified" in changelog
    assert RULESET.version.startswith("0.")


def test_every_citation_says_whether_it_was_read() -> None:
    """`read` needs an address where anybody can read it; the others say that they are recalled, or a choice."""
    for each in RULESET.evidence.values():
        recalled = each.citation.startswith("Recalled from general clinical knowledge, not verified - ")
        policy = each.strength is Strength.POLICY
        assert recalled or policy or (" read" in each.citation and each.url), each.citation
        assert not (recalled and each.url), each.citation


def test_the_counts_in_its_readme_are_true() -> None:
    readme = (RULESETS / NAME / "README.md").read_text(encoding="utf-8")
    changelog = (RULESETS / NAME / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"{len(RULESET.questions)} questions, {len(RULESET.rules)} rules" in readme
    assert f"All {len(CASES)} cases" in readme
    assert f"{len(CASES)} constructed cases" in changelog
    assert f"{len(RULESET.advice)} advice texts" in changelog


# ---- unknown is not no ----


def test_every_core_answer_that_is_unknown_reaches_a_doctor_the_same_day() -> None:
    core = [each.id for each in RULESET.questions.values() if each.core]
    written = leaves(RULESET.findings["core_answer_unknown"].when)
    listed = [leaf.question for leaf in written if isinstance(leaf, Unknown)]
    assert sorted(listed) == sorted(core)
    for question in core:
        assert after(**{question: "unknown"}) is Disposition.SAME_DAY_GP


def test_an_unknown_age_counts_as_old() -> None:
    """Found by the property on random patients: with an unknown age a tired jaw reached only a physiotherapist."""
    assert after(age="unknown", jaw_or_scalp_pain="yes") is Disposition.SAME_DAY_GP
    injured = {"trauma": "minor", "trauma_days": "3", "head_turn_limited": "no"}
    assert after(age="unknown", **injured) is Disposition.SAME_DAY_GP
    assert after(**injured) is Disposition.SELF_CARE


# ---- its cases ----


def test_every_case_says_everything_that_is_decided() -> None:
    assert len(CASES) > 20
    for case in CASES:
        told = case.expect
        assert None not in (told.disposition, told.call, told.programme, told.rules, told.advice, told.safety_net), (
            case.id
        )
        assert (told.within_hours is None) == (told.disposition is Disposition.SELF_CARE), case.id


def test_every_rule_and_text_is_in_a_case_and_missing_in_another() -> None:
    for ids, field in ((RULESET.rules, "rules"), (RULESET.advice, "advice"), (RULESET.safety_net, "safety_net")):
        shown: Mapping[str, int] = {each: sum(each in getattr(case.expect, field) for case in CASES) for each in ids}
        assert not [each for each, times in shown.items() if not times]
        always = {each for each, times in shown.items() if times == len(CASES)}
        assert always == ({"SN-01", "SN-02", "SN-03", "SN-04"} if field == "safety_net" else set())


def test_every_programme_and_disposition_is_in_a_case() -> None:
    assert {case.expect.disposition for case in CASES} == set(Disposition)
    assert len({case.expect.programme for case in CASES}) == 4


# ---- beside the first ----


def test_the_two_do_not_touch_each_other() -> None:
    """Asked in turns in one process, each decides as a second evaluator that is asked alone."""
    rng = random.Random(3)
    patients = {name: [patient(rng, name) for _ in range(10)] for name in (NAME, OTHER)}
    turns = [(name, patients[name][turn]) for turn in range(10) for name in (NAME, OTHER)]
    mixed = [(name, evaluator(name).evaluate(evaluator(name).read(answers)).outcome) for name, answers in turns]
    alone = Evaluator(evaluator(NAME).checked)
    expected = [alone.evaluate(alone.read(answers)).outcome for answers in patients[NAME]]
    assert [outcome for name, outcome in mixed if name == NAME] == expected
    assert len({outcome.floor for outcome in expected}) > 2


def test_a_question_of_the_one_is_refused_by_the_other() -> None:
    with running(RULESETS) as served:
        reply = served.client.evaluate({"age": 40, "chest_pressure": True}, ruleset=NAME)
        assert (reply.disposition, reply.call) == ("emergency", "112")
        with pytest.raises(TriageError, match="no question `chest_pressure`"):
            served.client.evaluate({"age": 40, "chest_pressure": True}, ruleset=OTHER)
        assert {each.ruleset.id for each in served.stub.ListRulesets(pb.ListRulesetsRequest(page_size=9)).rulesets} >= {
            NAME,
            OTHER,
        }


def test_the_command_says_which_rulesets_there_are(tmp_path: Path) -> None:
    """With two rulesets a patient who names none is refused; one who names either is not."""
    file = tmp_path / "patients.json"
    file.write_text(json.dumps([{"answers": {"age": 40}}, {"ruleset": NAME, "answers": {"chest_pressure": True}}]))
    command = [sys.executable, "-c", "from engine.cli import main; main()", "evaluate", str(file), "--json"]
    done = subprocess.run(command, cwd=RULESETS.parent, capture_output=True, text=True, timeout=120, check=False)
    refused, decided = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 2
    assert refused["error"]["violations"] == [
        {"field": "ruleset", "code": "no-ruleset", "description": f"name a `ruleset`, because there is {OTHER}, {NAME}"}
    ]
    assert decided["ruleset"]["id"] == NAME
    assert decided["decision"]["disposition"] == "DISPOSITION_EMERGENCY"


def test_unknown_everywhere_is_never_self_care() -> None:
    everything = dict.fromkeys(RULESET.questions, UNKNOWN)
    assert span(everything, NAME) == (Disposition.SAME_DAY_GP, Disposition.SAME_DAY_GP)
