"""What a new version changes, told to an author at a terminal, to a program, and as the rows of the handbook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.author.diff_words import Teller
from engine.author.handbook.content import Change as Row
from engine.author.layout import Page, Role
from engine.decide.answers import Given, plain_number
from engine.prove.diff import Change, Example, VersionDiff
from engine.prove.dimensions import Direction
from engine.rules.model import CheckedRuleset

_INDENT = " " * 6
_HEADINGS = {Direction.LAXER: "laxer", Direction.SAFER: "safer", Direction.OTHER: "neither"}


def render_diff(found: VersionDiff, width: int, language: str = "") -> Page:
    """The page: what became laxer first, then the patients on whom it shows, then what is written otherwise."""
    tell = Teller(found, language)
    page = Page(width)
    old, new = found.old.ruleset, found.new.ruleset
    page.verbatim(f"{old.id} {old.version} -> {new.id} {new.version}", Role.HEADING)
    numbers = {direction: sum(each.direction is direction for each in found.changes) for direction in Direction}
    role = Role.ALARM if found.laxer else Role.TEXT
    if found.same:
        page.add(tell("same"))
    else:
        page.add(tell("counts", len(found.changes), *numbers.values()), role)
    patients = _patients(found)
    for direction in Direction:
        if numbers[direction]:
            page.heading(tell(_HEADINGS[direction]))
        for each in found.changes:
            if each.direction is direction:
                _change(page, tell, each, patients)
    if found.undecided:
        page.heading(tell("undecided"))
        for aspect in found.undecided:
            page.add(tell("whether", tell.aspect(aspect)), Role.ALARM, "  - ")
    if patients:
        page.heading(tell("patients"))
    for number, patient in enumerate(patients, 1):
        for place, said in enumerate(tell.answers(patient)):
            page.add(said, lead=f"{number:>4}  " if place == 0 else _INDENT)
    page.heading(tell("written"))
    for entry in found.rewritten:
        page.add(tell.rewritten(entry), lead="  - ")
    if not found.rewritten:
        page.add(tell("nothing_written"), lead="  ")
    return page


def _change(page: Page, tell: Teller, it: Change, patients: list[Example]) -> None:
    page.add(tell.change(it), lead="  - ")
    for region in it.regions:
        cause = tell.cause(it, region)
        example = tell("example", patients.index(region.example) + 1)
        page.add(f"{cause}: {example}" if cause else example, Role.ASIDE, _INDENT)
    if it.bounded:
        page.add(tell("bounded"), Role.ASIDE, _INDENT)


def _patients(found: VersionDiff) -> list[Example]:
    """Every example once, in the order in which the page comes to it."""
    patients: list[Example] = []
    for direction in Direction:
        for change in found.changes:
            if change.direction is direction:
                patients.extend(each.example for each in change.regions if each.example not in patients)
    return patients


def rows(found: VersionDiff, language: str) -> tuple[Row, ...]:
    """A row of the handbook for every region of every change; what is undecided counts as laxer."""
    tell = Teller(found, language)
    told: list[Row] = []
    for direction in Direction:
        for change in found.changes:
            if change.direction is direction:
                for region in change.regions:
                    cause = tell.cause(change, region)
                    text = tell.change(change) + (f"; {cause}" if cause else "")
                    told.append(Row(direction.word, text, "; ".join(tell.answers(region.example))))
                if change.bounded:
                    told.append(Row(direction.word, f"{tell.change(change)}; {tell('bounded')}", ""))
    for aspect in found.undecided:
        told.append(Row(Direction.LAXER.word, f"{tell('undecided')}: {tell.aspect(aspect)}", ""))
    return tuple(told)


def as_json(found: VersionDiff) -> dict[str, Any]:
    """The comparison as one document, in the words of the rulesets; `patient` counts from 0."""
    patients = _patients(found)
    return {
        "old": _identity(found.old),
        "new": _identity(found.new),
        "same": found.same,
        "laxer": found.laxer,
        "changes": [
            {
                "aspect": each.aspect.kind,
                "id": each.aspect.name or None,
                "old": each.old,
                "new": each.new,
                "direction": each.direction.word,
                "complete": each.complete,
                "bounded": each.bounded,
                "regions": [
                    {
                        "gained": list(region.gained),
                        "lost": list(region.lost),
                        "patient": patients.index(region.example),
                    }
                    for region in each.regions
                ],
            }
            for each in found.changes
        ],
        "patients": [{"answers": _answers(each.answers), "before": _answers(each.before)} for each in patients],
        "undecided": [{"aspect": each.kind, "id": each.name or None} for each in found.undecided],
        "rewritten": [
            {
                "section": each.section,
                "id": each.id,
                "language": each.language or None,
                "kind": each.kind,
                "parts": [{"key": part.key, "old": part.old, "new": part.new} for part in each.parts],
            }
            for each in found.rewritten
        ],
    }


def _identity(checked: CheckedRuleset) -> dict[str, str]:
    return {"id": checked.ruleset.id, "version": checked.ruleset.version, "digest": checked.digest}


def _answers(answers: Mapping[str, Given]) -> dict[str, str | list[str]]:
    """Answers as a case writes them."""
    said: dict[str, str | list[str]] = {}
    for name, given in answers.items():
        value = given.value
        said[name] = (
            "unknown" if given.kind is None else list(value) if isinstance(value, tuple) else plain_number(value)
        )
    return said
