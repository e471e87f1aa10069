"""Writes a tree as an expression in the languages of zen and CEL, which differ in three words only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from engine.decide.answers import plain_number
from engine.rules.condition import Operator, Value
from tests.bench.rivals.tree import AtLeast, Bound, Given, HasOneOf, IsOneOf, Opposite, Tree

SIGN: Final = {Operator.AT_LEAST: ">=", Operator.AT_MOST: "<=", Operator.ABOVE: ">", Operator.BELOW: "<"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """The words for *and*, *or* and *not*."""

    both: str
    either: str
    negation: str


def written(tree: Tree, dialect: Dialect) -> str:
    """The tree as one expression, in brackets where it needs them anywhere. A question without a value is null.

    A number is compared only behind `!= null`: both languages fail on null there.
    """
    match tree:
        case Given(question):
            return f"{question} != null"
        case IsOneOf(question, (value,)):
            return f"{question} == {_literal(value)}"
        case IsOneOf(question, values):
            return f"{question} in [{', '.join(map(_literal, values))}]"
        case HasOneOf(question, options):
            chosen = dialect.either.join(f"{_literal(option)} in {question}" for option in options)
            return f"({question} != null{dialect.both}({chosen}))"
        case Bound(question, operator, number):
            return f"({question} != null{dialect.both}{question} {SIGN[operator]} {plain_number(number)})"
        case Opposite(Given(question)):
            return f"{question} == null"
        case Opposite(IsOneOf(question, (value,))):
            return f"{question} != {_literal(value)}"
        case Opposite(leaf):
            return f"{dialect.negation}({written(leaf, dialect)})"
        case AtLeast(parts=()):
            return "true" if tree.is_every else "false"
        case AtLeast(number, parts):
            members = [written(part, dialect) for part in parts]
            if tree.is_every or tree.is_some:
                return f"({(dialect.both if tree.is_every else dialect.either).join(members)})"
            return f"({' + '.join(f'({member} ? 1 : 0)' for member in members)} >= {number})"


def chosen(cases: list[tuple[str, str]], otherwise: str) -> str:
    """`a ? "x" : b ? "y" : "z"`: the word of the first case that is true."""
    return "".join(f"{when} ? {_literal(word)} : " for word, when in cases) + _literal(otherwise)


def _literal(value: Value) -> str:
    return json.dumps(value) if isinstance(value, str) else plain_number(value)
