"""Do the cases notice a slip? On an invented ruleset: kills, survivors, the prover's word, waivers and the report."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.author.equivalence import ask_prover
from engine.author.mutants import mutants
from engine.author.mutation import Comparison, Fate, MutationRun, NothingToMutate, run_trials
from engine.author.mutation_report import as_json, render_run
from engine.author.waivers import WAIVERS, faults, load_waivers, waived
from engine.cli import app
from engine.decide.cases import case_answers
from engine.decide.evaluate import Evaluator, Rehearsal
from engine.errors import RulesetError
from engine.rules.check import check
from engine.rules.load import load, load_cases, load_written
from engine.rules.model import CheckedRuleset

GOLDEN = Path(__file__).parent / "golden"
MINIMAL = Path(__file__).parents[1] / "data" / "minimal"
LOW_BACK_PAIN = Path(__file__).parents[2] / "rulesets" / "low_back_pain"

TOO_OLD = """
  AGE-11:
    answers: {bike_age: 11, tyre_bar: 2.4, noise: none, brakes_fail: no, loose_parts: light}
    unlisted: no
    expect: {disposition: physio, rules: [S01]}
"""
NOT_YET = """
  AGE-10:
    answers: {bike_age: 10, tyre_bar: 2.4, noise: none, brakes_fail: no, loose_parts: light}
    unlisted: no
    expect: {disposition: self_care, rules: [D00]}
