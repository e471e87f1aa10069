"""What a QuestionnaireResponse may not say: each mistake is told with its place, all at once; nothing is decided."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from decimal import Decimal
from typing import Any

import fhirkit
import pytest

from engine.decide.answers import Given, given
from engine.errors import AnswersError
from engine.pb.v1 import triage_pb2 as pb
from engine.serve.fhir.answers import Read, read_response
from engine.serve.fhir.names import UNKNOWN
from engine.serve.fhir.triage import Desk
from engine.serve.registry import NotServed
from tests.serve.fhir.conftest import BASE, TODAY, form, shelf_of
from tests.serve.fhir.written import respond

PERSON = "7f3c1e52-9d04-4b6a-8f21-0c5d7e9ab134"
YES = {"system": f"{BASE}/CodeSystem/answer", "code": "yes"}
SEVERAL = given(("strength", "posture"))
EVERYTHING = {
    "age": given("40"),
    "weeks": Given(given("0.5").kind, Decimal("0.50")),
    "onset": Given(None),
    "numb": given("no"),
    "wants": SEVERAL,
}


def read(response: dict[str, Any]) -> Read:
    shelf = shelf_of("small")
    return read_response(response, shelf.served("small"), "nl", BASE, shelf.config)


def item(response: dict[str, Any], link: str) -> dict[str, Any]:
    """The item with a linkId, wherever it stands."""
    waiting = [*response["item"]]
    for each in waiting:
        if each["linkId"] == link:
            found: dict[str, Any] = each  # itself, so that a test may change it
            return found
        waiting.extend(each.get("item", ()))
    raise AssertionError(link)


def test_every_kind_of_answer_is_read() -> None:
    request = read(respond(form("small"), EVERYTHING, ("flags",))).request
    assert dict(request.answers) == {
        "age": pb.Answer(integer=40),
        "weeks": pb.Answer(decimal="0.5"),
        "onset": pb.Answer(unknown=pb.Unknown()),
        "numb": pb.Answer(yes_no=pb.YES_NO_NO),
        "wants": pb.Answer(several=pb.Options(options=["strength", "posture"])),
    }
    assert list(request.none_of) == ["flags"]
    assert (request.ruleset, request.ruleset_version, request.language) == ("small", "1.0.0", "nl")


def test_what_is_left_out_is_missing_however_it_is_left_out() -> None:
    response = respond(form("small"), EVERYTHING)
    item(response, "age")["answer"] = []
    item(response, "numb").pop("answer")
    assert sorted(read(response).request.answers) == ["onset", "wants", "weeks"]


def test_items_may_stand_at_any_depth() -> None:
    """Also below an answer, as FHIR has the items of a question."""
    response = respond(form("small"), EVERYTHING)
    moved = item(response, "onset-unknown")
    response["item"].remove(moved)
    item(response, "age")["answer"][0]["item"] = [moved]
    assert read(response).request.answers["onset"] == pb.Answer(unknown=pb.Unknown())


def give(link: str, *answers: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    def change(response: dict[str, Any]) -> None:
        item(response, link)["answer"] = [*answers]

    return change


def add(**added: Any) -> Callable[[dict[str, Any]], None]:
    return lambda response: response["item"].append(added)


WRONG: dict[str, tuple[Callable[[dict[str, Any]], object], str, str]] = {
    "status": (lambda response: response.update(status="in-progress"), "", "not-completed"),
    "no status": (lambda response: response.pop("status"), "", "not-completed"),
    "unknown item": (add(linkId="numbb", answer=[{"valueCoding": YES}]), ".item[5]", "unknown-question"),
    "twice": (add(linkId="age", answer=[{"valueInteger": 41}]), ".item[5]", "duplicate"),
    "two answers": (give("age", {"valueInteger": 40}, {"valueInteger": 41}), ".item[0].answer", "too-many"),
    "text for a number": (give("age", {"valueString": "40"}), ".item[0].answer[0]", "wrong-type"),
    "decimal for integer": (give("age", {"valueDecimal": Decimal(40)}), ".item[0].answer[0]", "wrong-type"),
    "integer for decimal": (give("weeks", {"valueInteger": 3}), ".item[2].answer[0]", "wrong-type"),
    "boolean": (give("numb", {"valueBoolean": True}), ".item[3].item[0].answer[0]", "wrong-type"),
    "truth for a number": (give("age", {"valueInteger": True}), ".item[0].answer[0]", "wrong-type"),
    "a float": (give("weeks", {"valueDecimal": 0.5}), ".item[2].answer[0]", "wrong-type"),
    "range": (give("age", {"valueInteger": 121}), ".item[0]", "out-of-range"),
    "huge": (give("age", {"valueInteger": 2**31}), ".item[0].answer[0]", "out-of-range"),
    "huge decimal": (give("weeks", {"valueDecimal": Decimal("1E+400")}), ".item[2].answer[0]", "out-of-range"),
    "endless": (give("weeks", {"valueDecimal": Decimal("1E+999999")}), ".item[2].answer[0]", "out-of-range"),
    "no number": (give("weeks", {"valueDecimal": Decimal("NaN")}), ".item[2].answer[0]", "out-of-range"),
    "no value": (give("age", {}), ".item[0].answer[0]", "missing-kind"),
    "only an extension": (give("age", {"_valueInteger": {"id": "x"}}), ".item[0].answer[0]", "wrong-type"),
    "no such option": (
        give("numb", {"valueCoding": YES | {"code": "maybe"}}),
        ".item[3].item[0].answer[0]",
        "unknown-option",
    ),
    "another system": (
        give("numb", {"valueCoding": YES | {"system": "http://snomed.info/sct"}}),
        ".item[3].item[0].answer[0]",
        "unknown-option",
    ),
    "no system": (give("numb", {"valueCoding": {"code": "yes"}}), ".item[3].item[0].answer[0]", "unknown-option"),
    "unknown and options": (
        give("wants", *respond(form("small"), {"wants": given(("strength",))})["item"][0]["answer"], {
            "valueCoding": UNKNOWN.said()}),
        ".item[4].answer[1]",
        "unknown-and-value",
    ),
    "option twice": (
        give("wants", *respond(form("small"), {"wants": given(("strength",))})["item"][0]["answer"] * 2),
        ".item[4].answer[1]",
        "duplicate",
    ),
    "unknown and a number": (
        add(linkId="age-unknown", answer=[{"valueCoding": UNKNOWN.said()}]),
        ".item[0]",
        "unknown-and-value",
    ),
    "a wrong box": (give("onset-unknown", {"valueCoding": YES}), ".item[1].answer[0]", "unknown-option"),
    "an answer to a group": (give("group-flags", {"valueCoding": YES}), ".item[3].answer", "wrong-type"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_with_its_place(name: str) -> None:
    change, place, code = WRONG[name]
    response = respond(form("small"), EVERYTHING)
    change(response)
    with pytest.raises(AnswersError) as refused:
        read(response)
    place = place or ".status"
    assert [(each.field, each.code) for each in refused.value.violations] == [(f"QuestionnaireResponse{place}", code)]


def test_all_mistakes_are_told_at_once() -> None:
    response = respond(form("small"), EVERYTHING)
    give("age", {"valueInteger": 121})(response)
    give("numb", {"valueCoding": YES | {"code": "maybe"}})(response)
    add(linkId="numbb")(response)
    with pytest.raises(AnswersError) as refused:
        read(response)
    assert {each.code for each in refused.value.violations} == {"out-of-range", "unknown-option", "unknown-question"}


def test_a_contradiction_is_told_at_both_answers_in_the_persons_words() -> None:
    response = respond(form("small"), {"age": given("40"), "onset": given("50")})
    with pytest.raises(AnswersError) as refused:
        read(response)
    assert [each.field[-7:] for each in refused.value.violations] == ["item[0]", "item[1]"]
    assert all(each.code == "contradiction" and each.text for each in refused.value.violations)


def test_a_denied_group_does_not_answer_for_what_cannot_be_read() -> None:
    """Else `no` would stand where somebody said something: here that would contradict nothing, and be believed."""
    response = respond(form("small"), {"fever": given("yes"), "fever_days": given("2")}, ("flags",))
    give("fever", {"valueString": "yes"})(response)
    with pytest.raises(AnswersError) as refused:
        read(response)
    assert [each.code for each in refused.value.violations] == ["wrong-type"]


def test_messages_hold_no_answer() -> None:
    response = respond(form("small"), EVERYTHING)
    give("age", {"valueInteger": 999})(response)
    with pytest.raises(AnswersError) as refused:
        read(response)
    assert "999" not in str(refused.value)


NONSENSE: tuple[Any, ...] = (
    None, True, 0, -1, 2**70, Decimal("1E+400"), Decimal("-0.0"), "", " ", "x" * 5000, "\u0000", [], [None], [[]], {},
    {"": {}}, {"item": []}, {"reference": 5}, {"linkId": "age"}, {"valueInteger": 1}, {"resourceType": "Questionnaire"},
)  # fmt: skip


def test_nothing_that_is_sent_breaks_more_than_itself() -> None:
    """Nonsense in every place of a call is refused as what it is, or means nothing; it never becomes another error."""
    rng = random.Random(3)
    shelf = shelf_of("small")
    desk = Desk(shelf.registry.current(), shelf.service.answer, shelf.config, BASE, TODAY)
    whole = respond(form("small"), EVERYTHING, ("flags",))
    whole |= {"subject": {"reference": "Patient/1"}, "source": {"reference": "Patient/1"}, "language": "nl"}
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "questionnaireResponse", "resource": whole},
            {"name": "requestIdentifier", "valueIdentifier": {"value": "visit-1", "type": {"text": "visit"}}},
            {"name": "subject", "valueReference": {"reference": f"Patient/{PERSON}"}},
            {"name": "language", "valueCode": "en"},
        ],
    }
    refused = 0
    for _ in range(3000):
        changed = deepcopy(body)
        place, key = rng.choice([*places(changed)])
        place[key] = deepcopy(rng.choice(NONSENSE))
        try:
            assert fhirkit.validate(json.dumps(desk.triage(changed, "small"))) == []
        except (AnswersError, NotServed):
            refused += 1
    assert refused > 1000


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value: what holds it, and its key there."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield value, key
        yield from places(each)
