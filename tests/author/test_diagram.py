"""Decision diagrams: nothing overlaps, every text fits, everything that is asked stands in them, in their language."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.author.diagram import FILE, overview_svg, rule_svg
from engine.author.diagram_layout import Box, Drawing, Line, Link, Shape, box, svg, width_of, wrap
from engine.rules.condition import Compare, Condition, FindingIs, leaves, questions_of
from engine.rules.load import load
from engine.rules.model import CheckedRuleset, Texts
from tests.decide.generate import load_content, ruleset_content

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden" / "diagrams.html"
BICYCLE = "tests/data/minimal"
REAL = [
    ("rulesets/low_back_pain", "nl"),
    ("rulesets/low_back_pain", "en"),
    ("rulesets/neck_pain", "nl"),
    (BICYCLE, "nl"),
]
SMALLEST_FONT = 12


@dataclass(frozen=True)
class Area:
    """A rectangle, and what stands there."""

    left: float
    top: float
    right: float
    bottom: float
    what: str

    def meets(self, other: Area) -> bool:
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across > 0 and down > 0

    def holds(self, other: Area) -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )


def area(element: ElementTree.Element) -> Area:
    """Where a `rect` or a `text` stands, the text as wide and high as it can be."""
    at = {key: float(element.get(key, 0)) for key in ("x", "y", "width", "height")}
    if element.tag == "rect":
        return Area(at["x"], at["y"], at["x"] + at["width"], at["y"] + at["height"], "a box")
    width = width_of(element.text or "", element.get("font-weight", "normal"))
    width += sum(width_of(each.text or "", "bold") for each in element)
    return Area(at["x"], at["y"] - 14, at["x"] + width, at["y"] + 4, "".join(element.itertext()))


def faults(drawn: str) -> Iterator[str]:
    """What a reader would stumble over in a drawing: things that overlap, stick out, or are too small."""
    root = ElementTree.fromstring(drawn)
    whole = Area(0, 0, float(root.get("width", 0)), float(root.get("height", 0)), "the drawing")
    if root.get("viewBox") != f"0 0 {root.get('width')} {root.get('height')}":
        yield "the drawing is scaled"
    if float(root.get("font-size", 0)) < SMALLEST_FONT:
        yield "the letters are small"
    boxes: list[Area] = []
    for group in root.iter("g"):
        border, *others = [area(each) for each in group]
        boxes.append(border)
        yield from (f"`{each.what}` sticks out of its box" for each in others if not border.holds(each))
        lines = [each for each in others if each.what != "a box"]
        yield from (f"`{a.what}` overlaps `{b.what}`" for a, b in combinations(lines, 2) if a.meets(b))
        if not lines:
            yield "a box is empty"
    labels = [area(each) for each in root if each.tag == "text"]
    yield from (f"{a.what} overlaps {b.what}" for a, b in combinations([*boxes, *labels], 2) if a.meets(b))
    yield from (f"{each.what} is cut off" for each in [*boxes, *labels] if not whole.holds(each))
    for line in root.iter("polyline"):
        yield from _crossings(
            [tuple(map(float, each.split(","))) for each in (line.get("points") or "").split()], boxes
        )


def _crossings(points: list[tuple[float, ...]], boxes: list[Area]) -> Iterator[str]:
    for (x1, y1), (x2, y2) in pairwise(points):
        way = Area(min(x1, x2) - 0.1, min(y1, y2) + 0.1, max(x1, x2) + 0.1, max(y1, y2) - 0.1, "a line")
        if y1 == y2:
            way = Area(min(x1, x2) + 0.1, y1 - 0.1, max(x1, x2) - 0.1, y1 + 0.1, "a line")
        yield from ("a line crosses a box" for each in boxes if way.meets(each))


@cache
def real(folder: str) -> CheckedRuleset:
    return load(ROOT / folder)


def all_of(checked: CheckedRuleset, language: str) -> dict[str, str]:
    """Every diagram of a ruleset, by the rule's id; the overview under an empty one."""
    rules = {each: rule_svg(checked, each, language) for each in checked.ruleset.rules}
    return {"": overview_svg(checked, language), **rules}


