"""Authors' examples: a patient's answers and the decision they must get, read from cases.yaml.

The names and values are checked against the ruleset here; whether the decision is the expected one is for `author`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.rules import document, shape
from engine.rules.check_values import answer_problem
from engine.rules.codes import UNKNOWN
from engine.rules.document import KEY, Node, Path
from engine.rules.model import CheckedRuleset, QuestionType, Ruleset, Wording
from engine.rules.problem import Problem, error
from engine.rules.scale import Call, Disposition, Programme
from engine.rules.source import NOWHERE, Span
from engine.rules.suggest import did_you_mean, one_of

ALL_GROUPS = "*"
"""Stands alone in `none_of`: every group was asked and denied."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must come out; None, or empty where a part is named, where the author expects nothing.

    `needs_answers`: the answers must not settle the disposition. `acceptable` is a note for people. `rules`, `advice`
    and `safety_net` are the whole list, `..._include` and `..._exclude` a part of it. `guidance` is a word of its
    scale or `none`. `texts` are frozen wordings by the id of what is shown, in the language of the case.
    """

    disposition: Disposition | None = None
    needs_answers: bool = False
    floor: Disposition | None = None
    ceiling: Disposition | None = None
    acceptable: tuple[Disposition, ...] = ()
    call: Call | None = None
    within_hours: int | None = None
    programme: Programme | None = None
    rules: tuple[str, ...] | None = None
    advice: tuple[str, ...] | None = None
    safety_net: tuple[str, ...] | None = None
    guidance: str | None = None
    act_now: bool | None = None
    rules_include: tuple[str, ...] = ()
    rules_exclude: tuple[str, ...] = ()
    advice_include: tuple[str, ...] = ()
    advice_exclude: tuple[str, ...] = ()
    safety_net_include: tuple[str, ...] = ()
    safety_net_exclude: tuple[str, ...] = ()
    open_rules_include: tuple[str, ...] = ()
    next_questions_first: tuple[str, ...] = ()
    texts: Mapping[str, Wording] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """One example. Answers are raw text (a tuple of options where several were given); `unknown` is an answer too.

    `none_of` are the denied groups, `("*",)` all of them; `unlisted` is `no`, `unknown`, or empty: missing.
    """

    id: str
    title: str = ""
    tags: tuple[str, ...] = ()
    language: str = ""
    answers: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    none_of: tuple[str, ...] = ()
    unlisted: str = ""
    expect: Expectation = Expectation()
    source: str = ""
    url: str = ""
    span: Span = NOWHERE


def parse_cases(node: Node, ruleset: CheckedRuleset) -> tuple[tuple[Case, ...], list[Problem]]:
    """The cases of a file, in its order, and every problem; with a problem of shape there are no cases."""
    found: list[Problem] = []
    places = dict(document.places(node))
    file = shape.check_shape(shape.CasesFile, node, places, found)
    if file is None:
        return (), found
    cases = tuple(_case(key, it, places["cases", key, KEY]) for key, it in file.cases.items())
    for case in cases:
        found.extend(_check(case, ruleset.ruleset, places))
    return cases, found


def _case(key: str, it: shape.CaseShape, span: Span) -> Case:
    expect = it.expect
    return Case(
        id=key,
        title=it.title,
        tags=tuple(it.tags),
        language=it.language,
        answers=it.answers,
        none_of=it.none_of,
        unlisted=it.unlisted,
        expect=Expectation(
            disposition=expect.disposition,
            needs_answers="disposition" in expect.model_fields_set and expect.disposition is None,
            floor=expect.floor,
            ceiling=expect.ceiling,
            acceptable=tuple(expect.acceptable),
            call=expect.call,
            within_hours=expect.within_hours,
            programme=expect.programme,
            rules=None if expect.rules is None else tuple(expect.rules),
            advice=None if expect.advice is None else tuple(expect.advice),
            safety_net=None if expect.safety_net is None else tuple(expect.safety_net),
            guidance=expect.guidance,
            act_now=expect.act_now,
            rules_include=tuple(expect.rules_include),
            rules_exclude=tuple(expect.rules_exclude),
            advice_include=tuple(expect.advice_include),
            advice_exclude=tuple(expect.advice_exclude),
            safety_net_include=tuple(expect.safety_net_include),
            safety_net_exclude=tuple(expect.safety_net_exclude),
            open_rules_include=tuple(expect.open_rules_include),
            next_questions_first=tuple(expect.next_questions_first),
            texts=expect.texts,
        ),
        source=it.source,
        url=it.url,
        span=span,
    )


def _check(case: Case, ruleset: Ruleset, places: Mapping[Path, Span]) -> Iterable[Problem]:
    """Names and values that the ruleset does not have."""
    at: Path = ("cases", case.id)
    for name, answer in case.answers.items():
        span = places[(*at, "answers", name)]
        if name not in ruleset.questions:
            help = did_you_mean(name, list(ruleset.questions))
            yield error("unknown-question", places[(*at, "answers", name, KEY)], f"no question `{name}`", help)
            continue
        question = ruleset.questions[name]
        if isinstance(answer, tuple) and question.type is not QuestionType.SEVERAL:
            yield error("wrong-type", span, f"`{name}` takes one answer", "write it without a list")
            continue
        for value in answer if isinstance(answer, tuple) else (answer,):
            problem = answer_problem(value, question, span)
            if problem is not None:
                yield problem
    if case.language and case.language not in ruleset.languages:
        help = one_of(case.language, ruleset.languages)
        message = f"the ruleset has no language `{case.language}`"
        yield error("unknown-language", places[(*at, "language")], message, help)
    groups = () if case.none_of == (ALL_GROUPS,) else case.none_of
    yield from _unknown("group", groups, ruleset.groups, places, (*at, "none_of"))
    yield from _check_expectation(case, ruleset, places)


def _check_expectation(case: Case, ruleset: Ruleset, places: Mapping[Path, Span]) -> Iterable[Problem]:
    """What is expected must exist, must not contradict itself, and must be something."""
    expect, at = case.expect, ("cases", case.id, "expect")
    if expect == Expectation(acceptable=expect.acceptable):
        message = f"`{case.id}` expects nothing, so that it could never fail"
        yield error("missing-value", places[at], message, "expect something, such as `disposition: ...`")
    rules = {*ruleset.rules, ruleset.default.id}
    for key, what, known in (
        ("rules", "rule", rules),
        ("advice", "advice", ruleset.advice),
        ("safety_net", "safety-net", ruleset.safety_net),
    ):
        for part in (key, f"{key}_include", f"{key}_exclude"):
            yield from _unknown(what, getattr(expect, part) or (), known, places, (*at, part))
        wanted = {*(getattr(expect, key) or ()), *getattr(expect, f"{key}_include")}
        for number, name in enumerate(getattr(expect, f"{key}_exclude")):
            if name in wanted:
                span = places[(*at, f"{key}_exclude", number)]
                yield error("duplicate-id", span, f"`{name}` is expected and excluded", "take out one of the two")
    yield from _unknown("rule", expect.open_rules_include, ruleset.rules, places, (*at, "open_rules_include"))
    questions = (*at, "next_questions_first")
    yield from _unknown("question", expect.next_questions_first, ruleset.questions, places, questions)
    if expect.texts and not case.language:
        message = f"`{case.id}` expects texts and does not say in which language"
        yield error(
            "missing-key", places[(*at, "texts")], message, f"add `language: {ruleset.languages[0]}` to the case"
        )
    shown = {*rules, *ruleset.advice, *ruleset.safety_net, *(row.id for row in ruleset.programme)}
    for name in expect.texts:
        if name not in shown:
            message = f"nothing that is shown has the id `{name}`"
            help = did_you_mean(name, sorted(shown)) or "write the id of a rule, programme row, advice or safety net"
            yield error("unknown-text", places[(*at, "texts", name, KEY)], message, help)


def _unknown(
    what: str, names: Iterable[str], known: Iterable[str], places: Mapping[Path, Span], at: Path
) -> Iterable[Problem]:
    words = set(known)
    for number, name in enumerate(names):
        if name not in words:
            message = f"no {what.replace('-', ' ')} `{name}`"
            yield error(UNKNOWN[what], places[(*at, number)], message, one_of(name, sorted(words)))
