"""Holds the solver's formulas against both evaluators on seeded pairs of ruleset and answers, and counts what it saw.

Three ways. *Pinned*: a patient whose answers are known, so that every formula comes to true or false. *But*: the same
with one answer changed, where the encoding keeps what does not read it. *Free*: a patient whom the solver makes up
under a random wish, read from its model; a completion of a record; and the same patient under two versions.

`python -m tests.prove.agreement PAIRS SEED` runs as many as you like.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import z3

from engine.decide.answers import Given, read_answers
from engine.decide.direct import TRUE, UNKNOWN, Reading
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError, PluisError
from engine.prove.conditions import readers
from engine.prove.outcome import SymbolicOutcome
from engine.prove.patient import missing_answer, pinned, unknown_answer
from engine.rules.condition import Condition, Count, Unless, members
from engine.rules.model import QuestionType
from tests.decide import agreement as of_evaluators
from tests.decide.generate import Content, answer_texts, as_given, load_content
from tests.prove import made_up
from tests.prove.compared import Patient, constant, difference, random_answer
from tests.prove.rulesets import rich_content, tiny_content

ANSWERS_PER_RULESET = 10
MADE_UP_EVERY = 20
"""Of so many rulesets one large one is given to the solver to make up patients; small ones are always."""


@dataclass
class Tally:
    """What a run has seen, by kind, and the first thing on which a formula and the evaluators differed."""

    pairs: int = 0
    rulesets: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    failure: str = ""
    content: Content | None = None
    answers: Mapping[str, str | list[str]] | None = None

    def share(self, kind: str, of: str) -> float:
        return self.kinds[kind] / max(1, self.kinds[of])


def run(pairs: int, seed: int) -> Tally:
    """Tries random pairs, until the first on which a formula says something else than the evaluators."""
    rng = random.Random(seed)
    tally = Tally()
    while tally.pairs < pairs and not tally.failure:
        tally.content = (tiny_content if tally.rulesets % 2 == 0 else rich_content)(rng)
        evaluator = Evaluator(load_content(tally.content))
        tally.rulesets += 1
        try:
            tally.failure = _ruleset(rng, evaluator, tally, min(ANSWERS_PER_RULESET, pairs - tally.pairs))
        except (PluisError, TypeError, AttributeError, KeyError, ValueError, z3.Z3Exception) as error:
            tally.failure = f"{type(error).__name__}: {error}"
        evaluator.close()
    return tally


def _ruleset(rng: random.Random, evaluator: Evaluator, tally: Tally, pairs: int) -> str:
    assert tally.content is not None
    ruleset = evaluator.checked.ruleset
    seen: list[dict[str, Given]] = []
    for number in range(pairs):
        tally.pairs += 1
        tally.answers = answer_texts(rng, tally.content["questions"])
        answers = as_given(tally.answers)
        seen.append(answers)
        it = SymbolicOutcome(ruleset, pinned(ruleset.questions, answers))
        found = difference(evaluator, it, answers, constant)
        if not found and number % 3 == 0:
            found = _changed(rng, evaluator, it, answers, tally)
        if found:
            return found
        _count(evaluator, answers, tally)
    tally.answers = None  # what the solver makes up is no random answer
    if not (tally.rulesets % 2 or tally.rulesets % MADE_UP_EVERY == 0):
        return ""
    return made_up.check(rng, evaluator, tally.content, seen, tally.kinds)


def _changed(rng: random.Random, evaluator: Evaluator, it: SymbolicOutcome, answers: Patient, tally: Tally) -> str:
    """The same patient with one answer changed: nothing that reads it may be kept."""
    ruleset = evaluator.checked.ruleset
    question = ruleset.questions[rng.choice(list(ruleset.questions))]
    given, answer = random_answer(rng, question)
    changed = {name: each for name, each in answers.items() if name != question.id}
    if given is not None:
        changed[question.id] = given
    tally.kinds["changed"] += 1
    found = difference(evaluator, it.but(question.id, answer, readers(ruleset)), changed, constant)
    return f"with `{question.id}` changed: {found}" if found else ""


def _count(evaluator: Evaluator, answers: Patient, tally: Tally) -> None:
    """Which kinds of things this pair tried."""
    ruleset, kinds = evaluator.checked.ruleset, tally.kinds
    reading = Reading(ruleset, read_answers(ruleset, answers))
    for rule in ruleset.rules.values():
        outcomes = reading.outcomes(rule.when)
        kinds["rules"] += 1
        kinds["true"] += outcomes == TRUE
        kinds["open"] += bool(outcomes & TRUE) and outcomes != TRUE
        kinds["unknown"] += bool(outcomes & UNKNOWN) and not outcomes & TRUE
        kinds["count"] += _has(rule.when, Count)
        kinds["unless"] += _has(rule.when, Unless)
    for name, question in ruleset.questions.items():
        kinds["questions"] += 1
        kinds["gates"] += reading.asked(name) != TRUE
        kinds["several"] += question.type is QuestionType.SEVERAL and name in answers
        kinds["decimals"] += question.type is QuestionType.DECIMAL and name in answers
    try:
        outcome = evaluator.evaluate(evaluator.read(answers)).outcome
    except AnswersError:
        kinds["refused"] += 1
    else:
        kinds["settled"] += outcome.settled
        kinds["hidden"] += len(outcome.advice) < len(ruleset.advice)
        kinds["programme open"] += outcome.programme.open
    kinds["pairs"] += 1


def _has(condition: Condition, kind: type[Condition]) -> bool:
    return isinstance(condition, kind) or any(_has(part, kind) for part in members(condition))


def fails(content: Content, texts: Mapping[str, str | list[str]]) -> bool:
    """Whether the formulas say something else on this pair, or with any one answer of it left out or unknown."""
    evaluator = Evaluator(load_content(content))
    ruleset, answers = evaluator.checked.ruleset, as_given(texts)
    it = SymbolicOutcome(ruleset, pinned(ruleset.questions, answers))
    try:
        if difference(evaluator, it, answers, constant):
            return True
        for name, question in ruleset.questions.items():
            rest = {key: each for key, each in answers.items() if key != name}
            for changed, answer in (
                (rest, missing_answer(question)),
                (rest | {name: Given(None)}, unknown_answer(question)),
            ):
                if difference(evaluator, it.but(name, answer, readers(ruleset)), changed, constant):
                    return True
    finally:
        evaluator.close()
    return False


def keep(tally: Tally, seed: int) -> Path | None:
    """Writes the shrunken failing pair to tests/data/found/, to be repeated for ever; None without a pair."""
    if tally.content is None or tally.answers is None or not fails(tally.content, tally.answers):
        return None
    content, texts = of_evaluators.shrink(tally.content, dict(tally.answers), fails)
    path = of_evaluators.FOUND / f"prove-{seed}-{tally.pairs}.json"
    path.write_text(json.dumps({"ruleset": content, "answers": texts}, indent=1) + "\n")
    return path


SHARES = (
    ("rules", ("true", "open", "unknown", "count", "unless")),
    ("questions", ("gates", "several", "decimals")),
    ("pairs", ("refused", "settled", "hidden", "programme open", "changed")),
    ("made up", ("wishes", "nobody", "completions", "versions", "different")),
)
"""Of what each kind is a share."""


def report(tally: Tally, seed: int) -> str:
    """The run in one line."""
    told = "; ".join(
        f"of {tally.kinds[of]} {of} " + ", ".join(f"{kind} {tally.share(kind, of):.1%}" for kind in kinds)
        for of, kinds in SHARES
    )
    return f"seed {seed}: {tally.pairs} pairs, {tally.rulesets} rulesets; {told}"


if __name__ == "__main__":
    wanted, chosen_seed = (int(each) for each in (*sys.argv[1:], "20000", "1")[:2])
    done = run(wanted, chosen_seed)
    print(report(done, chosen_seed))
    sys.exit(done.failure or 0)
