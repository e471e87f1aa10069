"""One decision beside another: what a candidate makes of the answers on which the ruleset that is served decided.

A candidate may have other questions, so it reads the request for itself. Of what comes out only a word is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from engine.decide.decision import Outcome
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError
from engine.pb.v1 import triage_pb2 as pb
from engine.serve.config import Config
from engine.serve.convert import read_answers


class Compared(Enum):
    """What a candidate's decision is beside the one that was given."""

    SAME = "same"
    """Equal in all that an outcome has."""
    STRICTER = "stricter"
    """Floor or ceiling is more urgent, and neither is less."""
    MILDER = "milder"
    """Floor or ceiling is less urgent: look at these before the candidate is served."""
    DIFFERENT = "different"
    """As urgent, by other rules, or with another call, time, programme or advice."""
    REFUSED = "refused"
    """The candidate does not take these answers."""
    FAILED = "failed"
    """The candidate gives no decision: its evaluators disagree, or the program has an error."""
    DROPPED = "dropped"
    """Nobody asked the candidate: too many were waiting, or it was lost."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What the candidate is asked, and what was decided. `request`: an EvaluateRequest without its context."""

    ruleset: str
    request: bytes
    live: Outcome


def ask(candidate: Evaluator, offered: Offered, limits: Config) -> Compared:
    """What the candidate makes of it; never raises."""
    try:
        answers = read_answers(candidate, pb.EvaluateRequest.FromString(offered.request), limits)
        return compare(offered.live, candidate.evaluate(answers).outcome)
    except AnswersError:
        return Compared.REFUSED
    except Exception:  # a candidate may do anything; its text could quote an answer
        return Compared.FAILED


def compare(live: Outcome, candidate: Outcome) -> Compared:
    """A settled outcome has one disposition, an open one a floor and a ceiling: both count."""
    if candidate == live:
        return Compared.SAME
    if candidate.floor < live.floor or candidate.ceiling < live.ceiling:
        return Compared.MILDER
    if candidate.floor > live.floor or candidate.ceiling > live.ceiling:
        return Compared.STRICTER
    return Compared.DIFFERENT
