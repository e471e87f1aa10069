"""Which members of a condition decide about it for one patient: the masking form of MC/DC, over sets of outcomes.

A member decides when turning its outcome around, all others held as they are, changes whether the whole condition takes
effect. The outcomes come from a `Reading`; only how members make up a whole is worked out here once more, and a test
holds it equal to the meaning in `decide/direct.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from engine.decide.direct import FALSE, TRUE, UNKNOWN, Reading
from engine.rules.condition import All, AnyOf, Compare, Condition, Count, FindingIs, Not, Surely, Unless, members
from engine.rules.model import Ruleset

Path: TypeAlias = tuple[int, ...]
"""Where a member stands: at each step its number among the members, from 0; `()` is the whole condition."""

_OUTCOMES = (TRUE, FALSE, UNKNOWN)
_AFTER_NOT = {TRUE: FALSE, FALSE: TRUE, UNKNOWN: UNKNOWN}
_AFTER_UNLESS = {TRUE: FALSE, FALSE: TRUE, UNKNOWN: TRUE}
_AFTER_SURELY = {TRUE: TRUE, FALSE: FALSE, UNKNOWN: FALSE}


def combine(condition: Condition, outcomes: Sequence[int]) -> int:
    """The outcomes of a condition whose members have these; each member varies on its own."""
    match condition:
        case All():
            return _counted(len(outcomes), outcomes)  # all of n: at least n of them
        case AnyOf():
            return _counted(1, outcomes)
        case Count(at_least):
            return _counted(at_least, outcomes)
        case Not():
            return _each(_AFTER_NOT, outcomes[0])
        case Unless():
            return _each(_AFTER_UNLESS, outcomes[0])
        case Surely():
            return _each(_AFTER_SURELY, outcomes[0])
        case _:
            raise TypeError("a leaf has no members")


def _each(after: dict[int, int], outcomes: int) -> int:
    return sum({after[each] for each in _OUTCOMES if outcomes & each})


def _counted(at_least: int, outcomes: Sequence[int]) -> int:
    reached = {(0, 0)}  # members that are true, members that are unknown
    for some in outcomes:
        reached = {
            (true + (each == TRUE), unknown + (each == UNKNOWN))
            for true, unknown in reached
            for each in _OUTCOMES
            if some & each
        }
    return sum(
        {TRUE if true >= at_least else UNKNOWN if true + unknown >= at_least else FALSE for true, unknown in reached}
    )


def deciding(reading: Reading, condition: Condition, accept: int) -> Iterator[tuple[Path, int]]:
    """Every member that decides about a condition for this patient, with its one outcome; the whole is `()`.

    The condition takes effect when no outcome outside `accept` is possible. True and false are turned into each other;
    unknown decides when one of them would make a difference. A member with several possible outcomes decides nothing.
    """
    yield from _walk(reading, condition, lambda outcomes: not outcomes & ~accept, ())


def _walk(
    reading: Reading, condition: Condition, effect: Callable[[int], bool], path: Path
) -> Iterator[tuple[Path, int]]:
    if len({effect(each) for each in _OUTCOMES}) == 1:
        return  # whatever it is, the others decide; so it is with its members
    own = reading.outcomes(condition)
    if own in _OUTCOMES:  # true and false then differ: in one place a whole moves one way, with unknown in between
        yield path, own
    parts = members(condition)
    outcomes = [reading.outcomes(part) for part in parts]
    for number, part in enumerate(parts):
        before, after = outcomes[:number], outcomes[number + 1 :]

        def above(outcome: int, before: Sequence[int] = before, after: Sequence[int] = after) -> bool:
            return effect(combine(condition, [*before, outcome, *after]))

        yield from _walk(reading, part, above, (*path, number))


def can_be_unknown(ruleset: Ruleset, condition: Condition) -> bool:
    """Whether an answer that the person does not know can leave the condition unknown."""
    match condition:
        case Compare():
            return True
        case FindingIs(name):
            return can_be_unknown(ruleset, ruleset.findings[name].when)
        case All() | AnyOf() | Count() | Not():
            return any(can_be_unknown(ruleset, part) for part in members(condition))
        case _:
            return False
