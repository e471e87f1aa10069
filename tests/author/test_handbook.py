"""The handbook as a page: golden text of a small one, and what makes it readable by everybody, offline and on paper."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from string import Formatter
from xml.etree.ElementTree import Element

import pytest
from typer.testing import CliRunner

from engine.author.coverage import Coverage, Kind
from engine.author.handbook.changelog import changelog_markup
from engine.author.handbook.content import Change, Handbook, Mutated, NoHandbook
from engine.author.handbook.gather import read_handbook
from engine.author.handbook.page import STYLE, render_handbook
from engine.author.handbook.words import LANGUAGES, sentences
from engine.cli import app
from engine.rules.approval import Kind as Signable
from engine.rules.approval import Signed, Statement, Status, TrustedKey, TrustList, sign
from engine.rules.certificate import Certificate, ClaimVerdict
from engine.rules.ed25519 import public_of
from engine.rules.load import build
from engine.rules.model import CheckedRuleset, Role
from engine.rules.shape import CLAIMS
from engine.rules.signed_files import render_signed, render_trust
from engine.rules.source import Source
from tests.author.printed import read_page, text_of
from tests.clinical.patients import RULESETS, evaluator
from tests.rules import bicycle

GOLDEN = Path(__file__).with_name("golden") / "handbook"
MINIMAL = bicycle.FOLDER
CHANGES = (
    "Brakes are *new*.\n\n### Tyres\n\n- `tyre_bar` is read\n  from now on\n\n| a | b |\n|---|---|\n| <1 | **2** |\n"
)


def bilingual(*changes: bicycle.Change) -> CheckedRuleset:
    """The bicycle in both languages."""
    sources = bicycle.sources([("ruleset.yaml", "languages: [nl]", "languages: [nl, en]"), *changes])
    sources["texts.en.yaml"] = Source("texts.en.yaml", (GOLDEN / "texts.en.yaml").read_text(encoding="utf-8"))
    checked, problems = build(sources)
    assert checked is not None, problems.render()
    return checked


def bare(language: str) -> Handbook:
    """Nothing is known but the ruleset."""
    return Handbook(bilingual(), language)


def full(language: str) -> Handbook:
    """Everything that a handbook can tell beside it."""
    checked = bilingual()
    verdicts = (
        ClaimVerdict("brakes_are_urgent", "red_flag_floor", "proved"),
        ClaimVerdict("symptoms_never_lower", "monotone", "refuted", "a patient with `noise`"),
    )
    statement = Statement(
        checked.digest, Signable.RULESET, "A. Mechanic", Role.GP, datetime(2026, 1, 2, tzinfo=UTC), ""
    )
    return replace(
        Handbook(checked, language),
        status=Status.DRAFT,
        signed=(Signed(statement, "key", "signature"),),
        certificate=Certificate("bicycle", "1.0.0", checked.digest, "solver 1", "prover 2", verdicts),
        coverage=Coverage("bicycle", "1.0.0", checked.digest, 2, (), (), ()),
        mutated=Mutated("97.5", 39, 3, 1, ("rule E01: the call became clinic",)),
        changelog=CHANGES,
        since="bicycle 0.9.0",
        changes=(Change("safer", "disposition from physio to emergency", "brakes_fail: unknown"),),
    )


BOOKS = {"bare": bare, "full": full}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("book", BOOKS)
def test_the_handbook_of_a_bicycle(book: str, language: str) -> None:
    text = render_handbook(BOOKS[book](language))
    text = re.sub(r"[0-9a-f]{64}", "<digest>", re.sub(r"(?s)<(svg|style)\b.*?</\1>", r"<\1/>", text))
    golden = GOLDEN / f"{book}.{language}.html"
    if os.environ.get("ACCEPT"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


PAGES = {
    **{f"bicycle-{name}-{language}": lambda name=name, language=language: BOOKS[name](language)
       for name in BOOKS for language in LANGUAGES},
    **{f"low_back_pain-{language}": lambda language=language: Handbook(evaluator().checked, language, changelog=CHANGES)
       for language in LANGUAGES},
}  # fmt: skip


@pytest.fixture(scope="module", params=PAGES)
def page(request: pytest.FixtureRequest) -> Element:
    return read_page(render_handbook(PAGES[request.param]()))


def test_headings_come_in_order(page: Element) -> None:
    ranks = [int(each.tag[1]) for each in page.iter() if re.fullmatch(r"h[1-6]", each.tag)]
    assert ranks[0] == 1 and ranks.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(ranks))
    assert all(text_of(each) for each in page.iter() if re.fullmatch(r"h[1-6]", each.tag))


def test_every_place_that_is_named_is_there_once(page: Element) -> None:
    ids = [each.get("id") for each in page.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    named = {each.get("href", "").removeprefix("#") for each in page.iter("a")}
    for attribute in ("aria-labelledby", "aria-describedby"):
        named |= {id for each in page.iter() for id in each.get(attribute, "").split()}
    assert sorted(named - set(map(str, ids))) == []


def test_it_can_be_read_by_those_who_do_not_see_it(page: Element) -> None:
    assert page.get("lang") in LANGUAGES and text_of(page.findall(".//title")[0])
    assert [each.tag for each in page.findall("./body/*")] == ["a", "header", "nav", "main", "footer"]
    for table in page.iter("table"):
        assert text_of(table[0]) and table[0].tag == "caption"
        assert {each.get("scope") for each in table.iter("th")} == {"col", "row"}
    regions = [each for each in page.iter() if each.get("role") == "region"]
    assert all(each.get("tabindex") == "0" for each in regions)
    names = {each.get("id"): text_of(each) for each in page.iter() if each.get("id")}
    called = [each.get("aria-label") or names[each.get("aria-labelledby")] for each in regions]
    called += [names[each.get("aria-labelledby")] for each in page.iter("section")]
    assert len(called) == len(set(called))
    for svg in page.iter("svg"):
        assert svg.get("role") == "img"


def test_it_asks_for_nothing(page: Element) -> None:
    """No script, no style sheet, picture or font from elsewhere; addresses are text."""
    assert not list(page.iter("script")) and not list(page.iter("iframe")) and not list(page.iter("img"))
    for each in page.iter():
        for name, value in each.items():
            assert not name.startswith("on")
            assert name not in ("src", "srcset", "action", "data") and "url(" not in value
            if name in ("href", "xlink:href"):
                assert value.startswith("#") or value == "data:,"
    style = "".join(text_of(each) for each in page.iter("style"))
    assert "url(" not in style and "@import" not in style


def test_every_colour_can_be_read() -> None:
    """At least 4.5 to 1 on white and on the shade behind table heads (WCAG 2.2, 1.4.3)."""
    style = STYLE.read_text(encoding="utf-8")
    behind = ["#fff", *re.findall(r"background: (#[0-9a-f]+)", style)]
    colours = re.findall(r"[^-]color: (#[0-9a-f]+)", style)
    assert len(colours) > 2
    assert min(_contrast(one, other) for one in colours for other in behind) >= 4.5


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(each * 2 for each in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_paper_has_its_own_layout() -> None:
    style = STYLE.read_text(encoding="utf-8").partition("@media print")[2]
    for needed in ("size: A4", "break-before: page", "break-inside: avoid", "table-header-group"):
        assert needed in style


def test_nothing_in_a_ruleset_becomes_markup() -> None:
    evil = "<script>alert(1)</script>&amp;{x}"
    written = json.dumps(evil)
    checked = bilingual(
        ("texts.nl.yaml", "title: Fiets,", f"title: {written},"),
        ("texts.nl.yaml", "click: Getik", f"click: {written}"),
        ("texts.nl.yaml", "ADV-001: Niets aan de hand", f"ADV-001: {written}"),
        ("ruleset.yaml", '"Bicycle manual, 3rd edition"', written),
        ("ruleset.yaml", '"good news lowers"', written),
    )
    html = render_handbook(Handbook(checked, "nl", changelog=f"# {evil}\n- `{evil}`\n\n|{evil}|\n|-|\n|**{evil}**|"))
    page = read_page(html)
    assert not list(page.iter("script"))
    assert text_of(page).count(evil) > 8


def test_both_languages_say_the_same_things() -> None:
    gaps = {
        language: {
            key: {gap for _, gap, _, _ in Formatter().parse(text) if gap} for key, text in sentences(language).items()
        }
        for language in LANGUAGES
    }
    assert gaps["nl"] == gaps["en"]


def test_every_claim_and_every_count_has_words() -> None:
    for language in LANGUAGES:
        keys = sentences(language).keys()
        assert keys >= {f"claims.{kind}" for kind in CLAIMS}
        assert keys >= {f"checks.kind_{kind.value}" for kind in Kind}


def test_a_language_that_is_not_there_is_refused() -> None:
    with pytest.raises(NoHandbook, match="no texts in `en`"):
        Handbook(bicycle.valid(), "en")
    with pytest.raises(NoHandbook, match="nl or en"):
        Handbook(bicycle.valid(), "fr")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The bicycle in a folder of its own, with what stands beside a ruleset."""
    folder = tmp_path / "rulesets" / "bicycle"
    folder.mkdir(parents=True)
    for name in bicycle.FILES:
        (folder / name).write_bytes((MINIMAL / name).read_bytes())
    (folder / "CHANGELOG.md").write_text(
        "# Bicycle\n\n## 1.0.0 (today)\n\nThis one.\n\n## 0.9.0\n\nOld.\n", encoding="utf-8"
    )
    return folder


