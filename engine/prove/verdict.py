"""What became of a claim: proved, refuted by a patient who was put to the evaluators, or undecided with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from engine.decide.answers import Given
from engine.rules.model import Claim


@dataclass(frozen=True, slots=True)
class Proved:
    """The claim holds for every patient. `obligations` counts what had to be shown for that, each by the solver."""

    obligations: int


@dataclass(frozen=True, slots=True)
class Refuted:
    """The claim does not hold. `why` says what goes wrong, in the author's words.

    `patients` are the answers of a patient on whom it does (of a pair, the one who should fare no worse first), put to
    the evaluators before; empty where the fault is that there is no such patient.
    """

    why: str
    patients: tuple[Mapping[str, Given], ...] = ()


@dataclass(frozen=True, slots=True)
class Undecided:
    """It is not known whether the claim holds; `why` says what stood in the way. Not proved."""

    why: str


Verdict: TypeAlias = Proved | Refuted | Undecided


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """A claim, its verdict and the seconds that it took."""

    claim: Claim
    verdict: Verdict
    seconds: float


def word(verdict: Verdict) -> str:
    """The verdict as a certificate says it."""
    match verdict:
        case Proved():
            return "proved"
        case Refuted():
            return "refuted"
        case Undecided():
            return "undecided"
