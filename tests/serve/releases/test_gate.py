"""Every kind of bad candidate is refused, with the folder and the file, while the last good release stays active."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine.rules.approval import Status
from engine.rules.certificate import CERTIFICATE
from engine.rules.document import LARGEST, Sequence, plain, read
from engine.rules.problem import Severity
from engine.rules.signed_files import APPROVALS, KEYS, render_trust
from engine.rules.source import Source
from engine.serve.releases import copying
from engine.serve.releases.gate import gate
from engine.serve.releases.loading import read_release
from engine.serve.standing import Requirement
from tests.rules.signing import GP, PT, trusting
from tests.rules.wrong import WHOLE, lint
from tests.serve.conftest import SMALL, changed
from tests.serve.releases.conftest import TODAY, House, versions
from tests.serve.test_standing import approve, certify, trust

INVALID = sorted((Path(__file__).parents[2] / "data" / "invalid").glob("*.yaml"))
KINDS = list({file.stem.partition("--")[0]: file for file in reversed(INVALID)}.values())
"""One file for each code of a problem."""


def refused(house: House, source: str, *told: str) -> None:
    """The gate refuses, says where and why, and the last good release stays; the state is as before."""
    before, releases = house.store.serving(), house.store.releases()
    assert before is not None
    report = house.gate()
    assert report.release is None and not report.changed
    assert report.serving == before == house.store.serving()
    assert house.store.releases() == releases
    assert not (house.store.folder / ".new").exists()
    assert report.told[0] == f"the rulesets were refused; {before.told} stays active"
    assert source in [problem.source for problem in report.problems]
    lines = "\n".join(report.told)
    for each in told:
        assert each in lines, lines
    assert str(house.store.folder) not in lines  # the operator knows the folder, and not our copy


@pytest.mark.parametrize("file", KINDS, ids=lambda file: file.stem)
def test_every_error_of_an_author_is_refused(published: House, file: Path) -> None:
    """Warnings of lint are for authors, and stop nothing. Signatures that do not count make a draft, which is told."""
    node, _ = read(Source(file.name, file.read_text(encoding="utf-8")))
    assert isinstance(node, Sequence)
    listed: Any = plain(node)
    changes = [(it["file"], it.get("replace", WHOLE), it.get("with", "")) for it in listed]
    problems = lint(published.root / "bicycle", changes)
    if {name for name, _, _ in changes} <= {APPROVALS, CERTIFICATE}:
        report = published.gate()
        assert report.changed
        assert "does not count" in report.notes[0] or "does not hold" in report.notes[0]
    elif any(problem.severity is Severity.ERROR for problem in problems):
        refused(published, "bicycle", next(iter(problems)).span.source.name)
    else:
        report = published.gate()
        assert versions(report.serving) == ["bicycle 1.0.0", "small 1.0.0"] or report.problems
        assert all(problem.message.startswith("case BIKE") for problem in report.problems)


Plant = Callable[[Path], object]

BAD: dict[str, tuple[Plant, str]] = {
    "cut in the middle": (lambda new: os.truncate(new / "ruleset.yaml", 400), "ruleset.yaml:"),
    "cut to nothing": (lambda new: os.truncate(new / "ruleset.yaml", 0), "ruleset.yaml:"),
    "cases cut": (lambda new: os.truncate(new / "cases.yaml", 90), "cases.yaml:"),
    "cases cut to nothing": (lambda new: os.truncate(new / "cases.yaml", 0), "cases.yaml:"),
    "texts cut": (lambda new: os.truncate(new / "texts.en.yaml", 60), "texts.en.yaml"),
    "no ruleset.yaml": (lambda new: (new / "ruleset.yaml").unlink(), "there is no `ruleset.yaml`"),
    "no cases": (lambda new: (new / "cases.yaml").unlink(), "it has no cases"),
    "no texts": (lambda new: (new / "texts.nl.yaml").unlink(), "nl"),
    "ruleset.yaml is a folder": (lambda new: moved(new / "ruleset.yaml").mkdir(), "`small/2/ruleset.yaml` is not a"),
    "ruleset.yaml is a pipe": (lambda new: os.mkfifo(moved(new / "ruleset.yaml")), "`small/2/ruleset.yaml` is not a"),
    "UTF-16": (lambda new: recoded(new / "texts.nl.yaml", "utf-16"), "texts.nl.yaml"),
    "Latin-1": (lambda new: (new / "texts.nl.yaml").write_bytes(b"\xe9"), "texts.nl.yaml"),
    "zeros": (lambda new: (new / "ruleset.yaml").write_bytes(b"\0" * 4096), "ruleset.yaml:"),
    "huge": (lambda new: os.truncate(new / "ruleset.yaml", LARGEST + 1), f"more than {LARGEST}"),
    "a failing case": (
        lambda new: changed(new, ("disposition: emergency", "disposition: physio"), file="cases.yaml"),
        "case C1: disposition is emergency, expected physio",
    ),
    "contradicting answers in a case": (
        lambda new: changed(new, ("answers: {age: 40", "answers: {age: 40, onset: 41"), file="cases.yaml"),
        "case C2: `onset` (41) and `age` (40) contradict",
    ),
    "a version that is there": (
        lambda new: changed(new, ("version: 2.0.0", "version: 1.0.0")),
        "`small` 1.0.0 stands in another folder too",
    ),
    "a link out": (lambda new: moved(new / "cases.yaml").symlink_to(SMALL / "small" / "cases.yaml"), "is a link out"),
    "a folder linked from elsewhere": (lambda new: linked(new, SMALL / "small"), "`small/2` is a link out"),
    "a link to nothing": (lambda new: moved(new / "cases.yaml").symlink_to("nothing.yaml"), "`small/2/cases.yaml`"),
    "a link to itself": (lambda new: moved(new / "cases.yaml").symlink_to("cases.yaml"), "`small/2/cases.yaml`"),
    "a link out by dots": (
        lambda new: moved(new / "cases.yaml").symlink_to("../../../../etc/passwd"),
        "`small/2/cases.yaml` is a link out",
    ),
    "approvals that cannot be read": (lambda new: (new / APPROVALS).write_text("{"), APPROVALS),
    "a certificate that cannot be read": (lambda new: (new / CERTIFICATE).write_text("{}"), CERTIFICATE),
}
"""What is done to a copy of the small ruleset in `small/2`, version 2.0.0; and what the operator is told."""


def moved(file: Path) -> Path:
    """The file is gone; gives its place."""
    file.unlink()
    return file


def recoded(file: Path, encoding: str) -> None:
    file.write_bytes(file.read_text(encoding="utf-8").encode(encoding))


def linked(folder: Path, target: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(target)


@pytest.mark.parametrize("kind", BAD)
def test_every_kind_of_bad_folder_is_refused(published: House, kind: str) -> None:
    plant, told = BAD[kind]
    plant(published.version("2", "2.0.0"))
    refused(published, "small/2", told)


def test_there_are_fifty_kinds() -> None:
    assert len(KINDS) + len(BAD) >= 50


@pytest.mark.parametrize("kind", BAD)
def test_at_the_first_start_a_bad_folder_stops_no_other(house: House, kind: str) -> None:
    """A ruleset with approvals that cannot be read is served as a draft, and that is told."""
    BAD[kind][0](house.version("2", "2.0.0"))
    report = house.gate()
    assert "small 1.0.0" in versions(report.release)
    assert report.release is not None and report.release.problems == report.problems
    assert [problem.source for problem in report.problems] == ["small/2"]
    assert "the first release" in report.told[0] and report.changed


def test_a_trust_list_that_cannot_be_read_is_refused(published: House) -> None:
    (published.root / KEYS).write_text("{", encoding="utf-8")
    refused(published, ".", "no key is trusted", str(published.root / KEYS))
    (published.root / KEYS).unlink()
    (published.root / KEYS).symlink_to("/etc/hostname")
    refused(published, ".", "`keys.json` is a link out")


@pytest.mark.parametrize(
    ("requirement", "told"),
    [
        (Requirement.CERTIFICATE, "it has no certificate, and this server requires one"),
        (Requirement.APPROVAL, "it is not approved by a gp and a physiotherapist"),
    ],
)
def test_without_what_is_required_it_is_refused(house: House, requirement: Requirement, told: str) -> None:
    house = replace(house, config=house.config.model_copy(update={"required": frozenset({requirement})}))
    trust(house.root)
    approve(house.root / "small" / "1")
    certify(house.root / "small" / "1")
    house.publish()
    house.version("2", "2.0.0")
    refused(house, "small/2", told)
    approve(house.root / "small" / "2")
    certify(house.root / "small" / "2")
    assert versions(house.publish()) == ["small 1.0.0", "small 2.0.0"]


def test_an_outdated_approval_makes_a_draft_and_is_told(house: House) -> None:
    trust(house.root)
    folder = house.root / "small" / "1"
    approve(folder)
    release = house.publish()
    (served,) = read_release(house.store, release.id, TODAY, frozenset())
    assert served.status(TODAY) is Status.APPROVED
    changed(folder, ("from: 2026-01-01", "from: 2026-01-02"))
    report = house.gate()
    assert report.changed and report.problems == ()
    assert "small/1: an approval does not count: `A. Jansen` (gp)" in report.notes[0]
    assert report.notes[-1] == "small 1.0.0 changed, and has the same version as before"


def test_a_revoked_key_is_taken_up(house: House) -> None:
    trust(house.root)
    approve(house.root / "small" / "1")
    house.publish()
    revoked = trusting(replace(GP.trusted(), revoked=TODAY), PT.trusted())
    (house.root / KEYS).write_text(render_trust(revoked), encoding="utf-8")
    (served,) = read_release(house.store, house.publish().id, TODAY, frozenset())
    assert served.status(TODAY) is Status.DRAFT


@pytest.mark.parametrize("empty", ["gone", "a file", "empty", "folders only", "links in a ring"])
def test_a_folder_with_nothing_in_it_is_refused(published: House, empty: str) -> None:
    shutil.rmtree(published.root)
    match empty:
        case "a file":
            published.root.write_bytes(b"")
        case "empty":
            published.root.mkdir()
        case "folders only":
            (published.root / "small" / "1").mkdir(parents=True)
        case "links in a ring":
            published.root.symlink_to(published.root)
    refused(published, ".", str(published.root))


def test_a_version_that_vanished_is_told(published: House) -> None:
    published.version("2", "2.0.0")
    published.publish()
    shutil.rmtree(published.root / "small" / "1")
    report = published.gate()
    assert report.changed
    assert report.told == ("small 1.0.0 is served no longer: the folder has it no more",)


def test_a_folder_that_changes_while_it_is_copied_is_refused(published: House, monkeypatch: pytest.MonkeyPatch) -> None:
    published.version("2", "2.0.0")
    real = copying._content

    def meanwhile(file: Path) -> bytes:
        content = real(file)
        if file.name == "cases.yaml":
            published.remark("somebody is still writing")
        return content

    monkeypatch.setattr(copying, "_content", meanwhile)
    refused(published, ".", "changed while it was copied")
    monkeypatch.undo()
    assert versions(published.publish()) == ["small 1.0.0", "small 2.0.0"]


def test_the_first_start_takes_no_half_folder_either(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_content", lambda file: file.unlink() or b"")
    report = house.gate()
    assert report.release is None and report.serving is None
    assert report.told[0] == "the rulesets were refused, and there is no earlier release: nothing is served"


def test_more_files_than_rulesets_have_are_refused(published: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "MOST", 3)
    refused(published, ".", "has 4 files, more than 3")


def test_a_file_that_cannot_be_read_is_refused(published: House, monkeypatch: pytest.MonkeyPatch) -> None:
    published.version("2", "2.0.0")
    real = copying._content

    def failing(file: Path) -> bytes:
        if file.parent.name == "2":
            raise PermissionError(13, "Permission denied")
        return real(file)

    monkeypatch.setattr(copying, "_content", failing)
    refused(published, "small/2", "`small/2/cases.yaml` cannot be read: permission denied")


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[2J", "a\u202eb", os.fsdecode(b"a\xff")])
def test_a_folder_whose_name_cannot_be_shown_is_refused(published: House, name: str) -> None:
    shutil.copytree(SMALL / "small", published.root / name)
    report = published.gate()
    assert report.release is None and report.serving is not None
    assert "is no name that can be shown" in report.told[1]
    assert report.told[1].isprintable() and report.told[1].isascii()


def test_links_inside_are_followed_and_hidden_folders_are_not_looked_at(published: House) -> None:
    """As configuration is mounted in a cluster: the files are links into a hidden folder that is swapped whole."""
    folder = published.root / "mounted"
    shutil.copytree(SMALL / "small", folder / "..2026_12_01")
    changed(folder / "..2026_12_01", ("version: 1.0.0", "version: 3.0.0"))
    (folder / "..data").symlink_to("..2026_12_01")
    for file in (folder / "..data").iterdir():
        (folder / file.name).symlink_to(f"..data/{file.name}")
    assert versions(published.publish()) == ["small 1.0.0", "small 3.0.0"]


def test_the_root_may_be_a_link(published: House, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(published.root)
    published.version("2", "2.0.0")
    linked = replace(published, config=published.config.model_copy(update={"rulesets": link}))
    assert linked.publish().versions


def test_each_folder_is_told_before_it_is_checked(published: House) -> None:
    published.version("2", "2.0.0")
    told: list[str] = []
    gate(published.config, published.store, TODAY, told.append)
    assert told == ["small/1", "small/2"]


def test_versions_stand_side_by_side_and_the_default_changes_with_the_day(published: House) -> None:
    """Without a reload: nobody has to be up at midnight."""
    published.version("2", "2.0.0", ("from: 2026-01-01", "from: 2027-01-01"))
    snapshot = read_release(published.store, published.publish().id, TODAY, frozenset())
    assert [served.version for served in snapshot] == ["2.0.0", "1.0.0"]
    assert snapshot.find("small", "", date(2026, 12, 31)).version == "1.0.0"
    assert snapshot.find("small", "", date(2027, 1, 1)).version == "2.0.0"
    assert snapshot.deciding("small", "1.0.0", date(2027, 1, 1)).version == "1.0.0"
