"""Holds the public contract still: the proto, its generated code, the scales, and the paths that outsiders rely on."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from engine.pb.v1 import triage_pb2 as pb
from engine.rules.model import QuestionType
from engine.rules.scale import Call, Disposition, Guidance, Programme, Strength

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "protos" / "triage" / "v1" / "triage.proto"
IMAGE = ROOT / "protos" / "triage.v1.binpb"
"""The contract as it was last accepted (`make image`)."""
SITE = Path(sysconfig.get_path("purelib"))
MESSAGES = pb.DESCRIPTOR.message_types_by_name
ENUMS = pb.DESCRIPTOR.enum_types_by_name


def words(enum: EnumDescriptor) -> dict[str, int]:
    """The enum's members in lower case without their prefix, by number; the unspecified one left out."""
    prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", enum.name).upper() + "_"
    assert enum.values[0].name == f"{prefix}UNSPECIFIED" and enum.values[0].number == 0
    assert all(value.name.startswith(prefix) for value in enum.values)
    return {value.name.removeprefix(prefix).lower(): value.number for value in enum.values[1:]}


@pytest.mark.parametrize(
    ("scale", "enum"),
    [
        (Disposition, "Disposition"),
        (Call, "Call"),
        (Programme, "Programme"),
        (Guidance, "Guidance"),
        (Strength, "EvidenceStrength"),
    ],
)
def test_scales_are_the_contracts(scale: type[Enum], enum: str) -> None:
    assert {member.word for member in scale} == set(words(ENUMS[enum]))


def test_question_types_are_the_contracts() -> None:
    assert {member.value for member in QuestionType} == set(words(ENUMS["QuestionType"]))


def test_numbers_follow_urgency() -> None:
    """A caller that compares numbers gets the order of urgency; calls of equal rank stand beside each other."""
    assert words(ENUMS["Disposition"]) == {member.word: int(member) for member in Disposition}
    assert words(ENUMS["Guidance"]) == {member.word: int(member) for member in Guidance}
    numbers = words(ENUMS["Call"])
    ranks = [call.rank for call in sorted(Call, key=lambda call: numbers[call.word])]
    assert ranks == sorted(ranks)


RELIED_UPON = [
    "decision.disposition",
    "decision.call",
    "decision.withinHours",
    "decision.programme.choice",
    "decision.rules[].id",
    "decision.advice[].id",
    "decision.advice[].text",
    "decision.safetyNet[].id",
    "decision.safetyNet[].text",
    "needsAnswers.floor",
    "needsAnswers.ceiling",
    "needsAnswers.nextQuestions[].id",
    "decisionId",
    "decisionDigest",
    "ruleset.id",
    "ruleset.version",
    "ruleset.digest",
]


@pytest.mark.parametrize("path", RELIED_UPON)
def test_path_that_outsiders_rely_on(path: str) -> None:
    message: Descriptor | None = MESSAGES["EvaluateResponse"]
    for part in path.split("."):
        assert message is not None, path
        found = {each.json_name: each for each in message.fields}[part.removesuffix("[]")]
        assert found.is_repeated is part.endswith("[]"), path
        message = found.message_type


def test_an_unsettled_result_is_no_decision() -> None:
    (outcome,) = (each for each in MESSAGES["EvaluateResponse"].oneofs if each.name == "outcome")
    assert [each.name for each in outcome.fields] == ["decision", "needs_answers"]


def test_an_answer_says_its_kind() -> None:
    """No plain bool or bare number: what is absent must never look like *no* or 0."""
    answer = MESSAGES["Answer"]
    assert [each.name for each in answer.oneofs] == ["kind"]
    assert all(each.containing_oneof is answer.oneofs[0] for each in answer.fields)
    assert all(each.type != FieldDescriptor.TYPE_BOOL for each in answer.fields)
    assert "unknown" in answer.fields_by_name
    answers = MESSAGES["EvaluateRequest"].fields_by_name["answers"]
    assert answers.message_type.GetOptions().map_entry
    assert answers.message_type.fields_by_name["value"].message_type is answer


def test_hours_that_are_not_set_are_absent() -> None:
    for name in ("Decision", "NeedsAnswers", "RuleReason", "RuleDescription"):
        assert MESSAGES[name].fields_by_name["within_hours"].has_presence, name


def test_a_floor_carries_what_a_decision_carries() -> None:
    """Whoever must act on a floor finds there all that a decision has, by the same names."""
    decision, needs = (set(MESSAGES[name].fields_by_name) for name in ("Decision", "NeedsAnswers"))
    assert decision - needs == {"disposition", "disposition_text", "why_not"}
    assert {"floor", "floor_text"} <= needs


def test_generated_code_is_what_the_proto_says(tmp_path: Path) -> None:
    """`make proto` would change nothing."""
    source = PROTO.relative_to(ROOT).as_posix()
    outs = [f"--{kind}_out={tmp_path}" for kind in ("python", "pyi", "grpc_python")]
    run([sys.executable, "-m", "grpc_tools.protoc", "-Iengine/pb/v1=protos/triage/v1", f"-I{SITE}", *outs, source])
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(made) == 3
    for path, content in made.items():
        assert (ROOT / path).read_bytes() == content, f"{path}: run `make proto`"


def test_lower_bounds_are_the_generators() -> None:
    """Generated code refuses an older runtime at import, so an older one may not be installed."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    protobuf = re.search(r"Protobuf Python Version: (\S+)", (ROOT / "engine/pb/v1/triage_pb2.py").read_text("utf-8"))
    grpc = re.search(r"GRPC_GENERATED_VERSION = '(\S+)'", (ROOT / "engine/pb/v1/triage_pb2_grpc.py").read_text("utf-8"))
    assert protobuf and grpc
    assert f'"protobuf>={protobuf[1]}"' in project
    for name in ("grpcio", "grpcio-health-checking", "grpcio-reflection", "grpcio-status"):
        assert f'"{name}>={grpc[1]}"' in project
    assert f'"grpcio-tools=={grpc[1]}"' in project


def test_buf_lint() -> None:
    run([buf(), "lint"])


def test_nothing_is_broken_since_the_image() -> None:
    run([buf(), "breaking", "--against", str(IMAGE.relative_to(ROOT))])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("CALL_112 = 8;", "CALL_112 = 9;"),
        ("  string decision_id = 1;\n", ""),
        ("  Guidance guidance = 7;", "  string guidance = 7;"),
        ("rpc Evaluate(", "rpc Assess("),
    ],
)
def test_a_broken_contract_is_noticed(old: str, new: str, tmp_path: Path) -> None:
    text = PROTO.read_text(encoding="utf-8")
    assert old in text
    for path in [ROOT / "buf.yaml", *(ROOT / "protos").rglob("*.proto")]:
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    done = subprocess.run([buf(), "breaking", "--against", str(IMAGE)], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 100, done.stdout + done.stderr


def test_copy_of_the_status_proto() -> None:
    """buf needs a copy of the file that protoc finds in googleapis-common-protos; comments may differ."""
    ours = ROOT / "protos" / "google" / "rpc" / "status.proto"
    assert list(statements(ours)) == list(statements(SITE / "google" / "rpc" / "status.proto"))


def statements(path: Path) -> Iterator[str]:
    text = re.sub(r"//[^\n]*", "", path.read_text(encoding="utf-8"))
    for line in text.splitlines():
        if line.strip():
            yield " ".join(line.split())


def buf() -> str:
    """buf beside this Python, or else on the path."""
    beside = Path(sys.executable).with_name("buf")
    return str(beside) if beside.exists() else "buf"


def run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
