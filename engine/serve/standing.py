"""What is signed and certified about a version, and whether that is enough for what a server requires.

What is in the way of a status is told and logged; it stops a version only where a server requires more than a draft.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TypeVar

from engine.errors import RulesetError
from engine.rules.approval import Examined, Kind, Signed, Status, TrustList, examine, missing_roles, status_of
from engine.rules.certificate import Certificate, certificate_faults
from engine.rules.load import load_approvals, load_certificate, load_trust
from engine.rules.model import CheckedRuleset

Content = TypeVar("Content")


class Requirement(Enum):
    """What a version must have, beside cases that pass, before a server serves it."""

    CERTIFICATE = "certificate"
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the files around one version say, whether it counts or not; `unreadable` are those that say nothing."""

    signed: tuple[Signed, ...] = ()
    trust: TrustList = field(default_factory=TrustList)
    certificate: Certificate | None = None
    unreadable: tuple[str, ...] = ()

    def approvals(self, checked: CheckedRuleset, day: date) -> Examined:
        """The approvals that count on a day for what the ruleset says now, and why the others do not."""
        return examine(self.signed, self.trust, checked.digest, Kind.RULESET, day)

    def status(self, checked: CheckedRuleset, day: date) -> Status:
        """How far the version is on a day."""
        return status_of(checked, self.approvals(checked, day).valid, day)

    def doubts(self, checked: CheckedRuleset, day: date) -> Iterator[str]:
        """Everything that was meant to count and does not, in words."""
        yield from self.unreadable
        for refused in self.approvals(checked, day).refused:
            yield f"an approval does not count: {refused}"
        faults = certificate_faults(checked, self.certificate) if self.certificate is not None else ()
        if faults:
            yield f"the certificate does not hold: {'; '.join(faults)}"

    def unmet(self, checked: CheckedRuleset, required: Iterable[Requirement], day: date) -> Iterator[str]:
        """What a version lacks of what is required, in words."""
        for requirement in required:
            match requirement:
                case Requirement.CERTIFICATE:
                    if self.certificate is None:
                        yield "it has no certificate, and this server requires one"
                    elif certificate_faults(checked, self.certificate):
                        yield "it has no certificate that holds, and this server requires one"
                case Requirement.APPROVAL:
                    missing = missing_roles(self.approvals(checked, day).valid)
                    if missing:
                        roles = " and a ".join(role.value for role in missing)
                        yield f"it is not approved by a {roles}, each with a key of their own, as this server requires"


def read_standing(folder: Path, trust: TrustList) -> Standing:
    """What the files beside a ruleset say of it."""
    unreadable: list[str] = []
    signed = _read(lambda: load_approvals(folder), unreadable)
    certificate = _read(lambda: load_certificate(folder), unreadable)
    return Standing(signed or (), trust, certificate, tuple(unreadable))


def read_trust_list(root: Path) -> tuple[TrustList, tuple[str, ...]]:
    """The keys that count below a folder, and why they cannot be read: then nobody is trusted."""
    unreadable: list[str] = []
    trust = _read(lambda: load_trust(root), unreadable)
    return trust or TrustList(), tuple(unreadable)


def _read(load: Callable[[], Content], unreadable: list[str]) -> Content | None:
    try:
        return load()
    except RulesetError as error:
        unreadable.append(str(error))
        return None
