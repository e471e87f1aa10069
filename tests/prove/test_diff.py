"""Everything that a new version changes is told, and nothing else: held against everybody, and against samples."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.author.diff_report import as_json, render_diff, rows
from engine.author.diff_words import WORDS
from engine.cli import app
from engine.decide.answers import Given
from engine.decide.evaluate import Rehearsal
from engine.prove import diff as diff_module
from engine.prove import dimensions as dimensions_module
from engine.prove import rewritten as rewritten_module
from engine.prove.diff import Example, NotConfirmed, VersionDiff, diff
from engine.prove.difference import Comparison
from engine.prove.dimensions import Dimension, Direction, Pair, dimensions
from engine.prove.logic import Formula
from engine.prove.outcome import SymbolicOutcome
from engine.prove.rewritten import Part, Rewritten
from engine.rules.content import content
from engine.rules.model import CheckedRuleset, QuestionType
from tests.prove.planted import GRINDING, MAIN, REAL, SMALL, TEXTS, TODAY
from tests.prove.versions import everybody, found, is_complete, planted, sampled, shows, tiny_versions
from tests.rules.bicycle import FOLDER, Change, valid

GOLDEN = Path(__file__).parent / "golden"
TWO_RULES = [(MAIN, "{brakes_fail: yes}, {unknown: brakes_fail}", "{brakes_fail: yes}"), (MAIN, GRINDING, "")]


def both(old: CheckedRuleset, new: CheckedRuleset) -> tuple[Rehearsal, Rehearsal]:
    return Rehearsal(old), Rehearsal(new)


def told(it: VersionDiff) -> list[str]:
    return [
        " ".join(filter(None, (each.aspect.kind, each.aspect.name, each.old, "->", each.new, each.direction.word)))
        + ("" if each.complete else " partial")
        for each in it.changes
    ]


# ---- what is found ----


@pytest.mark.parametrize("name", SMALL)
def test_what_a_planted_version_changes(name: str) -> None:
    changes, expected = SMALL[name]
    found = diff(valid(), valid(*changes))
    assert told(found) == [line.strip() for line in expected.splitlines() if line.strip()]
    assert found.laxer is any(each.direction is Direction.LAXER for each in found.changes)
    assert found.rewritten and not found.undecided


@pytest.mark.parametrize("name", SMALL)
def test_backwards_it_is_the_other_way_round(name: str) -> None:
    """Also for questions, options and rules that only one version has."""
    other = valid(*SMALL[name][0])
    turned = {Direction.LAXER: Direction.SAFER, Direction.SAFER: Direction.LAXER, Direction.OTHER: Direction.OTHER}
    forwards, backwards = diff(valid(), other).changes, diff(other, valid()).changes
    assert {(each.aspect, each.new, each.old, turned[each.direction], each.complete) for each in forwards} == {
        (each.aspect, each.old, each.new, each.direction, each.complete) for each in backwards
    }


def test_the_same_is_proved() -> None:
    found = diff(valid(), valid())
    assert found.same and not found.laxer and not found.changes and not found.rewritten


@pytest.mark.parametrize("seed", [1, 18, 27])
def test_against_everybody(seed: int) -> None:
    agree_on_everybody(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 180))
def test_against_everybody_at_length(seed: int) -> None:
    agree_on_everybody(seed)


def agree_on_everybody(seed: int) -> None:
    """The changes, and whether they show in completed records, are those that all patients show."""
    old, new = tiny_versions(random.Random(seed))
    evaluators = both(old, new)
    seen: dict[tuple[str, str, str, str], bool] = {}
    for answers in everybody(old.ruleset, new.ruleset):
        for key in shows(evaluators, answers):
            if not seen.get(key):  # a refused record has no completion
                seen[key] = key[0] != "refused" and all(is_complete(each.ruleset, answers) for each in (old, new))
    it = diff(old, new)
    assert found(it) == set(seen)
    for each in it.changes:
        if each.aspect.kind != "refused":
            assert each.complete is seen[(each.aspect.kind, each.aspect.name, each.old, each.new)], each.aspect
        for region in each.regions:
            key = (each.aspect.kind, each.aspect.name, each.old, each.new)
            assert key in shows(evaluators, {**region.example.before, **region.example.answers})


ONE_REAL = "a text hidden"


def test_against_a_sample_of_the_real_ruleset() -> None:
    """The short form: few patients, one version."""
    agree_on_a_sample(ONE_REAL, 150)


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_against_samples_of_the_real_ruleset(name: str) -> None:
    agree_on_a_sample(name, 1500)


@pytest.mark.slow
def test_against_a_sample_with_a_new_question() -> None:
    changes = [
        ("  movement_getting_harder: {", "  bed_rest: {type: yes_no}\n  movement_getting_harder: {"),
        (
            "    when: {any: [{movement_getting_harder: yes},",
            "    when: {any: [{bed_rest: yes}, {movement_getting_harder: yes},",
        ),
    ]
    texts = (("\nquestions:\n", "\nquestions:\n  bed_rest: {text: Bed?}\n"),)
    old, new = planted(), planted(*changes, texts=texts)
    answers = (Given(QuestionType.YES_NO, "yes"), Given(QuestionType.YES_NO, "no"), Given(None))
    seen = sampled(new, 1500, {"bed_rest": answers})
    assert seen and seen <= found(diff(old, new, 300))


def agree_on_a_sample(name: str, number: int) -> None:
    old, new = planted(), planted(*REAL[name])
    seen = sampled(new, number, {})
    it = diff(old, new, 300)
    assert not it.undecided and it.changes
    assert seen <= found(it), f"not found: {sorted(seen - found(it))}"
    assert seen, "the sample shows nothing"


# ---- faults of the search itself ----


def without(forgotten: Callable[[Dimension], Mapping[Pair, Formula]]) -> Callable[[Comparison], Iterator[Dimension]]:
    """The aspects of a comparison that looks for less than there is."""
    return lambda comparison: (replace(each, pairs=forgotten(each)) for each in dimensions(comparison))


def test_an_aspect_that_is_forgotten_is_noticed_by_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    agree_on_a_sample(ONE_REAL, 20)
    forgetful = without(lambda each: {} if each.aspect.kind == "advice" else each.pairs)
    monkeypatch.setattr(diff_module, "dimensions", forgetful)
    with pytest.raises(NotConfirmed):  # whole outcomes differ, and no aspect of them does
        agree_on_a_sample(ONE_REAL, 20)
    monkeypatch.setattr(diff_module._Search, "all_records", lambda self: None)
    with pytest.raises(AssertionError):
        agree_on_a_sample(ONE_REAL, 20)


def test_a_pair_that_is_forgotten_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = ("same_day_gp", "physio")
    forgetful = without(lambda each: {pair: when for pair, when in each.pairs.items() if pair != gone})
    monkeypatch.setattr(diff_module, "dimensions", forgetful)
    with pytest.raises(NotConfirmed, match="that the solver denies"):  # whoever calls the clinic now shows it
        diff(valid(), valid((MAIN, GRINDING, "")))


def test_a_search_that_ends_too_early_is_noticed_by_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    agree_on_everybody(27)
    enumerate_ = diff_module._Search._enumerate

    def once(self: Any, it: Dimension, complete: bool) -> None:
        if not self._found:
            enumerate_(self, it, complete)

    monkeypatch.setattr(diff_module._Search, "_enumerate", once)
    with pytest.raises(AssertionError):
        agree_on_everybody(27)


def test_a_value_that_the_evaluators_deny_is_loud(monkeypatch: pytest.MonkeyPatch) -> None:
    """The solver takes emergencies for something else: nothing is told then."""
    floor = dimensions_module._floor

    def wrong(it: SymbolicOutcome) -> Mapping[str, Formula]:
        cells = dict(floor(it))
        cells["emergency"], cells["physio"] = cells["physio"], cells["emergency"]
        return cells

    monkeypatch.setattr(dimensions_module, "_floor", wrong)
    with pytest.raises(NotConfirmed):
        diff(valid(), valid(*SMALL["operand dropped"][0]))


def test_without_time_everything_that_may_differ_is_undecided() -> None:
    it = diff(valid(), valid(*SMALL["call changed"][0]), 0)
    assert not it.changes and it.laxer and not it.same
    assert [each.kind for each in it.undecided] == ["call", "further call", "further call", "within_hours"]
    assert diff(valid(), valid(), 0).same, "the same formulas need no time"


def test_regions_are_split_by_the_rules_behind_them_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    it = diff(valid(), valid(*TWO_RULES))
    (change,) = (
        each for each in it.changes if (each.aspect.kind, each.old, each.new) == ("disposition", "emergency", "physio")
    )
    assert [(each.gained, each.lost) for each in change.regions] == [((), ("E01",)), ((), ("E01", "S02"))]
    assert not change.bounded
    monkeypatch.setattr(diff_module, "MOST_REGIONS", 1)
    (change,) = (
        each
        for each in diff(valid(), valid(*TWO_RULES)).changes
        if (each.aspect.kind, each.old, each.new) == ("disposition", "emergency", "physio")
    )
    assert len(change.regions) == 1 and change.bounded


# ---- what is written ----


def test_what_is_written_otherwise() -> None:
    changes: list[Change] = [
        (TEXTS, "SN-01: Bel bij een losse ketting", "SN-01: Bel ons"),
        (MAIN, 'citation: "Agreed in the workshop"', 'citation: "Agreed at lunch"'),
        (MAIN, "version: 1.0.0", "version: 1.1.0"),
        (MAIN, "  brakes_are_urgent: {claim: red_flag_floor, finding: neglected, at_least: physio}\n", ""),
        (MAIN, "[0, 12], group: comfort", "[0, 14], group: comfort"),
        (
            MAIN,
            "  SN-01: {}\n  SN-02: {when: {brakes_fail: no}}\n",
            "  SN-02: {when: {brakes_fail: no}}\n  SN-01: {}\n",
        ),
    ]
    written = {(each.section, each.id): each for each in diff(valid(), valid(*changes)).rewritten}
    assert written == {
        ("order", "safety_net"): Rewritten(
            "order", "safety_net", "changed", (Part("order", "SN-01, SN-02", "SN-02, SN-01"),)
        ),
        ("ruleset", "version"): Rewritten("ruleset", "version", "changed", (Part("version", "1.0.0", "1.1.0"),)),
        ("questions", "tyre_bar"): Rewritten("questions", "tyre_bar", "changed", (Part("range", "0, 12", "0, 14"),)),
        ("evidence", "shop_policy"): Rewritten(
            "evidence", "shop_policy", "changed", (Part("citation", "Agreed in the workshop", "Agreed at lunch"),)
        ),
        ("claims", "brakes_are_urgent"): Rewritten("claims", "brakes_are_urgent", "removed"),
        ("texts.safety_net", "SN-01"): Rewritten(
            "texts.safety_net", "SN-01", "changed", (Part("patient", "Bel bij een losse ketting", "Bel ons"),), "nl"
        ),
    }


def test_every_part_of_the_digest_is_compared() -> None:
    parts = {*rewritten_module._HEAD, *rewritten_module._LISTED, *rewritten_module._KEYED, "default", "texts"}
    assert parts == content(valid().ruleset).keys()


# ---- how it is told ----


def page(it: VersionDiff, language: str) -> str:
    return "".join(f"{line.text}\n" for line in render_diff(it, 100, language))


def told_of_two(it: VersionDiff) -> VersionDiff:
    """The same with two patients of our own as examples: which ones the solver finds is not for ever."""
    yes, click = Given(QuestionType.YES_NO, "yes"), Given(QuestionType.CHOICE, "click")
    asked: dict[str, Given] = {
        "bike_age": Given(QuestionType.INTEGER, 12),
        "tyre_bar": Given(QuestionType.DECIMAL, Decimal("2.50")),
        "brakes_fail": Given(QuestionType.YES_NO, "no"),
        "noise": click,
        "loose_parts": Given(QuestionType.SEVERAL, ("chain", "light")),
        "rides_better": Given(None),
    }
    whole, partly = Example({**asked, "rusty": yes}, asked), Example({"noise": click}, {"noise": Given(None)})
    return replace(
        it,
        changes=tuple(
            replace(
                each,
                bounded=each.aspect.kind == "call",
                regions=tuple(replace(region, example=whole if each.complete else partly) for region in each.regions),
            )
            for each in it.changes
        ),
    )


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_page(language: str) -> None:
    changes = [
        *SMALL["question added"][0],
        (MAIN, TODAY, TODAY.replace("24", "48")),
        (MAIN, "hide_when: {noise: click}", "hide_when: {noise: grind}"),
    ]
    text = page(told_of_two(diff(valid(), valid(*changes))), language)
    golden = GOLDEN / f"diff.{language}.txt"
    if os.environ.get("ACCEPT"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_the_page_of_nothing_and_of_no_time() -> None:
    assert "Proved the same for every patient" in page(diff(valid(), valid()), "en")
    text = page(diff(valid(), valid(*SMALL["call changed"][0]), 0), "en")
    assert "may be laxer" in text and "whether more changes in: whom to call" in text and "Proved" not in text


def test_the_words_of_both_languages() -> None:
    """English has every word that is told; Dutch has those and more values of scales in words."""
    assert WORDS["nl"].keys() >= WORDS["en"].keys()
    for key, text in WORDS["en"].items():
        assert WORDS["nl"][key].count("{}") == text.count("{}"), key


def test_rows_and_json_hold_every_region() -> None:
    it = diff(valid(), valid(*TWO_RULES))
    told_rows = rows(it, "nl")
    assert len(told_rows) == sum(len(each.regions) for each in it.changes)
    assert {each.direction for each in told_rows} == {"laxer", "other"}
    assert all(each.example and each.text for each in told_rows)
    document = json.loads(json.dumps(as_json(it)))
    assert [each["regions"] for each in document["changes"] if not each["regions"]] == []
    assert {region["patient"] for each in document["changes"] for region in each["regions"]} == set(
        range(len(document["patients"]))
    )
    assert document["laxer"] is True and document["same"] is False
    undecided = rows(diff(valid(), valid(*TWO_RULES), 0), "nl")
    assert undecided and {each.direction for each in undecided} == {"laxer"}


# ---- the command ----


def folders(path: Path, changes: Iterable[Change]) -> tuple[str, str]:
    old, new = path / "old", path / "new"
    shutil.copytree(FOLDER, old)
    shutil.copytree(FOLDER, new)
    for file, was, now in changes:
        text = (new / file).read_text(encoding="utf-8")
        assert text.count(was) == 1
        (new / file).write_text(text.replace(was, now), encoding="utf-8")
    return str(old), str(new)


@pytest.mark.parametrize(
    ("changes", "arguments", "code", "said"),
    [
        ([], [], 0, "Bewezen gelijk"),
        (SMALL["call changed"][0], [], 0, "Veiliger"),
        (SMALL["disposition lowered"][0], [], 5, "Soepeler"),
        (SMALL["call changed"][0], ["--budget", "0"], 5, "Niet beslist"),
        ([(MAIN, "at_least: 2, of:", "at_least: x, of:")], [], 2, "error["),
        ([], ["--language", "fy"], 1, "has no texts in `fy`"),
    ],
)
def test_the_command(changes: list[Change], arguments: list[str], code: int, said: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["diff", *folders(tmp_path, changes), *arguments])
    assert (done.exit_code, said in done.output) == (code, True), done.output


def test_the_command_prints_json(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["diff", "--json", *folders(tmp_path, SMALL["days"][0])])
    assert done.exit_code == 5
    (change,) = json.loads(done.output)["changes"]
    assert (change["aspect"], change["id"], change["old"], change["new"]) == ("valid_days", "physio", "30", "40")


def test_without_the_solver_the_command_says_how_to_get_it(tmp_path: Path) -> None:
    program = "import sys; sys.modules['z3'] = None; from engine.cli import main; main()"
    command = [sys.executable, "-c", program, "diff", *folders(tmp_path, [])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert "pip install 'pluis[prove]'" in done.stderr
