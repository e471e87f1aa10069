"""Seeded random rulesets for the prover: those that the evaluators are tried on, with everything that can be claimed.

`rich_content` adds what an encoding may get wrong and two evaluators need not be asked: refusals, calls, guidance,
hidden kinds of advice, a safety net with conditions. `tiny_content` is small enough to try every patient there is.
"""

from __future__ import annotations

import copy
import random
from typing import Any

from engine.rules.scale import Call
from tests.decide.generate import DISPOSITIONS, PROGRAMMES, Content, condition, leaf, ruleset_content

KINDS = ("reassurance", "activity", "information", "referral")
CALLS = tuple(Call.words())


def rich_content(rng: random.Random) -> Content:
    """The content of a random ruleset that uses every construct which a decision can depend on."""
    return _enriched(rng, ruleset_content(rng))


def tiny_content(rng: random.Random) -> Content:
    """The content of a random ruleset with three or four questions, of which at most one takes a number."""
    questions: Content = {}
    number = rng.choice(("integer", "decimal", "yes_no"))
    kinds = [number, *(rng.choice(("yes_no", "yes_no", "choice", "several")) for _ in range(rng.randint(2, 3)))]
    rng.shuffle(kinds)
    for index, kind in enumerate(kinds):
        questions[f"q{index}"] = _tiny_question(rng, kind, questions)
    findings: Content = {"f0": condition(rng, questions, 1)}
    findings["f1"] = condition(rng, questions, 1, ["f0"])
    content = ruleset_content(rng)
    rules = {
        f"R{index:02}": rule | {"when": condition(rng, questions, rng.randint(0, 2), list(findings))}
        for index, rule in enumerate(list(content["rules"].values())[: rng.randint(2, 4)])
    }
    if number != "yes_no" and rng.random() < 0.4:
        # the same bound twice, the second time perhaps where it can make no difference
        measured = next(name for name, each in questions.items() if each["type"] == number)
        low, high = rng.randint(2, 18), rng.randint(2, 18)
        rules["R00"]["when"] = {measured: {"at_least": low}}
        rules["R01"]["when"] = {"all": [{measured: {"at_least": low}}, {measured: {"at_most": high}}]}
    rows = [
        {
            "id": f"P{index}",
            "when": _decided(rng, questions),
            "then": rng.choice(PROGRAMMES),
            "when_unknown": rng.choice(("applies", "skips")),
            "because": "some_reason",
        }
        for index in range(rng.randint(0, 2))
    ]
    content |= {"groups": {"g0": {}}, "questions": questions, "findings": findings, "rules": rules}
    content["programme"] = [*rows, content["programme"][-1]]
    content["advice"] = {
        "ADV-0": {"kind": "information", "contradicts": ["ADV-1"]} | _sometimes(rng, questions),
        "ADV-1": {"kind": "referral"} | _sometimes(rng, questions),
    }
    return _enriched(rng, content)


def _tiny_question(rng: random.Random, kind: str, earlier: Content) -> Content:
    question: Content = {"type": kind}
    if kind in ("integer", "decimal"):
        question |= {"range": [0, 20], "unit": "points"}
    elif kind in ("choice", "several"):
        question["options"] = ["none", "small", "large"] if kind == "choice" else ["small", "large"]
    elif rng.random() < 0.2:
        question["yes_is_good"] = "yes"
    ungated = {key: each for key, each in earlier.items() if "asked_when" not in each}
    if ungated and rng.random() < 0.4:
        question["asked_when"] = condition(rng, ungated, depth=rng.randint(0, 1))
    return question


def _enriched(rng: random.Random, content: Content) -> Content:
    """The same ruleset with calls, hours, guidance, refusals, policies and a safety net as people need them."""
    for rule in content["rules"].values():
        then = rule["then"] | {"call": rng.choice(CALLS)}
        if rng.random() < 0.2:
            then.pop("within_hours")
        if rng.random() < 0.4:
            then["guidance"] = rng.choice(("offered", "recommended"))
        rule["then"] = then
    questions = content["questions"]
    for item in content["advice"].values():
        item["kind"] = rng.choice(KINDS)
    content["advice_policies"] = {
        "A0": {"kinds": ["reassurance", "activity"], "hide_when": {"disposition": {"at_least": "gp_within_days"}}},
        "A1": {"kinds": ["information"], "hide_when": _decided(rng, questions)},
    }
    content["safety_net"] = {"SN-0": {}, "SN-1": {"when": _decided(rng, questions)}}
    content["refuse"] = {f"clash_{index}": _refusal(rng, questions) for index in range(rng.choice((0, 1, 1, 2)))}
    return content


def _decided(rng: random.Random, questions: Content) -> Content:
    """What a row or a text may ask: the disposition, or the answers."""
    if rng.random() < 0.5:
        return {"disposition": {"at_least": rng.choice(DISPOSITIONS[1:])}}
    return condition(rng, questions, rng.randint(0, 1))


def _sometimes(rng: random.Random, questions: Content) -> Content:
    found: Content = {}
    if rng.random() < 0.8:
        found["when"] = _decided(rng, questions)
    if rng.random() < 0.5:
        found["hide_when"] = _decided(rng, questions)
    return found


def _refusal(rng: random.Random, questions: Content) -> Content:
    numbers = [name for name, each in questions.items() if each["type"] in ("integer", "decimal")]
    if len(numbers) > 1 and rng.random() < 0.6:
        one, other = rng.sample(numbers, 2)
        bound: Any = {"answer": other}
        if rng.random() < 0.5:
            times = rng.choice((2, -1, "0.5"))
            bound = {"sum": [{"answer": other, "times": times}, rng.choice((12, "7.5"))]}
        return {one: {rng.choice(("above", "below", "at_least", "at_most")): bound}}
    return {"all": [leaf(rng, questions, []) for _ in range(2)]}


def other_version(rng: random.Random, content: Content) -> Content:
    """Another version of a ruleset: a disposition, a condition and perhaps a question are not what they were."""
    other = copy.deepcopy(content)
    for rule in rng.sample(list(other["rules"].values()), 2):
        roll = rng.random()
        if roll < 0.3:
            rule["then"]["within_hours"] = rng.randint(1, 99)
        elif roll < 0.6:
            rule["then"]["disposition"] = rng.choice(DISPOSITIONS[1:])
        else:
            rule["when"] = condition(rng, other["questions"], 1, list(other["findings"]))
    if rng.random() < 0.5:
        # a unit that changed makes it another question, a wider range does not
        numbers = [each for each in other["questions"].values() if "unit" in each]
        if numbers:
            rng.choice(numbers).update(rng.choice(({"unit": "marks"}, {"range": [0, 25]})))
    return other
