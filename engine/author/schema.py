"""The JSON Schemas (draft 2020-12) with which an editor completes, explains and checks what an author types.

Made from the shapes that the program reads files with, so that the two cannot part; the grammar of conditions, and of
the tests of a population, which have no shape there, are written out here. What each key means stands in
schema_descriptions.yaml beside this file. A schema sees one file and no names: `pluis lint` stays the judge. Editors
guess the type of a value (`yes` may come as true, `112` as a number), so wherever the program reads a text, the schema
allows what a text may be taken for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from pydantic.json_schema import GenerateJsonSchema

from engine.population.model_shape import PopulationFile
from engine.rules import shape, values
from engine.rules.document import plain, read
from engine.rules.scale import Disposition, Programme
from engine.rules.source import Source

Json: TypeAlias = dict[str, Any]

DESCRIPTIONS = Path(__file__).with_name("schema_descriptions.yaml")
FILES: Mapping[str, type[shape.Shape]] = {
    "ruleset": shape.RulesetFile,
    "texts": shape.TextsFile,
    "cases": shape.CasesFile,
    "population": PopulationFile,
}
"""Each schema by its name, with the shape it is made from."""
_CONDITION = {"$ref": "#/$defs/condition"}

_TEXT: Json = {"type": ["string", "number", "boolean"], "minLength": 1}
_NUMBER: Json = {"type": ["number", "string"], "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$"}
_NAME: Json = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}
_READERS: Mapping[Callable[[Any], object], Json] = {
    values.text: _TEXT,
    values.positive: {"type": ["integer", "string"], "minimum": 1, "pattern": "^[1-9][0-9]*$"},
    values.number: _NUMBER,
    values.number_range: {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2},
    values.day: {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    values.version: {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$"},
    values.language: {"type": "string", "pattern": "^[a-z]{2,3}(-[A-Z]{2})?$"},
    values.name: _NAME,
    values.code: {"type": "string", "pattern": "^([a-z][a-z0-9_]*|[A-Z][A-Za-z0-9]*(-[A-Za-z0-9]+)*)$"},
    values.option: {"type": ["string", "integer"], "pattern": "^[a-z0-9][a-z0-9_]*$"},
    values.wording: {
        "anyOf": [
            _TEXT,
            {
                "type": "object",
                "properties": {
                    "patient": {**_TEXT, "description": "What the patient reads."},
                    "clinician": {**_TEXT, "description": "What the clinician reads instead."},
                },
                "required": ["patient"],
                "additionalProperties": False,
            },
        ]
    },
    values.expected: {"enum": [*Disposition.words(), values.NEEDS_ANSWERS]},
    values.answer: {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]},
    values.denied: {"anyOf": [{"const": "*"}, {"type": "array", "items": _NAME}]},
}
"""What each reader of a value takes."""


class _Generator(GenerateJsonSchema):
    """Shapes as an author writes them: readers by what they take, keys that may be left out instead of null."""

    def function_plain_schema(self, schema: Any) -> Json:
        reader = schema["function"]["function"]
        if isinstance(reader, values.Word):
            return {"enum": _enum(reader.words)}
        return dict(_READERS[reader])

    def any_schema(self, schema: Any) -> Json:
        return {"grammar": "condition"}

    def nullable_schema(self, schema: Any) -> Json:
        return self.generate_inner(schema["schema"])

    def dict_schema(self, schema: Any) -> Json:
        found: Json = {
            "type": "object",
            "propertyNames": self.generate_inner(schema["keys_schema"]),
            "additionalProperties": self.generate_inner(schema["values_schema"]),
        }
        return {**found, "minProperties": schema["min_length"]} if schema.get("min_length") else found


class _PopulationGenerator(_Generator):
    """In a population, what has a grammar of its own are tests of what was drawn before."""

    def any_schema(self, schema: Any) -> Json:
        return {"grammar": "test"}


def _enum(words: Mapping[str, object]) -> list[str | int | bool]:
    """The words of a list, and what an editor may take them for."""
    taken = {"yes": True, "true": True, "no": False, "false": False}
    numbers = [int(word) for word in words if word.isdecimal()]
    return [*words, *numbers, *dict.fromkeys(taken[word] for word in words if word in taken)]


@cache
def schema_files() -> dict[str, str]:
    """The text of each schema by the name of its file."""
    return {f"{name}.schema.json": f"{json.dumps(_schema(name), indent=2)}\n" for name in FILES}


def _schema(name: str) -> Json:
    model = FILES[name]
    made = model.model_json_schema(schema_generator=_PopulationGenerator if name == "population" else _Generator)
    definitions = made.pop("$defs", {})
    said = descriptions()
    for key, each in ((model.__name__, made), *definitions.items()):
        for field, content in each.get("properties", {}).items():
            content["description"] = said[key][field]
        each["description"] = said[key]["*"]
    if "RowShape" in definitions:
        definitions["RowShape"]["dependentRequired"] = {"when": ["when_unknown"]}
    if name == "ruleset":
        definitions |= _conditions()
    if name == "population":
        definitions |= _tests()
    made["$defs"] = dict(sorted(definitions.items()))
    title = f"{name}.yaml" if name != "texts" else "texts.<language>.yaml"
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_tidied(made)}
    return {**whole, "title": f"Pluis: {title}"}


@cache
def descriptions() -> dict[str, dict[str, str]]:
    """What each key of each shape means; `*` is the shape itself."""
    node, problems = read(Source(DESCRIPTIONS.name, DESCRIPTIONS.read_text(encoding="utf-8")))
    content = None if node is None else plain(node)
    if not isinstance(content, dict) or problems:
        raise ValueError(f"{DESCRIPTIONS.name} cannot be read")
    return {
        key: {field: str(text) for field, text in part.items()}
        for key, part in content.items()
        if isinstance(part, dict)
    }


def _tidied(part: Any, is_schema: bool = True) -> Any:
    """Without the library's titles and defaults, and with each grammar in its places."""
    if isinstance(part, list):
        return [_tidied(each) for each in part]
    if not isinstance(part, dict):
        return part
    if not is_schema:  # the names of properties are the author's, whatever they are called
        return {key: _tidied(value) for key, value in part.items()}
    kept: Json = {"$ref": f"#/$defs/{part['grammar']}"} if isinstance(part.get("grammar"), str) else {}
    for key, value in part.items():
        if key not in ("title", "default", "grammar"):
            kept[key] = _tidied(value, is_schema=key not in ("properties", "$defs"))
    return kept


