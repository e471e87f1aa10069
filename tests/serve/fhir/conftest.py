"""Rulesets as they are served, without a server: what FHIR says of them and reads for them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from engine.serve.config import LOG_OFF, Config
from engine.serve.fhir.questionnaire import questionnaire
from engine.serve.registry import Registry, Served
from engine.serve.service import TriageService
from tests.serve.conftest import NOW, PUBLISHED, SMALL

BASE = "https://pluis.example/fhir/R4"
TODAY = NOW.date()


@dataclass(frozen=True)
class Shelf:
    """A folder of rulesets, and a service that decides by them and records nothing."""

    config: Config
    registry: Registry
    service: TriageService

    def served(self, ruleset: str) -> Served:
        return self.registry.current().find(ruleset, "", TODAY)


@cache
def shelf(root: Path) -> Shelf:
    config = Config(rulesets=root, log=LOG_OFF)
    registry = Registry(root, frozenset(), NOW.date)
    return Shelf(config, registry, TriageService(config, registry, clock=lambda: NOW))


def shelf_of(ruleset: str) -> Shelf:
    return shelf(SMALL if ruleset == "small" else PUBLISHED)


@cache
def form(ruleset: str, language: str = "nl") -> dict[str, Any]:
    return questionnaire(shelf_of(ruleset).served(ruleset), language, BASE, TODAY)