def mutation(folder: Path, digest: str) -> str:
    cases = sha256((folder / "cases.yaml").read_bytes()).hexdigest()
    counts = {"killed": 9, "survived": 1, "unclear": 0, "equivalent": 2, "not a ruleset": 3}
    survivor = {"mutant": "x", "owner": "rule E01", "said": "1 became 2", "place": "ruleset.yaml:1"}
    return json.dumps(
        {"digest": digest, "cases_digest": cases, "complete": True, "score": "90.0", "counts": counts,
         "survivors": [survivor], "waived": []}
    )  # fmt: skip


def test_what_stands_beside_the_ruleset_is_told(folder: Path) -> None:
    digest = read_handbook(folder).checked.digest
    (folder / "mutation.json").write_text(mutation(folder, digest), encoding="utf-8")
    book = read_handbook(folder)
    assert book.language == "nl" and book.status is Status.DRAFT and book.certificate is None
    assert book.changelog == "This one."
    assert book.coverage is not None and book.coverage.cases == 2
    assert book.mutated == Mutated("90.0", 9, 2, 0, ("rule E01: 1 became 2",))


def test_what_was_measured_on_something_else_is_not_told(folder: Path) -> None:
    (folder / "mutation.json").write_text(mutation(folder, "0" * 64), encoding="utf-8")
    assert read_handbook(folder).mutated is None
    (folder / "mutation.json").write_text(mutation(folder, read_handbook(folder).checked.digest), encoding="utf-8")
    with (folder / "cases.yaml").open("a", encoding="utf-8") as cases:
        cases.write("# changed\n")
    assert read_handbook(folder).mutated is None
    (folder / "mutation.json").write_text("{}", encoding="utf-8")
    with pytest.raises(NoHandbook, match="not what `pluis mutate` writes"):
        read_handbook(folder)


