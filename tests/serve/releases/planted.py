"""What goes wrong in the process that checks: planted there while it looks at `small/2`."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from engine.serve.config import Config
from engine.serve.releases import gate


def crash(config: Config, timeout: float, pipe: Connection) -> None:
    """As when the native engine breaks its memory."""
    _plant(lambda: os.kill(os.getpid(), signal.SIGSEGV), config, timeout, pipe)


def leave(config: Config, timeout: float, pipe: Connection) -> None:
    """As when a library ends the process."""
    _plant(lambda: os._exit(3), config, timeout, pipe)


def hang(config: Config, timeout: float, pipe: Connection) -> None:
    """As when the native engine never comes back, and lets no other thread run either."""
    _plant(lambda: ctypes.PyDLL(None).sleep(600), config, timeout, pipe)


def last(config: Config, timeout: float, pipe: Connection) -> None:
    """As `hang`, when nobody ends the process but its own alarm, which is about to ring."""
    _plant(lambda: signal.alarm(1) and ctypes.PyDLL(None).sleep(600), config, timeout, pipe)


def wrong(config: Config, timeout: float, pipe: Connection) -> None:
    """As when the program itself has a mistake."""
    from engine.serve import registry

    def planted(*given: Any) -> Any:
        raise ZeroDivisionError("with a text that nobody wants in a log")

    vars(registry)["run_cases"] = planted
    gate._check(config, timeout, pipe)


def _plant(act: Callable[[], object], config: Config, timeout: float, pipe: Connection) -> None:
    from engine.serve import registry

    real = registry.check_folder

    def planted(root: Path, folder: Path, *given: Any) -> Any:
        if folder.name == "2":
            (config.state / "pid").write_text(str(os.getpid()), encoding="utf-8")
            act()
        return real(root, folder, *given)

    vars(registry)["check_folder"] = planted
    gate._check(config, timeout, pipe)


if __name__ == "__main__":  # a parent that is killed while its check hangs
    from tests.serve.releases.planted import hang as importable

    vars(gate)["_check"] = importable
    gate.gate_in_process(Config(rulesets=Path(sys.argv[1]), state=Path(sys.argv[2]), log="off"), float(sys.argv[3]))
