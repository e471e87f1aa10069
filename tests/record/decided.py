"""Decisions on the invented bicycle, as the service would record them: what the tests of the log look back at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

from engine.decide.answers import given, plain_number
from engine.decide.canonical import decision_digest, outcome_bytes
from engine.decide.evaluate import Evaluator
from engine.record.entry import BEGINNING, Draft, Entry, RulesetKey, chain
from engine.record.reading import State, Unsealed
from engine.rules.canonical import canonical_json
from engine.rules.load import build, load
from engine.rules.model import CheckedRuleset
from engine.rules.source import Source

MINIMAL = Path(__file__).resolve().parent.parent / "data" / "minimal"
MAC_KEY = b"k" * 32
SUBJECT = "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d"

STOPS = {
    "bike_age": "12",
    "years_owned": "3.5",
    "brakes_fail": "yes",
    "noise": "grind",
    "loose_parts": ("chain", "light"),
}
WORN = {"bike_age": "11", "brakes_fail": "no", "noise": "click", "tyre_bar": "3", "loose_parts": ("light",)}
FINE = {"bike_age": "2", "brakes_fail": "no", "noise": "none", "tyre_bar": "4", "loose_parts": ("saddle",)}
HALF = {"bike_age": "2", "years_owned": "unknown", "brakes_fail": "no"}
PATIENTS: tuple[Mapping[str, str | tuple[str, ...]], ...] = (STOPS, WORN, FINE, HALF)


def texts() -> dict[str, str]:
    """The bicycle's files: name to text."""
    return {each.name: each.read_text(encoding="utf-8") for each in MINIMAL.glob("*.yaml") if each.name != "cases.yaml"}


def changed(*replaced: tuple[str, str]) -> CheckedRuleset:
    """The bicycle as version 2.0.0, with texts replaced in its ruleset.yaml."""
    said = texts()
    for old, new in (("version: 1.0.0", "version: 2.0.0"), *replaced):
        assert old in said["ruleset.yaml"], old
        said["ruleset.yaml"] = said["ruleset.yaml"].replace(old, new)
    checked, problems = build({name: Source(name, text) for name, text in said.items()})
    assert checked is not None, problems.render()
    return checked


@cache
def bicycle() -> Evaluator:
    return Evaluator(load(MINIMAL))


def draft(
    number: int, said: Mapping[str, str | tuple[str, ...]], time: datetime | None = None, subject: str = SUBJECT
) -> Draft:
    """A decision of today (or of `time`), with the number in its id."""
    evaluator = bicycle()
    typed = evaluator.read({name: given(each) for name, each in said.items()})
    values = {name: each if isinstance(each, tuple) else plain_number(each) for name, each in typed.values.items()}
    outcome = evaluator.evaluate(typed).outcome
    ruleset = evaluator.checked.ruleset
    return Draft(
        decision_id=str(UUID(int=number, version=4)),
        request_id=f"request-{number}",
        time=time or datetime(2026, 11, 22, 9, 30, tzinfo=UTC) + timedelta(seconds=number),
        caller="front desk",
        on_behalf_of="",
        respondent="patient",
        subject=subject,
        language="nl",
        ruleset=RulesetKey(ruleset.id, ruleset.version, evaluator.checked.digest),
        answers=canonical_json({**values, **dict.fromkeys(typed.unknown)}),
        outcome=outcome_bytes(evaluator.checked, outcome),
        decision_digest=decision_digest(evaluator.checked, outcome),
        engine="0.1.0",
    )


def entries(drafts: Iterable[Draft], writer: str = "w1") -> Iterator[Entry]:
    """A chain of decisions whose payloads are not sealed: `read` opens them."""
    previous = BEGINNING
    for sequence, each in enumerate(drafts, 1):
        entry = chain(writer, sequence, canonical_json(each.clear()), each.payload(), previous, MAC_KEY)
        previous = entry.hash
        yield entry


def read(entry: Entry) -> Unsealed:
    return Unsealed(State.OPEN, entry.payload)
