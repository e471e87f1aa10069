"""What a new version of the rules would change for the rows of an input: each decided by both, compared and counted.

What is counted are whole numbers under names, added up over chunks, so that no order and no partition changes a sum.
The sums are not protected: `impact_told` makes of them what may be told.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, Self, TypeAlias

from engine.decide.canonical import outcome_content
from engine.decide.decision import Outcome
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError, RulesetError
from engine.population.rows import Cell, Done, Row
from engine.record.replay import Direction, changes_between
from engine.rules.load import build
from engine.rules.model import CheckedRuleset, Ruleset
from engine.rules.scale import Disposition
from engine.rules.source import Source

Texts: TypeAlias = Mapping[str, str]
"""The texts of a version, by file name."""
NEEDS_ANSWERS, REFUSED = "needs_answers", "refused"
"""The states of a row besides the dispositions."""
STATES = (*Disposition.words(), NEEDS_ANSWERS, REFUSED)
"""What a version can say of a row; the mildest first."""


class Version(Enum):
    """Which of the two is meant."""

    OLD = "old"
    NEW = "new"


class Kind(Enum):
    """What changes for a row: the first that fits, so that each row has one. A member's word is its value.

    More and less urgent go by what holds already (the floor), which is the disposition where that is settled.
    """

    UNREADABLE = "unreadable"
    REFUSED_BY_BOTH = "refused_by_both"
    REFUSED_BY_NEW = "refused_by_new"
    REFUSED_BY_OLD = "refused_by_old"
    LESS_URGENT = "less_urgent"
    MORE_URGENT = "more_urgent"
    TO_OPEN = "settled_to_open"
    TO_SETTLED = "open_to_settled"
    CEILING = "could_become"
    CALL = "call"
    PROGRAMME = "programme"
    ADVICE = "advice_only"
    OTHER = "other_change"
    SAME = "same"

    @property
    def changes(self) -> bool:
        """Whether the new version does otherwise than the old one."""
        return self not in (Kind.UNREADABLE, Kind.REFUSED_BY_BOTH, Kind.SAME)


class Role(Enum):
    """How a rule stands behind a change: it newly holds, no longer holds, or holds by both and says otherwise."""

    GAINED = "gained"
    LOST = "lost"
    REWORKED = "says_otherwise"


class Class(NamedTuple):
    """What is told apart of all rows; each row is in one."""

    kind: Kind
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One row by both versions. `rules` stand behind a change; `left_out` are questions or groups one version lacks."""

    number: int
    id: str
    place: Class
    rules: tuple[tuple[Role, str], ...]
    directions: frozenset[Direction]
    left_out: tuple[tuple[Version, str], ...]
    codes: tuple[tuple[Version, str], ...]
    groups: Mapping[str, str]


@dataclass(slots=True)
class Sums:
    """How many rows; of each class, by group and kind, by kind and rule, and so on."""

    classes: Counter[Class] = field(default_factory=Counter)
    groups: Counter[tuple[str, str, Kind]] = field(default_factory=Counter)
    rules: Counter[tuple[Kind, Role, str]] = field(default_factory=Counter)
    no_rules: Counter[Kind] = field(default_factory=Counter)
    directions: Counter[Direction] = field(default_factory=Counter)
    left_out: Counter[tuple[Version, str]] = field(default_factory=Counter)
    codes: Counter[tuple[Version, str]] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        return self.classes.total()

    @property
    def laxer(self) -> bool:
        """Whether the new version is laxer for anybody, or gives no decision where the old one did."""
        refused = any(place.kind is Kind.REFUSED_BY_NEW for place in self.classes)
        return refused or self.directions[Direction.LAXER] > 0

    def add(self, row: Compared) -> None:
        """Counts a row."""
        kind = row.place.kind
        self.classes[row.place] += 1
        self.groups.update((column, value, kind) for column, value in row.groups.items())
        if kind.changes:
            self.rules.update((kind, role, rule) for role, rule in row.rules)
            self.no_rules[kind] += not row.rules
        self.directions.update(row.directions)
        self.left_out.update(row.left_out)
        self.codes.update(row.codes)

    def tally(self) -> dict[str, int]:
        """The same as numbers by names, which may be added to those of other chunks."""
        told: dict[str, int] = {}
        for name in self.__slots__:
            for key, count in getattr(self, name).items():
                parts = key if isinstance(key, tuple) else (key,)
                words = [each.name if isinstance(each, Enum) else each for each in parts]
                told[json.dumps([name, *words], ensure_ascii=False)] = count
        return dict(sorted(told.items()))

    @classmethod
    def of(cls, tally: Mapping[str, int]) -> Self:
        """The sums that a tally has."""
        sums = cls()
        for name, count in tally.items():
            what, *words = json.loads(name)
            match what, words:
                case "classes", [kind, old, new]:
                    sums.classes[Class(Kind[kind], old, new)] += count
                case "groups", [column, value, kind]:
                    sums.groups[column, value, Kind[kind]] += count
                case "rules", [kind, role, rule]:
                    sums.rules[Kind[kind], Role[role], rule] += count
                case "no_rules", [kind]:
                    sums.no_rules[Kind[kind]] += count
                case "directions", [direction]:
                    sums.directions[Direction[direction]] += count
                case "left_out", [version, name]:
                    sums.left_out[Version[version], name] += count
                case "codes", [version, code]:
                    sums.codes[Version[version], code] += count
        return sums


