"""Recorded before it is answered: one write for all that waits, each request once, and a failure leaves nothing."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.errors import LogRefused, LogUnavailable, RequestReused, WriterTaken
from engine.record.checkpoint import FILE, Checkpoint, snapshot
from engine.record.composing import Recorded
from engine.record.entry import Entry
from engine.record.feedback import FeedbackDraft, FeedbackVerdict
from engine.record.sealing import make_keys, open_key
from engine.record.store import Batch
from engine.record.verify import Evidence, verify
from engine.record.writer import DecisionLog, Pace
from engine.rules import ed25519
from engine.rules.canonical import canonical_json
from tests.record.decided import FINE, STOPS, WORN, draft, texts
from tests.record.shelf import Shelf, ShelfClaim, said

KEYS = make_keys()
OTHER_SUBJECT = "b1b2c3d4-0000-4000-8000-00000000abcd"
USUAL = Pace()
OpenLog = Callable[..., DecisionLog]


@pytest.fixture(params=["files", "one index"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    return Shelf(tmp_path if request.param == "files" else None)


@pytest.fixture
def open_log(shelf: Shelf, tmp_path: Path) -> Iterator[OpenLog]:
    opened: list[DecisionLog] = []

    def open(pace: Pace = USUAL, writers: tuple[str, ...] = ("w1", "w2")) -> DecisionLog:
        log = DecisionLog(shelf, KEYS, tmp_path / FILE, writers, pace)
        log.add_ruleset(draft(1, FINE).ruleset.digest, texts())
        opened.append(log)
        return log

    yield open
    shelf.before = lambda: None
    for log in opened:
        log.close()


class Gate:
    """Holds the log's own thread at the database until it is opened."""

    def __init__(self, shelf: Shelf) -> None:
        self.waits, self.open = threading.Event(), threading.Event()
        shelf.before = self.pass_by

    def pass_by(self) -> None:
        self.waits.set()
        assert self.open.wait(30)


def plain(shelf: Shelf, entry: Entry) -> dict[str, object]:
    row = shelf.rows[said(entry)["payload_key"]]
    found: dict[str, object] = json.loads(open_key(KEYS, row).unseal(entry.payload, entry.body))
    return found


def whole(shelf: Shelf, checkpoints: Path) -> bool:
    evidence = Evidence(KEYS.mac, snapshot(checkpoints), (ed25519.public_of(KEYS.signing),))
    return verify(shelf.chains.items(), evidence).whole


