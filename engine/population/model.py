"""What a simulated population is like: reads `population.yaml` of a ruleset and checks it whole.

The file says, name by name and in an order, how a value is drawn: a table of rows of which the first that fits what
was drawn before counts. A name is a question of the ruleset, the word `condition` (what the person has), or something
hidden that makes answers hang together. Every row names its source, or says that it is assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from engine.errors import RulesetError
from engine.population.model_shape import ConditionShape, DrawShape, PopulationFile, ShareShape
from engine.population.model_tests import Test, read_test
from engine.rules import document, shape, values
from engine.rules.codes import Code
from engine.rules.condition import Value, leaves
from engine.rules.model import NO, YES, Question, QuestionType, Ruleset
from engine.rules.problem import Problem, Problems, error
from engine.rules.scale import Disposition
from engine.rules.source import Source, Span
from engine.rules.suggest import did_you_mean

POPULATION = "population.yaml"
"""The file, beside a ruleset's rules; it is no part of the ruleset and does not change its digest."""
CONDITION = "condition"
"""The name of the draw that says what a person has."""
ASSUMED = "assumed"
"""The source of a row that has none."""
REST = "rest"
_BAND = 3
"""Numbers of a band: the lowest, the highest, and its share."""

_Drawn: TypeAlias = Mapping[str, tuple[str, ...] | None]
"""What was drawn before, by name: its options, None for a number."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a person can have: whether it is serious, and the least urgent disposition that is enough for it."""

    id: str
    serious: bool
    needs: Disposition
    titles: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Total:
    """A number that follows from others: their sum, each times its factor, down to a whole step and into its range."""

    terms: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Row:
    """How a value is drawn where all of `tests` hold: by weights that add up to one, or as a Total.

    `unknown`: the chance that the person cannot say it; None where that of the whole form counts.
    """

    tests: Mapping[str, Test]
    weights: Mapping[Value, float]
    total: Total | None
    unknown: float | None
    source: str


@dataclass(frozen=True, slots=True)
class Share:
    """A chance that counts where all of `tests` hold."""

    tests: Mapping[str, Test]
    share: float
    source: str


@dataclass(frozen=True, slots=True)
class Model:
    """A checked population. INVARIANT: each draw reads only earlier ones, and its last row has no tests.

    `groups` are the draws that are written beside each simulated person, the condition first.
    `digest` is that of the text.
    """

    ruleset: Ruleset
    digest: str
    titles: Mapping[str, str]
    groups: tuple[str, ...]
    sources: Mapping[str, str]
    conditions: Mapping[str, Condition]
    draws: Mapping[str, tuple[Row, ...]]
    unknown: tuple[Share, ...]
    skipped: tuple[Share, ...]
    stopped: tuple[Share, ...]

    @property
    def rows(self) -> tuple[Row | Share, ...]:
        """Every row that names a source."""
        return (*chain.from_iterable(self.draws.values()), *self.unknown, *self.skipped, *self.stopped)


def load_model(file: Path, ruleset: Ruleset) -> Model:
    """The population in a file; RulesetError with every problem. OSError where the file cannot be read."""
    with file.open("rb") as opened:
        source, problems = document.decode(str(file), opened.read(document.LARGEST + 1))
    if problems:
        raise RulesetError(Problems(problems))
    return read_model(source, ruleset)


def read_model(source: Source, ruleset: Ruleset) -> Model:
    """The population that a text describes; RulesetError with every problem."""
    node, found = document.read(source)
    if node is not None and not found:
        places = document.Places(node)
        read = shape.check_shape(PopulationFile, node, places, found)
        if read is not None:
            model = _Check(ruleset, read, places, found).model(source.text)
            if not Problems(found):
                return model
    raise RulesetError(Problems(found))