class Comparing:
    """Two versions that are ready to decide."""

    def __init__(self, old: CheckedRuleset, new: CheckedRuleset) -> None:
        self._old, self._new = Evaluator(old), Evaluator(new)
        self._only_old, self._only_new = _only(old.ruleset, new.ruleset), _only(new.ruleset, old.ruleset)
        before, after = _saying(old.ruleset), _saying(new.ruleset)
        self._reworked = frozenset(name for name in before.keys() & after.keys() if before[name] != after[name])

    def compare(self, row: Row) -> Compared:
        """What becomes of a row. Raises EngineError where a version gives no decision that can be trusted."""
        if row.faults:
            place = Class(Kind.UNREADABLE, REFUSED, REFUSED)
            return Compared(row.number, row.id, place, (), frozenset(), (), (), row.groups)
        old, new = _decide(self._old, row, self._only_new), _decide(self._new, row, self._only_old)
        directions: frozenset[Direction] = frozenset()
        rules: tuple[tuple[Role, str], ...] = ()
        if isinstance(old, Outcome) and isinstance(new, Outcome) and old != new:
            contents = outcome_content(self._old.checked, old), outcome_content(self._new.checked, new)
            directions = frozenset(each.direction for each in changes_between(*contents)) - {Direction.OTHER}
            rules = tuple(self._behind(old.rules, new.rules))
        return Compared(
            row.number,
            row.id,
            Class(_kind(old, new), _state(old), _state(new)),
            rules,
            directions,
            (*self._left_out(Version.OLD, row, self._only_new), *self._left_out(Version.NEW, row, self._only_old)),
            (*_codes(Version.OLD, old), *_codes(Version.NEW, new)),
            row.groups,
        )

    def _behind(self, old: Iterable[str], new: Iterable[str]) -> Iterator[tuple[Role, str]]:
        before, after = frozenset(old), frozenset(new)
        yield from ((Role.GAINED, name) for name in sorted(after - before))
        yield from ((Role.LOST, name) for name in sorted(before - after))
        yield from ((Role.REWORKED, name) for name in sorted(before & after & self._reworked))

    def _left_out(self, by: Version, row: Row, others: _Names) -> Iterator[tuple[Version, str]]:
        yield from ((by, name) for name in sorted(others.questions & row.answers.keys()))
        yield from ((by, name) for name in sorted(others.groups & {*row.none_of}))


class _Names(NamedTuple):
    """The questions and groups that only one version has."""

    questions: frozenset[str]
    groups: frozenset[str]


def _only(of: Ruleset, other: Ruleset) -> _Names:
    return _Names(frozenset(of.questions.keys() - other.questions.keys()), frozenset(of.groups.keys() - other.groups))


def _saying(ruleset: Ruleset) -> dict[str, tuple[object, ...]]:
    """What follows where a rule holds, or the default, by its id."""
    rules = {
        name: (each.disposition, each.call, each.within_hours, each.guidance) for name, each in ruleset.rules.items()
    }
    default = ruleset.default
    return {**rules, default.id: (default.disposition, default.call, default.within_hours, None)}


