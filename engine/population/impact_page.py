"""An impact as one HTML page that needs nothing else: plain words, tables, and plots that are drawn in it.

All that it shows comes from ImpactTold, so that no count stands here that may not be told. Whatever comes from a
ruleset or an input is escaped by Jinja.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from engine.population.impact import Kind
from engine.population.impact_told import ImpactTold, Named
from engine.population.protecting import NOBODY, GroupsTold, Told
from engine.record.feedback import FEWEST
from engine.rules.model import CheckedRuleset, Ruleset

HERE = Path(__file__).parent
LANGUAGES = ("nl", "en")
"""Those that the page has words for; the first is the one where none is asked for."""
_WORDS: Mapping[str, Mapping[str, Any]] = {
    language: tomllib.loads((HERE / f"impact.{language}.toml").read_text("utf-8")) for language in LANGUAGES
}
_TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_WIDTH, _LABELS, _FIGURES, _BAR, _GAP = 800, 300, 130, 18, 10
"""Of a plot, in its own units: all of it, the names on the left, the figures on the right, a bar, and between bars."""
_URGENCY = {Kind.LESS_URGENT.value: "less_urgent", Kind.MORE_URGENT.value: "more_urgent"}


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of a plot; `look` is its class."""

    look: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Label:
    """A text in a plot."""

    x: float
    y: float
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars from the left, one below the other. `label` says in words what is seen."""

    label: str
    width: int
    height: int
    bars: tuple[Bar, ...]
    texts: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One bar of a plot: how long it is at least and at most, and the figure that stands behind it."""

    name: str
    low: float
    high: float
    figure: str
    look: str


def render_page(it: ImpactTold, old: CheckedRuleset, new: CheckedRuleset, language: str) -> str:
    """The page in one of LANGUAGES. The same impact gives the same text."""
    page = _Page(it, old, new, _WORDS[language], language)
    return _TEMPLATES.get_template("impact.html").render(page.content())


def in_short(it: ImpactTold, old: CheckedRuleset, new: CheckedRuleset, language: str) -> str:
    """The figures by kind as lines of text, for a terminal."""
    page = _Page(it, old, new, _WORDS[language], language)
    words = page.words
    lines = [(page.figure(Told(it.rows, it.rows)), words["rows"])]
    if it.told:
        kinds = ((page.figure(it.of_kind(kind)), words["kinds"][kind.value]) for kind in Kind)
        lines += [(page.figure(it.changed), words["changed"]), *(line for line in kinds if line[0] != "0")]
        lines += [(page.figure(it.laxer), words["laxer"]), (page.figure(it.safer), words["safer"])]
    wide = max(len(figure) for figure, _ in lines)
    told = "\n".join(f"{figure:>{wide}}  {said}" for figure, said in lines)
    return told if it.told else f"{told}\n{words['too_few']}"


