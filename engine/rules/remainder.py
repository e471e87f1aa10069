"""What is left of a ruleset when broken entries are taken out: its other mistakes can be told in the same breath.

An author wants to see everything at once, but a rule of the wrong shape has no meaning to check. So the entries that a
problem touches are left out, and the checks run on the rest. Only problems that the missing entries cannot have caused
are told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.rules import document
from engine.rules.check import CHECKS
from engine.rules.codes import Code
from engine.rules.document import Node
from engine.rules.model import Ruleset
from engine.rules.parse import parse
from engine.rules.problem import Problem
from engine.rules.source import Span

_NAMED = re.compile(r"`([^`]*)`")
TOLD: frozenset[Code] = frozenset(
    {
        "asked-when-cycle",
        "bad-option",
        "bad-range",
        "duplicate-id",
        "evidence-missing",
        "finding-cycle",
        "misplaced-condition",
        "parameter-outside-range",
        "text-missing",
        "threshold-outside-range",
        "unknown-evidence",
        "unknown-finding",
        "unknown-group",
        "unknown-option",
        "unknown-parameter",
        "unknown-question",
        "unknown-rule",
        "wrong-type",
        "yes-is-good-in-group",
    }
)
"""Problems of an entry that is there. Others say that something is missing or unused, which leaving out can cause."""


ROUNDS = 3
"""How often the rest is looked at again: shape hides behind doubled keys, meaning behind shape."""


UNSURE: Mapping[str, Code] = {
    "evidence": "unknown-evidence",
    "findings": "unknown-finding",
    "groups": "unknown-group",
    "parameters": "unknown-parameter",
    "questions": "unknown-question",
    "rules": "unknown-rule",
}
"""What is not told when an entry of a section is left out: its name may be what is wrong with it."""


@dataclass(frozen=True, slots=True)
class _Rest:
    """A document without its broken entries; from which sections some were left out, and their names."""

    node: Node
    sections: frozenset[str]
    names: frozenset[str]


def check_remainder(
    main: Node | None, texts: Mapping[str, Node], found: Iterable[Problem], all_read: bool
) -> list[Problem]:
    """The problems of what is not broken already; none where too little is left to be a ruleset.

    `all_read`: every text file could be read; otherwise nothing is said about texts that are missing.
    """
    if main is None:
        return []
    known = list(found)
    told: list[Problem] = []
    for _ in range(ROUNDS):
        broken = [problem.span for problem in known]
        rest = _without(main, broken)
        said = {language: _without(node, broken) for language, node in texts.items()}
        ruleset, problems = parse(rest.node, {language: each.node for language, each in said.items()})
        if ruleset is not None and not problems:
            unsure = {UNSURE[section] for section in rest.sections if section in UNSURE}
            if any(each.sections for each in said.values()) or not all_read:
                unsure.add("text-missing")
            return [*told, *_checked(ruleset, TOLD - unsure, rest.names)]
        # A document with a doubled key was not looked at yet, so its rest can have a wrong shape elsewhere.
        new = [problem for problem in problems if problem not in known]
        told.extend(problem for problem in new if problem.code != "missing-key")
        known.extend(new)
    return told


def _checked(ruleset: Ruleset, codes: frozenset[Code], left_out: frozenset[str]) -> Iterator[Problem]:
    for check in CHECKS:
        for problem in check(ruleset):
            if problem.is_error and problem.code in codes and left_out.isdisjoint(_NAMED.findall(problem.message)):
                yield problem


def _without(node: Node, broken: Iterable[Span]) -> _Rest:
    """The document without the entries of its sections that a broken place lies in."""
    if not isinstance(node, document.Mapping):
        return _Rest(node, frozenset(), frozenset())
    spots = [(span.line, span.column) for span in broken if span.source.name == node.span.source.name]
    kept = []
    names: set[str] = set()
    sections: set[str] = set()
    for (key, value), end in zip(node.entries, _ends(node.entries), strict=True):
        inside = [spot for spot in spots if _start(key) <= spot < end]
        if not inside:
            kept.append((key, value))
            continue
        sections.add(key.text)
        pruned = _pruned(value, inside)
        if pruned is None:  # the section itself is wrong
            names.update(_keys(value))
            continue
        kept.append((key, pruned))
        names.update(set(_keys(value)) - set(_keys(pruned)))
    return _Rest(node._replace(entries=tuple(kept)), frozenset(sections), frozenset(names))


def _pruned(section: Node, spots: list[tuple[int, int]]) -> Node | None:
    """The section without the entries that the spots lie in; None where a spot lies in none of them."""
    match section:
        case document.Mapping(entries):
            starts = [_start(key) for key, _ in entries]
        case document.Sequence(items):
            starts = [_start(item) for item in items]
        case _:
            return None
    hit = {max((n for n, start in enumerate(starts) if start <= spot), default=-1) for spot in spots}
    if -1 in hit:
        return None
    if isinstance(section, document.Mapping):
        return section._replace(entries=tuple(each for n, each in enumerate(section.entries) if n not in hit))
    return section._replace(items=tuple(each for n, each in enumerate(section.items) if n not in hit))


def _keys(section: Node) -> Iterator[str]:
    """What the entries of a section are called: their keys, or the `id` of each row."""
    if isinstance(section, document.Mapping):
        yield from (key.text for key, _ in section.entries)
    elif isinstance(section, document.Sequence):
        for item in section.items:
            name = item.get("id") if isinstance(item, document.Mapping) else None
            if isinstance(name, document.Scalar):
                yield name.text


def _start(node: Node) -> tuple[int, int]:
    return node.span.line, node.span.column


def _ends(entries: tuple[tuple[document.Scalar, Node], ...]) -> Iterator[tuple[int, int]]:
    """Where each entry ends: where the next begins."""
    yield from (_start(key) for key, _ in entries[1:])
    if entries:
        yield (1 << 30, 0)
