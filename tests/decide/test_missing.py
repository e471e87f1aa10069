"""What is asked next: the same whether a rule was searched for this patient, or before anybody answered."""

from __future__ import annotations

import random
from collections import Counter

from engine.decide.decision import NextQuestion
from engine.decide.evaluate import Evaluated, Rehearsal
from engine.decide.missing import Untouched, read_by, undecided
from engine.errors import AnswersError
from tests.decide.generate import answer_texts, as_given, load_content, ruleset_content, small_content

RULESETS, PATIENTS = 150, 12


def searched(evaluated: Evaluated) -> tuple[NextQuestion, ...]:
    """The next questions, every open rule searched for this patient, one by one."""
    reading, outcome = evaluated.reading, evaluated.outcome
    found: dict[str, NextQuestion] = {}
    for name in outcome.open_rules:
        rule = reading.ruleset.rules[name]
        for question in undecided(reading, rule.when):
            found.setdefault(question, NextQuestion(question, rule.disposition))
    return tuple(found.values())


def test_a_rule_of_which_nothing_was_answered_is_as_it_was_before_any_answer() -> None:
    rng, kinds = random.Random(12), Counter[bool]()
    for _ in range(RULESETS):
        content = ruleset_content(rng)
        checked = load_content(content)
        rehearsal = Rehearsal(checked)
        for _ in range(PATIENTS):
            texts = answer_texts(rng, content["questions"])
            few = dict(rng.sample(sorted(texts.items()), rng.randrange(min(4, len(texts) + 1))))
            try:
                evaluated = rehearsal.evaluate(rehearsal.read(as_given(few)))
            except AnswersError:
                continue
            assert evaluated.outcome.next_questions == searched(evaluated)
            for name in evaluated.outcome.open_rules:
                kinds[few.keys().isdisjoint(read_by(checked.ruleset, checked.ruleset.rules[name].when))] += 1
    assert min(kinds[True], kinds[False]) > 300


def test_an_answer_to_what_decides_whether_a_question_is_asked_touches_its_rule() -> None:
    questions = {"smoke": {"type": "yes_no"}, "colour": {"type": "yes_no", "asked_when": {"smoke": "yes"}}}
    checked = load_content(small_content(questions, {"colour": "yes"}))
    (name,) = checked.ruleset.rules
    untouched = Untouched(checked.ruleset)
    assert untouched.missing(name, frozenset()) == ("smoke",)
    assert untouched.missing(name, frozenset({"another"})) == ("smoke",)
    assert untouched.missing(name, frozenset({"smoke"})) is None
    assert untouched.missing(name, frozenset({"colour"})) is None
    rehearsal = Rehearsal(checked)
    for answer, questions_left in (("yes", ["colour"]), ("no", [])):
        outcome = rehearsal.evaluate(rehearsal.read(as_given({"smoke": answer}))).outcome
        assert [each.question for each in outcome.next_questions] == questions_left
