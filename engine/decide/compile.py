"""CheckedRuleset -> CompiledRuleset: the flat rules that the inference network runs, packed into shards.

Each condition becomes an *or* of flat conjunctions of literals (see `literals.py`). Where that would explode, a part
is computed one level earlier and enters as one literal. See `rete.py` for why the network may contain nothing else, and
for the limits that shape the shards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from math import comb, prod
from typing import TypeAlias

from engine.decide.literals import Book, Formula, Inputs
from engine.decide.targets import Targets, targets
from engine.rules.condition import Condition
from engine.rules.model import CheckedRuleset

MAX_SHARD_LITERALS = 60
"""Past 64 tests pending on one fact durable-rules refuses the fact with error 303."""
MAX_SHARD_RULES = 200
MAX_PRODUCT = 200
"""Conjunctions that one *and* may multiply out to before its factors move one level down."""
MAX_CONJUNCTION = 40

Conjunction: TypeAlias = frozenset[str]
Disjunction: TypeAlias = frozenset[Conjunction]
_CERTAIN: Disjunction = frozenset([frozenset()])


@dataclass(frozen=True, slots=True)
class FlatRule:
    """When all `literals` hold, the `targets` are true and the `literals_out` hold on the next levels."""

    name: str
    literals: tuple[str, ...]
    targets: frozenset[str]
    literals_out: frozenset[str]


@dataclass(frozen=True, slots=True)
class Shard:
    """Flat rules that share one engine handle. `literals`: all that they read."""

    rules: tuple[FlatRule, ...]
    literals: frozenset[str]


@dataclass(frozen=True, slots=True)
class Network:
    """The flat rules of one stage: levels in order, each a tuple of shards."""

    levels: tuple[tuple[Shard, ...], ...]


@dataclass(frozen=True, slots=True)
class CompiledRuleset:
    """A ruleset ready to be decided upon. Nothing in it depends on answers."""

    checked: CheckedRuleset
    targets: Targets
    inputs: Inputs
    rules: Network
    programme: Network
    texts: Network


def compile_ruleset(checked: CheckedRuleset) -> CompiledRuleset:
    """Compiles the networks and input tables of a ruleset."""
    asked = targets(checked)
    book = Book(checked.ruleset.findings)
    networks = [_Weaver(book).network(conditions) for conditions in (asked.rules, asked.programme, asked.texts)]
    # The gates of `asked_when` enter the book here, so the networks come first and the inputs see every literal.
    inputs = Inputs(checked.ruleset, book)
    return CompiledRuleset(checked, asked, inputs, *networks)


@dataclass
class _Out:
    """What a conjunction yields while a network is being woven."""

    targets: set[str] = field(default_factory=set)
    literals: set[str] = field(default_factory=set)


class _Weaver:
    """Turns the conditions of one stage into flat rules on levels."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._outs: dict[Conjunction, _Out] = {}
        self._auxiliary: dict[Disjunction, str] = {}
        self._level: dict[str, int] = {}

    def network(self, conditions: Mapping[str, Condition]) -> Network:
        for name, condition in conditions.items():
            for conjunction in self._flatten(self._book.formula(condition)):
                self._outs.setdefault(conjunction, _Out()).targets.add(name)
        levels: dict[int, list[FlatRule]] = {}
        for number, (conjunction, out) in enumerate(self._outs.items()):
            rule = FlatRule(f"r{number}", tuple(sorted(conjunction)), frozenset(out.targets), frozenset(out.literals))
            levels.setdefault(self._level_of(conjunction), []).append(rule)
        return Network(tuple(_shards(levels[level]) for level in sorted(levels)))

    def _flatten(self, formula: Formula) -> Disjunction:
        if isinstance(formula, str):
            return frozenset([frozenset([formula])])
        return self._at_least(formula.number, [self._flatten(part) for part in formula.parts])

    def _at_least(self, number: int, parts: list[Disjunction]) -> Disjunction:
        if number <= 0:
            return _CERTAIN
        if number == 1:
            return _absorb(conjunction for part in parts for conjunction in part)
        if number == len(parts):
            return self._and(parts)
        if comb(len(parts), number) * max(len(part) for part in parts) ** number > MAX_PRODUCT:
            parts = [self._earlier(part) for part in parts]
        if comb(len(parts), number) <= MAX_PRODUCT:
            chosen = combinations(parts, number)
            return _absorb(conjunction for choice in chosen for conjunction in self._and(list(choice)))
        half = len(parts) // 2
        left, right = parts[:half], parts[half:]
        splits = range(max(0, number - len(right)), min(number, len(left)) + 1)
        return _absorb(
            conjunction
            for taken in splits
            for conjunction in self._and(
                [self._earlier(self._at_least(taken, left)), self._earlier(self._at_least(number - taken, right))]
            )
        )

    def _and(self, parts: list[Disjunction]) -> Disjunction:
        factors = sorted(parts, key=len)
        while prod(len(factor) for factor in factors) > MAX_PRODUCT:
            factors = sorted([*factors[:-1], self._earlier(factors[-1])], key=len)
        result = _CERTAIN
        for factor in factors:
            result = _absorb(one | other for one in result for other in factor)
        return frozenset(self._short(conjunction) for conjunction in result)

    def _short(self, conjunction: Conjunction) -> Conjunction:
        """The conjunction with chunks of it moved one level down, where it is longer than a shard should hold."""
        while len(conjunction) > MAX_CONJUNCTION:
            chunk = frozenset(sorted(conjunction)[:MAX_CONJUNCTION])
            conjunction = (conjunction - chunk) | next(iter(self._earlier(frozenset([chunk]))))
        return conjunction

    def _earlier(self, part: Disjunction) -> Disjunction:
        """`part` as one literal that an earlier level works out; itself when it is no more than that."""
        if part == _CERTAIN or (len(part) == 1 and len(next(iter(part))) == 1):
            return part
        if part not in self._auxiliary:
            key = f"b{len(self._auxiliary)}"
            self._auxiliary[part] = key
            self._level[key] = 1 + max(self._level_of(conjunction) for conjunction in part)
            for conjunction in part:
                self._outs.setdefault(conjunction, _Out()).literals.add(key)
        return frozenset([frozenset([self._auxiliary[part]])])

    def _level_of(self, conjunction: Conjunction) -> int:
        return max((self._level.get(literal, 0) for literal in conjunction), default=0)


def _absorb(conjunctions: Iterable[Conjunction]) -> Disjunction:
    """The conjunctions without those that another one implies."""
    kept: list[Conjunction] = []
    for conjunction in sorted(set(conjunctions), key=len):
        if not any(other <= conjunction for other in kept):
            kept.append(conjunction)
    return frozenset(kept)


def _shards(rules: list[FlatRule]) -> tuple[Shard, ...]:
    """The rules packed so that each shard stays within the engine's limits; rules with like literals together."""
    bins: list[tuple[list[FlatRule], set[str]]] = []
    for rule in sorted(rules, key=lambda each: each.literals):
        wanted = set(rule.literals)
        fitting = [
            (len(wanted - literals), index)
            for index, (packed, literals) in enumerate(bins)
            if len(packed) < MAX_SHARD_RULES and len(literals | wanted) <= MAX_SHARD_LITERALS
        ]
        if fitting:
            packed, literals = bins[min(fitting)[1]]
            packed.append(rule)
            literals |= wanted
        else:
            bins.append(([rule], wanted))
    return tuple(Shard(tuple(packed), frozenset(literals)) for packed, literals in bins)
