"""CheckedRuleset -> CompiledRuleset: the flat rules that the inference network runs, packed into shards.

Each condition becomes an *or* of flat conjunctions of literals (see `literals.py`). Where that would explode, a part
is computed one level earlier and enters as one literal. The conditions of all stages share one network: what a later
stage reads of an earlier one is no literal of a fact; it is kept beside the conjunction and looked at afterwards.
See `rete.py` for why the network may contain nothing else, and for the limits that shape the shards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from math import comb, prod
from typing import TypeAlias

from engine.decide.answers import Order
from engine.decide.inputs import Inputs
from engine.decide.literals import Book, Formula, Polarity
from engine.decide.targets import Targets, targets
from engine.decide.usual import Rarity, usual_literals
from engine.rules.condition import Condition
from engine.rules.model import CheckedRuleset, Ruleset

MAX_SHARD_LITERALS = 60
"""Past 64 tests pending on one fact durable-rules refuses the fact with error 303."""
MAX_SHARD_RULES = 200
MAX_PRODUCT = 200
"""Conjunctions that one *and* may multiply out to before its factors move one level down."""
MAX_CONJUNCTION = 40

Conjunction: TypeAlias = frozenset[str]
Disjunction: TypeAlias = frozenset[Conjunction]
Conditional: TypeAlias = tuple[tuple[Conjunction, frozenset[str]], ...]
_CERTAIN: Disjunction = frozenset([frozenset()])
_INVERTED = Polarity.NOT_TRUE


@dataclass(frozen=True, slots=True)
class Effects:
    """What follows from a conjunction: rules, literals for the next levels; rows and texts by what must hold too."""

    rules: frozenset[str] = frozenset()
    rows: Conditional = ()
    texts: Conditional = ()
    literals: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FlatRule:
    """When all `literals` hold, so do the `effects`."""

    name: str
    literals: tuple[str, ...]
    effects: Effects


@dataclass(frozen=True, slots=True)
class Shard:
    """Flat rules that share one engine handle. `literals`: all that they read.

    INVARIANT: each rule reads one of the `triggers`, so that no rule can fire where none of them holds.
    """

    rules: tuple[FlatRule, ...]
    literals: frozenset[str]
    triggers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Network:
    """The flat rules on levels in order, each a tuple of shards; and what follows from nothing at all."""

    levels: tuple[tuple[Shard, ...], ...]
    always: Effects


@dataclass(frozen=True, slots=True)
class CompiledRuleset:
    """A ruleset ready to be decided upon. Nothing in it depends on answers."""

    checked: CheckedRuleset
    targets: Targets
    inputs: Inputs
    network: Network
    inverted_rows: frozenset[str]
    inverted_texts: frozenset[str]
    """Those of which the network says when they do *not* hold: mostly they do, and each that fires takes time."""


def compile_ruleset(checked: CheckedRuleset, order: Order) -> CompiledRuleset:
    """Compiles the network and the input tables of a ruleset."""
    asked = targets(checked)
    book = Book(checked.ruleset.findings)
    weaver = _Weaver(book)
    for name, condition in asked.rules.items():
        weaver.add_rule(name, condition)
    rows, texts = (_inverted(checked.ruleset, order, each) for each in (asked.programme, asked.texts))
    for name, condition in asked.programme.items():
        weaver.add_row(name, condition, _INVERTED if name in rows else Polarity.TRUE)
    for name, condition in asked.texts.items():
        weaver.add_text(name, condition, _INVERTED if name in texts else Polarity.TRUE)
    # The gates of `asked_when` enter the book here, so the network comes first and the inputs see every literal.
    inputs = Inputs(checked.ruleset, order, book)
    rarity = Rarity(checked.ruleset, order, book, inputs)
    return CompiledRuleset(checked, asked, inputs, weaver.network(rarity), rows, texts)


def _inverted(ruleset: Ruleset, order: Order, conditions: Mapping[str, Condition]) -> frozenset[str]:
    """The conditions of which less usually fires when they are asked the other way round."""
    book = Book(ruleset.findings)
    weaver = _Weaver(book)
    cores = {
        name: [[core for core, _ in weaver.parted(condition, polarity)] for polarity in (Polarity.TRUE, _INVERTED)]
        for name, condition in conditions.items()
    }
    usual = usual_literals(ruleset, order, Inputs(ruleset, order, book))

    def firing(found: list[Conjunction]) -> int:
        return sum(bool(core) and core <= usual for core in found)

    return frozenset(name for name, (upright, inverted) in cores.items() if firing(inverted) < firing(upright))


@dataclass
class _Out:
    """What a conjunction yields while the network is being woven."""

    rules: set[str] = field(default_factory=set)
    rows: set[tuple[str, Conjunction]] = field(default_factory=set)
    texts: set[tuple[str, Conjunction]] = field(default_factory=set)
    literals: set[str] = field(default_factory=set)

    def done(self) -> Effects:
        return Effects(frozenset(self.rules), _by_needs(self.rows), _by_needs(self.texts), frozenset(self.literals))


def _by_needs(found: set[tuple[str, Conjunction]]) -> Conditional:
    needs = sorted({each for _, each in found}, key=sorted)
    return tuple((each, frozenset(name for name, other in found if other == each)) for each in needs)


class _Weaver:
    """Turns conditions into flat rules on levels."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._outs: dict[Conjunction, _Out] = {}
        self._auxiliary: dict[Disjunction, str] = {}
        self._level: dict[str, int] = {}

    def add_rule(self, name: str, condition: Condition) -> None:
        """Weaves in when a rule is true."""
        for conjunction in self._flatten(self._book.formula(condition)):
            self._out(conjunction).rules.add(name)

    def add_row(self, name: str, condition: Condition, polarity: Polarity) -> None:
        """Weaves in when a programme row is true, or not true."""
        for conjunction, standing in self.parted(condition, polarity):
            self._out(conjunction).rows.add((name, standing))

    def add_text(self, name: str, condition: Condition, polarity: Polarity) -> None:
        """Weaves in when a text is shown, or not shown."""
        for conjunction, standing in self.parted(condition, polarity):
            self._out(conjunction).texts.add((name, standing))

    def parted(self, condition: Condition, polarity: Polarity) -> Iterator[tuple[Conjunction, Conjunction]]:
        """The conjunctions, each parted into what answers say and what earlier stages do."""
        for conjunction in self._flatten(self._book.formula(condition, polarity)):
            yield conjunction - self._book.standing, conjunction & self._book.standing

    def network(self, rarity: Rarity) -> Network:
        """All that was woven."""
        always = self._outs.get(frozenset(), _Out()).done()
        levels: dict[int, list[FlatRule]] = {}
        for number, (conjunction, out) in enumerate(self._outs.items()):
            if conjunction:
                rule = FlatRule(f"r{number}", tuple(sorted(conjunction)), out.done())
                levels.setdefault(self._level_of(conjunction), []).append(rule)
        return Network(tuple(_shards(levels[level], rarity) for level in sorted(levels)), always)

    def _out(self, conjunction: Conjunction) -> _Out:
        return self._outs.setdefault(conjunction, _Out())

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
            movable = [place for place, factor in enumerate(factors) if len(factor) > 1 and self._can_move(factor)]
            if not movable:
                break
            factors[movable[-1]] = self._earlier(factors[movable[-1]])
            factors.sort(key=len)
        result = _CERTAIN
        for factor in factors:
            result = _absorb(one | other for one in result for other in factor)
        return frozenset(self._short(conjunction) for conjunction in result)

    def _short(self, conjunction: Conjunction) -> Conjunction:
        """The conjunction with chunks of it moved one level down, where it is longer than a shard should hold."""
        while len(conjunction - self._book.standing) > MAX_CONJUNCTION:
            chunk = frozenset(sorted(conjunction - self._book.standing)[:MAX_CONJUNCTION])
            conjunction = (conjunction - chunk) | next(iter(self._earlier(frozenset([chunk]))))
        return conjunction

    def _earlier(self, part: Disjunction) -> Disjunction:
        """`part` as one literal worked out by an earlier level; itself where it is no more than one, or cannot move."""
        if part == _CERTAIN or (len(part) == 1 and len(next(iter(part))) == 1) or not self._can_move(part):
            return part
        if part not in self._auxiliary:
            key = f"b{len(self._auxiliary)}"
            self._auxiliary[part] = key
            self._level[key] = 1 + max(self._level_of(conjunction) for conjunction in part)
            for conjunction in part:
                self._out(conjunction).literals.add(key)
        return frozenset([frozenset([self._auxiliary[part]])])

    def _can_move(self, part: Disjunction) -> bool:
        """Whether a level can work it out: what earlier stages gave is known only after the last."""
        return all(conjunction.isdisjoint(self._book.standing) for conjunction in part)

    def _level_of(self, conjunction: Conjunction) -> int:
        return max((self._level.get(literal, 0) for literal in conjunction), default=0)


