"""Approvals and trust lists are read as they were written, strictly; and found where they belong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine.errors import RulesetError
from engine.rules import ed25519
from engine.rules.approval import TrustList
from engine.rules.load import find_root, load_approvals, load_trust
from engine.rules.model import Role
from engine.rules.signed_files import (
    read_entry,
    read_signed,
    read_trust,
    render_entry,
    render_signed,
    render_trust,
)
from engine.rules.source import Source
from tests.rules.signing import GP, PT, TRUST, trusting

SIGNED = (GP.signs("a" * 64), PT.signs("b" * 64))
PUBLIC = ed25519.public_of(GP.secret)
Change = Callable[[dict[str, Any]], object]


def test_they_are_read_as_they_were_written() -> None:
    assert read_signed(Source("a", render_signed(SIGNED))) == (SIGNED, [])
    assert read_signed(Source("a", render_signed([]))) == ((), [])
    trust = trusting(replace(GP.trusted(), revoked=date(2026, 5, 5)), PT.trusted(last=None))
    assert read_trust(Source("a", render_trust(trust))) == (trust, [])
    assert read_entry(Source("a", render_entry(PUBLIC, GP.who, GP.role))) == ((PUBLIC, GP.who, GP.role), [])
    assert render_trust(TRUST) == render_trust(TrustList(dict(reversed(TRUST.keys.items()))))


def test_a_signature_knows_its_line() -> None:
    text = render_signed(SIGNED)
    signed, _ = read_signed(Source("approvals.json", text))
    assert [each.span.place for each in signed] == [
        f"approvals.json:{number}:16" for number, line in enumerate(text.splitlines(), 1) if '"who"' in line
    ]


def spoilt(text: str, change: Change) -> Source:
    content = json.loads(text)
    change(content)
    return Source("a", json.dumps(content))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda it: it.update(format=0), "outside-scale"),
        (lambda it: it.update(more=[]), "unknown-key"),
        (lambda it: it["signatures"][0].pop("key"), "missing-key"),
        (lambda it: it["signatures"][0].update(statement="x"), "wrong-type"),
        (lambda it: it["signatures"][0]["statement"].pop("remarks"), "missing-key"),
        (lambda it: it["signatures"][0]["statement"].update(also="x"), "unknown-key"),
        (lambda it: it["signatures"][0]["statement"].update(role="nurse"), "outside-scale"),
        (lambda it: it["signatures"][0]["statement"].update(kind="rule"), "outside-scale"),
        (lambda it: it["signatures"][0]["statement"].update(digest="A" * 64), "wrong-type"),
        (lambda it: it["signatures"][0]["statement"].update(when="2026-06-15"), "bad-date"),
        (lambda it: it["signatures"][0]["statement"].update(when="2026-06-15T09:30:00"), "bad-date"),
        (lambda it: it["signatures"][0]["statement"].update(when="2026-06-15T09:30:00+00:00"), "bad-date"),
        (lambda it: it["signatures"][0]["statement"].update(when="2026-02-30T09:30:00Z"), "bad-date"),
        (lambda it: it["signatures"][0]["statement"].update(when=2026), "wrong-type"),
        (lambda it: it["signatures"][0]["statement"].update(remarks="a\u0007"), "bad-encoding"),
        (lambda it: it["signatures"][0]["statement"].update(remarks="a\u200b"), "wrong-type"),
    ],
)
def test_every_fault_of_approvals_is_told(change: Change, told: str) -> None:
    signed, problems = read_signed(spoilt(render_signed(SIGNED), change))
    assert signed == ()
    assert [problem.code for problem in problems] == [told]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda it: it["keys"].append(it["keys"][0]), "duplicate-id"),
        (lambda it: it["keys"][0].update(id=it["keys"][1]["id"]), "outside-scale"),
        (lambda it: it["keys"][0].update(public=it["keys"][1]["public"]), "outside-scale"),
        (lambda it: it["keys"][0].update(public="AAAA"), "wrong-type"),
        (lambda it: it["keys"][0].update(valid_from="2026-1-1"), "bad-date"),
        (lambda it: it["keys"][0].update(valid_from="20260101"), "bad-date"),
        (lambda it: it["keys"][0].update(valid_from=None), "wrong-type"),
        (lambda it: it["keys"][0].update(valid_until="2026-01-01"), "bad-period"),
        (lambda it: it["keys"][0].update(revoked=False), "wrong-type"),
        (lambda it: it["keys"][0].pop("revoked"), "missing-key"),
        (lambda it: it["keys"][0].update(role="GP"), "outside-scale"),
    ],
)
def test_every_fault_of_a_trust_list_is_told_and_nobody_is_trusted(change: Change, told: str) -> None:
    trust, problems = read_trust(spoilt(render_trust(TRUST), change))
    assert not trust.keys
    assert told in [problem.code for problem in problems]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda it: it.update(id="0" * 32), "outside-scale"),
        (lambda it: it.update(who=" "), "missing-value"),
        (lambda it: it.update(role="boss"), "outside-scale"),
        (lambda it: it.update(revoked=None), "unknown-key"),
    ],
)
def test_every_fault_of_an_entry_is_told(change: Change, told: str) -> None:
    entry, problems = read_entry(spoilt(render_entry(PUBLIC, "A", Role.GP), change))
    assert entry is None
    assert [problem.code for problem in problems] == [told]


def test_nobody_signed_and_nobody_is_trusted_where_there_is_no_file(tmp_path: Path) -> None:
    assert load_approvals(tmp_path) == ()
    assert load_trust(tmp_path) == TrustList()


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    for name in ("approvals.json", "keys.json"):
        (tmp_path / name).write_text("[]", encoding="utf-8")
    with pytest.raises(RulesetError, match="wrong-type"):
        load_approvals(tmp_path)
    with pytest.raises(RulesetError, match="wrong-type"):
        load_trust(tmp_path)


def test_the_trust_list_is_that_of_the_folder_of_rulesets(tmp_path: Path) -> None:
    folder = tmp_path / "rulesets" / "name" / "1.0.0"
    folder.mkdir(parents=True)
    assert find_root(folder) == folder.parent
    (tmp_path / "keys.json").touch()
    assert find_root(folder) == folder.parent
    (tmp_path / "rulesets" / "keys.json").touch()
    assert find_root(folder) == find_root(folder / "ruleset.yaml") == find_root(folder.parent) == tmp_path / "rulesets"
    assert find_root(Path("/")) == Path("/")
