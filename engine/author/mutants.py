"""Every ruleset that is one slip away from a ruleset: what mutation testing tries the cases on.

A mutant's id is the path in the file to the changed part and the kind of slip: `rules.G04.when.all.0:up`. It stays the
same while that part of the file does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from engine.author.edits import Kind, edits, step
from engine.rules.condition import Compare, Condition, Parameter, leaves
from engine.rules.model import Default, ProgrammeRow, Rule, Ruleset
from engine.rules.scale import Call, Disposition, Guidance, Programme
from engine.rules.sites import sites
from engine.rules.source import Span


@dataclass(frozen=True, slots=True)
class Mutant:
    """One slip: `said` tells what became what, `owner` what it belongs to; `ruleset` is not checked yet."""

    id: str
    kind: Kind
    owner: str
    span: Span
    said: str
    ruleset: Ruleset


@dataclass(frozen=True, slots=True)
class _Place:
    """Where conditions stand: the section and key of the file, and what an owner is called.

    `attribute` holds the section in a Ruleset, `field` the condition in its entries; it may be left out where
    `optional`.
    """

    section: str
    attribute: str
    field: str
    called: str
    optional: bool = False
    key: str = ""


_PLACES = (
    _Place("groups", "groups", "asked_when", "group `{}`", optional=True, key="asked_when"),
    _Place("questions", "questions", "asked_when", "question `{}`", optional=True, key="asked_when"),
    _Place("findings", "findings", "when", "finding `{}`"),
    _Place("rules", "rules", "when", "rule {}", key="when"),
    _Place("refuse", "refusals", "when", "contradiction `{}`"),
    _Place("programme", "programme", "when", "programme row {}", key="when"),
    _Place("advice", "advice", "when", "advice {}", optional=True, key="when"),
    _Place("advice", "advice", "hide_when", "advice {}", optional=True, key="hide_when"),
    _Place("advice_policies", "policies", "hide_when", "policy {}", key="hide_when"),
    _Place("safety_net", "safety_net", "when", "safety net {}", optional=True, key="when"),
)


def mutants(ruleset: Ruleset) -> tuple[Mutant, ...]:
    """Every mutant. `ruleset` as its author wrote it, before it was checked."""
    return (
        *_parameters(ruleset),
        *(found for place in _PLACES for found in _conditions(ruleset, place)),
        *(found for rule in ruleset.rules.values() for found in _results(ruleset, rule)),
        *_results(ruleset, ruleset.default),
        *_rows(ruleset),
        *_policies(ruleset),
    )


def _parameters(ruleset: Ruleset) -> Iterator[Mutant]:
    for it in ruleset.parameters.values():
        for kind, sign in ((Kind.UP, 1), (Kind.DOWN, -1)):
            value = it.value + sign * _parameter_step(ruleset, it.id)
            new = replace(ruleset, parameters={**ruleset.parameters, it.id: replace(it, value=value)})
            span, said = ruleset.place("parameters", it.id, "value"), f"{it.value:f} became {value:f}"
            yield Mutant(f"parameters.{it.id}:{kind.value}", kind, f"parameter `{it.id}`", span, said, new)


def _parameter_step(ruleset: Ruleset, name: str) -> Decimal:
    """The largest step that fits every question which is compared with the parameter."""
    compared = (leaf for site in sites(ruleset) for leaf in leaves(site.condition) if isinstance(leaf, Compare))
    steps = [
        step(ruleset.questions.get(leaf.question))
        for leaf in compared
        if any(isinstance(operand, Parameter) and operand.name == name for operand in leaf.operands)
    ]
    return max(steps, default=Decimal(1))


def _conditions(ruleset: Ruleset, place: _Place) -> Iterator[Mutant]:
    """Every change to the conditions of a section, and each that may be left out left out."""
    held = getattr(ruleset, place.attribute)
    entries: Mapping[str, Any] = held if isinstance(held, Mapping) else {row.id: row for row in held}

    def put(name: str, condition: Condition | None) -> Ruleset:
        new = {**entries, name: replace(entries[name], **{place.field: condition})}
        changed: dict[str, Any] = {place.attribute: new if isinstance(held, Mapping) else tuple(new.values())}
        return replace(ruleset, **changed)

    for name, entry in entries.items():
        condition: Condition | None = getattr(entry, place.field)
        if condition is None:
            continue
        path = tuple(part for part in (place.section, name, place.key) if part)
        owner = place.called.format(name)
        if place.optional:
            said = f"`{place.key}` was left out"
            span = ruleset.place(place.section, name, place.key)
            yield Mutant(f"{'.'.join(path)}:dropped", Kind.DROPPED, owner, span, said, put(name, None))
        for edit in edits(condition, ruleset.questions):
            id = f"{'.'.join((*path, *edit.path))}:{edit.kind.value}"
            yield Mutant(id, edit.kind, owner, edit.span, edit.said, put(name, edit.condition))


def _results(ruleset: Ruleset, it: Rule | Default) -> Iterator[Mutant]:
    """What a rule gives, one lower: the disposition, the call, the guidance; and its hours dropped or doubled."""
    owner, path = (f"rule {it.id}", ("rules", it.id)) if isinstance(it, Rule) else ("the default", ("default",))

    def mutant(key: str, kind: Kind, was: str, became: str, new: Rule | Default) -> Mutant:
        span = ruleset.place(*path, "then", key)
        said = f"{key}: {was} became {became}" if became else f"{key}: {was} was left out"
        if isinstance(new, Rule):
            changed = replace(ruleset, rules={**ruleset.rules, new.id: new})
        else:
            changed = replace(ruleset, default=new)
        return Mutant(f"{'.'.join(path)}.then.{key}:{kind.value}", kind, owner, span, said, changed)

    for place in [each for each in sorted(Disposition) if each < it.disposition][-1:]:
        new = replace(it, disposition=place)
        yield mutant("disposition", Kind.LOWER, it.disposition.word, place.word, new)
    for call in [each for each in sorted(Call, key=lambda each: each.rank) if each.rank < it.call.rank][-1:]:
        yield mutant("call", Kind.LOWER, it.call.word, call.word, replace(it, call=call))
    if it.within_hours is not None:
        hours = it.within_hours
        yield mutant("within_hours", Kind.DROPPED, str(hours), "", replace(it, within_hours=None))
        yield mutant("within_hours", Kind.DOUBLED, str(hours), str(2 * hours), replace(it, within_hours=2 * hours))
    if isinstance(it, Rule) and it.guidance is not None:
        milder = [each for each in sorted(Guidance) if each < it.guidance][-1:]
        lower = milder[0] if milder else None
        word = lower.word if lower is not None else ""
        yield mutant("guidance", Kind.LOWER, it.guidance.word, word, replace(it, guidance=lower))


def _rows(ruleset: Ruleset) -> Iterator[Mutant]:
    """Programme rows: another choice, unknown read the other way, and two neighbours swapped that choose otherwise."""
    rows = ruleset.programme

    def mutant(row: ProgrammeRow, kind: Kind, key: str, said: str, new: tuple[ProgrammeRow, ...]) -> Mutant:
        id = ".".join(part for part in ("programme", row.id, key) if part)
        return Mutant(
            f"{id}:{kind.value}", kind, f"programme row {row.id}", row.span, said, replace(ruleset, programme=new)
        )

    for number, row in enumerate(rows):
        other = _OTHER[row.choice]
        said = f"then: {row.choice.word} became {other.word}"
        yield mutant(row, Kind.OTHER, "then", said, _put(rows, number, replace(row, choice=other)))
        if row.when is None:
            continue
        words = ("applies", "skips") if row.applies_unknown else ("skips", "applies")
        flipped = replace(row, applies_unknown=not row.applies_unknown)
        said = f"when_unknown: {words[0]} became {words[1]}"
        yield mutant(row, Kind.WHEN_UNKNOWN, "", said, _put(rows, number, flipped))
        after = rows[number + 1] if number + 1 < len(rows) else row
        if after.when is not None and after.choice is not row.choice:
            swapped = (*rows[:number], after, row, *rows[number + 2 :])
            yield mutant(row, Kind.SWAPPED, "", f"it came after {after.id}", swapped)


_OTHER = {
    Programme.NONE_YET: Programme.EITHER,
    Programme.EITHER: Programme.NONE_YET,
    Programme.MEDICAL_FITNESS: Programme.PILATES,
    Programme.PILATES: Programme.MEDICAL_FITNESS,
}


def _put(rows: tuple[ProgrammeRow, ...], number: int, row: ProgrammeRow) -> tuple[ProgrammeRow, ...]:
    return (*rows[:number], row, *rows[number + 1 :])


def _policies(ruleset: Ruleset) -> Iterator[Mutant]:
    """Advice policies with one kind of text fewer."""
    for policy in ruleset.policies.values():
        for kind in sorted(policy.kinds, key=lambda each: each.value):
            new = replace(policy, kinds=policy.kinds - {kind})
            span = ruleset.place("advice_policies", policy.id, "kinds")
            yield Mutant(
                f"advice_policies.{policy.id}.kinds.{kind.value}:dropped",
                Kind.DROPPED,
                f"policy {policy.id}",
                span,
                f"{kind.value} was left out of `kinds`",
                replace(ruleset, policies={**ruleset.policies, policy.id: new}),
            )
