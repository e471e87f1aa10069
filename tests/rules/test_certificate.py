"""A certificate says what it said when it was written, strictly, and holds for one content with every claim proved."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.errors import RulesetError
from engine.rules.certificate import (
    CERTIFICATE,
    Certificate,
    ClaimVerdict,
    certificate_faults,
    read_certificate,
    render_certificate,
)
from engine.rules.load import load_certificate
from engine.rules.source import Source
from tests.rules.bicycle import valid

CHECKED = valid()
CLAIMS = tuple(ClaimVerdict(claim.id, claim.kind, "proved") for claim in CHECKED.ruleset.claims.values())
FIRST, *REST = CLAIMS
HOLDS = Certificate(CHECKED.ruleset.id, CHECKED.ruleset.version, CHECKED.digest, "a solver 1.0", "pluis 1.0", CLAIMS)


def read(text: str) -> tuple[Certificate | None, list[str]]:
    certificate, problems = read_certificate(Source(CERTIFICATE, text))
    return certificate, [f"{problem.span.line}: {problem.code}: {problem.message}" for problem in problems]


def test_it_is_read_as_it_was_written() -> None:
    odd = replace(
        HOLDS, claims=(ClaimVerdict("b", "x", "refuted", 'of "48":\nä ✓'), ClaimVerdict("a", "y", "undecided"))
    )
    text = render_certificate(odd)
    assert text.endswith("}\n") and json.loads(text)["format"] == 1
    assert read(text) == (replace(odd, claims=odd.claims[::-1]), [])
    assert read(render_certificate(HOLDS)) == (replace(HOLDS, claims=tuple(sorted(CLAIMS, key=lambda it: it.id))), [])


def test_its_text_does_not_depend_on_the_order_of_claims() -> None:
    assert render_certificate(replace(HOLDS, claims=CLAIMS[::-1])) == render_certificate(HOLDS)


def spoilt(change: Callable[[dict[str, Any]], object]) -> str:
    content = json.loads(render_certificate(HOLDS))
    change(content)
    return json.dumps(content, indent=1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda it: it.pop("solver"), "missing-key: `solver` is missing"),
        (lambda it: it.update(sovler=""), "unknown-key: no key `sovler` here"),
        (lambda it: it.update(format=2), "outside-scale: `2` cannot stand here"),
        (lambda it: it.update(format=True), "outside-scale: `true` cannot stand here"),
        (lambda it: it.update(format="1"), 'outside-scale: `"1"` cannot stand here'),
        (lambda it: it.update(digest="ABC"), "wrong-type: `ABC` is no digest"),
        (lambda it: it.update(digest=it["digest"].upper()), "is no digest"),
        (lambda it: it.update(version=1), "wrong-type: this must be a text"),
        (lambda it: it.update(prover=None), "wrong-type: this must be a text"),
        (lambda it: it.update(solver="a\nb"), "wrong-type: this text has more than one line"),
        (lambda it: it.update(claims={}), "wrong-type: this must be a list"),
        (lambda it: it.update(claims=["a"]), "wrong-type: this must be an object"),
        (lambda it: it["claims"][0].update(verdict="Proved"), "outside-scale: `Proved` cannot stand here"),
        (lambda it: it["claims"][0].pop("why"), "missing-key: `why` is missing"),
        (lambda it: it["claims"].append(it["claims"][0]), "duplicate-id: the claim"),
    ],
)
def test_every_fault_is_told(change: Callable[[dict[str, Any]], object], told: str) -> None:
    certificate, problems = read(spoilt(change))
    assert certificate is None
    assert len(problems) == 1 and told in problems[0], problems


def test_all_faults_are_told_at_once_and_what_is_missing_once() -> None:
    def change(it: dict[str, Any]) -> None:
        del it["digest"]
        it["format"], it["claims"][0]["verdict"] = 0, "?"

    assert [each.split(": ")[1] for each in read(spoilt(change))[1]] == [
        "missing-key", "outside-scale", "outside-scale",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1: empty-document"),
        ("{", "yaml-syntax"),
        ("[]", "1: wrong-type: this must be an object"),
        ("format: 1", "1: yaml-syntax: this is not json"),
        ('{"format": 1, # one\n"claims": []}', "1: yaml-syntax: this is not json"),
        ('{"format": 1,\n "format": 1}', "2: duplicate-key: the key `format` was given before"),
        ('{"digest": "a", "d\\u0069gest": "b"}', "1: duplicate-key"),
        ('{"format": ' + "1" * 5000 + "}", "1: yaml-syntax: a number in this file is too large"),
        ("[" * 100 + "]" * 100, "1: too-deep"),
        ('{"solver": "\\u202e"}', "1: bad-encoding"),
    ],
)
def test_what_is_no_certificate(text: str, told: str) -> None:
    certificate, problems = read(text)
    assert certificate is None
    assert any(told in problem for problem in problems), problems


def test_it_holds_for_the_content_of_which_every_claim_is_proved() -> None:
    assert certificate_faults(CHECKED, HOLDS) == ()
    assert certificate_faults(CHECKED, replace(HOLDS, claims=CLAIMS[::-1])) == ()


@pytest.mark.parametrize(
    ("certificate", "fault"),
    [
        (replace(HOLDS, digest="0" * 64), "it was made for another content"),
        (replace(HOLDS, ruleset="tricycle"), "it is for `tricycle` 1.0.0"),
        (replace(HOLDS, version="2.0.0"), f"it is for `{HOLDS.ruleset}` 2.0.0"),
        (replace(HOLDS, claims=tuple(REST)), f"the claim `{FIRST.id}` is missing"),
        (
            replace(HOLDS, claims=(replace(FIRST, kind="other"), *REST)),
            f"the claim `{FIRST.id}` is `other` in it, and `{FIRST.kind}` in the ruleset",
        ),
        (
            replace(HOLDS, claims=(replace(FIRST, verdict="refuted"), *REST)),
            f"the claim `{FIRST.id}` is refuted, not proved",
        ),
        (
            replace(HOLDS, claims=(replace(FIRST, verdict="undecided"), *REST)),
            f"the claim `{FIRST.id}` is undecided, not proved",
        ),
        (
            replace(HOLDS, claims=(*CLAIMS, replace(FIRST, verdict="refuted"))),
            f"the claim `{FIRST.id}` is refuted, not proved",
        ),
        (replace(HOLDS, claims=(*CLAIMS, replace(FIRST, id="extra"))), "the ruleset has no claim `extra`"),
    ],
)
def test_each_way_in_which_it_does_not_hold(certificate: Certificate, fault: str) -> None:
    assert certificate_faults(CHECKED, certificate) == (fault,)


def test_any_change_of_the_ruleset_ends_it() -> None:
    changed = valid(("texts.nl.yaml", "Rijdt hij beter?", "Gaat hij beter?"))
    assert certificate_faults(changed, HOLDS) == ("it was made for another content",)


def test_it_is_loaded_from_the_folder(tmp_path: Path) -> None:
    assert load_certificate(tmp_path) is None
    (tmp_path / CERTIFICATE).write_text(render_certificate(HOLDS), encoding="utf-8")
    assert load_certificate(tmp_path / "ruleset.yaml") == read(render_certificate(HOLDS))[0]
    (tmp_path / CERTIFICATE).write_text("{}", encoding="utf-8")
    with pytest.raises(RulesetError, match="missing-key"):
        load_certificate(tmp_path)
    (tmp_path / CERTIFICATE).unlink()
    (tmp_path / CERTIFICATE).symlink_to(tmp_path / "nowhere")
    with pytest.raises(RulesetError, match="file-missing"):
        load_certificate(tmp_path)
