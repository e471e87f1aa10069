"""A patient whom the solver found, put to the real evaluators: what do they decide, and is it what the solver said?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.decide.answers import Given
from engine.decide.decision import Outcome
from engine.decide.evaluate import Evaluated, Evaluator
from engine.errors import AnswersError, PluisError
from engine.prove.outcome import Aspect
from engine.rules.model import Default, Rule, Ruleset
from engine.rules.scale import Call, Disposition, Guidance, Programme


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a patient's answers: a decision, a refusal with its reason, or no decision with the error."""

    answers: Mapping[str, Given]
    evaluated: Evaluated | None = None
    refused: str = ""
    failed: str = ""

    @property
    def outcome(self) -> Outcome | None:
        return None if self.evaluated is None else self.evaluated.outcome


def replay(evaluator: Evaluator, answers: Mapping[str, Given]) -> Seen:
    """What both evaluators make of the answers, whatever it is."""
    try:
        return Seen(answers, evaluator.evaluate(evaluator.read(answers)))
    except AnswersError as error:
        return Seen(answers, refused="; ".join(dict.fromkeys(each.message for each in error.violations)))
    except (
        PluisError,
        TypeError,
        KeyError,
        ValueError,
    ) as error:  # a doctored ruleset may break them: that is the find
        return Seen(answers, failed=f"{type(error).__name__}: {error}")


def aspects(ruleset: Ruleset, outcome: Outcome) -> dict[Aspect, bool]:
    """A decision in the terms of `SymbolicOutcome.whole`."""
    programme = None if outcome.programme.open else outcome.programme.choice
    results: tuple[Rule | Default, ...] = (*ruleset.rules.values(), ruleset.default)
    hours = {rule.within_hours for rule in results}
    return {
        **{Aspect("floor", each.word): outcome.floor >= each for each in Disposition},
        **{Aspect("ceiling", each.word): outcome.ceiling >= each for each in Disposition},
        **{Aspect("call", each.word): each in outcome.calls for each in Call},
        **{
            Aspect("within_hours", str(most)): outcome.within_hours is not None and outcome.within_hours <= most
            for most in hours
            if most is not None
        },
        **{
            Aspect("guidance", each.word): outcome.guidance is not None and outcome.guidance >= each
            for each in Guidance
        },
        **{Aspect("programme", each.word): programme is each for each in Programme},
        **{Aspect("advice", name): name in outcome.advice for name in ruleset.advice},
        **{Aspect("safety_net", name): name in outcome.safety_net for name in ruleset.safety_net},
        **{Aspect("rule", name): name in outcome.rules for name in ruleset.rules},
        **{Aspect("open rule", name): name in outcome.open_rules for name in ruleset.rules},
        **{
            Aspect("row", row.id): programme is not None and outcome.programme.row == row.id
            for row in ruleset.programme
        },
    }
