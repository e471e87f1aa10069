"""A YAML text as entries with the comments and blank lines around each: what the tree of `rules` leaves out.

A comment belongs to the entry below it, to the line on which it stands, or to the end of the list or mapping in whose
column it stands.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.rules.document import Mapping, Node, Scalar
from engine.rules.source import Source

_COMMENT = re.compile(r"#[^\n]*")
_IN_HEADER = re.compile(r"[|>][-+0-9]*[ \t]+(#[^\n]*)")
_BLANK = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment with its `#`, and the column (from 0) in which it stood."""

    text: str
    column: int


@dataclass(eq=False, slots=True)
class Entry:
    """A key with its value, an item of a list (it has no key), or the whole document."""

    key: Scalar | None
    value: Node
    parent: Entry | None
    start: int
    key_end: int
    end: int
    flow: bool
    """Its value is a list or mapping written in brackets."""
    children: list[Entry] = field(default_factory=list)
    above: list[str] = field(default_factory=list)
    """Comments on lines of their own above it; an empty text is a blank line."""
    head: list[Comment] = field(default_factory=list)
    """Comments behind its key."""
    foot: list[Comment] = field(default_factory=list)
    """Comments behind its end."""
    tail: list[str] = field(default_factory=list)
    """Comments below its last child, in the column of its children."""
    commented: bool = False
    """There is a comment between its brackets, so that it cannot stand on one line."""

    def around(self) -> Iterator[Entry]:
        """Itself and what it stands in, innermost first."""
        entry: Entry | None = self
        while entry is not None:
            yield entry
            entry = entry.parent