def said(drawn: str) -> str:
    """All that stands in a drawing, box after box, lines joined; a word that was broken is broken here too."""
    root = ElementTree.fromstring(drawn)
    return " | ".join(" ".join("".join(each.itertext()) for each in group.iter("text")) for group in root.iter("g"))


@pytest.mark.parametrize(("folder", "language"), REAL)
def test_nothing_overlaps_and_all_text_fits(folder: str, language: str) -> None:
    drawn = all_of(real(folder), language)
    assert {name: found for name, each in drawn.items() if (found := list(faults(each)))} == {}


def test_nothing_overlaps_in_random_rulesets() -> None:
    for seed in range(40):
        content = ruleset_content(random.Random(seed))
        for name, each in all_of(load_content(content), "nl").items():
            assert list(faults(each)) == [], (seed, name)


def test_deep_trees_get_wider() -> None:
    content = ruleset_content(random.Random(3))
    when = {"unknown": next(iter(content["questions"]))}
    for _ in range(12):
        when = {"not": {"any": [when]}}
    content["rules"]["R00"]["when"] = when
    drawn = rule_svg(load_content(content), "R00", "nl")
    assert list(faults(drawn)) == []
    assert int(ElementTree.fromstring(drawn).get("width", "0")) > 660


PLAIN = box(10, 10, 100, [Line("one")], Shape.LEAF)
WRONG: dict[str, Drawing] = {
    "a box overlaps a box": Drawing(200, 200, (PLAIN, box(20, 20, 100, [Line("two")], Shape.JOINT)), ()),
    "sticks out of its box": Drawing(200, 200, (Box(10, 10, 20, 40, (Line("much too long"),), Shape.LEAF),), ()),
    "is cut off": Drawing(30, 200, (PLAIN,), ()),
    "a box overlaps no": Drawing(200, 200, (PLAIN,), (Link(((90, 90), (90, 99)), "", "no", (15, 25)),)),
    "a line crosses a box": Drawing(200, 200, (PLAIN,), (Link(((20, 0), (20, 90))),)),
    "a box is empty": Drawing(200, 200, (Box(10, 10, 20, 40, (), Shape.LEAF),), ()),
}


@pytest.mark.parametrize("fault", WRONG)
def test_each_fault_would_be_found(fault: str) -> None:
    assert any(fault in each for each in faults(svg(WRONG[fault], "x", "x", "x")))


@pytest.mark.parametrize(("folder", "language"), REAL)
def test_the_overview_names_every_rule_once_from_most_urgent_down(folder: str, language: str) -> None:
    checked = real(folder)
    text = said(overview_svg(checked, language))
    named = [
        each for each in re.findall(r"[A-Z]+\d+", text) if each in (*checked.ruleset.rules, checked.ruleset.default.id)
    ]
    assert sorted(named) == sorted([*checked.ruleset.rules, checked.ruleset.default.id])
    urgency = [checked.ruleset.rules[each].disposition for each in named[:-1]]
    assert urgency == sorted(urgency, reverse=True)
    assert named[-1] == checked.ruleset.default.id
    titles = [
        checked.ruleset.texts[language].get("disposition_titles", each.word).patient for each in dict.fromkeys(urgency)
    ]
    assert [title for title in (part.strip() for part in text.split("|")) if title in titles] == titles


@pytest.mark.parametrize(("folder", "language"), REAL)
def test_a_rule_shows_all_that_it_asks(folder: str, language: str) -> None:
    checked = real(folder)
    texts = checked.ruleset.texts[language]
    for rule in checked.ruleset.rules.values():
        text = said(rule_svg(checked, rule.id, language))
        for condition in opened(checked, rule.when):
            for question in questions_of(condition):
                assert texts.get("questions", question).patient in text, (rule.id, question)
            for leaf in leaves(condition):
                if isinstance(leaf, FindingIs):
                    named = texts.get("findings", leaf.finding).patient
                    assert (f'"{named}"' if named else leaf.finding) in text
                if isinstance(leaf, Compare):
                    for each in leaf.operands:
                        assert value(texts, leaf.question, str(each), language) in text, (rule.id, leaf)


