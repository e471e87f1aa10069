"""Which services there are: one for each hook and each ruleset that counts today, named after both.

One id for each hook: clients that know a service by its id alone would take one answer for the other.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from engine.decide.answers import shown
from engine.serve.fhir.names import Json, fhir_id
from engine.serve.fhir.triage import fitting
from engine.serve.hooks.prefetch import KEY, QUERY
from engine.serve.registry import Served, Snapshot, UnknownRuleset

LANGUAGES = ("nl", "en")
"""The languages for which there are fixed words."""
VERSION = "2.0.1"
"""Of CDS Hooks."""


class Hook(Enum):
    """When an EHR calls."""

    PATIENT_VIEW = "patient-view"
    """Somebody opens a patient's chart."""
    ORDER_SIGN = "order-sign"
    """Somebody is about to sign orders, such as a referral."""


class UnknownService(UnknownRuleset):
    """There is no service of this name; `available` are those that there are."""


@dataclass(frozen=True, slots=True)
class Service:
    """What answers one hook by one ruleset."""

    served: Served
    hook: Hook

    @property
    def id(self) -> str:
        """Its name in addresses, such as `a-ruleset-patient-view`."""
        return f"{fhir_id(self.served.id)}-{self.hook.value}"

    def language(self, accepted: Sequence[str]) -> str:
        """The first language that the caller reads and that has words; else the ruleset's first that has."""
        return fitting(accepted, [each for each in self.served.languages if each in LANGUAGES])


@cache
def words(language: str) -> Mapping[str, Any]:
    """The fixed words of a language: texts, and tables of texts."""
    return tomllib.loads(Path(__file__).with_name(f"words.{language}.toml").read_text(encoding="utf-8"))


def services(snapshot: Snapshot, today: date) -> Iterator[Service]:
    """Every service. A ruleset in none of our languages has none."""
    for ruleset in snapshot.versions:
        served = snapshot.default(ruleset, today)
        if served is not None and set(LANGUAGES) & set(served.languages):
            yield from (Service(served, hook) for hook in Hook)


def find_service(snapshot: Snapshot, today: date, name: str) -> Service:
    """The service of this name. Raises UnknownService."""
    known = {each.id: each for each in services(snapshot, today)}
    if name not in known:
        message = f"no service `{shown(name)}`; there is {', '.join(known)}"
        raise UnknownService(message, {"ruleset": name}, known)
    return known[name]


def discovery(snapshot: Snapshot, today: date, accepted: Sequence[str]) -> Json:
    """What an EHR is told about the services, in its language where there is."""
    return {"services": [_described(each, each.language(accepted)) for each in services(snapshot, today)]}


def _described(service: Service, language: str) -> Json:
    texts, said = service.served.evaluator.checked.ruleset.texts[language], words(language)
    return {
        "hook": service.hook.value,
        "id": service.id,
        "title": said["title"].format(title=texts.get("ruleset", "title").patient),
        "description": texts.get("ruleset", "summary").patient,
        "prefetch": {KEY: QUERY},
        "usageRequirements": said["usage"],
        "version": VERSION,
    }
