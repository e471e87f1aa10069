"""The functions into which a ruleset is written, and what they leave behind."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from weakref import ref

import pytest

from engine.decide.answers import Answers, Order
from engine.decide.evaluate import Evaluator
from engine.decide.writing import Ask, Earlier, Writer
from engine.decide.written import CONDITIONS_OF_A_BLOCK
from engine.rules.condition import Compare, Operator
from tests.decide.generate import load_content, ruleset_content, small_content

YES_NO = {"type": "yes_no"}


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_an_evaluator_that_nobody_needs_goes_at_once(no_collector: None) -> None:
    """Rulesets are reloaded for years: what waits for the collector of circles would pile up."""
    evaluator = Evaluator(load_content(ruleset_content(random.Random(5))))
    evaluator.evaluate(Answers({}, frozenset()))
    function = evaluator.written.rules.certain._blocks[0].function
    parts = [ref(each) for each in (evaluator, evaluator.rete, evaluator.compiled.inputs, function)]
    del function
    evaluator.close()
    del evaluator
    assert [part() for part in parts] == [None] * len(parts)


def test_words_of_authors_are_no_code() -> None:
    """The checker refuses such names and options; were one to come through, it would still be a text."""
    ruleset = load_content(small_content({"q0": YES_NO}, {"q0": "yes"})).ruleset
    order = Order(ruleset.questions)
    for harm in ("') or __import__('os')._exit(1) or ('", '"', "\\", "\n    boom()", "{boom}"):
        function = Writer(ruleset, order).function([(harm, Compare("q0", Operator.IN, (harm,)))], Ask.TRUE)
        assert function((harm,), Earlier()) == [harm]
        assert function(("yes",), Earlier()) == []


def test_a_block_that_reads_no_answer_gives_what_it_gave_before_any() -> None:
    """Only the blocks of the questions that were answered are called; all rules are in the result."""
    questions = {f"q{number}": YES_NO for number in range(3 * CONDITIONS_OF_A_BLOCK)}
    content = small_content(questions, {"q0": "yes"})
    rule = content["rules"]["R00"]
    content["rules"] = {f"R{number:03}": rule | {"when": {name: "yes"}} for number, name in enumerate(questions)}
    evaluator = Evaluator(load_content(content))
    called: list[int] = []
    for number, block in enumerate(evaluator.written.rules.certain._blocks):
        function = block.function

        def counted(*arguments: object, number: int = number, function: object = function) -> object:
            called.append(number)
            return function(*arguments)  # type: ignore[operator]

        object.__setattr__(block, "function", counted)
    outcome = evaluator.evaluate(Answers({"q0": "no", "q1": "yes"}, frozenset())).outcome
    assert called == [0]
    assert outcome.rules[:1] == ("R001",)
