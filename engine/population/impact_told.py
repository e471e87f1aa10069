"""What may be told of an impact: every count protected, as the page shows it and as JSON.

Nothing else of the sums leaves the program. What cannot be told at all says so, and is never left out in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.population.impact import STATES, Class, Kind, Role, Sums, Version
from engine.population.protecting import (
    NOBODY,
    GroupsTold,
    Told,
    exactly,
    protect_groups,
    protect_parts,
    protect_share,
    summed,
)
from engine.record.feedback import FEWEST
from engine.record.replay import Direction
from engine.rules.model import CheckedRuleset

_MILD_FIRST = [*reversed(Kind)]


@dataclass(frozen=True, slots=True)
class RuleTold:
    """For how many rows of a kind of change a rule stands behind it; `rule` is empty where no rule does."""

    rule: str
    role: Role | None
    kind: Kind
    people: Told


@dataclass(frozen=True, slots=True)
class Named:
    """How many rows something is told of, by one version: a question that was left out, a reason to refuse."""

    version: Version
    name: str
    people: Told


@dataclass(frozen=True, slots=True)
class ImpactTold:
    """An impact as it may be told. `told` is False where the rows are too few to tell more than `rows`:
    then all else is empty.

    `groups` has each column of groups; None where nothing can be told of it. Laxer and safer are in anything at all, as
    `pluis diff` calls them; a row can be both.
    """

    rows: int
    told: bool
    classes: Mapping[Class, Told]
    laxer: Told
    safer: Told
    rules: tuple[RuleTold, ...]
    groups: Mapping[str, GroupsTold | None]
    left_out: tuple[Named, ...]
    codes: tuple[Named, ...]

    def of_kind(self, kind: Kind) -> Told:
        """The rows of a kind."""
        return summed(told for place, told in self.classes.items() if place.kind is kind)

    @property
    def changed(self) -> Told:
        """The rows for which anything changes."""
        return summed(self.of_kind(kind) for kind in Kind if kind.changes)

    def between(self, old: str, new: str) -> Told:
        """The rows that go from one state to another; an empty one stands for any."""
        if not old and not new:
            return exactly(self.rows)
        return summed(told for place, told in self.classes.items() if old in ("", place.old) and new in ("", place.new))

    @property
    def states(self) -> tuple[str, ...]:
        """The states of any row by either version, the mildest first."""
        return tuple(each for each in STATES if any(each in (place.old, place.new) for place in self.classes))


def tell(sums: Sums) -> ImpactTold:
    """The sums as they may be told."""
    parts = protect_parts(sums.classes, sorted(sums.classes, key=_gives_way))
    if parts.partner is None:
        return ImpactTold(sums.rows, False, {}, NOBODY, NOBODY, (), {}, (), ())
    everybody = exactly(sums.rows)
    seen = {place.kind for place in parts.told}
    whole = {
        kind: summed(told for place, told in parts.told.items() if place.kind is kind) for kind in Kind if kind in seen
    }
    by_kind = {kind.value: told for kind, told in whole.items()}
    groups = {
        column: protect_groups(_by_group(sums, column), by_kind, parts.partner.kind.value)
        for column in sorted({column for column, _, _ in sums.groups})
    }
    return ImpactTold(
        rows=sums.rows,
        told=True,
        classes=parts.told,
        laxer=protect_share(sums.directions[Direction.LAXER], everybody),
        safer=protect_share(sums.directions[Direction.SAFER], everybody),
        rules=tuple(_rules(sums, whole)),
        groups=groups,
        left_out=_named(sums.left_out, everybody),
        codes=_named(sums.codes, everybody),
    )


def _gives_way(place: Class) -> tuple[bool, int, int, int]:
    """Whose count becomes a range rather than another's: of those for whom nothing changes, then the lightest kinds."""
    return place.kind is not Kind.SAME, _MILD_FIRST.index(place.kind), STATES.index(place.old), STATES.index(place.new)


def _by_group(sums: Sums, column: str) -> dict[str, dict[str, int]]:
    """People by group and kind; those without a group are a group without a name."""
    found: dict[str, dict[str, int]] = {}
    left = {kind: sum(count for place, count in sums.classes.items() if place.kind is kind) for kind in Kind}
    for (other, group, kind), count in sums.groups.items():
        if other == column:
            found.setdefault(group, {})[kind.value] = count
            left[kind] -= count
    for kind, count in left.items():
        if count:
            nameless = found.setdefault("", {})
            nameless[kind.value] = nameless.get(kind.value, 0) + count
    return found


def _rules(sums: Sums, whole: Mapping[Kind, Told]) -> Iterable[RuleTold]:
    """The heaviest kind first; in it by rule."""
    order = [*Kind]
    for kind, role, rule in sorted(sums.rules, key=lambda key: (order.index(key[0]), key[2], key[1].value)):
        yield RuleTold(rule, role, kind, protect_share(sums.rules[kind, role, rule], whole[kind]))
    for kind in order:
        if sums.no_rules[kind] and kind not in (Kind.REFUSED_BY_OLD, Kind.REFUSED_BY_NEW):
            yield RuleTold("", None, kind, protect_share(sums.no_rules[kind], whole[kind]))


def _named(counts: Mapping[tuple[Version, str], int], everybody: Told) -> tuple[Named, ...]:
    found = sorted(counts, key=lambda key: (key[1], key[0].value))
    return tuple(Named(version, name, protect_share(counts[version, name], everybody)) for version, name in found)


def as_json(it: ImpactTold, old: CheckedRuleset, new: CheckedRuleset) -> dict[str, Any]:
    """The same as JSON: a number where it is exact, `<10` where it is small, otherwise from and to, both included."""
    head = {"old": _identity(old), "new": _identity(new), "fewest": FEWEST, "rows": it.rows, "told": it.told}
    if not it.told:
        return head
    return {
        **head,
        "changed": _said(it.changed),
        "laxer": _said(it.laxer),
        "safer": _said(it.safer),
        "kinds": {kind.value: _said(it.of_kind(kind)) for kind in Kind},
        "from_to": {
            old_state: {new_state: _said(it.between(old_state, new_state)) for new_state in it.states}
            for old_state in it.states
        },
        "rules": [
            {
                "rule": each.rule or None,
                "role": each.role.value if each.role else None,
                "kind": each.kind.value,
                "rows": _said(each.people),
            }
            for each in it.rules
        ],
        "groups": {column: None if table is None else _table(table) for column, table in it.groups.items()},
        "left_out": [_named_json(each) for each in it.left_out],
        "refused_because": [_named_json(each) for each in it.codes],
    }


def _identity(checked: CheckedRuleset) -> dict[str, str]:
    return {"id": checked.ruleset.id, "version": checked.ruleset.version, "digest": checked.digest}


def _said(told: Told) -> int | str | dict[str, int]:
    if told.exact:
        return told.low
    return f"<{FEWEST}" if told.small else {"from": told.low, "to": told.high}


def _named_json(it: Named) -> dict[str, Any]:
    return {"version": it.version.value, "name": it.name, "rows": _said(it.people)}


def _table(it: GroupsTold) -> dict[str, Any]:
    rows = [
        {
            "group": group,
            "rows": people,
            "kinds": {kind: _said(told) for kind, told in it.by_kind[group].items()},
            "other_kinds": _said(it.together[group]),
        }
        for group, people in it.people.items()
    ]
    rest = {
        "groups": it.rest,
        "largest": it.largest,
        "rows": it.rest_people,
        "kinds": {kind: _said(told) for kind, told in it.rest_by_kind.items()},
        "other_kinds": _said(it.rest_together),
    }
    return {"groups": rows, "together": rest}
