"""A worker that plays: it says what a worker says, and does what the names of its releases tell, without gRPC.

A release that is called `broken` it cannot load, `deadly` ends it, `endless` is never loaded; with `stillborn` it fails
at once, with `unborn` it never begins, and with `hanging` it falls silent when it has begun.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import sys
import time
from multiprocessing.connection import Connection
from threading import Thread

from engine.serve.fleet.messages import Beat, Drain, Failed, Load, Loaded, Pipe, Serving, Start, Swap

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Plays until it is told to stop or the supervisor is gone; also one that is stopped ends with the test."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    pipe = Pipe(Connection(int(sys.argv[1])))
    start: Start = pickle.load(sys.stdin.buffer)
    if start.release == "stillborn":
        pipe.send(Failed("there is no life in it"))
        raise SystemExit(1)
    if start.release == "unborn":
        signal.pause()
    pipe.send(Serving(start.release))
    if start.release != "hanging":
        Thread(target=_beat, args=(pipe,), daemon=True).start()
    while True:
        try:
            message = pipe.receive()
        except EOFError:
            return
        match message:
            case Load("broken"):
                pipe.send(Loaded("broken", "it is broken"))
            case Load("deadly"):
                os.kill(os.getpid(), signal.SIGKILL)
            case Load("endless"):
                pass
            case Load(release):
                pipe.send(Loaded(release))
            case Swap(release):
                pipe.send(Serving(release))
            case Drain():
                return


def _beat(pipe: Pipe) -> None:
    while True:
        time.sleep(0.1)
        pipe.send(Beat())


if __name__ == "__main__":
    main()
