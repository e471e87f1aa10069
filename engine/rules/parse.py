"""Documents become a Ruleset: the shape and the grammar are right, the meaning is not looked at yet.

All problems come out at once. Conditions are read even where the rest of the file has a wrong shape, so that a broken
rule hides nothing elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from engine.rules import document, shape
from engine.rules.condition import Condition
from engine.rules.document import Node, Path
from engine.rules.model import (
    NO,
    YES,
    Advice,
    AdvicePolicy,
    Claim,
    Default,
    Evidence,
    Finding,
    Group,
    ParameterValue,
    ProgrammeRow,
    Question,
    QuestionType,
    Refusal,
    Rule,
    Ruleset,
    SafetyNet,
    Texts,
    Validity,
    Wording,
)
from engine.rules.parse_condition import RESERVED, parse_condition
from engine.rules.problem import Problem, error
from engine.rules.source import Span

Conditions = Mapping[Path, Condition]
Places = Mapping[Path, Span]

# Where conditions stand: a section, and the keys of its entries that hold one ("" is the entry itself).
_CONDITIONS: Mapping[str, tuple[str, ...]] = {
    "groups": ("asked_when",),
    "questions": ("asked_when",),
    "findings": ("",),
    "rules": ("when",),
    "refuse": ("",),
    "programme": ("when",),
    "advice": ("when", "hide_when"),
    "advice_policies": ("hide_when",),
    "safety_net": ("when",),
}


def parse(main: Node | None, texts: Mapping[str, Node]) -> tuple[Ruleset | None, list[Problem]]:
    """The ruleset that the files say, or None; and every problem of shape and grammar.

    `main` is ruleset.yaml (None when it could not be read: the texts are still looked at), `texts` the text files by
    the language in their names.
    """
    found: list[Problem] = []
    places: Places = {} if main is None else document.Places(main)
    file = None if main is None else shape.check_shape(shape.RulesetFile, main, places, found)
    conditions = {} if main is None else _conditions(main, found)
    found.extend(_reserved(places))
    readable: dict[str, Texts] = {}
    for language, node in texts.items():
        own = document.Places(node)
        said = shape.check_shape(shape.TextsFile, node, own, found)
        if said is not None and said.language != language:
            help = f"write `language: {language}`, or rename the file"
            message = f"the file is named after `{language}` and says `{said.language}`"
            found.append(error("language-differs", own["language",], message, help))
        if said is not None:
            readable[language] = _texts(said)
    if main is None or file is None or found:
        return None, found
    return _ruleset(file, conditions, readable, document.Places(_together(main, texts))), found


def _together(main: Node, texts: Mapping[str, Node]) -> Node:
    """The files as one tree, in which the texts of a language stand under `texts`, which ruleset.yaml cannot have."""
    said = tuple((document.Scalar(language, node.span), node) for language, node in texts.items())
    more = (document.Scalar("texts", main.span), document.Mapping(said, main.span))
    return main._replace(entries=(*main.entries, more)) if isinstance(main, document.Mapping) else main


def _conditions(main: Node, found: list[Problem]) -> dict[Path, Condition]:
    """Every condition of the file by its path; a path whose condition is broken is left out."""
    read: dict[Path, Condition] = {}
    for section, keys in _CONDITIONS.items():
        holder = main.get(section) if isinstance(main, document.Mapping) else None
        for step, entry in _entries(holder):
            for key in keys:
                below = entry.get(key) if isinstance(entry, document.Mapping) and key else entry
                if below is None or (key and not isinstance(entry, document.Mapping)):
                    continue
                condition = parse_condition(below, found)
                if condition is not None:
                    read[(section, step, key) if key else (section, step)] = condition
    return read


def _entries(holder: Node | None) -> Iterable[tuple[str | int, Node]]:
    if isinstance(holder, document.Mapping):
        return [(key.text, value) for key, value in holder.entries]
    return enumerate(holder.items) if isinstance(holder, document.Sequence) else ()


def _reserved(places: Places) -> Iterable[Problem]:
    """Names that a condition could not tell from its own words."""
    for section in ("questions", "findings", "parameters"):
        for word in sorted(RESERVED):
            span = places.get((section, word, document.KEY))
            if span is not None:
                yield error(
                    "reserved-id", span, f"`{word}` is a word of the grammar, not a name", "choose another name"
                )


T = TypeVar("T")


def _keys(section: str, entries: Mapping[str, T], places: Places) -> Iterable[tuple[str, T, Span]]:
    """The entries of a section with the place of their keys."""
    return ((key, entry, places[section, key, document.KEY]) for key, entry in entries.items())


def _ruleset(file: shape.RulesetFile, read: Conditions, texts: Mapping[str, Texts], places: Places) -> Ruleset:
    head, default = file.ruleset, file.default
    return Ruleset(
        id=head.id,
        version=head.version,
        languages=tuple(head.languages),
        effective_from=head.effective.from_,
        effective_until=head.effective.until,
        authors=tuple(head.authors),
        parameters={
            key: ParameterValue(key, it.value, it.unit, low, high, span)
            for key, it, span in _keys("parameters", file.parameters, places)
            for low, high in (it.range or (None, None),)
        },
        groups={
            key: Group(key, read.get(("groups", key, "asked_when")), span)
            for key, _, span in _keys("groups", file.groups, places)
        },
        questions={
            key: _question(key, it, read.get(("questions", key, "asked_when")), span)
            for key, it, span in _keys("questions", file.questions, places)
        },
        findings={
            key: Finding(key, read["findings", key], span) for key, _, span in _keys("findings", file.findings, places)
        },
        rules={
            key: Rule(
                id=key,
                when=read["rules", key, "when"],
                disposition=it.then.disposition,
                call=it.then.call,
                within_hours=it.then.within_hours,
                because=it.because,
                evidence=tuple(it.evidence),
                guidance=it.then.guidance,
                span=span,
            )
            for key, it, span in _keys("rules", file.rules, places)
        },
        default=Default(
            id=default.id,
            disposition=default.then.disposition,
            call=default.then.call,
            within_hours=default.then.within_hours,
            because=default.because,
            evidence=tuple(default.evidence),
            span=places["default", "id"],
        ),
        validity={each: Validity(it.valid_days, it.recheck_days) for each, it in file.dispositions.items()},
        refusals={
            key: Refusal(key, read["refuse", key], span) for key, _, span in _keys("refuse", file.refuse, places)
        },
        programme=tuple(
            ProgrammeRow(
                id=it.id,
                when=read.get(("programme", number, "when")),
                choice=it.then,
                applies_unknown=it.when_unknown == "applies",
                because=it.because,
                evidence=tuple(it.evidence),
                span=places["programme", number, "id"],
            )
            for number, it in enumerate(file.programme)
        ),
        advice={
            key: Advice(
                id=key,
                kind=it.kind,
                when=read.get(("advice", key, "when")),
                hide_when=read.get(("advice", key, "hide_when")),
                contradicts=tuple(it.contradicts),
                span=span,
            )
            for key, it, span in _keys("advice", file.advice, places)
        },
        policies={
            key: AdvicePolicy(key, frozenset(it.kinds), read["advice_policies", key, "hide_when"], span)
            for key, it, span in _keys("advice_policies", file.advice_policies, places)
        },
        safety_net={
            key: SafetyNet(key, read.get(("safety_net", key, "when")), span)
            for key, _, span in _keys("safety_net", file.safety_net, places)
        },
        evidence={
            key: Evidence(key, it.citation, it.strength, it.url, span)
            for key, it, span in _keys("evidence", file.evidence, places)
        },
        claims={
            key: Claim(key, it.claim, it.finding, it.at_least, dict(it.exempt), it.than or "", span)
            for key, it, span in _keys("claims", file.claims, places)
        },
        texts=texts,
        span=places["ruleset",],
        places=places,
    )


def _question(key: str, it: shape.QuestionShape, asked_when: Condition | None, span: Span) -> Question:
    low, high = it.range or (None, None)
    return Question(
        id=key,
        type=it.type,
        options=(YES, NO) if it.type is QuestionType.YES_NO and not it.options else tuple(it.options),
        unit=it.unit,
        low=low,
        high=high,
        group=it.group,
        asked_when=asked_when,
        core=it.core,
        yes_is_good=it.yes_is_good,
        span=span,
    )


def _texts(file: shape.TextsFile) -> Texts:
    about = file.ruleset
    of: dict[str, dict[str, Wording]] = {
        "ruleset": {
            "title": about.title,
            "summary": about.summary,
            "intended_use": about.intended_use,
            "disclaimer": about.disclaimer,
        },
        "answers": {
            "yes": file.answers.yes,
            "no": file.answers.no,
            "unknown": file.answers.unknown,
            "missing": file.answers.missing,
        },
        "units": file.units,
        "groups": {key: it.title for key, it in file.groups.items()},
        "group_none_of": {key: it.none_of for key, it in file.groups.items() if it.none_of is not None},
        "questions": {key: it.text for key, it in file.questions.items()},
        "question_help": {key: it.help for key, it in file.questions.items() if it.help is not None},
        "findings": file.findings,
        "reasons": file.reasons,
        "disposition_titles": {each.word: it.title for each, it in file.dispositions.items()},
        "dispositions": {each.word: it.text for each, it in file.dispositions.items()},
        "calls": {each.word: it for each, it in file.calls.items()},
        "guidance": {each.word: it for each, it in file.guidance.items()},
        "programmes": {each.word: it for each, it in file.programmes.items()},
        "advice": file.advice,
        "safety_net": file.safety_net,
        "refuse": file.refuse,
    }
    return Texts(file.language, of, {key: it.options for key, it in file.questions.items() if it.options})
