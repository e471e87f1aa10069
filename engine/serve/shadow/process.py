"""The process of a shadow: it loads the candidates as a server loads its rulesets, and answers what it is offered.

Run by `engine.serve.shadow.feeding` as `python -m engine.serve.shadow.process DESCRIPTOR`, a connected socket. Over it
come the settings and then one Offered after the other, pickled; back goes a line of JSON with the candidates, and then
a line for each Offered with a word of Compared. It ends with the socket: with the worker that it belongs to.
"""

from __future__ import annotations

import json
import math
import os
import pickle
import signal
import socket
import sys
from io import BufferedReader

from engine.serve.config import Config
from engine.serve.registry import read, today
from engine.serve.shadow.comparing import ask
from engine.serve.telemetry.lines import set_up_lines

NICE = 19
"""Patients come first: the lowest priority there is."""


def run(connection: socket.socket, offers: BufferedReader) -> None:
    """Loads the candidates and answers, until the other side closes."""
    config: Config = pickle.load(offers)
    set_up_lines(config.log_format, "shadow")
    assert config.shadow is not None  # or nobody would have started a shadow
    snapshot = read(config.shadow, config.required, today())
    # The highest version, whether it is in effect today or not: a candidate often comes into effect later.
    candidates = {ruleset: versions[0].evaluator for ruleset, versions in snapshot.versions.items()}
    _say(connection, json.dumps({ruleset: versions[0].version for ruleset, versions in snapshot.versions.items()}))
    while True:
        offered = pickle.load(offers)
        # The worker kills a process that hangs; where the worker is gone, nobody would.
        signal.alarm(math.ceil(2 * config.hang))
        _say(connection, ask(candidates[offered.ruleset], offered, config).value)
        signal.alarm(0)


def _say(connection: socket.socket, line: str) -> None:
    connection.sendall(f"{line}\n".encode())


def main() -> None:
    """Runs on the socket that the command line names."""
    os.nice(NICE)
    for number in (signal.SIGINT, signal.SIGTERM):  # sent to all at once; the worker says when it is over
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as connection, connection.makefile("rb") as offers:
        try:
            run(connection, offers)
        except (EOFError, ConnectionError):
            return  # the worker has gone


if __name__ == "__main__":
    main()
