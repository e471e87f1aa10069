"""What became of simulated patients is counted right, and the page that shows it says that it is a simulation."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from engine.population.deciding import Decider
from engine.population.model import CONDITION, POPULATION, Model, load_model
from engine.population.outcome import UNSETTLED, Figures, Held, Simulation, interviews
from engine.population.rows import Chunk
from engine.population.simulate_page import LANGUAGES, Page, render_simulation
from engine.population.simulated import People, Simulated
from engine.rules.load import load_texts
from engine.rules.model import CheckedRuleset
from engine.rules.scale import Disposition

FOLDER = Path(__file__).parents[2] / "rulesets" / "low_back_pain"


@pytest.fixture(scope="module")
def texts() -> tuple[CheckedRuleset, dict[str, str]]:
    return load_texts(FOLDER)


@pytest.fixture(scope="module")
def model(texts: tuple[CheckedRuleset, dict[str, str]]) -> Model:
    return load_model(FOLDER / POPULATION, texts[0].ruleset)


def figures(model: Model, **sent: int) -> Figures:
    """Figures of people by `condition__disposition`."""
    tally = {f"sent/{name.replace('__', '/')}": count for name, count in sent.items()}
    return Figures.of(model, sum(sent.values()), 0, tally)


def test_over_triage_counts_those_without_a_serious_condition(model: Model) -> None:
    found = figures(
        model,
        nonspecific__self_care=60,
        nonspecific__gp_within_days=10,
        nonspecific__unsettled=5,
        radicular__emergency=5,
        stenosis__gp_within_days=10,
        stenosis__physio=10,
        fracture__emergency=100,
    )
    assert (found.over_triage().count, found.over_triage().of) == (25, 100)
    assert (found.over_triage_strict().count, found.over_triage_strict().of) == (15, 80)
    assert found.at("unsettled").count == 5


def test_under_triage_counts_those_sent_lower_than_their_condition_needs(model: Model) -> None:
    found = figures(
        model,
        cauda_equina__emergency=6,
        cauda_equina__same_day_gp=1,
        fracture__gp_within_days=10,
        fracture__physio=2,
        fracture__unsettled=1,
        stenosis__self_care=50,
    )
    assert (found.under_triage().count, found.under_triage().of) == (3, 20)
    assert (found.open_serious().count, found.open_serious().of) == (1, 20)
    assert found.too_low(model.conditions["stenosis"]).share == 1
    assert found.too_low(model.conditions["infection"]).share is None


def test_the_task_counts_every_patient_once(texts: tuple[CheckedRuleset, dict[str, str]], model: Model) -> None:
    rows = [*Simulated(model, 3, 150).read(Chunk(0, "", 0, 150))]
    done = Simulation(Decider(texts[1])).do(iter(rows))
    found = Figures.of(model, len(rows), len(done.rejected), done.tally)
    assert not done.rejected
    assert [record[0] for record in done.records] == [*range(150)]
    assert [record[1] for record in done.records] == [row.groups[CONDITION] for row in rows]
    assert sum(found.sent.values()) == 150
    assert sum(found.programmes.values()) == 150 - found.at(UNSETTLED).count
    assert sum(count for (name, _, _), count in found.groups.items() if name == "sex") == 150
    ruleset = texts[0].ruleset
    assert all(ruleset.rules[rule].disposition.word == place for place, rule in found.rules)


def test_interviews_end_with_what_follows_from_the_whole_form(
    texts: tuple[CheckedRuleset, dict[str, str]], model: Model
) -> None:
    held = [*interviews(People(model), texts[0], 5, 6)]
    assert all(0 < each.screens <= each.questions <= each.form for each in held)
    assert all(each.disposition in Disposition.words() for each in held)
    assert held == [*interviews(People(model), texts[0], 5, 6)]


class _Outside(HTMLParser):
    """Collects what a page would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe") or any(name in ("src", "href") for name, _ in attrs):
            self.found.append(tag)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_stands_alone_and_says_first_that_it_is_a_simulation(
    language: str, texts: tuple[CheckedRuleset, dict[str, str]], model: Model
) -> None:
    found = figures(model, nonspecific__self_care=900, nonspecific__gp_within_days=99, cauda_equina__emergency=1)
    held = [Held("self_care", 20, 48, 78), Held("emergency", 2, 9, 70)]
    page = render_simulation(Page(texts[0], model, 11, found, held), language)
    parser = _Outside()
    parser.feed(page)
    assert not parser.found
    warnings = ("This is a simulation. Nobody on this page exists.", "Dit is een simulatie.")
    plots = page.index("<svg")
    assert all(0 < page.index(each) < plots for each in warnings)
    assert f'<html lang="{language}">' in page
    assert "90.0%" in page and texts[0].digest in page
    assumed = re.search(r"(\d+) (?:of|van de) (?:the )?(\d+) (?:rows|regels)", page)
    assert assumed and 0 < int(assumed[1]) < int(assumed[2])


def test_the_page_shows_what_the_model_says_as_text(texts: tuple[CheckedRuleset, dict[str, str]], model: Model) -> None:
    from dataclasses import replace

    odd = replace(model, titles={"en": "<b>bold</b>"})
    page = render_simulation(Page(texts[0], odd, 1, figures(odd, nonspecific__physio=1), []), "en")
    assert "<b>bold" not in page and "&lt;b&gt;bold" in page
