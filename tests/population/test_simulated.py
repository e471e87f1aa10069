"""Simulated patients follow from the seed and their chunk number, answer what they are asked, and fit the model."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from engine.decide.answers import Given, read_answers
from engine.decide.direct import FALSE, Reading
from engine.population.model import CONDITION, POPULATION, Model, load_model
from engine.population.rows import CHUNK_ROWS
from engine.population.simulated import People, Simulated
from engine.rules.load import load

FOLDER = Path(__file__).parents[2] / "rulesets" / "low_back_pain"


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(FOLDER / POPULATION, load(FOLDER).ruleset)


@pytest.fixture(scope="module")
def people(model: Model) -> People:
    return People(model)


def first(source: Simulated, chunk: int, rows: int = 40) -> list[tuple[int, Mapping[str, Given], Mapping[str, str]]]:
    found = islice(source.read(source.chunks()[chunk]), rows)
    return [(row.number, row.answers, row.groups) for row in found]


def test_a_chunk_follows_from_seed_and_number_alone(model: Model) -> None:
    source = Simulated(model, 7, 3 * CHUNK_ROWS)
    later = first(source, 2)
    again = pickle.loads(pickle.dumps(Simulated(model, 7, 3 * CHUNK_ROWS)))
    assert first(again, 2) == later
    assert [number for number, _, _ in later] == [*range(2 * CHUNK_ROWS, 2 * CHUNK_ROWS + 40)]
    assert [each[1:] for each in first(again, 1)] != [each[1:] for each in later]
    assert first(Simulated(model, 8, 3 * CHUNK_ROWS), 2) != later


def test_chunks_cover_all_rows_once(model: Model) -> None:
    chunks = Simulated(model, 1, 2 * CHUNK_ROWS + 5).chunks()
    assert [(each.number, each.start, each.rows) for each in chunks] == [
        (0, 0, CHUNK_ROWS),
        (1, CHUNK_ROWS, CHUNK_ROWS),
        (2, 2 * CHUNK_ROWS, 5),
    ]
    assert Simulated(model, 1, 0).chunks() == []


def test_fingerprints_tell_seeds_numbers_and_models_apart(model: Model) -> None:
    prints = {Simulated(model, seed, rows).fingerprint() for seed in (1, 2) for rows in (1, 2)}
    assert len(prints) == 4
    assert all(model.digest in each for each in prints)


def test_people_answer_exactly_what_such_a_person_is_asked(people: People, model: Model) -> None:
    chance = Random("asked")
    for _ in range(60):
        said = people.draw(chance).said
        reading = Reading(model.ruleset, read_answers(model.ruleset, said))
        asked = {name for name in model.ruleset.questions if reading.asked(name) != FALSE}
        assert set(said) == asked


def test_nobody_contradicts_themselves(people: People, model: Model) -> None:
    from engine.decide.evaluate import Rehearsal

    rehearsal = Rehearsal(load(FOLDER))
    chance = Random("contradictions")
    for _ in range(1500):
        rehearsal.read(people.draw(chance).said)


def test_a_form_holds_part_of_what_is_said(people: People) -> None:
    chance = Random("forms")
    short = 0
    for _ in range(800):
        person = people.draw(chance)
        given = people.given(person, chance)
        assert given.items() <= person.said.items()
        short += len(given) < len(person.said) - 3
    assert 10 < short < 70


def test_what_people_have_and_answer_fits_the_model(people: People, model: Model) -> None:
    chance = Random("fits")
    drawn = [people.draw(chance) for _ in range(6000)]
    has = Counter(str(each.truth[CONDITION]) for each in drawn)
    assert 0.82 < has["nonspecific"] / len(drawn) < 0.90
    serious = sum(count for name, count in has.items() if model.conditions[name].serious)
    assert 0.006 < serious / len(drawn) < 0.014
    below = Counter(
        str(each.truth["leg_pain"]) for each in drawn if each.truth[CONDITION] in ("radicular", "radicular_weak")
    )
    assert 0.80 < below["below_knee"] / below.total() < 0.90
    unknown = [sum(each.kind is None for each in person.said.values()) for person in drawn]
    assert 0.2 < sum(unknown) / len(drawn) < 4
