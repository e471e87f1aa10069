"""Writes a ruleset for json-rules-engine: a rule for each of its rules, the most urgent first."""

from __future__ import annotations

from itertools import combinations
from typing import Any, Final

from engine.rules.condition import Operator
from tests.bench.rivals.json_logic import plain
from tests.bench.rivals.tree import AtLeast, Bound, Given, HasOneOf, IsOneOf, Logic, Opposite, Tree, every, some

OPERATORS: Final = {
    Operator.AT_LEAST: "greaterThanInclusive",
    Operator.AT_MOST: "lessThanInclusive",
    Operator.ABOVE: "greaterThan",
    Operator.BELOW: "lessThan",
}
PATIENT: Final = "patient"
"""The one fact; a question is a path in it. A fact for each question is made anew for each run, and was no faster."""


def ruleset_rules(logic: Logic) -> list[dict[str, Any]]:
    """The rules. Each has a priority of its own, so that the first that is true can stop the others."""
    return [
        {
            "conditions": _top(written(rule.when)),
            "event": {"type": rule.disposition},
            "priority": len(logic.rules) - number,
        }
        for number, rule in enumerate(logic.rules)
    ]


def written(tree: Tree) -> Any:
    """The tree as conditions. A question without a value is null, for which a number's operators are false."""
    match tree:
        case Given(question):
            return _asks(question, "notEqual", None)
        case IsOneOf(question, (value,)):
            return _asks(question, "equal", plain(value))
        case IsOneOf(question, values):
            return _asks(question, "in", [plain(value) for value in values])
        case HasOneOf(question, options):  # `contains` is false for what is no list
            return {"any": [_asks(question, "contains", option) for option in options]}
        case Bound(question, operator, number):
            return _asks(question, OPERATORS[operator], plain(number))
        case Opposite(Given(question)):
            return _asks(question, "equal", None)
        case Opposite(IsOneOf(question, (value,))):
            return _asks(question, "notEqual", plain(value))
        case Opposite(IsOneOf(question, values)):
            return _asks(question, "notIn", [plain(value) for value in values])
        case Opposite(leaf):
            return {"not": written(leaf)}
        case AtLeast(number, parts):
            if tree.is_every or tree.is_some:
                # Without priorities all members are evaluated side by side; with them the first that decides ends it.
                members = [written(part) | {"priority": len(parts) - place} for place, part in enumerate(parts)]
                return {"all" if tree.is_every else "any": members}
            return written(some(every(chosen) for chosen in combinations(parts, number)))  # it cannot count


def _asks(question: str, operator: str, value: object) -> dict[str, Any]:
    return {"fact": PATIENT, "path": question, "operator": operator, "value": value}


def _top(condition: dict[str, Any]) -> dict[str, Any]:
    """A rule's condition must be one of `all`, `any` and `not`."""
    return condition if condition.keys() & {"all", "any", "not"} else {"all": [condition]}