def test_a_decision_is_sealed_and_chained(shelf: Shelf, open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    one, two = log.record(draft(1, STOPS)), log.record(draft(2, WORN, subject=""))
    first, second = shelf.chains["w1"]
    assert (one.receipt.writer, one.receipt.sequence, one.receipt.hash) == ("w1", 1, first.hash)
    assert (two.receipt.sequence, two.receipt.hash, two.replayed) == (2, second.hash, False)
    assert one.decision_id == said(first)["decision_id"] == draft(1, STOPS).decision_id
    assert plain(shelf, first) == json.loads(draft(1, STOPS).payload())
    for secret in (b"a1b2c3d4", b"grind", b"brakes"):
        assert not any(secret in part for part in (first.body, first.payload))
    assert said(second)["subject_tag"] == ""
    assert len({said(each)["payload_key"] for each in (first, second)}) == 2
    assert json.loads(shelf.contents[draft(1, STOPS).ruleset.digest]) == texts()
    assert [len(batch.rulesets) for batch in shelf.batches] == [1, 0]
    assert whole(shelf, tmp_path / FILE)


@pytest.mark.parametrize("answers", [STOPS, WORN, {}])
def test_what_is_sealed_is_canonical(answers: Mapping[str, str | tuple[str, ...]]) -> None:
    made = replace(draft(1, FINE), answers=canonical_json(dict(answers)), outcome='{"é":"\\u0001\\n"}'.encode())
    said = {"answers": dict(answers), "outcome": made.outcome.decode(), "subject": made.subject}
    assert made.payload() == canonical_json(said)


def test_a_subject_has_one_key(shelf: Shelf, open_log: OpenLog) -> None:
    log = open_log()
    log.record_many([draft(1, STOPS), draft(2, WORN)])
    log.record(draft(3, FINE))
    log.record(draft(4, FINE, subject=OTHER_SUBJECT))
    keys = [said(each)["payload_key"] for each in shelf.chains["w1"]]
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert [len(batch.keys) for batch in shelf.batches] == [1, 0, 1]
    assert [batch.relies_on for batch in shelf.batches] == [set(), {keys[0]}, set()]
    del shelf.rows[keys[0]]  # erased: the subject gets a new one
    log.record(draft(5, FINE))
    assert said(shelf.chains["w1"][4])["payload_key"] not in keys


def test_calls_that_wait_share_one_write(shelf: Shelf, open_log: OpenLog) -> None:
    log = open_log(Pace(most_entries=8))
    gate = Gate(shelf)
    with ThreadPoolExecutor(21) as pool:
        first = pool.submit(log.record, draft(1, FINE))
        assert gate.waits.wait(30)
        rest = [pool.submit(log.record, draft(number, FINE)) for number in range(2, 22)]
        while len(log._waiting) < 20:
            assert not first.done()
        gate.open.set()
        sequences = sorted(each.result().receipt.sequence for each in [first, *rest])
    assert sequences == list(range(1, 22))
    assert [len(batch.entries) for batch in shelf.batches] == [1, 8, 8, 4]


def test_bytes_bound_a_write_too(shelf: Shelf, open_log: OpenLog) -> None:
    log = open_log(Pace(most_bytes=1))
    gate = Gate(shelf)
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(log.record_many, [draft(1, FINE), draft(2, FINE)])]
        assert gate.waits.wait(30)
        calls += [pool.submit(log.record_many, [draft(number, FINE), draft(number + 1, FINE)]) for number in (3, 5)]
        while len(log._waiting) < 2:
            assert not calls[0].done()
        gate.open.set()
        assert [len(each.result()) for each in calls] == [2, 2, 2]
    assert [len(batch.entries) for batch in shelf.batches] == [2, 2, 2]


def test_a_request_is_recorded_once(shelf: Shelf, open_log: OpenLog) -> None:
    log, other = open_log(), open_log()
    assert (log.writer, other.writer) == ("w1", "w2")
    first = log.record(draft(1, STOPS))
    again = replace(draft(1, STOPS), decision_id="another", time=datetime(2027, 1, 1, tzinfo=UTC), language="en")
    for each in (log, other):
        assert each.record(again) == replace(first, replayed=True)
        for different in (
            draft(1, WORN),
            draft(1, STOPS, subject=OTHER_SUBJECT),
            draft(1, STOPS, subject=""),
            replace(again, respondent="proxy"),
            replace(again, on_behalf_of="somebody"),
            replace(again, ruleset=replace(again.ruleset, id="another")),
        ):
            with pytest.raises(RequestReused):
                each.record(different)
    assert other.record(replace(again, caller="another caller")).receipt.writer == "w2"
    assert other.record(replace(again, request_id="")).receipt.sequence == 2
    assert other.record(replace(again, request_id="")).receipt.sequence == 3  # without an id each is its own
    assert len(list(shelf.all())) == 4


def test_a_request_after_its_erasure_is_refused(shelf: Shelf, open_log: OpenLog) -> None:
    log = open_log()
    log.record(draft(1, STOPS))
    shelf.rows.clear()
    with pytest.raises(RequestReused):
        log.record(draft(1, STOPS))


