"""YAML text becomes a tree of texts with their places; the only door to the YAML library.

Nothing is guessed: every scalar stays text (`yes`, `012` and `1:30` are what they look like). Whatever could mean two
things is refused: duplicate keys, anchors, aliases, tags, several documents, invisible characters. No input raises.
"""

from __future__ import annotations

import re
from collections import abc
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from engine.rules.problem import Problem, error
from engine.rules.source import Source, Span

LARGEST = 1 << 22
"""Bytes (of a file) or characters (of a text) that are read; more is refused."""
DEEPEST = 60
"""Levels of lists and mappings inside each other."""
KEY = "[key]"
"""Last step of the path of a key itself, see `places`."""

# The C parser is twenty times faster; its marks count characters as the pure one's do.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_BOM = "\ufeff"
# INVARIANT: after this, "\n" is the only line break, so that the library's lines and `Source.line` agree. The last two
# ranges turn the direction of writing, so that a reader would see another text than the machine.
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]|\r(?!\n)|[\u2028\u2029\ufeff\ufffe\uffff\u202a-\u202e\u2066-\u2069]"
)

Step: TypeAlias = str | int
Path: TypeAlias = tuple[Step, ...]
Plain: TypeAlias = "str | list[Plain] | dict[str, Plain]"


class Scalar(NamedTuple):
    """A text as it was written; empty when there was no value."""

    text: str
    span: Span


class Sequence(NamedTuple):
    """A list."""

    items: tuple[Node, ...]
    span: Span


class Mapping(NamedTuple):
    """Keys with their values, in the order of the text; no key occurs twice."""

    entries: tuple[tuple[Scalar, Node], ...]
    span: Span

    def get(self, key: str) -> Node | None:
        """The value at `key`, or None."""
        return next((value for name, value in self.entries if name.text == key), None)


Node: TypeAlias = Scalar | Sequence | Mapping


def decode(name: str, data: bytes) -> tuple[Source, list[Problem]]:
    """The bytes of a file as a Source; a problem where they are too many or not UTF-8."""
    if len(data) > LARGEST:
        return Source(name, ""), [_too_large(Source(name, ""))]
    try:
        return Source(name, data.decode("utf-8").removeprefix(_BOM)), []
    except UnicodeDecodeError as fault:
        source = Source(name, data.decode("utf-8", errors="replace"))
        index = len(data[: fault.start].decode("utf-8"))
        span = _span_at(source, index)
        return source, [error("bad-encoding", span, "this is not utf-8", "save the file as utf-8")]


def read(source: Source) -> tuple[Node | None, list[Problem]]:
    """The one document of a text, or None; with every problem. A tree without problems is complete."""
    nodes, problems = read_all(source)
    if len(nodes) > 1:
        help = "keep one document in the file"
        problems.append(error("several-documents", nodes[1].span, "a second document starts here", help))
    if not nodes and not problems:
        problems.append(error("empty-document", _span_at(source, 0), "there is nothing in this file"))
    return (nodes[0] if nodes else None), problems


def read_all(source: Source) -> tuple[list[Node], list[Problem]]:
    """Every document of a text, in order, up to the first syntax error; with every problem."""
    source = Source(source.name, source.text.removeprefix(_BOM))
    if len(source.text) > LARGEST:
        return [], [_too_large(source)]
    forbidden = _FORBIDDEN.search(source.text)
    if forbidden:
        message = f"the character U+{ord(forbidden[0][0]):04X} cannot be used in a text"
        return [], [error("bad-encoding", _span_at(source, forbidden.start()), message, "take it out")]
    return _Builder(source).build()


def plain(node: Node) -> Plain:
    """The node as nested dicts, lists and texts."""
    match node:
        case Scalar(text):
            return text
        case Sequence(items):
            return [plain(item) for item in items]
        case Mapping(entries):
            return {key.text: plain(value) for key, value in entries}


