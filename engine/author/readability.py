"""Texts that are too long or too hard for the people who read them: what lint says about them, always as warnings.

Four measures. The length of a text and of its longest sentence are facts, and say exactly what to shorten. `hard-word`
looks words up in plain_words.json beside this file: words over which readers at level B1 stumble, with a plainer one.
`hard-to-read` is the reading ease of Flesch, for Dutch as adapted by Douma: 206.84 - 0.93 * words per sentence - 77 *
syllables per word. It sees long words and long sentences and nothing else: not whether a text is true, clear or kind,
nor whether its words are known (`huisarts` and `anus` weigh the same). On one sentence it is noise, so all texts of a
section that a patient reads are measured together, from ENOUGH words on.

Syllables are counted by the points where Pyphen's dictionaries, which it carries with it, would break a word. textstat
does the same for Dutch (its scores of five sections differ by at most 0.6), but fetches a corpus from the network as
soon as a text is English. Many an English word has more syllables than break points, so English scores come out too
easy: they compare with other scores made here, not with those of other programs. Texts for clinicians are only held to
a length.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyphen

from engine.rules.document import KEY
from engine.rules.model import Ruleset, Texts
from engine.rules.problem import Problem, warning
from engine.rules.source import Span


@dataclass(frozen=True, slots=True)
class Limit:
    """How many characters a kind of text may have, and why that many."""

    characters: int
    why: str


LIMITS: Mapping[str, Limit] = {
    "ruleset": Limit(800, "it is read once, before the questions"),
    "answers": Limit(40, "it stands on a button"),
    "units": Limit(40, "it stands behind a number"),
    "groups": Limit(80, "it is a heading"),
    "group_none_of": Limit(80, "it stands on a button"),
    "questions": Limit(160, "it is read in one breath, on a telephone, above its answers"),
    "question_help": Limit(400, "more is not read while answering"),
    "options": Limit(120, "it is compared with the other options"),
    "findings": Limit(120, "it is a name that stands inside a sentence"),
    "reasons": Limit(240, "there can be many reasons for one decision"),
    "disposition_titles": Limit(80, "it is a heading"),
    "dispositions": Limit(240, "it is the first thing that is read, perhaps in a fright"),
    "calls": Limit(240, "it is acted on at once"),
    "guidance": Limit(160, "it stands beside the decision"),
    "programmes": Limit(80, "it stands on a button"),
    "advice": Limit(320, "there are many advice texts under one another"),
    "safety_net": Limit(320, "what to watch for, how fast to act and whom to call must be seen at a glance"),
    "refuse": Limit(160, "it is read beside the answers that clash"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """How texts of one language are measured. `ease` is the lowest score for a section that counts as readable."""

    hyphens: str
    base: float
    per_word: float
    per_syllable: float
    ease: float
    longest: int
    """Words in a sentence: advice on plain language for level B1 says about 10 to 15 on average, and never above 20."""


READINGS: Mapping[str, Reading] = {
    "nl": Reading("nl_NL", 206.84, 0.93, 77.0, ease=70.0, longest=20),
    "en": Reading("en_US", 206.835, 1.015, 84.6, ease=75.0, longest=20),
}
"""A language that is not here is held to lengths alone. The borders lie between the sections that patients read in the
first ruleset (nl 77 to 91, en 83 to 91) and what clinicians read there (nl 25 to 42, en 55 to 65)."""

ENOUGH = 200
"""Words below which a score says nothing: of 100 words chance alone moves it by about seven points."""

_WORDS = Path(__file__).with_name("plain_words.json")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')]*\s+")
_WORD = re.compile(r"\w+(?:['\u2019.,-]\w+)*")
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Text:
    """One text with its place; `key` is what an author calls it within its section."""

    section: str
    key: str
    words: str
    span: Span
    for_patient: bool = True


def find_hard_texts(ruleset: Ruleset) -> Iterator[Problem]:
    """A warning for each text that is too long, has too long a sentence or a hard word, and for each hard section."""
    for language, texts in ruleset.texts.items():
        every = list(_every(ruleset, texts))
        yield from (found for text in every for found in _too_long(text))
        reading = READINGS.get(language)
        if reading is not None:
            shown = [text for text in every if text.for_patient]
            yield from (found for text in shown for found in _sentences_too_long(text, reading.longest))
            yield from (found for text in shown for found in _hard_words(text, _plainer(language)))
            for section in LIMITS:
                yield from _hard_section(ruleset, language, [text for text in shown if text.section == section])


def sentences(text: str) -> list[str]:
    """The sentences of a text; a period inside a word or number ends none.

    >>> sentences("Bel 113 of kijk op 113.nl. Wordt het erger? Bel 112.")
    ['Bel 113 of kijk op 113.nl.', 'Wordt het erger?', 'Bel 112.']
    """
    return [each for each in _SENTENCE_END.split(text.strip()) if each]


def words(text: str) -> list[str]:
    """The words and numbers of a text; a hyphen joins.

    >>> words("0,1 week, of X-benen")
    ['0,1', 'week', 'of', 'X-benen']
    """
    return _WORD.findall(text)


def score(texts: list[str], language: str) -> float:
    """The reading ease of some texts together: about 0 (very hard) to 100 (very easy)."""
    reading = READINGS[language]
    parts = [sentence for text in texts for sentence in sentences(text)]
    found = [word for sentence in parts for word in words(sentence)]
    syllables = sum(_syllables(word, reading.hyphens) for word in found)
    count = max(1, len(found))
    return reading.base - reading.per_word * count / max(1, len(parts)) - reading.per_syllable * syllables / count


def _every(ruleset: Ruleset, texts: Texts) -> Iterator[Text]:
    """Every text of a language in the order of the sections, options under the name of their question."""
    for section, written in texts.of.items():
        for key, wording in written.items():
            place = ("texts", texts.language, *_path(section, key))
            yield Text(section, key, wording.patient, ruleset.place(*place, "patient"))
            if wording.clinician and wording.clinician != wording.patient:
                yield Text(section, key, wording.clinician, ruleset.place(*place, "clinician"), for_patient=False)
    for question, labels in texts.options.items():
        for option, label in labels.items():
            place = ("texts", texts.language, "questions", question, "options", option)
            yield Text("options", f"{question}.{option}", label, ruleset.place(*place))


def _path(section: str, key: str) -> tuple[str, ...]:
    """Where a text stands in its file: some sections are named otherwise there."""
    match section:
        case "questions" | "options":
            return ("questions", key, "text")
        case "question_help":
            return ("questions", key, "help")
        case "groups":
            return ("groups", key, "title")
        case "group_none_of":
            return ("groups", key, "none_of")
        case "disposition_titles":
            return ("dispositions", key, "title")
        case "dispositions":
            return ("dispositions", key, "text")
    return (section, key)


def _too_long(text: Text) -> Iterator[Problem]:
    limit = LIMITS[text.section]
    if len(text.words) > limit.characters:
        message = f"`{text.key}` has {len(text.words)} characters; at most {limit.characters}, as {limit.why}"
        yield warning("text-too-long", text.span, message, "say less, or say it in two texts")


def _sentences_too_long(text: Text, longest: int) -> Iterator[Problem]:
    for sentence in sentences(text.words):
        count = len(words(sentence))
        if count > longest:
            message = f"a sentence of {count} words in `{text.key}`: `{_cut(sentence)}`"
            yield warning("sentence-too-long", text.span, message, f"write sentences of at most {longest} words")


def _hard_words(text: Text, plainer: Mapping[str, str]) -> Iterator[Problem]:
    for word in dict.fromkeys(each.lower() for each in words(text.words)):
        if word in plainer:
            yield warning("hard-word", text.span, f"`{word}` in `{text.key}` is a hard word", f"say {plainer[word]}")


def _hard_section(ruleset: Ruleset, language: str, texts: list[Text]) -> Iterator[Problem]:
    """One warning for a section whose texts are hard together, with the three that are hardest by themselves."""
    if sum(len(words(text.words)) for text in texts) < ENOUGH:
        return
    reached, wanted = score([text.words for text in texts], language), READINGS[language].ease
    if reached >= wanted:
        return
    section = texts[0].section
    hardest = sorted(texts, key=lambda text: score([text.words], language))[:3]
    message = f"the texts of `{section}` score {reached:.0f} for reading ease, below {wanted:.0f}"
    help = f"use shorter sentences and words; begin with {', '.join(f'`{text.key}`' for text in hardest)}"
    yield warning("hard-to-read", ruleset.place("texts", language, _path(section, "")[0], KEY), message, help)


def _cut(sentence: str) -> str:
    return sentence if len(sentence) <= _SHOWN else f"{sentence[: _SHOWN - 3]}..."


def _syllables(word: str, hyphens: str) -> int:
    """One more than the places where the word may be broken; what a hyphen joins is counted by itself."""
    parts = [part for part in re.split(r"\W", word) if part]
    return sum(1 + len(_dictionary(hyphens).positions(part)) for part in parts)


@cache
def _dictionary(hyphens: str) -> pyphen.Pyphen:
    return pyphen.Pyphen(lang=hyphens)


@cache
def _plainer(language: str) -> Mapping[str, str]:
    listed: Mapping[str, Mapping[str, str]] = json.loads(_WORDS.read_text(encoding="utf-8"))
    return listed.get(language, {})
