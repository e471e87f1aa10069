"""Pluis: a patient's answers in, a referral decision out, by rules that clinicians read and change.

The map of the house. Each room answers one question, and knows only the rooms before it:

    errors    every exception that is raised on purpose
    rules     is this text a ruleset?              text -> CheckedRuleset, or all its problems with their places
    decide    what follows from these answers?     CheckedRuleset + answers -> outcome, on two evaluators that agree
    prove     what follows for all answers?        claims proved or refuted by a patient; needs the extra `prove`
    record    what was decided, and can we show it?
    author    what helps the people who write rules?
    serve     who may ask, over which wire?        the gRPC service
    population  what follows for a whole population, on one machine or a cluster?
    channel   how does a program reach a service? TLS, certificate, token, retries
    client    for programs that ask a service; needs neither the inference engine nor YAML
    cli       the `pluis` command
    pb        generated from protos/ by `make proto`

The way through: `engine.rules.load` reads a ruleset, `engine.decide.evaluate.Evaluator` decides. For example, with a
folder that holds a ruleset:

    from engine import Evaluator, load
    evaluator = Evaluator(load("rulesets/low_back_pain"))

The names below are public; they are imported when they are first used, so that `engine.client` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.decide.answers import Answers
    from engine.decide.decision import Outcome
    from engine.decide.evaluate import Evaluator
    from engine.rules.load import load
    from engine.rules.model import Ruleset

__all__ = ["Answers", "Evaluator", "Outcome", "Ruleset", "load"]
__version__ = "0.1.0"

_HOME = {
    "Answers": "engine.decide.answers",
    "Evaluator": "engine.decide.evaluate",
    "Outcome": "engine.decide.decision",
    "Ruleset": "engine.rules.model",
    "load": "engine.rules.load",
}


def __getattr__(name: str) -> object:
    """Imports a public name when it is first used (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module `engine` has no `{name}`")
    value: object = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
