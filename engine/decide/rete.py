"""Matcher on durable-rules: inference by its native Rete network. The only door to that library.

The library is unmaintained and gives wrong answers or crashes outside a narrow fragment, so all its quirks end here:

- an evaluation asserts ONE fact, holding only the literals that are true, each with the integer 1. Rules are flat
  positive conjunctions of `literal == 1`. The engine sees no strings, no other numbers, no negation, no `$or`, no
  chaining.
- a sentinel rule fires for every fact: it proves that the engine ran (and `delete_state` crashes where none fired).
- at most 60 literals and 200 rules per handle (past 64 pending tests a fact is refused with error 303).
- names are compared by 32-bit FNV-1a only: collisions, also with the engine's reserved words, are refused at load.
- two equal conjunctions would be two conditions behind one test path; `compile` merges them into one rule.
- the C module is not thread-safe across the calls of one evaluation: one lock per matcher. Handles do not survive fork.
- after any deviation the handle is thrown away, there is no decision, and the next evaluation builds a new one.
"""

from __future__ import annotations

import json
import os
import threading
from itertools import count

import durable_rules_engine as native

from engine.decide.answers import Answers
from engine.decide.compile import CompiledRuleset, Network, Shard
from engine.decide.literals import Feed
from engine.decide.targets import Match, Standing
from engine.errors import EngineFault
from engine.rules.scale import Programme

_SENTINEL = "z"
_RESERVED = ("id", "sid", _SENTINEL, "$s", "$forward", "$m", "$time", "$timerName", "$baseTime")
_FACT_HEAD = '{"id":"x","' + _SENTINEL + '":1'
_STATE = "0"  # the engine's name for the state of a fact without `sid`
_RETRACT = '{"id":"x"}'
_SERIAL = count()


class _Handle:
    """One shard, loaded into the engine. INVARIANT: between evaluations it holds no fact."""

    def __init__(self, shard: Shard) -> None:
        self.literals = shard.literals
        _refuse_collisions([*sorted(shard.literals), *(rule.name for rule in shard.rules)])
        self._targets = {rule.name: rule.targets for rule in shard.rules}
        self._literals_out = {rule.name: rule.literals_out for rule in shard.rules}
        self._names = frozenset(self._targets)
        definition = {rule.name: _flat(rule.literals) for rule in shard.rules}
        definition[_SENTINEL] = _flat((_SENTINEL,))
        self._steps = len(definition)
        self._fired = False  # `delete_state` on a state in which no rule ever fired crashes the process
        self._id = native.create_ruleset(f"shard{next(_SERIAL)}", json.dumps(definition))

    def fire(self, literals: frozenset[str]) -> list[str]:
        """The names of the flat rules that hold for these literals. Raises EngineFault on any deviation."""
        fact = _FACT_HEAD + "".join(f',"{key}":1' for key in sorted(literals)) + "}"
        self._fired = False
        code, state = native.assert_fact(self._id, fact)
        if code != 0:
            raise EngineFault(f"the engine answered a fact with code {code}")
        fired: list[str] = []
        action = native.start_action_for_state(self._id, state)
        text = action[1] if action is not None else None
        while text is not None:
            fired.append(text[2 : text.index('"', 2)])
            if len(fired) > self._steps:
                native.abandon_action(self._id, state)
                raise EngineFault("the engine fired more rules than it has")
            text = native.complete_and_start_action(self._id, state)
        native.retract_fact(self._id, _RETRACT)
        self._fired = bool(fired)
        if fired.count(_SENTINEL) != 1:
            raise EngineFault("the sentinel rule did not fire exactly once")
        fired.remove(_SENTINEL)
        if len(set(fired)) != len(fired) or not self._names.issuperset(fired):
            raise EngineFault("a rule fired twice, or one that does not exist")
        return fired

    def targets(self, name: str) -> frozenset[str]:
        return self._targets[name]

    def literals_out(self, name: str) -> frozenset[str]:
        return self._literals_out[name]

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
        self._pid = -1
        self._handles: dict[int, _Handle] = {}
        self.faults = 0
        """How often the engine deviated and was rebuilt."""
        for network in (compiled.rules, compiled.programme, compiled.texts):
            self._run(network, frozenset())

    def close(self) -> None:
        """Frees the engine's memory: a loaded network keeps more than a megabyte. A later match loads it again."""
        with self._lock:
            if self._pid == os.getpid():
                for handle in self._handles.values():
                    handle.free()
            self._handles = {}

    def session(self, answers: Answers) -> ReteSession:
        return ReteSession(self, self._compiled, answers)

    def match(self, network: Network, feed: Feed) -> Match:
        """The targets of the network that are certain and possible. The second pass runs only when they can differ."""
        certain = self._run(network, feed.certain)
        possible = certain if feed.possible == feed.certain else self._run(network, feed.possible)
        return Match(certain, possible)

    def _run(self, network: Network, literals: frozenset[str]) -> frozenset[str]:
        held = set(literals)
        true: set[str] = set()
        with self._lock:
            if self._pid != os.getpid():
                self._handles, self._pid = {}, os.getpid()
            for level in network.levels:
                for shard in level:
                    handle = self._handles.get(id(shard)) or self._load(shard)
                    for name in self._fire(shard, handle, handle.literals & held):
                        true |= handle.targets(name)
                        held |= handle.literals_out(name)
        return frozenset(true)

    def _load(self, shard: Shard) -> _Handle:
        handle = self._handles[id(shard)] = _Handle(shard)
        return handle

    def _fire(self, shard: Shard, handle: _Handle, literals: frozenset[str]) -> list[str]:
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


class ReteSession:
    """The network at work on one patient's answers."""

    def __init__(self, rete: Rete, compiled: CompiledRuleset, answers: Answers) -> None:
        self._rete = rete
        self._compiled = compiled
        self._answers = compiled.inputs.answers(answers)

    def rules(self) -> Match:
        return self._rete.match(self._compiled.rules, self._answers)

    def programme(self, standing: Standing) -> Match:
        return self._rete.match(self._compiled.programme, self._with(standing, frozenset()))

    def texts(self, standing: Standing, programmes: frozenset[Programme]) -> Match:
        return self._rete.match(self._compiled.texts, self._with(standing, programmes))

    def _with(self, standing: Standing, programmes: frozenset[Programme]) -> Feed:
        more = self._compiled.inputs.standing(standing, programmes)
        return Feed(self._answers.certain | more.certain, self._answers.possible | more.possible)


def _flat(literals: tuple[str, ...]) -> dict[str, object]:
    """One flat conjunction. `$and` of nothing would make the engine loop for ever: the sentinel stands in."""
    return {"all": [{"m": {"$and": [{key: 1} for key in literals or (_SENTINEL,)]}}]}


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