def _decide(evaluator: Evaluator, row: Row, others: _Names) -> Outcome | AnswersError:
    """The outcome of a row, without what only the other version asks."""
    answers = row.answers
    if not others.questions.isdisjoint(answers):
        answers = {name: answer for name, answer in answers.items() if name not in others.questions}
    none_of = [name for name in row.none_of if name not in others.groups]
    try:
        return evaluator.evaluate(evaluator.read(answers, none_of)).outcome
    except AnswersError as error:
        return error


def _state(outcome: Outcome | AnswersError) -> str:
    if isinstance(outcome, AnswersError):
        return REFUSED
    return NEEDS_ANSWERS if outcome.disposition is None else outcome.disposition.word


def _codes(by: Version, outcome: Outcome | AnswersError) -> list[tuple[Version, str]]:
    """Why a row was refused: each reason once, in the words of the program, with nothing of the row in them."""
    violations = outcome.violations if isinstance(outcome, AnswersError) else ()
    return [(by, code) for code in dict.fromkeys(each.code for each in violations)]


def _kind(old: Outcome | AnswersError, new: Outcome | AnswersError) -> Kind:
    if isinstance(new, AnswersError):
        return Kind.REFUSED_BY_BOTH if isinstance(old, AnswersError) else Kind.REFUSED_BY_NEW
    if isinstance(old, AnswersError):
        return Kind.REFUSED_BY_OLD
    if old.floor is not new.floor:
        return Kind.MORE_URGENT if new.floor > old.floor else Kind.LESS_URGENT
    if old.settled is not new.settled:
        return Kind.TO_OPEN if old.settled else Kind.TO_SETTLED
    aspects = (
        (Kind.CEILING, old.ceiling is not new.ceiling),
        (Kind.CALL, (old.call, old.calls, old.within_hours) != (new.call, new.calls, new.within_hours)),
        (Kind.PROGRAMME, (old.programme.choice, old.guidance) != (new.programme.choice, new.guidance)),
        (Kind.ADVICE, (old.advice, old.safety_net) != (new.advice, new.safety_net)),
        (Kind.OTHER, old != new),
    )
    return next((kind for kind, differs in aspects if differs), Kind.SAME)


class Listing(Enum):
    """What is kept of each row besides the sums: its number alone, or what becomes of it."""

    NUMBERS = "numbers"
    CHANGES = "changes"


_COLUMNS: Mapping[str, type] = {
    "number": int,
    "id": str,
    "kind": str,
    "old": str,
    "new": str,
    "laxer": bool,
    "safer": bool,
    "rules_gained": list,
    "rules_lost": list,
    "rules_saying_otherwise": list,
}


class Impact:
    """The task of the runner: rows decided by two versions, whose texts it has. Its tally is that of Sums."""

    name = "impact"

    def __init__(self, old: Texts, new: Texts, listing: Listing) -> None:
        self._texts, self._listing = (dict(old), dict(new)), listing
        self._comparing: Comparing | None = None
        self.fingerprint = " ".join((*(_built(each).digest for each in self._texts), listing.value))

    def __reduce__(self) -> tuple[type[Impact], tuple[Texts, Texts, Listing]]:
        return Impact, (*self._texts, self._listing)

    @property
    def columns(self) -> Mapping[str, type]:
        """What is kept of each row."""
        return _COLUMNS if self._listing is Listing.CHANGES else {"number": int}

    def do(self, rows: Iterable[Row]) -> Done:
        """Rows decided by both versions; what is refused is counted, and no row is left out."""
        if self._comparing is None:
            self._comparing = Comparing(*map(_built, self._texts))
        sums, records = Sums(), list[tuple[Cell, ...]]()
        for row in rows:
            compared = self._comparing.compare(row)
            sums.add(compared)
            records.append(_record(compared)[: len(self.columns)])
        return Done(records, (), sums.tally())


def _record(row: Compared) -> tuple[Cell, ...]:
    by_role: list[Cell] = [[name for role, name in row.rules if role is each] for each in Role]
    kind, old, new = row.place
    directions = (Direction.LAXER in row.directions, Direction.SAFER in row.directions)
    return (row.number, row.id, kind.value, old, new, *directions, *by_role)


def _built(texts: Texts) -> CheckedRuleset:
    checked, problems = build({name: Source(name, text) for name, text in texts.items()})
    if checked is None:
        raise RulesetError(problems)
    return checked
