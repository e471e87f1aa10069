"""What a handbook is made of: a ruleset, and what is known about it apart from what it says itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.author.coverage import Coverage
from engine.author.handbook.markup import Markup, anchor, tag
from engine.author.handbook.words import LANGUAGES, Words
from engine.errors import PluisError
from engine.rules.approval import Signed, Status
from engine.rules.certificate import Certificate
from engine.rules.model import CheckedRuleset, Ruleset


class NoHandbook(PluisError):
    """A handbook cannot be made of this."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference from an earlier version: its direction (a word of `changes.direction`), who, and an example."""

    direction: str
    text: str
    example: str


@dataclass(frozen=True, slots=True)
class Mutated:
    """What became of planted mistakes, for exactly this content and these cases.

    `score` is the share that cases noticed, in percent. `survivors` tell what nobody would notice.
    """

    score: str
    killed: int
    equivalent: int
    waived: int
    survivors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Handbook:
    """Everything that a handbook says. None where something is not known for exactly this content.

    `signed` are the signatures that count, `status` what follows from them. `changelog` is what CHANGELOG.md says of
    this version; `changes` are the differences from `since`, an id and version.
    """

    checked: CheckedRuleset
    language: str
    status: Status = Status.DRAFT
    signed: tuple[Signed, ...] = ()
    certificate: Certificate | None = None
    coverage: Coverage | None = None
    mutated: Mutated | None = None
    changelog: str = ""
    since: str = ""
    changes: tuple[Change, ...] | None = None

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise NoHandbook(f"a handbook speaks {' or '.join(LANGUAGES)}, not `{self.language}`")
        if self.language not in self.ruleset.texts:
            raise NoHandbook(f"`{self.ruleset.id}` has no texts in `{self.language}`")

    @property
    def ruleset(self) -> Ruleset:
        return self.checked.ruleset

    @property
    def words(self) -> Words:
        return Words(self.language, self.ruleset.texts[self.language])


@dataclass(frozen=True, slots=True)
class Section:
    """One chapter: its id, its title and its content below the title."""

    id: str
    title: str
    body: Markup

    def markup(self) -> Markup:
        """The chapter with its heading, as a landmark that has its name."""
        named = anchor("title", self.id)
        return tag("section", tag("h2", self.title, id=named), self.body, id=self.id, aria_labelledby=named)


Chapter = Callable[[Handbook], Section]
"""What makes a section of a handbook."""
