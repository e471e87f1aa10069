"""Keeps COMPATIBILITY.md true: its tables are what the program has, and the gate in front of the contract closes.

Every table is read from the page itself, so that neither can change without the other.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sysconfig
from datetime import date
from pathlib import Path

import pytest
from google.rpc import error_details_pb2

from engine import cli
from engine.author.results import DECIDED, NEEDS_ANSWERS, OTHER, REFUSED
from engine.cli import terminal
from engine.client import TriageError, to_reply
from engine.decide.canonical import outcome_content
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError, Violation
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.load import load
from engine.serve.errors import CONTRADICTION, TABLE, UNEXPECTED, InvalidRequest, RetryLater, status_of
from engine.serve.registry import NotServed, Registry
from tests.test_contract import IMAGE, RELIED_UPON, buf, statements

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "COMPATIBILITY.md").read_text(encoding="utf-8")
PROTO = "protos/triage/v1/triage.proto"
SMALL = ROOT / "tests" / "serve" / "rulesets"


def table(heading: str) -> list[list[str]]:
    """The rows of the table whose first heading is this one, as the text of their cells."""
    lines = PAGE.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def names(cell: str) -> list[str]:
    """What stands in backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def test_reasons_and_their_codes_are_the_status_tables() -> None:
    documented = [(*names(reason), *names(code)) for reason, code, _ in table("reason")]
    rows = [*TABLE.values(), CONTRADICTION, UNEXPECTED]
    assert sorted(documented) == sorted((row.reason, row.code.name) for row in rows)


def not_served(root: Path) -> list[NotServed]:
    """Every way of asking for something that is not there, on a day after the end of the ruleset's period."""
    found = []
    snapshot = Registry(root).current()
    served = next(iter(snapshot))
    for ask in (
        lambda: snapshot.find("nothing", "", date(2026, 12, 1)),
        lambda: snapshot.find("small", "9.9.9", date(2026, 12, 1)),
        lambda: snapshot.deciding("small", "1.0.0", date(2040, 1, 1)),
        lambda: served.language("fy"),
    ):
        with pytest.raises(NotServed) as caught:
            ask()
        found.append(caught.value)
    return found


def test_metadata_keys_are_those_of_each_reason() -> None:
    wrong = [Violation("answers", "too-large", "x")]
    errors: list[Exception] = [*not_served(SMALL), AnswersError(wrong), InvalidRequest(wrong)]
    errors.append(AnswersError([Violation("answers", "contradiction", "x")]))
    errors.extend(kind("x", 1.0) for kind in TABLE if issubclass(kind, RetryLater))
    errors.extend(kind("x") for kind in TABLE if not issubclass(kind, AnswersError | NotServed | RetryLater))
    errors.append(ValueError("x"))
    told = {}
    for error in errors:
        info = error_details_pb2.ErrorInfo()
        assert status_of(error, "id").details[0].Unpack(info)
        told[info.reason] = sorted(info.metadata)
    assert told == {names(reason)[0]: names(keys) for reason, _, keys in table("reason")}


