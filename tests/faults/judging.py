"""What must hold: nobody is answered unrecorded, and the log holds what was answered and nothing else.

The client says what was acknowledged; the service (GetDecision), the log and `pluis log verify` are held against that.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine.client import Client, TriageError, to_reply
from tests.demo.demo import PLUIS
from tests.faults.load import ROOT, THREADS, Acknowledged, Failed, Load, request_of
from tests.faults.served import Served, until

SERVER_GONE, LOG_AWAY = frozenset({("UNAVAILABLE", "")}), frozenset({("UNAVAILABLE", "LOG_UNAVAILABLE")})
SERVER_STOPS = SERVER_GONE | {("CANCELLED", "")}
"""A server that stops in good order cancels what has arrived and was not taken up: nothing of that is in the log."""
"""The two ways in which a call may fail: the code, and the reason, which a server that is gone cannot give."""


def under_load(load: Load, before: int) -> None:
    """Returns when the client holds receipts of this round; `before` it held so many."""
    until(lambda: load.count("receipts") >= before + THREADS, "the server answers nobody")


def calls_fail(served: Served, load: Load) -> None:
    """Returns when the client has met a log that cannot be written, again and again, and health says so too."""
    before = load.count("failures")
    until(lambda: load.count("failures") >= before + 2 * THREADS, "calls do not fail")
    until(lambda: not served.log_health(), "health says that decisions can be recorded")


def nobody_is_answered(served: Served, load: Load) -> None:
    """The same for a log that is wholly away: but for the answers that were on their way there are none."""
    before = load.count("receipts")
    calls_fail(served, load)
    assert load.count("receipts") <= before + THREADS, "answered while the log is away"


def judge_log(served: Served, acknowledged: list[Acknowledged]) -> None:
    """Each request that was answered has one entry, the one of its receipt; and there is no other entry."""
    with served.store() as store:
        entries = [entry for writer in store.writers() for entry in store.entries(writer)]
    kept = Counter(json.loads(entry.body)["request_id"] for entry in entries)
    twice = [name for name, count in kept.items() if count > 1]
    assert not twice, f"recorded more than once: {twice[:5]}"
    unanswered = kept.keys() - {each.request for each in acknowledged}
    assert not unanswered, f"in the log and never answered: {sorted(unanswered)[:5]}"
    held = {(entry.writer, entry.sequence, entry.hash): json.loads(entry.body) for entry in entries}
    for each in acknowledged:
        body = held.get((each.writer, each.sequence, each.hash))
        assert body is not None, f"acknowledged and lost: {each}"
        assert (body["request_id"], body["decision_id"]) == (each.request, each.decision), f"another one's: {each}"


def look_up(served: Served, acknowledged: Iterable[Acknowledged]) -> None:
    """GetDecision gives each decision, with the receipt and digest that its caller has."""

    def one(each: Acknowledged) -> None:
        try:
            found = client.decision(each.decision)
        except TriageError as error:
            raise AssertionError(f"acknowledged and lost: {each}: {error}") from None
        record = found.record
        receipt = record.receipt
        told = (record.request_id, record.decision_digest, receipt.writer, receipt.sequence, receipt.entry_hash)
        assert told == (each.request, each.digest, each.writer, each.sequence, each.hash), f"{each} is told as {told}"
        assert hashlib.sha256(found.outcome_json.encode()).hexdigest() == each.digest, f"another outcome: {each}"

    with Client(served.address, timeout=20) as client, ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(one, acknowledged):
            pass


def ask_again(served: Served, acknowledged: Iterable[Acknowledged]) -> None:
    """A request that is sent once more gets the decision and the receipt that it got."""
    with Client(served.address, timeout=20) as client:
        for each in acknowledged:
            reply = to_reply(client.stub.Evaluate(request_of(each.request), timeout=20))
            assert reply.receipt, f"answered without a receipt: {each.request}"
            place = (reply.receipt.writer, reply.receipt.sequence, reply.receipt.entry_hash)
            told = (reply.decision_id, reply.decision_digest, *place)
            assert told == (each.decision, each.digest, each.writer, each.sequence, each.hash), f"{each}, then {told}"


def judge_failures(failed: Iterable[Failed], allowed: frozenset[tuple[str, str]]) -> None:
    """No call failed in another way than the fault explains."""
    others = [each for each in failed if (each.code, each.reason) not in allowed]
    assert not others, f"calls failed in another way: {others[:5]}"


def verify(served: Served, acknowledged: Iterable[Acknowledged], folder: Path) -> None:
    """`pluis log verify` finds the log whole, by its checkpoints and every receipt."""
    receipts = folder / "receipts.jsonl"
    lines = ({"writer": each.writer, "sequence": each.sequence, "hash": each.hash} for each in acknowledged)
    receipts.write_text("".join(json.dumps(line) + "\n" for line in lines))
    place = ["--log", served.where, "--log-keys", str(served.keys), "--receipts", str(receipts)]
    done = subprocess.run([*PLUIS, "log", "verify", *place], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"the log does not verify:\n{done.stdout}{done.stderr}"
