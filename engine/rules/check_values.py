"""Values: what a question can be answered, and whether each comparison asks for something that it can be."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from engine.rules import scalar
from engine.rules.condition import (
    Compare,
    Condition,
    Leaf,
    Operand,
    Operator,
    Parameter,
    Sum,
    Text,
    Value,
    leaves,
    rewrite,
)
from engine.rules.model import NO, YES, Question, QuestionType, Ruleset
from engine.rules.problem import Problem, error
from engine.rules.sites import rewrite_sites, sites
from engine.rules.source import Span
from engine.rules.suggest import one_of

CONFUSING = frozenset({"yes", "no", "unknown", "true", "false", "null"})
"""Words that mean something else wherever answers are written; no option can have such a name."""


def questions_sound(ruleset: Ruleset) -> Iterable[Problem]:
    """Options and ranges: there where the type needs them, not elsewhere, and usable."""
    for question in ruleset.questions.values():
        what = f"`{question.id}` is of type {question.type.value}"
        if question.type.is_number:
            yield from _range(ruleset, question, what)
        elif question.low is not None or question.unit:
            span = ruleset.place("questions", question.id, "range" if question.low is not None else "unit")
            yield error("key-not-for-type", span, f"{what}, it has no range and no unit", "take it out")
        if question.type in (QuestionType.CHOICE, QuestionType.SEVERAL):
            yield from _options(ruleset, question, what)
        elif question.options != ((YES, NO) if question.type is QuestionType.YES_NO else ()):
            span = ruleset.place("questions", question.id, "options")
            yield error(
                "key-not-for-type", span, f"{what}, it has no options", "take them out, or write `type: choice`"
            )
        if question.yes_is_good and question.type is not QuestionType.YES_NO:
            span = ruleset.place("questions", question.id, "yes_is_good")
            yield error("key-not-for-type", span, f"{what}, it has no yes", "take it out")
        elif question.yes_is_good and question.group:
            message = f"`{question.id}` stands in a group, and denying the group would deny good news"
            span = ruleset.place("questions", question.id, "yes_is_good")
            yield error("yes-is-good-in-group", span, message, "take the question out of the group")


def _range(ruleset: Ruleset, question: Question, what: str) -> Iterable[Problem]:
    span = ruleset.place("questions", question.id, "range")
    low, high = question.low, question.high
    if low is None or high is None:
        yield error("missing-range", question.span, f"{what}, it needs a range", "add `range: [lowest, highest]`")
    elif low > high:
        yield error("bad-range", span, f"the range of `{question.id}` ends before it begins", "write the lowest first")
    elif question.type is QuestionType.INTEGER and (low % 1 or high % 1):
        yield error("bad-range", span, f"{what}, its range cannot have a fraction", "write whole numbers")


def _options(ruleset: Ruleset, question: Question, what: str) -> Iterable[Problem]:
    if len(question.options) < (2 if question.type is QuestionType.CHOICE else 1):
        yield error("missing-options", question.span, f"{what}, it needs options", "add `options: [one, two]`")
    for number, option in enumerate(question.options):
        span = ruleset.place("questions", question.id, "options", number)
        if option in question.options[:number]:
            yield error("bad-option", span, f"the option `{option}` is given twice", "give it once")
        elif option in CONFUSING:
            help = "choose another word, or make it a yes_no question"
            yield error("bad-option", span, f"`{option}` cannot be an option, it means something else", help)
        elif scalar.decimal(option.replace("_", "").lstrip("0") or "0") is not None:
            yield error("bad-option", span, f"`{option}` looks like a number", "choose a word, or a number question")


def parameters_in_range(ruleset: Ruleset) -> Iterable[Problem]:
    """Parameters outside the range that their author gave them."""
    for it in ruleset.parameters.values():
        if it.low is None or it.high is None:
            continue
        span = ruleset.place("parameters", it.id, "range")
        if it.low > it.high:
            yield error("bad-range", span, f"the range of `{it.id}` ends before it begins", "write the lowest first")
        elif not it.low <= it.value <= it.high:
            span = ruleset.place("parameters", it.id, "value")
            message = f"`{it.value}` is outside the range of `{it.id}`"
            yield error("parameter-outside-range", span, message, f"write a number from {it.low} to {it.high}")


def operands_fit(ruleset: Ruleset) -> Iterable[Problem]:
    """Comparisons with what the question cannot be: another type, an unknown option, a bound outside the range."""
    found: list[Problem] = []
    for site in sites(ruleset):
        for leaf in leaves(site.condition):
            _typed(leaf, ruleset, found)
    return found


def typed(ruleset: Ruleset) -> Ruleset:
    """The ruleset with every operand a value of its question's type; only for a ruleset in which all operands fit."""
    unfit: list[Problem] = []

    def change(condition: Condition) -> Condition:
        return rewrite(condition, lambda leaf: _typed(leaf, ruleset, unfit))

    return rewrite_sites(ruleset, change)


