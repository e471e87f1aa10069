"""OperationOutcomes: what went wrong, or is worth a warning, as every FHIR client reads it.

One issue for each violation, with its FHIRPath; any other failure is one issue. The texts are those of the one table of
`engine.serve.errors`: whatever is not in it tells the caller nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from engine.errors import AnswersError, Violation
from engine.serve.errors import row_of
from engine.serve.fhir.names import Json

MOST = 100
"""Issues that are told one by one; more are counted."""

KINDS: Mapping[str, str] = {
    "INVALID_ARGUMENT": "invalid",
    "NOT_FOUND": "not-found",
    "ALREADY_EXISTS": "duplicate",
    "FAILED_PRECONDITION": "business-rule",
    "UNAUTHENTICATED": "login",
    "PERMISSION_DENIED": "forbidden",
    "RESOURCE_EXHAUSTED": "throttled",
    "DEADLINE_EXCEEDED": "timeout",
    "CANCELLED": "incomplete",
    "UNAVAILABLE": "transient",
    "INTERNAL": "exception",
}
"""The FHIR issue type of each status that the table of errors has."""

VIOLATION_KINDS: Mapping[str, str] = {
    "bad-shape": "structure",
    "not-fhir": "structure",
    "wrong-resource": "structure",
    "contradiction": "business-rule",
    "not-completed": "business-rule",
    "unknown-option": "code-invalid",
    "unknown-question": "not-found",
    "unknown-questionnaire": "not-found",
    "wrong-type": "value",
    "out-of-range": "value",
    "missing-kind": "required",
    "missing": "required",
    "too-large": "too-long",
    "too-many": "too-long",
}
"""The FHIR issue type of a violation by its code; any other is `invalid`."""


class Severity(Enum):
    """How bad an issue is: with an error nothing was decided."""

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"


def issue(
    severity: Severity, kind: str, diagnostics: str, code: str = "", text: str = "", expression: str = ""
) -> Json:
    """One issue. `diagnostics` for developers, `code` is ours, `text` for the person who answered."""
    details: Json = {}
    if code:
        details["coding"] = [{"code": code}]
    if text:
        details["text"] = text
    found: Json = {"severity": severity.value, "code": kind}
    if details:
        found["details"] = details
    found["diagnostics"] = diagnostics
    return found | {"expression": [expression]} if expression else found


def of_violations(violations: Iterable[Violation], severity: Severity) -> list[Json]:
    """An issue for each violation whose `field` is a FHIRPath; what is too much is counted."""
    every = tuple(violations)
    issues = [
        issue(severity, VIOLATION_KINDS.get(each.code, "invalid"), each.message, each.code, each.text, each.field)
        for each in every[:MOST]
    ]
    if len(every) > MOST:
        issues.append(issue(severity, "too-long", f"{len(every) - MOST} more were left out here"))
    return issues


def of_error(error: Exception) -> Json:
    """The OperationOutcome of a failure."""
    if isinstance(error, AnswersError):
        return outcome(of_violations(error.violations, Severity.ERROR))
    row = row_of(error)
    told = str(error) if row.told else row.message
    return outcome([issue(Severity.ERROR, KINDS[row.code.name], told, row.reason)])


def outcome(issues: list[Json]) -> Json:
    """An OperationOutcome, which has at least one issue."""
    return {"resourceType": "OperationOutcome", "issue": issues}
