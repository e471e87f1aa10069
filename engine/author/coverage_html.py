"""What cases reach, as one HTML page that needs nothing else: no script, no request; for a phone and for paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from engine.author.coverage import NOT_COUNTED, Coverage, Item
from engine.author.coverage_report import NOT_MEASURABLE, SEVERAL_LEFT_OUT, SIDE_NOTE, percent

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --soft: #595959; --paper: #fff; --line: #c9c9c9; --good: #1f6f43;
  --open: #a33a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececec; --soft: #b5b5b5; --paper: #161616; --line: #4a4a4a;
  --good: #6cc596; --open: #ffab7a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.25rem; margin-top: 2rem; }
h3 { font-size: 1.125rem; margin: 1.5rem 0 .25rem; }
h4 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .5rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  font-weight: normal; }
.number { text-align: right; white-space: nowrap; }
tfoot th, tfoot td { font-weight: bold; }
ul { margin: 0; padding-left: 1.25rem; } li { margin: .25rem 0; }
.place, .aside { color: var(--soft); font-size: .875rem; } .place { display: block; }
.open { color: var(--open); } .whole { color: var(--good); }
summary { cursor: pointer; padding: .5rem 0; }
code { font-family: ui-monospace, monospace; font-size: max(.9em, .875rem); }
@media print { :root { --ink: #000; --soft: #333; --paper: #fff; --good: #000; --open: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  h3, h4 { break-after: avoid; } li, tr { break-inside: avoid; } }
"""


def render_page(found: Sequence[tuple[Path, Coverage]]) -> str:
    """The page for one or more rulesets."""
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<title>What the cases reach</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        "<h1>What the cases reach</h1>",
        *(line for folder, each in found for line in _ruleset(folder, each)),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _ruleset(folder: Path, found: Coverage) -> Iterator[str]:
    yield f"<h2>{escape(found.ruleset)} {escape(found.version)}</h2>"
    yield f'<p class="aside">{escape(str(folder))}, {found.cases} cases, digest <code>{escape(found.digest)}</code></p>'
    yield from _summary(found)
    if found.left_out:
        yield f"<h3>Cases that {SEVERAL_LEFT_OUT}</h3>"
        yield from _list(f"<code>{escape(each.case)}</code>: {escape(each.why)}" for each in found.left_out)
    counted = [(owner, _counted(items)) for owner, items in found.missed()]
    shown = [(owner, items) for owner, items in counted if items]
    yield "<h3>What no case shows</h3>" if shown else "<p>The cases show everything that counts.</p>"
    for owner, items in shown:
        yield f"<h4>{escape(owner.title)}</h4>"
        yield from _list(_missed(item) for item in items)
    if found.refusals:
        yield "<h3>refuse</h3>"
        yield f"<p>{escape(NOT_MEASURABLE)}:</p>"
        yield from _list(f"<code>{escape(each.id)}</code>{_place(each.span.place)}" for each in found.refusals)
    aside = [item for _, items in found.missed() for item in items if item.aim.kind in NOT_COUNTED]
    if aside:
        yield f"<details><summary>{len(aside)} {escape(SIDE_NOTE)}</summary>"
        yield from _list(_missed(item) for item in aside)
        yield "</details>"
    yield from _covered([item for item in found.items if item.covered])


def _summary(found: Coverage) -> Iterator[str]:
    """The figures; what does not count stands below the whole."""
    heads = "".join(f'<th scope="col" class="number">{word}</th>' for word in ("share", "in numbers"))
    yield f'<table><thead><tr><th scope="col">kind</th>{heads}</tr></thead><tbody>'
    rows = found.summary()
    yield from (_figures(row.kind.value, row.covered, row.total) for row in rows if row.kind not in NOT_COUNTED)
    yield "</tbody><tfoot>"
    yield _figures("the whole", *found.total())
    yield "</tfoot></table>"
    for row in rows:
        if row.kind in NOT_COUNTED:
            share = f"{percent(row.covered, row.total)}, {row.covered} of {row.total}"
            yield f'<p class="aside">{escape(row.kind.value)}: {share} ({escape(SIDE_NOTE)})</p>'


def _figures(name: str, covered: int, total: int) -> str:
    state = "whole" if covered == total else "open"
    return (
        f'<tr><th scope="row">{escape(name)}</th><td class="number {state}">{percent(covered, total)}</td>'
        f'<td class="number">{covered} of {total}</td></tr>'
    )


def _covered(items: Sequence[Item]) -> Iterator[str]:
    """Which case shows what, for those who look something up."""
    yield f"<details><summary>{len(items)} that some case shows</summary><table><thead><tr>"
    yield "".join(f'<th scope="col">{word}</th>' for word in ("what", "part", "seen", "first case"))
    yield "</tr></thead><tbody>"
    for item in items:
        aim = item.aim
        cells = (f"{aim.owner.what} {aim.owner.id}", aim.part, aim.side, item.case)
        yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
    yield "</tbody></table></details>"


def _counted(items: Sequence[Item]) -> list[Item]:
    return [item for item in items if item.aim.kind not in NOT_COUNTED]


def _missed(item: Item) -> str:
    """The sentence, with what stands between backticks set as code, and the place."""
    texts = (
        f"<code>{escape(text)}</code>" if number % 2 else escape(text)
        for number, text in enumerate(item.missed.split("`"))
    )
    return f"{''.join(texts)}{_place(item.aim.span.place)}"


def _place(place: str) -> str:
    return f'<span class="place">{escape(place)}</span>'


def _list(items: Iterable[str]) -> Iterator[str]:
    yield "<ul>"
    yield from (f"<li>{item}</li>" for item in items)
    yield "</ul>"
