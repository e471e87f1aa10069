"""A request as the QuestionnaireResponse that a FHIR client would send, and enableWhen as a FHIR client evaluates it.

Both read nothing but the Questionnaire, as a client does: what stands in the engine is not asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from engine.decide.answers import Given
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.model import QuestionType

Json = dict[str, Any]


def every_item(items: list[Json]) -> Iterator[Json]:
    """Every item of a Questionnaire, however deep it stands."""
    for item in items:
        yield item
        yield from every_item(item.get("item", []))


def respond(form: Json, answers: Mapping[str, Given], none_of: tuple[str, ...] = ()) -> Json:
    """A completed response to `form` with these answers, in the structure of the form."""
    response = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{form['url']}|{form['version']}",
        "status": "completed",
    }
    items = [*_items(form["item"], answers, none_of)]
    return response | {"item": items} if items else response


def _items(items: list[Json], answers: Mapping[str, Given], none_of: tuple[str, ...]) -> Iterator[Json]:
    for item in items:
        link = item["linkId"]
        if item["type"] == "group":
            if inside := [*_items(item["item"], answers, none_of)]:
                yield {"linkId": link, "text": item["text"], "item": inside}
        elif found := [*_answers(item, answers, none_of)]:
            yield {"linkId": link, "text": item["text"], "answer": found}


def _answers(item: Json, answers: Mapping[str, Given], none_of: tuple[str, ...]) -> Iterator[Json]:
    link = item["linkId"]
    options = [option["valueCoding"] for option in item.get("answerOption", ())]
    if link.startswith("none-of-"):
        if link.removeprefix("none-of-") in none_of or "*" in none_of:
            yield {"valueCoding": options[0]}
        return
    given = answers.get(link.removesuffix("-unknown"))
    if given is None:
        return
    if link.endswith("-unknown"):
        if given.kind is None:
            yield {"valueCoding": options[0]}
    elif item["type"] in ("integer", "decimal"):
        if given.kind is not None:
            yield {f"value{item['type'].capitalize()}": given.value}
    else:
        wanted = ["asked-unknown"] if given.kind is None else _codes(link, given)
        for code in wanted:
            (option,) = (each for each in options if each["code"] == code)
            yield {"valueCoding": option}


def _codes(link: str, given: Given) -> list[str]:
    if given.kind is QuestionType.YES_NO:
        return [str(given.value)]
    values = given.value if isinstance(given.value, tuple) else (given.value,)
    return [f"{link}.{value}" for value in values]


def enabled(form: Json, response: Json) -> set[str]:
    """The linkIds that a client shows for the answers of a response: an item counts with all the items around it."""
    found = {item["linkId"]: item.get("answer", []) for item in every_item(response.get("item", []))}
    return {*_enabled(form["item"], found)}


def _enabled(items: list[Json], found: Mapping[str, list[Json]]) -> Iterator[str]:
    for item in items:
        tests = [_holds(test, found.get(test["question"], [])) for test in item.get("enableWhen", ())]
        if len(tests) > 1:
            assert item["enableBehavior"] in ("all", "any")
        if not tests or (any(tests) if item.get("enableBehavior") == "any" else all(tests)):
            yield item["linkId"]
            yield from _enabled(item.get("item", []), found)


def _holds(test: Json, answers: list[Json]) -> bool:
    """As FHIR R4 has it: `!=` holds when no answer is equal, also without any; the others need an answer."""
    (wanted,) = (value for key, value in test.items() if key.startswith("answer"))
    if test["operator"] == "exists":
        return bool(answers) is wanted
    values = [value for answer in answers for value in answer.values()]
    if isinstance(wanted, dict):
        pairs = [(value["system"], value["code"]) for value in values]
        equal = (wanted["system"], wanted["code"]) in pairs
    else:
        values = [Decimal(str(value)) for value in values if not isinstance(value, dict)]
        wanted = Decimal(str(wanted))
        equal = wanted in values
    match test["operator"]:
        case "=":
            return equal
        case "!=":
            return not equal
        case ">":
            return any(value > wanted for value in values)
        case "<":
            return any(value < wanted for value in values)
        case ">=":
            return any(value >= wanted for value in values)
        case "<=":
            return any(value <= wanted for value in values)
    raise AssertionError(test["operator"])


def sent(resource: Json) -> Any:
    """A resource as it arrives: JSON in between, its decimals read as decimals."""
    return json.loads(json.dumps(resource, default=_decimal), parse_float=Decimal)


def _decimal(value: object) -> float:
    assert isinstance(value, Decimal)
    assert Decimal(repr(float(value))) == value
    return float(value)


def direct(ruleset: str, answers: Mapping[str, Given], none_of: tuple[str, ...] = ()) -> pb.EvaluateRequest:
    """The same answers as a gRPC client sends them."""
    return pb.EvaluateRequest(
        ruleset=ruleset, answers={name: _answer(given) for name, given in answers.items()}, none_of=none_of
    )


def _answer(given: Given) -> pb.Answer:
    match given.kind, given.value:
        case None, _:
            return pb.Answer(unknown=pb.Unknown())
        case QuestionType.YES_NO, value:
            return pb.Answer(yes_no=pb.YES_NO_YES if value == "yes" else pb.YES_NO_NO)
        case QuestionType.INTEGER, int(value):
            return pb.Answer(integer=value)
        case QuestionType.DECIMAL, value:
            return pb.Answer(decimal=str(value))
        case QuestionType.SEVERAL, tuple(values):
            return pb.Answer(several=pb.Options(options=values))
        case _, value:
            return pb.Answer(choice=str(value))
