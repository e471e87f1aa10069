"""What a process does in the tests of what processes share; a file of its own, so that a new process can import it."""

from __future__ import annotations

from pathlib import Path

from engine.serve.access.shared import SharedState


def use_all(folder: Path, tokens: int) -> list[int]:
    """Tries every token once, and says which it was the first to use."""
    state = SharedState(folder)
    first = [number for number in range(tokens) if state.first_use("issuer", str(number), 2000.0, 1000.0)]
    state.close()
    return first


def take_all(folder: Path, times: int, burst: float) -> int:
    """Asks for so many calls in one moment, and says how many it got."""
    state = SharedState(folder)
    taken = sum(state.take("clinic", 5.0, burst, 1000.0) == 0.0 for _ in range(times))
    state.close()
    return taken
