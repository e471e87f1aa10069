"""What the authors' cases reach of their ruleset: each rule, branch, threshold and text, and which case shows it first.

Cases are run as they are at every load; whether they get what they expect is for `pluis test`. A case that cannot be
evaluated shows nothing and is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import TypeAlias

from engine.author.coverage_aims import (
    DECIDING,
    FINDING,
    RULE,
    SIDES,
    Aim,
    Kind,
    Measured,
    Owner,
    branch_aims,
    conditions,
    default_aim,
    steps,
    text_aims,
    threshold_aims,
    whole_aims,
)
from engine.author.masking import Path, deciding
from engine.decide.answers import Answers, plain_number
from engine.decide.cases import case_answers
from engine.decide.decision import Outcome
from engine.decide.evaluate import Evaluated, Evaluator
from engine.errors import AnswersError, PluisError
from engine.rules.cases import Case
from engine.rules.model import CheckedRuleset, Ruleset
from engine.rules.source import Span

NOT_COUNTED = frozenset({Kind.UNKNOWNS})
"""Told, and not part of the percentage: a side that only an unknown answer shows is asked of few conditions."""

WHOLE = 100
"""In percent."""

_Key: TypeAlias = tuple[Kind, str, str, str, Path, str]


@dataclass(frozen=True, slots=True)
class Item:
    """An aim, and the first case that shows it; empty where none does.

    `nearest` is, for a threshold, the number that came nearest on this side, and how near.
    """

    aim: Aim
    case: str = ""
    nearest: str = ""

    @property
    def covered(self) -> bool:
        return bool(self.case)

    @property
    def missed(self) -> str:
        """What no case shows, as a sentence."""
        return f"{self.aim.missed}; the nearest is {self.nearest}" if self.nearest else self.aim.missed


@dataclass(frozen=True, slots=True)
class Row:
    """How much of one kind is covered."""

    kind: Kind
    covered: int
    total: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A case that could not be evaluated, and why."""

    case: str
    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A contradiction that is refused: no case can show it, since a refused patient has no decision to expect."""

    id: str
    span: Span


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the cases of one ruleset reach. `items` in the order of the ruleset, `cases` how many were evaluated."""

    ruleset: str
    version: str
    digest: str
    cases: int
    items: tuple[Item, ...]
    left_out: tuple[LeftOut, ...]
    refusals: tuple[Refused, ...]

    def summary(self) -> tuple[Row, ...]:
        """How much of each kind is covered, the unknown sides too."""
        return tuple(self._row(kind) for kind in Kind)

    def total(self) -> tuple[int, int]:
        """How many aims are covered, and how many there are, of all kinds that count."""
        counted = [row for row in self.summary() if row.kind not in NOT_COUNTED]
        return sum(row.covered for row in counted), sum(row.total for row in counted)

    def missed(self) -> tuple[tuple[Owner, tuple[Item, ...]], ...]:
        """What no case shows, by the part of the ruleset it belongs to; what is most urgent first."""
        open_items = [item for item in self.items if not item.covered]
        order = {owner: number for number, owner in enumerate(dict.fromkeys(item.aim.owner for item in self.items))}
        # The sort keeps the order of a part's own aims; parts of equal urgency stay as in the ruleset.
        open_items.sort(key=lambda item: (-(item.aim.owner.disposition or 0), order[item.aim.owner]))
        return tuple((owner, tuple(items)) for owner, items in groupby(open_items, key=lambda item: item.aim.owner))

    def _row(self, kind: Kind) -> Row:
        of_kind = [item for item in self.items if item.aim.kind is kind]
        return Row(kind, sum(item.covered for item in of_kind), len(of_kind))


def reaches(total: tuple[int, int], percent: Decimal) -> bool:
    """Whether (covered, of how many) is at least so many percent; nothing of nothing is enough."""
    covered, of = total
    return covered * WHOLE >= percent * of


def coverage(checked: CheckedRuleset, cases: Iterable[Case]) -> Coverage:
    """Runs the cases and tells what they reach; the ruleset's own or any others."""
    seen, left_out = _Seen(checked.ruleset), []
    count = 0
    evaluator = Evaluator(checked)
    try:
        for case in cases:
            try:
                answers = evaluator.read(case_answers(checked.ruleset, case), case.none_of)
                seen.add(case.id, answers, evaluator.evaluate(answers))
                count += 1
            except AnswersError as error:
                why = "; ".join(dict.fromkeys(each.message for each in error.violations))
                left_out.append(LeftOut(case.id, why))
            except PluisError as error:
                left_out.append(LeftOut(case.id, str(error)))
    finally:
        evaluator.close()
    ruleset = checked.ruleset
    refusals = tuple(Refused(each.id, each.span) for each in ruleset.refusals.values())
    items = tuple(seen.items())
    return Coverage(ruleset.id, ruleset.version, checked.digest, count, items, tuple(left_out), refusals)


