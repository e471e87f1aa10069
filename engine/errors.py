"""Every exception that Pluis raises on purpose, in one small tree.

    PluisError
    ├── RulesetError          a ruleset cannot be used; carries all its problems
    ├── AnswersError          a request's answers cannot be used; carries all violations
    ├── LogError              the decision log cannot be used as it was asked
    │   ├── LogRefused        it never will: no log here, a newer version, a key that is not there
    │   ├── LogUnavailable    not now: disk full, database away; what was asked is not recorded, and may be tried again
    │   │   ├── LogLate       not as soon as its caller wanted
    │   │   └── RequestTaken  another worker recorded the same request first: look it up
    │   ├── RequestReused     a request id came back with another request: no decision is given for it
    │   └── WriterTaken       another process writes this chain
    ├── StateUnavailable      who calls, or how often, cannot be known now: nobody is let in; may be tried again
    └── EngineError           the inference engine failed or was used in a wrong state
        ├── EngineFault       the engine itself reported an error, or gave what it never may
        └── EvaluatorsDisagree  the two evaluators gave different rules: there is no decision

Mistakes of authors are values (`engine.rules.problem.Problems`); they become an exception only where a caller asked
for a ruleset and there is none. Messages never hold a patient's answers, so that they may be logged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.rules.problem import Problems


class PluisError(Exception):
    """The root of the tree; catch it to catch everything that Pluis raises on purpose."""


class RulesetError(PluisError):
    """A ruleset cannot be used. `problems` has every reason; the message is their rendering."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(problems.render())
        self.problems = problems


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """One thing wrong with a request.

    `field` is a dotted path (`answers["age"]`), `code` is in kebab-case (`unknown-question`), `message` is one line for
    developers. `text` is for the person who answered, in `language`; empty where the ruleset has no words for it.
    """

    field: str
    code: str
    message: str
    text: str = ""
    language: str = ""


class AnswersError(PluisError):
    """A request's answers cannot be used. `violations` has every reason, by field; the message only their codes."""

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations: tuple[Violation, ...] = tuple(sorted(set(violations)))
        super().__init__("; ".join(f"{violation.field}: {violation.code}" for violation in self.violations))


class LogError(PluisError):
    """The decision log cannot be used as it was asked. Messages name no answer, no subject and no request."""


class LogRefused(LogError):
    """What was asked of the log will not work the next time either: somebody must do something first."""


class LogUnavailable(LogError):
    """The log cannot be written or read now. Nothing that was not acknowledged counts; it may be tried again."""


class LogLate(LogUnavailable):
    """What was asked is not recorded as soon as its caller wanted; its request id tells whether it was later."""


class RequestTaken(LogUnavailable):
    """A request with this id of this caller is in the log already; nothing was written."""


class RequestReused(LogError):
    """A request id of a caller that was answered already came back with another request."""


class WriterTaken(LogError):
    """Another process writes the chain of this writer."""


class StateUnavailable(PluisError):
    """Used tokens, rates or an issuer's keys cannot be had now, so nobody is let in. It may be tried again."""


class EngineError(PluisError):
    """The inference engine failed or was used in a wrong state; no decision may be drawn from it."""


class EngineFault(EngineError):
    """The engine itself reported an error, or gave a result that it never may give."""


class EvaluatorsDisagree(EngineError):
    """The two evaluators gave different rules, so there is no decision. `details` names rule ids and never answers."""

    def __init__(self, details: str) -> None:
        super().__init__(f"the evaluators disagree: {details}")
        self.details = details
