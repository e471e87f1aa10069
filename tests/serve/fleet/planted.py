"""A worker that does wrong when a file with the name of the fault stands in a folder; each fault happens once.

hang     the inference engine never comes back, and keeps the interpreter to itself, as native code can
slow     an evaluation takes `SLOW` seconds, and says in the file `begun` that it has begun; until the file goes away
crash    the process ends in the middle of an evaluation
refuse   a release cannot be loaded
die      the process ends while it loads a release
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.decide.evaluate import Evaluator
from engine.serve.fleet import worker
from engine.serve.releases.loading import read_release
from engine.serve.releases.release import ReleaseFault

SLOW = 1.5


def planted(folder: Path) -> None:
    """Plants the faults in this process."""
    evaluate = Evaluator.evaluate

    def once(name: str) -> bool:
        with suppress(FileNotFoundError):
            (folder / name).rename(folder / f"{name}.done")
            return True
        return False

    def faulty(self: Evaluator, answers: Any) -> Any:
        if once("hang"):
            ctypes.PyDLL(None).sleep(10_000)
        if once("crash"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if (folder / "slow").exists():
            (folder / "begun").touch()
            time.sleep(SLOW)
        return evaluate(self, answers)

    def unreadable(*asked: Any) -> Any:
        if once("die"):
            os.kill(os.getpid(), signal.SIGKILL)
        if once("refuse"):
            raise ReleaseFault("planted")
        return read_release(*asked)

    Evaluator.evaluate = faulty  # type: ignore[method-assign]
    vars(worker)["read_release"] = unreadable


if __name__ == "__main__":
    planted(Path(sys.argv.pop(1)))
    worker.main()