def _conditions() -> Json:
    """The grammar of conditions: one key, which is a word of the grammar or else a question."""
    said = descriptions()["condition"]
    many: Json = {"type": "array", "items": _CONDITION, "minItems": 1}
    words: dict[str, Json] = {
        "all": many,
        "any": many,
        "count": {
            "type": "object",
            "properties": {
                "at_least": {**_READERS[values.positive], "description": said["at_least"]},
                "of": {**many, "description": said["of"]},
            },
            "required": ["at_least", "of"],
            "additionalProperties": False,
        },
        **dict.fromkeys(("not", "unless", "surely"), _CONDITION),
        **dict.fromkeys(("unknown", "answered", "finding"), _NAME),
        "rule": _READERS[values.code],
        "disposition": {
            "type": "object",
            "properties": {"at_least": {"enum": [*Disposition.words()]}, "in": _some(Disposition.words())},
            **_ONE,
        },
        "programme": {"type": "object", "properties": {"in": _some(Programme.words())}, **_ONE},
    }
    value: Json = {**_TEXT, "not": {"const": "unknown"}}
    bounds = {word: {"$ref": "#/$defs/bound"} for word in ("at_least", "at_most", "above", "below")}
    return {
        "condition": {
            "description": said["*"],
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "properties": {key: {**part, "description": said[key]} for key, part in words.items()},
            "propertyNames": _NAME,
            "additionalProperties": {"$ref": "#/$defs/comparison"},
        },
        "comparison": {
            "description": said["comparison"],
            "anyOf": [
                value,
                {
                    "type": "object",
                    "properties": {"in": {"type": "array", "items": value, "minItems": 1}, **bounds},
                    **_ONE,
                },
            ],
        },
        "bound": {
            "description": said["bound"],
            "anyOf": [
                _NUMBER,
                {
                    "type": "object",
                    "properties": {
                        "parameter": {**_NAME, "description": said["parameter"]},
                        "answer": {**_NAME, "description": said["answer"]},
                        "sum": {"type": "array", "items": _SUMMAND, "minItems": 1, "description": said["sum"]},
                    },
                    **_ONE,
                },
            ],
        },
    }


def _tests() -> Json:
    """What a row of a population asks of an earlier draw: a word, some words, or a number between bounds."""
    bounds = dict.fromkeys(("at_least", "at_most", "above", "below"), _NUMBER)
    within: Json = {"type": "object", "properties": bounds, "minProperties": 1, "additionalProperties": False}
    words: Json = {"type": "array", "items": _TEXT, "minItems": 1}
    return {"test": {"description": descriptions()["test"]["*"], "anyOf": [_TEXT, words, within]}}


_ONE: Json = {"minProperties": 1, "maxProperties": 1, "additionalProperties": False}
_SUMMAND: Json = {
    "anyOf": [
        _NUMBER,
        {
            "type": "object",
            "properties": {"answer": _NAME, "times": _NUMBER},
            "required": ["answer"],
            "additionalProperties": False,
        },
    ]
}


def _some(words: Mapping[str, object]) -> Json:
    return {"type": "array", "items": {"enum": [*words]}, "minItems": 1}
