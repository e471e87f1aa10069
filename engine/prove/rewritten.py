"""What differs between two versions as they are written: questions, texts, evidence and all the rest, entry by entry.

Nothing is said here about what a difference means for a patient: that is `diff`. Places, comments and layout do not
count, as for the digest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from engine.rules.content import Json, content
from engine.rules.model import Ruleset

_Key: TypeAlias = tuple[str, str, str]
_HEAD = ("id", "version", "languages", "effective", "authors")
_LISTED = ("groups", "questions", "programme", "advice", "safety_net")
_KEYED = ("parameters", "findings", "rules", "dispositions", "refuse", "advice_policies", "evidence", "claims")
_NAMED: Mapping[str, tuple[str, ...]] = {
    "parameters": ("value", "unit", "lowest", "highest"),
    "groups": ("id", "asked_when"),
    "dispositions": ("valid_days", "recheck_days"),
    "safety_net": ("id", "when"),
    "evidence": ("citation", "strength", "url"),
}
"""What the places of a list stand for."""
_TEXT = ("patient", "clinician")


@dataclass(frozen=True, slots=True)
class Part:
    """One key of an entry: what it was and what it is, as text; both empty where it is no plain value."""

    key: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """One entry that is new, gone or not what it was. `language` of a text; `parts` of an entry that stayed."""

    section: str
    id: str
    kind: str
    parts: tuple[Part, ...] = ()
    language: str = ""


def rewritten(old: Ruleset, new: Ruleset) -> tuple[Rewritten, ...]:
    """Every entry that differs, section by section, in the order of the new version."""
    said, says = content(old), content(new)
    before, after = dict(_entries(said)), dict(_entries(says))
    found = [each for name in _LISTED if (each := _moved(name, said[name], says[name])) is not None]
    for key in {**after, **before}:
        section, id, language = key
        if key not in before:
            found.append(Rewritten(section, id, "added", _texts(section, {}, after[key]), language))
        elif key not in after:
            found.append(Rewritten(section, id, "removed", _texts(section, before[key], {}), language))
        elif before[key] != after[key]:
            found.append(Rewritten(section, id, "changed", tuple(_parts(before[key], after[key])), language))
    return tuple(found)


def _entries(said: Mapping[str, Json]) -> Iterator[tuple[_Key, dict[str, Json]]]:
    """Every entry of a ruleset by section, id and language, as its keys and values."""
    for name in _HEAD:
        yield ("ruleset", name, ""), {name: said[name]}
    for name in (*_LISTED, *_KEYED):
        for id, value in _listed(said[name]):
            yield (name, id, ""), _named(name, value)
    yield ("default", "default", ""), _named("default", said["default"])
    texts = said["texts"]
    assert isinstance(texts, dict)
    for language, sections in texts.items():
        assert isinstance(sections, dict)
        for section, entries in sections.items():
            assert isinstance(entries, dict)
            for id, value in entries.items():
                yield (f"texts.{section}", id, language), _named("options" if section == "options" else "text", value)


def _moved(section: str, old: Json, new: Json) -> Rewritten | None:
    """Whether the entries that both have come in another order, where an order is seen."""
    before, after = ([id for id, _ in _listed(each)] for each in (old, new))
    was, now = [id for id in before if id in after], [id for id in after if id in before]
    return (
        None if was == now else Rewritten("order", section, "changed", (Part("order", _shown([*was]), _shown([*now])),))
    )


def _listed(entries: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(entries, dict):
        yield from entries.items()
    elif isinstance(entries, list):
        for each in entries:
            id = each["id"] if isinstance(each, dict) else each[0] if isinstance(each, list) else None
            assert isinstance(id, str)
            yield id, each


def _named(section: str, value: Json) -> dict[str, Json]:
    if section in ("findings", "refuse"):
        return {"when": value}
    if isinstance(value, list):
        return dict(zip(_NAMED.get(section, _TEXT), value, strict=True))
    return value if isinstance(value, dict) else {section: value}


def _texts(section: str, before: Mapping[str, Json], after: Mapping[str, Json]) -> tuple[Part, ...]:
    """Of a text that came or went its words; of anything else that it did says enough."""
    return tuple(_parts(before, after)) if section.startswith("texts.") else ()


def _parts(before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[Part]:
    for key in {**after, **before}:
        old, new = before.get(key), after.get(key)
        if (old or None) != (new or None):  # a text without words for the clinician has none at all
            plain = all(map(_is_plain, (old, new)))
            yield Part(key, _shown(old), _shown(new)) if plain else Part(key, "", "")


def _is_plain(value: Json) -> bool:
    return not isinstance(value, dict) and not (isinstance(value, list) and any(isinstance(e, dict) for e in value))


def _shown(value: Json) -> str:
    if isinstance(value, list):
        return ", ".join("..." if each is None else str(each) for each in value)
    return "" if value is None else str(value)
