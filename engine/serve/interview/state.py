"""What a form of the interview carries: the answers so far, screen by screen, and what was filled in on this one.

It travels in the body of the form and is kept nowhere else, neither by the browser nor by the server. So whatever comes
back may have been written by anybody: its shape is checked here, its answers as those of any request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeAlias
from urllib.parse import parse_qsl, urlencode

from engine.serve.errors import MalformedRequest

Texts: TypeAlias = Mapping[str, tuple[str, ...]]
"""Answers as they are written, by question: a number, `yes`, `unknown`, an option; several only where several fit."""

LARGEST = 64 * 1024
"""Bytes of a form. All answers of a long questionnaire take a tenth of it."""
MOST_FIELDS = 1000

RULESET, REQUEST, TOLD, GO = ("ruleset", "request", "told", "go")
"""Fields that stand there once: the digest of the ruleset, the id of the request that this form makes, what was told
already, and the button."""
SAID, KEPT, ENTRY = ("said", "kept", "answer.")
"""One field for each screen answered, in order; what was answered before going back; what is filled in now."""


class Go(Enum):
    """What the person wants: the button that was pressed."""

    ON = "on"
    """To the first questions, or on after an interruption: this form has no questions itself."""
    NEXT = "next"
    NONE = "none"
    """Next, and none of these: every question of the screen is denied."""
    BACK = "back"


@dataclass(frozen=True, slots=True)
class State:
    """The answers so far. `kept` are those of screens that were left by going back: shown again, and not counted.

    `told`: the urgent advice that the person has seen, empty while there is none.
    """

    ruleset: str
    screens: tuple[Texts, ...] = ()
    kept: Texts = field(default_factory=dict)
    told: str = ""

    @property
    def answers(self) -> dict[str, tuple[str, ...]]:
        """All that counts."""
        return {name: said for screen in self.screens for name, said in screen.items()}

    def with_screen(self, answers: Texts) -> State:
        """With one screen more."""
        if not answers:
            return self
        kept = {name: said for name, said in self.kept.items() if name not in answers}
        return replace(self, screens=(*self.screens, answers), kept=kept)

    def back(self) -> State:
        """Without the last screen."""
        if not self.screens:
            return self
        return replace(self, screens=self.screens[:-1], kept={**self.kept, **self.screens[-1]})

    def fields(self, request_id: str) -> Iterator[tuple[str, str]]:
        """The hidden fields of a form that goes on from here.

        >>> [*State("d1", ({"age": ("40",)}, {"wants": ("a", "b")})).fields("r1")]
        [('ruleset', 'd1'), ('request', 'r1'), ('told', ''), ('said', 'age=40'), ('said', 'wants=a&wants=b')]
        """
        yield from ((RULESET, self.ruleset), (REQUEST, request_id), (TOLD, self.told))
        yield from ((SAID, urlencode(screen, doseq=True)) for screen in self.screens)
        if self.kept:
            yield KEPT, urlencode(self.kept, doseq=True)


@dataclass(frozen=True, slots=True)
class Form:
    """A form that came in. `entries` are as they were typed."""

    state: State
    request_id: str
    go: Go
    entries: Texts


def read_form(body: bytes) -> Form:
    """What a body says. Raises MalformedRequest for what no page of ours sends; its message repeats nothing of it."""
    try:
        pairs = _pairs(body.decode("ascii"))
        once = {name: _one(pairs, name) for name in (RULESET, REQUEST, TOLD, GO)}
        go = Go(once[GO])
        screens = tuple(_grouped(_pairs(value)) for name, value in pairs if name == SAID)
        kept = _grouped([pair for name, value in pairs if name == KEPT for pair in _pairs(value)])
    except ValueError:
        raise _malformed() from None
    entries = _grouped([(name.removeprefix(ENTRY), value) for name, value in pairs if name.startswith(ENTRY)])
    if any(name not in (*once, SAID, KEPT) and not name.startswith(ENTRY) for name, _ in pairs):
        raise _malformed()
    names = [name for screen in screens for name in screen]
    if len([*names, *kept]) != len({*names, *kept}):
        raise _malformed()
    return Form(State(once[RULESET], screens, kept, once[TOLD]), once[REQUEST], go, entries)


def _pairs(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MOST_FIELDS)


def _one(pairs: list[tuple[str, str]], wanted: str) -> str:
    (value,) = (value for name, value in pairs if name == wanted)
    return value


def _grouped(pairs: list[tuple[str, str]]) -> Texts:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return found


def _malformed() -> MalformedRequest:
    return MalformedRequest("the form is not one of this page")
