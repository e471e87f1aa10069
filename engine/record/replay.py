"""Decided again: the same ruleset must give the same bytes, and what another version would have decided instead.

Nothing but the log and the engine is needed. What cannot be decided again is told as it comes; it stops no other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from engine.decide.answers import Given, read_answers
from engine.decide.canonical import outcome_bytes
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError, PluisError
from engine.record.entry import EntryKind
from engine.record.reading import Opened, State
from engine.rules.load import build
from engine.rules.model import CheckedRuleset, Ruleset
from engine.rules.scale import Call, Disposition
from engine.rules.source import Source

Contents: TypeAlias = Callable[[str], Mapping[str, str] | None]
"""The texts of a ruleset by its digest: file name to text; None where the log does not hold it."""


class Verdict(Enum):
    """What came of deciding again."""

    EQUAL = "equal"
    DIFFERENT = "different"
    """Other bytes, or no decision at all: `reason` says which."""
    ERASED = "erased"
    SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class Replayed:
    """One decision of the log, decided again by its own ruleset. `reason` names the difference, never an answer."""

    decision_id: str
    place: str
    verdict: Verdict
    reason: str = ""


def replay(entries: Iterable[Opened], contents: Contents) -> Iterator[Replayed]:
    """Every decision among the entries, decided again by the ruleset that the log holds for it."""
    evaluators: dict[str, Evaluator | str] = {}
    try:
        for it in entries:
            if it.kind is not EntryKind.DECISION:
                continue
            if it.state is not State.OPEN:
                yield Replayed(it.decision_id, it.place, _closed(it.state))
                continue
            digest = it.ruleset.digest
            if digest not in evaluators:
                evaluators[digest] = _evaluator(digest, contents)
            reason = _again(it, evaluators[digest])
            yield Replayed(it.decision_id, it.place, Verdict.DIFFERENT if reason else Verdict.EQUAL, reason)
    finally:
        for each in evaluators.values():
            if isinstance(each, Evaluator):
                each.close()


def _closed(state: State) -> Verdict:
    """An entry without what was sealed says no more than one whose key is gone."""
    return Verdict.SEALED if state is State.SEALED else Verdict.ERASED


def _evaluator(digest: str, contents: Contents) -> Evaluator | str:
    """The ruleset of the log, ready to decide, or why it cannot."""
    texts = contents(digest)
    if texts is None:
        return "the log does not hold its ruleset"
    checked, _ = build({name: Source(name, text) for name, text in texts.items()})
    if checked is None:
        return "the ruleset that the log holds for it is not valid for this engine"
    if checked.digest != digest:
        return "the ruleset that the log holds for it has another digest"
    return Evaluator(checked)


def _again(it: Opened, evaluator: Evaluator | str) -> str:
    """What differs from the bytes of the log; empty where nothing does."""
    if isinstance(evaluator, str):
        return evaluator
    if hashlib.sha256(it.outcome).hexdigest() != it.clear.get("decision_digest"):
        return "its outcome is not the one of its digest"
    try:
        outcome = evaluator.evaluate(evaluator.read(it.answers())).outcome
    except AnswersError as error:
        return f"its answers are refused: {_codes(error)}"
    except PluisError as error:
        return str(error)
    again = outcome_bytes(evaluator.checked, outcome)
    if again == it.outcome:
        return ""
    before, after = json.loads(it.outcome), json.loads(again)
    keys = sorted(key for key in {**before, **after} if before.get(key) != after.get(key))
    return f"decided otherwise: {', '.join(keys)}" if keys else "the same outcome in other bytes"


def _codes(error: AnswersError) -> str:
    return ", ".join(dict.fromkeys(each.code for each in error.violations))


class Direction(Enum):
    """Which way a change goes: more urgent, earlier or more to watch for; the other way; or neither."""

    LAXER = 1
    SAFER = 2
    OTHER = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Change:
    """One aspect in which the candidate decides otherwise, in the words of the rulesets."""

    aspect: str
    old: str
    new: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class Reconsidered:
    """One decision of the log, decided again by a candidate. Erased and sealed ones have no more than their verdict.

    `left_out` are questions with an answer that the candidate does not take: it does not ask them, or otherwise; the
    candidate decided without them. `refused` says why it gives no decision at all.
    """

    decision_id: str
    place: str
    version: str
    verdict: Verdict
    changes: tuple[Change, ...] = ()
    left_out: tuple[str, ...] = ()
    refused: str = ""

    @property
    def laxer(self) -> bool:
        """Whether the candidate is less urgent, later or has less to watch for, in anything."""
        return any(each.direction is Direction.LAXER for each in self.changes)

    @property
    def recall(self) -> bool:
        """Whether this person was sent more mildly or later than the candidate would, or would not be decided on."""
        urgent = any(each.direction is Direction.SAFER and each.aspect in URGENCY for each in self.changes)
        return urgent or bool(self.refused)


def reconsider(entries: Iterable[Opened], candidate: CheckedRuleset) -> Iterator[Reconsidered]:
    """Every decision by any version of the candidate's ruleset, decided again by the candidate."""
    evaluator = Evaluator(candidate)
    try:
        for it in entries:
            if it.kind is EntryKind.DECISION and it.ruleset.id == candidate.ruleset.id:
                yield _reconsidered(it, evaluator)
    finally:
        evaluator.close()


