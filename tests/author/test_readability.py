"""Texts that are too long or too hard: found, with their place, and only where a patient reads them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from engine.author.readability import ENOUGH, LIMITS, READINGS, find_hard_texts, score, sentences, words
from engine.rules.load import build
from engine.rules.problem import Problem
from engine.rules.source import Source

MINIMAL = Path(__file__).parents[1] / "data" / "minimal"
EASY = "Eet een appel. Loop een stuk. Rust dan uit. "
HARD = "Multidisciplinaire revalidatiebehandelingen bevorderen onvermijdelijk de inspanningstolerantie. "


def found(old: str = "", new: str = "", language: str = "nl") -> list[Problem]:
    """What is said about the minimal ruleset with one change in its texts, as if they were in a language."""
    files = {name: (MINIMAL / name).read_text(encoding="utf-8") for name in ("ruleset.yaml", "texts.nl.yaml")}
    assert old in files["texts.nl.yaml"]
    files["texts.nl.yaml"] = files["texts.nl.yaml"].replace(old, new, 1)
    if language != "nl":
        files[f"texts.{language}.yaml"] = files.pop("texts.nl.yaml").replace("language: nl", f"language: {language}")
        files["ruleset.yaml"] = files["ruleset.yaml"].replace("languages: [nl]", f"languages: [{language}]")
    checked, problems = build({name: Source(name, text) for name, text in files.items()})
    assert checked is not None, problems.render()
    assert not any(each.is_error for each in find_hard_texts(checked.ruleset))
    return list(find_hard_texts(checked.ruleset))


def codes(problems: list[Problem]) -> list[str]:
    return [each.code for each in problems]


def test_short_and_plain_texts_are_left_alone() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("section", "old", "start"),
    [
        ("questions", "Remt de fiets niet meer?", ""),
        ("question_help", "In jaren", ""),
        ("options", "Geschuur", ""),
        ("reasons", "worn: Er is iets versleten", "worn: "),
        ("dispositions", "Stap af", ""),
        ("disposition_titles", "title: Nu", "title: "),
        ("calls", "De spoeddienst", ""),
        ("advice", "Lees het boekje", ""),
        ("safety_net", "Let op de remmen", ""),
        ("groups", "title: Comfort", "title: "),
        ("ruleset", "Verzonnen", ""),
    ],
)
def test_each_kind_of_text_has_its_own_length(section: str, old: str, start: str) -> None:
    limit = LIMITS[section].characters
    fits = ("Een. " * limit)[: limit - 1] + "."
    assert "text-too-long" not in codes(found(old, start + fits))
    (problem,) = (each for each in found(old, f"{start}{fits}x") if each.code == "text-too-long")
    assert f"has {limit + 1} characters; at most {limit}" in problem.message
    text = problem.span.source.line(problem.span.line)
    assert text[problem.span.column - 1 :].startswith("Een. ")


def test_a_sentence_may_have_twenty_words() -> None:
    assert found("Lees het boekje", "Ja. " + "een " * 19 + "fiets.") == []
    (problem,) = found("Lees het boekje", "Ja. " + "een " * 20 + "fiets.")
    assert problem.code == "sentence-too-long"
    assert "a sentence of 21 words in `ADV-002`: `een een " in problem.message
    assert problem.span.place == "texts.nl.yaml:31:47"


def test_a_hard_word_gets_a_plainer_one() -> None:
    (problem,) = found("Lees het boekje", "Lees indien nodig het boekje")
    assert (problem.code, problem.message) == ("hard-word", "`indien` in `ADV-002` is a hard word")
    assert problem.help == "say `als`"
    assert found("Lees het boekje", "Blijf in Windindienst") == []  # a word, not a part of one


def test_a_section_is_measured_as_a_whole() -> None:
    help = "In jaren"
    few = HARD * ((ENOUGH - 1) // len(words(HARD)) - 1)
    assert "hard-to-read" not in codes(found(help, few))
    many = HARD * (ENOUGH // len(words(HARD)) + 1)
    (problem,) = (each for each in found(help, many) if each.code == "hard-to-read")
    assert problem.message.startswith("the texts of `question_help` score -")
    assert problem.help.endswith("begin with `years_owned`")
    assert problem.span.source.line(problem.span.line) == "questions:"
    assert "hard-to-read" not in codes(found(help, EASY * ENOUGH))


def test_what_clinicians_read_is_held_to_its_length_alone() -> None:
    hard = "indien " + "multidisciplinair " * 10
    assert found("clinician: Remfalen", f"clinician: {hard.strip()}") == []
    long = "Rem. " * 60
    (problem,) = found("clinician: Remfalen", f"clinician: {long.strip()}")
    assert problem.code == "text-too-long"


def test_a_language_without_a_measure_is_held_to_lengths_alone() -> None:
    text = "een " * 30 + "fiets indien"
    assert codes(found("Lees het boekje", text)) == ["sentence-too-long", "hard-word"]
    assert found("Lees het boekje", text, language="fy") == []
    assert codes(found("Lees het boekje", text * 5, language="fy")) == ["text-too-long"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bel 112. Wacht niet!", ["Bel 112.", "Wacht niet!"]),
        ("Kijk op 113.nl of bel.", ["Kijk op 113.nl of bel."]),
        ('Kies "nee." Ga dan door.', ['Kies "nee.', "Ga dan door."]),
        ("Geen punt", ["Geen punt"]),
        ("", []),
    ],
)
def test_where_sentences_end(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("language", "easy", "hard"),
    [
        ("nl", EASY, HARD),
        ("en", "Eat an apple. Walk a bit. Then rest. ", "Interdisciplinary rehabilitation ameliorates functionality. "),
    ],
)
def test_easy_texts_score_higher(language: str, easy: str, hard: str) -> None:
    assert score([easy], language) > READINGS[language].ease > score([hard], language)
    assert score([easy] * 10, language) == pytest.approx(score([easy], language))


def test_the_formulas_are_the_published_ones() -> None:
    """Ten words of one syllable in two sentences: Flesch-Douma and Flesch by hand."""
    assert score(["De kat zat op mat. De kat zag een muis."], "nl") == pytest.approx(206.84 - 0.93 * 5 - 77)
    assert score(["The cat sat on mats. The cat saw a dog."], "en") == pytest.approx(206.835 - 1.015 * 5 - 84.6)


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert score([EASY], "nl") > 0
    assert score([EASY], "en") > 0
