"""What the decision log says, for an operator at a terminal and as JSON: faults, entries, and decisions made again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.author.layout import Page, Role
from engine.record.entry import EntryKind
from engine.record.exporting import line
from engine.record.reading import Opened, State
from engine.record.replay import Change, Reconsidered, Replayed, Verdict
from engine.record.verify import Fault, Report
from engine.rules.model import CheckedRuleset

_CLOSED = {
    State.ERASED: "erased: its key was destroyed",
    State.SEALED: "sealed with a master key that is not in the key file",
    State.EMPTY: "nothing",
}
_ORDER = ("decision_id", "time", "caller", "on_behalf_of", "respondent", "request_id", "language", "engine")


def render_report(report: Report, width: int) -> Page:
    """Every fault with its place, what was looked at, and what could not be checked."""
    page = Page(width)
    for fault in report.faults:
        page.add(f"{fault.kind.value}: {fault.message}", Role.ALARM, f"{_place(fault)}  ")
    if report.untold:
        page.add(f"and {report.untold} more faults", Role.ALARM)
    told = [_counted(report.entries, "entry", "entries"), _counted(report.writers, "chain", "chains")]
    told.append(_counted(report.checkpoints, "checkpoint", "checkpoints"))
    told.append(_counted(report.receipts, "receipt", "receipts"))
    told += [f"{report.purged} purged"] if report.purged else []
    page.add(", ".join(told))
    if not report.macs_checked:
        page.add("not checked, for want of the key file: the codes (MAC) of entries", Role.ASIDE)
    if not report.signatures_checked:
        page.add("not checked, for want of a key: the signatures of checkpoints", Role.ASIDE)
    count = len(report.faults) + report.untold
    said = _counted(count, "fault", "faults") if count else "nothing was changed"
    page.add(said, Role.ALARM if count else Role.HEADING)
    return page


def _place(fault: Fault) -> str:
    return f"{fault.writer}/{fault.sequence}" if fault.writer else "checkpoints"


def report_json(report: Report) -> dict[str, Any]:
    """The report as JSON values."""
    faults = [
        {"kind": each.kind.value, "writer": each.writer, "sequence": each.sequence, "message": each.message}
        for each in report.faults
    ]
    numbers = ("writers", "entries", "purged", "checkpoints", "receipts", "macs_checked", "signatures_checked")
    counts = {name: getattr(report, name) for name in numbers}
    return {"whole": report.whole, **counts, "faults": faults, "more_faults": report.untold}


def render_entry(it: Opened, width: int) -> Page:
    """One entry whole: where it stands, its clear part, answers and outcome."""
    page = Page(width)
    page.verbatim(f"{it.kind.value} {it.place}", Role.HEADING)
    told = [*_ORDER, *(key for key in it.clear if key not in (*_ORDER, "kind", "ruleset"))]
    pairs = [(name, _said(it.clear.get(name, ""))) for name in told]
    ruleset = it.ruleset
    pairs.append(("ruleset", f"{ruleset.id} {ruleset.version} {ruleset.digest}".strip()))
    page.pairs([*pairs, ("hash", it.entry.hash)])
    if it.kind is EntryKind.DECISION and it.state is not State.OPEN:
        page.add(f"answers and outcome: {_CLOSED[it.state]}", Role.ALARM)
    for name, content in line(it).items():
        if name in it.sealed:
            page.heading(name)
            parts = content if isinstance(content, dict) else {"": content}
            page.pairs((key, _said(said)) for key, said in parts.items())
    return page


def _said(content: object) -> str:
    """A value of the log in a person's words; None among answers is an answer: asked, and not known."""
    if content is None:
        return "unknown"
    if isinstance(content, bool):
        return "yes" if content else "no"
    if isinstance(content, dict):
        return ", ".join(f"{key} {_said(said)}" for key, said in content.items())
    return ", ".join(map(_said, content)) if isinstance(content, list) else str(content)


def in_short(it: Opened) -> str:
    """One entry in one line of a list: no answer, no outcome, no subject."""
    ruleset = it.ruleset
    about = " ".join(filter(None, [it.decision_id, ruleset.id, ruleset.version]))
    state = "" if it.state in (State.OPEN, State.EMPTY) else it.state.value
    return "  ".join(filter(None, [str(it.clear.get("time", "")), it.kind.value, about, it.place, state]))


def listed_json(it: Opened) -> dict[str, Any]:
    """The same as JSON values: the clear part alone."""
    return {key: said for key, said in line(it).items() if key not in it.sealed}


