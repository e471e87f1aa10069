"""What a decision says, aspect by aspect, as values that exclude each other: what two versions are compared in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import TypeAlias

from engine.decide.decision import Outcome
from engine.prove.difference import Comparison
from engine.prove.logic import Formula, both, differ, either, no
from engine.prove.outcome import Aspect, SymbolicOutcome
from engine.prove.patient import answer_domain
from engine.prove.replay import Seen
from engine.rules.model import Ruleset
from engine.rules.scale import Call, Disposition, Guidance, Programme

Pair: TypeAlias = tuple[str, str]
"""What the old version says of an aspect, and what the new one says."""
Cells: TypeAlias = Mapping[str, Formula]
"""By value, when a decision has it: of every patient exactly one holds."""

DECIDED, REFUSED = "decided", "refused"
SETTLED, OPEN = "settled", "needs_answers"
SHOWN, HIDDEN = "shown", "hidden"
HOLDS, NOT = "holds", "does_not_hold"
NONE = "none"


class Direction(Enum):
    """Which way a change goes: more urgent, earlier or more to watch for; the other way; or neither."""

    LAXER = 1
    SAFER = 2
    OTHER = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Dimension:
    """One aspect of a decision: when each pair of two different values occurs, among the patients of `where`.

    `read` finds the pair in what the evaluators did (None where the aspect does not apply to them); `rank` orders
    values that have an order, a higher one more urgent. Without one no change is safer or laxer.
    """

    aspect: Aspect
    where: Formula
    pairs: Mapping[Pair, Formula]
    read: Callable[[Seen, Seen], Pair | None]
    rank: Mapping[str, int]

    def direction(self, pair: Pair) -> Direction:
        old, new = (self.rank.get(value, 0) for value in pair)
        return Direction.OTHER if old == new else Direction.SAFER if new > old else Direction.LAXER


def dimensions(comparison: Comparison) -> Iterator[Dimension]:
    """Every aspect in which the two may differ; those that are the same formula in both are left out."""
    return (each for each in _dimensions(comparison) if any(pair is not False for pair in each.pairs.values()))


def _dimensions(it: Comparison) -> Iterator[Dimension]:
    before, after = it.before, it.after
    words = {each.word: int(each) for each in Disposition}
    same_floor = either(both((before.floor[each], after.floor[each])) for each in Disposition)

    yield _refused(it)
    yield _make(
        it, Aspect("disposition", ""), _floor(before), _floor(after), lambda outcome: outcome.floor.word, rank=words
    )
    yield _make(
        it,
        Aspect("ceiling", ""),
        {each.word: formula for each, formula in before.ceiling.items()},
        {each.word: formula for each, formula in after.ceiling.items()},
        lambda outcome: outcome.ceiling.word,
        where=no(both((before.settled, after.settled))),
        applies=lambda old, new: not (old.settled and new.settled),
        rank=words,
    )
    yield _make(
        it,
        Aspect("settled", ""),
        {SETTLED: before.settled, OPEN: no(before.settled)},
        {SETTLED: after.settled, OPEN: no(after.settled)},
        lambda outcome: SETTLED if outcome.settled else OPEN,
    )
    yield from _calls(it)
    yield _hours(it)
    yield _make(
        it,
        Aspect("guidance", ""),
        _guidance(before),
        _guidance(after),
        lambda outcome: NONE if outcome.guidance is None else outcome.guidance.word,
    )
    yield from _validity(it)
    yield from _programme(it)
    for name in _names(it, lambda ruleset: ruleset.advice):
        yield _one(it, Aspect("advice", name), before.advice, after.advice, lambda outcome: outcome.advice)
    for name in _names(it, lambda ruleset: ruleset.safety_net):
        yield _one(
            it,
            Aspect("safety_net", name),
            before.safety_net,
            after.safety_net,
            lambda outcome: outcome.safety_net,
            rank={HIDDEN: 0, SHOWN: 1},
        )
    for name in _names(it, lambda ruleset: ruleset.rules):
        yield _one(
            it, Aspect("rule", name), before.certain, after.certain, lambda outcome: outcome.rules, words=(HOLDS, NOT)
        )
    open_before, open_after = (
        {aspect.name: formula for aspect, formula in each.whole.items() if aspect.kind == "open rule"}
        for each in (before, after)
    )
    for name in _names(it, lambda ruleset: ruleset.rules):
        # at another floor other rules are told, which the disposition says already
        yield _one(
            it,
            Aspect("open rule", name),
            open_before,
            open_after,
            lambda outcome: outcome.open_rules,
            where=same_floor,
            applies=lambda old, new: old.floor is new.floor,
            words=(HOLDS, NOT),
        )


def _make(
    it: Comparison,
    aspect: Aspect,
    before: Cells,
    after: Cells,
    value: Callable[[Outcome], str],
    *,
    where: Formula = True,
    applies: Callable[[Outcome, Outcome], bool] = lambda old, new: True,
    rank: Mapping[str, int] | None = None,
) -> Dimension:
    same = all(differ(before.get(each, False), after.get(each, False)) is False for each in {**before, **after})

    def read(old: Seen, new: Seen) -> Pair | None:
        if old.outcome is None or new.outcome is None or not applies(old.outcome, new.outcome):
            return None
        return value(old.outcome), value(new.outcome)

    pairs = (
        {}
        if same
        else {
            (old, new): both((one, other)) for old, one in before.items() for new, other in after.items() if old != new
        }
    )
    return Dimension(aspect, both((it.accepted, where)), pairs, read, rank or {})


def _one(
    it: Comparison,
    aspect: Aspect,
    before: Mapping[str, Formula],
    after: Mapping[str, Formula],
    listed: Callable[[Outcome], tuple[str, ...]],
    *,
    where: Formula = True,
    applies: Callable[[Outcome, Outcome], bool] = lambda old, new: True,
    words: Pair = (SHOWN, HIDDEN),
    rank: Mapping[str, int] | None = None,
) -> Dimension:
    """A text or rule that a decision lists or not."""
    yes, not_ = words
    cells = [{yes: each.get(aspect.name, False), not_: no(each.get(aspect.name, False))} for each in (before, after)]

    def value(outcome: Outcome) -> str:
        return yes if aspect.name in listed(outcome) else not_

    return _make(it, aspect, cells[0], cells[1], value, where=where, applies=applies, rank=rank)


def _names(it: Comparison, entries: Callable[[Ruleset], Mapping[str, object]]) -> tuple[str, ...]:
    return tuple({**entries(it.new.ruleset), **entries(it.old.ruleset)})


def _refused(it: Comparison) -> Dimension:
    """Whose answers contradict each other, or lie outside a range, for only one of the two."""
    old, new = it.before, it.after
    differs = both((it.domain, differ(old.accepted, new.accepted)))
    refused, decided = [both((differs, old.accepted))], [both((differs, new.accepted))]
    for name, answer in new.patient.answers.items():
        own = old.patient.answers.get(name)
        if own is not answer or answer.number is None:
            continue
        ranges = [both(answer_domain(each.questions[name], answer)) for each in (old.patient, new.patient)]
        if differ(*ranges) is False:
            continue
        rest = [
            both(
                formula
                for each, question in side.patient.questions.items()
                if each != name
                for formula in answer_domain(question, side.patient.answers[each])
            )
            for side in (old, new)
        ]
        refused.append(both((old.accepted, rest[1], answer.given, no(ranges[1]))))
        decided.append(both((new.accepted, rest[0], answer.given, no(ranges[0]))))

    def read(before: Seen, after: Seen) -> Pair:
        was, now = (REFUSED if each.refused else DECIDED for each in (before, after))
        return was, now

    pairs = {(DECIDED, REFUSED): either(refused), (REFUSED, DECIDED): either(decided)}
    return Dimension(Aspect("refused", ""), True, pairs, read, {})


def _floor(it: SymbolicOutcome) -> Cells:
    return {each.word: formula for each, formula in it.floor.items()}


_CALLS = sorted(Call, key=lambda call: (-call.rank, call.word))
"""The first that a winning rule names is the call of the decision."""


def _first_call(it: SymbolicOutcome) -> Cells:
    return {
        call.word: both((it.calls[call], *(no(it.calls[before]) for before in _CALLS[:place])))
        for place, call in enumerate(_CALLS)
    }


def _calls(it: Comparison) -> Iterator[Dimension]:
    """The call, and the others that are listed beside it."""
    one, other = _first_call(it.before), _first_call(it.after)
    rank = {call.word: call.rank for call in Call}
    yield _make(it, Aspect("call", ""), one, other, lambda outcome: outcome.call.word, rank=rank)
    same = either(both((one[call.word], other[call.word])) for call in Call)
    before, after = ({call.word: formula for call, formula in each.calls.items()} for each in (it.before, it.after))
    for call in Call:
        yield _one(
            it,
            Aspect("further call", call.word),
            before,
            after,
            lambda outcome: tuple(each.word for each in outcome.calls),
            where=same,
            applies=lambda old, new: old.call is new.call,
        )


def _hours(it: Comparison) -> Dimension:
    def cells(side: SymbolicOutcome) -> Cells:
        if not side.within:
            return {NONE: True}
        steps = list(side.within.items())
        first = {str(steps[0][0]): steps[0][1]}
        later = {str(most): both((formula, no(sooner))) for (_, sooner), (most, formula) in pairwise(steps)}
        return {**first, **later, NONE: no(steps[-1][1])}

    before, after = cells(it.before), cells(it.after)
    rank = {each: -int(each) for each in {**before, **after} if each != NONE}
    return _make(
        it,
        Aspect("within_hours", ""),
        before,
        after,
        lambda outcome: NONE if outcome.within_hours is None else str(outcome.within_hours),
        rank={**rank, NONE: min(rank.values(), default=0) - 1},
    )


def _guidance(it: SymbolicOutcome) -> Cells:
    offered, recommended = (it.guidance[each] for each in Guidance)
    return {
        NONE: no(offered),
        Guidance.OFFERED.word: both((offered, no(recommended))),
        Guidance.RECOMMENDED.word: recommended,
    }


def _validity(it: Comparison) -> Iterator[Dimension]:
    """How long a decision holds and when to look again, where that changes for a disposition that stays."""
    for each in Disposition:
        stays = both((it.before.floor[each], it.after.floor[each]))
        old, new = (side.ruleset.validity[each] for side in (it.before, it.after))
        yield _days(it, Aspect("valid_days", each.word), old.valid_days, new.valid_days, stays)
        yield _days(it, Aspect("recheck_days", each.word), old.recheck_days, new.recheck_days, stays)


def _days(it: Comparison, aspect: Aspect, was: int, now: int, stays: Formula) -> Dimension:
    def days(outcome: Outcome) -> str:
        return str(outcome.valid_days if aspect.kind == "valid_days" else outcome.recheck_days)

    return _make(
        it,
        aspect,
        {str(was): True},
        {str(now): True},
        days,
        where=stays,
        applies=lambda before, after: before.floor.word == after.floor.word == aspect.name,
        rank={str(was): -was, str(now): -now},
    )


def _programme(it: Comparison) -> Iterator[Dimension]:
    """The programme and, where it is the same, the row that gives it."""

    def cells(side: SymbolicOutcome) -> Cells:
        found = {each.word: formula for each, formula in side.programme.items()}
        return {**found, OPEN: no(either(found.values()))}

    def rows(side: SymbolicOutcome) -> Cells:
        return {**side.decisive_rows, NONE: no(either(side.decisive_rows.values()))}

    def choice(outcome: Outcome) -> str:
        return OPEN if outcome.programme.open else outcome.programme.choice.word

    yield _make(it, Aspect("programme", ""), cells(it.before), cells(it.after), choice)
    yield _make(
        it,
        Aspect("programme row", ""),
        rows(it.before),
        rows(it.after),
        lambda outcome: NONE if outcome.programme.open else outcome.programme.row,
        where=either(both((it.before.programme[each], it.after.programme[each])) for each in Programme),
        applies=lambda old, new: choice(old) == choice(new) != OPEN,
    )
