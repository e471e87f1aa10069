"""Inputs with every kind of damage: rows with known reasons why each cannot be decided, in every format that is read.

A damaged row says of itself which reasons must be told for it. They are written here by hand, out of what was damaged.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import cycle
from typing import Any

import pyarrow

from engine.decide.answers import given
from engine.serve.fhir.names import UNKNOWN, Json
from tests.population.test_fhir import form
from tests.record.decided import FINE, HALF, STOPS, WORN
from tests.serve.fhir.written import every_item, respond, sent

Said = Mapping[str, str | tuple[str, ...]]

PATIENTS: tuple[Said, ...] = (STOPS, WORN, FINE, HALF, {}, {"noise": "unknown", "tyre_bar": "0.5"})
BIG = 5_000_000
"""Bytes of a line that is out of all proportion."""


@dataclass(frozen=True)
class Told:
    """A row as it was written. It must be rejected with all of `reasons`, and decided where there are none."""

    id: str
    reasons: tuple[str, ...] = ()
    said: Said = field(default_factory=dict)


TABLE: Mapping[str, tuple[Mapping[str, str], str]] = {
    "a word for a whole number": ({"bike_age": "old"}, "`bike_age` takes a whole number, not `old`"),
    "a fraction for a whole number": ({"bike_age": "3.5"}, "`bike_age` takes a whole number, not `3.5`"),
    "a date": ({"bike_age": "2026-11-22"}, "`bike_age` takes a whole number, not `2026-11-22`"),
    "too little": ({"bike_age": "-1"}, "`bike_age` is -1, outside 0 to 80 years"),
    "a huge whole number": ({"bike_age": "9" * 39}, "`bike_age` is 9999"),
    "more digits than are read": ({"tyre_bar": "9" * 400}, "`tyre_bar` takes a number, not `9999"),
    "too much": ({"tyre_bar": "12.01"}, "`tyre_bar` is 12.01, outside 0 to 12 bar"),
    "not a number": ({"tyre_bar": "NaN"}, "`tyre_bar` takes a number, not `NaN`"),
    "infinite": ({"tyre_bar": "-inf"}, "`tyre_bar` takes a number, not `-inf`"),
    "an exponent": ({"years_owned": "1e400"}, "`years_owned` takes a number, not `1e400`"),
    "a word for yes or no": ({"brakes_fail": "maybe"}, "`brakes_fail` takes yes or no, not `maybe`"),
    "a number for yes or no": ({"brakes_fail": "1"}, "`brakes_fail` takes yes or no, not `1`"),
    "yes for an option": ({"noise": "yes"}, "`noise` takes one option, not `yes`"),
    "an option that is none": ({"noise": "rattle"}, "`noise` has no option `rattle`"),
    "what a terminal acts on": ({"noise": "cl\x1b[2Jick"}, "`noise` has no option `cl?[2Jick`"),
    "one of several is none": ({"loose_parts": "chain|bell"}, "`loose_parts` has no option `bell`"),
    "a group that is none": ({"none_of": "comfort|speed"}, "no question group `speed`"),
    "a contradiction": ({"bike_age": "1", "years_owned": "2"}, "(`owned_before_built`)"),
}
"""What is changed in a row of a table, and a part of what must be told."""


def table(count: int, seed: int) -> Iterator[tuple[dict[str, str], Told]]:
    """Rows of a table as text, every third of them damaged in one to three ways; some ids come twice."""
    chance = random.Random(seed)
    kinds = [*TABLE.values()]
    for number in range(count):
        said = PATIENTS[number % len(PATIENTS)]
        row = {"id": f"p{number // 2 if number % 50 == 1 else number}", "group_clinic": f"c{number % 3}"}
        row |= {name: "|".join(each) if isinstance(each, tuple) else each for name, each in said.items()}
        reasons = []
        if number % 3 == 2:
            wrong = [kinds[number // 3 % len(kinds)], *chance.sample(kinds, chance.randrange(3))]
            touched: set[str] = set()
            for changes, reason in wrong:
                if not touched & changes.keys():
                    touched |= changes.keys()
                    row |= changes
                    reasons.append(reason)
        yield row, Told(row["id"], tuple(reasons), said)


COLUMNS = (
    "id", "group_clinic", "bike_age", "years_owned", "brakes_fail", "noise", "tyre_bar", "loose_parts", "rides_better",
    "none_of",
)  # fmt: skip


def cells(row: Mapping[str, str]) -> bytes:
    """A line of CSV, without its end."""
    return ",".join(row.get(name, "") for name in COLUMNS).encode()


BROKEN: Sequence[tuple[bytes, str]] = (
    (b"", "the line is empty"),
    (b"p,c", "the line has 2 cells, and there are 10 columns"),
    (b"," * 10, "the line has 11 cells, and there are 10 columns"),
    (b"p,c,1,1,yes,cl\xffick,,,,", "byte 15 of the line is no UTF-8"),
    (b'p,c,1,1,yes,"click,,,,', "the line is no CSV"),
    (b'p,c,1,1,yes,"cl"ick,,,,', "the line is no CSV"),
    (b'{"resourceType": "QuestionnaireResponse"}', "the line has 1 cells"),
    (b"p,c," + b"1" * 200_000 + b",1,yes,click,,,,", "the line is no CSV"),
    (b"x" * BIG, "the line has more than"),
)
"""Lines of CSV that are no row, and a part of what must be told."""


def comma_separated(count: int, seed: int) -> Iterator[tuple[bytes, Told]]:
    """Lines of CSV after the first, without their ends; a part of them are no rows at all."""
    lines = cycle(BROKEN[:-1])
    for number, (row, told) in enumerate(table(count, seed)):
        if number % 11 == 3:
            line, reason = BROKEN[-1] if number == 3 else next(lines)
            yield line, Told("", (reason,))
        else:
            yield cells(row), told


TYPED = pyarrow.schema(
    {
        "id": pyarrow.int64(),
        "bike_age": pyarrow.float64(),
        "years_owned": pyarrow.float64(),
        "brakes_fail": pyarrow.bool_(),
        "noise": pyarrow.dictionary(pyarrow.int8(), pyarrow.string()),
        "tyre_bar": pyarrow.decimal128(38, 2),
        "loose_parts": pyarrow.list_(pyarrow.string()),
        "none_of": pyarrow.list_(pyarrow.string()),
    }
)
FITTING: Mapping[str, Any] = {
    "bike_age": 11.0,
    "brakes_fail": False,
    "noise": "click",
    "tyre_bar": Decimal("3.00"),
    "loose_parts": ["light"],
}
"""WORN, in these types."""
UNFIT: Sequence[tuple[Mapping[str, Any], str]] = (
    ({"bike_age": math.nan}, "`bike_age`: not a number"),
    ({"years_owned": math.inf}, "`years_owned`: not a number"),
    ({"years_owned": -math.inf}, "`years_owned`: not a number"),
    ({"bike_age": 3.5}, "`bike_age` takes a whole number, not `3.5`"),
    ({"bike_age": 1e300}, "`bike_age` is 1000"),
    ({"years_owned": -5e-324}, "`years_owned` is -0.000"),
    ({"tyre_bar": Decimal("9" * 36)}, "`tyre_bar` is 9999"),
    ({"noise": "rattle"}, "`noise` has no option `rattle`"),
    ({"loose_parts": ["light", None]}, "`loose_parts`: not a list of texts"),
    ({"loose_parts": []}, "the list is empty"),
    ({"loose_parts": ["bell"]}, "`loose_parts` has no option `bell`"),
    ({"none_of": ["speed"]}, "no question group `speed`"),
    ({"none_of": [None]}, "`none_of`: not a list of texts"),
    ({"bike_age": 1.0, "years_owned": 2.0}, "(`owned_before_built`)"),
)
"""What is changed in a typed row, and a part of what must be told."""


def typed(count: int, seed: int) -> Iterator[tuple[dict[str, Any], Told]]:
    """Rows of a table whose columns have types; some are null throughout."""
    chance = random.Random(seed)
    for number in range(count):
        row = {"id": number, **(FITTING if number % 4 else {})}
        reasons = []
        if number % 3 == 1:
            touched: set[str] = set()
            for changes, reason in [UNFIT[number // 3 % len(UNFIT)], *chance.sample(UNFIT, chance.randrange(3))]:
                if not touched & changes.keys():
                    touched |= changes.keys()
                    row |= changes
                    reasons.append(reason)
        yield row, Told(str(number), tuple(reasons), WORN if number % 4 else {})


WHOLE: Said = {
    "bike_age": "12",
    "years_owned": "3.5",
    "brakes_fail": "no",
    "noise": "click",
    "tyre_bar": "3",
    "loose_parts": ("chain",),
}
"""What the responses that are damaged had said."""


def _answer(link: str, **value: Any) -> Callable[[Json], None]:
    """The item's answer is another one."""

    def change(response: Json) -> None:
        (item,) = (each for each in every_item(response["item"]) if each["linkId"] == link)
        item["answer"] = [value]

    return change


