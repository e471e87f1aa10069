"""`pluis` with a planted fault: a call is answered before its entry is on disk. Every trial must find it.

    python -m tests.faults.hasty serve ...

Its workers have it too: a supervisor starts them with this command and the number of a file, their end of a pipe.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy.engine import Connection, RootTransaction

from engine.cli import main
from engine.record.store import Claim
from engine.serve.fleet import place, worker

LATE = 0.1
"""Seconds by which a commit comes after its answers."""
_LOCK = threading.RLock()
_OPEN: dict[Claim, RootTransaction] = {}
"""The transaction of a chain that is still to be committed."""


def within(claim: Claim, _: str, do: Callable[[Connection], Any]) -> Any:
    """What `Claim._within` does, but for the commit, which another thread makes later."""
    with _LOCK:
        try:
            connection = claim._claimed.connection()
            if claim not in _OPEN:
                _OPEN[claim] = connection.begin()
                threading.Thread(target=_commit_late, args=(claim, _OPEN[claim]), daemon=True).start()
            return do(connection)
        except BaseException:
            _drop(claim)
            raise


def _commit_late(claim: Claim, transaction: RootTransaction) -> None:
    time.sleep(LATE)
    with _LOCK:
        if _OPEN.get(claim) is transaction:
            try:
                transaction.commit()
                del _OPEN[claim]
            except Exception:
                _drop(claim)


def _drop(claim: Claim) -> None:
    _OPEN.pop(claim, None)
    claim._claimed.drop()


if __name__ == "__main__":
    setattr(Claim, "_within", within)  # noqa: B010 - a method that is assigned has no type
    place.WORKER = (sys.executable, "-m", "tests.faults.hasty")
    if sys.argv[1].isdigit():
        worker.main()
    else:
        main()