"""


def bicycle(folder: Path, *more: str) -> Path:
    """The invented ruleset, with more cases."""
    shutil.copytree(MINIMAL, folder)
    with (folder / "cases.yaml").open("a", encoding="utf-8") as cases:
        cases.writelines(more)
    return folder


def never(old: CheckedRuleset, new: CheckedRuleset, budget: float) -> Comparison:
    return Comparison(False, {})


def always(old: CheckedRuleset, new: CheckedRuleset, budget: float) -> Comparison:
    return Comparison(True, {"bike_age": "3", "brakes_fail": "no", "noise": "none"})


def fates(run: MutationRun) -> Mapping[str, tuple[Fate, str]]:
    return {trial.mutant: (trial.fate, trial.by) for trial in run.trials}


UP, DOWN = "findings.neglected.all.1:up", "findings.neglected.all.1:down"


def test_a_case_less_lets_its_mutant_live(tmp_path: Path) -> None:
    """Both sides of a threshold: without the one, nobody notices that it moved up; without the other, down."""
    both = fates(run_trials(bicycle(tmp_path / "both", TOO_OLD, NOT_YET), ["neglected"]))
    assert both[UP] == (Fate.KILLED, "AGE-11")
    assert both[DOWN] == (Fate.KILLED, "AGE-10")
    one = fates(run_trials(bicycle(tmp_path / "one", TOO_OLD), ["neglected"], compare=always))
    assert one[UP] == (Fate.KILLED, "AGE-11")
    assert one[DOWN] == (Fate.SURVIVED, "")
    other = fates(run_trials(bicycle(tmp_path / "other", NOT_YET), ["neglected"], compare=always))
    assert (other[UP], other[DOWN]) == ((Fate.SURVIVED, ""), (Fate.KILLED, "AGE-10"))


def test_only_the_prover_says_equivalent(tmp_path: Path) -> None:
    folder = bicycle(tmp_path / "bicycle", TOO_OLD)
    for compare, fate in ((never, Fate.EQUIVALENT), (always, Fate.SURVIVED), (None, Fate.UNCLEAR)):
        run = run_trials(folder, ["neglected"], compare=compare)
        assert fates(run)[DOWN][0] is fate
        assert (DOWN in [trial.mutant for trial in run.survivors]) is (fate is not Fate.EQUIVALENT)
    run = run_trials(folder, ["neglected"], compare=never)
    assert run.score == 100.0, "what nobody can tell apart does not count"


def test_the_score_counts_what_lives(tmp_path: Path) -> None:
    run = run_trials(bicycle(tmp_path / "bicycle", TOO_OLD, NOT_YET), compare=always)
    killed, alive = len(run.of(Fate.KILLED)), len(run.survivors)
    assert killed and alive and run.score == pytest.approx(100 * killed / (killed + alive))
    assert killed + alive + len(run.of(Fate.NO_RULESET)) == len(run.trials) == len(mutants(load_written(MINIMAL)))
    assert run.complete and not run_trials(MINIMAL, ["E01"]).complete
    first = run.survivors[0]
    assert replace(run, waived=dict.fromkeys([first.mutant])).score > run.score  # type: ignore[arg-type]


def test_what_check_refuses_is_no_mutant_that_was_killed(tmp_path: Path) -> None:
    run = run_trials(MINIMAL, ["A0"], compare=always)
    assert fates(run)["advice_policies.A0.kinds.reassurance:dropped"] == (Fate.NO_RULESET, "reassurance-not-hidden")
    assert run.score < 100


def test_it_says_what_cannot_be_tried(tmp_path: Path) -> None:
    with pytest.raises(NothingToMutate, match="nothing that can be changed is called `S03`"):
        run_trials(MINIMAL, ["S03"])
    (bicycle(tmp_path / "none") / "cases.yaml").unlink()
    with pytest.raises(NothingToMutate, match="there are no cases"):
        run_trials(tmp_path / "none")
    with pytest.raises(NothingToMutate, match="`AGE-11` fails on the ruleset itself"):
        run_trials(bicycle(tmp_path / "failing", TOO_OLD.replace("[S01]", "[S02]")))


def test_several_processes_find_the_same(tmp_path: Path) -> None:
    folder = bicycle(tmp_path / "bicycle", TOO_OLD)
    seen: list[tuple[int, int]] = []
    apart = run_trials(folder, ["neglected", "E01"], workers=2, progress=lambda *it: seen.append(it))
    assert apart.trials == run_trials(folder, ["neglected", "E01"]).trials
    assert seen[-1] == (len(apart.trials), len(apart.trials))


def test_the_prover_is_believed_where_the_evaluator_agrees(tmp_path: Path) -> None:
    old = load(MINIMAL)
    found = {each.id: each for each in mutants(load_written(MINIMAL))}

    def compare(name: str) -> Comparison:
        new, _ = check(found[name].ruleset)
        assert new is not None
        return ask_prover(old, new, 20.0)

    assert compare("rules.E01.when.any.1:dropped").differ is True
    assert compare("rules.E01.when.any.1:dropped").answers["brakes_fail"] == "unknown"
    assert compare("advice.ADV-001.when:dropped").differ is False, "the policy hides it all the same"
    assert ask_prover(old, old, 0.0).differ is not True


def test_a_rehearsal_decides_as_the_evaluator_does() -> None:
    checked = load(MINIMAL)
    evaluator, rehearsal = Evaluator(checked), Rehearsal(checked)
    for case in load_cases(MINIMAL, checked):
        read = rehearsal.read(case_answers(checked.ruleset, case), case.none_of)
        assert rehearsal.evaluate(read).outcome == evaluator.evaluate(read).outcome
    evaluator.close()


WAIVED = """waivers:
  - mutant: findings.neglected.*
    author: Workshop
    reason: nobody rides such a bicycle
    expires: 2030-01-01