def _more(link: str, *answers: Any) -> Callable[[Json], None]:
    item = {"linkId": link, "answer": [*answers]} if answers else {"linkId": link}
    return lambda response: response["item"].append(item)


def _both(*changes: Callable[[Json], None]) -> Callable[[Json], None]:
    def change(response: Json) -> None:
        for each in changes:
            each(response)

    return change


RESPONSES: Sequence[tuple[Callable[[Json], None], str]] = (
    (_answer("bike_age", valueString="12"), "`bike_age` takes its answer as valueInteger"),
    (_answer("bike_age", valueInteger=81), "`bike_age` is 81, outside 0 to 80 years"),
    (_answer("tyre_bar", valueDecimal=12.5), "`tyre_bar` is 12.5, outside 0 to 12 bar"),
    (_answer("tyre_bar", valueDecimal=1e-300), "`tyre_bar` has a number that is out of all proportion"),
    (_answer("tyre_bar", valueDate="2026-11-22"), "`tyre_bar` takes its answer as valueDecimal"),
    (_answer("noise", valueCoding={"system": "x", "code": "noise.rattle"}), "`noise` has no option `noise.rattle`"),
    (_answer("brakes_fail"), "`brakes_fail` has an answer without a value"),
    (_more("speed"), "no item `speed` in this version of the Questionnaire"),
    (_more("none-of-speed"), "no item `none-of-speed`"),
    (_more("bike_age"), "item `bike_age` stands there twice"),
    (
        _more("tyre_bar-unknown", {"valueCoding": UNKNOWN.said()}),
        "`tyre_bar` has a number, and is unknown as well",
    ),
    (lambda response: response.update(status="in-progress"), "a response with status `in-progress` is not evaluated"),
    (
        _both(_answer("bike_age", valueInteger=1), _answer("years_owned", valueDecimal=2)),
        "(`owned_before_built`)",
    ),
)
"""What is done to a response, and a part of what must be told."""

