"""The page of an impact: whole, in both languages, with the told numbers alone, and nothing that was not escaped."""

from __future__ import annotations

import re
import tomllib
from html.parser import HTMLParser

import pytest

from engine.population.impact import Impact, Listing, Sums
from engine.population.impact_page import HERE, LANGUAGES, Line, plot, render_page
from engine.population.impact_told import ImpactTold, tell
from engine.population.protecting import SMALL, Told
from tests.population.impact_world import NEW, OLD, checked, rows


@pytest.fixture(scope="module")
def told() -> ImpactTold:
    return tell(Sums.of(Impact(OLD, NEW, Listing.NUMBERS).do(rows(4000)).tally))


@pytest.fixture(scope="module", params=LANGUAGES)
def page(request: pytest.FixtureRequest, told: ImpactTold) -> str:
    return render_page(told, checked(OLD), checked(NEW), request.param)


class Tags(HTMLParser):
    """Whether every element that must be closed is, and which there are."""

    VOID = frozenset({"meta", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_asks_for_nothing(page: str) -> None:
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    names = [tag for tag, _ in tags.seen]
    assert "script" not in names
    assert names.count("svg") == 4
    assert [attrs["href"] for tag, attrs in tags.seen if "href" in attrs] == ["data:,", "#main"]
    assert not [attrs for _, attrs in tags.seen if "src" in attrs]


def test_what_comes_from_outside_is_escaped(page: str) -> None:
    assert "<east>" not in page
    assert "&lt;east&gt;" in page


def test_small_counts_are_not_on_the_page(page: str, told: ImpactTold) -> None:
    assert any(each.small for each in told.classes.values())
    assert "&lt;10" in page
    assert "tiny" not in page
    figures = re.findall(r'<td class="number[^"]*">([^<]*)</td>', page)
    assert not [each for each in figures if each.isdigit() and 0 < int(each) < 10]


def test_the_same_impact_gives_the_same_page(told: ImpactTold) -> None:
    again = tell(Sums.of(Impact(OLD, NEW, Listing.CHANGES).do(rows(4000)).tally))
    assert render_page(again, checked(OLD), checked(NEW), "nl") == render_page(told, checked(OLD), checked(NEW), "nl")


def test_too_few_patients_have_a_page_too() -> None:
    few = tell(Sums.of(Impact(OLD, NEW, Listing.NUMBERS).do(rows(12)).tally))
    said = render_page(few, checked(OLD), checked(NEW), "nl")
    assert "Er zijn te weinig patiënten" in said
    assert "<svg" not in said


def test_both_languages_have_the_same_words() -> None:
    words = [tomllib.loads((HERE / f"impact.{language}.toml").read_text("utf-8")) for language in LANGUAGES]
    assert _shape(words[0]) == _shape(words[1])


def _shape(words: dict[str, object]) -> dict[str, object]:
    """The keys, and the gaps in the texts."""
    return {
        key: _shape(said) if isinstance(said, dict) else sorted(re.findall(r"{\w+}", str(said)))
        for key, said in words.items()
    }


def test_a_range_is_a_pale_piece_of_a_bar() -> None:
    drawn = plot("label", [Line("one", 0.5, 0.5, "50", "more_urgent"), Line("two", 0.25, 1, "some", "neutral")])
    assert [(bar.look, bar.width) for bar in drawn.bars] == [
        ("more_urgent", 185.0),
        ("neutral", 92.5),
        ("neutral range", 277.5),
    ]


def test_a_name_that_is_too_long_is_cut() -> None:
    (name, _) = plot("label", [Line("n" * 60, 1, 1, "1", "neutral")]).texts
    assert name.text == "n" * 37 + "…"


def test_told_numbers_in_words(told: ImpactTold) -> None:
    dutch = render_page(told, checked(OLD), checked(NEW), "nl")
    assert "4.000" in dutch
    assert "4,000" in render_page(told, checked(OLD), checked(NEW), "en")
    assert SMALL + Told(20, 20) == Told(21, 29)
