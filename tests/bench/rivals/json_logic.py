"""Writes a tree as JSON Logic, for json-logic-engine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from engine.rules.condition import Operator, Value
from tests.bench.rivals.text import SIGN
from tests.bench.rivals.tree import AtLeast, Bound, Given, HasOneOf, IsOneOf, Logic, Opposite, Tree

UNGUARDED: Final = {Operator.AT_LEAST: 0, Operator.ABOVE: -1}
"""JavaScript compares null as 0: above this number such a bound is false for null by itself, and needs no guard."""


def ruleset_logic(logic: Logic) -> Any:
    """One expression that gives the disposition."""
    cases = [each for word, when in logic.by_disposition() for each in (written(when), word)]
    return {"if": [*cases, logic.default]} if cases else logic.default


def written(tree: Tree) -> Any:
    """The tree as JSON Logic. A question without a value is null."""
    match tree:
        case Given(question):
            return {"!==": [_value(question), None]}
        case IsOneOf(question, (value,)):
            return {"===": [_value(question), plain(value)]}
        case IsOneOf(question, values):
            return {"in": [_value(question), [plain(value) for value in values]]}
        case HasOneOf(question, options):
            chosen = [{"in": [option, _value(question)]} for option in options]
            return {"and": [written(Given(question)), {"or": chosen}]}
        case Bound(question, operator, number):
            compared = {SIGN[operator]: [_value(question), plain(number)]}
            if operator in UNGUARDED and number > UNGUARDED[operator]:
                return compared
            return {"and": [written(Given(question)), compared]}
        case Opposite(Given(question)):
            return {"===": [_value(question), None]}
        case Opposite(IsOneOf(question, (value,))):
            return {"!==": [_value(question), plain(value)]}
        case Opposite(leaf):
            return {"!": [written(leaf)]}
        case AtLeast(parts=()):
            return tree.is_every
        case AtLeast(number, parts):
            members = [written(part) for part in parts]
            if tree.is_every or tree.is_some:
                return {"and" if tree.is_every else "or": members}
            return {">=": [{"+": [{"if": [member, 1, 0]} for member in members]}, number]}


def _value(question: str) -> dict[str, str]:
    return {"val": question}  # its own operator, faster than the `var` of the original language


def plain(value: Value) -> int | float | str:
    """A value as JSON has it."""
    return float(value) if isinstance(value, Decimal) else value
