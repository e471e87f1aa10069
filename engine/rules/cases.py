"""Authors' examples: a patient's answers and the decision they must get, read from cases.yaml.

The names and values are checked against the ruleset here; whether the decision is the expected one is for `author`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.rules import document, shape
from engine.rules.check_values import answer_problem
from engine.rules.document import KEY, Node, Path
from engine.rules.model import CheckedRuleset, QuestionType, Ruleset
from engine.rules.problem import Problem, error
from engine.rules.scale import Call, Disposition, Programme
from engine.rules.source import NOWHERE, Span
from engine.rules.suggest import did_you_mean, one_of

ALL_GROUPS = "*"
"""Stands alone in `none_of`: every group was asked and denied."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must come out; None where the author expects nothing.

    `needs_answers`: the answers must not settle the disposition. `acceptable` is a note for people, `rules` are all
    true rules, in order.
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
    known = {*ruleset.rules, ruleset.default.id}
    expect = case.expect
    groups = () if case.none_of == (ALL_GROUPS,) else case.none_of
    yield from _unknown("group", groups, ruleset.groups, places, (*at, "none_of"))
    yield from _unknown("rule", expect.rules or (), known, places, (*at, "expect", "rules"))
    yield from _unknown("advice", expect.advice or (), ruleset.advice, places, (*at, "expect", "advice"))
    net = (*at, "expect", "safety_net")
    yield from _unknown("safety-net", expect.safety_net or (), ruleset.safety_net, places, net)


def _unknown(
    what: str, names: Iterable[str], known: Iterable[str], places: Mapping[Path, Span], at: Path
) -> Iterable[Problem]:
    words = set(known)
    for number, name in enumerate(names):
        if name not in words:
            message = f"no {what.replace('-', ' ')} `{name}`"
            yield error(f"unknown-{what}", places[(*at, number)], message, one_of(name, sorted(words)))