class Outline:
    """The entries of a text whose tree is `node`, with all its comments in their places."""

    def __init__(self, source: Source, node: Node) -> None:
        self.text = source.text
        self._lines = [0, *(each.end() for each in re.finditer("\n", self.text))]
        self._scalars: list[tuple[int, int]] = []
        self._entries: list[Entry] = []
        self.comments: list[str] = []
        self.root = self._entry(None, node, None)
        self._scalars.sort()
        # from here on the root is only what everything stands in
        self._entries = [each for each in self._entries if each is not self.root]
        self._starts = [each.start for each in self._entries]
        self._place_all()

    def raw(self, scalar: Scalar) -> str:
        """A scalar as it was written; empty where nothing was."""
        return self.text[slice(*self._extent(scalar))]

    def line_of(self, offset: int) -> int:
        return bisect_right(self._lines, offset)

    def _offset(self, line: int, column: int) -> int:
        return min(self._lines[min(line, len(self._lines)) - 1] + column - 1, len(self.text))

    def _extent(self, node: Node) -> tuple[int, int]:
        span = node.span
        start, end = self._offset(span.line, span.column), self._offset(span.end_line, span.end_column)
        if isinstance(node, Scalar) and self.text[start : start + 1] in ("|", ">") and end > start:
            # the library lets a block end where the next thing begins
            written = self.text[start:end]
            keeps = "+" in written.partition("\n")[0].partition("#")[0]
            end = start + len(written if keeps else written.rstrip())
        return start, end

    def _entry(self, key: Scalar | None, value: Node, parent: Entry | None) -> Entry:
        start, end = self._extent(value)
        opened = self.text[start : start + 1] in ("[", "{")
        scalar = isinstance(value, Scalar)
        key_end = start
        if scalar and start < end:
            self._scalars.append((start, end))
        if key is not None:
            begin, key_end = self._extent(key)
            self._scalars.append((begin, key_end))
            if scalar and start == end:
                start = end = key_end
            start = begin
        flow = not scalar and (opened or (parent is not None and parent.flow))
        entry = Entry(key, value, parent, start, key_end, end, flow)
        self._entries.append(entry)
        if isinstance(value, Mapping):
            entry.children = [self._entry(name, each, entry) for name, each in value.entries]
        elif not isinstance(value, Scalar):
            entry.children = [self._entry(None, each, entry) for each in value.items]
        if not scalar and not opened:
            entry.end = entry.children[-1].end if entry.children else entry.key_end
        return entry

    def _place_all(self) -> None:
        """Gives every comment and every blank line to the entry that it belongs to."""
        blank = False
        events = sorted([*self._found_comments(), *self._found_blanks()])
        for number, (offset, text) in enumerate(events):
            following = events[number + 1] if number + 1 < len(events) else None
            if text == _BLANK:
                blank = blank or number > 0 or self.text[:offset].strip() != ""
                if following is None or self.text[offset : following[0]].strip() or self._trails(following):
                    if blank:
                        self._place_blank(offset)
                    blank = False
                continue
            self.comments.append(text)
            if self._trails((offset, text)):
                self._place_trailing(offset, text)
                continue
            place = self._place_own(offset)
            if blank and (not place or place[-1] != _BLANK):
                place.append(_BLANK)
            place.append(text)
            blank = False

    def _found_comments(self) -> Iterator[tuple[int, str]]:
        """Every `#` outside the scalars begins a comment, and one in the first line of a block of text."""
        position = 0
        for start, end in [*self._scalars, (len(self.text), len(self.text))]:
            for found in _COMMENT.finditer(self.text, position, max(position, start)):
                yield found.start(), found[0].rstrip()
            header = _IN_HEADER.match(self.text, start, end)
            if header:
                yield header.start(1), header[1].rstrip()
            position = max(position, end)

    def _found_blanks(self) -> Iterator[tuple[int, str]]:
        for number, start in enumerate(self._lines):
            end = self._lines[number + 1] if number + 1 < len(self._lines) else len(self.text)
            if end > start and not self.text[start:end].strip() and self._scalar_over(start) is None:
                yield start, _BLANK

    def _scalar_over(self, offset: int) -> tuple[int, int] | None:
        index = bisect_right(self._scalars, (offset, len(self.text) + 1)) - 1
        return self._scalars[index] if index >= 0 and self._scalars[index][1] > offset else None

    def _trails(self, event: tuple[int, str]) -> bool:
        """Does a comment stand behind something on its line? The dash of a list item alone does not count."""
        offset, text = event
        if text == _BLANK:
            return False
        begin = self._lines[self.line_of(offset) - 1]
        before = self.text[begin:offset]
        index = bisect_right(self._scalars, (offset, 0)) - 1
        if index >= 0 and self._scalars[index][1] > begin:
            return True
        return bool(before.strip(" \t-?")) and self._last_before(offset) is not None

    def _last_before(self, offset: int) -> Entry | None:
        """The innermost entry that begins last before an offset."""
        index = bisect_right(self._starts, offset - 1) - 1
        return self._entries[index] if index >= 0 else None

    def _next_after(self, offset: int) -> Entry | None:
        """The outermost entry that begins first after an offset."""
        index = bisect_right(self._starts, offset)
        return self._entries[index] if index < len(self._entries) else None

    def _mark(self, offset: int, entry: Entry | None) -> None:
        for each in entry.around() if entry is not None else ():
            if each.flow and self._extent(each.value)[0] < offset < each.end:
                each.commented = True

    def _place_trailing(self, offset: int, text: str) -> None:
        entry = self._last_before(offset)
        assert entry is not None  # `_trails` saw it
        self._mark(offset, entry)
        comment = Comment(text, offset - self._lines[self.line_of(offset) - 1])
        if entry.end > offset or (entry.children and not entry.flow):
            entry.head.append(comment)
            return
        while entry.parent is not None and entry.parent.flow and entry.parent.end <= offset and entry.parent.parent:
            entry = entry.parent
        entry.foot.append(comment)

    def _place_own(self, offset: int) -> list[str]:
        """Where a comment on a line of its own, or one behind a dash, is kept."""
        before, after = self._last_before(offset), self._next_after(offset)
        self._mark(offset, before)
        if before is None:
            return after.above if after is not None else self.root.tail
        if before.end > offset and (not before.children or (before.flow and offset < self._extent(before.value)[0])):
            return before.above  # between a key and its value
        bracket = next((each for each in before.around() if each.flow and each.end > offset), None)
        if bracket is not None:
            inside = after is not None and bracket in after.around()
            return after.above if inside and after is not None else bracket.tail
        begin = self._lines[self.line_of(offset) - 1]
        column = len(self.text[begin:offset]) - len(self.text[begin:offset].lstrip(" \t"))
        if after is not None and column <= self._column(after):
            return after.above
        for each in before.around():
            if each.children and not each.flow and each.value.span.column - 1 <= column:
                if after is None or each not in after.around():
                    return each.tail
                break
        return after.above if after is not None else self.root.tail

    def _column(self, entry: Entry) -> int:
        """The column in which the children stand with which an entry stands."""
        return entry.parent.value.span.column - 1 if entry.parent is not None else 0

    def _place_blank(self, offset: int) -> None:
        """A blank line stays when an entry begins on the next line that is not blank."""
        after = self._next_after(offset - 1)
        if after is None or self.text[offset : after.start].strip(" \t\n-?"):
            return
        if not after.above or after.above[-1] != _BLANK:
            after.above.append(_BLANK)
