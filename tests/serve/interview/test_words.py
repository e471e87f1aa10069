"""The page's own words: the same in both languages, and all of them used."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from typing import Any

from engine.serve.interview.entries import Fault
from engine.serve.interview.pages import HERE, WORDS


def flat(words: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, text in words.items():
        if isinstance(text, str):
            yield before + name, text
        else:
            yield from flat(text, f"{before}{name}.")


def test_both_languages_say_the_same() -> None:
    dutch, english = (dict(flat(WORDS[language])) for language in ("nl", "en"))
    assert dutch.keys() == english.keys()
    places = {
        name: [
            {place for _, place, _, _ in string.Formatter().parse(said[name]) if place is not None}
            for said in (dutch, english)
        ]
        for name in dutch
    }
    assert [name for name, (one, other) in places.items() if one != other] == []
    assert [name for name in dutch if not dutch[name].strip() or not english[name].strip()] == []


def test_every_fault_has_words() -> None:
    for words in WORDS.values():
        assert {each.value for each in Fault} == set(words["fault"])


def test_every_word_is_used() -> None:
    sources = "\n".join(path.read_text("utf-8") for path in [*HERE.glob("*.py"), *HERE.glob("templates/*.html")])
    kinds = {"gone", "refused", "busy", "failed"}
    made = {f"within_{unit}" for unit in ("hours", "days", "hours_one")} | kinds | {f"{kind}_title" for kind in kinds}
    names = {name for name, _ in flat(WORDS["nl"]) if "." not in name}
    assert sorted(name for name in names - made if not re.search(rf"\b{name}\b", sources)) == []
    assert all(f'"{kind}"' in sources for kind in kinds)
