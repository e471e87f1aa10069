"""What comes of each patient of a file: a response or an error in its place, and the exit code that tells of all.

It knows the JSON form only; who evaluates, in this process or on a server, is a function that is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.author.layout import Page
from engine.author.patients import Fault, Read
from engine.author.render import REFUSALS, Json, render_refusal, render_response
from engine.decide.answers import shown
from engine.errors import Violation

DECIDED, OTHER, REFUSED, NEEDS_ANSWERS = 0, 1, 2, 3
_MILDEST_FIRST = (DECIDED, NEEDS_ANSWERS, REFUSED, OTHER)

Ask = Callable[[Mapping[str, Any]], Json]
"""Gives the response to the arguments of one patient's request, or `{"error": ...}` where it is refused or fails."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one patient. `language` is the one to speak in where there is no response."""

    place: str
    language: str
    content: Json

    @property
    def error(self) -> Json | None:
        """Why there is no response; None where there is one."""
        error: Json | None = self.content.get("error")
        return error

    def page(self, width: int) -> Page:
        """The result for a person at a terminal."""
        if self.error is not None:
            return render_refusal(self.error, self.language, width)
        return render_response(self.content, width)

    @property
    def exit_code(self) -> int:
        """0 a decision, 3 answers are needed, 2 refused, 1 anything else."""
        if self.error is not None:
            return REFUSED if self.error.get("code") in REFUSALS else OTHER
        return DECIDED if "decision" in self.content else NEEDS_ANSWERS if "needsAnswers" in self.content else OTHER


def results(
    patients: Iterable[Read], ask: Ask, rulesets: Callable[[], Sequence[str]], language: str
) -> Iterator[Result]:
    """A result for each patient as they come.

    `language` holds for those who name none; `rulesets` gives the ids that are served, for those who leave theirs out.
    """
    served: Sequence[str] | None = None
    for patient in patients:
        if isinstance(patient, Fault):
            yield Result(patient.place, language, refusal(patient.violations))
            continue
        wanted = patient.language or language
        if not patient.ruleset and served is None:
            served = rulesets()
        if not patient.ruleset and served is not None and len(served) != 1:
            told = f"name a `ruleset`, because there is {', '.join(map(shown, served)) or 'none'}"
            yield Result(patient.place, wanted, refusal([Violation("ruleset", "no-ruleset", told)]))
            continue
        asked = {
            "ruleset": patient.ruleset or (served or [""])[0],
            "version": patient.version,
            "language": wanted,
            "answers": patient.answers,
            "none_of": patient.none_of,
            "request_id": patient.request_id,
        }
        yield Result(patient.place, wanted, ask(asked))


def refusal(violations: Sequence[Violation]) -> Json:
    """The error of a patient who was refused before anybody was asked."""
    message = violations[0].message
    if len(violations) > 1:
        message = f"{len(violations)} violations in the request, such as {violations[0].field or 'this'}: {message}"
    return failure("INVALID_ARGUMENT", "INVALID_PATIENT", message, violations)


def failure(code: str, reason: str, message: str, violations: Iterable[Violation]) -> Json:
    """An error in its place among the responses; the same for a file, for this process and for a server."""
    listed = [
        {"field": each.field, "code": each.code, "description": each.message, "text": each.text} for each in violations
    ]
    listed = [{key: said for key, said in each.items() if said or key not in ("code", "text")} for each in listed]
    return {"error": {"code": code, "reason": reason, "message": message, "violations": listed}}


def violations_of(status: Json) -> list[Violation]:
    """The violations in the JSON form of a google.rpc.Status; its reasons are the codes, written another way."""
    return [
        Violation(
            each.get("field", ""),
            each.get("reason", "").lower().replace("_", "-"),
            each.get("description", ""),
            each.get("localizedMessage", {}).get("message", ""),
            each.get("localizedMessage", {}).get("locale", ""),
        )
        for detail in status.get("details", ())
        for each in detail.get("fieldViolations", ())
    ]


def worst(one: int, other: int) -> int:
    """The exit code that tells of both.

    >>> worst(3, 0), worst(3, 2), worst(1, 2)
    (3, 2, 1)
    """
    return max(one, other, key=_MILDEST_FIRST.index)
