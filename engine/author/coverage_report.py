"""What cases reach, told to an author at a terminal or to a program: percentages, and what no case shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

from engine.author.coverage import NOT_COUNTED, Coverage, Item, Row, coverage
from engine.author.coverage_aims import Kind
from engine.author.layout import Page, Role
from engine.rules.load import load, load_cases

NOT_MEASURABLE = "not measurable by cases: a patient who is refused has no decision that a case could expect"
"""Why contradictions are named and not counted."""
SIDE_NOTE = "sides that only an unknown answer shows; not in the whole"
SEVERAL_LEFT_OUT = "could not be evaluated and show nothing"


def measure(folder: Path) -> Coverage:
    """What the cases in a ruleset's folder reach. Raises RulesetError where one of the files is wrong."""
    checked = load(folder)
    return coverage(checked, load_cases(folder, checked))


def percent(covered: int, total: int) -> str:
    """A share with one decimal, rounded down: 100 is only what is whole; a dash of nothing.

    >>> percent(1999, 2000), percent(2, 2), percent(0, 0)
    ('99.9 %', '100.0 %', '-')
    """
    if not total:
        return "-"
    return f"{(Decimal(covered * 100) / total).quantize(Decimal('0.1'), ROUND_FLOOR)} %"


def render_coverage(found: Coverage, folder: Path, width: int) -> Page:
    """The page of one ruleset: a line for each kind, then what no case shows, what is most urgent first."""
    page = Page(width)
    page.verbatim(f"{found.ruleset} {found.version} ({folder})", Role.HEADING)
    page.add(f"{found.cases} cases")
    page.pairs((row.kind.value, told(row)) for row in found.summary() if row.kind not in NOT_COUNTED)
    page.pairs([("the whole", f"{percent(*found.total())}  {found.total()[0]} of {found.total()[1]}")])
    for row in found.summary():
        if row.kind in NOT_COUNTED:
            page.add(f"{row.kind.value}: {told(row)} ({SIDE_NOTE})", Role.ASIDE)
    if found.left_out:
        page.heading(f"Cases that {SEVERAL_LEFT_OUT}")
        for each in found.left_out:
            page.add(each.why, Role.ALARM, f"  {each.case}: ")
    for owner, items in found.missed():
        page.heading(owner.title)
        for item in items:
            page.add(item.missed, Role.ASIDE if item.aim.kind in NOT_COUNTED else Role.TEXT, "  - ")
            page.verbatim(f"    {item.aim.span.place}", Role.ASIDE)
    if found.refusals:
        page.heading("refuse")
        page.add(f"{NOT_MEASURABLE}:", lead="  ")
        for refused in found.refusals:
            page.verbatim(f"    {refused.id}  {refused.span.place}", Role.ASIDE)
    return page


def told(row: Row) -> str:
    """How much of a kind, as a share and in numbers."""
    return f"{percent(row.covered, row.total)}  {row.covered} of {row.total}"


def as_json(found: Iterable[tuple[Path, Coverage]]) -> Mapping[str, Any]:
    """The whole measurement as one document; rulesets/README.md describes it."""
    return {"rulesets": [_ruleset(folder, each) for folder, each in found]}


def _ruleset(folder: Path, found: Coverage) -> dict[str, Any]:
    covered, total = found.total()
    return {
        "folder": str(folder),
        "id": found.ruleset,
        "version": found.version,
        "digest": found.digest,
        "cases": found.cases,
        "covered": covered,
        "total": total,
        "summary": [
            {
                "kind": row.kind.value,
                "covered": row.covered,
                "total": row.total,
                "counted": row.kind not in NOT_COUNTED,
            }
            for row in found.summary()
        ],
        "left_out": [{"case": each.case, "why": each.why} for each in found.left_out],
        "items": [_item(item) for item in found.items],
        "not_measurable": [{"id": each.id, "place": each.span.place} for each in found.refusals],
    }


def _item(item: Item) -> dict[str, Any]:
    aim = item.aim
    content: dict[str, Any] = {
        "kind": aim.kind.value,
        "of": aim.owner.what,
        "id": aim.owner.id,
        "disposition": None if aim.owner.disposition is None else aim.owner.disposition.word,
        "part": aim.part,
        "side": aim.side,
        "place": aim.span.place,
        "case": item.case or None,
    }
    if aim.kind is Kind.THRESHOLDS:
        content["nearest"] = item.nearest or None
    return content if item.covered else {**content, "missed": item.missed}