def _absorb(conjunctions: Iterable[Conjunction]) -> Disjunction:
    """The conjunctions without those that another one implies."""
    kept: list[Conjunction] = []
    for conjunction in sorted(set(conjunctions), key=len):
        if not any(other <= conjunction for other in kept):
            kept.append(conjunction)
    return frozenset(kept)


def _shards(rules: list[FlatRule], rarity: Rarity) -> tuple[Shard, ...]:
    """The rules packed so that each shard stays within the engine's limits: rules with like triggers together."""
    used = Counter(literal for rule in rules for literal in rule.literals)

    def trigger(rule: FlatRule) -> str:
        return min(rule.literals, key=lambda literal: (rarity.of(literal), used[literal], literal))

    def place(rule: FlatRule) -> tuple[int, str, tuple[str, ...]]:
        return rarity.of(trigger(rule)), trigger(rule), rule.literals

    shards: list[Shard] = []
    packed: list[FlatRule] = []
    literals: set[str] = set()
    for rule in sorted(rules, key=place):
        wanted = literals.union(rule.literals)
        if len(wanted) > MAX_SHARD_LITERALS or len(packed) == MAX_SHARD_RULES:
            shards.append(Shard(tuple(packed), frozenset(literals), frozenset(map(trigger, packed))))
            packed, wanted = [], set(rule.literals)
        packed.append(rule)
        literals = wanted
    shards.append(Shard(tuple(packed), frozenset(literals), frozenset(map(trigger, packed))))
    return tuple(shards)