def places(node: Node, path: Path = ()) -> Iterator[tuple[Path, Span]]:
    """The place of everything below a node: of a scalar value at its path, of a key at its path plus `KEY`.

    At the path of a list or a mapping that has a key stands the key, because that is the word an author looks for.
    """
    if not path:
        yield path, node.span
    match node:
        case Scalar():
            pass
        case Sequence(items):
            for number, item in enumerate(items):
                yield (*path, number), item.span
                yield from places(item, (*path, number))
        case Mapping(entries):
            for key, value in entries:
                below = (*path, key.text)
                yield (*below, KEY), key.span
                yield below, value.span if isinstance(value, Scalar) and value.text else key.span
                yield from places(value, below)


class Places(abc.Mapping[Path, Span]):
    """What `places` gives, by path: looked up when it is asked for, for most places never are."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._entries: dict[int, dict[Step, tuple[Scalar, Node]]] = {}  # by the id of the mapping, which `_node` keeps

    def __getitem__(self, path: Path) -> Span:
        node: Node = self._node
        key: Scalar | None = None
        for number, step in enumerate(path, 1):
            entry = self._entry(node, step)
            if entry is not None:
                key, node = entry
            elif step == KEY and number == len(path) and key is not None:
                return key.span
            else:
                raise KeyError(path)
        return node.span if key is None or (isinstance(node, Scalar) and node.text) else key.span

    def _entry(self, node: Node, step: Step) -> tuple[Scalar | None, Node] | None:
        """What stands at one step below a node, and its key where it has one."""
        if isinstance(node, Sequence):
            return (None, node.items[step]) if isinstance(step, int) and 0 <= step < len(node.items) else None
        if isinstance(node, Scalar):
            return None
        if id(node) not in self._entries:
            self._entries[id(node)] = {key.text: (key, value) for key, value in node.entries}
        return self._entries[id(node)].get(step)

    def __iter__(self) -> Iterator[Path]:
        return (path for path, _ in places(self._node))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Refused(Exception):
    """Reading cannot go on; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