class _Check:
    """Holds a file of the right shape against a ruleset; what is wrong goes to `found`."""

    def __init__(self, ruleset: Ruleset, read: PopulationFile, places: shape.Places, found: list[Problem]) -> None:
        self._ruleset, self._read = ruleset, read
        self._places, self._found = places, found
        self._options: dict[str, tuple[str, ...] | None] = {}  # see _Drawn
        self._early: dict[str, tuple[str, ...] | None] = {}  # what is drawn before anybody can hesitate

    def model(self, text: str) -> Model:
        read = self._read
        if read.population.ruleset != self._ruleset.id:
            at = ("population", "ruleset")
            self._tell("wrong-type", at, f"this population is for another ruleset than `{self._ruleset.id}`")
        conditions = {name: _condition(name, each) for name, each in read.conditions.items()}
        draws = {name: self._draw(name, rows) for name, rows in read.draws.items()}
        for name in (*self._ruleset.questions, CONDITION, *read.hidden):
            if name not in draws:
                self._tell("missing-key", ("draws",), f"nothing says how `{name}` is drawn", f"add `{name}:` here")
        self._gates()
        for number, name in enumerate(read.population.groups):
            if self._options.get(name) is None:
                self._tell("unknown-question", ("population", "groups", number), f"nothing draws options of `{name}`")
        told = read.unanswered
        return Model(
            ruleset=self._ruleset,
            digest=sha256(text.encode()).hexdigest(),
            titles=read.population.title,
            groups=(CONDITION, *read.population.groups),
            sources={name: each.citation for name, each in read.sources.items()},
            conditions=conditions,
            draws=draws,
            unknown=self._shares("unknown", told.unknown, self._early),
            skipped=self._shares("skipped", told.skipped, self._options),
            stopped=self._shares("stopped", told.stopped, self._options),
        )

    def _draw(self, name: str, rows: list[DrawShape]) -> tuple[Row, ...]:
        at = ("draws", name)
        question = self._ruleset.questions.get(name)
        options = self._options_of(name, question)
        if question is None and options is None:
            known = (*self._ruleset.questions, CONDITION, *self._read.hidden)
            self._tell("unknown-question", at, f"no question `{name}`", did_you_mean(name, known))
            return ()
        self._order(at, [bool(row.when) for row in rows])
        read = tuple(self._row((*at, number), row, question, options) for number, row in enumerate(rows))
        if self._early == self._options and (question is None or all(row.unknown is not None for row in rows)):
            self._early[name] = options
        self._options[name] = options
        return read

    def _options_of(self, name: str, question: Question | None) -> tuple[str, ...] | None:
        if question is not None:
            return None if question.type.is_number else question.options
        if name == CONDITION:
            return tuple(self._read.conditions)
        return tuple(self._read.hidden[name].options) if name in self._read.hidden else None

    def _row(
        self, at: document.Path, row: DrawShape, question: Question | None, options: tuple[str, ...] | None
    ) -> Row:
        tests = self._tests(at, row.when, self._options)
        ways = [way for way in ("yes", "share", "bands", "sum") if getattr(row, way) not in (None, {}, [])]
        allowed = ("bands", "sum") if options is None else ("yes", "share") if options == (YES, NO) else ("share",)
        weights: dict[Value, Decimal] = {}
        total = None
        if len(ways) != 1 or ways[0] not in allowed:
            self._tell("wrong-type", at, f"a row here says how to draw by one of {_list(allowed)}")
        elif row.yes is not None:
            weights = {YES: row.yes, NO: 1 - row.yes}
            self._probability((*at, "yes"), row.yes)
        elif row.share:
            weights.update(self._written((*at, "share"), row.share, options or ()))
        elif row.bands and question is not None:
            weights = self._bands((*at, "bands"), row, question)
        else:
            total = self._total((*at, "sum"), row.sum)
        if row.unknown is not None:
            self._probability((*at, "unknown"), row.unknown)
            if question is None:
                self._tell("wrong-type", (*at, "unknown"), "nobody is asked this")
        self._source(at, row.source)
        drawn = {value: float(share) for value, share in weights.items() if share}
        return Row(tests, drawn, total, None if row.unknown is None else float(row.unknown), row.source)

    def _written(self, at: document.Path, share: Mapping[str, str], options: tuple[str, ...]) -> dict[str, Decimal]:
        """The weights of options; one of them may be the rest."""
        weights: dict[str, Decimal] = {}
        rest = [option for option, text in share.items() if text == REST]
        for option, text in share.items():
            if option not in options:
                self._tell("unknown-option", (*at, option), f"no option `{option}`", did_you_mean(option, options))
            if option not in rest:
                weights[option] = self._number((*at, option), text)
        if len(rest) > 1:
            self._tell("wrong-type", (*at, rest[1]), f"only one share can be `{REST}`")
        weights |= {option: 1 - sum(weights.values(), Decimal()) for option in rest[:1]}
        self._whole(at, weights.values())
        return weights

    def _bands(self, at: document.Path, row: DrawShape, question: Question) -> dict[Value, Decimal]:
        """The weights of numbers: of each band evenly over its steps, `[lowest, highest, share]`."""
        step = Decimal(1) if row.step is None else row.step
        whole = question.type is QuestionType.INTEGER
        if step <= 0 or (whole and step != int(step)):
            self._tell("wrong-type", (*at[:-1], "step"), f"`{step}` cannot be a step here")
            return {}
        weights: dict[Value, Decimal] = {}
        for number, band in enumerate(row.bands):
            if len(band) != _BAND or not self._in_range(question, band[0], band[1]):
                message = "a band is `[lowest, highest, share]`, within the question's range"
                self._tell("bad-range", (*at, number), message)
                continue
            points = [band[0] + step * count for count in range(int((band[1] - band[0]) / step) + 1)]
            for point in points:
                value = int(point) if whole else point
                weights[value] = weights.get(value, Decimal()) + band[2] / len(points)
        self._whole(at, [band[-1] for band in row.bands if len(band) == _BAND])
        return weights

    def _in_range(self, question: Question, low: Decimal, high: Decimal) -> bool:
        inside = (question.low is None or question.low <= low) and (question.high is None or high <= question.high)
        fits = question.type is not QuestionType.INTEGER or (low == int(low) and high == int(high))
        return low <= high and inside and fits

    def _total(self, at: document.Path, terms: Mapping[str, Decimal]) -> Total:
        for name in terms:
            if name not in self._options or self._options[name] is not None:
                self._tell("unknown-question", (*at, name), f"`{name}` is no number that is drawn before")
        return Total(terms)

    def _shares(self, name: str, rows: list[ShareShape], drawn: _Drawn) -> tuple[Share, ...]:
        at: document.Path = ("unanswered", name)
        self._order(at, [bool(row.when) for row in rows])
        found = []
        for number, row in enumerate(rows):
            self._probability((*at, number, "share"), row.share)
            self._source((*at, number), row.source)
            found.append(Share(self._tests((*at, number), row.when, drawn), float(row.share), row.source))
        return tuple(found)

    def _tests(self, at: document.Path, when: Mapping[str, object], drawn: _Drawn) -> dict[str, Test]:
        """The tests of a row; each must be of something that is drawn before."""
        tests = {}
        for name, said in when.items():
            place = (*at, "when", name)
            if name not in drawn:
                self._tell("unknown-question", place, f"`{name}` is not drawn before this", did_you_mean(name, drawn))
                continue
            try:
                tests[name] = read_test(said, drawn[name])
            except ValueError as fault:
                self._tell("wrong-type", place, str(fault))
        return tests

    def _order(self, at: document.Path, tested: list[bool]) -> None:
        """The last row, and no other, is for everybody who is left."""
        if not tested or tested[-1] or not all(tested[:-1]):
            self._tell("missing-key", at, "the last row, and only the last, has no `when`")

    def _gates(self) -> None:
        """What decides whether a question is asked must be drawn before it."""
        order = {name: number for number, name in enumerate(self._read.draws)}
        for question in self._ruleset.questions.values():
            group = self._ruleset.groups[question.group].asked_when if question.group else None
            gates = [gate for gate in (question.asked_when, group) if gate is not None]
            for read in {getattr(leaf, "question", "") for gate in gates for leaf in leaves(gate)}:
                if order.get(read, -1) > order.get(question.id, len(order)):
                    message = f"`{read}` decides whether this is asked, and is drawn later"
                    self._tell("misplaced-condition", ("draws", question.id), message)

    def _source(self, at: document.Path, source: str) -> None:
        if source != ASSUMED and source not in self._read.sources:
            help = did_you_mean(source, (*self._read.sources, ASSUMED))
            self._tell("unknown-evidence", (*at, "source"), f"no source `{source}`", help)

    def _number(self, at: document.Path, text: str) -> Decimal:
        try:
            return values.number(text)
        except values.Unreadable as fault:
            self._tell(fault.code, at, fault.message, fault.help)
            return Decimal()

    def _probability(self, at: document.Path, value: Decimal) -> None:
        if not 0 <= value <= 1:
            self._tell("bad-range", at, f"`{value}` is no probability", "write a number from 0 to 1")

    def _whole(self, at: document.Path, weights: Iterable[Decimal]) -> None:
        found = [*weights]
        if any(share < 0 for share in found) or sum(found) != 1:
            self._tell("bad-range", at, f"the weights add up to `{sum(found)}`", "let them add up to 1")

    def _tell(self, code: Code, at: document.Path, message: str, help: str = "") -> None:
        self._found.append(error(code, self._span(at), message, help))

    def _span(self, at: document.Path) -> Span:
        while at and at not in self._places:
            at = at[:-1]
        return self._places[at]


def _condition(name: str, read: ConditionShape) -> Condition:
    return Condition(name, read.serious, read.needs, read.title)


def _list(words: tuple[str, ...]) -> str:
    return " or ".join(f"`{word}`" for word in words)
