"""Questions to the solver: is there a patient of whom all this holds? Within a budget of time, and never a guess."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import z3

from engine.prove.logic import Formula, both, term

Clock = Callable[[], float]


class OutOfTime(Exception):
    """The solver was stopped before it knew. The claim is then undecided, which is not proved."""


class Solver:
    """An incremental solver. Raises OutOfTime when the budget (seconds over all its questions) is used up."""

    def __init__(self, budget: float, clock: Clock = time.monotonic) -> None:
        self._solver = z3.SimpleSolver()
        self._clock = clock
        self._until = clock() + budget

    def require(self, *formulas: Formula) -> None:
        """From now on these hold of every patient that is looked for."""
        for formula in formulas:
            self._solver.add(term(formula))

    @contextmanager
    def supposing(self, *formulas: Formula) -> Iterator[None]:
        """Inside the block these hold too."""
        self._solver.push()
        try:
            self.require(*formulas)
            yield
        finally:
            self._solver.pop()

    def find(self, *formulas: Formula) -> z3.ModelRef | None:
        """A model of everything that is required and of these; None where there is none."""
        wanted = both(formulas)
        if wanted is False:
            return None
        left = self._until - self._clock()
        if left <= 0:
            raise OutOfTime
        self._solver.set("timeout", max(1, int(left * 1000)))
        with self.supposing(wanted):
            answer = self._solver.check()
            if answer == z3.unknown:
                raise OutOfTime
            return self._solver.model() if answer == z3.sat else None

    def simplest(self, wishes: Sequence[Formula], *formulas: Formula) -> z3.ModelRef | None:
        """A model in which as many wishes as are easily had come true, the first ones first; None where there is none.

        A wish that cannot be had together with those before it is given up.
        """
        with self.supposing(*formulas):
            found = self.find()
            if found is None:
                return None
            kept: list[z3.BoolRef] = []
            waiting = list(map(term, wishes))
            while waiting:
                # what the last model has already is free
                true = [wish for wish in waiting if z3.is_true(found.eval(wish, model_completion=True))]
                if true:
                    kept.extend(true)
                    waiting = [wish for wish in waiting if not any(wish.eq(each) for each in true)]
                    continue
                wish = waiting.pop(0)
                better = self.find(*kept, wish)
                if better is not None:
                    kept.append(wish)
                    found = better
            return found


def version() -> str:
    """The solver by name and version, as a certificate names it."""
    return f"z3 {z3.get_version_string()}"


def none_of(formulas: Iterable[Formula]) -> Formula:
    """Whether none of these holds."""
    return z3.Not(term(z3.Or([term(each) for each in formulas])))
