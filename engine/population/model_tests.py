"""What a row of a population asks of what was drawn before: one of some words, or a number between bounds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from engine.rules import values
from engine.rules.condition import Operator, Value

_BOUNDS = {each.value: each for each in Operator if each is not Operator.IN}


@dataclass(frozen=True, slots=True)
class Words:
    """Holds for each of some words."""

    words: frozenset[str]

    def holds(self, value: Value | None) -> bool:
        """Whether the value is one of them; None, what does not apply, never is."""
        return value in self.words


@dataclass(frozen=True, slots=True)
class Bounds:
    """Holds for a number within all of some bounds."""

    bounds: tuple[tuple[Operator, Decimal], ...]

    def holds(self, value: Value | None) -> bool:
        """Whether the value is within them; a word and what does not apply never are."""
        return isinstance(value, int | Decimal) and all(
            _within(value, operator, bound) for operator, bound in self.bounds
        )


Test = Words | Bounds


def read_test(said: object, options: Collection[str] | None) -> Test:
    """What stands in a file as a test of a value with these options (None: of a number). ValueError says what is wrong.

    >>> read_test(["a", "b"], ("a", "b", "c")).holds("b"), read_test({"at_least": "3"}, None).holds(2)
    (True, False)
    """
    if options is None:
        return Bounds(_bounds(said))
    words = said if isinstance(said, list) else [said]
    found = frozenset(word for word in words if isinstance(word, str) and word in options)
    if len(found) < len(words):
        raise ValueError(f"only {', '.join(f'`{option}`' for option in options)} can be here, or a list of them")
    return Words(found)


def _bounds(said: object) -> tuple[tuple[Operator, Decimal], ...]:
    if not isinstance(said, dict) or not said or said.keys() - _BOUNDS.keys():
        raise ValueError("a number is tested by `{at_least: n}`, `at_most`, `above` and `below`")
    return tuple((_BOUNDS[word], values.number(text)) for word, text in said.items())


def _within(value: int | Decimal, operator: Operator, bound: Decimal) -> bool:
    match operator:
        case Operator.AT_LEAST:
            return value >= bound
        case Operator.AT_MOST:
            return value <= bound
        case Operator.ABOVE:
            return value > bound
        case _:
            return value < bound