class _Builder:
    """Events into nodes; collects the problems that do not stop it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []

    def build(self) -> tuple[list[Node], list[Problem]]:
        nodes: list[Node] = []
        try:
            parser = _LOADER(self.source.text)
            while (event := parser.get_event()) is not None:
                if isinstance(event, DocumentStartEvent):
                    nodes.append(self.node(parser.get_event(), parser.get_event, 0))
        except _Refused as refused:
            self.problems.append(refused.problem)
        except yaml.YAMLError as fault:
            self.problems.append(_syntax(self.source, fault))
        except (ValueError, OverflowError):  # the pure parser passes on what int() and chr() refuse: "\UFFFFFFFF"
            self.problems.append(error("yaml-syntax", _span_at(self.source, 0), "a number in this file is too large"))
        return nodes, self.problems

    def node(self, event: Any, following: Callable[[], Any], depth: int) -> Node:
        start, end = event.start_mark, event.end_mark
        span = Span(self.source, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
        if depth > DEEPEST:
            message = f"lists and mappings are more than {DEEPEST} levels deep"
            raise _Refused(error("too-deep", span, message, "give a part of it a name of its own"))
        if event.anchor is not None:
            help = "write the value out where it is needed"
            self.problems.append(error("yaml-anchor", span, "anchors and aliases cannot be used", help))
        kind = type(event)
        if kind is AliasEvent:
            return Scalar("", span)
        if event.tag is not None:
            help = "write the value alone, every value is text until its question's type decides"
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.problems.append(error("yaml-tag", span, f"the tag `{tag}` cannot be used", help))
        if kind is ScalarEvent:
            # An escape in double quotes can write what the file cannot hold; any other text stands in the file.
            if event.style == '"' and (forbidden := _FORBIDDEN.search(event.value)):
                message = f"the character U+{ord(forbidden[0][0]):04X} cannot be used in a text"
                self.problems.append(error("bad-encoding", span, message, "take it out"))
            return Scalar(event.value, span)
        below = self.mapping if kind is MappingStartEvent else self.sequence
        return below(span, following, depth + 1)

    def sequence(self, start: Span, following: Callable[[], Any], depth: int) -> Sequence:
        items = []
        while type(event := following()) is not SequenceEndEvent:
            items.append(self.node(event, following, depth))
        return Sequence(tuple(items), _until(start, event))

    def mapping(self, start: Span, following: Callable[[], Any], depth: int) -> Mapping:
        entries: dict[str, tuple[Scalar, Node]] = {}
        while type(event := following()) is not MappingEndEvent:
            key = self.node(event, following, depth)
            value = self.node(following(), following, depth)
            if not isinstance(key, Scalar) or not key.text:
                self.problems.append(error("yaml-key", key.span, "a key must be a text", "write `key: value`"))
            elif key.text in entries:
                first = entries[key.text][0].span
                message = f"the key `{key.text}` was given before, on line {first.line}"
                help = f"keep one of the two, here or at {first.place}"
                self.problems.append(error("duplicate-key", key.span, message, help))
            else:
                entries[key.text] = (key, value)
        return Mapping(tuple(entries.values()), _until(start, event))


def _until(start: Span, event: Any) -> Span:
    """From where a list or mapping starts to where the event that closes it ends."""
    end = event.end_mark
    return Span(start.source, start.line, start.column, end.line + 1, end.column + 1)


def _too_large(source: Source) -> Problem:
    return error("too-large", _span_at(source, 0), f"the file is larger than {LARGEST >> 20} MiB", "split the ruleset")


def _span_at(source: Source, index: int) -> Span:
    """One character at an index of the text."""
    before = source.text[:index]
    line = before.count("\n") + 1
    column = index - (before.rfind("\n") + 1) + 1
    return Span(source, line, column, line, column + 1)


# What the library says (a part of it), what we say, and the remedy. The first that fits counts.
_SYNTAX = (
    ("tab", "a tab cannot be used for indentation", "use spaces"),
    ("mapping values are not", "a `:` cannot stand here", "put a text with `: ` in quotes, or check the indentation"),
    ("',' or ']'", "a list is not closed, or a `,` is missing before this", "write `[a, b]`"),
    ("',' or '}'", "a mapping is not closed, or a `,` is missing before this", "write `{a: b, c: d}`"),
    ("end of stream", "a text is not closed", "add the closing quote"),
    ("expected ':'", "a `:` is missing after this key", "write `key: value`, or check the indentation"),
    ("sequence entries are not allowed", "a `-` cannot stand here", "begin the list on a line of its own"),
    ("block collection", "a `-` was expected here", "check the indentation"),
    ("expected <block end>", "the indentation does not fit", "give equal things equal indentation"),
    ("did not find expected key", "the indentation does not fit", "give equal things equal indentation"),
    ("did not find expected '-'", "the indentation does not fit", "give equal things equal indentation"),
    ("escape", "a `\\` in double quotes begins something unknown", "use single quotes, or write the character itself"),
    ("cannot start any token", "a value cannot begin with this character", "put the value in quotes"),
)  # fmt: skip
_UNREADABLE = ("", "this cannot be read as yaml", "put the value in quotes, or check the indentation")


def _syntax(source: Source, fault: yaml.YAMLError) -> Problem:
    """Where the library stopped, in our words."""
    said = f"{getattr(fault, 'context', '')} {getattr(fault, 'problem', '')}"
    mark = getattr(fault, "problem_mark", None) or getattr(fault, "context_mark", None)
    begin = getattr(fault, "context_mark", None)
    lines = source.text.split("\n")
    if (
        mark is not None
        and begin is not None
        and mark.line >= len(lines) - 1
        and not source.line(mark.line + 1)[mark.column :]
    ):
        mark = begin  # at the end of the file nothing is to be seen, what was not closed is
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    if source.line(line)[column - 1 : column] == "\t" and "start any token" in said:
        said = "tab"
    _, message, help = next((row for row in _SYNTAX if row[0] in said), _UNREADABLE)
    return error("yaml-syntax", Span(source, line, column, line, column + 1), message, help)
