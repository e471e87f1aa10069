"""A node tree becomes a condition, or problems: the grammar of `rulesets/README.md`, and nothing of its meaning.

Which questions exist and what their answers may be is for `check`. A broken part does not hide problems in its
neighbours: everything is read, and one None makes the whole None.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from engine.rules import scalar
from engine.rules.condition import (
    All,
    Answered,
    AnyOf,
    Compare,
    Condition,
    Count,
    DispositionIn,
    FindingIs,
    Not,
    Operand,
    Operator,
    Parameter,
    ProgrammeIn,
    RuleIs,
    Sum,
    Surely,
    Term,
    Text,
    Unknown,
    Unless,
)
from engine.rules.document import Mapping, Node, Scalar, Sequence
from engine.rules.problem import Problem, error
from engine.rules.scale import Disposition, Programme
from engine.rules.source import Span
from engine.rules.suggest import did_you_mean, one_of

LISTS: dict[str, type[All | AnyOf]] = {"all": All, "any": AnyOf}
SINGLES: dict[str, type[Not | Unless | Surely]] = {"not": Not, "unless": Unless, "surely": Surely}
NAMED: dict[str, type[Unknown | Answered | FindingIs | RuleIs]] = {
    "unknown": Unknown,
    "answered": Answered,
    "finding": FindingIs,
    "rule": RuleIs,
}
RESERVED = frozenset(
    {*LISTS, *SINGLES, *NAMED, "count", "disposition", "programme", "parameter", "answer", "sum"},
)
"""Words of the grammar; no question, finding or parameter can have such a name."""
_WORDS = sorted(RESERVED)
BOUNDS = {operator.value: operator for operator in Operator if operator is not Operator.IN}

Found = list[Problem]
T = TypeVar("T")
Member = TypeVar("Member", Disposition, Programme)


def parse_condition(node: Node, found: Found) -> Condition | None:
    """The condition that a node says; None, with the problems added to `found`, when it says none."""
    entry = _single(node, found, "a condition")
    if entry is None:
        return None
    key, value = entry
    if key.text in LISTS:
        members = _members(key, value, found)
        return None if members is None else LISTS[key.text](members, key.span)
    if key.text in SINGLES:
        member = parse_condition(value, found)
        return None if member is None else SINGLES[key.text](member, key.span)
    if key.text in NAMED:
        name = _text(value, found, f"the name after `{key.text}`")
        return None if name is None else NAMED[key.text](name.text, name.span)
    match key.text:
        case "count":
            return _count(key, value, found)
        case "disposition":
            return _disposition(key, value, found)
        case "programme":
            words = _one_of_list(key, value, found, Programme.words(), "programme")
            return None if words is None else ProgrammeIn(frozenset(words), key.span)
        case "parameter" | "answer" | "sum":
            help = f"write `{{question: {{above: {{{key.text}: ...}}}}}}`"
            found.append(error("misplaced-word", key.span, f"`{key.text}` cannot begin a condition", help))
            return None
    return _compare(key, value, found)


def _single(node: Node, found: Found, what: str) -> tuple[Scalar, Node] | None:
    """The one key and value of a mapping."""
    if isinstance(node, Scalar):
        if node.text:
            found.append(error("wrong-type", node.span, f"`{node.text}` is not {what}", "write `{question: value}`"))
        else:
            found.append(error("missing-value", node.span, f"{what} is missing here", "write `{question: value}`"))
        return None
    if isinstance(node, Sequence):
        help = "write `{all: [...]}` or `{any: [...]}`"
        found.append(error("wrong-type", node.span, f"{what} is expected here, not a list", help))
        return None
    if len(node.entries) != 1:
        span = node.entries[1][0].span if node.entries else node.span
        keys = ", ".join(f"`{key.text}`" for key, _ in node.entries) or "none"
        help = "write `{all: [{...}, {...}]}` when both must hold, `{any: [{...}, {...}]}` when one is enough"
        found.append(error("condition-keys", span, f"{what} has one key, this has {keys}", help))
        return None
    return node.entries[0]


def _text(node: Node, found: Found, what: str) -> Scalar | None:
    if isinstance(node, Scalar) and node.text:
        return node
    if isinstance(node, Scalar):
        found.append(error("missing-value", node.span, f"{what} is missing"))
    else:
        found.append(error("wrong-type", node.span, f"{what} must be a text"))
    return None


def _items(key: Scalar, node: Node, found: Found) -> tuple[Node, ...] | None:
    """The items of a list that may not be empty."""
    if not isinstance(node, Sequence):
        found.append(error("wrong-type", key.span, f"`{key.text}` takes a list", f"write `{key.text}: [...]`"))
        return None
    if not node.items:
        found.append(error("empty-list", key.span, f"the list of `{key.text}` is empty", "give at least one"))
        return None
    return node.items


def _members(key: Scalar, node: Node, found: Found) -> tuple[Condition, ...] | None:
    items = _items(key, node, found)
    return None if items is None else _whole([parse_condition(item, found) for item in items])


def _whole(parts: list[T | None]) -> tuple[T, ...] | None:
    whole = [part for part in parts if part is not None]
    return tuple(whole) if len(whole) == len(parts) else None


def _count(key: Scalar, node: Node, found: Found) -> Condition | None:
    if not isinstance(node, Mapping):
        help = "write `{count: {at_least: 2, of: [...]}}`"
        found.append(error("wrong-type", key.span, "`count` takes `at_least` and `of`", help))
        return None
    for name, _ in node.entries:
        if name.text not in ("at_least", "of"):
            help = did_you_mean(name.text, ("at_least", "of")) or "write `{count: {at_least: 2, of: [...]}}`"
            found.append(error("unknown-key", name.span, f"the key `{name.text}` is not known here", help))
    fewest, of = node.get("at_least"), node.get("of")
    for word, part in (("at_least", fewest), ("of", of)):
        if part is None:
            found.append(error("missing-key", key.span, f"the key `{word}` is missing", f"add `{word}: ...`"))
    members = None if of is None else _members(Scalar("of", key.span), of, found)
    written = None if fewest is None else _text(fewest, found, "the number after `at_least`")
    if written is None:
        return None
    number = scalar.integer(written.text)
    size = len(of.items) if isinstance(of, Sequence) else 0
    if number is None or (size and not 1 <= number <= size):
        help = f"write a whole number from 1 to {size}" if size else "write a whole number"
        message = f"`at_least` cannot be `{written.text}` of {size}" if size else f"`{written.text}` is no whole number"
        found.append(error("count-outside-list", written.span, message, help))
        return None
    return None if members is None else Count(number, members, key.span)


def _disposition(key: Scalar, node: Node, found: Found) -> Condition | None:
    scale = Disposition.words()
    if isinstance(node, Mapping) and len(node.entries) == 1 and node.entries[0][0].text == "at_least":
        lowest = _member(node.entries[0][1], found, scale, "disposition")
        if lowest is None:
            return None
        return DispositionIn(frozenset(each for each in Disposition if each >= lowest), key.span)
    words = _one_of_list(key, node, found, scale, "disposition")
    return None if words is None else DispositionIn(frozenset(words), key.span)


def _one_of_list(
    key: Scalar, node: Node, found: Found, scale: dict[str, Member], what: str
) -> tuple[Member, ...] | None:
    """`{in: [words of a scale]}`."""
    allowed = ("at_least", "in") if key.text == "disposition" else ("in",)
    if not isinstance(node, Mapping):
        help = f"write `{{{key.text}: {{in: [{node.text if isinstance(node, Scalar) else '...'}]}}}}`"
        found.append(error("wrong-type", key.span, f"`{key.text}` takes `in` and a list", help))
        return None
    entry = _single(node, found, "a comparison")
    if entry is None:
        return None
    operator, value = entry
    if operator.text != "in":
        message = f"`{operator.text}` cannot be asked of a {what}"
        found.append(error("unknown-operator", operator.span, message, one_of(operator.text, allowed)))
        return None
    items = _items(operator, value, found)
    return None if items is None else _whole([_member(item, found, scale, what) for item in items])


def _member(node: Node, found: Found, scale: dict[str, Member], what: str) -> Member | None:
    word = _text(node, found, f"the {what}")
    if word is None:
        return None
    if word.text not in scale:
        help = one_of(word.text, scale)
        found.append(error("outside-scale", word.span, f"`{word.text}` is no {what}", help))
    return scale.get(word.text)


def _compare(key: Scalar, node: Node, found: Found) -> Condition | None:
    """`{q: value}` or `{q: {operator: operand}}`."""
    question = key.text
    if not scalar.is_name(question):
        help = did_you_mean(question, _WORDS) or "questions are written in snake_case"
        found.append(error("bad-id", key.span, f"`{question}` cannot be a question", help))
        return None
    if isinstance(node, Sequence):
        help = did_you_mean(question, _WORDS) or f"write `{{{question}: {{in: [...]}}}}`"
        found.append(error("unknown-operator", key.span, f"`{question}` cannot begin a list of conditions", help))
        return None
    if isinstance(node, Scalar):
        value = _value(key, node, found)
        return None if value is None else Compare(question, Operator.IN, (value,), key.span)
    entry = _single(node, found, "a comparison")
    if entry is None:
        return None
    operator, operand = entry
    if operator.text == "in":
        items = _items(operator, operand, found)
        values = None if items is None else _whole([_value(key, item, found) for item in items])
        return None if values is None else Compare(question, Operator.IN, values, key.span)
    if operator.text not in BOUNDS:
        help = did_you_mean(question, _WORDS) or one_of(operator.text, [each.value for each in Operator])
        found.append(error("unknown-operator", operator.span, f"`{operator.text}` compares nothing", help))
        return None
    bound = _bound(operand, found)
    return None if bound is None else Compare(question, BOUNDS[operator.text], (bound,), key.span)


def _value(key: Scalar, node: Node, found: Found) -> Text | None:
    """A value of a question; `unknown` is none."""
    value = _text(node, found, f"the value of `{key.text}`")
    if value is None:
        return None
    if value.text == "unknown":
        help = f"write {{unknown: {key.text}}}"
        found.append(error("unknown-as-value", value.span, "`unknown` is not a value of a question", help))
        return None
    return Text(value.text, value.span)


def _bound(node: Node, found: Found) -> Operand | None:
    """A number, `{parameter: p}`, `{answer: q}` or `{sum: [...]}`."""
    if isinstance(node, Scalar):
        text = _text(node, found, "the bound")
        return None if text is None else Text(text.text, text.span)
    entry = _single(node, found, "a bound")
    if entry is None:
        return None
    key, value = entry
    readers: dict[str, Callable[[], Operand | None]] = {
        "parameter": lambda: _named(value, found, Parameter),
        "answer": lambda: _named(value, found, _as_sum),
        "sum": lambda: _sum(key, value, found),
    }
    if key.text not in readers:
        found.append(error("unknown-key", key.span, f"`{key.text}` is no bound", one_of(key.text, readers)))
        return None
    return readers[key.text]()


def _as_sum(question: str, span: Span) -> Operand:
    return Sum((Term(question, Decimal(1), span),), Decimal(0), span)


def _named(node: Node, found: Found, make: Callable[[str, Span], Operand]) -> Operand | None:
    name = _text(node, found, "the name")
    return None if name is None else make(name.text, name.span)


def _sum(key: Scalar, node: Node, found: Found) -> Operand | None:
    items = _items(key, node, found)
    parts: tuple[Term | Decimal, ...] | None = None
    if items is not None:
        parts = _whole([_summand(item, found) for item in items])
    if parts is None:
        return None
    terms = tuple(part for part in parts if isinstance(part, Term))
    if not terms:
        help = "write the number alone, or add `{answer: question, times: 1}`"
        found.append(error("empty-list", key.span, "the sum has no answer in it", help))
        return None
    return Sum(terms, sum((part for part in parts if isinstance(part, Decimal)), Decimal(0)), key.span)


def _summand(node: Node, found: Found) -> Term | Decimal | None:
    """`{answer: q, times: n}` or a number."""
    if not isinstance(node, Mapping):
        return _number(node, found)
    for key, _ in node.entries:
        if key.text not in ("answer", "times"):
            help = one_of(key.text, ("answer", "times"))
            found.append(error("unknown-key", key.span, f"the key `{key.text}` is not known here", help))
            return None
    question, times = node.get("answer"), node.get("times")
    if question is None:
        help = "write `{answer: question, times: 1}`"
        found.append(error("missing-key", node.span, "the key `answer` is missing", help))
        return None
    name = _text(question, found, "the question")
    factor = Decimal(1) if times is None else _number(times, found)
    return None if name is None or factor is None else Term(name.text, factor, name.span)


def _number(node: Node, found: Found) -> Decimal | None:
    text = _text(node, found, "the number")
    if text is None:
        return None
    number = scalar.decimal(text.text)
    if number is None:
        help = "write digits, with a point where needed, such as `1.5`"
        found.append(error("wrong-type", text.span, f"`{text.text}` is no number", help))
    return number
