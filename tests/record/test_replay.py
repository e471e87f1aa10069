"""Decided again: equal bytes where nothing changed, and every difference named without an answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from engine.decide.evaluate import Evaluator
from engine.errors import EvaluatorsDisagree
from engine.record.entry import Draft, Entry, EntryKind, chain
from engine.record.reading import Opened, State, UnreadableEntry, Unsealed, open_entries
from engine.record.replay import Change, Direction, Reconsidered, Replayed, Verdict, reconsider, replay
from engine.rules.canonical import canonical_json, digest_of
from tests.record.decided import (
    FINE,
    MAC_KEY,
    PATIENTS,
    STOPS,
    WORN,
    bicycle,
    changed,
    draft,
    entries,
    read,
    texts,
)


def opened(drafts: Iterable[Draft]) -> Iterable[Opened]:
    return open_entries(entries(drafts), read)


def contents(digest: str) -> Mapping[str, str] | None:
    return texts() if digest == bicycle().checked.digest else None


def again(*drafts: Draft) -> list[Replayed]:
    return list(replay(opened(drafts), contents))


def test_the_same_ruleset_gives_the_same_bytes() -> None:
    drafts = [draft(number, said) for number, said in enumerate(PATIENTS, 1)]
    found = again(*drafts)
    assert [(each.decision_id, each.place) for each in found] == [
        (each.decision_id, f"w1/{number}") for number, each in enumerate(drafts, 1)
    ]
    assert {(each.verdict, each.reason) for each in found} == {(Verdict.EQUAL, "")}


def otherwise(it: Draft, **changes: object) -> Draft:
    """The draft with another outcome, and the digest of that."""
    content = {**json.loads(it.outcome), **changes}
    return replace(it, outcome=canonical_json(content), decision_digest=digest_of(content))


@pytest.mark.parametrize(
    ("recorded", "reason"),
    [
        (otherwise(draft(1, STOPS), within_hours=2, call="clinic"), "decided otherwise: call, within_hours"),
        (otherwise(draft(1, STOPS), novel=1), "decided otherwise: novel"),
        (replace(draft(1, STOPS), decision_digest="0" * 64), "its outcome is not the one of its digest"),
        (
            replace(draft(1, STOPS), ruleset=replace(draft(1, STOPS).ruleset, digest="0" * 64)),
            "the log does not hold its ruleset",
        ),
        (
            replace(draft(1, STOPS), answers=canonical_json({"bike_age": "400", "secret": "x", "years_owned": None})),
            "its answers are refused: out-of-range, unknown-question",
        ),
        (
            replace(
                draft(1, STOPS), answers=canonical_json({**json.loads(draft(1, STOPS).answers), "years_owned": "70"})
            ),
            "its answers are refused: contradiction",
        ),
    ],
    ids=["outcome", "key", "digest", "ruleset", "answers", "contradiction"],
)
def test_a_difference_is_named_and_stops_no_other(recorded: Draft, reason: str) -> None:
    first, second = again(recorded, draft(2, FINE))
    assert (first.verdict, first.reason) == (Verdict.DIFFERENT, reason)
    assert second.verdict is Verdict.EQUAL


def test_other_bytes_of_the_same_outcome_are_a_difference() -> None:
    it = draft(1, STOPS)
    spaced = json.dumps(json.loads(it.outcome)).encode()
    (found,) = again(replace(it, outcome=spaced, decision_digest=hashlib.sha256(spaced).hexdigest()))
    assert (found.verdict, found.reason) == (Verdict.DIFFERENT, "the same outcome in other bytes")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            {**texts(), "ruleset.yaml": "ruleset:\n"},
            "the ruleset that the log holds for it is not valid for this engine",
        ),
        (
            {**texts(), "ruleset.yaml": texts()["ruleset.yaml"].replace("range: [0, 80]", "range: [0, 90]")},
            "the ruleset that the log holds for it has another digest",
        ),
    ],
    ids=["invalid", "changed"],
)
def test_a_ruleset_that_is_not_the_one_is_not_used(said: Mapping[str, str], reason: str) -> None:
    found = list(replay(opened([draft(1, STOPS), draft(2, FINE)]), lambda digest: said))
    assert [(each.verdict, each.reason) for each in found] == [(Verdict.DIFFERENT, reason)] * 2


def test_evaluators_that_disagree_are_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    def disagree(*_: object) -> None:
        raise EvaluatorsDisagree("rules: certain [E01], possible []")

    draws = [draft(1, STOPS)]
    monkeypatch.setattr(Evaluator, "evaluate", disagree)
    (found,) = again(*draws)
    assert found.reason == "the evaluators disagree: rules: certain [E01], possible []"
    (reconsidered,) = reconsider(opened(draws), changed())
    assert reconsidered.refused == found.reason and reconsidered.recall


@pytest.mark.parametrize("state", [State.ERASED, State.SEALED])
def test_what_cannot_be_read_is_told(state: State) -> None:
    closed = list(open_entries(entries([draft(1, STOPS)]), lambda entry: Unsealed(state)))
    (found,) = replay(closed, contents)
    assert (found.verdict.value, found.reason) == (state.value, "")
    (reconsidered,) = reconsider(closed, changed())
    assert reconsidered.verdict.value == state.value
    assert not reconsidered.laxer and not reconsidered.recall


def test_what_is_no_decision_is_passed_over() -> None:
    body = canonical_json({"kind": "erasure", "time": "2026-11-22T09:30:00.000Z"})
    erasure = chain("w1", 1, body, b"", "0" * 64, MAC_KEY)
    (it,) = open_entries([erasure], read)
    assert (it.kind, it.state, it.decision_id, it.ruleset.digest) == (EntryKind.ERASURE, State.EMPTY, "", "")
    assert list(replay([it], contents)) == [] == list(reconsider([it], changed()))


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'"x"', b'{"kind":"secret"}', b'{"kind":"decision","ruleset":3}'])
def test_what_is_no_entry_is_named_and_not_shown(body: bytes) -> None:
    entry = Entry("w1", 7, body, b"", "", "", "")
    with pytest.raises(UnreadableEntry) as caught:
        list(open_entries([entry], read))
    assert str(caught.value) == "entry 7 of writer `w1` cannot be read: `pluis log verify` tells what was changed"
    assert caught.value.__cause__ is None


def by_candidate(*replaced: tuple[str, str], said: Mapping[str, str | tuple[str, ...]] = WORN) -> Reconsidered:
    (found,) = reconsider(opened([draft(1, said)]), changed(*replaced))
    assert found.version == "1.0.0"
    return found


def test_a_candidate_that_says_the_same_changes_nothing() -> None:
    for said in PATIENTS:
        found = by_candidate(said=said)
        assert (found.verdict, found.changes, found.left_out, found.laxer, found.recall) == (
            Verdict.EQUAL, (), (), False, False,
        )  # fmt: skip


WORN_RULE = "then: {disposition: physio, call: clinic, guidance: offered}"


def test_a_milder_candidate_is_laxer_and_no_reason_to_recall() -> None:
    found = by_candidate((WORN_RULE, "then: {disposition: self_care, call: none}"))
    assert found.verdict is Verdict.DIFFERENT and found.laxer and not found.recall
    assert found.changes[:2] == (
        Change("disposition", "physio", "self_care", Direction.LAXER),
        Change("call", "clinic", "none", Direction.LAXER),
    )
    assert Change("guidance", "offered", "none", Direction.OTHER) in found.changes


def test_a_more_urgent_candidate_is_a_reason_to_recall() -> None:
    more = "then: {disposition: same_day_gp, call: gp_today, within_hours: 24}"
    found = by_candidate((WORN_RULE, more))
    assert found.recall and found.verdict is Verdict.DIFFERENT
    assert [each for each in found.changes if each.direction is Direction.SAFER] == [
        Change("disposition", "physio", "same_day_gp", Direction.SAFER),
        Change("call", "clinic", "gp_today", Direction.SAFER),
        Change("within_hours", "none", "24", Direction.SAFER),
    ]
    later = by_candidate(("call: gp_or_hap_now, within_hours: 1", "call: gp_or_hap_now, within_hours: 2"), said=STOPS)
    assert later.changes == (Change("within_hours", "1", "2", Direction.LAXER),)
    assert later.laxer and not later.recall


def test_an_answer_more_that_is_needed_may_be_a_reason_to_recall() -> None:
    """The candidate asks what nobody asked then, and it could have been urgent."""
    found = by_candidate(
        ("when: {any: [{brakes_fail: yes}, {unknown: brakes_fail}]}", "when: {years_owned: {above: 9}}")
    )
    assert Change("ceiling", "physio", "emergency", Direction.SAFER) in found.changes
    assert Change("settled", "settled", "needs_answers", Direction.OTHER) in found.changes
    assert Change("next question years_owned", "no", "yes", Direction.OTHER) in found.changes
    assert found.recall


def test_a_safety_net_that_goes_is_laxer_and_one_that_comes_no_reason_to_recall() -> None:
    gone = by_candidate(("SN-02: {when: {brakes_fail: no}}", "SN-02: {when: {brakes_fail: yes}}"))
    assert gone.changes == (Change("safety net SN-02", "yes", "no", Direction.LAXER),)
    assert gone.laxer
    more = by_candidate(("SN-02: {when: {brakes_fail: no}}", "SN-02: {}"), said=STOPS)
    assert more.changes == (Change("safety net SN-02", "no", "yes", Direction.SAFER),)
    assert not more.laxer and not more.recall


def test_a_shorter_validity_is_safer() -> None:
    found = by_candidate(("physio: {valid_days: 30, recheck_days: 14}", "physio: {valid_days: 20, recheck_days: 21}"))
    assert found.changes == (
        Change("valid_days", "30", "20", Direction.SAFER),
        Change("recheck_days", "14", "21", Direction.LAXER),
    )


def test_a_candidate_that_asks_otherwise_is_told_and_no_crash() -> None:
    """A narrower range, an option less, another type: the candidate decides without those answers."""
    found = by_candidate(("bike_age: {type: integer, unit: years, range: [0, 80]}",
                          "bike_age: {type: integer, unit: years, range: [0, 10]}"))  # fmt: skip
    assert found.left_out == ("bike_age",)
    found = by_candidate(
        ("options: [none, click, grind]", "options: [none, grind]"),
        ("noise: {in: [click, grind]}", "noise: grind"),
        ("hide_when: {noise: click}", "hide_when: {noise: grind}"),
    )
    assert found.left_out == ("noise",)
    assert Change("settled", "settled", "needs_answers", Direction.OTHER) in found.changes


def test_answers_that_a_candidate_refuses_are_a_reason_to_look() -> None:
    found = by_candidate(("{years_owned: {above: {answer: bike_age}}}", "{bike_age: {above: 10}}"))
    assert (found.refused, found.recall, found.laxer) == ("its answers are refused: contradiction", True, False)


def test_decisions_of_other_rulesets_are_none_of_the_candidates() -> None:
    it = draft(1, WORN)
    other = replace(it, ruleset=replace(it.ruleset, id="scooter"))
    assert [each.decision_id for each in reconsider(opened([other, draft(2, WORN)]), changed())] == [
        draft(2, WORN).decision_id
    ]


def test_entries_are_taken_one_by_one() -> None:
    """The second entry is not read before the first result is there: a log of any length needs little memory."""
    taken: list[int] = []

    def counted() -> Iterable[Opened]:
        for it in opened([draft(1, STOPS), draft(2, FINE)]):
            taken.append(it.entry.sequence)
            yield it

    assert next(iter(replay(counted(), contents))).place == "w1/1"
    assert taken == [1]
