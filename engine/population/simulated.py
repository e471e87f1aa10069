"""Simulated patients as a source of rows: each chunk follows from the seed and its number alone, whoever makes it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from math import ceil, floor
from operator import itemgetter
from random import Random
from typing import Generic, TypeVar

from engine.decide.answers import DONT_KNOW, MISSING, UNKNOWN, Given, GivenValue, Order, Unanswered
from engine.decide.writing import Ask, Earlier, Writer
from engine.population.model import Model
from engine.population.model import Row as Drawn
from engine.population.model_tests import Test
from engine.population.rows import CHUNK_ROWS, Chunk, Row
from engine.rules.condition import All, Condition, Value
from engine.rules.model import Question, Ruleset

_KEPT = 4096
"""Situations of one draw that are kept worked out."""
_NOTHING_EARLIER = Earlier()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody simulated: what is so, also what nobody asks, and what this person says to each question that is asked.

    In `truth` what does not apply to this person is None.
    """

    truth: Mapping[str, Value | None]
    said: Mapping[str, Given]


class Simulated:
    """A source of `rows` simulated patients. Picklable: a model and two numbers."""

    def __init__(self, model: Model, seed: int, rows: int) -> None:
        self._model = model
        self.seed, self.rows = seed, rows
        self._people: People | None = None

    def __reduce__(self) -> tuple[type[Simulated], tuple[Model, int, int]]:
        return Simulated, (self._model, self.seed, self.rows)

    def fingerprint(self) -> str:
        """The model, the seed and how many."""
        return f"simulated:{self.seed}:{self.rows}:{self._model.digest}"

    @property
    def people(self) -> People:
        """Whom it draws from."""
        if self._people is None:
            self._people = People(self._model)
        return self._people

    def chunks(self) -> Sequence[Chunk]:
        """All chunks, in order."""
        starts = range(0, self.rows, CHUNK_ROWS)
        return [
            Chunk(number, f"simulated:{self.seed}", start, min(CHUNK_ROWS, self.rows - start))
            for number, start in enumerate(starts)
        ]

    def read(self, chunk: Chunk) -> Iterator[Row]:
        """The rows of a chunk."""
        people, groups = self.people, self.people.model.groups
        chance = Random(f"{self.seed}/{chunk.number}")
        for number in range(chunk.start, chunk.start + chunk.rows):
            person = people.draw(chance)
            beside = {name: str(person.truth[name] or "") for name in groups}
            yield Row(number, "", people.given(person, chance), groups=beside)


class People:
    """A model, ready to draw from."""

    def __init__(self, model: Model) -> None:
        self.model = model
        ruleset = model.ruleset
        order = Order(ruleset.questions)
        self._blank = [MISSING] * len(order.places)
        gates: dict[Condition, int] = {}
        self._draws = [_Draw(ruleset, order, name, rows, gates) for name, rows in model.draws.items()]
        self._gates = [_Gate(ruleset, order, gate) for gate in gates]
        self._form = [*ruleset.questions]
        self._unknown, self._skipped, self._stopped = (
            _Table([(each.tests, each.share) for each in shares])
            for shares in (model.unknown, model.skipped, model.stopped)
        )

    def draw(self, chance: Random) -> Person:
        """Somebody, with an answer to every question that is asked of such a person."""
        random = chance.random
        truth: dict[str, Value | None] = {}
        said: dict[str, Given] = {}
        row: list[GivenValue | Unanswered] = [*self._blank]
        asked: dict[int, bool | None] = {}
        hesitation: float | None = None
        for draw in self._draws:
            gate = draw.gate
            if gate is not None:
                if gate not in asked:
                    asked[gate] = self._gates[gate].state(row)
                if asked[gate] is False:
                    truth[draw.name] = None
                    continue
            # A million people have ninety answers each: what is a method elsewhere is written out here.
            table = draw.table
            way = table.only or table.kept.get(table.key(truth)) or table.find(truth)
            value, given = way.total(truth) if way.total else way.outcomes[bisect_right(way.sums, random())]
            truth[draw.name] = value
            place = draw.place
            if place is None:
                continue
            unknown = way.unknown
            if unknown is None:
                if hesitation is None:
                    hesitation = self._unknown.find(truth)
                unknown = hesitation
            # Where it hangs on an unknown answer whether this is asked, nothing is known about it either.
            if random() < unknown or (gate is not None and asked[gate] is None):
                said[draw.name] = UNKNOWN
                row[place] = DONT_KNOW
            else:
                said[draw.name] = given
                row[place] = value
        return Person(truth, said)

    def given(self, person: Person, chance: Random) -> Mapping[str, Given]:
        """What a form holds of a person: without questions passed over, and up to where some stop half-way."""
        random = chance.random
        skipped = self._skipped.find(person.truth)
        form = self._form
        if random() < self._stopped.find(person.truth):
            form = form[: int(random() * len(form))]
        said = person.said
        return {name: said[name] for name in form if name in said and random() >= skipped}


