"""`pluis log` and `pluis replay` as an operator meets them, over a real log in a folder."""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyarrow import parquet

from engine.cli import main
from engine.record.entry import Draft
from engine.record.feedback import FeedbackDraft, FeedbackVerdict
from engine.record.place import place_of
from engine.record.sealing import ensure_keys
from engine.record.store import open_store
from engine.record.writer import DecisionLog
from engine.rules.ed25519 import public_of, to_base64
from tests.record.decided import FINE, HALF, STOPS, SUBJECT, WORN, bicycle, draft, texts

NOW = datetime.now(UTC)
OTHER = "c0ffee12-9bca-4def-8abc-d1e2f3a4b5c6"
NOBODY = "bd7f9a1c-3e5d-4b2a-9f8e-7d6c5b4a3f2e"


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Run:
    """Runs the command in this process, in a terminal of 100 columns, in a folder with nothing but the log."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)

    def _run(*arguments: object, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["pluis", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = (said.decode() for said in capfdbinary.readouterr())
        assert "Traceback" not in out + err
        assert SUBJECT not in err and OTHER not in err
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, out, err)

    return _run


def record(where: Path, drafts: Sequence[Draft], writer: str = "w1") -> list[dict[str, object]]:
    """Records decisions as a worker does; their receipts."""
    place = place_of(str(where))
    keys = ensure_keys(place.keys)
    with open_store(place.where) as store, DecisionLog(store, keys, place.checkpoints, (writer,)) as log:
        log.add_ruleset(bicycle().checked.digest, texts())
        receipts = [log.record(each).receipt for each in drafts]
    return [{"writer": each.writer, "sequence": str(each.sequence), "entryHash": each.hash} for each in receipts]


def some() -> list[Draft]:
    """Two decisions of years ago, and three of now; one about another person."""
    old = NOW - timedelta(days=6 * 366)
    drafts = [draft(number, said, old + timedelta(days=number)) for number, said in enumerate((STOPS, WORN), 1)]
    drafts += [draft(number, said, NOW - timedelta(days=6 - number)) for number, said in enumerate((WORN, HALF), 3)]
    return [*drafts, draft(5, FINE, NOW - timedelta(days=1), OTHER)]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[list[dict[str, object]]]:
    """A log in the usual place; the receipts of what is in it."""
    yield record(tmp_path / "pluis-log", some())


@pytest.mark.usefixtures("kept")
def test_a_log_that_nobody_touched_is_whole(run: Run) -> None:
    done = run("log", "verify")
    assert done.code == 0, done.out
    assert done.out.splitlines()[-1] == "nothing was changed"
    assert "5 entries, 1 chain" in done.out
    assert "not checked" not in done.out
    (told,) = run("log", "verify", "--json").json
    assert (told["whole"], told["entries"], told["macs_checked"], told["faults"]) == (True, 5, True, [])


def test_receipts_are_held_against_the_log(run: Run, kept: list[dict[str, object]], tmp_path: Path) -> None:
    file = tmp_path / "receipts.jsonl"
    file.write_text("\n".join(json.dumps(each) for each in [*kept[:4], {"receipt": kept[4]}]) + "\n", encoding="utf-8")
    done = run("log", "verify", "--receipts", file)
    assert done.code == 0 and "5 receipts" in done.out
    file.write_text(json.dumps({**kept[2], "entryHash": "0" * 64}) + "\n", encoding="utf-8")
    done = run("log", "verify", "--receipts", file)
    assert done.code == 6
    assert done.out.splitlines()[0] == "w1/3  not what the receipt says: its hash is not that of the receipt"
    file.write_text('{"writer": "w1"}\n', encoding="utf-8")
    done = run("log", "verify", "--receipts", file)
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("receipts.jsonl:1: this is no receipt\n")


@pytest.mark.usefixtures("kept")
def test_verify_needs_no_keys_and_says_what_it_could_not_check(run: Run, tmp_path: Path) -> None:
    keys = tmp_path / "pluis-log.keys.json"
    public = to_base64(public_of(ensure_keys(keys).signing))
    keys.rename(tmp_path / "away.json")
    done = run("log", "verify")
    assert done.code == 0
    assert "not checked, for want of the key file: the codes (MAC) of entries" in done.out
    assert "not checked, for want of a key: the signatures of checkpoints" in done.out
    done = run("log", "verify", "--public-key", public)
    assert done.code == 0 and "signatures" not in done.out
    done = run("log", "verify", "--public-key", to_base64(b"x" * 32))
    assert done.code == 6 and "forged checkpoint" in done.out
    assert run("log", "verify", "--public-key", "x").code == 2
    assert run("log", "verify", "--log-keys", keys).code == 1  # named, and not there


@pytest.mark.usefixtures("kept")
def test_checkpoints_that_were_kept_elsewhere(run: Run, tmp_path: Path) -> None:
    checkpoints = tmp_path / "pluis-log" / "checkpoints.jsonl"
    copy = tmp_path / "copy.jsonl"
    copy.write_text(checkpoints.read_text(encoding="utf-8").replace('"sequence":5', '"sequence":7'), encoding="utf-8")
    checkpoints.unlink()
    assert run("log", "verify").code == 0
    done = run("log", "verify", "--checkpoints", copy)
    assert done.code == 6 and "forged checkpoint" in done.out


def test_where_there_is_no_log(run: Run, tmp_path: Path) -> None:
    commands = [("log", name) for name in ("verify", "list", "export", "rotate")]
    for command in [*commands, ("log", "show", "x"), ("log", "purge", "--older-than", "5y"), ("replay",)]:
        done = run(*command, "--log", tmp_path / "nowhere")
        assert (done.code, done.out) == (1, ""), command
        assert "nowhere" in done.err
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.usefixtures("kept")
def test_show_one_decision(run: Run) -> None:
    it = some()[0]
    done = run("log", "show", it.decision_id)
    assert done.code == 0
    assert done.out.splitlines()[0] == "decision w1/1"
    for said in (r"decision_id +" + it.decision_id, r"brakes_fail +yes", r"floor +emergency", r"caller +front desk"):
        assert re.search(rf"^{said}$", done.out, re.MULTILINE), said
    assert re.search(r"^years_owned +unknown$", run("log", "show", some()[3].decision_id).out, re.MULTILINE)
    (told,) = run("log", "show", it.decision_id, "--json").json
    assert told["outcome"] == json.loads(it.outcome)
    done = run("log", "show", "nothing")
    assert (done.code, done.out, done.err) == (1, "", "pluis: the log has no decision with this id\n")


@pytest.mark.usefixtures("kept")
def test_feedback_is_shown_and_exported_with_its_decision(run: Run, tmp_path: Path) -> None:
    place, id = place_of(str(tmp_path / "pluis-log")), some()[0].decision_id
    said = FeedbackDraft(id, NOW, "front desk", FeedbackVerdict.OVERRIDDEN, "other_findings", "Fell off.", "mechanic-7")
    keys = ensure_keys(place.keys)
    with open_store(place.where) as store, DecisionLog(store, keys, place.checkpoints, ("w2",)) as log:
        log.record_feedback(said)
    done = run("log", "show", id)
    assert done.out.splitlines()[0] == "decision w1/1"
    assert re.search(r"^feedback w2/1$.*^verdict +overridden$.*Fell off\.$", done.out, re.MULTILINE | re.DOTALL)
    assert run("log", "list", "--kind", "feedback").out.split()[-2:] == [id, "w2/1"]
    feedback = run("log", "export").json[0]
    assert (feedback["kind"], feedback["remark"], feedback["state"]) == ("feedback", "Fell off.", "open")
    done = run("log", "export", "--format", "opa")
    assert len(done.json) == 5 and "1 left out" in done.err
    assert run("log", "verify").code == 0
    assert run("replay").out == "5 decisions: 5 equal, 0 different\n"


@pytest.mark.usefixtures("kept")
def test_list_says_nothing_about_anybody(run: Run) -> None:
    done = run("log", "list")
    assert [re.findall(r"w1/\d", line) for line in done.out.splitlines()] == [
        [f"w1/{each}"] for each in (5, 4, 3, 2, 1)
    ]
    assert "emergency" not in done.out and SUBJECT not in done.out
    told = run("log", "list", "--json").json
    assert not any({"answers", "outcome", "subject"} & each.keys() for each in told)
    assert len(run("log", "list", "--since", (NOW - timedelta(days=30)).date().isoformat()).out.splitlines()) == 3
    assert len(run("log", "list", "--until", (NOW - timedelta(days=30)).date().isoformat()).out.splitlines()) == 2
    assert run("log", "list", "--ruleset", "scooter").out == "" == run("log", "list", "--kind", "feedback").out
    assert len(run("log", "list", "--caller", "front desk").out.splitlines()) == 5
    done = run("log", "list", "--limit", "2")
    assert len(done.out.splitlines()) == 2 and "newest 2" in done.err
    assert run("log", "list", "--limit", "5").err == ""
    done = run("log", "list", "--of-subject", stdin=f"{OTHER}\n")
    assert [line.split()[-1] for line in done.out.splitlines()] == ["w1/5"]
    assert run("log", "list", "--of-subject", stdin=f"{NOBODY}\n").out == ""


@pytest.mark.usefixtures("kept")
def test_export_to_a_file_and_to_standard_output(run: Run, tmp_path: Path) -> None:
    done = run("log", "export", "--since", NOW.date().replace(year=NOW.year - 1).isoformat(), "--ruleset", "bicycle")
    assert [each["sequence"] for each in done.json] == [5, 4, 3]


@pytest.fixture
def alone(tmp_path: Path) -> None:
    record(tmp_path / "pluis-log", [draft(1, STOPS, NOW), draft(2, WORN, NOW + timedelta(milliseconds=1))])


@pytest.mark.usefixtures("alone")
def test_export_formats(run: Run, tmp_path: Path) -> None:
    done = run("log", "export")
    assert [each["sequence"] for each in done.json] == [2, 1]
    assert done.err == "pluis: 2 entries written\n"
    done = run("log", "export", "--format", "opa", "--out", tmp_path / "events.jsonl")
    assert (done.code, done.out) == (0, "")
    events = (tmp_path / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(each)["bundles"]["bicycle"]["revision"] for each in events] == [bicycle().checked.digest] * 2
    assert (tmp_path / "events.jsonl").stat().st_mode & 0o077 == 0
    done = run("log", "export", "--out", tmp_path / "events.jsonl")
    assert done.code == 1 and "File exists" in done.err
    assert run("log", "export", "--format", "parquet").code == 2
    assert run("log", "export", "--format", "parquet", "--out", tmp_path / "log.parquet").code == 0
    assert parquet.read_table(tmp_path / "log.parquet").column("sequence").to_pylist() == [2, 1]


@pytest.mark.usefixtures("alone")
def test_export_that_cannot_be_done_leaves_no_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = run("log", "export", "--format", "parquet", "--out", tmp_path / "log.parquet")
    assert done.code == 1 and "pip install 'pluis[parquet]'" in done.err
    assert not (tmp_path / "log.parquet").exists()


@pytest.mark.usefixtures("kept")
def test_erase_leaves_a_log_that_verifies_and_a_decision_that_nobody_reads(run: Run) -> None:
    done = run("log", "erase", stdin=f"{OTHER}\n")
    assert done.code == 0 and done.out.startswith("erased: 1 keys destroyed")
    done = run("log", "verify")
    assert done.code == 0 and "6 entries, 2 chains" in done.out
    shown = run("log", "show", some()[4].decision_id)
    assert "answers and outcome: erased: its key was destroyed" in shown.out
    assert "self_care" not in shown.out
    done = run("log", "export")
    assert done.err == "pluis: 6 entries written\npluis: 1 without answers and outcome, as they were erased\n"
    assert {each["state"] for each in done.json} == {"open", "erased", "empty"}
    done = run("replay")
    assert (done.code, done.out) == (0, "5 decisions: 4 equal, 0 different, 1 erased\n")
    done = run("log", "erase", stdin=f"{OTHER}\n")
    assert (done.code, done.out) == (1, "")
    assert "6 entries" in run("log", "verify").out
    assert run("log", "list", "--kind", "erasure").out.split()[-1] == "operator/1"


@pytest.mark.usefixtures("kept")
def test_a_subject_that_is_not_there_is_told_and_not_repeated(run: Run) -> None:
    for done in (run("log", "erase", NOBODY), run("log", "erase", stdin=f"{NOBODY}\n")):
        assert (done.code, done.out) == (1, "")
        assert done.err == "pluis: nothing that can be read is recorded about this subject\n"
    assert run("log", "erase", stdin="\n").code == 2 == run("log", "erase", "").code


@pytest.mark.usefixtures("kept")
def test_purge_leaves_a_log_that_verifies(run: Run, kept: list[dict[str, object]], tmp_path: Path) -> None:
    done = run("log", "purge", "--older-than", "5y")
    assert (done.code, done.out) == (0, "w1: 2 entries deleted, up to 2\n2 entries deleted\n")
    done = run("log", "verify")
    assert done.code == 0 and "4 entries, 2 chains" in done.out and "2 purged" in done.out
    assert run("log", "show", some()[0].decision_id).code == 1
    file = tmp_path / "receipts.jsonl"
    file.write_text("\n".join(map(json.dumps, kept)), encoding="utf-8")
    assert run("log", "verify", "--receipts", file).code == 0
    assert run("log", "purge", "--older-than", "5y").out == "0 entries deleted\n"
    assert run("log", "list", "--kind", "purge", "--json").json[0]["through"] == 2
    # and what is recorded afterwards goes on from there
    record(tmp_path / "pluis-log", [draft(9, STOPS, NOW)])
    assert run("log", "verify").code == 0
    assert run("replay").out == "4 decisions: 4 equal, 0 different\n"


@pytest.mark.usefixtures("kept")
def test_purge_keeps_what_the_law_wants_kept(run: Run) -> None:
    done = run("log", "purge", "--older-than", "4y")
    assert (done.code, done.out) == (2, "") and "NEN 7513" in done.err
    assert run("log", "purge", "--older-than", "1825d").code == 2  # five years have a leap day
    assert run("log", "purge", "--older-than", "5 years").code == 1
    done = run("log", "purge", "--older-than", "2d", "--force")
    assert done.out == "w1: 4 entries deleted, up to 4\n4 entries deleted\n"
    assert run("log", "verify").code == 0


@pytest.mark.usefixtures("kept")
def test_a_purge_of_everything_keeps_the_end_of_the_chain(run: Run, tmp_path: Path) -> None:
    record(tmp_path / "pluis-log", [draft(10, STOPS, NOW - timedelta(days=9))], "w2")
    done = run("log", "purge", "--older-than", "1d", "--force")
    assert done.out == "w1: 4 entries deleted, up to 4\n4 entries deleted\n"
    assert run("log", "verify").code == 0


@pytest.mark.usefixtures("kept")
def test_rotation_encrypts_at_rest_and_loses_nothing(run: Run, tmp_path: Path) -> None:
    done = run("log", "rotate")
    assert done.code == 0 and re.match(r"\d+ data keys are wrapped with a new master key", done.out)
    assert run("replay").out == "5 decisions: 5 equal, 0 different\n"
    assert run("log", "rotate").code == 0
    assert run("replay").code == 0
    (tmp_path / "pluis-log.keys.json").rename(tmp_path / "away.json")
    assert run("log", "verify").code == 0
    done = run("replay")
    assert (done.code, done.out) == (1, "5 decisions: 0 equal, 0 different, 5 sealed\n")
    assert "sealed with a master key" in done.err
    assert {each["state"] for each in run("log", "export").json} == {"sealed"}
    for command in (("rotate",), ("erase", SUBJECT), ("purge", "--older-than", "5y")):
        done = run("log", *command)
        assert done.code == 1 and "needs the log's keys" in done.err


def test_backup_and_restore(run: Run, kept: list[dict[str, object]], tmp_path: Path) -> None:
    run("log", "rotate")
    run("log", "purge", "--older-than", "5y")
    run("log", "erase", stdin=f"{OTHER}\n")
    file = tmp_path / "backup.gz"
    done = run("log", "backup", file)
    assert done.code == 0 and "nothing was changed" in done.out
    assert file.stat().st_mode & 0o077 == 0
    assert [each.name for each in tmp_path.iterdir() if "part" in each.name] == []
    assert run("log", "backup", file).code == 1  # never over another
    elsewhere = tmp_path / "elsewhere"
    keys = ("--log-keys", tmp_path / "pluis-log.keys.json")
    done = run("log", "restore", file, "--log", elsewhere, *keys)
    assert done.code == 0 and "nothing was changed" in done.out
    for command in (("verify",), ("list",), ("list", "--json"), ("show", some()[2].decision_id)):
        assert run("log", *command, "--log", elsewhere, *keys).out == run("log", *command).out, command
    assert run("log", "export", "--log", elsewhere, *keys).out == run("log", "export").out
    assert run("replay", "--log", elsewhere, *keys).out == "3 decisions: 2 equal, 0 different, 1 erased\n"
    receipts = tmp_path / "receipts.jsonl"
    receipts.write_text("\n".join(map(json.dumps, kept)), encoding="utf-8")
    assert run("log", "verify", "--log", elsewhere, *keys, "--receipts", receipts).code == 0
    done = run("log", "restore", file, "--log", elsewhere, *keys)
    assert done.code == 1 and "empty place" in done.err
    # the restored log is one to go on with
    assert run("log", "erase", "--log", elsewhere, *keys, stdin=f"{SUBJECT}\n").code == 0
    assert run("log", "verify", "--log", elsewhere, *keys).code == 0


def test_a_restored_log_without_its_keys_says_so(run: Run, kept: object, tmp_path: Path) -> None:
    run("log", "backup", tmp_path / "backup.gz")
    done = run("log", "restore", tmp_path / "backup.gz", "--log", tmp_path / "elsewhere")
    assert done.code == 0 and "there is no key file" in done.err


def altered(file: Path, change: Callable[[list[bytes]], list[bytes]]) -> Path:
    """A copy of a backup in which lines were changed."""
    copy = file.with_name("altered.gz")
    copy.write_bytes(gzip.compress(b"".join(change(gzip.decompress(file.read_bytes()).splitlines(keepends=True)))))
    return copy


def test_a_backup_with_faults_is_not_restored(run: Run, kept: object, tmp_path: Path) -> None:
    file, elsewhere = tmp_path / "backup.gz", tmp_path / "elsewhere"
    run("log", "backup", file)

    def swap(lines: list[bytes]) -> list[bytes]:
        first = next(number for number, line in enumerate(lines) if line.startswith(b'{"entry"'))
        lines[first], lines[first + 1] = lines[first + 1], lines[first]
        return lines

    done = run("log", "restore", altered(file, swap), "--log", elsewhere)
    assert done.code == 6 and done.err.endswith("nothing was restored\n")
    broken = [
        lambda lines: lines[:-1],
        lambda lines: lines[:-2] + lines[-1:],
        lambda lines: lines[1:],
        lambda lines: [b'{"format":"other"}\n', *lines[1:]],
        lambda lines: [lines[0], b"x\n", *lines[1:]],
    ]
    for change in broken:
        done = run("log", "restore", altered(file, change), "--log", elsewhere)
        assert done.code == 1 and "cannot be restored" in done.err
    cut = tmp_path / "cut.gz"
    cut.write_bytes(file.read_bytes()[:-20])
    assert run("log", "restore", cut, "--log", elsewhere).code == 1
    (tmp_path / "text").write_text("text", encoding="utf-8")
    assert run("log", "restore", tmp_path / "text", "--log", elsewhere).code == 1
    assert not elsewhere.exists()


@pytest.mark.usefixtures("kept")
def test_replay_gives_the_same_bytes(run: Run) -> None:
    done = run("replay")
    assert (done.code, done.out, done.err) == (0, "5 decisions: 5 equal, 0 different\n", "")
    told = run("replay", "--json", "--since", (NOW - timedelta(days=30)).date().isoformat()).json
    assert [(each["place"], each["verdict"]) for each in told] == [(f"w1/{each}", "equal") for each in (5, 4, 3)]


@pytest.mark.usefixtures("kept")
def test_replay_tells_a_difference(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.record import replay as module

    monkeypatch.setattr(module, "outcome_bytes", lambda checked, outcome: b"{}")
    done = run("replay")
    assert done.code == 6
    assert re.match(r"00000000-\S+5 \(w1/5\)  decided otherwise: act_now, advice", done.out)
    assert done.out.endswith("5 decisions: 0 equal, 5 different\n")
    done = run("replay", "--json")
    assert done.code == 6 and {each["verdict"] for each in done.json} == {"different"}


def candidate(folder: Path, *replaced: tuple[str, str]) -> Path:
    """A version 2.0.0 of the bicycle in a folder."""
    folder.mkdir()
    said = texts()
    for old, new in (("version: 1.0.0", "version: 2.0.0"), *replaced):
        said = {name: text.replace(old, new) for name, text in said.items()}
    for name, text in said.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


WORN_RULE = "then: {disposition: physio, call: clinic, guidance: offered}"


@pytest.mark.usefixtures("kept")
def test_replay_by_a_candidate(run: Run, tmp_path: Path) -> None:
    done = run("replay", "--candidate", candidate(tmp_path / "same"))
    assert done.code == 0
    assert done.out.endswith("5 decisions: 5 the same, 0 different\n0 to recall, 0 laxer\n")
    milder = candidate(tmp_path / "milder", (WORN_RULE, "then: {disposition: self_care, call: none}"))
    done = run("replay", "--candidate", milder)
    assert done.code == 5
    assert "Laxer (2)" in done.out and "A recall" not in done.out
    assert some()[1].decision_id in done.out and "disposition: physio -> self_care" in done.out
    more = "then: {disposition: same_day_gp, call: gp_today, within_hours: 24}"
    urgent = candidate(tmp_path / "urgent", (WORN_RULE, more))
    done = run("replay", "--candidate", urgent, "--json")
    recalled = [each["decision_id"] for each in done.json if each["recall"]]
    assert {some()[1].decision_id, some()[2].decision_id} <= {*recalled}
    assert "A recall concerns" in run("replay", "--candidate", urgent).out


@pytest.mark.usefixtures("kept")
def test_a_candidate_that_asks_otherwise_is_told(run: Run, tmp_path: Path) -> None:
    narrower = candidate(tmp_path / "narrower", ("bike_age: {type: integer, unit: years, range: [0, 80]}",
                                                 "bike_age: {type: integer, unit: years, range: [0, 10]}"))  # fmt: skip
    done = run("replay", "--candidate", narrower)
    assert "Decided without answers that the candidate does not take" in done.out
    assert "- bike_age: 3 decisions" in done.out
    done = run("replay", "--candidate", tmp_path / "none")
    assert (done.code, done.out) == (2, "")


@pytest.mark.usefixtures("kept")
def test_progress_is_for_those_who_look_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.cli.opening.SHOWN_EVERY", 2)
    assert run("replay").err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert "\r4 entries decided again" in run("replay").err