def value(texts: Texts, question: str, operand: str, language: str) -> str:
    """An option, yes, no or number as this language writes it."""
    if operand in texts.options.get(question, {}):
        return texts.options[question][operand]
    said = texts.get("answers", operand).patient or operand
    return said.replace(".", ",") if language == "nl" and said[0].isdigit() else said


def opened(checked: CheckedRuleset, condition: Condition) -> Iterator[Condition]:
    """A rule's condition, and those of the findings that it names."""
    yield condition
    for leaf in leaves(condition):
        if isinstance(leaf, FindingIs):
            yield checked.ruleset.findings[leaf.finding].when


def test_both_languages_have_the_same_words_with_the_same_gaps() -> None:
    languages = json.loads(FILE.read_text(encoding="utf-8"))
    assert set(languages) == {"nl", "en"}
    gaps = [{key: text.count("{}") for key, text in words.items()} for words in languages.values()]
    assert gaps[0] == gaps[1]


def test_a_dutch_drawing_has_no_english_words() -> None:
    languages = json.loads(FILE.read_text(encoding="utf-8"))
    english = {text.replace("{}", "").strip() for text in languages["en"].values()}
    dutch = {text.replace("{}", "").strip() for text in languages["nl"].values()}
    seen: set[str] = set()
    for drawn in all_of(real("rulesets/low_back_pain"), "nl").values():
        for element in ElementTree.fromstring(drawn).iter():
            text = (element.text or "").strip()
            assert text not in english - dutch
            seen |= {each for each in dutch if each in text}
    assert {"als", "Geen regel is waar", "ja", "nee, geen ervan"} <= seen


@pytest.mark.parametrize(("folder", "language"), REAL)
def test_it_is_an_image_with_a_name_and_says_in_words_what_it_shows(folder: str, language: str) -> None:
    page = all_of(real(folder), language)
    ids: list[str] = []
    for drawn in page.values():
        root = ElementTree.fromstring(drawn)
        named = {each.get("id"): each.text for each in root if each.tag in ("title", "desc")}
        assert root.get("role") == "img"
        assert named[root.get("aria-labelledby")]
        description = " ".join((named[root.get("aria-describedby")] or "").split())
        for text in said(drawn).split(" | "):
            assert text in description
        ids += [each.get("id", "") for each in root.iter() if each.get("id")]
    assert len(ids) == len(set(ids)) == 2 * len(page)


def test_it_needs_nothing_from_outside_and_brings_no_colour() -> None:
    for drawn in all_of(real("rulesets/low_back_pain"), "en").values():
        assert "://" not in drawn and "url(" not in drawn
        for element in ElementTree.fromstring(drawn).iter():
            assert element.tag in {"svg", "title", "desc", "g", "rect", "text", "tspan", "polyline", "polygon"}
            assert {element.get("fill", "none"), element.get("stroke", "none")} <= {"none", "currentColor"}
            assert "style" not in element.attrib


def test_texts_are_escaped() -> None:
    drawn = svg(Drawing(99, 99, (box(0, 0, 90, [Line("a < b & c")], Shape.LEAF),), ()), "x", "<t>", "&")
    assert [each.text for each in ElementTree.fromstring(drawn).iter() if each.text and each.text.strip()] == [
        "<t>", "&", "a < b & c",
    ]  # fmt: skip


def test_bicycle_looks_as_before() -> None:
    drawn = "".join(all_of(real(BICYCLE), "nl").values())
    assert drawn == "".join(all_of(load(ROOT / BICYCLE), "nl").values())
    page = f'<!doctype html>\n<html lang="nl">\n<meta charset="utf-8">\n<title>Fiets</title>\n{drawn}</html>\n'
    if os.environ.get("ACCEPT"):
        GOLDEN.write_text(page, encoding="utf-8")
    assert page == GOLDEN.read_text(encoding="utf-8")


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=80)


@given(WORDS, WORDS, st.integers(20, 300))
def test_wrapping_leaves_nothing_out_and_keeps_to_its_width(text: str, tail: str, width: int) -> None:
    lines = list(wrap(Line(text, "bold", tail), width))
    assert "".join("".join(line.said.split()) for line in lines) == "".join((text + tail).split())
    assert all(width_of(line.said, "bold") <= width for line in lines)