_T = TypeVar("_T")


class _Table(Generic[_T]):
    """The first of some rows whose tests hold; what was found is kept by what the tests read."""

    __slots__ = ("_rows", "kept", "key", "only")

    def __init__(self, rows: Sequence[tuple[Mapping[str, Test], _T]]) -> None:
        self._rows = rows
        read = sorted({name for tests, _ in rows for name in tests})
        self.only = None if read else rows[0][1]
        self.key: Callable[[Mapping[str, Value | None]], object] = itemgetter(*read) if read else len
        self.kept: dict[object, _T] = {}

    def find(self, truth: Mapping[str, Value | None]) -> _T:
        """What the first row gives that fits."""
        if self.only is not None:
            return self.only
        key = self.key(truth)
        found = self.kept.get(key)
        if found is None:
            fitting = (way for tests, way in self._rows if all(test.holds(truth[name]) for name, test in tests.items()))
            found = next(fitting)
            if len(self.kept) < _KEPT:
                self.kept[key] = found
        return found


class _Way:
    """One row of a draw, ready: by weights, or as a total of what was drawn before."""

    __slots__ = ("_question", "_terms", "outcomes", "sums", "total", "unknown")

    def __init__(self, question: Question | None, row: Drawn) -> None:
        self.unknown = row.unknown
        self.outcomes = [(value, _given(question, value)) for value in row.weights]
        # The last sum is not reached by any chance, whatever adding up rounds.
        self.sums = [*accumulate(row.weights.values())][:-1]
        self._question = question
        self._terms = () if row.total is None else tuple(row.total.terms.items())
        self.total = self._add if self._terms else None

    def _add(self, truth: Mapping[str, Value | None]) -> tuple[Value, Given]:
        terms = [(truth[name], times) for name, times in self._terms]
        value = floor(sum(each * times for each, times in terms if isinstance(each, int | Decimal)))
        question = self._question
        if question is not None and question.low is not None and question.high is not None:
            value = min(max(value, ceil(question.low)), floor(question.high))
        return value, _given(question, value)


class _Draw:
    """One name of a model: where its answer stands, whether it is asked, and how it is drawn."""

    def __init__(
        self, ruleset: Ruleset, order: Order, name: str, rows: tuple[Drawn, ...], gates: dict[Condition, int]
    ) -> None:
        self.name = name
        self.place = order.places.get(name)
        question = ruleset.questions.get(name)
        self.table = _Table([(row.tests, _Way(question, row)) for row in rows])
        group = None if question is None or not question.group else ruleset.groups[question.group].asked_when
        conditions = [each for each in (group, None if question is None else question.asked_when) if each is not None]
        self.gate = gates.setdefault(All(tuple(conditions)), len(gates)) if conditions else None


class _Gate:
    """Whether questions behind one condition are asked."""

    def __init__(self, ruleset: Ruleset, order: Order, condition: Condition) -> None:
        writer = Writer(ruleset, order)
        self._true = writer.function([("", condition)], Ask.TRUE)
        self._false = Writer(ruleset, order).function([("", condition)], Ask.FALSE)
        self._key = itemgetter(*(order.places[name] for name in sorted(writer.reads)))
        self._kept: dict[object, bool | None] = {}

    def state(self, row: list[GivenValue | Unanswered]) -> bool | None:
        """True or False where that is sure by the answers so far, else None."""
        key = self._key(row)
        if key not in self._kept:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            placed = tuple(row)
            sure = bool(self._true(placed, _NOTHING_EARLIER))
            self._kept[key] = sure if sure or self._false(placed, _NOTHING_EARLIER) else None
        return self._kept[key]


def _given(question: Question | None, value: Value) -> Given:
    """The answer of a person who says this; of what nobody is asked it is never said."""
    return UNKNOWN if question is None else Given(question.type, value)
