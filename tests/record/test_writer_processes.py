"""Workers that share a log: the same request ids in several processes at once give one entry each."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from engine.record.checkpoint import snapshot
from engine.record.entry import Receipt
from engine.record.verify import Evidence, verify_store
from engine.rules import ed25519
from tests.record.crash import Ground, request
from tests.record.server import Server

WORKERS = 8
REQUESTS = 25
Told = tuple[str, int, str, bool]


def _work(ground: Ground, start: Barrier) -> list[Told]:
    """Records the requests from several threads, in an order of its own."""
    with ground.open() as (_, log):
        start.wait(60)
        with ThreadPoolExecutor(4) as pool:
            recorded = list(pool.map(lambda number: log.record(request(0, number)), range(REQUESTS)))
    return [(each.receipt.writer, each.receipt.sequence, each.receipt.hash, each.replayed) for each in recorded]


def run_workers(ground: Ground) -> Sequence[list[Told]]:
    """What each of the workers was told."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(WORKERS) as pool:
        start = manager.Barrier(WORKERS)
        return pool.starmap(_work, [(ground, start)] * WORKERS)


def test_the_same_requests_in_many_processes_are_recorded_once(tmp_path: Path) -> None:
    recorded_once(Ground(tmp_path, str(tmp_path / "log")))


@pytest.mark.slow
def test_the_same_requests_in_many_processes_are_recorded_once_by_postgresql(tmp_path: Path, postgres: Server) -> None:
    recorded_once(Ground(tmp_path, postgres.empty_database()))


def recorded_once(ground: Ground) -> None:
    told = run_workers(ground)
    for number in range(REQUESTS):
        answers = [each[number] for each in told]
        assert len({answer[:3] for answer in answers}) == 1, number  # the same receipt for all
        assert [answer[3] for answer in answers].count(False) == 1, number  # and one of them made it
    keys = ground.keys()
    receipts = [Receipt(*answer[:3]) for answer in told[0]]
    evidence = Evidence(keys.mac, snapshot(ground.checkpoints), (ed25519.public_of(keys.signing),), receipts)
    with ground.store() as store:
        entries = [entry for writer in store.writers() for entry in store.entries(writer)]
        assert sorted(json.loads(each.body)["request_id"] for each in entries) == sorted(
            f"0-{n}" for n in range(REQUESTS)
        )
        assert verify_store(store, evidence).faults == []
