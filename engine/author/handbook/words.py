"""The fixed words of the handbook, and how a ruleset's own words, numbers and ids are told in one language.

The sentences stand in `words.<language>.yaml` beside this file, the short labels are those of `engine.author.labels`,
and all that is clinical comes from the texts of the ruleset.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.author.handbook.markup import Markup, filled, join, tag, to
from engine.author.labels import counted, labels
from engine.decide.answers import plain_number
from engine.errors import PluisError
from engine.rules.condition import Value
from engine.rules.document import plain, read
from engine.rules.model import Question, QuestionType, Texts, Wording
from engine.rules.source import Source

LANGUAGES = ("nl", "en")
"""The languages in which a handbook can be made."""


@cache
def sentences(language: str) -> dict[str, str]:
    """Every fixed sentence of a language by its dotted key: `rules.title`; items of a list end in their number."""
    file = Path(__file__).with_name(f"words.{language}.yaml")
    node, problems = read(Source(file.name, file.read_text(encoding="utf-8")))
    if node is None or problems:
        raise PluisError(f"{file.name} cannot be read: {problems[0].message if problems else 'it is empty'}")
    return dict(_flat("", plain(node)))


def _flat(path: str, said: object) -> Iterator[tuple[str, str]]:
    if isinstance(said, dict | list):
        for key, value in said.items() if isinstance(said, dict) else enumerate(said):
            yield from _flat(f"{path}.{key}" if path else str(key), value)
    else:
        yield path, str(said)


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that can be said in one language about one ruleset."""

    language: str
    texts: Texts

    def __call__(self, key: str, **parts: str) -> Markup:
        """A fixed sentence, with its gaps filled."""
        return filled(sentences(self.language)[key], **parts)

    def each(self, key: str) -> Iterator[Markup]:
        """The sentences of a list."""
        said = sentences(self.language)
        number = 0
        while f"{key}.{number}" in said:
            yield self(f"{key}.{number}")
            number += 1

    def label(self, key: str) -> str:
        """A short label that the terminal has too."""
        return labels(self.language)[key]

    def counted(self, key: str, number: int) -> str:
        """A label with a number in it: `within 1 hour`, `within 24 hours`."""
        return counted(labels(self.language), key, number)

    def number(self, value: Value) -> str:
        """A number as people write it: with a decimal comma in Dutch."""
        text = plain_number(value)
        return text.replace(".", ",") if self.language == "nl" else text

    def text(self, section: str, key: str) -> str:
        """The ruleset's text for the person; the id itself where there is none."""
        return self.texts.get(section, key).patient or key

    def finding(self, id: str) -> Markup:
        """The name of a finding, with its id; the id alone where it has no name."""
        name = self.texts.get("findings", id).patient
        return join([tag("q", name), " (", to("finding", id), ")"]) if name else to("finding", id)

    def option(self, question: Question, option: str) -> str:
        """What people call an option of a question."""
        if question.type is QuestionType.YES_NO:
            return self.text("answers", option)
        return self.texts.options.get(question.id, {}).get(option, option)

    def unit(self, question: Question) -> str:
        """What people call the unit of a question; empty where it has none."""
        return self.text("units", question.unit) if question.unit else ""

    def both(self, wording: Wording) -> Markup:
        """A text for the person and, where it differs, for the clinician; each named."""
        if not wording.clinician:
            return tag("p", wording.patient)
        return join(
            tag("p", tag("span", f"{self('reader.' + who)}: ", class_="reader"), said)
            for who, said in (("patient", wording.patient), ("clinician", wording.clinician))
        )