class _Seen:
    """What cases have shown so far: of each key the first case, and every number that was given."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._conditions = tuple(conditions(ruleset))
        self._first: dict[_Key, str] = {}
        self._numbers: dict[str, dict[Decimal, str]] = {}

    def add(self, case: str, answers: Answers, evaluated: Evaluated) -> None:
        for measured in self._conditions:
            for path, outcome in deciding(evaluated.reading, measured.condition, measured.accept):
                self._first.setdefault(_branch_key(measured, path, SIDES[outcome]), case)
        for name in _deciding_rules(self._ruleset, evaluated.outcome):
            self._first.setdefault(_rule_key(name), case)
        for text in _shown(self._ruleset, evaluated.outcome):
            self._first.setdefault(_text_key(*text), case)
        for name, value in answers.values.items():
            if isinstance(value, int | Decimal):
                self._numbers.setdefault(name, {}).setdefault(Decimal(value), case)

    def items(self) -> Iterator[Item]:
        """Every aim of the ruleset with the case that shows it."""
        near = steps(self._ruleset)
        for measured in self._conditions:
            if measured.owner.what in (RULE, FINDING):
                for side, aim in whole_aims(self._ruleset, measured):
                    key = _rule_key(measured.owner.id) if side == DECIDING else _branch_key(measured, (), side)
                    yield self._item(aim, key)
            for path, outcome, aim in branch_aims(self._ruleset, measured):
                yield self._item(aim, _branch_key(measured, path, SIDES[outcome]))
            for aim in threshold_aims(self._ruleset, measured, near):
                yield self._at_boundary(aim)
        yield self._item(default_aim(self._ruleset), _rule_key(self._ruleset.default.id))
        for text, aim in text_aims(self._ruleset):
            yield self._item(aim, _text_key(*text))

    def _item(self, aim: Aim, key: _Key) -> Item:
        return Item(aim, self._first.get(key, ""))

    def _at_boundary(self, aim: Aim) -> Item:
        boundary = aim.boundary
        if boundary is None:
            raise TypeError("a threshold has a boundary")
        given = self._numbers.get(boundary.question, {})
        aside = [each for each in given if not boundary.direction or (each - boundary.bound) * boundary.direction > 0]
        if not aside:
            return Item(aim)
        nearest = min(aside, key=lambda each: abs(each - boundary.bound))
        away = plain_number(abs(nearest - boundary.bound))
        return Item(aim, given[nearest] if boundary.reached(nearest) else "", f"{plain_number(nearest)} ({away} away)")


def _branch_key(measured: Measured, path: Path, side: str) -> _Key:
    return Kind.BRANCHES, measured.owner.what, measured.owner.id, measured.key, path, side


def _rule_key(name: str) -> _Key:
    return Kind.RULES, RULE, name, "", (), DECIDING


def _text_key(section: str, name: str) -> _Key:
    return Kind.TEXTS, section, name, "", (), ""


def _deciding_rules(ruleset: Ruleset, outcome: Outcome) -> Iterator[str]:
    """The true rules of the floor; the default where it is settled that none is true."""
    for name in outcome.rules:
        if name == ruleset.default.id or ruleset.rules[name].disposition is outcome.floor:
            yield name


def _shown(ruleset: Ruleset, outcome: Outcome) -> Iterator[tuple[str, str]]:
    """The section and id of every text that goes with an outcome."""
    yield "dispositions", outcome.floor.word
    yield "programme", outcome.programme.row
    yield "programmes", outcome.programme.choice.word
    yield "reasons", outcome.programme.because
    yield from (("reasons", ruleset.rules.get(name, ruleset.default).because) for name in outcome.rules)
    yield from (("calls", call.word) for call in outcome.calls)
    yield from (("advice", name) for name in outcome.advice)
    yield from (("safety_net", name) for name in outcome.safety_net)
    if outcome.guidance is not None:
        yield "guidance", outcome.guidance.word
