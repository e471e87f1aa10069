"""What most patients say, by the look of a ruleset: they deny what can be denied. Only speed hangs on it.

A network that is fed what is rare has little to do, so `compile.py` asks which literals are rare, and which conditions
usually hold, to ask these the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.decide.answers import Answers, Order
from engine.decide.inputs import Inputs, test_of
from engine.decide.literals import Book
from engine.rules.condition import Answered, Compare, Condition, Unknown
from engine.rules.model import NO, NOTHING, Question, QuestionType, Ruleset


def usually_true(ruleset: Ruleset, order: Order, conditions: Mapping[str, Condition]) -> frozenset[str]:
    """The conditions that hold for somebody who denies everything, whatever earlier stages give."""
    book = Book(ruleset.findings)
    formulas = {name: book.formula(condition) for name, condition in conditions.items()}
    usual = _usual(ruleset, order, Inputs(ruleset, order, book))
    earlier = {key for leaf, _, key in book.literals() if not isinstance(leaf, Compare | Unknown | Answered)}
    return frozenset(name for name, formula in formulas.items() if test_of(formula)(usual | earlier))


class Rarity:
    """How seldom each literal of a book holds: what a denied question says is usual, what else it could say is rare."""

    def __init__(self, ruleset: Ruleset, order: Order, book: Book, inputs: Inputs) -> None:
        deniable = {each.id for each in _deniable(ruleset)}
        usual = _usual(ruleset, order, inputs)
        self._class = {key: 2 if key in usual else 1 for _, _, key in book.literals()}
        for leaf, _, key in book.literals():
            if key not in usual and isinstance(leaf, Compare | Unknown | Answered) and leaf.question in deniable:
                self._class[key] = 0

    def of(self, literal: str) -> int:
        """0: rare, 1: neither, 2: usual. What a level of the network works out is neither."""
        return self._class.get(literal, 1)


def _usual(ruleset: Ruleset, order: Order, inputs: Inputs) -> frozenset[str]:
    """The literals that hold when everything is denied that can be."""
    values = {each.id: NO if each.type is QuestionType.YES_NO else NOTHING for each in _deniable(ruleset)}
    return inputs.answers(order.place(Answers(values, frozenset()))).certain


def _deniable(ruleset: Ruleset) -> list[Question]:
    """The questions to which most people say no, or none."""
    return [
        each
        for each in ruleset.questions.values()
        if each.type is QuestionType.YES_NO or (each.type is QuestionType.CHOICE and NOTHING in each.options)
    ]
