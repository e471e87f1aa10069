"""The digest follows what a ruleset says, and nothing else."""

from __future__ import annotations

import json

import pytest

from engine.rules.content import content
from tests.rules.bicycle import Change, sources, valid

R, T, C = "ruleset.yaml", "texts.nl.yaml", "cases.yaml"
S01 = sources()[R].text.split("  S01:\n")[1].split("  S02:\n")[0]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param((R, "parameters:", "# tuned by the clinic\nparameters:"), id="a comment"),
        pytest.param((R, "  safety: {}", "\n  safety:    {   }"), id="layout"),
        pytest.param((R, "authors: [Workshop]", "authors:\n  - Workshop"), id="block for flow"),
        pytest.param((R, "{brakes_fail: yes}", "{'brakes_fail': \"yes\"}"), id="quotes"),
        pytest.param((R, "noise: {in: [click, grind]}", "noise: {in: ['click', grind]}"), id="quotes in a list"),
        pytest.param(
            (R, "{type: yes_no, group: safety, core: true}", "{core: yes, group: safety, type: yes_no}"), id="keys"
        ),
        pytest.param((C, "within_hours: 1", "within_hours: 2"), id="a case"),
        pytest.param((T, "click: Getik, grind: Geschuur", "grind: Geschuur, click: Getik"), id="order of texts"),
    ],
)
def test_it_does_not_count(change: Change) -> None:
    assert valid(change).digest == valid().digest


def test_the_order_of_rules_does_not_count_anywhere() -> None:
    moved = valid((R, f"  S01:\n{S01}", ""), (R, "default:\n", f"  S01:\n{S01}default:\n"))
    assert moved.digest == valid().digest
    assert list(moved.ruleset.rules) == list(valid().ruleset.rules)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param((R, "{above: 10}", "{above: 11}"), id="a threshold"),
        pytest.param((R, "{bike_age: {above: 10}}", "{bike_age: {at_least: 10}}"), id="an operator"),
        pytest.param((R, "value: 2.5", "value: 2.6"), id="a parameter"),
        pytest.param((R, "unless: {rides", "not: {rides"), id="a careful not"),
        pytest.param((R, "within_hours: 24", "within_hours: 23"), id="how fast"),
        pytest.param((R, ", guidance: offered", ""), id="guidance"),
        pytest.param((R, "when_unknown: skips", "when_unknown: applies"), id="what unknown does"),
        pytest.param((R, "core: true", "core: false"), id="core"),
        pytest.param((R, "options: [chain, saddle", "options: [saddle, chain"), id="order of options"),
        pytest.param((R, "version: 1.0.0", "version: 1.0.1"), id="the version"),
        pytest.param((R, "until: 2030-01-01", "until: 2031-01-01"), id="the period"),
        pytest.param((R, "3rd edition", "4th edition"), id="a citation"),
        pytest.param((R, "times: 1.5", "times: 1.6"), id="a sum"),
        pytest.param((R, "claim: monotone", "claim: fail_safe"), id="a claim"),
        pytest.param((R, "kinds: [reassurance, activity]", "kinds: [reassurance]"), id="a policy"),
        pytest.param((R, "physio: {valid_days: 30", "physio: {valid_days: 31"), id="validity"),
        pytest.param((T, "Rijdt hij beter?", "Gaat hij beter?"), id="a text"),
        pytest.param((T, "clinician: Remfalen", "clinician: Geen rem"), id="a text for clinicians"),
        pytest.param((T, "click: Getik", "click: Geklik"), id="a label"),
        pytest.param((T, "help: In jaren", "help: In hele jaren"), id="a help text"),
    ],
)
def test_it_counts(change: Change) -> None:
    assert valid(change).digest != valid().digest


def test_the_order_of_questions_counts() -> None:
    line = next(line for line in sources()[R].text.split("\n") if line.startswith("  tyre_bar: {type"))
    moved = valid((R, f"{line}\n", ""), (R, "  bike_age: {type", f"{line}\n  bike_age: {{type"))
    assert next(iter(moved.ruleset.questions)) == "tyre_bar"
    assert moved.digest != valid().digest


def test_the_content_is_canonical_json() -> None:
    """RFC 8785 equals sorted keys only for ASCII keys and small integers, so nothing else may be there."""

    def walk(value: object) -> None:
        if isinstance(value, dict):
            for key, below in value.items():
                assert isinstance(key, str) and key.isascii()
                walk(below)
        elif isinstance(value, list):
            for below in value:
                walk(below)
        else:
            assert value is None or isinstance(value, (str, bool)) or (type(value) is int and abs(value) < 2**53)

    said = content(valid().ruleset)
    walk(said)
    assert json.loads(json.dumps(said)) == said


def test_the_digest_is_the_same_on_every_machine() -> None:
    """A golden value: when it changes, every digest in every decision log loses its ruleset.

    Only a change of the minimal ruleset itself is a reason to write another one here.
    """
    assert valid().digest == "8654643a6fa8bdc08c0f28d4d867c3b048d9d45e41f0ff35b3b4d80b7c70e97e"