def test_a_request_that_comes_twice_at_once_is_recorded_once(shelf: Shelf, open_log: OpenLog) -> None:
    log = open_log()
    gate = Gate(shelf)
    with ThreadPoolExecutor(9) as pool:
        calls = [pool.submit(log.record, draft(2, STOPS))]
        assert gate.waits.wait(30)
        calls += [pool.submit(log.record, draft(1, STOPS)) for _ in range(7)]
        while len(log._waiting) < 7:
            assert not calls[0].done()
        different = pool.submit(log.record, draft(1, WORN))
        while len(log._waiting) < 8:
            assert not calls[0].done()
        gate.open.set()
        recorded = [each.result() for each in calls[1:]]
        assert isinstance(different.exception(), RequestReused)
    _, entry = shelf.all()
    assert {each.receipt.hash for each in recorded} == {entry.hash}
    assert sorted(each.replayed for each in recorded) == [False] + [True] * 6
    assert [len(batch.entries) for batch in shelf.batches] == [1, 1]


def test_a_batch_is_recorded_whole(shelf: Shelf, open_log: OpenLog) -> None:
    log = open_log()
    log.record(draft(2, WORN))
    found = log.record_many([draft(1, STOPS), draft(2, FINE), draft(2, WORN), draft(3, FINE), draft(3, FINE)])
    assert isinstance(found[1], RequestReused)
    rest = [each for each in found if isinstance(each, Recorded)]
    assert [(each.receipt.sequence, each.replayed) for each in rest] == [(2, False), (1, True), (3, False), (3, True)]
    assert log.record_many([]) == ()
    shelf.before = away
    with pytest.raises(LogUnavailable):
        log.record_many([draft(4, STOPS), draft(5, FINE)])
    assert len(list(shelf.all())) == 3


def away() -> None:
    raise LogUnavailable("the database is away")


def test_a_failure_fails_every_call_in_it_and_leaves_nothing(shelf: Shelf, open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    log.record(draft(1, FINE))
    shelf.before = away
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(log.record, draft(number, FINE)) for number in range(2, 10)]
        for call in calls:
            assert isinstance(call.exception(), LogUnavailable)
    assert len({id(call.exception()) for call in calls}) == 8  # an exception is raised in one thread
    assert log.trouble == "the database is away"
    assert len(list(shelf.all())) == 1
    shelf.before = lambda: None
    assert log.record(draft(2, FINE)).receipt.sequence == 2
    assert log.trouble == ""
    assert whole(shelf, tmp_path / FILE)


def test_what_was_kept_after_all_is_found(shelf: Shelf, open_log: OpenLog, tmp_path: Path) -> None:
    """A connection that broke after the commit: the call fails, the chain goes on from what is there."""
    log = open_log()
    append = ShelfClaim.append

    def append_and_break(self: ShelfClaim, batch: Batch) -> None:
        append(self, batch)
        raise LogUnavailable("the connection broke")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ShelfClaim, "append", append_and_break)
        with pytest.raises(LogUnavailable):
            log.record(draft(1, FINE))
    assert log.record(draft(2, FINE)).receipt.sequence == 2
    found = log.record(draft(1, FINE))
    assert (found.receipt.sequence, found.replayed) == (1, True)
    assert whole(shelf, tmp_path / FILE)


def test_an_error_of_another_kind_tells_nothing(
    shelf: Shelf, open_log: OpenLog, caplog: pytest.LogCaptureFixture
) -> None:
    log = open_log()

    def bug() -> None:
        raise ValueError("grind")

    shelf.before = bug
    with caplog.at_level(logging.DEBUG), pytest.raises(LogUnavailable, match="ValueError") as raised:
        log.record(draft(1, STOPS))
    assert "grind" not in f"{raised.value} {raised.value.__cause__} {caplog.text}"
    shelf.before = lambda: None
    assert log.record(draft(1, STOPS)).receipt.sequence == 1


