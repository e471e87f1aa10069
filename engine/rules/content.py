"""What a ruleset says, as canonical bytes, so that two files with the same content have the same digest.

Comments, layout, quotes, places and cases do not count. Order counts where a reader sees it: questions, groups,
programme, advice, safety net; everything else is an object keyed by id. Numbers are strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

from engine.rules.canonical import digest_of
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
    Operand,
    Parameter,
    ProgrammeIn,
    RuleIs,
    Sum,
    Surely,
    Text,
    Unknown,
    Unless,
)
from engine.rules.model import Default, Rule, Ruleset, Texts

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"


def digest(ruleset: Ruleset) -> str:
    """SHA-256, as 64 hex digits, of the content as canonical JSON (RFC 8785).

    Within the bounds of `canonical_json`: every key is ASCII, no number is written as one except small integers.
    """
    return digest_of(content(ruleset))


def content(ruleset: Ruleset) -> dict[str, Json]:
    """The parsed content as JSON values. Take it of a Ruleset before `check` typed its operands."""
    until = ruleset.effective_until
    return {
        "id": ruleset.id,
        "version": ruleset.version,
        "languages": list(ruleset.languages),
        "effective": [ruleset.effective_from.isoformat(), None if until is None else until.isoformat()],
        "authors": list(ruleset.authors),
        "parameters": {
            it.id: [str(it.value), it.unit, _number(it.low), _number(it.high)] for it in ruleset.parameters.values()
        },
        "groups": [[it.id, _condition(it.asked_when)] for it in ruleset.groups.values()],
        "questions": [
            {
                "id": it.id,
                "type": it.type.value,
                "options": list(it.options),
                "unit": it.unit,
                "range": [_number(it.low), _number(it.high)],
                "group": it.group,
                "asked_when": _condition(it.asked_when),
                "core": it.core,
                "yes_is_good": it.yes_is_good,
            }
            for it in ruleset.questions.values()
        ],
        "findings": {it.id: _condition(it.when) for it in ruleset.findings.values()},
        "rules": {it.id: _rule(it) for it in ruleset.rules.values()},
        "default": {"id": ruleset.default.id, **_result(ruleset.default)},
        "dispositions": {each.word: [it.valid_days, it.recheck_days] for each, it in ruleset.validity.items()},
        "refuse": {it.id: _condition(it.when) for it in ruleset.refusals.values()},
        "programme": [
            {
                "id": it.id,
                "when": _condition(it.when),
                "then": it.choice.word,
                "applies_unknown": it.applies_unknown,
                "because": it.because,
                "evidence": list(it.evidence),
            }
            for it in ruleset.programme
        ],
        "advice": [
            {
                "id": it.id,
                "kind": it.kind.value,
                "when": _condition(it.when),
                "hide_when": _condition(it.hide_when),
                # left out where there is none: the digest of older rulesets stays
                **({"contradicts": [*sorted(it.contradicts)]} if it.contradicts else {}),
            }
            for it in ruleset.advice.values()
        ],
        "advice_policies": {
            it.id: {"kinds": [*sorted(kind.value for kind in it.kinds)], "hide_when": _condition(it.hide_when)}
            for it in ruleset.policies.values()
        },
        "safety_net": [[it.id, _condition(it.when)] for it in ruleset.safety_net.values()],
        "evidence": {it.id: [it.citation, it.strength.word, it.url] for it in ruleset.evidence.values()},
        "claims": {
            it.id: {
                "claim": it.kind,
                "finding": it.finding,
                "at_least": None if it.at_least is None else it.at_least.word,
                "exempt": {**it.exempt},
                **({"than": it.than} if it.than else {}),
            }
            for it in ruleset.claims.values()
        },
        "texts": {language: _texts(texts) for language, texts in ruleset.texts.items()},
    }


def _number(number: Decimal | None) -> str | None:
    return None if number is None else str(number)


def _result(it: Rule | Default) -> dict[str, Json]:
    return {
        "disposition": it.disposition.word,
        "call": it.call.word,
        "within_hours": it.within_hours,
        "because": it.because,
        "evidence": list(it.evidence),
    }


def _rule(it: Rule) -> dict[str, Json]:
    guidance = None if it.guidance is None else it.guidance.word
    return {"when": _condition(it.when), "guidance": guidance, **_result(it)}


def _texts(texts: Texts) -> dict[str, Json]:
    said: dict[str, Json] = {
        section: {key: [wording.patient, wording.clinician] for key, wording in entries.items()}
        for section, entries in texts.of.items()
        if entries
    }
    labels: Mapping[str, Mapping[str, str]] = texts.options
    return {**said, "options": {question: {**options} for question, options in labels.items()}}


def _operand(operand: Operand) -> Json:
    match operand:
        case Text(text):
            return text
        case Parameter(name):
            return {"parameter": name}
        case Sum(terms, constant):
            return {"sum": [[term.question, str(term.times)] for term in terms], "constant": str(constant)}
        case _:
            return str(operand)


def _condition(condition: Condition | None) -> Json:
    match condition:
        case None:
            return None
        case Compare(question, operator, operands):
            return {"question": question, operator.value: [_operand(operand) for operand in operands]}
        case Unknown(question):
            return {"unknown": question}
        case Answered(question):
            return {"answered": question}
        case FindingIs(finding):
            return {"finding": finding}
        case RuleIs(rule):
            return {"rule": rule}
        case DispositionIn(dispositions):
            return {"disposition": [each.word for each in sorted(dispositions)]}
        case ProgrammeIn(programmes):
            return {"programme": [*sorted(each.word for each in programmes)]}
        case All(members):
            return {"all": [_condition(member) for member in members]}
        case AnyOf(members):
            return {"any": [_condition(member) for member in members]}
        case Count(at_least, members):
            return {"count": at_least, "of": [_condition(member) for member in members]}
        case Not(member):
            return {"not": _condition(member)}
        case Unless(member):
            return {"unless": _condition(member)}
        case Surely(member):
            return {"surely": _condition(member)}
