"""The smallest ruleset that uses every construct, as texts that a test can change."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine.rules.load import build
from engine.rules.model import CheckedRuleset
from engine.rules.problem import Problems
from engine.rules.source import Source

FOLDER = Path(__file__).parent.parent / "data" / "minimal"
FILES = ("ruleset.yaml", "texts.nl.yaml", "cases.yaml")
Change = tuple[str, str, str]


def sources(changes: Iterable[Change] = ()) -> dict[str, Source]:
    """The files by name, after changes (file, old text, new text); an old text must occur exactly once."""
    texts = {name: (FOLDER / name).read_text(encoding="utf-8") for name in FILES}
    for file, old, new in changes:
        assert texts[file].count(old) == 1, f"{old!r} occurs {texts[file].count(old)} times in {file}"
        texts[file] = texts[file].replace(old, new)
    return {name: Source(name, text) for name, text in texts.items()}


def built(*changes: Change) -> tuple[CheckedRuleset | None, Problems]:
    """The ruleset after changes, and its problems."""

    return build(sources(changes))


def valid(*changes: Change) -> CheckedRuleset:
    """The ruleset after changes that leave it valid."""
    checked, problems = built(*changes)
    assert checked is not None, problems.render()
    return checked
