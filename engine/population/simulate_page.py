"""A simulation as one HTML page that needs nothing else, in Dutch or English; it says first that it is a simulation."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from engine.population.model import ASSUMED, Condition, Model
from engine.population.outcome import UNSETTLED, Figures, Held, Part
from engine.rules.model import CheckedRuleset, Ruleset
from engine.rules.scale import Disposition, Programme

HERE = Path(__file__).parent
LANGUAGES = ("nl", "en")
"""In which the page can be written."""
_RULES = 24
"""Rules that are shown, those that send most."""
_WIDTH = 6
"""Questions of one bar, of how long interviews are."""
_LENGTHS = ("questions", "screens", "form")
_PLACES = (*(each.word for each in Disposition), UNSETTLED)

_Bar = tuple[str, int, float | None, float, str]
"""Name, count, share, length from 0 to 1, and the class of its colour."""
_Stack = tuple[str, int, list[tuple[str, str, float]]]
"""Name, count, and of each piece the class of its colour, its name and share."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page is made of."""

    checked: CheckedRuleset
    model: Model
    seed: int
    figures: Figures
    interviews: Sequence[Held]


def render_simulation(page: Page, language: str) -> str:
    """The page, in one of LANGUAGES; the warning stands in each of them."""
    words = _words()
    said = words[language]
    figures, ruleset = page.figures, page.checked.ruleset
    titles = _titles(ruleset, language, said)
    template = _environment().get_template("simulate.html")
    rows = page.model.rows
    assumed = sum(1 for row in rows if row.source == ASSUMED)
    return template.render(
        language=language,
        words=said,
        warnings=[
            {"language": each, "text": words[each]["warning"]} for each in sorted(LANGUAGES, key=language.__ne__)
        ],
        limits=[each.format(assumed=assumed, rows=len(rows)) for each in said["limits"]],
        population=_title(page.model.titles, language),
        made=said["made"].format(
            people=f"{figures.rows:,}",
            seed=page.seed,
            ruleset=ruleset.id,
            version=ruleset.version,
            digest=page.checked.digest,
        ),
        rejected=said["rejected"].format(rejected=figures.rejected) if figures.rejected else "",
        sent=[*_sent(figures, titles)],
        fit=[(said[name], part) for name, part in _fit(figures).items()],
        key=[(_kind(place), titles[place]) for place in _PLACES],
        conditions=[
            _stack(_title(each.titles, language), {place: figures.people([each], [place]) for place in _PLACES}, titles)
            for each in figures.conditions.values()
        ],
        fitted=[_fitted(figures, each, language, titles) for each in figures.conditions.values()],
        groups=[*_groups(figures, titles)],
        rules=[*_rules(figures)],
        programmes=[*_programmes(figures, ruleset, language)],
        interview=_interview(page.interviews, said),
        lengths=[*_lengths(page.interviews, said)],
        sources=[*page.model.sources.items()],
    )


def in_short(page: Page, language: str) -> str:
    """The main figures as lines for a terminal; the warning first."""
    said = _words()[language]
    titles = _titles(page.checked.ruleset, language, said)
    lines = [said["warning"], ""]
    lines += [f"{_percent(share):>8}{count:>12,}  {name}" for name, count, share, _, _ in _sent(page.figures, titles)]
    lines.append("")
    lines += [f"{_percent(part.share):>8}{part.count:>12,}  {said[name]}" for name, part in _fit(page.figures).items()]
    if page.interviews:
        lines += ["", _interview(page.interviews, said)]
    return "\n".join(lines)


def as_numbers(page: Page) -> Mapping[str, Any]:
    """The figures as plain values for JSON."""
    figures = page.figures
    return {
        "simulation": True,
        "seed": page.seed,
        "ruleset_digest": page.checked.digest,
        "model_digest": page.model.digest,
        "patients": figures.rows,
        "rejected": figures.rejected,
        "sent": {place: figures.at(place).count for place in _PLACES},
        "fit": {name: {"count": part.count, "of": part.of} for name, part in _fit(figures).items()},
        "conditions": {
            each.id: {
                "serious": each.serious,
                "needs": each.needs.word,
                "sent": {place: figures.people([each], [place]) for place in _PLACES},
                "too_low": figures.too_low(each).count,
            }
            for each in figures.conditions.values()
        },
        "rules": {rule: count for (_, rule), count in figures.rules.items()},
        "programmes": dict(figures.programmes),
        "interviews": {
            "number": len(page.interviews),
            **{name: median(getattr(each, name) for each in page.interviews) for name in _LENGTHS if page.interviews},
        },
    }


