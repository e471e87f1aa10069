"""Two versions of the bicycle ruleset that differ in every way an impact tells of, and rows to decide by both."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

from engine.decide.answers import UNKNOWN, Given, given
from engine.population.rows import Row
from engine.rules.load import build
from engine.rules.model import CheckedRuleset
from engine.rules.source import Source

MINIMAL = Path(__file__).resolve().parent.parent / "data" / "minimal"
OLD = {path.name: path.read_text("utf-8") for path in (MINIMAL / "ruleset.yaml", MINIMAL / "texts.nl.yaml")}
CHANGES = (
    ("version: 1.0.0", "version: 2.0.0"),
    ("{any: [{brakes_fail: yes}, {unknown: brakes_fail}]}", "{brakes_fail: yes}"),
    ("call: gp_today, within_hours: 24", "call: gp_today, within_hours: 12"),
    ("integer, unit: years, range: [0, 80]", "integer, unit: years, range: [0, 60]"),
    ("  loose_parts: {type: several", "  rust: {type: yes_no}\n  loose_parts: {type: several"),
    ("  E01:\n", "  E02:\n    when: {all: [{rust: yes}, {loose_parts: chain}]}\n"
     "    then: {disposition: emergency, call: gp_or_hap_now, within_hours: 1}\n"
     "    because: cannot_stop\n    evidence: [manual]\n  E01:\n"),
    ("{in: [self_care, physio]}}, hide_when", "{in: [self_care]}}, hide_when"),
)  # fmt: skip
TEXTS = (("  loose_parts: {text", "  rust: {text: Is er roest?}\n  loose_parts: {text"),)


def replaced(text: str, changes: tuple[tuple[str, str], ...]) -> str:
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


NEW = {"ruleset.yaml": replaced(OLD["ruleset.yaml"], CHANGES), "texts.nl.yaml": replaced(OLD["texts.nl.yaml"], TEXTS)}


def checked(texts: Mapping[str, str]) -> CheckedRuleset:
    ruleset, problems = build({name: Source(name, text) for name, text in texts.items()})
    assert ruleset is not None, problems.render()
    return ruleset


FINE: Mapping[str, str | tuple[str, ...]] = {
    "bike_age": "5", "years_owned": "1", "brakes_fail": "no", "noise": "none", "tyre_bar": "4", "rust": "no",
    "loose_parts": ("saddle",), "rides_better": "no",
}  # fmt: skip


def row(number: int = 0, **said: str | tuple[str, ...] | None) -> Row:
    """Everything is fine but what is said; None: not asked."""
    answers = {name: given(each) for name, each in {**FINE, **said}.items() if each is not None}
    return Row(number, f"row-{number}", answers)


def rows(count: int, seed: int = 1) -> list[Row]:
    """Rows of every kind: some refused, some not readable, some that only one version reads."""
    rng = random.Random(seed)
    return [_row(rng, number) for number in range(count)]


def _row(rng: random.Random, number: int) -> Row:
    age = rng.choice([0, 3, 20, 55, 61, 80])
    told: dict[str, Given] = {
        "bike_age": given(str(age)),
        "years_owned": given(str(rng.randint(0, max(age, 1)))),
        "brakes_fail": UNKNOWN if rng.random() < 0.1 else given(rng.choice(["no", "no", "no", "no", "yes"])),
        "noise": given(rng.choice(["none", "click", "grind"])),
        "tyre_bar": given(rng.choice(["0.5", "2", "6"])),
        "loose_parts": given(rng.choice([("chain",), ("light",), ("saddle", "light")])),
        "rides_better": given(rng.choice(["yes", "no"])),
        "rust": given(rng.choice(["no", "yes"])),
    }
    answers = {name: answer for name, answer in told.items() if rng.random() > 0.03}
    groups = {
        "shop": rng.choice(["north", "north", "north", "south", "south", "<east>"]),
        "year": rng.choice(["1", "2"]),
    }
    if number % 500 == 7:
        groups["shop"] = "tiny"
    faults = ("no JSON",) if number % 300 == 5 else ()
    return Row(number, f"row-{number}", {} if faults else answers, groups=groups, faults=faults)
