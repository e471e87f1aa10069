"""The published schemas are those that the program makes, fit every ruleset there is, and refuse what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from engine.author.schema import FILES, descriptions, schema_files
from engine.rules import document
from engine.rules.load import discover
from engine.rules.source import Source

ROOT = Path(__file__).parent.parent.parent
PUBLISHED = ROOT / "rulesets" / "schema"
MINIMAL = ROOT / "tests" / "data" / "minimal"
POPULATED = ROOT / "rulesets" / "low_back_pain"
FOLDERS = [*discover(ROOT / "rulesets"), MINIMAL]
VALID = [file for folder in FOLDERS for file in sorted(folder.glob("*.yaml"))]


def schema_of(file: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(schema_files()[f"{file.split('.', maxsplit=1)[0]}.schema.json"])
    return content


def content_of(text: str) -> Any:
    node, problems = document.read(Source("x.yaml", text))
    assert node is not None and not problems
    return document.plain(node)


def as_editor(value: Any) -> Any:
    """What an editor takes texts for: numbers and truth values where they look like it."""
    if isinstance(value, dict):
        return {key: as_editor(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_editor(each) for each in value]
    if re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", value):
        return json.loads(value)
    return {"true": True, "false": False}.get(value, value)


def errors(file: str, text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(schema_of(file))
    content = content_of(text)
    return [each.json_path for way in (content, as_editor(content)) for each in validator.iter_errors(way)]


def test_the_published_files_are_the_generated_ones() -> None:
    """`make schema` writes them."""
    assert {file.name: file.read_text(encoding="utf-8") for file in PUBLISHED.iterdir()} == schema_files()


@pytest.mark.parametrize("name", FILES)
def test_each_is_a_schema_of_its_draft(name: str) -> None:
    schema = schema_of(name)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("file", VALID, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_valid_files_fit(file: Path) -> None:
    assert errors(file.name, file.read_text(encoding="utf-8")) == []


WRONG = (
    ("ruleset.yaml", "then: {disposition: self_care", "then: {disposition: selfcare", "$.default.then.disposition"),
    ("ruleset.yaml", "within_hours: 24", "within_hour: 24", "$.rules.S02.then"),
    ("ruleset.yaml", "version: 1.0.0", "version: 1.0", "$.ruleset.version"),
    ("ruleset.yaml", "{brakes_fail: no}", "{brakes_fail: unknown}", "$.safety_net['SN-02'].when.brakes_fail"),
    ("ruleset.yaml", "{brakes_fail: no}", "{brakes_fail: no, noise: click}", "$.safety_net['SN-02'].when"),
    ("ruleset.yaml", "{bike_age: {above: 10}}", "{bike_age: {over: 10}}", "$.findings.neglected.all[1].bike_age"),
    ("ruleset.yaml", "count: {at_least: 2", "count: {at_least: two", "$.rules.S01.when.count.at_least"),
    ("ruleset.yaml", "{at_least: gp_within_days}}}\ns", "{at_least: soon}}}\ns",
     "$.advice_policies.A0.hide_when.disposition.at_least"),
    ("ruleset.yaml", ", when_unknown: skips", "", "$.programme[1]"),
    ("ruleset.yaml", "type: integer", "type: whole", "$.questions.bike_age.type"),
    ("texts.nl.yaml", "clinician: Remfalen", "mechanic: Remfalen", "$.reasons.cannot_stop"),
    ("texts.nl.yaml", "language: nl\n", "", "$"),
    ("cases.yaml", "call: gp_or_hap_now", "call: somebody", "$.cases['BIKE-1'].expect.call"),
    ("population.yaml", "{age: {below: 45}}", "{age: {under: 45}}", "$.draws.condition[0].when.age"),
    ("population.yaml", "serious: yes, needs: emergency}\n\n", "serious: yes, needs: hospital}\n\n",
     "$.conditions.aneurysm.needs"),
    ("population.yaml", "agreeable: [{yes: 0.10", "agreeable: [{always: 0.10", "$.draws.agreeable[0]"),
    ("cases.yaml", "    none_of: [comfort]", "    none_off: [comfort]", "$.cases['BIKE-1']"),
)  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "place"), WRONG, ids=lambda value: value[:30])
def test_invalid_files_do_not_fit(file: str, old: str, new: str, place: str) -> None:
    text = (POPULATED / file if file == "population.yaml" else MINIMAL / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    assert set(errors(file, text.replace(old, new))) == {place}


def described(part: Any, path: str = "$") -> Iterator[tuple[str, str]]:
    """Every property with its description."""
    if isinstance(part, dict):
        for key, content in part.get("properties", {}).items() if "type" in part else ():
            yield f"{path}.{key}", content.get("description", "")
        for key, each in part.items():
            yield from described(each, f"{path}.{key}")
    elif isinstance(part, list):
        for number, each in enumerate(part):
            yield from described(each, f"{path}[{number}]")


@pytest.mark.parametrize("name", FILES)
def test_an_editor_can_explain_every_key(name: str) -> None:
    bare = ("bound", "comparison", "test")  # their keys are explained by what stands around them
    found = dict(described({key: value for key, value in schema_of(name).items() if key != "$defs"}))
    for key, definition in schema_of(name).get("$defs", {}).items():
        assert definition["description"].endswith(".")
        if key not in bare:
            found |= dict(described({**definition, "properties": definition["properties"]}, key))
    assert len(found) >= 1
    without = [path for path, text in found.items() if not text]
    assert [path for path in without if not re.search(r"\.(disposition|programme)\.(at_least|in)$", path)] == []


def test_no_description_is_left_over() -> None:
    used = {key for name in FILES for key in schema_of(name).get("$defs", {})}
    shapes = {model.__name__ for model in FILES.values()} | used | {"condition"}
    assert set(descriptions()) <= shapes
    for name, model in FILES.items():
        definitions = {**schema_of(name).get("$defs", {}), model.__name__: schema_of(name)}
        for key in set(descriptions()) & (set(definitions) - {"condition"}):
            assert set(descriptions()[key]) == {"*", *definitions[key].get("properties", {})}, key


@pytest.mark.parametrize("file", [file for file in VALID if file.parent != MINIMAL], ids=lambda file: file.name)
def test_shipped_files_name_their_schema(file: Path) -> None:
    first = file.read_text(encoding="utf-8").split("\n", 1)[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert found, first
    assert (file.parent / found[1]).resolve() == PUBLISHED / f"{file.name.split('.')[0]}.schema.json"