def test_violation_codes_are_those_that_can_be_given() -> None:
    """The codes in the source of both rooms: strings in kebab-case that are the second argument of a Violation."""
    found: set[str] = set()
    for path in [*(ROOT / "engine" / "serve").glob("*.py"), *(ROOT / "engine" / "decide").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Violation":
                code = node.args[1]
                if isinstance(code, ast.Constant):
                    found.add(str(code.value))
                else:  # passed on as it came
                    assert ast.unparse(code).endswith("code"), ast.unparse(code)
    assert [names(code)[0] for (code,) in table("code")] == sorted(found)


def test_paths_are_those_that_the_contract_test_holds() -> None:
    assert [names(path)[0] for (path,) in table("path")] == RELIED_UPON


def test_exit_codes_are_the_command_lines() -> None:
    documented = {int(code): meaning for code, meaning in table("exit code")}
    assert documented[0] == f"{said(0)}; of `evaluate`: a decision"
    assert {code: meaning for code, meaning in documented.items() if code} == {code: said(code) for code in range(1, 7)}
    assert (DECIDED, OTHER, REFUSED, NEEDS_ANSWERS) == (0, 1, 2, 3)
    codes = (terminal.FAILED, terminal.INVALID, terminal.CASES_FAILED, terminal.LAXER, terminal.FAULTS)
    assert codes == (1, 2, 4, 5, 6)


def said(code: int) -> str:
    """What the command's own docstring says of an exit code."""
    found = re.search(rf"\b{code} ([^,.]+)[,.]", (cli.__doc__ or "").replace("\n", " "))
    assert found, code
    return found[1]


def keys_in(part: object) -> list[str]:
    assert isinstance(part, dict)
    return sorted(part)


def test_the_canonical_form_is_what_the_page_says() -> None:
    evaluator = Evaluator(load(SMALL / "small"))
    content = outcome_content(evaluator.checked, evaluator.evaluate(evaluator.read({}, [])).outcome)
    questions = content["next_questions"]
    assert isinstance(questions, list)
    found = {
        "outcome": keys_in(content),
        "`ruleset`": keys_in(content["ruleset"]),
        "`programme`": keys_in(content["programme"]),
        "`next_questions[]`": keys_in(questions[0]),
    }
    assert {part: names(keys) for part, keys in table("in the canonical form")} == found


def test_a_value_of_a_newer_contract_is_never_mild_in_the_python_client() -> None:
    newer = pb.EvaluateResponse.FromString(bytes([0x3A, 0x02, 0x08, 0x63]))  # decision.disposition = 99
    assert newer.WhichOneof("outcome") == "decision"
    with pytest.raises(TriageError) as caught:
        to_reply(newer)
    assert caught.value.reason == "UNKNOWN_VALUE"
    assert f"`{caught.value.reason}`" in PAGE


def test_deprecations_are_listed() -> None:
    """Whatever has `deprecated = true` in the proto stands in the table, and the other way round."""
    found = set()
    for message in pb.DESCRIPTOR.message_types_by_name.values():
        found |= {f"{message.name}.{each.name}" for each in message.fields if each.GetOptions().deprecated}
    for enum in pb.DESCRIPTOR.enum_types_by_name.values():
        found |= {f"{enum.name}.{each.name}" for each in enum.values if each.GetOptions().deprecated}
    for method in pb.DESCRIPTOR.services_by_name["TriageService"].methods:
        found |= {method.name} if method.GetOptions().deprecated else set()
    assert {names(row[0])[0] for row in table("deprecated")} == found
    assert ("Nothing is, now." in PAGE) is (not found)


def breaking(folder: Path, old: str, new: str) -> subprocess.CompletedProcess[str]:
    """`buf breaking` on a copy of the contract in which a text is replaced once, against the accepted image."""
    for path in [ROOT / "buf.yaml", *(ROOT / "protos").rglob("*.proto")]:
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    text = (ROOT / PROTO).read_text(encoding="utf-8")
    assert old in text
    (folder / PROTO).write_text(text.replace(old, new, 1), encoding="utf-8")
    command = [buf(), "breaking", "--against", str(IMAGE)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  Receipt receipt = 10;\n", "  Receipt receipt = 10;\n  string note = 11;\n"),
        ("  CALL_112 = 8;\n", "  CALL_112 = 8;\n  CALL_113 = 9;\n"),
        ("  string source = 10;\n}", "  string source = 10 [deprecated = true];\n}"),
        ("message GetRulesetRequest {", "message Added {}\n\nmessage GetRulesetRequest {"),
    ],
)
def test_what_may_change_passes_the_gate(old: str, new: str, tmp_path: Path) -> None:
    done = breaking(tmp_path, old, new)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_field_that_is_taken_out_is_told_as_the_page_shows(tmp_path: Path) -> None:
    done = breaking(tmp_path, "  string decision_id = 1;\n", "")
    assert done.returncode == 100
    (line,) = done.stdout.splitlines()
    shown = re.sub(r":\d+:\d+:", ":", line)  # lines move with every comment
    assert shown in re.sub(r":\d+:\d+:", ":", PAGE)


def test_copy_of_the_error_details_proto() -> None:
    """A program that reads the details of errors finds their proto here; comments may differ."""
    path = Path("google") / "rpc" / "error_details.proto"
    site = Path(sysconfig.get_path("purelib"))
    assert list(statements(ROOT / "protos" / path)) == list(statements(site / path))