def _typed(leaf: Leaf, ruleset: Ruleset, found: list[Problem]) -> Leaf:
    """A comparison with typed operands; as it was, with problems added to `found`, where that cannot be."""
    if not isinstance(leaf, Compare) or leaf.question not in ruleset.questions:
        return leaf
    question = ruleset.questions[leaf.question]
    if leaf.operator is not Operator.IN and not question.type.is_number:
        message = f"`{question.id}` is of type {question.type.value}, `{leaf.operator.value}` compares numbers"
        help = f"write `{{{question.id}: {question.options[0] if question.options else '...'}}}`"
        found.append(error("wrong-type", leaf.span, message, help))
        return leaf
    operands = [_operand(operand, question, leaf.span, ruleset, found) for operand in leaf.operands]
    whole = tuple(operand for operand in operands if operand is not None)
    return Compare(leaf.question, leaf.operator, whole, leaf.span) if len(whole) == len(operands) else leaf


def _operand(
    operand: Operand, question: Question, around: Span, ruleset: Ruleset, found: list[Problem]
) -> Operand | None:
    if isinstance(operand, Sum):
        return _sum(operand, ruleset, found)
    if isinstance(operand, Parameter):
        parameter = ruleset.parameters.get(operand.name)
        return None if parameter is None else _value(f"{parameter.value:f}", question, operand.span, found)
    if isinstance(operand, Text):
        return _value(operand.text, question, operand.span, found)
    written = f"{operand:f}" if isinstance(operand, Decimal) else str(operand)
    return _value(written, question, around, found)


def _sum(bound: Sum, ruleset: Ruleset, found: list[Problem]) -> Sum:
    for term in bound.terms:
        question = ruleset.questions.get(term.question)
        if question is not None and not question.type.is_number:
            message = f"`{term.question}` is of type {question.type.value}, only numbers can be compared or summed"
            found.append(error("wrong-type", term.span, message, "name a question of type integer or decimal"))
    return bound


def _value(text: str, question: Question, span: Span, found: list[Problem]) -> Value | None:
    if not question.type.is_number:
        if text in question.options:
            return text
        if not question.options:  # which is a problem of its own
            return None
        message = f"`{question.id}` has no option `{text}`"
        found.append(error("unknown-option", span, message, one_of(text, question.options)))
        return None
    number = scalar.decimal(text)
    if number is None or (question.type is QuestionType.INTEGER and number % 1):
        wanted = "whole number" if question.type is QuestionType.INTEGER else "number"
        found.append(error("wrong-type", span, f"`{text}` is no {wanted}, and `{question.id}` asks for one"))
        return None
    low, high = question.low, question.high
    if low is not None and high is not None and low <= high and not low <= number <= high:
        message = f"`{text}` is outside the range of `{question.id}`"
        help = f"write a number from {low} to {high}, or change the range (line {question.span.line})"
        found.append(error("threshold-outside-range", span, message, help))
        return None
    return int(number) if question.type is QuestionType.INTEGER else Decimal(number)


def answer_problem(text: str, question: Question, span: Span) -> Problem | None:
    """What is wrong with an answer that an author wrote, or None; `unknown` can always be answered."""
    found: list[Problem] = []
    if text != "unknown":
        _value(text, question, span, found)
    return found[0] if found else None
