"""Can any patient tell a mutant from its original? Asks the prover, and puts its patient to the evaluator.

The solver is an extra of the installation; without it nothing is known about a mutant that no case killed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec

from engine.author.mutation import Comparison
from engine.decide.answers import Given, plain_number
from engine.decide.decision import Outcome
from engine.decide.evaluate import Rehearsal
from engine.errors import AnswersError
from engine.rules.model import CheckedRuleset


def ask_prover(old: CheckedRuleset, new: CheckedRuleset, budget: float) -> Comparison:
    """What the prover finds within `budget` seconds. A patient counts only where the evaluator says the same."""
    if find_spec("z3") is None:
        return Comparison(None, {}, "the prover is not installed")
    from engine.prove.difference import Different, Same, find_difference

    match find_difference(old, new, budget):
        case Same():
            return Comparison(False, {})
        case Different(answers):
            words = {name: _word(given) for name, given in answers.items()}
            if _decide(old, answers) == _decide(new, answers):
                return Comparison(None, words, "the evaluator does not do what the solver says")
            return Comparison(True, words)
        case undecided:
            return Comparison(None, {}, undecided.why)


def ask_claims_too(old: CheckedRuleset, new: CheckedRuleset, budget: float) -> Comparison:
    """As `ask_prover`; of a mutant that differs also the claims that fail, within `budget` seconds more."""
    found = ask_prover(old, new, budget)
    if not found.differ:
        return found
    from engine.prove.prover import prove
    from engine.prove.verdict import Refuted

    failed = (each.claim.id for each in prove(new, budget=budget) if isinstance(each.verdict, Refuted))
    return replace(found, claims=tuple(failed))


def _decide(checked: CheckedRuleset, answers: Mapping[str, Given]) -> Outcome | None:
    """The outcome; None where the answers are refused."""
    rehearsal = Rehearsal(checked)
    try:
        return rehearsal.evaluate(rehearsal.read(answers)).outcome
    except AnswersError:
        return None


def _word(given: Given) -> str:
    """An answer as an author writes it in a case."""
    if given.kind is None:
        return "unknown"
    return ", ".join(given.value) if isinstance(given.value, tuple) else plain_number(given.value)
