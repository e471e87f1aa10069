"""Matcher on durable-rules: inference by its native Rete network. The only door to that library.

The library is unmaintained and gives wrong answers or crashes outside a narrow fragment, so all its quirks end here:

- an evaluation asserts ONE fact, holding only the literals that are true, each with the integer 1. Rules are flat
  positive conjunctions of `literal == 1`. The engine sees no strings, no other numbers, no negation, no `$or`, no
  chaining.
- a sentinel rule fires for every fact: it proves that the engine ran (and `delete_state` crashes where none fired).
- at most 60 literals and 200 rules per handle (past 64 pending tests a fact is refused with error 303).
- names are compared by 32-bit FNV-1a only: collisions, also with the engine's reserved words, are refused at load.
- two equal conjunctions would be two conditions behind one test path; `compile` merges them into one rule. `$and` of
  nothing would make the engine loop for ever; `compile` keeps what follows from nothing out of the network.
- the C module is not thread-safe across the calls of one evaluation: one lock per matcher. Handles do not survive fork.
- after any deviation the handle is thrown away, there is no decision, and the next evaluation builds a new one.

A shard is asked only where one of its triggers holds: no rule of it could fire otherwise.
"""

from __future__ import annotations

import json
import os
import threading
from itertools import count
from weakref import WeakSet

import durable_rules_engine as native

from engine.decide.answers import Placed
from engine.decide.compile import CompiledRuleset, Conditional, Effects, Shard
from engine.decide.inputs import Feed
from engine.decide.targets import Match, Standing
from engine.errors import EngineFault
from engine.rules.scale import Programme

_SENTINEL = "z"
_RESERVED = ("id", "sid", _SENTINEL, "$s", "$forward", "$m", "$time", "$timerName", "$baseTime")
_FACT_HEAD, _BETWEEN, _FACT_TAIL = '{"id":"x","' + _SENTINEL + '":1,"', '":1,"', '":1}'
_STATE = "0"  # the engine's name for the state of a fact without `sid`
_RETRACT = '{"id":"x"}'
_SERIAL = count()
_NOTHING = Feed(frozenset(), frozenset())
FEW = 8
"""Shards that are looked at one by one; among more of them the touched ones are looked up."""


class _Handle:
    """One shard, loaded into the engine. INVARIANT: between evaluations it holds no fact."""

    def __init__(self, shard: Shard) -> None:
        _refuse_collisions([*sorted(shard.literals), *(rule.name for rule in shard.rules)])
        self._effects = {rule.name: rule.effects for rule in shard.rules}
        definition = {rule.name: _flat(rule.literals) for rule in shard.rules}
        definition[_SENTINEL] = _flat((_SENTINEL,))
        self._steps = len(definition)
        self._fired = False  # `delete_state` on a state in which no rule ever fired crashes the process
        self._id = native.create_ruleset(f"shard{next(_SERIAL)}", json.dumps(definition))

    def fire(self, literals: frozenset[str]) -> list[Effects]:
        """What follows from these literals, which are one or more. Raises EngineFault on any deviation."""
        handle = self._id
        names: list[str] = []
        self._fired = False
        code, state = native.assert_fact(handle, _FACT_HEAD + _BETWEEN.join(sorted(literals)) + _FACT_TAIL)
        if code != 0:
            raise EngineFault(f"the engine answered a fact with code {code}")
        action = native.start_action_for_state(handle, state)
        text = action[1] if action is not None else None
        while text is not None:
            names.append(text[2 : text.index('"', 2)])
            if len(names) > self._steps:
                native.abandon_action(handle, state)
                raise EngineFault("the engine fired more rules than it has")
            text = native.complete_and_start_action(handle, state)
        native.retract_fact(handle, _RETRACT)
        self._fired = bool(names)
        if names.count(_SENTINEL) != 1:
            raise EngineFault("the sentinel rule did not fire exactly once")
        names.remove(_SENTINEL)
        if len(set(names)) != len(names) or not self._effects.keys() >= set(names):
            raise EngineFault("a rule fired twice, or one that does not exist")
        return [self._effects[name] for name in names]

    def free(self) -> None:
        """Gives the handle's memory back, and the live state's too where the engine can be trusted with that."""
        if self._fired:
            native.delete_state(self._id, _STATE)
        native.delete_ruleset(self._id)