def test_the_log_says_when_it_fails_and_when_it_goes_on(
    shelf: Shelf, open_log: OpenLog, caplog: pytest.LogCaptureFixture
) -> None:
    log = open_log()
    shelf.before = away
    with caplog.at_level(logging.DEBUG, "pluis.record"):
        for number in (1, 2):
            with pytest.raises(LogUnavailable):
                log.record(draft(number, STOPS))
        shelf.before = lambda: None
        log.record(draft(1, STOPS))
        log.record(draft(2, STOPS))
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_a_refused_call_fails_no_other(shelf: Shelf, open_log: OpenLog) -> None:
    log = open_log()
    gate = Gate(shelf)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(log.record, draft(1, FINE))
        assert gate.waits.wait(30)
        good = pool.submit(log.record, draft(2, FINE))
        bad = [
            pool.submit(log.record_feedback, feedback("unknown")),
            pool.submit(log.record_many, [draft(3, FINE, subject=""), replace(draft(4, FINE), on_behalf_of="\ud800")]),
            pool.submit(log.record, draft(5, FINE, subject="\ud800")),
        ]
        while len(log._waiting) < 4:
            assert not first.done()
        after = pool.submit(log.record, draft(3, FINE, subject=OTHER_SUBJECT))
        while len(log._waiting) < 5:
            assert not first.done()
        gate.open.set()
        for call in bad:
            assert isinstance(call.exception(), LogRefused)
        assert (after.result().receipt.sequence, after.result().replayed) == (3, False)
        assert len(list(shelf.all())) == 3
        assert [len(batch.keys) for batch in shelf.batches] == [1, 1]  # and no key without an entry
        assert {first.result().receipt.sequence, good.result().receipt.sequence} == {1, 2}