@dataclass(frozen=True, slots=True)
class _Page:
    it: ImpactTold
    old: CheckedRuleset
    new: CheckedRuleset
    words: Mapping[str, Any]
    language: str

    def content(self) -> dict[str, Any]:
        """What the template needs, all of it in words."""
        it, words = self.it, self.words
        before, after = self.old.ruleset, self.new.ruleset
        everybody = Told(it.rows, it.rows)
        head = [(words["rows"], everybody)]
        if it.told:
            head += [
                (words["unchanged"], it.of_kind(Kind.SAME)),
                (words["changed"], it.changed),
                (words["laxer"], it.laxer),
                (words["safer"], it.safer),
            ]
        kinds = [(kind.value, it.of_kind(kind)) for kind in Kind]
        return {
            "w": words,
            "title": words["title"].format(id=after.id, old=before.version, new=after.version),
            "versions": [
                {"which": which, "id": each.ruleset.id, "version": each.ruleset.version, "digest": each.digest}
                for which, each in (("old", self.old), ("new", self.new))
            ],
            "head": [(label, self.figure(told), self.share(told) if told != everybody else "") for label, told in head],
            "told": it.told,
            "protect": words["protect"].format(most=FEWEST - 1, fewest=FEWEST),
            "kinds": [(kind, self.figure(told), self.share(told)) for kind, told in kinds if told != NOBODY],
            "kinds_plot": plot(words["plot_kinds"], self._changed()),
            "states": [self.state(each) for each in it.states],
            "states_plot": plot(words["plot_states"], self._states()),
            "matrix": [self._from(each) for each in it.states],
            "matrix_foot": [self.figure(it.between("", each)) for each in (*it.states, "")],
            "rules": [*self._rules()],
            "groups": [self._group(column, table) for column, table in it.groups.items()],
            "named": [
                {
                    "title": words[f"{what}_title"],
                    "note": words.get(f"{what}_note", ""),
                    "what": words[name],
                    "by": words[by],
                    "lines": [(each.name, words[each.version.value], self.figure(each.people)) for each in lines],
                }
                for what, name, by, lines in self._named()
            ],
        }

    def figure(self, told: Told) -> str:
        """A count, as much of it as may be told."""
        if told.small:
            return f"<{FEWEST}"
        if told.exact:
            return self._number(told.low)
        return str(self.words["between"].format(low=self._number(told.low), high=self._number(told.high)))

    def _number(self, number: int) -> str:
        return f"{number:,}".replace(",", self.words["thousands"])

    def share(self, told: Told) -> str:
        """A share of all rows; empty where it would tell more than the count does."""
        return _percent(told.low, self.it.rows, self.language) if told.exact else ""

    def state(self, state: str) -> str:
        """A disposition by the new ruleset's title for it, or what else a version says of a row."""
        said = self.words["states"].get(state)
        return str(said) if said is not None else self._text(self.new.ruleset, "disposition_titles", state) or state

    def _text(self, ruleset: Ruleset, section: str, key: str) -> str:
        texts = ruleset.texts.get(self.language) or ruleset.texts[ruleset.languages[0]]
        wording = texts.get(section, key)
        return wording.clinician or wording.patient if section == "reasons" else wording.patient

    def _changed(self) -> Iterator[Line]:
        for kind in Kind:
            told = self.it.of_kind(kind)
            if kind.changes and told != NOBODY:
                name, look = self.words["kinds"][kind.value], _URGENCY.get(kind.value, "neutral")
                yield Line(name, told.low, told.high, self.figure(told), look)

    def _states(self) -> Iterator[Line]:
        for state in self.it.states:
            for which, told in (("old", self.it.between(state, "")), ("new", self.it.between("", state))):
                look = "neutral" if which == "old" else "more_urgent"
                name = f"{self.state(state)}, {self.words[which]}"
                yield Line(name, told.low, told.high, self.figure(told), look)

    def _from(self, old: str) -> tuple[str, list[tuple[str, str]], str]:
        it = self.it
        cells = [("same" if old == new else "", self.figure(it.between(old, new))) for new in it.states]
        return self.state(old), cells, self.figure(it.between(old, ""))

    def _rules(self) -> Iterator[tuple[str, str, str, str, str]]:
        for each in self.it.rules:
            if each.role is None:
                yield each.kind.value, self.words["no_rule"], "", self.figure(each.people), ""
            else:
                role = self.words["roles"][each.role.value]
                yield each.kind.value, each.rule, role, self.figure(each.people), self._reason(each.rule)

    def _reason(self, rule: str) -> str:
        """Why a rule sends somebody somewhere; in the words of the new version where it has the rule."""
        for ruleset in (self.new.ruleset, self.old.ruleset):
            found = ruleset.default if rule == ruleset.default.id else ruleset.rules.get(rule)
            if found is not None:
                return self._text(ruleset, "reasons", found.because)
        return ""

    def _group(self, column: str, table: GroupsTold | None) -> dict[str, Any]:
        title = self.words["groups_title"].format(column=column)
        if table is None:
            return {"title": title, "lines": []}
        lines = [
            (group or self.words["nameless"], table.people[group], table.by_kind[group], table.together[group])
            for group in table.people
        ]
        rest = self.words["rest_one" if table.rest == 1 else "rest_many"]
        name = rest.format(largest=table.largest or self.words["nameless"], others=self._number(table.rest - 1))
        lines.append((name, table.rest_people, table.rest_by_kind, table.rest_together))
        kinds = [kind for kind in table.kinds if any(cells[kind] != NOBODY for _, _, cells, _ in lines)]
        return {
            "title": title,
            "kinds": kinds,
            "plot": plot(
                self.words["plot_groups"], self._shares([(name, people, cells) for name, people, cells, _ in lines])
            ),
            "lines": [
                (name, self._number(people), [self.figure(cells[kind]) for kind in kinds], self.figure(together))
                for name, people, cells, together in lines
            ],
        }

    def _shares(self, lines: Iterable[tuple[str, int, Mapping[str, Told]]]) -> Iterator[Line]:
        for name, people, cells in lines:
            for kind, look in _URGENCY.items():
                told = cells.get(kind, NOBODY)
                if told != NOBODY:
                    said = f"{self.words['kinds'][kind]}: {name}"
                    figure = self.figure(told)
                    if told.exact:
                        figure += f" ({_percent(told.low, people, self.language)})"
                    yield Line(said, told.low / people, told.high / people, figure, look)

    def _named(self) -> Iterator[tuple[str, str, str, Sequence[Named]]]:
        yield "left_out", "question", "left_out_by", self.it.left_out
        yield "codes", "code", "refused_by", self.it.codes


def plot(label: str, lines: Iterable[Line]) -> Plot:
    """Bars as long as what they stand for; pale from the least to the most that it can be."""
    lines = [*lines]
    longest = max((line.high for line in lines), default=0) or 1
    scale = (_WIDTH - _LABELS - _FIGURES) / longest
    bars: list[Bar] = []
    texts: list[Label] = []
    for number, line in enumerate(lines):
        y = number * (_BAR + _GAP) + _GAP
        low, high = round(line.low * scale, 1), round(line.high * scale, 1)
        bars.append(Bar(line.look, _LABELS, y, low, _BAR))
        if high > low:
            bars.append(Bar(f"{line.look} range", round(_LABELS + low, 1), y, round(high - low, 1), _BAR))
        foot = y + _BAR - _GAP / 2
        texts.append(Label(_LABELS - _GAP, foot, "end", _short(line.name)))
        texts.append(Label(round(_LABELS + high + _GAP / 2, 1), foot, "start", line.figure))
    return Plot(label, _WIDTH, len(lines) * (_BAR + _GAP) + _GAP, tuple(bars), tuple(texts))


_LONGEST = 38
"""Characters of a name that fit beside a bar; the table has it in full."""


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _percent(part: int, whole: int, language: str) -> str:
    """A share in per cent, with two figures where it is small; not 0 or 100 where it is not."""
    per_cent = f"{100 * part / whole:.2f}" if whole else "0.00"
    return f"{per_cent.replace('.', ',') if language == 'nl' else per_cent}%"
