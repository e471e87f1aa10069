"""The shape of `population.yaml`: which keys, and what kind of value at each."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from engine.rules.shape import Language, Name, Number, Option, Place, Shape, Text, Truth


class AboutPopulation(Shape):
    ruleset: Name
    title: dict[Language, Text]
    groups: list[Name] = Field(default_factory=list)
    """Draws that are written beside each simulated person."""


class SourceShape(Shape):
    citation: Text
    url: Text = ""


class ConditionShape(Shape):
    title: dict[Language, Text]
    serious: Truth
    needs: Place


class HiddenShape(Shape):
    options: list[Option]


class DrawShape(Shape):
    """One row of a draw. Exactly one of `yes`, `share`, `bands` and `sum` says how; `step` belongs to `bands`."""

    when: dict[Name, Any] = Field(default_factory=dict)
    yes: Number | None = None
    share: dict[Option, Text] = Field(default_factory=dict)
    bands: list[list[Number]] = Field(default_factory=list)
    step: Number | None = None
    sum: dict[Name, Number] = Field(default_factory=dict)
    unknown: Number | None = None
    source: Name


class ShareShape(Shape):
    when: dict[Name, Any] = Field(default_factory=dict)
    share: Number
    source: Name


class UnansweredShape(Shape):
    """The chance of each answer to be unknown, of each question to be passed over, and of a person to stop half-way."""

    unknown: list[ShareShape]
    skipped: list[ShareShape]
    stopped: list[ShareShape]


class PopulationFile(Shape):
    """population.yaml."""

    population: AboutPopulation
    sources: dict[Name, SourceShape]
    conditions: dict[Option, ConditionShape]
    hidden: dict[Name, HiddenShape] = Field(default_factory=dict)
    draws: dict[Name, list[DrawShape]]
    unanswered: UnansweredShape
