"""What those who run the service may ask of it, and what they are told; how it is done is another file's business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.errors import PluisError
from engine.record.entry import RulesetKey


class OperationRefused(PluisError):
    """What was asked cannot be done as things are; the message says why."""


@dataclass(frozen=True, slots=True)
class ReleaseTold:
    """A release in a few words: rulesets that were checked together, and are active together."""

    id: str
    created: datetime
    rulesets: tuple[RulesetKey, ...]


@dataclass(frozen=True, slots=True)
class ProblemTold:
    """Why a folder below the folder of rulesets is not served."""

    source: str
    message: str


@dataclass(frozen=True, slots=True)
class WorkerTold:
    """One process that answers. `release` is empty while it starts."""

    number: int
    release: str
    started: datetime
    restarts: int


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What is active after a reload or a rollback; with problems nothing has changed."""

    release: ReleaseTold
    problems: tuple[ProblemTold, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """How the service is doing. `earlier`: ids of releases that can be gone back to, the latest first."""

    release: ReleaseTold
    earlier: Sequence[str]
    problems: Sequence[ProblemTold]
    workers: Sequence[WorkerTold]


class Operations(Protocol):
    """Asked by the admin rpcs, in any worker. `patience` is in seconds; OperationRefused when it is over."""

    def reload(self, patience: float) -> Reloaded:
        """Reads the folder of rulesets again."""

    def rollback(self, release: str, patience: float) -> Reloaded:
        """Activates an earlier release; the one before when none is named."""

    def status(self, patience: float) -> Status:
        """How the service is doing."""
