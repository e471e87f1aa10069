"""Pictures of what was measured, as SVG; the same numbers give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.bench.asked import Ratio

WIDTH = 7.5
"""Inches."""
BAR = 0.32
"""Inches for each bar."""
OURS, OTHERS, AIM = "#1b6e8c", "#b9c4c9", "#b5472f"
STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "pluis",  # ids of shapes would be random otherwise
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def bars(
    path: Path,
    title: str,
    rows: Sequence[tuple[str, Ratio]],
    aims: Mapping[str, float],
    ours: Sequence[str],
    scale: Literal["linear", "log"] = "linear",
) -> None:
    """A bar for each ratio with its quartiles, the first on top.

    Those named in `aims` have a mark where they should be; `ours` are drawn in another colour.
    """
    with _figure(path, title, 1.0 + BAR * len(rows)) as axes:
        for place, (name, each) in enumerate(rows):
            spread = [[each.middle - each.low], [each.high - each.middle]]
            colour = OURS if name in ours else OTHERS
            axes.barh(place, each.middle, height=0.7, color=colour, xerr=spread, error_kw={"lw": 0.8, "capsize": 2})
            axes.annotate(f" {each.middle:.2f}", (max(each.high, each.middle), place), va="center", fontsize=8)
            if name in aims:
                axes.plot([aims[name]] * 2, [place - 0.42, place + 0.42], color=AIM, lw=1.6)
        axes.set_yticks(range(len(rows)), [name for name, _ in rows])
        axes.invert_yaxis()
        axes.set_xscale(scale)
        if scale == "linear":
            axes.set_xlim(left=0)
        axes.margins(x=0.12)


def lines(path: Path, title: str, across: str, series: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    """A line for each series, both axes logarithmic: what grows in proportion is straight, and as steep as the grid."""
    with _figure(path, title, 3.4) as axes:
        for place, (name, points) in enumerate(series.items()):
            axes.plot(*zip(*points, strict=True), marker="o", ms=3.5, lw=1.4, label=name, color=f"C{place}")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(across)
        axes.grid(lw=0.3)
        axes.legend(frameon=False)


@contextmanager
def _figure(path: Path, title: str, height: float) -> Iterator[Axes]:
    """Axes to draw on; what was drawn is then written."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        axes = figure.subplots()
        axes.set_title(title, loc="left", fontsize=10)
        yield axes
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    text = path.read_text(encoding="utf-8")
    path.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n", encoding="utf-8")
