"""How many calls are worked on and wait at once: threads for those that are let in, and for refusing the others.

A call that is refused must not wait behind those that are served, and asking for health must not either; both have
threads of their own. A call whose message does not come gives its thread back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

ARRIVAL = 10.0
"""Seconds in which the message of a call must have come. A thread waits for it, and callers could hold them all."""
ASIDE = 2
"""Threads for refusing, and for health."""
AGAIN_AFTER = 0.1
"""Seconds after which a refused call is worth another try: a full queue is worked off in less."""


class Admission(ThreadPoolExecutor):
    """The threads of a server. grpc submits each call to it; calls that were let in are counted until they end."""

    def __init__(self, threads: int, waiting: int) -> None:
        """`waiting`: calls that may wait for a thread."""
        super().__init__(threads, thread_name_prefix="pluis")
        self.aside = ThreadPoolExecutor(ASIDE, thread_name_prefix="pluis-aside")
        self._most = threads + waiting
        self._lock = threading.Lock()
        self._open = 0
        self._awaited: dict[int, tuple[float, Any]] = {}
        self._ended = threading.Event()
        threading.Thread(target=self._watch, name="pluis-arrivals", daemon=True).start()

    @property
    def open(self) -> int:
        """Calls that are worked on or wait."""
        return self._open

    @property
    def full(self) -> bool:
        """Whether another call would have to wait too long."""
        return self._open >= self._most

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Takes what grpc made of a call: a function, and among its arguments the event of the call."""
        with self._lock:
            self._open += 1
        try:
            future = super().submit(self._run, work, *args, **kwargs)
        except BaseException:
            self._closed()
            raise
        future.add_done_callback(self._closed)
        return future

    def arrived(self) -> None:
        """Says, in the thread of a call, that its message has come."""
        self._awaited.pop(threading.get_ident(), None)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Takes no more."""
        self._ended.set()
        self.aside.shutdown(wait, cancel_futures=cancel_futures)
        super().shutdown(wait, cancel_futures=cancel_futures)

    def _run(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        me = threading.get_ident()
        call = next((each.call for each in args if hasattr(each, "call_details")), None)
        if call is not None:
            self._awaited[me] = (time.monotonic(), call)
        try:
            return work(*args, **kwargs)
        finally:
            self._awaited.pop(me, None)

    def _closed(self, _: object = None) -> None:
        with self._lock:
            self._open -= 1

    def _watch(self) -> None:
        """Gives up calls whose messages do not come."""
        while not self._ended.wait(ARRIVAL / 10):
            latest = time.monotonic() - ARRIVAL
            for since, call in [*self._awaited.values()]:
                if since < latest:
                    call.cancel()
