"""The closed scales of the contract: dispositions, calls, programmes, guidance and evidence strength.

They mirror the enums of `protos/triage/v1/triage.proto` (a test holds them equal). In rulesets, logs and on the
terminal a member is written as its `word`: the lower-case name.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Self


class Disposition(IntEnum):
    """Where the person goes next, ordered by urgency: the referral decision."""

    SELF_CARE = 1
    PHYSIO = 2
    GP_WITHIN_DAYS = 3
    SAME_DAY_GP = 4
    EMERGENCY = 5

    def __init__(self, _: int) -> None:
        self.word = self._name_.lower()

    @classmethod
    def words(cls) -> dict[str, Self]:
        """Every member by its word, least urgent first."""
        return {member.name.lower(): member for member in cls}


class Call(Enum):
    """Whom to call. Members of equal rank are equally urgent; a higher rank wins."""

    NONE = ("none", 0)
    CLINIC = ("clinic", 1)
    GP_APPOINTMENT = ("gp_appointment", 2)
    GP_TODAY = ("gp_today", 3)
    GP_OR_HAP_NOW = ("gp_or_hap_now", 4)
    OPERATING_HOSPITAL = ("operating_hospital", 5)
    MIDWIFE = ("midwife", 5)
    EMERGENCY_NUMBER = ("112", 6)

    def __init__(self, word: str, rank: int) -> None:
        self.word, self.rank = word, rank

    @classmethod
    def words(cls) -> dict[str, Call]:
        """Every member by its word, lowest rank first."""
        return {member.word: member for member in cls}


class Programme(Enum):
    """What the programme table recommends; NONE_YET also while the table is open."""

    NONE_YET = 1
    MEDICAL_FITNESS = 2
    PILATES = 3
    EITHER = 4

    def __init__(self, _: int) -> None:
        self.word = self._name_.lower()

    @classmethod
    def words(cls) -> dict[str, Programme]:
        """Every member by its word."""
        return {member.name.lower(): member for member in cls}


class Guidance(IntEnum):
    """How firmly guidance is put to the person; of several rules the firmest counts."""

    OFFERED = 1
    RECOMMENDED = 2

    def __init__(self, _: int) -> None:
        self.word = self._name_.lower()

    @classmethod
    def words(cls) -> dict[str, Self]:
        """Every member by its word, mildest first."""
        return {member.name.lower(): member for member in cls}


class Strength(Enum):
    """What kind of support a citation gives."""

    GUIDELINE = 1
    STUDY = 2
    CONSENSUS = 3
    POLICY = 4

    def __init__(self, _: int) -> None:
        self.word = self._name_.lower()

    @classmethod
    def words(cls) -> dict[str, Strength]:
        """Every member by its word."""
        return {member.name.lower(): member for member in cls}