def _reconsidered(it: Opened, evaluator: Evaluator) -> Reconsidered:
    version = it.ruleset.version
    if it.state is not State.OPEN:
        return Reconsidered(it.decision_id, it.place, version, _closed(it.state))
    taken, left_out = _taken(evaluator.checked.ruleset, it.answers())
    refused = ""
    changes: tuple[Change, ...] = ()
    try:
        outcome = evaluator.evaluate(evaluator.read(taken)).outcome
    except AnswersError as error:
        refused = f"its answers are refused: {_codes(error)}"
    except PluisError as error:
        refused = str(error)
    else:
        changes = tuple(changes_between(json.loads(it.outcome), json.loads(outcome_bytes(evaluator.checked, outcome))))
    verdict = Verdict.DIFFERENT if refused or changes else Verdict.EQUAL
    return Reconsidered(it.decision_id, it.place, version, verdict, changes, left_out, refused)


def _taken(ruleset: Ruleset, answers: Mapping[str, Given]) -> tuple[dict[str, Given], tuple[str, ...]]:
    """The answers that a ruleset takes as they are, and the questions of the others."""
    taken: dict[str, Given] = {}
    for name, answer in answers.items():
        try:
            read_answers(ruleset, {name: answer})
        except AnswersError:
            continue
        taken[name] = answer
    return taken, tuple(sorted(answers.keys() - taken.keys()))


URGENCY = ("disposition", "ceiling", "call", "within_hours")
"""The aspects of which a more urgent one means that somebody was sent too mildly."""
_DISPOSITION = {each.word: int(each) for each in Disposition}
_CALL = {each.word: each.rank for each in Call}
_ONE = {"floor": "disposition", "ceiling": "ceiling", "call": "call", "guidance": "guidance"}
_LISTS = {"rules": "rule", "open_rules": "open rule", "calls": "further call", "advice": "advice"}


def changes_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Every aspect in which two outcomes differ, as `outcome_content` has them, the weightiest first.

    Laxer is what `pluis diff` calls laxer.
    """
    for key, aspect in _ONE.items():
        if old[key] == new[key] or (key == "ceiling" and old["settled"] and new["settled"]):
            continue
        rank = _CALL if key == "call" else _DISPOSITION
        yield _ranked(aspect, old[key], new[key], rank.get(new[key], 0) - rank.get(old[key], 0))
    if old["within_hours"] != new["within_hours"]:
        yield _ranked("within_hours", old["within_hours"], new["within_hours"], _hours(old) - _hours(new))
    if old["settled"] != new["settled"]:
        told = {True: "settled", False: "needs_answers"}
        yield Change("settled", told[old["settled"]], told[new["settled"]], Direction.OTHER)
    for key in ("valid_days", "recheck_days"):
        if old["floor"] == new["floor"] and old[key] != new[key]:
            yield _ranked(key, old[key], new[key], old[key] - new[key])
    yield from _listed("safety net", old["safety_net"], new["safety_net"], Direction.SAFER, Direction.LAXER)
    for key, aspect in _LISTS.items():
        before, after = ([each for each in it[key] if key != "calls" or each != it["call"]] for it in (old, new))
        yield from _listed(aspect, before, after, Direction.OTHER, Direction.OTHER)
    for key in ("choice", "row"):
        if old["programme"][key] != new["programme"][key]:
            aspect = "programme" if key == "choice" else "programme row"
            yield _ranked(aspect, old["programme"][key] or None, new["programme"][key] or None, 0)
    before, after = ([each["question"] for each in it["next_questions"]] for it in (old, new))
    yield from _listed("next question", before, after, Direction.OTHER, Direction.OTHER)


def _hours(outcome: Mapping[str, Any]) -> float:
    """Without a time there is no hurry: later than any."""
    hours = outcome["within_hours"]
    return float("inf") if hours is None else float(hours)


def _ranked(aspect: str, old: object, new: object, more: float) -> Change:
    direction = Direction.SAFER if more > 0 else Direction.LAXER if more < 0 else Direction.OTHER
    before, after = ("none" if each is None else str(each) for each in (old, new))
    return Change(aspect, before, after, direction)


def _listed(
    aspect: str, old: Iterable[str], new: Iterable[str], gained: Direction, lost: Direction
) -> Iterator[Change]:
    """A change for each id that only one of two lists has."""
    before, after = dict.fromkeys(old), dict.fromkeys(new)
    yield from (Change(f"{aspect} {each}", "yes", "no", lost) for each in before if each not in after)
    yield from (Change(f"{aspect} {each}", "no", "yes", gained) for each in after if each not in before)