def test_a_look_that_fails_is_no_refusal(shelf: Shelf, open_log: OpenLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log = open_log()
    monkeypatch.setattr(shelf, "decision", lambda _: away())
    with pytest.raises(LogUnavailable):
        log.record_feedback(feedback("any"))
    assert log.trouble == "the database is away"


def test_a_call_that_gives_up_in_time_is_not_recorded(shelf: Shelf, open_log: OpenLog) -> None:
    log = open_log()
    gate = Gate(shelf)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(log.record, draft(1, FINE))
        assert gate.waits.wait(30)
        with pytest.raises(LogUnavailable, match="will not be"):
            log.record(draft(2, FINE), timeout=0.01)
        gate.open.set()
        first.result()
    log.record(draft(3, FINE))
    assert [said(each)["request_id"] for each in shelf.all()] == ["request-1", "request-3"]


def test_a_call_that_gives_up_while_it_is_written_is_settled_by_its_request_id(shelf: Shelf, open_log: OpenLog) -> None:
    log = open_log()
    gate = Gate(shelf)
    told = "will not be"
    while "will not be" in told:  # given up before the log's thread took it: once more
        with pytest.raises(LogUnavailable) as raised:
            log.record(draft(1, FINE), timeout=0.1)
        told = str(raised.value)
    assert "the request id tells" in told
    gate.open.set()
    assert log.record(draft(1, FINE)).replayed
    assert len(list(shelf.all())) == 1


def test_closing_drains(shelf: Shelf, open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    gate = Gate(shelf)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(log.record, draft(1, FINE))]
        assert gate.waits.wait(30)
        calls += [pool.submit(log.record, draft(number, FINE)) for number in range(2, 8)]
        while len(log._waiting) < 6:
            assert not calls[0].done()
        closing = pool.submit(log.close)
        gate.open.set()
        assert sorted(each.result().receipt.sequence for each in calls) == list(range(1, 8))
        closing.result()
    with pytest.raises(LogUnavailable, match="closed"):
        log.record(draft(9, FINE))
    assert shelf.taken == set()
    (last,) = snapshot(tmp_path / FILE)()
    assert isinstance(last, Checkpoint)
    assert last.sequence == 7
    log.close()


def test_checkpoints_come_with_entries_and_with_time(shelf: Shelf, open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log(Pace(checkpoint_entries=5, checkpoint_seconds=3600))
    for number in range(1, 13):
        log.record(draft(number, FINE))
    log.close()
    found = [each.sequence for each in snapshot(tmp_path / FILE)() if isinstance(each, Checkpoint)]
    assert found == [5, 10, 12]
    log = open_log(Pace(checkpoint_seconds=0.01))
    log.record(draft(13, FINE))
    while sum(1 for _ in snapshot(tmp_path / FILE)()) < 4:  # nobody calls, and it comes all the same
        assert log.trouble == ""
    assert whole(shelf, tmp_path / FILE)


def test_a_chain_left_by_a_killed_process_gets_its_checkpoint(shelf: Shelf, open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    log.record(draft(1, FINE))
    log.close()
    (tmp_path / FILE).unlink()
    open_log().close()
    (found,) = snapshot(tmp_path / FILE)()
    assert isinstance(found, Checkpoint)
    assert found.sequence == 1


def test_a_database_that_is_away_at_the_start_is_waited_for(shelf: Shelf, open_log: OpenLog) -> None:
    shelf.before = away
    log = open_log()
    assert (log.writer, log.trouble) == ("", "the database is away")
    with pytest.raises(LogUnavailable):
        log.record(draft(1, FINE))
    shelf.before = lambda: None
    assert log.record(draft(1, FINE)).receipt.sequence == 1


def test_each_process_has_a_chain_of_its_own(shelf: Shelf, open_log: OpenLog) -> None:
    one, two = open_log(), open_log()
    assert (one.writer, two.writer) == ("w1", "w2")
    with pytest.raises(WriterTaken):
        open_log()
    one.close()
    assert open_log().writer == "w1"


def test_a_chain_that_was_lost_to_another_process_is_left(shelf: Shelf, open_log: OpenLog, tmp_path: Path) -> None:
    """A connection was gone for so long that another process took the chain."""
    log = open_log()
    log.record(draft(1, FINE))

    def lost() -> None:
        shelf.before = lambda: None
        raise WriterTaken("another process writes this chain")

    shelf.before = lost
    with pytest.raises(LogUnavailable):
        log.record(draft(2, FINE))
    assert shelf.taken == set()
    shelf.taken.add("w1")
    assert log.record(draft(2, FINE)).receipt.writer == "w2"
    assert whole(shelf, tmp_path / FILE)


def test_a_ruleset_that_nobody_added_is_a_mistake(open_log: OpenLog) -> None:
    stranger = replace(draft(1, FINE), ruleset=replace(draft(1, FINE).ruleset, digest="0" * 64))
    with pytest.raises(ValueError, match="nobody added"):
        open_log().record(stranger)


def feedback(decision_id: str, remark: str = "") -> FeedbackDraft:
    verdict = FeedbackVerdict.OVERRIDDEN
    return FeedbackDraft(decision_id, datetime(2026, 11, 23, tzinfo=UTC), "front desk", verdict, "knee", remark, "pt-7")


def test_feedback_is_sealed_with_the_key_of_its_decision(shelf: Shelf, open_log: OpenLog) -> None:
    log, other = open_log(), open_log()
    decision = log.record(draft(1, STOPS)).decision_id
    place = log.record_feedback(feedback(decision, "a remark"))
    assert (place.writer, place.sequence) == ("w1", 2)
    first, second = shelf.chains["w1"]
    assert said(first)["payload_key"] == said(second)["payload_key"]
    assert plain(shelf, second) == {"remark": "a remark"}
    assert shelf.batches[-1].relies_on == {said(first)["payload_key"]}
    other.record_feedback(feedback(decision, "from another worker"))
    (third,) = shelf.chains["w2"]
    assert plain(shelf, third) == {"remark": "from another worker"}
    rows = [shelf.rows[said(each)["payload_key"]] for each in (first, third)]
    assert rows[0].id != rows[1].id
    assert rows[0].subject == rows[1].subject  # erased with the subject


def test_feedback_after_an_erasure_has_no_remark(shelf: Shelf, open_log: OpenLog) -> None:
    log = open_log()
    decision = log.record(draft(1, STOPS)).decision_id
    shelf.rows.clear()
    with pytest.raises(LogRefused, match="erased"):
        log.record_feedback(feedback(decision, "a remark"))
    log.record_feedback(feedback(decision))
    assert shelf.chains["w1"][1].payload == b""
