"""Mutated rulesets: either problems with places inside the text, or a ruleset on which both evaluators agree."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from engine.decide.answers import Given
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError
from engine.rules.load import build
from engine.rules.model import CheckedRuleset, Question, QuestionType
from engine.rules.problem import Problems
from engine.rules.source import Source
from tests.decide.generate import ruleset_content, texts_content
from tests.fuzz import trees
from tests.fuzz.tally import DECIDED, REFUSED, Tally
from tests.fuzz.trees import Draw, Tree

ROOT = Path(__file__).parents[2]
WRITTEN = (ROOT / "tests" / "data" / "minimal", ROOT / "rulesets" / "low_back_pain")
PATIENTS = 4


@cache
def written(folder: Path) -> dict[str, Tree]:
    """The files of a ruleset of the repository, as trees."""
    return {file.name: trees.read(file) for file in sorted(folder.glob("*.yaml")) if file.name != "cases.yaml"}


def _generated(seed: int) -> dict[str, Tree]:
    content: Any = ruleset_content(random.Random(seed))
    return {"ruleset.yaml": content, "texts.nl.yaml": texts_content(content)}


def one(draw: Draw, tally: Tally) -> None:
    """One mutated ruleset, and what must hold of it."""
    # Small ones first: hypothesis tries those when it looks for the simplest failure.
    seed = draw(st.integers(0, 9_999))
    small = _generated(seed)
    files = dict(draw(st.sampled_from((*map(written, WRITTEN), small, small))))
    wild, gentle = draw(st.sampled_from(((1, 0), (2, 1), (0, 1), (0, 2), (0, 3), (0, 5))))
    name = draw(st.sampled_from(("ruleset.yaml",) * 4 + tuple(sorted(files))))
    files[name] = trees.mutated(draw, files[name], wild, gentle)
    sources = {each: Source(each, trees.write(tree)) for each, tree in files.items()}
    checked, problems = build(sources)
    _problems_have_places(problems, sources)
    if checked is None:
        assert problems.errors
        tally.add(REFUSED)
        return
    assert not problems.errors
    _evaluators_agree(checked, random.Random(seed))
    tally.add(DECIDED)


def _problems_have_places(problems: Problems, sources: dict[str, Source]) -> None:
    for problem in problems:
        span = problem.span
        assert span.source.name in sources or span.source.name == "ruleset.yaml", problem
        lines = span.source.text.split("\n")
        assert 1 <= span.line <= len(lines), problem
        assert 1 <= span.column <= len(lines[span.line - 1]) + 1, problem
        assert problem.message and "\n" not in problem.render().splitlines()[0]


def _evaluators_agree(checked: CheckedRuleset, rng: random.Random) -> None:
    """A difference between the two raises; contradicting answers are a clear error."""
    evaluator = Evaluator(checked)
    try:
        for _ in range(PATIENTS):
            silent = rng.choice((0.0, 0.2, 0.8))
            given = {
                name: answer(rng, question)
                for name, question in checked.ruleset.questions.items()
                if rng.random() >= silent
            }
            try:
                answers = evaluator.read(given)
            except AnswersError as error:
                assert {each.code for each in error.violations} == {"contradiction"}, error
                continue
            outcome = evaluator.evaluate(answers).outcome
            assert outcome.safety_net and outcome.floor <= outcome.ceiling
    finally:
        evaluator.close()


def answer(rng: random.Random, question: Question) -> Given:
    """A random answer that the question takes."""
    if rng.random() < 0.15:
        return Given(None)
    match question.type:
        case QuestionType.INTEGER | QuestionType.DECIMAL:
            assert question.low is not None and question.high is not None
            low = int(question.low) + (question.low > int(question.low))
            return Given(QuestionType.INTEGER, rng.randint(low, max(low, int(question.high))))
        case QuestionType.SEVERAL:
            return Given(question.type, (rng.choice(question.options),))
        case _:
            return Given(question.type, rng.choice(question.options))