def test_it_says_who_approved_it(folder: Path) -> None:
    digest, when = read_handbook(folder).checked.digest, datetime(2026, 3, 1, tzinfo=UTC)
    signed, keys = [], {}
    for number, (role, who) in enumerate(((Role.GP, "A. Jansen"), (Role.PHYSIOTHERAPIST, "B. de Wit")), 1):
        secret = bytes([number] * 32)
        key = TrustedKey(public_of(secret), who, role, when.date())
        signed.append(sign(Statement(digest, Signable.RULESET, who, role, when, ""), secret))
        keys[key.id] = key
    (folder / "approvals.json").write_text(render_signed(signed), encoding="utf-8")
    assert read_handbook(folder).status is Status.DRAFT, "no key is trusted yet"
    (folder.parent / "keys.json").write_text(render_trust(TrustList(keys)), encoding="utf-8")
    book = read_handbook(folder)
    assert book.status is Status.APPROVED
    page = text_of(read_page(render_handbook(book)))
    assert "Getekend door: A. Jansen (Huisarts), B. de Wit (Fysiotherapeut)." in page


def test_an_earlier_version_is_compared(folder: Path) -> None:
    found = (Change("laxer", "what", "who"),)
    book = read_handbook(folder, since=folder, compare=lambda old, new, language: found)
    assert (book.since, book.changes) == ("bicycle 1.0.0", found)
    assert "soepeler" in render_handbook(book)
    assert "Geen verschil in betekenis met bicycle 1.0.0" in render_handbook(replace(book, changes=()))


def test_versions_are_compared_in_meaning(folder: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for name in bicycle.FILES:
        text = (MINIMAL / name).read_text(encoding="utf-8")
        (old / name).write_text(text.replace("{bike_age: {above: 10}}", "{bike_age: {above: 9}}"), encoding="utf-8")
    book = read_handbook(folder, since=old)
    assert book.changes and {each.direction for each in book.changes} <= {"laxer", "safer", "other"}
    assert "laxer" in {each.direction for each in book.changes}
    assert read_handbook(folder, since=folder).changes == ()


def test_a_changelog_keeps_its_headings_lists_and_tables() -> None:
    html = changelog_markup(CHANGES, 3, "Table")
    for part in ("<em>new</em>", "<h3>Tyres</h3>", "<li><code>tyre_bar</code> is read from now on</li>", ">&lt;1</th>",
                 "<strong>2</strong>", ">Table 1</caption>"):  # fmt: skip
        assert part in html


def test_the_command_writes_the_same_page_in_every_process(folder: Path, tmp_path: Path) -> None:
    """Another process hashes names otherwise; the page must not show it."""
    out = tmp_path / "handbook.html"
    done = subprocess.run(
        [sys.executable, "-c", "from engine.cli import main; main()", "render", str(folder), "--out", str(out)],
        capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONHASHSEED": "1"},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, f"{out}\n"), done.stderr
    assert out.read_bytes() == render_handbook(read_handbook(folder)).encode()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((str(RULESETS),), "name the folder of one"),
        ((str(MINIMAL), "--language", "en"), "no texts in `en`"),
    ],
)
def test_the_command_refuses(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["render", *arguments, "--out", str(tmp_path / "x")])
    assert done.exit_code == 2 and message in done.output
    assert not (tmp_path / "x").exists()
