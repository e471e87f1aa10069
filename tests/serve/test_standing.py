"""What a server makes of approvals and certificates: the status it shows, what it says, and what it does not serve."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from engine.pb.v1 import triage_pb2 as pb
from engine.rules.approval import Status
from engine.rules.certificate import CERTIFICATE, Certificate, ClaimVerdict, render_certificate
from engine.rules.load import load
from engine.rules.signed_files import APPROVALS, KEYS, render_signed, render_trust
from engine.serve.registry import NothingServed, Registry, read
from engine.serve.standing import Requirement
from tests.rules.signing import GP, PT, TRUST, Person, trusting
from tests.serve.conftest import changed, running

TODAY = date(2026, 12, 1)
APPROVED = frozenset({Requirement.APPROVAL})
CERTIFIED = frozenset({Requirement.CERTIFICATE})


@pytest.fixture
def folder(copied: Path) -> Path:
    return copied / "small" / "1"


def trust(root: Path) -> None:
    (root / KEYS).write_text(render_trust(TRUST), encoding="utf-8")


def approve(folder: Path, people: Iterable[Person] = (GP, PT)) -> None:
    signed = [person.signs(load(folder).digest) for person in people]
    (folder / APPROVALS).write_text(render_signed(signed), encoding="utf-8")


def certify(folder: Path) -> Certificate:
    checked = load(folder)
    claims = tuple(ClaimVerdict(each.id, each.kind, "proved") for each in checked.ruleset.claims.values())
    it = checked.ruleset
    certificate = Certificate(it.id, it.version, checked.digest, "a solver 1.0", "pluis 1.0", claims)
    (folder / CERTIFICATE).write_text(render_certificate(certificate), encoding="utf-8")
    return certificate


def status(root: Path, day: date = TODAY) -> Status:
    (served,) = read(root, frozenset(), day)
    return served.status(day)


def test_a_version_is_a_draft_until_both_have_signed(copied: Path, folder: Path) -> None:
    trust(copied)
    assert status(copied) is Status.DRAFT
    approve(folder, [GP])
    assert status(copied) is Status.DRAFT
    approve(folder, [GP, PT])
    assert status(copied) is Status.APPROVED
    assert status(copied, date(2030, 1, 1)) is Status.RETIRED


def test_the_status_is_on_the_wire(copied: Path, folder: Path) -> None:
    trust(copied)
    approve(folder)
    with running(copied) as started:
        (summary,) = started.stub.ListRulesets(pb.ListRulesetsRequest()).rulesets
        assert summary.status == pb.RULESET_STATUS_APPROVED
        changed(folder, ("version: 1.0.0", "version: 1.0.1"))
        assert started.registry.reload() == ()
        (summary,) = started.stub.ListRulesets(pb.ListRulesetsRequest()).rulesets
        assert (summary.ruleset.version, summary.status) == ("1.0.1", pb.RULESET_STATUS_DRAFT)
        ruleset = started.stub.GetRuleset(pb.GetRulesetRequest(ruleset="small"))
        assert ruleset.summary.status == pb.RULESET_STATUS_DRAFT


def test_an_approval_that_does_not_count_any_more_is_said(
    copied: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trust(copied)
    approve(folder)
    with caplog.at_level(logging.WARNING):
        assert status(copied) is Status.APPROVED
    assert caplog.text == ""
    changed(folder, ("from: 2026-01-01", "from: 2026-01-02"))
    with caplog.at_level(logging.WARNING):
        assert status(copied) is Status.DRAFT
    assert (
        "small/1: an approval does not count: `A. Jansen` (gp) on 2026-06-15: it was signed for another" in caplog.text
    )
    assert caplog.text.count("an approval does not count") == 2


def test_a_revoked_key_takes_its_approvals_along_at_the_next_reload(copied: Path, folder: Path) -> None:
    trust(copied)
    approve(folder)
    registry = Registry(copied, APPROVED, lambda: TODAY)
    revoked = trusting(replace(GP.trusted(), revoked=TODAY), PT.trusted())
    (copied / KEYS).write_text(render_trust(revoked), encoding="utf-8")
    (problem,) = registry.reload()
    assert "it is not approved by a gp" in problem.message and "revoked on 2026-12-01" in problem.message


@pytest.mark.parametrize("name", [KEYS, APPROVALS])
def test_a_file_that_cannot_be_read_approves_nothing_and_stops_nothing(
    copied: Path, folder: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    trust(copied)
    approve(folder)
    file = copied / name if name == KEYS else folder / name
    file.write_text("{", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        assert status(copied) is Status.DRAFT
    assert "yaml-syntax" in caplog.text
    (problem,) = read(copied, APPROVED, TODAY).problems
    assert "it is not approved" in problem.message


@pytest.mark.parametrize(
    ("people", "told"),
    [
        ([], "it is not approved by a gp and a physiotherapist"),
        ([GP], "it is not approved by a physiotherapist"),
        ([PT], "it is not approved by a gp"),
    ],
)
def test_without_the_approvals_that_are_required_it_is_not_served(
    copied: Path, folder: Path, people: list[Person], told: str
) -> None:
    trust(copied)
    approve(folder, people)
    with pytest.raises(NothingServed, match=told) as caught:
        Registry(copied, APPROVED, lambda: TODAY)
    assert [problem.source for problem in caught.value.problems] == ["small/1"]


def test_with_what_is_required_it_is_served(copied: Path, folder: Path) -> None:
    trust(copied)
    approve(folder)
    certify(folder)
    registry = Registry(copied, frozenset(Requirement), lambda: TODAY)
    assert [served.status(TODAY) for served in registry.current()] == [Status.APPROVED]


def test_approvals_without_a_trust_list_are_not_enough(copied: Path, folder: Path) -> None:
    approve(folder)
    (problem,) = read(copied, APPROVED, TODAY).problems
    assert "not in the trust list" in problem.message


def test_without_the_certificate_that_is_required_it_is_not_served(copied: Path, folder: Path) -> None:
    (problem,) = read(copied, CERTIFIED, TODAY).problems
    assert problem.message == "it has no certificate, and this server requires one"
    certificate = certify(folder)
    assert [served.version for served in read(copied, CERTIFIED, TODAY)] == ["1.0.0"]
    (folder / CERTIFICATE).write_text(render_certificate(replace(certificate, digest="0" * 64)), encoding="utf-8")
    (problem,) = read(copied, CERTIFIED, TODAY).problems
    assert "no certificate that holds" in problem.message and "made for another content" in problem.message
    (folder / CERTIFICATE).write_text("{}", encoding="utf-8")
    (problem,) = read(copied, CERTIFIED, TODAY).problems
    assert "missing-key" in problem.message


def test_a_certificate_that_does_not_hold_is_said_and_stops_nothing(
    copied: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certify(folder)
    changed(folder, ("from: 2026-01-01", "from: 2026-01-02"))
    with caplog.at_level(logging.WARNING):
        assert status(copied) is Status.DRAFT
    assert "small/1: the certificate does not hold: it was made for another content" in caplog.text


def test_the_server_tells_the_status_when_it_starts(
    copied: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trust(copied)
    approve(folder)
    with caplog.at_level(logging.INFO), running(copied):
        pass
    assert "small 1.0.0: approved" in caplog.text
