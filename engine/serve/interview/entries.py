"""What a person filled in on one screen: answers, and a remark for each question where that is not one answer.

A question that is left blank is *missing* and is asked again; only the box "I do not know" makes it *unknown*.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from engine.decide.answers import UNKNOWN, Given, given, plain_number
from engine.decide.interview import Screen
from engine.rules.model import NO, NOTHING, Question, QuestionType, Ruleset
from engine.serve.errors import MalformedRequest
from engine.serve.interview.state import Texts

NOT_KNOWN = "unknown"
"""As `engine.decide.answers.given` reads it."""
NUMBER = re.compile(r"-?[0-9]{1,9}([.,][0-9]{1,2})?")
"""A comma or a point. Three digits after it may be thousands as well: such a number is asked again."""


class Fault(Enum):
    """Why a question is asked again; the words are in words.*.toml."""

    BLANK = "blank"
    TWO_ANSWERS = "two_answers"
    NO_NUMBER = "no_number"
    NOT_WHOLE = "not_whole"
    OUT_OF_RANGE = "out_of_range"
    DENIED_TOO = "denied_too"
    CONTRADICTION = "contradiction"


@dataclass(frozen=True, slots=True)
class Remark:
    """Said at a question. `text` is the ruleset's own, where it has one; `earlier` are questions answered before that
    the answer does not fit."""

    fault: Fault
    text: str = ""
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entered:
    """What can be used of a screen, and what is said of the rest."""

    answers: Texts
    remarks: Mapping[str, Remark]


def enter(ruleset: Ruleset, screen: Screen, entries: Texts, denied: bool) -> Entered:
    """The answers on a screen; `denied`: the person pressed "none of these".

    Raises MalformedRequest for what the screen does not offer.
    """
    if not {*entries} <= {*screen.questions} or (denied and not screen.deniable):
        raise MalformedRequest("the form is not one of this page")
    answers: dict[str, tuple[str, ...]] = {}
    remarks: dict[str, Remark] = {}
    for name in screen.questions:
        question = ruleset.questions[name]
        said = tuple(each.strip() for each in entries.get(name, ()) if each.strip())
        read = _denied(question, said) if denied else _read(question, said)
        if isinstance(read, Fault):
            remarks[name] = Remark(read)
        else:
            answers[name] = read
    return Entered(answers, remarks)


def typed(ruleset: Ruleset, answers: Texts) -> dict[str, Given]:
    """Answers as `Evaluator.read` takes them, not yet held against their questions.

    Raises MalformedRequest for a question that there is not, or one answered twice.
    """
    found: dict[str, Given] = {}
    for name, said in answers.items():
        question = ruleset.questions.get(name)
        several = question is not None and question.type is QuestionType.SEVERAL
        if question is None or (len(said) > 1 and not several):
            raise MalformedRequest("the form has an answer to no question of the ruleset, or two to one")
        if said == (NOT_KNOWN,):
            found[name] = UNKNOWN
        else:
            found[name] = Given(QuestionType.SEVERAL, said) if several else given(said[0])
    return found


def _denied(question: Question, said: tuple[str, ...]) -> tuple[str, ...] | Fault:
    """An answer beside "none of these" is asked about: which of the two is meant decides too much to guess."""
    denial = (NO if question.type is QuestionType.YES_NO else NOTHING,)
    return denial if said in ((), denial) else Fault.DENIED_TOO


def _read(question: Question, said: tuple[str, ...]) -> tuple[str, ...] | Fault:
    if not said:
        return Fault.BLANK
    if len(said) > 1 and (NOT_KNOWN in said or question.type is not QuestionType.SEVERAL):
        return Fault.TWO_ANSWERS
    if said == (NOT_KNOWN,):
        return said
    if question.type.is_number:
        return _number(question, said[0])
    if not {*said} <= {*question.options}:
        raise MalformedRequest("the form is not one of this page")
    return said


def _number(question: Question, text: str) -> tuple[str, ...] | Fault:
    if not NUMBER.fullmatch(text):
        return Fault.NO_NUMBER
    number = Decimal(text.replace(",", "."))
    if question.type is QuestionType.INTEGER and number % 1:
        return Fault.NOT_WHOLE
    if (question.low is not None and number < question.low) or (question.high is not None and number > question.high):
        return Fault.OUT_OF_RANGE
    return (plain_number(number),)
