"""What Pluis relies on in durable-rules, and what it does when the engine deviates."""

from __future__ import annotations

import json
import os
import random
import threading
from collections.abc import Sequence
from itertools import combinations, pairwise

import durable_rules_engine as native
import pytest

from engine.decide import rete
from engine.decide.answers import Answers, Order, Placed
from engine.decide.compile import MAX_SHARD_LITERALS, MAX_SHARD_RULES, Effects, FlatRule, Shard, compile_ruleset
from engine.decide.evaluate import Evaluator
from engine.errors import EngineFault
from tests.decide.generate import Content, answer_texts, as_given, load_content, ruleset_content, small_content

YES_NO = {"type": "yes_no"}


def one_question(when: Content | None = None) -> Evaluator:
    return Evaluator(load_content(small_content({"q0": YES_NO, "q1": YES_NO}, when or {"q0": "yes"})))


def flat(number: int, literals: Sequence[str]) -> FlatRule:
    return FlatRule(f"r{number}", tuple(literals), Effects(frozenset({f"Rr{number}"})))


def test_flat_rules_fire_exactly_where_their_literals_hold() -> None:
    rng = random.Random(9)
    keys = [f"a{number}" for number in range(40)]
    rules = tuple(flat(number, sorted(rng.sample(keys, rng.randint(1, 8)))) for number in range(120))
    handle = rete._Handle(Shard(rules, frozenset(keys), frozenset(keys)))
    for _ in range(300):
        held = frozenset(key for key in keys if rng.random() < rng.choice((0.05, 0.5, 1.0))) | {keys[0]}
        fired = {target for effects in handle.fire(held) for target in effects.rules}
        assert fired == {f"R{rule.name}" for rule in rules if held.issuperset(rule.literals)}
    handle.free()


def test_a_handle_at_its_limits_still_answers() -> None:
    keys = [f"a{number}" for number in range(MAX_SHARD_LITERALS)]
    pairs = list(combinations(keys, 2))[:MAX_SHARD_RULES]
    rules = tuple(flat(number, pair) for number, pair in enumerate(pairs))
    handle = rete._Handle(Shard(rules, frozenset(keys), frozenset(keys)))
    assert len(handle.fire(frozenset(keys))) == len(rules)
    assert handle.fire(frozenset(keys[:1])) == []
    handle.free()


def test_past_the_limit_the_engine_refuses_the_fact_and_there_is_no_answer() -> None:
    keys = [f"a{number}" for number in range(120)]
    rules = tuple(flat(number, pair) for number, pair in enumerate(pairwise(keys)))
    handle = rete._Handle(Shard(rules, frozenset(keys), frozenset(keys)))
    with pytest.raises(native.error, match="303"):
        handle.fire(frozenset(keys))


def test_every_shard_stays_within_the_limits_however_large_the_rule() -> None:
    questions = {f"q{number}": YES_NO for number in range(30)}
    leaves = [{name: "yes"} for name in questions]
    wide = {"count": {"at_least": 12, "of": leaves}}
    product = {"all": [{"any": leaves[start : start + 5]} for start in range(0, 30, 5)]}
    evaluator = Evaluator(load_content(small_content(questions, {"any": [wide, product, {"unless": wide}]})))
    levels = evaluator.compiled.network.levels
    assert len(levels) > 1
    for level in levels:
        for shard in level:
            assert len(shard.rules) <= MAX_SHARD_RULES
            assert len(shard.literals) <= MAX_SHARD_LITERALS
    rng = random.Random(4)
    for _ in range(200):
        evaluator.evaluate(evaluator.read(as_given(answer_texts(rng, questions))))


def test_one_conjunction_of_fifty_leaves_is_split() -> None:
    questions = {f"q{number}": YES_NO for number in range(80)}
    evaluator = Evaluator(load_content(small_content(questions, {"all": [{name: "yes"} for name in questions]})))
    said = dict.fromkeys(questions, "yes")
    assert evaluator.evaluate(evaluator.read(as_given(said))).outcome.rules == ("R00",)
    assert evaluator.evaluate(evaluator.read(as_given(said | {"q41": "no"}))).outcome.rules == ("D00",)


