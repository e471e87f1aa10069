"""The handbook says all that its ruleset says, and nothing else: both are taken apart and compared both ways."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from engine.author.handbook.content import Handbook
from engine.author.handbook.page import render_handbook
from engine.author.handbook.words import sentences
from engine.decide.answers import plain_number
from engine.rules.condition import (
    All,
    Answered,
    AnyOf,
    Compare,
    Condition,
    Count,
    DispositionIn,
    FindingIs,
    Not,
    ProgrammeIn,
    RuleIs,
    Sum,
    Surely,
    Unknown,
    Unless,
    members,
)
from engine.rules.content import content
from engine.rules.model import CheckedRuleset, Ruleset
from engine.rules.scale import Call, Disposition
from tests.author.printed import read_page, text_of
from tests.clinical.patients import evaluator
from tests.decide.generate import load_content, ruleset_content
from tests.rules import bicycle

Facts = dict[tuple[str, ...], Any]
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
ADDRESS = re.compile(r"https?://[^\s)]+")
ASIDE = ("data-verbatim", "data-measured")
"""What is printed of other sources than the ruleset: the changelog, and what was counted."""
OPS = {All: "all", AnyOf: "any", Count: "count", Not: "not", Unless: "unless", Surely: "surely"}


def said_by(ruleset: Ruleset) -> Facts:
    """What the model says, fact by fact."""
    facts: Facts = {("ruleset", ruleset.id): ruleset.version}
    for question in ruleset.questions.values():
        low, high = ("" if each is None else plain_number(each) for each in (question.low, question.high))
        core = "yes" if question.core else ""
        facts["question", question.id] = (question.type.value, question.group, question.options, low, high, core)
        _condition(facts, "question", question.id, "asked-when", question.asked_when)
    for group in ruleset.groups.values():
        _condition(facts, "group", group.id, "asked-when", group.asked_when)
    for parameter in ruleset.parameters.values():
        facts["parameter", parameter.id] = plain_number(parameter.value)
    for finding in ruleset.findings.values():
        _condition(facts, "finding", finding.id, "when", finding.when)
    for rule in (*ruleset.rules.values(), ruleset.default):
        kind = "default" if rule is ruleset.default else "rule"
        guidance = getattr(rule, "guidance", None)
        hours = "" if rule.within_hours is None else str(rule.within_hours)
        facts[kind, rule.id] = (rule.disposition.word, rule.call.word, hours, guidance.word if guidance else "")
        facts["supports", kind, rule.id] = rule.evidence
        _condition(facts, kind, rule.id, "when", getattr(rule, "when", None))
    for refusal in ruleset.refusals.values():
        _condition(facts, "refusal", refusal.id, "when", refusal.when)
    for number, row in enumerate(ruleset.programme):
        facts["row", row.id] = (number, row.choice.word, "applies" if row.applies_unknown else "skips")
        facts["supports", "row", row.id] = row.evidence
        _condition(facts, "row", row.id, "when", row.when)
    for item in ruleset.advice.values():
        facts["advice", item.id] = item.kind.value
        _condition(facts, "advice", item.id, "when", item.when)
        _condition(facts, "advice", item.id, "hide-when", item.hide_when)
    for policy in ruleset.policies.values():
        facts["policy", policy.id] = tuple(sorted(kind.value for kind in policy.kinds))
        _condition(facts, "policy", policy.id, "hide-when", policy.hide_when)
    for net in ruleset.safety_net.values():
        facts["safety-net", net.id] = True
        _condition(facts, "safety-net", net.id, "when", net.when)
    for evidence in ruleset.evidence.values():
        facts["evidence", evidence.id] = (evidence.citation, evidence.strength.word, evidence.url)
    for claim in ruleset.claims.values():
        facts["claim", claim.id] = claim.kind
    return facts


def _condition(facts: Facts, kind: str, id: str, part: str, condition: Condition | None) -> None:
    if condition is not None:
        facts["condition", kind, id, part] = _tree(condition)


def _tree(condition: Condition) -> Any:
    match condition:
        case Compare(question, operator, (Sum(terms, constant),)):
            summed = tuple((term.question, plain_number(term.times)) for term in terms)
            return question, operator.value, summed, plain_number(constant)
        case Compare(question, operator, operands):
            values = tuple(plain_number(each) for each in operands if isinstance(each, str | int | Decimal))
            assert len(values) == len(operands)
            return question, operator.value, values
        case Unknown(question) | Answered(question):
            return question, "unknown" if isinstance(condition, Unknown) else "answered", ()
        case FindingIs(name):
            return "finding", name
        case RuleIs(name):
            return "rule", name
        case DispositionIn(found):
            return "disposition", frozenset(each.word for each in found)
        case ProgrammeIn(found):
            return "programme", frozenset(each.word for each in found)
        case Count(at_least, _):
            return "count", at_least, tuple(_tree(each) for each in members(condition))
        case _:
            return OPS[type(condition)], tuple(_tree(each) for each in members(condition))


def printed_on(page: Element) -> Facts:
    """What the page says, fact by fact."""
    (ruleset,), (version,) = page.findall(".//*[@data-ruleset]"), page.findall(".//*[@data-version]")
    facts: Facts = {("ruleset", text_of(ruleset)): text_of(version)}
    for kind, number, it in _definitions(page):
        id = it.get(f"data-{kind}", "")
        assert (kind, id) not in facts, f"{kind} {id} is printed twice"
        got = _attributes(it)
        match kind:
            case "question":
                options = tuple(each.get("data-option", "") for each in it.findall(".//*[@data-option]"))
                low, high = (_text(it.find(f".//*[@data-{end}]")) for end in ("low", "high"))
                facts[kind, id] = (*got("type", "in-group"), options, low, high, *got("core"))
            case "parameter":
                facts[kind, id] = _text(it.find(".//*[@data-value]"))
            case "rule" | "default":
                facts[kind, id] = got("disposition", "call", "hours", "guidance")
            case "row":
                facts[kind, id] = (number, *got("choice", "when-unknown"))
            case "advice":
                (facts[kind, id],) = got("kind")
            case "policy":
                facts[kind, id] = tuple(it.get("data-kinds", "").split())
            case "safety-net":
                facts[kind, id] = True
            case "evidence":
                facts[kind, id] = (text_of(it[1]), *got("strength"), _text(it.find(".//*[@data-url]")))
            case "claim":
                (facts[kind, id],) = got("claim-kind")
        if kind in ("rule", "default", "row"):
            facts["supports", kind, id] = tuple(
                each.get("data-supports") for each in it.findall(".//*[@data-supports]")
            )
        for part in it.findall("./*[@data-part]"):
            facts["condition", kind, id, part.get("data-part", "")] = _printed_tree(part.findall("./div/*")[0])
    return facts


KINDS = (
    "question", "group", "parameter", "finding", "rule", "default", "refusal", "row", "advice", "policy", "safety-net",
    "evidence", "claim",
)  # fmt: skip


def _definitions(page: Element) -> Iterator[tuple[str, int, Element]]:
    for kind in KINDS:
        found = [each for each in page.findall(f".//*[@data-{kind}]") if each.tag in ("article", "tr", "div")]
        yield from ((kind, number, each) for number, each in enumerate(found))


def _attributes(it: Element) -> Any:
    return lambda *names: tuple(it.get(f"data-{name}", "") for name in names)


def _text(element: Element | None) -> str:
    """A number or an address as it is printed; in Dutch with a comma."""
    text = "" if element is None else text_of(element)
    return text.replace(",", ".") if NUMBER.fullmatch(text) else text


def _printed_tree(node: Element) -> Any:
    op = node.get("data-op")
    if op is not None:
        parts = tuple(_printed_tree(line[0]) for line in node.findall("./ul/li"))
        return (op, int(node.findall("./span/b")[0].text or ""), parts) if op == "count" else (op, parts)
    for kind in ("finding", "rule"):
        if name := node.get(f"data-{kind}-is"):
            return kind, name
    for kind in ("disposition", "programme"):
        if words := node.get(f"data-{kind}-in"):
            return kind, frozenset(words.split())
    question, operator = node.get("data-question"), node.get("data-operator")
    terms = node.findall(".//*[@data-term]")
    if terms:
        times = [_text(each) for each in node.findall(".//*[@data-times]")]
        summed = tuple(zip((each.get("data-term") for each in terms), times, strict=True))
        return question, operator, summed, _text(node.find(".//*[@data-constant]")) or "0"
    numbers = tuple(_text(each) for each in node.findall("b"))
    return question, operator, numbers or tuple(node.get("data-values", "").split())


def differences(page: Element, ruleset: Ruleset) -> list[str]:
    """What one says and the other does not, both ways."""
    printed, said = printed_on(page), said_by(ruleset)
    both = printed.keys() | said.keys()
    return [
        f"{key}: {printed.get(key)} for {said.get(key)}" for key in sorted(both) if printed.get(key) != said.get(key)
    ]


def strangers(page: Element, ruleset: Ruleset, language: str, digest: str) -> list[str]:
    """Ids, numbers and addresses on the page that the ruleset does not have."""
    known = {ruleset.id, digest, *(each.word for each in Disposition), *Call.words()}
    for named in ("parameters", "groups", "questions", "findings", "rules", "refusals", "advice", "policies",
                  "safety_net", "evidence", "claims"):  # fmt: skip
        known |= getattr(ruleset, named).keys()
    known |= {ruleset.default.id, *(row.id for row in ruleset.programme)}
    known |= {option for question in ruleset.questions.values() for option in question.options}
    own = " ".join((*_strings(content(ruleset)), *known, *sentences(language).values()))
    counted = {str(number) for number in range(1, len(ruleset.programme) + 1)}  # the rows are numbered
    numbers = {_plain(each) for each in NUMBER.findall(own)} | counted
    addresses = set(ADDRESS.findall(own))
    found: list[str] = []
    for element, text in _read(page):
        if element.tag == "code" and text.strip() not in known:
            found.append(f"id {text}")
        found += [f"number {each}" for each in NUMBER.findall(text) if _plain(each) not in numbers]
        found += [f"address {each}" for each in ADDRESS.findall(text) if each not in addresses]
    return found


def _plain(number: str) -> str:
    return number.replace(",", ".")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield key
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif value is not None:
        yield str(value)


def _read(element: Element) -> Iterator[tuple[Element, str]]:
    """Every text of the page with the element around it, but for what is printed of other sources."""
    if element.tag == "style" or any(element.get(each) for each in ASIDE):
        return
    if element.text:
        yield element, element.text
    for child in element:
        yield from _read(child)
        if child.tail:
            yield element, child.tail


def book(checked: CheckedRuleset, language: str) -> Element:
    return read_page(render_handbook(Handbook(checked, language)))


RULESETS = [
    ("low_back_pain", "nl"),
    ("low_back_pain", "en"),
    ("neck_pain", "nl"),
    ("neck_pain", "en"),
    ("bicycle", "nl"),
]


@pytest.mark.parametrize(("name", "language"), RULESETS)
def test_a_handbook_says_what_its_ruleset_says(name: str, language: str) -> None:
    checked = bicycle.valid() if name == "bicycle" else evaluator(name).checked
    page = book(checked, language)
    assert differences(page, checked.ruleset) == []
    assert strangers(page, checked.ruleset, language, checked.digest) == []
    said = " ".join(text for _, text in _read(page))
    unread = [
        (section, key)
        for section in ("ruleset", "questions", "question_help", "groups", "reasons", "dispositions",
                        "disposition_titles", "advice", "safety_net", "refuse")
        for key, wording in checked.ruleset.texts[language].of.get(section, {}).items()
        for text in (wording.patient, wording.clinician)
        if text not in said
    ]  # fmt: skip
    assert unread == []


@pytest.mark.parametrize("seed", range(12))
def test_so_does_one_of_any_ruleset(seed: int) -> None:
    checked = load_content(ruleset_content(random.Random(seed)))
    page = book(checked, "nl")
    assert differences(page, checked.ruleset) == []
    assert strangers(page, checked.ruleset, "nl", checked.digest) == []


def test_the_form_asks_every_question_and_names_every_rule() -> None:
    checked = evaluator().checked
    page = book(checked, "nl")
    asked = [each.get("data-form-question") for each in page.findall(".//*[@data-form-question]")]
    assert sorted(map(str, asked)) == sorted(checked.ruleset.questions)
    rules = [each.get("data-form-rule", "") for each in page.findall(".//*[@data-form-rule]")]
    assert sorted(rules) == sorted(checked.ruleset.rules)
    urgency = [checked.ruleset.rules[each].disposition for each in rules]
    assert urgency == sorted(urgency, reverse=True)


def _without_a_rule(ruleset: Ruleset) -> Ruleset:
    return replace(ruleset, rules={key: it for key, it in ruleset.rules.items() if key != "S02"})


def _with_another_evidence(ruleset: Ruleset) -> Ruleset:
    return replace(ruleset, evidence={**ruleset.evidence, "more": replace(ruleset.evidence["manual"], id="more")})


def _with_another_threshold(ruleset: Ruleset) -> Ruleset:
    return bicycle.valid(("ruleset.yaml", "{bike_age: {above: 10}}", "{bike_age: {above: 11}}")).ruleset


def _without_a_question(ruleset: Ruleset) -> Ruleset:
    return replace(ruleset, questions={key: it for key, it in ruleset.questions.items() if key != "noise"})


def _with_another_word(ruleset: Ruleset) -> Ruleset:
    return bicycle.valid(("ruleset.yaml", "{surely: {answered: bike_age}}", "{not: {answered: bike_age}}")).ruleset


@pytest.mark.parametrize(
    "change",
    [_without_a_rule, _with_another_evidence, _with_another_threshold, _without_a_question, _with_another_word],
)
def test_a_difference_is_seen(change: Any) -> None:
    checked = bicycle.valid()
    assert differences(book(checked, "nl"), change(checked.ruleset))


@pytest.mark.parametrize("added", ["<p>77 weken</p>", "<p>https://example.org/else</p>", "<p><code>gout</code></p>"])
def test_a_stranger_is_seen(added: str) -> None:
    checked = bicycle.valid()
    html = render_handbook(Handbook(checked, "nl")).replace("</main>", f"{added}</main>")
    assert strangers(read_page(html), checked.ruleset, "nl", checked.digest)