class Rete:
    """The inference network of one ruleset as a Matcher. Safe to share between threads."""

    def __init__(self, compiled: CompiledRuleset) -> None:
        self._compiled = compiled
        self._lock = threading.Lock()
        self._handles: dict[int, _Handle] = {}
        self._levels = [_Level(shards) for shards in compiled.network.levels]
        self.faults = 0
        """How often the engine deviated and was rebuilt."""
        with self._lock:
            for level in self._levels:
                for shard in level.shards:
                    self._load(shard).fire(shard.literals)
        _EVERY.add(self)

    def close(self) -> None:
        """Frees the engine's memory: a loaded network keeps more than a megabyte. A later match loads it again."""
        with self._lock:
            for handle in self._handles.values():
                handle.free()
            self._handles = {}

    def forked(self) -> None:
        """In a child process: the handles of its parent are not to be touched, and its lock may be held for ever."""
        self._lock = threading.Lock()
        self._handles = {}

    def session(self, placed: Placed) -> ReteSession:
        return ReteSession(self, self._compiled, placed)

    def run(self, literals: frozenset[str]) -> list[Effects]:
        """What follows when these literals hold. Raises EngineFault on any deviation of the engine."""
        found = [self._compiled.network.always]
        with self._lock:
            for level in self._levels:
                for shard in level.touched(literals):
                    handle = self._handles.get(id(shard)) or self._load(shard)
                    found += self._fire(shard, handle, shard.literals & literals)
                if level is not self._levels[-1]:
                    literals = literals.union(*[effects.literals for effects in found])
        return found

    def _load(self, shard: Shard) -> _Handle:
        handle = self._handles[id(shard)] = _Handle(shard)
        return handle

    def _fire(self, shard: Shard, handle: _Handle, literals: frozenset[str]) -> list[Effects]:
        try:
            return handle.fire(literals)
        except Exception as error:
            self.faults += 1
            del self._handles[id(shard)]
            handle.free()
            if isinstance(error, EngineFault):
                raise
            # The engine's own text may carry the fact, so only the kind of error leaves this file.
            raise EngineFault(f"the engine failed with {type(error).__name__}") from None


_EVERY: WeakSet[Rete] = WeakSet()


def _forked() -> None:
    for rete in _EVERY:
        rete.forked()


os.register_at_fork(after_in_child=_forked)  # to ask for the process at each evaluation would cost a system call


class _Level:
    """The shards of one level, by what triggers them."""

    def __init__(self, shards: tuple[Shard, ...]) -> None:
        self.shards = shards
        by_trigger: dict[str, set[int]] = {}
        for number, shard in enumerate(shards):
            for literal in shard.triggers:
                by_trigger.setdefault(literal, set()).add(number)
        self._by_trigger = {literal: frozenset(numbers) for literal, numbers in by_trigger.items()}
        self._triggers = frozenset(by_trigger)

    def touched(self, literals: frozenset[str]) -> list[Shard]:
        """The shards in which a rule can fire."""
        if len(self.shards) <= FEW:
            return [shard for shard in self.shards if not shard.triggers.isdisjoint(literals)]
        numbers: set[int] = set()
        numbers.update(*map(self._by_trigger.__getitem__, self._triggers & literals))
        return [self.shards[number] for number in sorted(numbers)]


class ReteSession:
    """The network at work on one patient's answers. The second pass runs only when it can differ from the first."""

    def __init__(self, rete: Rete, compiled: CompiledRuleset, placed: Placed) -> None:
        self._compiled = compiled
        feed = compiled.inputs.answers(placed)
        self._certain = self._possible = rete.run(feed.certain)
        if feed.certain is not feed.possible and feed.certain != feed.possible:
            self._possible = rete.run(feed.possible)
        self._standing = _NOTHING

    def rules(self) -> Match:
        certain = _NOTHING.certain.union(*[each.rules for each in self._certain])
        if self._certain is self._possible:
            return Match(certain, certain)
        return Match(certain, certain.union(*[each.rules for each in self._possible]))

    def programme(self, standing: Standing) -> Match:
        feed = self._standing = self._compiled.inputs.standing(standing)
        inverted = self._compiled.inverted_rows
        certain = _held([each.rows for each in self._certain], feed.certain)
        if self._certain is self._possible and feed.certain is feed.possible:
            return _settled(certain, inverted)
        return _open(certain, _held([each.rows for each in self._possible], feed.possible), inverted)

    def texts(self, standing: Standing, programmes: frozenset[Programme]) -> Match:
        feed, inverted = self._compiled.inputs.programmes(programmes), self._compiled.inverted_texts
        certain = _held([each.texts for each in self._certain], self._standing.certain | feed.certain)
        settled = self._standing.certain is self._standing.possible and feed.certain is feed.possible
        if self._certain is self._possible and settled:
            return _settled(certain, inverted)
        possible = _held([each.texts for each in self._possible], self._standing.possible | feed.possible)
        return _open(certain, possible, inverted)


def _held(fired: list[Conditional], standing: frozenset[str]) -> frozenset[str]:
    """Of what fired that of which the literals on earlier stages hold too."""
    return _NOTHING.certain.union(*[names for some in fired for needs, names in some if needs <= standing])


def _settled(fired: frozenset[str], inverted: frozenset[str]) -> Match:
    """What holds where everything is certain: what fired, and of the inverted what did not."""
    holds = fired ^ inverted
    return Match(holds, holds)


def _open(certain: frozenset[str], possible: frozenset[str], inverted: frozenset[str]) -> Match:
    """An inverted condition is certain where it could not be that it does not hold, and the other way round."""
    return Match((certain - inverted) | (inverted - possible), (possible - inverted) | (inverted - certain))


def _flat(literals: tuple[str, ...]) -> dict[str, object]:
    """One flat conjunction."""
    return {"all": [{"m": {"$and": [{key: 1} for key in literals]}}]}


def _refuse_collisions(names: list[str]) -> None:
    seen: dict[int, str] = {}
    for name in [*_RESERVED, *names]:
        other = seen.setdefault(_fnv1a(name), name)
        if other != name:
            raise EngineFault(f"the engine cannot tell `{name}` from `{other}`")


def _fnv1a(text: str) -> int:
    """32-bit FNV-1a, by which the engine compares names."""
    value = 2166136261
    for byte in text.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value
