"""What must hold for every patient of every shipped ruleset, tried on seeded random patients.

Each test also counts what it tried, so that it cannot pass on patients who make no difference.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter

import pytest

from engine.decide.answers import Given
from engine.decide.canonical import decision_digest, outcome_bytes
from engine.decide.direct import FALSE, Reading
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError
from engine.rules import document
from engine.rules.load import build
from engine.rules.model import NO, NOTHING, YES, QuestionType
from engine.rules.scale import Disposition
from engine.rules.source import Source
from tests.clinical.patients import RULESETS, UNKNOWN, evaluator, partial, patient, span, telling_values

NAMES = sorted(path.parent.name for path in RULESETS.glob("*/ruleset.yaml"))
LARGEST = "low_back_pain"
RUNS = [
    pytest.param(name, size, id=f"{name}-{speed}", marks=marks)
    for name in NAMES
    for speed, size, marks in (
        ("fast", 12 if name == LARGEST else 50, ()),
        ("slow", 300 if name == LARGEST else 200, pytest.mark.slow),
    )
]
"""Each ruleset with a number of patients; of a small ruleset more fit into the same time."""
SEED = int(os.environ.get("PLUIS_SEED", "11"))


def exempt(kind: str, name: str) -> set[str]:
    """Questions that the ruleset's claims leave out of a property, each with its author's reason."""
    claims = evaluator(name).checked.ruleset.claims.values()
    return {question for claim in claims if claim.kind == kind for question in claim.exempt}


@pytest.mark.parametrize(("name", "size"), RUNS)
def test_no_answer_from_no_to_yes_lowers_the_disposition(name: str, size: int) -> None:
    rng = random.Random(SEED)
    ruleset = evaluator(name).checked.ruleset
    left_out = exempt("monotone", name) | {each.id for each in ruleset.questions.values() if each.yes_is_good}
    raised = Counter[str]()
    for _ in range(size):
        answers = patient(rng, name) if rng.random() < 0.5 else partial(rng, name)
        for question in ruleset.questions.values():
            if question.type is not QuestionType.YES_NO or question.id in left_out:
                continue
            denied = span(answers | {question.id: Given(QuestionType.YES_NO, NO)}, name)
            said = span(answers | {question.id: Given(QuestionType.YES_NO, YES)}, name)
            if denied and said:
                assert said[0] >= denied[0], f"{question.id}: {answers}"
                assert said[1] >= denied[1], f"{question.id}: {answers}"
                raised["yes" if said > denied else "same"] += 1
    assert raised["yes"] > size


def test_the_monotone_exemption_is_needed() -> None:
    """S20: long-standing claudication explains numb legs, so its yes may lower; nothing else is exempt."""
    assert {name: exempt("monotone", name) for name in NAMES if exempt("monotone", name)} == {
        LARGEST: {"walking_claudication"}
    }


@pytest.mark.parametrize(("name", "size"), RUNS)
def test_unknown_is_never_milder_than_no_or_the_mildest_value(name: str, size: int) -> None:
    rng = random.Random(SEED + 1)
    ruleset = evaluator(name).checked.ruleset
    left_out = exempt("unknown_never_milder", name)
    seen = Counter[Disposition]()
    for _ in range(max(10, size // 6)):
        answers = patient(rng, name) if rng.random() < 0.5 else partial(rng, name)
        for question in ruleset.questions.values():
            if question.id in left_out:
                continue
            unknown = span(answers | {question.id: UNKNOWN}, name)
            if unknown is None:
                continue
            seen[unknown[0]] += 1
            for mild in _mildest(question.id, name):
                spans = [each for each in (span(answers | {question.id: value}, name) for value in mild) if each]
                if spans:
                    assert unknown[0] >= min(each[0] for each in spans), f"{question.id}: {answers}"
    assert len(seen) >= (len(Disposition) if name == LARGEST else len(Disposition) - 1)


def _mildest(question: str, name: str) -> list[tuple[Given, ...]]:
    """What unknown is held against: no, or none, or else the mildest of all values."""
    values = telling_values(name)[question]
    denied = [each for each in values if each.value in (NO, NOTHING)]
    return [(each,) for each in denied] if denied else [values]


@pytest.mark.parametrize(("name", "size"), RUNS)
def test_a_completion_never_leaves_floor_and_ceiling(name: str, size: int) -> None:
    """A settled decision of a partial record stands whatever applicable answers follow: it is never too mild."""
    rng = random.Random(SEED + 2)
    settled = Counter[Disposition]()
    for _ in range(size * 3):
        answers = partial(rng, name)
        before = span(answers, name)
        if before is None:
            continue
        completed = _complete(rng, dict(answers), name)
        after = span(completed, name)
        if after is None:
            continue
        assert after[0] is after[1], f"complete but open: {completed}"
        assert before[0] <= after[0] <= before[1], f"{answers} became {completed}"
        if before[0] is before[1]:
            settled[before[0]] += 1
    assert len(settled) >= 4


def _complete(rng: random.Random, answers: dict[str, Given], name: str) -> dict[str, Given]:
    """Answers to every question that is certainly applicable by then, in random order."""
    each = evaluator(name)
    pending = [question for question in each.checked.ruleset.questions if question not in answers]
    rng.shuffle(pending)
    progress = True
    while progress:
        progress = False
        for question in list(pending):
            try:
                reading = Reading(each.checked.ruleset, each.read(answers))
            except AnswersError:
                return answers
            if not reading.asked(question) & FALSE:
                chance = rng.random()
                values = telling_values(name)[question]
                answers[question] = UNKNOWN if chance < 0.2 else values[0] if chance < 0.6 else rng.choice(values)
                pending.remove(question)
                progress = True
    return answers


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_answers_changes_nothing(name: str) -> None:
    rng = random.Random(SEED + 3)
    each = evaluator(name)
    for _ in range(40):
        answers = partial(rng, name)
        if span(answers, name) is None:
            continue
        items = list(answers.items())
        rng.shuffle(items)
        one = outcome_bytes(each.checked, each.evaluate(each.read(answers)).outcome)
        assert one == outcome_bytes(each.checked, each.evaluate(each.read(dict(items))).outcome)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_rules_changes_nothing(name: str) -> None:
    rng = random.Random(SEED + 4)
    folder = RULESETS / name
    sources = {
        path.name: Source(path.name, path.read_text()) for path in folder.glob("*.yaml") if path.name != "cases.yaml"
    }
    node, _ = document.read(sources["ruleset.yaml"])
    assert node is not None
    content = document.plain(node)
    assert isinstance(content, dict)
    for section in ("rules", "findings", "evidence", "refuse"):
        items = list(content[section].items())
        rng.shuffle(items)
        content[section] = dict(items)
    checked, problems = build(sources | {"ruleset.yaml": Source("ruleset.yaml", json.dumps(content))})
    assert checked is not None, problems.render()
    assert checked.digest == evaluator(name).checked.digest
    shuffled = Evaluator(checked)
    for _ in range(60):
        answers = partial(rng, name)
        if span(answers, name) is None:
            continue
        one, other = evaluator(name), shuffled
        assert outcome_bytes(one.checked, one.evaluate(one.read(answers)).outcome) == outcome_bytes(
            other.checked, other.evaluate(other.read(answers)).outcome
        )


_DIGESTS = """
import random
import sys
from engine.decide.canonical import decision_digest
from engine.errors import AnswersError
from tests.clinical.patients import evaluator, partial
rng, name = random.Random(5), sys.argv[1]
each = evaluator(name)
for _ in range(40):
    try:
        answers = each.read(partial(rng, name))
    except AnswersError:
        continue
    print(decision_digest(each.checked, each.evaluate(answers).outcome))
"""


@pytest.mark.slow
def test_the_same_bytes_in_every_process_and_for_every_hash_seed() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", _DIGESTS, LARGEST],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=RULESETS.parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(outputs) == 1
    assert len(outputs.pop().split()) > 20


def test_the_digest_is_of_the_bytes_and_knows_the_ruleset() -> None:
    each = evaluator()
    outcome = each.evaluate(each.read({})).outcome
    assert each.checked.digest in outcome_bytes(each.checked, outcome).decode()
    assert len(decision_digest(each.checked, outcome)) == 64
