"""One value of a file, read strictly: a text, a number, a date, an id or a word of a closed list; or what is wrong.

Every reader takes what stands in the file (a text, a list or a mapping) and gives the typed value, or raises
`Unreadable` in the author's words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Generic, NoReturn, TypeVar

from engine.rules import scalar
from engine.rules.codes import Code
from engine.rules.model import Wording
from engine.rules.scale import Disposition
from engine.rules.suggest import one_of

NEEDS_ANSWERS = "needs_answers"
"""What a case expects where the answers do not settle the disposition."""
NO_GUIDANCE = "none"
"""What a case expects where guidance is neither offered nor recommended."""

T = TypeVar("T")


class Unreadable(ValueError):
    """A value that cannot stand where it stands; the fields are those of a Problem."""

    def __init__(self, code: Code, message: str, help: str) -> None:
        super().__init__(message)
        self.code: Code = code
        self.message, self.help = message, help


def refuse(code: Code, message: str, help: str = "") -> NoReturn:
    """Say that a value cannot stand here."""
    raise Unreadable(code, message, help)


def kind_of(value: object) -> str:
    """What stands in the file, as a reader calls it."""
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else "a text"


def text(value: object) -> str:
    """A text that is not empty."""
    if not isinstance(value, str):
        refuse("wrong-type", f"a text is expected here, not {kind_of(value)}")
    if not value.strip():
        refuse("missing-value", "the value is missing")
    return value


def integer(value: Any) -> int:
    """A whole number."""
    found = scalar.integer(said := text(value))
    if found is None:
        refuse("wrong-type", f"`{said}` is no whole number", "write digits only, such as `12`")
    return found


def positive(value: Any) -> int:
    """A whole number of at least 1."""
    found = integer(value)
    if found < 1:
        refuse("wrong-type", f"`{found}` is too small", "write `1` or more")
    return found


def number(value: Any) -> Decimal:
    """A number."""
    found = scalar.decimal(said := text(value))
    if found is None:
        refuse("wrong-type", f"`{said}` is no number", "write digits, with a point where needed, such as `1.5`")
    return found


def number_range(value: Any) -> tuple[Decimal, Decimal]:
    """`[lowest, highest]`, both inclusive."""
    if not isinstance(value, list) or len(value) != 2:
        refuse("wrong-type", "a range is a list of two numbers", "write `range: [lowest, highest]`")
    return number(value[0]), number(value[1])


def day(value: Any) -> date:
    """A day."""
    found = scalar.iso_date(said := text(value))
    if found is None:
        refuse("bad-date", f"`{said}` is no date", "write year, month and day, such as `2026-01-31`")
    return found


def version(value: Any) -> str:
    """A semantic version."""
    if not scalar.is_version(said := text(value)):
        refuse("bad-version", f"`{said}` is no version", "write a semantic version, such as `1.2.0`")
    return said


def language(value: Any) -> str:
    """A language code."""
    if not scalar.is_language(said := text(value)):
        refuse("bad-id", f"`{said}` is no language", "write its code, such as `nl` or `en`")
    return said


def name(value: Any) -> str:
    """An id in snake_case."""
    if not scalar.is_name(said := text(value)):
        refuse("bad-id", f"`{said}` cannot be an id here", "write it in snake_case, such as `two_words`")
    return said


def code(value: Any) -> str:
    """An id in snake_case or as a capital code."""
    if not scalar.is_code(said := text(value)) and not scalar.is_name(said):
        refuse("bad-id", f"`{said}` cannot be an id here", "write it in snake_case, or as a code such as `E01`")
    return said


def option(value: Any) -> str:
    """An option of a question."""
    if not scalar.is_option(said := text(value)):
        refuse("bad-option", f"`{said}` cannot be an option", "write it in snake_case, such as `two_words`")
    return said


@dataclass(frozen=True, slots=True, eq=False)
class Word(Generic[T]):
    """A reader of one word of a closed list; `what` names the list to the author."""

    what: str
    words: Mapping[str, T]

    def __call__(self, value: Any) -> T:
        said = text(value)
        if said not in self.words:
            refuse("outside-scale", f"`{said}` is no {self.what}", one_of(said, self.words))
        return self.words[said]


def same(words: Iterable[str]) -> dict[str, str]:
    """Words that stand for themselves, for `Word`."""
    return {word: word for word in words}


def expected(value: Any) -> Disposition | None:
    """None stands for `needs_answers`, which is no disposition."""
    words: dict[str, Disposition | None] = {**Disposition.words(), NEEDS_ANSWERS: None}
    return Word("disposition", words)(value)


def answer(value: Any) -> str | tuple[str, ...]:
    """A case's answer: a text, or a list of options."""
    return tuple(text(item) for item in value) if isinstance(value, list) else text(value)


def denied(value: Any) -> tuple[str, ...]:
    """The denied groups; `*` alone means all."""
    if value == "*":
        return ("*",)
    if not isinstance(value, list):
        refuse("wrong-type", "a list of groups is expected here", 'write `none_of: [group, group]`, or `"*"` for all')
    return tuple(name(item) for item in value)


def wording(value: Any) -> Wording:
    """A text for the patient, and one for the clinician where it differs."""
    if isinstance(value, dict):
        strange = [key for key in value if key not in ("patient", "clinician")]
        if strange or "patient" not in value:
            name = f"`{strange[0]}` is no reader of a text" if strange else "the text for the patient is missing"
            refuse("wrong-type", name, "write `{patient: ..., clinician: ...}`")
        return Wording(text(value["patient"]), text(value["clinician"]) if "clinician" in value else "")
    return Wording(text(value))