SHAPES: Sequence[tuple[Callable[[Json], object], str]] = (
    (lambda response: response.update(item="none"), "QuestionnaireResponse.item: "),
    (lambda response: response.update(item=[["deep"]]), "QuestionnaireResponse.item"),
    (lambda response: response.update(gender="x"), "QuestionnaireResponse"),
    (_answer("bike_age", valueInteger=10**30), "QuestionnaireResponse.item"),
    (_answer("bike_age", valueInteger=None), "QuestionnaireResponse.item"),
    (lambda response: response.pop("questionnaire"), "a response names the Questionnaire that was answered"),
    (lambda response: response.update(questionnaire="https://x/Questionnaire/bicycle"), "the version"),
    (lambda response: response.update(questionnaire="https://x/Questionnaire/tricycle|1"), "not of `bicycle`"),
    (lambda response: response.update(resourceType="Patient"), "a resource of type QuestionnaireResponse"),
)
"""After these nothing else of a response is read."""

LINES: Sequence[tuple[bytes, str]] = (
    (b"", "the line is empty"),
    (b" ", "the line is empty"),
    (b"not JSON", "the body is not JSON"),
    (b"{", "the body is not JSON"),
    (b"null", "a FHIR resource is an object"),
    (b"[]", "a FHIR resource is an object"),
    (b'{"resourceType": "\xff\xfe"}', "the body is not UTF-8"),
    (b'{"a": 1, "a": 2}', "a name stands twice"),
    (b'{"a": NaN}', "NaN and infinities"),
    (b'{"a": -Infinity}', "NaN and infinities"),
    (b'{"a": ' + b"9" * 5000 + b"}", "a number in the body has more than 400 characters"),
    (b'{"a": 1e999999999999999999999}', "beyond measure"),
    (b"[" * 50_000, "levels"),
    (b'"\\ud800"', "half of a surrogate pair"),
    (b"\x00" * 20, "not JSON"),
    (b"x" * BIG, "the line has more than 1048576 bytes"),
)
"""Lines that are no resource at all."""


def ndjson(count: int, seed: int) -> Iterator[tuple[bytes, Told]]:
    """Lines of Bulk Data, without their ends; every third is damaged."""
    chance = random.Random(seed)
    shapes, lines = cycle(SHAPES), cycle(LINES[:-1])
    for number in range(count):
        said = PATIENTS[number % len(PATIENTS)]
        id = f"p{number // 2 if number % 50 == 1 else number}"
        if number % 3 < 2:
            yield _line(id, _response(said)), Told(id, (), said)
        elif number % 9 == 2:
            line, reason = LINES[-1] if number == 2 else next(lines)
            yield line, Told("", (reason,))
        elif number % 9 == 5:
            shape, reason = next(shapes)
            response = _response(WHOLE)
            shape(response)
            yield _line(id, response), Told(id, (reason,))
        else:
            response = _response(WHOLE)
            wrong = chance.sample(RESPONSES[:-1], chance.randrange(1, 4)) if number % 2 else RESPONSES[-1:]
            links: set[str] = set()
            reasons = []
            for change, reason in wrong:
                link = reason.split("`")[1]
                if link not in links:
                    links.add(link)
                    change(response)
                    reasons.append(reason)
            yield _line(id, response), Told(id, tuple(reasons))


def _response(said: Said) -> Json:
    return sent(respond(form(), {name: given(each) for name, each in said.items()}))


def _line(id: str, response: Json) -> bytes:
    return json.dumps({"id": id, **response}, default=float).encode()
