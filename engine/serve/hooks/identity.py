"""A card's UUID is its decision's, turned by a pattern of its kind; so feedback finds the decision without a table.

CDS Hooks sends the UUID of a card back, and nothing else of it. A digest (uuid5) of decision and kind could not be
turned back, and a table would have to outlive restarts and be shared by workers. So all bits of the decision's UUID
that are free (not those of version and variant) are exclusive-ored with a fixed pattern for each kind: doing it again
turns it back. Which kind it was tells the log, for only one of the few candidates is a decision there.
"""

from __future__ import annotations

from enum import Enum
from uuid import UUID, uuid5

from engine.rules.scale import Programme

NAMESPACE = UUID("5f0c1f0e-1d56-4c0d-9c0a-6d1b1f3f8a52")
FREE = (1 << 128) - 1 - (0xF << 76) - (0b11 << 62)
"""Every bit of a UUID but those of its version and variant."""
PROGRAMMES = tuple(each for each in Programme if each not in (Programme.NONE_YET, Programme.EITHER))
"""What can be suggested: the programmes that one can follow."""


class Kind(Enum):
    """Which card of a decision."""

    DECISION = "decision"
    FLOOR = "floor"
    """What holds already while answers are missing."""
    OPEN = "open"
    """What is still missing."""
    PROGRAMME = "programme"


def card_id(decision: UUID, kind: Kind) -> UUID:
    """The UUID of a card."""
    return _turned(decision, f"card {kind.value}")


def decision_id(card: UUID, kind: Kind) -> UUID:
    """The decision of a card, if the card is of this kind."""
    return _turned(card, f"card {kind.value}")


def suggestion_id(decision: UUID, programme: Programme) -> UUID:
    """The UUID of the suggestion of a programme."""
    return _turned(decision, f"suggestion {programme.word}")


def _turned(uuid: UUID, what: str) -> UUID:
    return UUID(int=uuid.int ^ (uuid5(NAMESPACE, what).int & FREE))


def accepted_programmes(decision: UUID, suggestions: tuple[UUID, ...]) -> tuple[Programme, ...] | None:
    """The programmes of accepted suggestions; None where one of them is no suggestion of this decision."""
    known = {suggestion_id(decision, each): each for each in PROGRAMMES}
    if any(each not in known for each in suggestions):
        return None
    return tuple(known[each] for each in suggestions)
