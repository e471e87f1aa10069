"""What operators ask in a worker goes through its pipe to the supervisor, and the answer comes back."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import Future
from typing import TypeVar

from engine.serve.fleet.messages import Answer, Answered, Asked, HowIsIt, Pipe, Question, Refused, Reload, Rollback
from engine.serve.operations import OperationRefused, Reloaded, Status

Wanted = TypeVar("Wanted", Reloaded, Status)


class AskedOfSupervisor:
    """The `engine.serve.operations.Operations` of a worker. Safe to share between threads."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[Answer]] = {}

    def reload(self, patience: float) -> Reloaded:
        """Reads the folder of rulesets again."""
        return self._ask(Reload(), Reloaded, patience)

    def rollback(self, release: str, patience: float) -> Reloaded:
        """Activates an earlier release; the one before when none is named."""
        return self._ask(Rollback(release), Reloaded, patience)

    def status(self, patience: float) -> Status:
        """How the service is doing."""
        return self._ask(HowIsIt(), Status, patience)

    def answered(self, message: Answered) -> None:
        """The supervisor answers; an answer for which nobody waits any more is forgotten."""
        with self._lock:
            waiting = self._waiting.pop(message.number, None)
        if waiting is not None:
            waiting.set_result(message.answer)

    def close(self) -> None:
        """Nobody waits any longer: this worker stops."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for each in waiting.values():
            each.set_result(Refused("the worker that was asked stops; what was asked may still be done"))

    def _ask(self, question: Question, wanted: type[Wanted], patience: float) -> Wanted:
        number = next(self._numbers)
        waiting: Future[Answer] = Future()
        with self._lock:
            self._waiting[number] = waiting
        try:
            self._pipe.send(Asked(number, question))
            answer = waiting.result(patience)
        except TimeoutError:
            message = f"there was no answer within {patience:.3g} seconds; what was asked may still be done"
            raise OperationRefused(message) from None
        except OSError:
            raise OperationRefused("the supervisor of this worker cannot be reached") from None
        finally:
            with self._lock:
                self._waiting.pop(number, None)
        if isinstance(answer, wanted):
            return answer
        raise OperationRefused(answer.message if isinstance(answer, Refused) else "the answer is to another question")
