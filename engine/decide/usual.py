"""What most patients say, by the look of a ruleset: they deny what can be denied. Only speed hangs on it.

A network that is fed what is rare has little to do, so `compile.py` asks which literals usually hold.
"""

from __future__ import annotations

from engine.decide.answers import Answers, Order
from engine.decide.inputs import Inputs
from engine.decide.literals import Book
from engine.rules.condition import Answered, Compare, Unknown
from engine.rules.model import NO, NOTHING, Question, QuestionType, Ruleset


class Rarity:
    """How seldom each literal of a book holds: what a denied question says is usual, what else it could say is rare."""

    def __init__(self, ruleset: Ruleset, order: Order, book: Book, inputs: Inputs) -> None:
        deniable = {each.id for each in _deniable(ruleset)}
        usual = usual_literals(ruleset, order, inputs)
        self._class = {key: 2 if key in usual else 1 for _, _, key in book.literals()}
        for leaf, _, key in book.literals():
            if key not in usual and isinstance(leaf, Compare | Unknown | Answered) and leaf.question in deniable:
                self._class[key] = 0

    def of(self, literal: str) -> int:
        """0: rare, 1: neither, 2: usual. What a level of the network works out is neither."""
        return self._class.get(literal, 1)


def usual_literals(ruleset: Ruleset, order: Order, inputs: Inputs) -> frozenset[str]:
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
