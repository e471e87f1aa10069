"""The command `pluis prove`: what it prints, how it ends, and the certificate that it writes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli import app
from engine.rules.certificate import certificate_faults
from engine.rules.load import load, load_certificate
from tests.clinical.patients import RULESETS

MINIMAL = Path(__file__).resolve().parents[1] / "data" / "minimal"
CLAIM = "fails_on_purpose: {claim: red_flag_floor, finding: FINDING, at_least: emergency}"
NAMES = sorted(path.parent.name for path in RULESETS.glob("*/ruleset.yaml"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the small ruleset, with claims that hold."""
    copy = tmp_path / "bicycle"
    shutil.copytree(MINIMAL, copy)
    return copy


def prove(folder: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["prove", str(folder), "--workers", "1", "--budget", "600", *options])
    return result.exit_code, result.output


def claims(folder: Path, *lines: str) -> None:
    """The ruleset of a folder with these claims instead of its own."""
    file = folder / "ruleset.yaml"
    text = file.read_text(encoding="utf-8").partition("\nclaims:")[0]
    file.write_text("\n  ".join((f"{text.rstrip()}\nclaims:", *lines)) + "\n", encoding="utf-8")


def test_what_is_proved_is_certified(folder: Path) -> None:
    claims(folder, "one_disposition: {claim: complete}", "a_net: {claim: safety_net_always}")
    code, out = prove(folder, "--certificate")
    assert (code, "2 proved, 0 refuted, 0 undecided" in out) == (0, True), out
    checked, certificate = load(folder), load_certificate(folder)
    assert certificate is not None and certificate_faults(checked, certificate) == ()
    assert certificate.solver.startswith("z3 ")


def test_what_is_refuted_shows_a_patient_and_is_not_certified_as_proved(folder: Path) -> None:
    finding = next(iter(load(folder).ruleset.findings))
    claims(folder, CLAIM.replace("FINDING", finding), "a_net: {claim: safety_net_always}")
    code, out = prove(folder, "--certificate")
    assert code == 4, out
    for said in ("REFUTED    fails_on_purpose", "a patient: ", "is decided: ", "1 proved, 1 refuted"):
        assert said in out
    checked, certificate = load(folder), load_certificate(folder)
    assert certificate is not None and len(certificate_faults(checked, certificate)) == 1


def test_no_time_is_no_proof(folder: Path) -> None:
    claims(folder, "one_disposition: {claim: complete}")
    code, out = prove(folder, "--budget", "0")
    assert (code, "UNDECIDED" in out, "0 proved" in out) == (4, True, True), out


def test_as_json(folder: Path) -> None:
    claims(folder, "one_disposition: {claim: complete}", "a_net: {claim: safety_net_always}")
    code, out = prove(folder, "--json", "--claim", "a_net")
    (found,) = json.loads(out)["claims"]
    assert (code, found["id"], found["verdict"], found["patients"]) == (0, "a_net", "proved", [])


@pytest.mark.parametrize(
    ("options", "told"),
    [(("--claim", "nonsense"), "no claim `nonsense`"), (("--claim", "a_net", "--certificate"), "for all claims")],
)
def test_what_cannot_be_asked(folder: Path, options: tuple[str, ...], told: str) -> None:
    claims(folder, "a_net: {claim: safety_net_always}")
    result = CliRunner().invoke(app, ["prove", str(folder), *options])
    assert (result.exit_code, told in result.output) == (2, True), result.output


def test_a_version_to_compare_with_is_looked_for(tmp_path: Path) -> None:
    for version in ("1.0.0", "1.1.0"):
        shutil.copytree(MINIMAL, tmp_path / "bicycle" / version)
    newer = tmp_path / "bicycle" / "1.1.0"
    file = newer / "ruleset.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("version: 1.0.0", "version: 1.1.0"), encoding="utf-8")
    claims(newer, "no_step_back: {claim: never_laxer, than: 1.0.0}")
    code, out = prove(newer)
    assert (code, "PROVED     no_step_back" in out) == (0, True), out
    claims(newer, "no_step_back: {claim: never_laxer, than: 0.9.0}")
    code, out = prove(newer)
    assert (code, "version 0.9.0 is not there" in out) == (4, True), out


@pytest.mark.parametrize("name", NAMES)
def test_the_certificate_of_each_ruleset_is_that_of_its_content(name: str) -> None:
    """`pluis prove --certificate` renews it; the slow tests prove the claims again."""
    certificate = load_certificate(RULESETS / name)
    assert certificate is not None
    assert certificate_faults(load(RULESETS / name), certificate) == ()
