"""The `pluis` command as people and scripts meet it: what it prints, how it ends, the same with and without server."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from engine.cli import app, main
from engine.serve.config import LOG_OFF, Config
from engine.serve.registry import Registry
from engine.serve.server import build_server

ROOT = Path(__file__).resolve().parent.parent
MINIMAL = ROOT / "tests" / "data" / "minimal"
GOLDEN = ROOT / "tests" / "author" / "golden"

DECIDED = {"answers": {"brakes_fail": True, "bike_age": 12}, "none_of": "*"}
NEEDS = {"answers": {"bike_age": 12, "brakes_fail": False}}
REFUSED = {"answers": {"bike_age": 120, "brakes": True}}
CASES = """
cases:
  GOOD: {title: cannot stop, answers: {brakes_fail: yes}, none_of: "*", expect: {disposition: emergency}}
"""
BAD_CASE = "  BAD: {answers: {brakes_fail: yes}, none_of: '*', expect: {disposition: physio, rules: [S01]}}\n"


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def results(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process, in a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def _run(*arguments: object, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "argv", ["pluis", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, said.out, said.err)

    return _run


def bicycle(folder: Path, cases: str = CASES, ruleset: Callable[[str], str] = str) -> Path:
    """The minimal ruleset, in effect for ever, with these cases; `ruleset` changes its text."""
    shutil.copytree(MINIMAL, folder)
    main_file = folder / "ruleset.yaml"
    text = re.sub(r"effective: .*", "effective: {from: 2020-01-01}", main_file.read_text(encoding="utf-8"))
    main_file.write_text(ruleset(text), encoding="utf-8")
    (folder / "cases.yaml").write_text(cases, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def rulesets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bicycle(tmp_path_factory.mktemp("rulesets") / "bicycle").parent


@pytest.fixture(scope="module")
def server(rulesets: Path) -> Iterator[str]:
    served = build_server(Config(rulesets=rulesets, port=0, grace=0.1, log=LOG_OFF), Registry(rulesets))
    served.start()
    yield served.address
    served.stop()


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """A file of patients, one a line."""

    def _file(*patients: object) -> Path:
        path = tmp_path / "patients.jsonl"
        lines = [each if isinstance(each, str) else json.dumps(each) for each in patients]
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    return _file


BROKEN = '{"answers": {'
MANY = (DECIDED, BROKEN, NEEDS, REFUSED, {**DECIDED, "ruleset": "car"}, {**DECIDED, "language": "fr"}, DECIDED)


@pytest.mark.parametrize(
    ("patients", "code"),
    [
        ((DECIDED,), 0),
        ((NEEDS,), 3),
        ((REFUSED,), 2),
        ((BROKEN,), 2),
        ((DECIDED, NEEDS), 3),
        ((NEEDS, REFUSED, DECIDED), 2),
        (({**DECIDED, "ruleset": "car"},), 2),
        (("",), 2),
    ],
)
def test_the_exit_code_tells_of_the_worst(
    run: Run, file: Callable[..., Path], rulesets: Path, patients: tuple[object, ...], code: int
) -> None:
    assert run("evaluate", file(*patients), "--rulesets", rulesets).code == code
    assert run("evaluate", file(*patients), "--rulesets", rulesets, "--json").code == code


def test_json_has_a_line_for_each_patient(run: Run, file: Callable[..., Path], rulesets: Path) -> None:
    results = run("evaluate", file(*MANY), "--rulesets", rulesets, "--json").results
    kinds = [next(key for key in ("decision", "needsAnswers", "error") if key in each) for each in results]
    assert kinds == ["decision", "error", "needsAnswers", "error", "error", "error", "decision"]
    decision = results[0]["decision"]
    assert isinstance(decision, dict)
    assert (decision["disposition"], decision["withinHours"]) == ("DISPOSITION_EMERGENCY", 1)
    assert results[0]["ruleset"]["id"] == "bicycle"  # type: ignore[index]
    assert results[3]["error"] == {
        "code": "INVALID_ARGUMENT",
        "reason": "INVALID_ANSWERS",
        "message": '2 violations in the request, such as answers["bike_age"]: `bike_age` is 120, outside 0 to 80 years',
        "violations": [
            {
                "field": 'answers["bike_age"]',
                "code": "out-of-range",
                "description": "`bike_age` is 120, outside 0 to 80 years",
            },
            {"field": 'answers["brakes"]', "code": "unknown-question", "description": "no question `brakes`"},
        ],
    }
    assert [each["error"]["code"] for each in results if "error" in each] == [  # type: ignore[index]
        "INVALID_ARGUMENT", "INVALID_ARGUMENT", "NOT_FOUND", "INVALID_ARGUMENT",
    ]  # fmt: skip


def same(results: list[dict[str, object]]) -> list[dict[str, object]]:
    """Without what differs from call to call."""
    return [
        {key: each[key] for key in each if key not in ("decisionId", "decideTime", "requestId")} for each in results
    ]


def test_a_server_gives_the_same(run: Run, file: Callable[..., Path], rulesets: Path, server: str) -> None:
    patients = file(*MANY, {**DECIDED, "request_id": "q-1"}, {**DECIDED, "request_id": "\t"})
    here = run("evaluate", patients, "--rulesets", rulesets, "--json")
    there = run("evaluate", patients, "--server", server, "--json")
    assert (here.code, same(here.results)) == (there.code, same(there.results))
    assert [set(each) for each in here.results] == [set(each) for each in there.results]
    assert here.results[-2]["requestId"] == there.results[-2]["requestId"] == "q-1"
    pages = [
        re.sub(r"Besluit \S+", "", run("evaluate", patients, option, value).out)
        for option, value in (("--rulesets", rulesets), ("--server", server))
    ]
    assert pages[0] == pages[1]


def test_nobody_answers(run: Run, file: Callable[..., Path]) -> None:
    done = run("evaluate", file(DECIDED, DECIDED), "--server", "127.0.0.1:1", "--json")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("pluis: UNAVAILABLE: ")
    assert len(done.err.splitlines()) == 1


def test_formats_agree(run: Run, rulesets: Path, tmp_path: Path) -> None:
    yaml = b"ruleset: bicycle\nlanguage: nl\nanswers:\n  brakes_fail: yes\n  bike_age: 12\nnone_of: '*'\n"
    lines = json.dumps({**DECIDED, "language": "nl"}).encode()
    pretty = json.dumps([DECIDED], indent=2).encode()
    found = [
        same(run("evaluate", "-", "--json", "--rulesets", rulesets, stdin=each).results)
        for each in (yaml, lines, pretty)
    ]
    assert len(found[0]) == 1
    assert found[0] == found[1] == found[2]


def test_a_ruleset_is_named_where_there_are_two(run: Run, file: Callable[..., Path], tmp_path: Path) -> None:
    root = bicycle(tmp_path / "rulesets" / "bicycle").parent
    bicycle(root / "tricycle", ruleset=lambda text: text.replace("id: bicycle", "id: tricycle"))
    done = run("evaluate", file(DECIDED, {**DECIDED, "ruleset": "tricycle"}), "--json", "--rulesets", root)
    refused, decided = done.results
    assert done.code == 2
    assert refused["error"]["violations"][0]["code"] == "no-ruleset"  # type: ignore[index]
    assert "bicycle, tricycle" in refused["error"]["message"]  # type: ignore[index]
    assert decided["ruleset"]["id"] == "tricycle"  # type: ignore[index]
    assert run("questionnaire", "--rulesets", root).code == 2
    served = build_server(Config(rulesets=root, port=0, grace=0.1, log=LOG_OFF), Registry(root))
    served.start()
    try:
        there = run("evaluate", file(DECIDED, {**DECIDED, "ruleset": "tricycle"}), "--json", "--server", served.address)
    finally:
        served.stop()
    assert same(there.results) == same(done.results)


PAGES: dict[str, tuple[object, ...]] = {
    "decision": ("evaluate", DECIDED),
    "needs_answers": ("evaluate", NEEDS),
    "act_now": ("evaluate", {"answers": {"noise": "grind", "tyre_bar": 3, "bike_age": 11, "rides_better": "unknown"}}),
    "why_not": ("evaluate", {"answers": {"loose_parts": ["light", "chain"], "noise": "click", "brakes_fail": False,
                                         "bike_age": 3, "tyre_bar": "unknown", "rides_better": False}}),
    "refused": ("evaluate", {**REFUSED, "language": "nl"}),
    "several": ("evaluate", REFUSED, BROKEN, DECIDED),
    "questionnaire": ("questionnaire",),
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_pages(run: Run, file: Callable[..., Path], rulesets: Path, name: str) -> None:
    command, *patients = PAGES[name]
    files = [file(*patients)] if patients else []
    text = run(command, *files, "--rulesets", rulesets, "--language", "nl").out
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", re.sub(r"\([0-9a-f]{12}\)", "(<digest>)", text))
    assert max(map(len, text.splitlines())) <= 80
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("ACCEPT"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_questionnaire_as_json(run: Run, rulesets: Path) -> None:
    done = run("questionnaire", "bicycle", "--json", "--rulesets", rulesets)
    (content,) = done.results
    assert done.code == 0
    assert {"title", "groups", "questions", "language", "ruleset"} <= set(content)
    assert run("questionnaire", "car", "--rulesets", rulesets).code == 2
    assert run("questionnaire", "--language", "fr", "--rulesets", rulesets).code == 2


def test_lint(run: Run, rulesets: Path, tmp_path: Path) -> None:
    done = run("lint", "--rulesets", rulesets)
    assert done.code == 0
    assert done.out.splitlines()[-1].endswith("bicycle: 0 errors, 0 warnings")
    broken = bicycle(tmp_path / "broken", ruleset=lambda text: text.replace("{brakes_fail: yes}", "{brake_fail: yes}"))
    done = run("lint", broken, rulesets)
    assert done.code == 2
    assert "error[unknown-question]: no question `brake_fail`" in done.out
    assert "^^^^^^^^^^" in done.out
    assert run("lint", broken / "ruleset.yaml").code == 2
    wrong_case = bicycle(tmp_path / "case", CASES.replace("emergency", "tomorrow"))
    assert run("lint", wrong_case).code == 2
    done = run("lint", tmp_path / "nothing")
    assert (done.code, done.out) == (1, "")
    assert "there is no ruleset here" in done.err


def test_lint_for_programs_and_reviews(run: Run, rulesets: Path, tmp_path: Path) -> None:
    broken = bicycle(tmp_path / "broken", ruleset=lambda text: text.replace("{brakes_fail: yes}", "{brake_fail: yes}"))
    done = run("lint", broken, rulesets, "--format", "json")
    (told,) = json.loads(done.out)
    assert (done.code, told["code"], told["endColumn"] - told["column"]) == (2, "unknown-question", len("brake_fail"))
    done = run("lint", broken, rulesets, "--format", "github")
    assert done.code == 2
    assert re.fullmatch(
        r"::error file=.*,line=\d+,col=\d+,endLine=\d+,endColumn=\d+,title=unknown-question::.*\n", done.out
    )
    assert run("lint", rulesets, "--format", "json").out == "[]\n"
    done = run("lint", rulesets, "--format", "github")
    assert (done.code, done.out) == (0, "")
    assert run("lint", rulesets, "--format", "xml").code == 1


def test_explain(run: Run) -> None:
    done = run("explain", "bad-date")
    assert done.code == 0
    assert done.out.startswith("bad-date: ") and "Why it matters" in done.out
    done = run("explain")
    assert done.code == 0
    assert any(line.startswith("bad-date ") for line in done.out.splitlines())
    done = run("explain", "bad-dates")
    assert (done.code, done.out) == (1, "")
    assert done.err == "pluis: no problem has the code `bad-dates`; did you mean `bad-date`?\n"


def test_schema(run: Run, tmp_path: Path) -> None:
    done = run("schema", "--write", tmp_path / "new" / "schema")
    assert done.code == 0
    written = {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "new" / "schema").iterdir()}
    assert written == {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "rulesets" / "schema").iterdir()}
    assert len(done.out.splitlines()) == len(written)
    assert run("schema").code == 1


def test_cases_are_run(run: Run, rulesets: Path, tmp_path: Path) -> None:
    done = run("test", "--rulesets", rulesets)
    assert done.code == 0
    assert done.out.splitlines()[1:] == ["PASS  GOOD  cannot stop", "1 passed, 0 failed"]
    failing = bicycle(tmp_path / "failing", CASES + BAD_CASE)
    done = run("test", failing)
    assert done.code == 4
    assert done.out.splitlines()[2:9] == [
        "FAIL  BAD",
        *[line for line in done.out.splitlines() if line.endswith("cases.yaml:4:3")],
        "      disposition: expected physio",
        "                   got      emergency",
        "      rules:       expected, and missing: S01",
        "                   not expected: E01",
        "      higher than physio, because of what is true:",
    ]
    assert done.out.splitlines()[-1] == "1 passed, 1 failed"
    assert run("test", failing, "--case", "GO*").code == 0
    assert run("test", failing, "-q").out == done.out.replace("PASS  GOOD  cannot stop\n", "")
    junit = tmp_path / "junit.xml"
    done = run("test", failing, "--json", "--junit", junit)
    assert done.code == 4
    (result,) = done.results
    assert (result["passed"], result["failed"]) == (1, 1)
    assert 'failures="1"' in junit.read_text(encoding="utf-8")
    done = run("test", failing, "--case", "BAAD", "--tag", "x", "--junit", tmp_path / "none.xml")
    assert (done.code, done.out) == (2, "")
    assert done.err == "pluis: no case has an id like `BAAD`: did you mean `BAD`?; no case has the tag `x`\n"
    assert run("test", failing, "--junit", tmp_path / "missing" / "junit.xml").code == 1
    without = bicycle(tmp_path / "without")
    (without / "cases.yaml").unlink()
    done = run("test", without, failing)
    assert done.code == 2
    assert "there are no cases" in done.out and "FAIL  BAD" in done.out
    invalid = bicycle(tmp_path / "invalid", ruleset=lambda text: text.replace("default:", "defaults:"))
    done = run("test", invalid)
    assert done.code == 2
    assert "error[" in done.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate",),
        ("evaluate", "missing.json"),
        ("evaluate", "."),
        ("evaluate", "\udcff"),
        ("evaluate", "-", "--rulesets", "missing"),
        ("evaluate", "-", "--nonsense"),
        ("evaluate", "-", "--server", "nowhere.invalid:1:2"),
        ("serve", "--port", "-1", "--log", "off"),
        ("serve", "--threads", "0", "--log", "off"),
        ("serve", "--rulesets", "missing", "--log", "off"),
        ("questionnaire", "--rulesets", "missing"),
        ("test", "missing"),
        ("nonsense",),
        (),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_said(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*arguments, stdin=json.dumps({**DECIDED, "ruleset": "bicycle"}).encode())
    assert (done.code, done.out) == (1, "")
    assert done.err


def test_an_error_of_the_program_is_one_line(
    run: Run, rulesets: Path, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr("engine.author.patients.read_patients", fail)
    done = run("evaluate", file(DECIDED), "--rulesets", rulesets)
    assert done.code == 1
    assert re.fullmatch(r"pluis: an error of the program: KeyError \(test_cli\.py:\d+\)\n", done.err)
    monkeypatch.undo()


def test_a_failure_inside_is_a_line_too(
    run: Run, rulesets: Path, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("engine.decide.evaluate.Evaluator.evaluate", fail)
    # The cases of the ruleset are run by the same function, so they have to be out of the way.
    monkeypatch.setattr("engine.serve.registry.run_cases", lambda *_: ())
    done = run("evaluate", file(DECIDED, REFUSED), "--rulesets", rulesets, "--json")
    assert done.code == 1
    assert [each["error"]["code"] for each in done.results] == ["INTERNAL", "INVALID_ARGUMENT"]  # type: ignore[index]
    assert "secret" not in done.out + done.err


WILD = st.binary(max_size=200) | st.text(alphabet='{}[]":,-\n #&*!a1\\', max_size=60).map(str.encode)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(WILD)
def test_garbage_is_refused(run: Run, rulesets: Path, data: bytes) -> None:
    done = run("evaluate", "-", "--json", "--rulesets", rulesets, stdin=data)
    assert done.code == 2
    assert done.results


def test_through_the_test_runner(rulesets: Path, file: Callable[..., Path]) -> None:
    """`app` alone, as other tools would call it, ends with the same codes."""
    result = CliRunner().invoke(app, ["evaluate", str(file(NEEDS)), "--rulesets", str(rulesets)])
    assert result.exit_code == 3
    assert CliRunner().invoke(app, ["--version"]).output.startswith("pluis ")


PLUIS = (sys.executable, "-c", "from engine.cli import main; main()")


def test_help_loads_nothing() -> None:
    program = (
        "import sys\nfrom engine.cli import app\napp(['--help'], standalone_mode=False)\n"
        "heavy = {'grpc', 'yaml', 'durable_rules_engine', 'pydantic', 'google', 'engine.rules'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for command in ("serve", "evaluate", "questionnaire", "lint", "test", "--version"):
        assert command in done.stdout


def test_a_reader_that_goes_away(rulesets: Path, file: Callable[..., Path]) -> None:
    command = [*PLUIS, "evaluate", str(file(*[DECIDED] * 200)), "--json", "--rulesets", str(rulesets)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        assert json.loads(process.stdout.readline())["decision"]
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 1


def test_results_come_as_patients_do(rulesets: Path) -> None:
    """The first result is there before the second patient is."""
    command = [*PLUIS, "evaluate", "-", "--json", "--rulesets", str(rulesets)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        for patient, kind in ((DECIDED, "decision"), (NEEDS, "needsAnswers"), (BROKEN, "error")):
            process.stdin.write((patient if isinstance(patient, str) else json.dumps(patient)) + "\n")
            process.stdin.flush()
            assert kind in json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(60) == 2


def test_serve_until_told_to_stop(rulesets: Path) -> None:
    command = [*PLUIS, "serve", "--port", "0", "--threads", "2", "--rulesets", str(rulesets), "--log", "off"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = re.search(r"pluis serving bicycle 1\.0\.0 on (\S+)", process.stderr.readline())
        assert told
        command = [*PLUIS, "evaluate", "-", "--server", told[1], "--json"]
        done = subprocess.run(command, cwd=ROOT, input=json.dumps(DECIDED), capture_output=True, text=True, timeout=60)
        process.terminate()
        process.stderr.read()
        assert process.wait(60) == 0
    assert (done.returncode, done.stderr) == (0, "")
