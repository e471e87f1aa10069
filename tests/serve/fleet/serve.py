"""A supervisor with settings that the command line does not have, and with workers in which faults can be planted.

    python -m tests.serve.fleet.serve SETTINGS [FOLDER]

SETTINGS are those of Config as JSON. With a FOLDER its workers are those of `planted`. It dies with its standard input,
so that nothing is left behind when the test is killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

from engine.errors import PluisError
from engine.serve.config import Config
from engine.serve.fleet.place import WORKER
from engine.serve.fleet.supervisor import Supervisor
from engine.serve.telemetry.lines import set_up_lines


def _die_with_the_test() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> int:
    """The exit code; what cannot be done is told as the command tells it."""
    threading.Thread(target=_die_with_the_test, daemon=True).start()
    config = Config(**json.loads(sys.argv[1]))
    set_up_lines(config.log_format, "supervisor")
    planted = (sys.executable, "-m", "tests.serve.fleet.planted", *sys.argv[2:])
    try:
        return Supervisor(config, planted if sys.argv[2:] else WORKER).run()
    except PluisError as error:
        print(f"pluis: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
