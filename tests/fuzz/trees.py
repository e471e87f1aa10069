"""Changes to the tree of a valid file: drop, swap, retype, nest, rename, duplicate; and gentle ones that mostly fit.

A tree is what `document.plain` gives: dicts, lists and texts. A mutated tree is written as JSON, which is YAML.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from hypothesis import strategies as st

from engine.rules import document
from engine.rules.scale import Call, Disposition, Programme
from engine.rules.source import Source

Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]
Step: TypeAlias = str | int
Tree: TypeAlias = Any

TWIN = "\x00"
"""Ends a key that is written like the key before it: a dict cannot hold it twice, a file can."""

STRANGE: tuple[Tree, ...] = (
    "", " ", "yes", "no", "unknown", "none", "0", "-1", "1.5", "012", "1e9", "9" * 45, "99999999999999999999", "NaN",
    "E01", "age", "*", "needs_answers", "emergency", "2026-02-30", "é", "\u202e", "\ufeff", "a: b", "x" * 5000,
    [], {}, [[]], {"": ""}, ["yes"], {"all": []}, {"any": [{}]}, {"not": "yes"}, {"unknown": "unknown"}, {"in": []},
)  # fmt: skip

OPERATORS = ("at_least", "at_most", "above", "below")
WRAPPERS = ("not", "unless", "surely")
SCALES = tuple(tuple(scale.words()) for scale in (Disposition, Call, Programme))


def read(path: Path) -> Tree:
    """The content of a file of the repository."""
    node, problems = document.read(Source(path.name, path.read_text(encoding="utf-8")))
    assert node is not None and not problems, path
    return document.plain(node)


def write(tree: Tree) -> str:
    """The tree as text; keys that end in TWIN stand there twice."""
    return json.dumps(tree, indent=1, ensure_ascii=False, default=str).replace(json.dumps(TWIN)[1:-1], "")


def paths(tree: Tree, above: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """The path of everything below the root."""
    for step, below in _children(tree):
        yield (*above, step)
        yield from paths(below, (*above, step))


def mutated(draw: Draw, tree: Tree, wild: int, gentle: int) -> Tree:
    """The tree with so many wild and gentle changes; the one that came in is left as it is."""
    tree = copy.deepcopy(tree)
    for changes, number in ((WILD, wild), (GENTLE, gentle)):
        for _ in range(number):
            change = draw(st.sampled_from(changes))
            known = [path for path in paths(tree) if change is not swap or path]
            if known:
                change(draw, tree, known)
    return tree


def drop(draw: Draw, tree: Tree, known: list[tuple[Step, ...]]) -> None:
    holder, step = _place(tree, draw(st.sampled_from(known)))
    del holder[step]


def swap(draw: Draw, tree: Tree, known: list[tuple[Step, ...]]) -> None:
    """Two values change places; one inside the other stays."""
    one, other = draw(st.sampled_from(known)), draw(st.sampled_from(known))
    if one != other[: len(one)] and other != one[: len(other)]:
        first, second = _place(tree, one), _place(tree, other)
        first[0][first[1]], second[0][second[1]] = second[0][second[1]], first[0][first[1]]


def retype(draw: Draw, tree: Tree, known: list[tuple[Step, ...]]) -> None:
    holder, step = _place(tree, draw(st.sampled_from(known)))
    holder[step] = copy.deepcopy(draw(st.sampled_from(STRANGE)))


def nest(draw: Draw, tree: Tree, known: list[tuple[Step, ...]]) -> None:
    """A value goes one level, or far too many levels, down."""
    holder, step = _place(tree, draw(st.sampled_from(known)))
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 70)))):
        wrapper = draw(st.sampled_from(("list", "key", "all", "not", "finding")))
        holder[step] = (
            [holder[step]] if wrapper == "list" else {wrapper: [holder[step]] if wrapper == "all" else holder[step]}
        )


def rename(draw: Draw, tree: Tree, known: list[tuple[Step, ...]]) -> None:
    """A key gets the name of another key, or one that looks like its own."""
    keys = [path for path in known if isinstance(path[-1], str)]
    if keys:
        holder, step = _place(tree, draw(st.sampled_from(keys)))
        other = str(draw(st.sampled_from(keys))[-1])
        name = draw(st.sampled_from((other, f"{step}s", str(step)[1:], str(step).upper(), "x" * 3000, "")))
        entries = [(name if key == step else key, value) for key, value in holder.items()]
        holder.clear()
        holder.update(entries)


def duplicate(draw: Draw, tree: Tree, known: list[tuple[Step, ...]]) -> None:
    holder, step = _place(tree, draw(st.sampled_from(known)))
    if isinstance(holder, list):
        holder.insert(int(step), copy.deepcopy(holder[step]))
    else:
        holder[f"{step}{TWIN}"] = copy.deepcopy(holder[step])


def number(draw: Draw, tree: Tree, known: list[tuple[Step, ...]]) -> None:
    """A number moves by a step, or a part of one."""
    found = [path for path in known if re.fullmatch(r"\d{1,6}(\.\d{1,3})?", str(_value(tree, path)))]
    if found:
        holder, step = _place(tree, draw(st.sampled_from(found)))
        holder[step] = str(Decimal(holder[step]) + Decimal(draw(st.sampled_from(("1", "-1", "0.5", "10")))))


def scale(draw: Draw, tree: Tree, known: list[tuple[Step, ...]]) -> None:
    """A word of a scale becomes another of the same."""
    found = [(path, words) for path in known for words in SCALES if _value(tree, path) in words]
    if found:
        path, words = draw(st.sampled_from(found))
        holder, step = _place(tree, path)
        holder[step] = draw(st.sampled_from(words))


def operator(draw: Draw, tree: Tree, known: list[tuple[Step, ...]]) -> None:
    """A comparison turns round, or `all` becomes `any`."""
    for words in (OPERATORS, ("all", "any")):
        found = [path for path in known if path[-1] in words]
        if found:
            holder, step = _place(tree, draw(st.sampled_from(found)))
            other = draw(st.sampled_from(words))
            holder[other] = holder.pop(step)


def wrap(draw: Draw, tree: Tree, known: list[tuple[Step, ...]]) -> None:
    """A condition goes under `not`, `unless` or `surely`."""
    found = [path for path in known if path[-1] == "when" and isinstance(_value(tree, path), dict)]
    found += [path[:-1] for path in known if path[-1] in ("finding", "unknown") and isinstance(_value(tree, path), str)]
    if found:
        holder, step = _place(tree, draw(st.sampled_from(found)))
        holder[step] = {draw(st.sampled_from(WRAPPERS)): holder[step]}


def member(draw: Draw, tree: Tree, known: list[tuple[Step, ...]]) -> None:
    """A condition in a list becomes another one of the file."""
    found = [path for path in known if isinstance(path[-1], int) and path[-2:-1] in (("any",), ("all",), ("of",))]
    if found:
        one, other = draw(st.sampled_from(found)), draw(st.sampled_from(found))
        taken = copy.deepcopy(_value(tree, other))
        holder, step = _place(tree, one)
        holder[step] = taken


WILD = (drop, swap, retype, nest, rename, duplicate)
GENTLE = (number, scale, operator, wrap, member)


def _children(tree: Tree) -> Iterator[tuple[Step, Tree]]:
    if isinstance(tree, dict):
        yield from tree.items()
    elif isinstance(tree, list):
        yield from enumerate(tree)


def _place(tree: Tree, path: tuple[Step, ...]) -> tuple[Any, Any]:
    """What holds the value at a path, and its last step."""
    return _value(tree, path[:-1]), path[-1]


def _value(tree: Tree, path: tuple[Step, ...]) -> Tree:
    for step in path:
        tree = tree[step]
    return tree