"""


def waivers_in(folder: Path, text: str) -> Path:
    (folder / WAIVERS).write_text(text, encoding="utf-8")
    return folder


def test_waivers_are_read_strictly(tmp_path: Path) -> None:
    folder = bicycle(tmp_path / "bicycle")
    assert load_waivers(folder) == ()
    (waiver,) = load_waivers(waivers_in(folder, WAIVED))
    assert (waiver.author, waiver.expires, waiver.span.line) == ("Workshop", date(2030, 1, 1), 2)
    for broken, code in (
        (WAIVED.replace("    author: Workshop\n", ""), "missing-key"),
        (WAIVED.replace("reason:", "why:"), "unknown-key"),
        (WAIVED.replace("2030-01-01", "soon"), "bad-date"),
        (WAIVED.replace("  - mutant", "  mutant"), "yaml-syntax"),
        ("", "empty-document"),
    ):
        with pytest.raises(RulesetError) as caught:
            load_waivers(waivers_in(folder, broken))
        assert code in {problem.code for problem in caught.value.problems}
        assert f"{WAIVERS}:" in str(caught.value)


def test_a_waiver_that_expired_or_waives_nothing_is_an_error(tmp_path: Path) -> None:
    waivers = load_waivers(waivers_in(bicycle(tmp_path / "bicycle"), WAIVED))
    survivors = [UP, DOWN, "rules.E01.when.any.1:dropped"]
    assert {*waived(waivers, survivors)} == {UP, DOWN}
    today = date(2029, 12, 31)
    assert list(faults(waivers, survivors, 100, today)) == []
    (late,) = faults(waivers, survivors, 100, date(2030, 1, 2))
    assert f"{WAIVERS}:2:" in late and "expired on 2030-01-01" in late
    (unused,) = faults(waivers, survivors[2:], 100, today)
    assert "no surviving mutant is like `findings.neglected.*`" in unused
    (many,) = faults(waivers, survivors, 10, today)
    assert "2 of 10 mutants are waived, more than 3%" in many


def test_the_report(tmp_path: Path) -> None:
    """Survivors in the author's words, with a patient; and the same as JSON, without a time or a path."""
    folder = bicycle(tmp_path / "bicycle", TOO_OLD)
    run = run_trials(folder, ["neglected", "A0"], compare=always)
    waivers = load_waivers(waivers_in(folder, WAIVED.replace("*", "all:any_all")))
    run = replace(run, folder=Path("bicycle"), waived=waived(waivers, [trial.mutant for trial in run.survivors]))
    text = "\n".join(line.text for line in render_run(run, 80)) + "\n"
    found = json.dumps(as_json(run), indent=1, ensure_ascii=False) + "\n"
    assert str(tmp_path) not in text + found
    for name, said in (("mutation.txt", text), ("mutation.json", found)):
        golden = GOLDEN / name
        if os.environ.get("ACCEPT"):
            golden.write_text(said, encoding="utf-8")
        assert said == golden.read_text(encoding="utf-8")
    assert "nobody would notice if 10 became 9 in `{bike_age: {above: 10}}`, finding" in text
    unclear = replace(run.trials[0], fate=Fate.UNCLEAR, why="no time left", claims=("brakes_are_urgent",))
    page = "\n".join(line.text for line in render_run(replace(run, trials=(unclear,), waived={}), 80))
    assert "is not known: no time left" in page and "claims that fail then: brakes_are_urgent" in page


def test_the_command(tmp_path: Path) -> None:
    folder = bicycle(tmp_path / "bicycle", TOO_OLD, NOT_YET)
    arguments = ["mutate", str(folder), "--workers", "1", "--rule", "neglected"]
    done = CliRunner().invoke(app, [*arguments, "--fail-under", "0", "--json", str(tmp_path / "found.json")])
    assert done.exit_code == 0, done.output
    assert "mutants:" in done.output
    assert json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["complete"] is False
    (folder / "cases.yaml").write_text((MINIMAL / "cases.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    assert CliRunner().invoke(app, arguments).exit_code == 4, "too few are noticed"
    assert CliRunner().invoke(app, [*arguments[:-1], "nothing"]).exit_code == 2
    waivers_in(folder, "waivers: []\nmore: 1\n")
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2 and "unknown-key" in done.output


@pytest.mark.slow
def test_the_cases_of_low_back_pain_notice_a_sample_of_slips() -> None:
    """Sixty mutants by lot: at least 95 in 100 of those that a patient can tell apart are killed by cases."""

    def some(names: Sequence[str]) -> Sequence[str]:
        return random.Random(4).sample(list(names), 60)

    run = run_trials(LOW_BACK_PAIN, only=some, workers=2, budget=60.0, compare=ask_prover)
    assert run.score >= 95, [trial.mutant for trial in run.survivors]
    assert len(run.trials) == 60 and len(run.of(Fate.KILLED)) > 40
