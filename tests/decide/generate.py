"""Seeded random rulesets and answers, for holding the two evaluators against each other.

A ruleset is made as the plain content of its files, so that it goes through the real loader and a failing one can be
kept as a file. Domain and words are invented.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

from engine.decide.answers import Given, given
from engine.rules.load import build
from engine.rules.model import CheckedRuleset
from engine.rules.scale import Call
from engine.rules.source import Source

DISPOSITIONS = ("self_care", "physio", "gp_within_days", "same_day_gp", "emergency")
PROGRAMMES = ("none_yet", "medical_fitness", "pilates", "either")
Content = dict[str, Any]


def ruleset_content(rng: random.Random) -> Content:
    """The content of a random `ruleset.yaml`: up to 14 questions of every type, nested conditions, all three stages."""
    groups = {f"g{number}": {} for number in range(rng.randint(1, 3))}
    questions: Content = {}
    for number in range(rng.randint(5, 14)):
        questions[f"q{number}"] = _question(rng, number, questions, groups)
    for name in groups:
        # A group's gate may only read questions that stand outside all groups, or it would be a circle.
        outside = {key: each for key, each in questions.items() if "group" not in each and "asked_when" not in each}
        if outside and rng.random() < 0.5:
            groups[name] = {"asked_when": condition(rng, outside, depth=1)}
    findings: Content = {}
    for number in range(rng.randint(0, 4)):
        findings[f"f{number}"] = condition(rng, questions, 2, list(findings))
    rules = {
        f"R{number:02}": {
            "when": condition(rng, questions, rng.randint(1, 3), list(findings)),
            "then": {"disposition": rng.choice(DISPOSITIONS[1:]), "call": "clinic", "within_hours": rng.randint(1, 99)},
            "because": "some_reason",
            "evidence": ["source"],
        }
        for number in range(rng.randint(4, 14))
    }
    return {
        "ruleset": {
            "id": "invented",
            "version": "1.0.0",
            "languages": ["nl"],
            "effective": {"from": "2020-01-01"},
            "authors": ["nobody"],
        },
        "groups": groups,
        "questions": questions,
        "findings": findings,
        "rules": rules,
        "default": {
            "id": "D00",
            "then": {"disposition": "self_care", "call": "none"},
            "because": "some_reason",
            "evidence": ["source"],
        },
        "dispositions": {name: {"valid_days": 1, "recheck_days": 1} for name in DISPOSITIONS},
        "programme": _programme(rng, questions, findings, rules),
        "advice": {
            f"ADV-{number}": _when(rng, questions, findings, rules) | {"kind": "information"}
            for number in range(rng.randint(1, 6))
        },
        "safety_net": {"SN-0": {}},
        "evidence": {"source": {"citation": "none", "strength": "policy"}},
    }


def small_content(questions: Content, when: Content, disposition: str = "physio") -> Content:
    """The content of a ruleset with these questions and one rule."""
    content = ruleset_content(random.Random(1))
    rule = next(iter(content["rules"].values())) | {"when": when}
    rule["then"] = rule["then"] | {"disposition": disposition}
    return content | {
        "groups": {},
        "questions": questions,
        "findings": {},
        "rules": {"R00": rule},
        "programme": content["programme"][-1:],
        "advice": {"ADV-0": {"kind": "information"}},
    }


def _question(rng: random.Random, number: int, earlier: Content, groups: Content) -> Content:
    kind = rng.choice(("yes_no", "yes_no", "yes_no", "integer", "decimal", "choice", "several"))
    question: Content = {"type": kind}
    if kind in ("integer", "decimal"):
        question |= {"range": [0, 20], "unit": "points"}
    if kind in ("choice", "several"):
        question["options"] = ["none", "small", "large", "huge"][: rng.randint(2, 4)]
    plain = {key: each for key, each in earlier.items() if "group" not in each}
    if number > 1 and plain and rng.random() < 0.3:
        question["asked_when"] = condition(rng, plain, depth=1)
    elif rng.random() < 0.4:
        question["group"] = rng.choice(list(groups))
    return question


def leaf(rng: random.Random, questions: Content, findings: list[str]) -> Content:
    """A comparison, a state of an answer, or a finding."""
    if findings and rng.random() < 0.2:
        return {"finding": rng.choice(findings)}
    name = rng.choice(list(questions))
    question = questions[name]
    roll = rng.random()
    if roll < 0.1:
        return {"unknown": name}
    if roll < 0.17:
        return {"answered": name}
    if question["type"] == "yes_no":
        return {name: "yes" if rng.random() < 0.8 else "no"}
    if question["type"] in ("integer", "decimal"):
        bound: int | float = rng.randint(1, 19)
        if question["type"] == "decimal" and rng.random() < 0.5:
            bound += 0.5
        operator = rng.choice(("at_least", "at_most", "above", "below", "in", "is"))
        if operator == "is":
            return {name: bound}
        return {name: {operator: sorted({bound, 3}) if operator == "in" else bound}}
    options = question["options"]
    if rng.random() < 0.5:
        return {name: rng.choice(options)}
    return {name: {"in": rng.sample(options, rng.randint(1, len(options)))}}


def condition(rng: random.Random, questions: Content, depth: int, findings: list[str] | None = None) -> Content:
    """A random condition; every construct occurs at every depth."""
    known = findings or []
    if depth == 0 or rng.random() < 0.15:
        return leaf(rng, questions, known)
    kind = rng.choice(("all", "any", "any", "count", "count", "not", "unless", "surely"))
    if kind in ("not", "unless", "surely"):
        return {kind: condition(rng, questions, depth - 1, known)}
    parts = [condition(rng, questions, depth - 1, known) for _ in range(rng.randint(2, 4 if kind != "count" else 5))]
    if kind == "count":
        return {"count": {"at_least": rng.randint(1, len(parts)), "of": parts}}
    return {kind: parts}


def _when(rng: random.Random, questions: Content, findings: Content, rules: Content) -> Content:
    when: Content = {}
    if rng.random() < 0.9:
        when["when"] = _later(rng, questions, findings, rules, programme=True)
    if rng.random() < 0.4:
        when["hide_when"] = _later(rng, questions, findings, rules, programme=True)
    return when


def _later(rng: random.Random, questions: Content, findings: Content, rules: Content, programme: bool) -> Content:
    roll = rng.random()
    if roll < 0.25:
        return {"disposition": {"at_least": rng.choice(DISPOSITIONS[1:])}}
    if roll < 0.35:
        return {"rule": rng.choice(list(rules))}
    if programme and roll < 0.5:
        return {"programme": {"in": rng.sample(PROGRAMMES, rng.randint(1, 3))}}
    if roll < 0.75:
        return condition(rng, questions, 1, list(findings))
    parts = [_later(rng, questions, findings, rules, programme) for _ in range(2)]
    return {rng.choice(("all", "any")): parts} if rng.random() < 0.7 else {"unless": parts[0]}


def _programme(rng: random.Random, questions: Content, findings: Content, rules: Content) -> list[Content]:
    rows: list[Content] = [
        {
            "id": f"P{number}",
            "when": _later(rng, questions, findings, rules, programme=False),
            "then": rng.choice(PROGRAMMES),
            "when_unknown": rng.choice(("applies", "skips")),
            "because": "some_reason",
        }
        for number in range(rng.randint(1, 5))
    ]
    return [*rows, {"id": "PLAST", "then": rng.choice(PROGRAMMES), "because": "some_reason"}]


def texts_content(content: Content) -> Content:
    """Texts in one language that are complete for this content."""
    return {
        "language": "nl",
        "ruleset": {"title": "t", "summary": "t", "intended_use": "t", "disclaimer": "t"},
        "answers": dict.fromkeys(("yes", "no", "unknown", "missing"), "t"),
        "units": {unit: unit for each in content["questions"].values() if (unit := each.get("unit"))},
        "groups": {name: {"title": "t", "none_of": "t"} for name in content["groups"]},
        "questions": {
            name: {"text": "t"} | ({"options": dict.fromkeys(each["options"], "t")} if "options" in each else {})
            for name, each in content["questions"].items()
        },
        "reasons": {"some_reason": "t"},
        "dispositions": {name: {"title": "t", "text": "t"} for name in DISPOSITIONS},
        "calls": dict.fromkeys(Call.words(), "t"),
        "guidance": {"offered": "t", "recommended": "t"},
        "programmes": dict.fromkeys(PROGRAMMES, "t"),
        "advice": dict.fromkeys(content["advice"], "t"),
        "safety_net": dict.fromkeys(content["safety_net"], "t"),
        "refuse": dict.fromkeys(content.get("refuse", {}), "t"),
    }


def load_content(content: Content) -> CheckedRuleset:
    """The content through the real loader; a problem in it is a fault of this generator."""
    sources = {
        "ruleset.yaml": Source("ruleset.yaml", json.dumps(content, indent=1)),
        "texts.nl.yaml": Source("texts.nl.yaml", json.dumps(texts_content(content))),
    }
    checked, problems = build(sources)
    if checked is None:
        raise AssertionError(problems.render())
    return checked


def answer_texts(rng: random.Random, questions: Mapping[str, Content]) -> dict[str, str | list[str]]:
    """Random answers as people write them: mostly values, some unknown, some missing."""
    missing, unknown = rng.choice(((0.0, 0.1), (0.0, 0.4), (0.25, 0.25), (0.5, 0.1), (0.8, 0.1)))
    return {
        name: "unknown" if rng.random() < unknown else _value(rng, question)
        for name, question in questions.items()
        if rng.random() >= missing
    }


def _value(rng: random.Random, question: Content) -> str | list[str]:
    match question["type"]:
        case "yes_no":
            return rng.choice(("yes", "no"))
        case "integer":
            return str(rng.randint(0, 20))
        case "decimal":
            return f"{rng.randint(0, 39) / 2}"
        case "choice":
            return str(rng.choice(question["options"]))
        case _:
            return [str(each) for each in rng.sample(question["options"], rng.randint(1, len(question["options"])))]


def as_given(texts: Mapping[str, str | list[str]]) -> dict[str, Given]:
    """The answers as the evaluator takes them."""
    return {name: given(tuple(each) if isinstance(each, list) else each) for name, each in texts.items()}
