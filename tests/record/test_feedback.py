"""Feedback as it is recorded and read back, and how often each rule is overridden: the newest counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from engine.record.entry import BEGINNING, EntryKind, Receipt, RulesetKey, chain
from engine.record.feedback import (
    FEWEST,
    PROGRAMME,
    FeedbackDraft,
    FeedbackVerdict,
    OverrideRate,
    override_rates,
    read_feedback,
)
from engine.record.reading import Opened, State, Unsealed, open_entry
from engine.rules.canonical import canonical_json

TIME = datetime(2026, 12, 1, 12, 0, 0, 120000, tzinfo=UTC)
REMARK = "a remark that nobody may read in the clear"
ACCEPTED, OVERRIDDEN = FeedbackVerdict.ACCEPTED, FeedbackVerdict.OVERRIDDEN


def feedback(
    decision_id: str,
    verdict: FeedbackVerdict = ACCEPTED,
    minutes: int = 0,
    sequence: int = 1,
    state: State = State.OPEN,
    reason_code: str = "seen_before",
) -> Opened:
    draft = FeedbackDraft(
        decision_id, TIME + timedelta(minutes=minutes), "", verdict, reason_code, REMARK, "therapist 7"
    )
    entry = chain("w1", sequence, canonical_json(draft.clear()), draft.payload(), BEGINNING, b"k" * 32)
    return open_entry(entry, lambda each: Unsealed(state, each.payload))


def decision(decision_id: str, *rules: str, ruleset: str = "bicycle", state: State = State.OPEN) -> Opened:
    clear = {"kind": "decision", "decision_id": decision_id, "ruleset": {"id": ruleset, "version": "1", "digest": "d"}}
    payload = canonical_json({"outcome": canonical_json({"rules": [*rules]}).decode()})
    entry = chain("w1", 1, canonical_json(clear), payload, BEGINNING, b"k" * 32)
    return open_entry(entry, lambda each: Unsealed(state, each.payload))


def test_feedback_reads_back_as_it_was_given() -> None:
    opened = feedback("d1", OVERRIDDEN)
    read = read_feedback(opened)
    assert (opened.kind, opened.ruleset) == (EntryKind.FEEDBACK, RulesetKey("", "", ""))
    assert (read.decision_id, read.time, read.verdict) == ("d1", TIME, OVERRIDDEN)
    assert (read.reason_code, read.remark, read.given_by) == ("seen_before", REMARK, "therapist 7")
    assert read.receipt == Receipt("w1", 1, opened.entry.hash)


def test_the_remark_is_sealed_and_goes_with_the_key() -> None:
    opened = feedback("d1", state=State.ERASED)
    assert REMARK not in json.dumps(dict(opened.clear))
    assert REMARK.encode() not in opened.entry.body
    assert read_feedback(opened).remark == ""


def rates(judged: list[tuple[str, FeedbackVerdict]], *rules: str) -> tuple[OverrideRate, ...]:
    return override_rates(
        [feedback(name, verdict) for name, verdict in judged], [decision(name, *rules) for name, _ in judged]
    )


@pytest.mark.parametrize("number", [1, FEWEST - 1])
def test_few_are_not_told(number: int) -> None:
    told = rates([(f"d{each}", OVERRIDDEN) for each in range(number)], "E01", "P02")
    assert told == (OverrideRate("bicycle", "E01", None, None), OverrideRate("bicycle", "P02", None, None))
    assert [each.rate for each in told] == [None, None]


def test_the_rate_is_of_decisions_with_feedback_by_rule() -> None:
    judged = [(f"d{each}", OVERRIDDEN if each % 4 == 0 else ACCEPTED) for each in range(FEWEST)]
    decisions = [decision(name, "E01", *(["P02"] if name == "d0" else [])) for name, _ in judged]
    decisions += [decision(f"silent{each}", "E01") for each in range(20)]
    told = override_rates([feedback(*each) for each in judged], decisions)
    assert told == (OverrideRate("bicycle", "E01", FEWEST, 3), OverrideRate("bicycle", "P02", None, None))
    assert told[0].rate == 0.3


def test_feedback_on_the_programme_says_nothing_of_the_rules() -> None:
    """Also where it came after an override, which it must not hide."""
    names = [f"d{each}" for each in range(FEWEST)]
    judged = [feedback(name, OVERRIDDEN, minutes=1) for name in names]
    programme = [feedback(name, ACCEPTED, minutes=2, reason_code=f"{PROGRAMME}accepted") for name in names]
    (told,) = override_rates([*judged, *programme], [decision(name, "E01") for name in names])
    assert (told.decisions, told.overridden) == (FEWEST, FEWEST)


def test_rulesets_are_told_apart() -> None:
    names = [f"d{each}" for each in range(FEWEST)]
    decisions = [decision(name, "E01", ruleset=ruleset) for name in names for ruleset in ("bicycle", "tricycle")]
    told = override_rates([feedback(name) for name in names], decisions)
    assert [(each.ruleset, each.decisions, each.overridden) for each in told] == [
        ("bicycle", FEWEST, 0),
        ("tricycle", FEWEST, 0),
    ]


def test_the_newest_feedback_counts_whatever_the_order() -> None:
    names = [f"d{each}" for each in range(FEWEST)]
    before = [feedback(name, OVERRIDDEN, minutes=1) for name in names]
    after = [feedback(name, ACCEPTED, minutes=2) for name in names]
    same_moment = [feedback(names[0], OVERRIDDEN, minutes=2, sequence=2)]
    for said in ([*before, *after, *same_moment], [*same_moment, *after, *before]):
        (told,) = override_rates(said, [decision(name, "E01") for name in names])
        assert (told.decisions, told.overridden) == (FEWEST, 1)


def test_what_cannot_be_read_and_what_is_no_feedback_does_not_count() -> None:
    names = [f"d{each}" for each in range(FEWEST)]
    said = [feedback(name) for name in names]
    decisions = [decision(name, "E01") for name in names]
    erased = decision(names[0], "E01", state=State.ERASED)
    (told,) = override_rates([*said, *decisions], [erased, *said, *decisions[1:]])
    assert told.decisions is None
    (told,) = override_rates([*said, *decisions], [erased, *said, *decisions])
    assert told.decisions == FEWEST
