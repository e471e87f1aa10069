"""A condition as a nested list that a person follows line by line, and that says the same in its attributes.

One walk makes both: an inner node carries `data-op` (all, any, count, not, unless, surely) and the sentence of that
name, a line carries what it asks for (`data-question`, `data-operator`, `data-values`; or `data-finding-is`,
`data-rule-is`, `data-disposition-in`, `data-programme-in`) and the words for it. Every number that is compared with
stands in a `data-threshold`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum

from engine.author.handbook.markup import Markup, join, listed, tag, to
from engine.author.handbook.words import Words
from engine.decide.answers import plain_number
from engine.rules.condition import (
    All,
    Answered,
    AnyOf,
    Compare,
    Condition,
    Count,
    DispositionIn,
    FindingIs,
    Leaf,
    Not,
    Operand,
    Parameter,
    ProgrammeIn,
    RuleIs,
    Sum,
    Surely,
    Text,
    Unknown,
    Unless,
    leaves,
    members,
)
from engine.rules.model import Ruleset

OPS: dict[type, str] = {All: "all", AnyOf: "any", Count: "count", Not: "not", Unless: "unless", Surely: "surely"}


def condition_list(words: Words, ruleset: Ruleset, condition: Condition) -> Markup:
    """The whole condition."""
    return tag("div", _node(words, ruleset, condition), class_="condition")


def _node(words: Words, ruleset: Ruleset, condition: Condition) -> Markup:
    match condition:
        case All() | AnyOf() | Count() | Not() | Unless() | Surely():
            op = OPS[type(condition)]
            number = str(condition.at_least) if isinstance(condition, Count) else None
            said = words(f"condition.{op}", n=tag("b", number, data_count=number) if number else "")
            lines = (tag("li", _node(words, ruleset, part)) for part in members(condition))
            return tag("div", tag("span", said, class_="op"), tag("ul", *lines), data_op=op)
        case _:
            return _leaf(words, ruleset, condition)


def _leaf(words: Words, ruleset: Ruleset, leaf: Leaf) -> Markup:
    match leaf:
        case Compare(question, operator, operands):
            values = " ".join(plain_number(each) for each in operands if not isinstance(each, Sum | Text | Parameter))
            said = [_asked(words, question), ": "]
            if operator.value != "in":
                said.append(f"{words.label(operator.value)} ")
            said.append(
                listed((_operand(words, ruleset, question, each) for each in operands), f" {words.label('or')} ")
            )
            if isinstance(operands[0], Sum) or operator.value != "in":
                said.append(f" {words.unit(ruleset.questions[question])}")
            return tag("span", *said, data_question=question, data_operator=operator.value, data_values=values)
        case Unknown(question) | Answered(question):
            state = "unknown" if isinstance(leaf, Unknown) else "answered"
            said = [_asked(words, question), ": ", words(f"condition.{state}")]
            return tag("span", *said, data_question=question, data_operator=state, data_values="")
        case FindingIs(finding):
            return tag("span", words("condition.finding", name=words.finding(finding)), data_finding_is=finding)
        case RuleIs(rule):
            return tag("span", words("condition.rule", id=to("rule", rule)), data_rule_is=rule)
        case DispositionIn(dispositions):
            ids = [each.word for each in sorted(dispositions, reverse=True)]
            titles = listed((words.text("disposition_titles", each) for each in ids), f" {words.label('or')} ")
            return tag("span", words("condition.disposition", titles=titles), data_disposition_in=" ".join(ids))
        case ProgrammeIn(programmes):
            ids = [each.word for each in sorted(programmes, key=lambda each: each.value)]
            titles = listed((words.text("programmes", each) for each in ids), f" {words.label('or')} ")
            return tag("span", words("condition.programme", titles=titles), data_programme_in=" ".join(ids))


def _asked(words: Words, question: str) -> Markup:
    """The question as people read it, with its id."""
    return join([words.text("questions", question), " (", to("question", question), ")"])


def _operand(words: Words, ruleset: Ruleset, question: str, operand: Operand) -> Markup:
    match operand:
        case Sum(terms, constant):
            parts = [
                words(
                    "condition.times",
                    n=tag("b", words.number(term.times), data_times=plain_number(term.times)),
                    answer=tag("span", _asked(words, term.question), data_term=term.question),
                )
                for term in terms
            ]
            last = tag("b", words.number(constant), data_constant=plain_number(constant))
            return listed([*parts, last] if constant else parts, " + ")
        case str():
            return tag("q", words.option(ruleset.questions[question], operand))
        case Text() | Parameter():
            raise TypeError(f"operand `{operand}` was not checked")
        case _:
            return tag("b", words.number(operand), data_threshold=plain_number(operand))


class Unanswered(Enum):
    """What an answer that is not known does to a condition, all else being equal."""

    MET = "met"
    UNMET = "unmet"
    NEITHER = "neither"


def questions_in(ruleset: Ruleset, condition: Condition) -> tuple[str, ...]:
    """The questions that a condition reads, also through its findings; each once, in order."""
    return tuple(dict.fromkeys(_questions(ruleset, condition)))


def _questions(ruleset: Ruleset, condition: Condition) -> Iterator[str]:
    for leaf in leaves(condition):
        match leaf:
            case FindingIs(finding):
                yield from _questions(ruleset, ruleset.findings[finding].when)
            case Compare(question) | Unknown(question) | Answered(question):
                yield question
            case _:
                pass


def when_unknown(ruleset: Ruleset, condition: Condition, question: str) -> Unanswered | None:
    """What it does to the condition that this answer is not known; None where the condition does not read it.

    Parts that do not read the question are left out of account, as if they decided nothing.
    """
    match condition:
        case FindingIs(finding):
            return when_unknown(ruleset, ruleset.findings[finding].when, question)
        case Compare(asked):
            return Unanswered.NEITHER if asked == question else None
        case Unknown(asked) | Answered(asked):
            met = Unanswered.MET if isinstance(condition, Unknown) else Unanswered.UNMET
            return met if asked == question else None
        case All(parts):
            return _first(ruleset, parts, question, (Unanswered.UNMET, Unanswered.NEITHER, Unanswered.MET))
        case AnyOf(parts) | Count(_, parts):
            return _first(ruleset, parts, question, (Unanswered.MET, Unanswered.NEITHER, Unanswered.UNMET))
        case Not(part):
            return _turned(when_unknown(ruleset, part, question), Unanswered.NEITHER)
        case Unless(part):
            return _turned(when_unknown(ruleset, part, question), Unanswered.MET)
        case Surely(part):
            found = when_unknown(ruleset, part, question)
            return Unanswered.UNMET if found is Unanswered.NEITHER else found
        case _:
            return None


def _first(
    ruleset: Ruleset, parts: Iterable[Condition], question: str, order: tuple[Unanswered, ...]
) -> Unanswered | None:
    found = {when_unknown(ruleset, part, question) for part in parts}
    return next((each for each in order if each in found), None)


def _turned(found: Unanswered | None, neither: Unanswered) -> Unanswered | None:
    """The opposite; what an unknown becomes depends on the kind of negation."""
    if found is None or found is Unanswered.NEITHER:
        return None if found is None else neither
    return Unanswered.UNMET if found is Unanswered.MET else Unanswered.MET
