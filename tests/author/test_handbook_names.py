"""The handbook calls every finding by its name: no reader has to guess what an English id means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import pytest

from engine.author.handbook.content import Handbook
from engine.author.handbook.page import render_handbook
from engine.rules.model import Ruleset, Texts
from tests.author.printed import read_page, text_of
from tests.clinical.patients import evaluator
from tests.rules import bicycle

CHECKED = evaluator().checked


@pytest.fixture(scope="module")
def page() -> Element:
    return read_page(render_handbook(Handbook(CHECKED, "nl")))


def nameless(text: str, ruleset: Ruleset, texts: Texts) -> Iterator[str]:
    """Where the id of a finding stands without its name before it.

    Ids that mean something else too are left out, and those that are a plain word: authors use it in reasons.
    """
    others = ruleset.groups.keys() | ruleset.questions.keys() | ruleset.claims.keys()
    for id in (each for each in ruleset.findings.keys() - others if "_" in each):
        name = texts.get("findings", id).patient
        for found in re.finditer(rf"(?<!\w){id}(?!\w)", text):
            before = text[: found.start()].removesuffix("(").rstrip()
            if not name or not before.endswith(name):
                yield f"{before[-60:]} {id}"


def test_no_id_of_a_finding_stands_without_its_name(page: Element) -> None:
    text = text_of(page)
    assert sum(f"({id})" in text for id in CHECKED.ruleset.findings) == len(CHECKED.ruleset.findings)
    assert list(nameless(text, CHECKED.ruleset, CHECKED.ruleset.texts["nl"])) == []


def test_every_definition_begins_with_the_name_and_gives_that_for_clinicians(page: Element) -> None:
    texts = CHECKED.ruleset.texts["nl"]
    articles = {each.get("data-finding", ""): each for each in page.findall(".//article[@data-finding]")}
    assert articles.keys() == CHECKED.ruleset.findings.keys()
    for id, article in articles.items():
        wording = texts.get("findings", id)
        assert text_of(article[0]) == f"{wording.patient} {id}"
        assert wording.clinician in text_of(article)


def test_a_finding_without_a_name_is_called_by_its_id() -> None:
    checked = bicycle.valid()
    text = text_of(read_page(render_handbook(Handbook(checked, "nl"))))
    assert "de bevinding neglected klopt" in text and "de bevinding soft_tyre klopt" in text
    assert list(nameless(text, checked.ruleset, checked.ruleset.texts["nl"])) != []