def _fit(figures: Figures) -> dict[str, Part]:
    """How it fits what people have, by the key of its words."""
    return {
        "over_triage": figures.over_triage(),
        "over_triage_strict": figures.over_triage_strict(),
        "under_triage": figures.under_triage(),
        "open_serious": figures.open_serious(),
    }


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"


def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)


def _words() -> Mapping[str, Any]:
    return {each: tomllib.loads((HERE / f"simulate.{each}.toml").read_text(encoding="utf-8")) for each in LANGUAGES}


def _titles(ruleset: Ruleset, language: str, said: Mapping[str, str]) -> dict[str, str]:
    """What the ruleset calls each disposition in this language; its id where it has no such language."""
    texts = ruleset.texts.get(language)
    titles = {
        each.word: each.word if texts is None else texts.get("disposition_titles", each.word).patient
        for each in Disposition
    }
    return titles | {UNSETTLED: said["unsettled"]}


def _title(titles: Mapping[str, str], language: str) -> str:
    return titles.get(language) or next(iter(titles.values()))


def _kind(place: str) -> str:
    """The class of a disposition's colour."""
    return f"d{Disposition.words()[place].value}" if place in Disposition.words() else "d0"


def _sent(figures: Figures, titles: Mapping[str, str]) -> Iterator[_Bar]:
    for place in reversed(_PLACES):
        part = figures.at(place)
        yield titles[place], part.count, part.share, part.share or 0, _kind(place)


def _stack(
    name: str, counts: Mapping[str, int], titles: Mapping[str, str]
) -> tuple[str, int, list[tuple[str, str, float]]]:
    total = sum(counts.values())
    return (
        name,
        total,
        [(_kind(place), titles[place], count / total if total else 0) for place, count in counts.items()],
    )


def _fitted(
    figures: Figures, condition: Condition, language: str, titles: Mapping[str, str]
) -> tuple[str, str, bool, Part]:
    return (
        _title(condition.titles, language),
        titles[condition.needs.word],
        condition.serious,
        figures.too_low(condition),
    )


def _groups(figures: Figures, titles: Mapping[str, str]) -> Iterator[_Stack]:
    for name, value in dict.fromkeys((name, value) for name, value, _ in figures.groups):
        counts = {place: figures.groups.get((name, value, place), 0) for place in _PLACES}
        yield _stack(f"{name} {value}", counts, titles)


def _rules(figures: Figures) -> Iterator[_Bar]:
    doctor = [each.word for each in Disposition if each >= Disposition.GP_WITHIN_DAYS]
    sending = {rule: (count, place) for (place, rule), count in figures.rules.items() if place in doctor}
    shown = sorted(sending.items(), key=lambda each: (-each[1][0], each[0]))[:_RULES]
    most = max((count for _, (count, _) in shown), default=1)
    for rule, (count, place) in shown:
        yield rule, count, Part(count, figures.rows).share, count / most, _kind(place)


def _programmes(figures: Figures, ruleset: Ruleset, language: str) -> Iterator[_Bar]:
    texts = ruleset.texts.get(language)
    of = sum(figures.programmes.values())
    for each in Programme:
        count = figures.programmes.get(each.word, 0)
        name = each.word if texts is None else texts.get("programmes", each.word).patient
        share = Part(count, of).share
        yield name, count, share, share or 0, _kind(UNSETTLED)


def _interview(held: Sequence[Held], said: Mapping[str, str]) -> str:
    if not held:
        return ""
    middle = {name: f"{median(getattr(each, name) for each in held):g}" for name in _LENGTHS}
    return said["interview_note"].format(number=len(held), **middle)


def _lengths(held: Sequence[Held], said: Mapping[str, str]) -> Iterator[_Bar]:
    counts = Counter(each.questions // _WIDTH for each in held)
    most = max(counts.values(), default=1)
    for band in range(min(counts, default=0), max(counts, default=-1) + 1):
        name = f"{band * _WIDTH}-{band * _WIDTH + _WIDTH - 1} {said['questions']}"
        yield (
            name,
            counts[band],
            Part(counts[band], len(held)).share,
            counts[band] / most,
            _kind(Disposition.PHYSIO.word),
        )
