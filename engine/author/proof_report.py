"""What an author is told about claims: each with its verdict, and where one does not hold a patient who shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from engine.author.cases_report import in_short
from engine.author.layout import Page, Role
from engine.decide.answers import Answers, Given
from engine.decide.evaluate import Evaluator
from engine.prove.exact import Exact
from engine.prove.replay import Seen, replay
from engine.prove.verdict import ClaimResult, Proved, Refuted, Undecided, word
from engine.rules.model import NO, NOTHING, CheckedRuleset

EXAMPLES = 3
"""So many records are shown on which the bound is not exact."""


def render_result(checked: CheckedRuleset, result: ClaimResult, evaluator: Evaluator, width: int) -> Page:
    """One claim: its verdict and time; a refuted one with its patients and what is decided on them."""
    page = Page(width)
    claim, verdict = result.claim, result.verdict
    head = f"{claim.id} ({claim.kind}), {result.seconds:.1f} s"
    match verdict:
        case Proved(0):
            page.add(f"{head}: the ruleset declares nothing that it could be about", Role.ASIDE, "PROVED     ")
        case Proved(shown):
            page.add(f"{head}, {shown} shown", lead="PROVED     ")
        case Undecided(why):
            page.add(f"{head}: {why}", Role.ALARM, "UNDECIDED  ")
        case Refuted(why, patients):
            page.add(f"{head}: {why}", Role.ALARM, "REFUTED    ")
            page.verbatim(f"{'':11}{claim.span.place}", Role.ASIDE)
            for number, answers in enumerate(patients):
                told = patients[number - 1] if number else {}
                _patient(page, replay(evaluator, answers), told, number)
    for name, why in claim.exempt.items():
        page.add(f"not claimed of `{name}`: {why}", Role.ASIDE, " " * 11)
    return page


def _patient(page: Page, seen: Seen, told: Mapping[str, Given], number: int) -> None:
    """The answers that are worth telling, of a second patient those that differ, and what is decided."""
    words = {name: spoken(answer) for name, answer in seen.answers.items()}
    before = {name: spoken(answer) for name, answer in told.items()}
    indent = " " * 11
    if number:
        gone = {name: "missing" for name in before if name not in words}
        changed = {name: text for name, text in {**words, **gone}.items() if before.get(name) != text}
        page.add("and with: " + (listed(changed) or "nothing else"), lead=indent)
    else:
        said = {name: text for name, text in words.items() if text not in (NO, NOTHING)}
        denied = len(words) - len(said)
        rest = f"; {denied} answers no or none" if denied else ""
        page.add("a patient: " + (listed(said) or "nothing remarkable") + rest, lead=indent)
    page.add(f"is decided: {decided(seen)}", lead=indent)


def decided(seen: Seen) -> str:
    """What came of a patient, in one line."""
    if seen.outcome is not None:
        return in_short(seen.outcome)
    return f"refused: {seen.refused}" if seen.refused else f"no decision: {seen.failed}"


def spoken(answer: Given) -> str:
    """An answer as a file of patients has it."""
    if answer.kind is None:
        return "unknown"
    return Answers({"": answer.value}, frozenset()).word("")


def listed(answers: Mapping[str, str]) -> str:
    """Answers in one line."""
    return ", ".join(f"{name}: {text}" for name, text in answers.items())


def render_total(results: Sequence[ClaimResult], solver: str, width: int) -> Page:
    """How many claims are proved, refuted and undecided, and by which solver."""
    page = Page(width)
    counts = [word(result.verdict) for result in results]
    told = [f"{counts.count(each)} {each}" for each in ("proved", "refuted", "undecided")]
    failed = counts.count("proved") < len(counts)
    page.add(f"{', '.join(told)}; {solver}", Role.ALARM if failed else Role.HEADING)
    return page


def render_exact(found: Iterable[Exact], width: int) -> Page:
    """How often `settled`, the open rules and the next questions are not exact, with examples."""
    page = Page(width)
    records = list(found)
    unsettled = [each for each in records if not each.bound.settled]
    rules = sum(len(each.bound.open_rules) for each in unsettled)
    questions = sum(len(each.bound.next_questions) for each in unsettled)
    page.heading("How exact is `settled`")
    page.pairs(
        (
            ("records", f"{len(records)} sampled, {len(unsettled)} of them not settled"),
            ("settled", f"{sum(each.settled for each in unsettled)} are settled all the same"),
            ("ceiling", f"{sum(each.ceiling < each.bound.ceiling for each in unsettled)} cannot reach their ceiling"),
            ("open rules", f"{sum(len(each.idle_rules) for each in unsettled)} of {rules} can no longer become true"),
            (
                "next questions",
                f"{sum(len(each.idle_questions) for each in unsettled)} of {questions} change no disposition",
            ),
        )
    )
    inexact = [each for each in unsettled if each.idle_rules or each.idle_questions or each.settled]
    for each in sorted(inexact, key=lambda it: len(it.answers))[:EXAMPLES]:
        page.gap()
        said = {name: spoken(answer) for name, answer in each.answers.items()}
        page.add(listed({name: text for name, text in said.items() if text not in (NO, NOTHING)}), lead="record: ")
        page.add(f"{in_short(each.bound)}; exactly up to {each.ceiling.word}", lead="  ")
        if each.idle_rules:
            page.add(f"open, and never true: {', '.join(each.idle_rules)}", lead="  ")
        if each.idle_questions:
            page.add(f"asked, and for nothing: {', '.join(each.idle_questions)}", lead="  ")
    return page


def as_json(checked: CheckedRuleset, results: Iterable[ClaimResult]) -> dict[str, object]:
    """All verdicts as one JSON document; answers as a file of patients has them."""
    return {
        "ruleset": checked.ruleset.id,
        "version": checked.ruleset.version,
        "digest": checked.digest,
        "claims": [
            {
                "id": result.claim.id,
                "kind": result.claim.kind,
                "verdict": word(result.verdict),
                "why": "" if isinstance(result.verdict, Proved) else result.verdict.why,
                "seconds": round(result.seconds, 3),
                "patients": [
                    {name: spoken(answer) for name, answer in patient.items()}
                    for patient in (result.verdict.patients if isinstance(result.verdict, Refuted) else ())
                ],
            }
            for result in results
        ],
    }
