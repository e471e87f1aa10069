"""What lint says of sign-off: approvals, and a certificate, that do not count for what the ruleset says now.

A ruleset without approvals is a draft, which is no problem. The trust list is that of the folder of rulesets around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from engine.errors import RulesetError
from engine.rules.approval import FaultKind, Kind, Refused, examine
from engine.rules.certificate import CERTIFICATE, certificate_faults
from engine.rules.codes import Code
from engine.rules.load import find_root, load_approvals, load_certificate, load_trust
from engine.rules.model import CheckedRuleset
from engine.rules.problem import Problem, Severity, error, warning
from engine.rules.source import Source, Span

_TOLD: Final[Mapping[FaultKind, tuple[Code, Severity, str]]] = {
    FaultKind.OTHER_CONTENT: (
        "approval-outdated",
        Severity.WARNING,
        "let them read what changed and sign again with `pluis approve`, or take the approval out",
    ),
    FaultKind.NOT_VALID: (
        "approval-invalid",
        Severity.ERROR,
        "take the approval out, and ask who is named whether they signed",
    ),
    FaultKind.UNKNOWN_KEY: (
        "approval-unknown-key",
        Severity.WARNING,
        "`pluis keys trust` adds a key, once you know from its owner that it is theirs",
    ),
}


def find_unsound_signatures(folder: Path, checked: CheckedRuleset, day: date) -> Iterator[Problem]:
    """A problem for each approval that does not count on a day, and for a certificate that does not hold."""
    try:
        examined = examine(load_approvals(folder), load_trust(find_root(folder)), checked.digest, Kind.RULESET, day)
        yield from map(_problem, examined.refused)
    except RulesetError as unreadable:
        yield from unreadable.problems
    try:
        certificate = load_certificate(folder)
    except RulesetError as unreadable:
        yield from unreadable.problems
        return
    faults = () if certificate is None else certificate_faults(checked, certificate)
    if faults:
        place = Span(Source(str(folder / CERTIFICATE), ""), 1, 1, 1, 1)
        message = f"the certificate does not hold: {'; '.join(faults)}"
        yield warning("certificate-invalid", place, message, "run `pluis prove` on what the ruleset says now")


def _problem(refused: Refused) -> Problem:
    code, severity, help = _TOLD[refused.kind]
    make = error if severity is Severity.ERROR else warning
    return make(code, refused.signed.span, f"this approval does not count: {refused}", help)