@dataclass(slots=True)
class ReplayTally:
    """What came of deciding all of a log again."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    different: list[Replayed] = field(default_factory=list)

    def add(self, it: Replayed) -> None:
        """Counts one; keeps it where it is different."""
        self.verdicts[it.verdict] += 1
        if it.verdict is Verdict.DIFFERENT:
            self.different.append(it)


def render_replay(tally: ReplayTally, width: int) -> Page:
    """Every decision that is different, and how many are not."""
    page = Page(width)
    for each in tally.different:
        page.add(each.reason, Role.ALARM, f"{each.decision_id} ({each.place})  ", 4)
    role = Role.ALARM if tally.verdicts[Verdict.DIFFERENT] else Role.HEADING
    page.add(_verdicts(tally.verdicts, "equal"), role)
    return page


def _verdicts(verdicts: Counter[Verdict], equal: str) -> str:
    words = {Verdict.EQUAL: equal, Verdict.DIFFERENT: "different"}
    told = [f"{verdicts[each]} {word}" for each, word in words.items()]
    told += [f"{verdicts[each]} {each.value}" for each in (Verdict.ERASED, Verdict.SEALED) if verdicts[each]]
    return f"{_counted(sum(verdicts.values()), 'decision', 'decisions')}: {', '.join(told)}"


def replayed_json(it: Replayed) -> dict[str, Any]:
    """One decision that was made again."""
    told = {"decision_id": it.decision_id, "place": it.place, "verdict": it.verdict.value}
    return {**told, "reason": it.reason} if it.reason else told


@dataclass(slots=True)
class CandidateTally:
    """What a candidate would have decided instead."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    laxer: int = 0
    recall: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    different: list[Reconsidered] = field(default_factory=list)

    def add(self, it: Reconsidered) -> None:
        """Counts one; keeps it where it is different."""
        self.verdicts[it.verdict] += 1
        self.laxer += it.laxer
        self.recall += it.recall
        self.left_out.update(it.left_out)
        if it.verdict is Verdict.DIFFERENT:
            self.different.append(it)


def render_candidate(tally: CandidateTally, candidate: CheckedRuleset, width: int) -> Page:
    """Whom a recall concerns, which decisions become laxer, which others change, and which answers were left out."""
    page = Page(width)
    ruleset = candidate.ruleset
    page.verbatim(f"{ruleset.id} {ruleset.version}, {candidate.digest[:12]}", Role.HEADING)
    recall = [each for each in tally.different if each.recall]
    laxer = [each for each in tally.different if each.laxer]
    others = [each for each in tally.different if not each.laxer and not each.recall]
    _decisions(page, "A recall concerns: the candidate is more urgent, or gives no decision", recall)
    _decisions(page, "Laxer", laxer)
    _decisions(page, "Other", others)
    if tally.left_out:
        page.heading("Decided without answers that the candidate does not take")
        for name, count in sorted(tally.left_out.items()):
            page.add(f"{name}: {_counted(count, 'decision', 'decisions')}", lead="  - ")
    page.gap()
    page.add(_verdicts(tally.verdicts, "the same"), Role.HEADING)
    page.add(f"{tally.recall} to recall, {tally.laxer} laxer", Role.ALARM if tally.laxer or tally.recall else Role.TEXT)
    return page


def _decisions(page: Page, title: str, found: Iterable[Reconsidered]) -> None:
    found = list(found)
    if not found:
        return
    page.heading(f"{title} ({len(found)})")
    for each in found:
        page.add(f"{each.decision_id} ({each.place}), by {each.version}", lead="  - ")
        changes = [_change(change) for change in each.changes] or [each.refused]
        page.add("; ".join(changes), Role.ASIDE, " " * 6)
        if each.left_out:
            page.add(f"without: {', '.join(each.left_out)}", Role.ASIDE, " " * 6)


def _change(it: Change) -> str:
    return f"{it.aspect}: {it.old} -> {it.new}"


def reconsidered_json(it: Reconsidered) -> dict[str, Any]:
    """One decision, as the candidate would have made it."""
    changes = [
        {"aspect": each.aspect, "old": each.old, "new": each.new, "direction": each.direction.word}
        for each in it.changes
    ]
    return {
        "decision_id": it.decision_id,
        "place": it.place,
        "version": it.version,
        "verdict": it.verdict.value,
        "laxer": it.laxer,
        "recall": it.recall,
        "changes": changes,
        "left_out": list(it.left_out),
        "refused": it.refused or None,
    }


def _counted(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"