def test_names_that_the_engine_cannot_tell_apart_are_refused() -> None:
    assert rete._fnv1a("p2039599") == rete._fnv1a("p2222382")  # the colliding pair that the study of the engine found
    with pytest.raises(EngineFault, match="cannot tell"):
        rete._refuse_collisions(["p2039599", "p2222382"])
    rete._refuse_collisions(["p2039599", "a0", "r0"])


class Stub:
    """Stands in for the native module and deviates in one way."""

    def __init__(self, **changes: object) -> None:
        self._changes = changes

    def __getattr__(self, name: str) -> object:
        return self._changes.get(name) or getattr(native, name)


def forever(handle: int, state: int) -> str:
    """Reports the sentinel again and again, as an engine that loops would."""
    return '{"z":{}}'


DEVIATIONS = {
    "error code": {"assert_fact": lambda *_: (1, 0)},
    "nothing fires": {"start_action_for_state": lambda *_: None},
    "endless": {"complete_and_start_action": forever},
    "unknown rule": {"start_action_for_state": lambda *_: ("", '{"r999":{}}')},
}


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=str)
def test_after_a_deviation_there_is_no_decision_and_the_next_one_is_right(
    deviation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluator = one_question()
    answers = evaluator.read(as_given({"q0": "yes", "q1": "no"}))
    with monkeypatch.context() as patch:
        patch.setattr(rete, "native", Stub(**DEVIATIONS[deviation]))
        with pytest.raises(EngineFault):
            evaluator.evaluate(answers)
    assert evaluator.rete.faults == 1
    assert evaluator.evaluate(answers).outcome.rules == ("R00",)


def test_a_child_process_makes_engine_handles_of_its_own() -> None:
    evaluator = one_question()
    answers = evaluator.read(as_given({"q0": "yes", "q1": "no"}))
    before = set(evaluator.rete._handles.values())
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        rules = evaluator.evaluate(answers).outcome.rules
        fresh = before.isdisjoint(evaluator.rete._handles.values())
        os.write(writer, json.dumps([list(rules), fresh]).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert json.loads(os.read(reader, 1000)) == [["R00"], True]


def test_eight_threads_get_the_answers_of_one() -> None:
    rng = random.Random(6)
    content = ruleset_content(rng)
    evaluator = Evaluator(load_content(content))
    patients = [evaluator.read(as_given(answer_texts(rng, content["questions"]))) for _ in range(60)]
    expected = [evaluator.evaluate(each).outcome for each in patients]
    wrong: list[int] = []

    def work() -> None:
        wrong.extend(n for n, each in enumerate(patients) if evaluator.evaluate(each).outcome != expected[n])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_closing_frees_the_handles_and_a_later_match_loads_them_again() -> None:
    evaluator = one_question()
    answers = evaluator.read(as_given({"q0": "yes"}))
    evaluator.close()
    assert not evaluator.rete._handles
    assert evaluator.evaluate(answers).outcome.rules == ("R00",)


def test_the_second_pass_runs_only_when_something_is_missing() -> None:
    evaluator = one_question()
    runs: list[frozenset[str]] = []
    original = evaluator.rete.run

    def counted(literals: frozenset[str]) -> list[Effects]:
        runs.append(literals)
        return original(literals)

    evaluator.rete.run = counted  # type: ignore[method-assign]
    evaluator.inference.session(placed(evaluator, {"q0": "yes", "q1": "no"})).rules()
    assert len(runs) == 1
    evaluator.inference.session(placed(evaluator, {})).rules()
    assert len(runs) == 3


def test_a_shard_is_asked_only_where_one_of_its_rules_could_fire(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluator = one_question()
    asked: list[str] = []

    def counted(handle: int, fact: str) -> object:
        asked.append(fact)
        return native.assert_fact(handle, fact)

    monkeypatch.setattr(rete, "native", Stub(assert_fact=counted))
    evaluator.inference.session(placed(evaluator, {"q0": "no", "q1": "yes"})).rules()
    assert asked == []
    evaluator.inference.session(placed(evaluator, {"q0": "yes", "q1": "no"})).rules()
    assert len(asked) == 1


def placed(evaluator: Evaluator, values: dict[str, str]) -> Placed:
    return evaluator.order.place(Answers(values, frozenset()))


def test_compiling_twice_gives_the_same_network() -> None:
    checked = load_content(ruleset_content(random.Random(8)))
    order = Order(checked.ruleset.questions)
    one, other = compile_ruleset(checked, order), compile_ruleset(checked, order)
    assert one.network == other.network
