"""enableWhen out of conditions of every form: random ones, held against what the conditions mean."""

from __future__ import annotations

import json
import random
from decimal import Decimal

import pytest

from engine.decide.answers import Given, given
from engine.decide.direct import FALSE, TRUE, Reading
from engine.errors import AnswersError
from engine.rules.condition import (
    All,
    Answered,
    AnyOf,
    Compare,
    Condition,
    Count,
    FindingIs,
    Not,
    Operator,
    Surely,
    Unknown,
    Unless,
)
from engine.rules.model import QuestionType
from engine.serve.fhir.enabling import Gates, enable_when, number
from engine.serve.fhir.names import Codes
from tests.serve.fhir.conftest import BASE, form, shelf_of
from tests.serve.fhir.written import enabled, respond

SERVED = shelf_of("small").served("small")
RULESET = SERVED.evaluator.checked.ruleset
GATES = Gates(RULESET, Codes(BASE, "small"))
BOUNDS = [each for each in Operator if each is not Operator.IN]


def condition(rng: random.Random, depth: int) -> Condition:
    """A condition over the questions of the small ruleset."""
    if depth == 0 or rng.random() < 0.2:
        return leaf(rng)
    members = tuple(condition(rng, depth - 1) for _ in range(rng.randint(1, 3)))
    match rng.randrange(6):
        case 0:
            return All(members)
        case 1:
            return AnyOf(members)
        case 2:
            return Count(rng.randint(1, len(members)), members)
        case 3:
            return Not(members[0])
        case 4:
            return Unless(members[0])
        case _:
            return Surely(members[0])


def leaf(rng: random.Random) -> Condition:
    question = rng.choice([*RULESET.questions.values()])
    match rng.randrange(8):
        case 0:
            return Answered(question.id)
        case 1:
            return Unknown(question.id)
        case 2:
            return FindingIs("fracture_risk")
    if not question.type.is_number:
        options = rng.sample(question.options, rng.randint(1, len(question.options) - 1))
        return Compare(question.id, Operator.IN, tuple(options))
    number = rng.choice((1, 3, 60))
    bound = number if question.type is QuestionType.INTEGER else Decimal(number)
    return Compare(question.id, rng.choice([*BOUNDS, Operator.IN]), (bound,))


def answers(rng: random.Random) -> tuple[dict[str, Given], tuple[str, ...]]:
    found: dict[str, Given] = {}
    for question in RULESET.questions.values():
        state = rng.random()
        if state < 0.3:
            continue
        if state < 0.5:
            found[question.id] = Given(None)
        elif question.type is QuestionType.SEVERAL:
            found[question.id] = Given(question.type, tuple(rng.sample(question.options, rng.randint(1, 2))))
        elif question.type is QuestionType.INTEGER:
            found[question.id] = Given(question.type, rng.choice((0, 1, 2, 3, 4, 59, 60, 61)))
        elif question.type is QuestionType.DECIMAL:
            found[question.id] = Given(question.type, Decimal(rng.choice(("0", "0.9", "1", "2.9", "3", "3.1", "60"))))
        else:
            found[question.id] = Given(question.type, rng.choice(question.options))
    return found, ("flags",) if rng.random() < 0.4 else ()


def test_what_is_asked_is_enabled_whatever_the_condition() -> None:
    rng = random.Random(11)
    base = form("small")
    shown = hidden = 0
    for _ in range(800):
        asked_when = condition(rng, 3)
        members, left = enable_when(GATES.holds(asked_when))
        inner, _ = enable_when(left)
        extra = {
            "linkId": "gated",
            "type": "group",
            "item": [{"linkId": "inside", "type": "string", **inner}],
            **members,
        }
        gated = base | {"item": [*base["item"], extra]}
        for _ in range(4):
            given_, none_of = answers(rng)
            try:
                typed = SERVED.evaluator.read(given_, none_of)
            except AnswersError:
                continue
            outcomes = Reading(RULESET, typed).outcomes(asked_when)
            found = "inside" in enabled(gated, respond(base, given_, none_of))
            assert found or outcomes & FALSE, (asked_when, given_, none_of)
            shown += found and outcomes == TRUE
            hidden += not found
    assert shown > 200
    assert hidden > 200


def test_what_fits_is_said_exactly() -> None:
    """With every question answered and a condition of one level, an item is enabled just when it is asked."""
    rng = random.Random(12)
    base = form("small")
    whole = {
        "age": given("60"), "onset": given("40"), "weeks": Given(QuestionType.DECIMAL, Decimal(3)),
        "wants": Given(QuestionType.SEVERAL, ("posture",)),
    }  # fmt: skip
    for _ in range(300):
        fever, trauma = rng.choice(("yes", "no")), rng.choice(("none", "minor", "major"))
        person = {**whole, "fever": given(fever), "trauma": given(trauma), "numb": given("no")}
        leaves = tuple(
            Compare(name, Operator.IN, (value,))
            for name, value in (("fever", "yes"), ("trauma", "minor"), ("numb", "no"))
        )
        bound = Compare("age", rng.choice(BOUNDS), (60,))
        forms: list[Condition] = [AnyOf(leaves), *leaves, Not(AnyOf(leaves)), bound]
        asked_when = rng.choice(forms)
        item = {"linkId": "gated", "type": "string", **enable_when(GATES.holds(asked_when))[0]}
        found = "gated" in enabled(base | {"item": [*base["item"], item]}, respond(base, person))
        outcomes = Reading(RULESET, SERVED.evaluator.read(person)).outcomes(asked_when)
        assert found is (outcomes == TRUE), (asked_when, person)


def test_numbers_keep_their_digits_or_are_refused() -> None:
    for text, shown in (("0.7", "0.7"), ("12", "12"), ("12.50", "12.5"), ("1E+2", "100")):
        assert json.dumps(number(Decimal(text))) == shown
    with pytest.raises(ValueError, match="more digits"):
        number(Decimal("0.12345678901234567890"))
