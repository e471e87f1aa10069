"""Boxes, arrows and wrapped text -> one inline SVG that needs no script, no font of its own and no colour.

Whoever draws hands over Boxes and Arrows with whole-pixel places; `svg` writes them in the colour of the text around
it, so that they can be read on paper and in a dark scheme. Browsers are not asked how wide a text is: `width_of`
estimates it from above, with the letters of a wide sans-serif.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from html import escape
from math import ceil

FONT, LINE, PAD = 14, 18, 7
"""Pixels: the size of all text, from one line to the next, and from a border to the text inside."""
_BOLDER = 1.13
"""How much wider bold text is."""
_WIDTHS = {**dict.fromkeys("ijlI.,:;'|!", 0.35), **dict.fromkeys('tfr()[]{}-/ "', 0.44), **dict.fromkeys("mwMW%@", 1.0)}
"""Widths in em of letters that are far from ordinary."""
_CAPITAL, _FULL, _ORDINARY = 0.79, 1.1, 0.645


class Shape(Enum):
    """What a border says: the outcome is thick, a joint is round, a finding is double, a leaf is plain."""

    OUTCOME = "outcome"
    JOINT = "joint"
    FINDING = "finding"
    LEAF = "leaf"


@dataclass(frozen=True, slots=True)
class Line:
    """A line or, before it is wrapped, a paragraph; `tail` follows in bold."""

    text: str
    face: str = "normal"
    tail: str = ""

    @property
    def said(self) -> str:
        """Its words without their looks."""
        return f"{self.text} {self.tail}".rstrip()


@dataclass(frozen=True, slots=True)
class Box:
    """A bordered text; `x`, `y` is its upper left corner."""

    x: int
    y: int
    width: int
    height: int
    lines: tuple[Line, ...]
    shape: Shape

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def middle(self) -> int:
        return self.y + self.height // 2


@dataclass(frozen=True, slots=True)
class Link:
    """A line through these points; with a `label` beside its first point where it has a meaning of its own."""

    points: tuple[tuple[int, int], ...]
    tip: str = ""
    label: str = ""
    label_at: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything that is drawn, inside width and height."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    links: tuple[Link, ...]


def width_of(text: str, face: str = "normal") -> float:
    """The pixels that a text takes at most, at the size of the drawing."""
    em = 0.0
    for letter in text:
        if unicodedata.east_asian_width(letter) in ("W", "F"):
            em += _FULL
        else:
            em += _WIDTHS.get(letter) or (_CAPITAL if letter.isupper() else _ORDINARY)
    return em * FONT * (_BOLDER if face == "bold" else 1)


def wrap(paragraph: Line, width: int) -> Iterator[Line]:
    """The paragraph in lines of at most `width` pixels; a word that is too long is broken, nothing is left out.

    The tail stays whole on the last line where there is room, else it begins a line of its own.
    """
    if not paragraph.said:
        return
    *lines, last = _broken(paragraph.text, width, paragraph.face) or [""]
    yield from (Line(line, paragraph.face) for line in lines)
    whole = Line(last, paragraph.face, paragraph.tail)
    if _width(whole) <= width:
        yield whole
    else:
        yield Line(last, paragraph.face)
        yield from (Line(line, "bold") for line in _broken(paragraph.tail, width, "bold"))


def _width(line: Line) -> float:
    return width_of(line.text, line.face) + (width_of(f" {line.tail}", "bold") if line.tail else 0)


def _broken(text: str, width: int, face: str) -> list[str]:
    lines = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if width_of(longer, face) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while len(line) > 1 and width_of(line, face) > width:
            fits = _fitting(line, width, face)
            lines.append(line[:fits])
            line = line[fits:]
    return [*lines, line] if line else lines


def _fitting(word: str, width: int, face: str) -> int:
    """How many letters of a long word fit, at least one; after a `_` or `-` where there is one."""
    fits = 1
    while width_of(word[: fits + 1], face) <= width:
        fits += 1
    joint = max(word.rfind(mark, 0, fits) for mark in "_-") + 1
    return joint or fits


def box(x: int, y: int, widest: int, paragraphs: Sequence[Line], shape: Shape, narrowest: int = 0) -> Box:
    """A box around paragraphs, as wide as its longest line needs and no wider than `widest`."""
    inside = widest - 2 * PAD
    lines = tuple(line for each in paragraphs for line in wrap(each, inside))
    needed = max((ceil(_width(line)) for line in lines), default=0) + 2 * PAD
    return Box(x, y, max(needed, narrowest), len(lines) * LINE + 2 * PAD, lines, shape)


def svg(drawing: Drawing, name: str, title: str, description: str) -> str:
    """The drawing as an image with a name and a description in words; `name` keeps its ids apart from others."""
    ids = f"{name}-title", f"{name}-desc"
    parts = [
        f'<svg class="diagram" role="img" aria-labelledby="{ids[0]}" '
        f'aria-describedby="{ids[1]}" width="{drawing.width}" height="{drawing.height}" '
        f'viewBox="0 0 {drawing.width} {drawing.height}" font-family="system-ui, sans-serif" font-size="{FONT}" '
        'fill="currentColor">',
        f'<title id="{ids[0]}">{escape(title)}</title>',
        f'<desc id="{ids[1]}">{escape(description)}</desc>',
        *(part for link in drawing.links for part in _link(link)),
        *(part for each in drawing.boxes for part in _box(each)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _box(it: Box) -> Iterator[str]:
    thick = 3 if it.shape is Shape.OUTCOME else 1
    round_ = 12 if it.shape is Shape.JOINT else 0
    yield f"<g>{_border(it.x, it.y, it.width, it.height, thick, round_)}"
    if it.shape is Shape.FINDING:
        yield _border(it.x + 3, it.y + 3, it.width - 6, it.height - 6, thick, round_)
    for number, line in enumerate(it.lines):
        bold = ' font-weight="bold"' if line.face == "bold" else ""
        tail = f' <tspan font-weight="bold">{escape(line.tail)}</tspan>' if line.tail else ""
        place = f'x="{it.x + PAD}" y="{it.y + PAD + number * LINE + FONT}"{bold}'
        yield f"<text {place}>{escape(line.text)}{tail}</text>"
    yield "</g>"


def _border(x: int, y: int, width: int, height: int, thick: int, round_: int) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{round_}" fill="none" '
        f'stroke="currentColor" stroke-width="{thick}"/>'
    )


def _link(link: Link) -> Iterator[str]:
    points = " ".join(f"{x},{y}" for x, y in link.points)
    yield f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1"/>'
    if link.tip:
        x, y = link.points[-1]
        corners = {"down": ((-5, -8), (5, -8)), "right": ((-8, -5), (-8, 5))}[link.tip]
        around = " ".join(f"{x + dx},{y + dy}" for dx, dy in ((0, 0), *corners))
        yield f'<polygon points="{around}"/>'
    if link.label:
        x, y = link.label_at
        yield f'<text x="{x}" y="{y}">{escape(link.label)}</text>'
