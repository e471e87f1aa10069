"""Rulesets and questionnaires become responses: questions, conditions with findings written out, rules, evidence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from engine.decide.answers import plain_number
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.condition import (
    All,
    Answered,
    AnyOf,
    Compare,
    Condition,
    Count,
    FindingIs,
    Not,
    Operand,
    Surely,
    Unknown,
    Unless,
)
from engine.rules.model import (
    CheckedRuleset,
    Default,
    Evidence,
    Finding,
    Question,
    QuestionType,
    Rule,
    Ruleset,
    Texts,
)
from engine.rules.source import NOWHERE, Span
from engine.serve.convert import CALLS, DISPOSITIONS, OPERATORS, QUESTION_TYPES, STATUSES, STRENGTHS, reference
from engine.serve.registry import Served, Snapshot


def describe_summary(snapshot: Snapshot, served: Served, language: str, today: date) -> pb.RulesetSummary:
    """A ruleset version in short; the title in `language`, which the ruleset must have."""
    ruleset = served.evaluator.checked.ruleset
    until = ruleset.effective_until
    return pb.RulesetSummary(
        ruleset=reference(served.evaluator),
        title=ruleset.texts[language].get("ruleset", "title").patient,
        status=STATUSES[served.status(today)],
        languages=ruleset.languages,
        effective_from=ruleset.effective_from.isoformat(),
        effective_until=until.isoformat() if until is not None else "",
        is_default=snapshot.default(served.id, today) is served,
    )


def describe_ruleset(checked: CheckedRuleset, language: str, summary: pb.RulesetSummary) -> pb.GetRulesetResponse:
    """The whole ruleset: what it is for, its parameters, every rule (the default last), every citation."""
    ruleset = checked.ruleset
    texts = ruleset.texts[language]
    rules: tuple[Rule | Default, ...] = (*ruleset.rules.values(), ruleset.default)
    return pb.GetRulesetResponse(
        summary=summary,
        language=language,
        description=texts.get("ruleset", "summary").patient,
        intended_use=texts.get("ruleset", "intended_use").patient,
        disclaimer=texts.get("ruleset", "disclaimer").patient,
        authors=ruleset.authors,
        parameters=[
            pb.ParameterDescription(id=each.id, value=plain_number(each.value), unit=each.unit)
            for each in ruleset.parameters.values()
        ],
        rules=[_rule(ruleset, texts, rule) for rule in rules],
        evidence=[evidence_message(each) for each in ruleset.evidence.values()],
    )


def describe_questionnaire(served: Served, language: str) -> pb.GetQuestionnaireResponse:
    """Every question, in the order of the ruleset, with the conditions under which it is asked."""
    ruleset = served.evaluator.checked.ruleset
    texts = ruleset.texts[language]
    return pb.GetQuestionnaireResponse(
        ruleset=reference(served.evaluator),
        language=language,
        title=texts.get("ruleset", "title").patient,
        groups=[
            pb.QuestionGroup(
                id=group.id,
                title=texts.get("groups", group.id).patient,
                none_of_text=texts.get("group_none_of", group.id).patient,
                asked_when=_optional(ruleset.findings, group.asked_when),
            )
            for group in ruleset.groups.values()
        ],
        questions=[question_message(ruleset, texts, question) for question in ruleset.questions.values()],
        yes_text=texts.get("answers", "yes").patient,
        no_text=texts.get("answers", "no").patient,
        unknown_text=texts.get("answers", "unknown").patient,
    )


def question_message(ruleset: Ruleset, texts: Texts, question: Question) -> pb.Question:
    """One question in one language. A yes_no question has no options to choose from: its answers are yes and no."""
    labels = texts.options.get(question.id, {})
    options = question.options if question.type in (QuestionType.CHOICE, QuestionType.SEVERAL) else ()
    return pb.Question(
        id=question.id,
        type=QUESTION_TYPES[question.type],
        text=texts.get("questions", question.id).patient,
        help=texts.get("question_help", question.id).patient,
        group=question.group,
        unit=question.unit,
        minimum=plain_number(question.low) if question.low is not None else "",
        maximum=plain_number(question.high) if question.high is not None else "",
        options=[pb.Option(id=option, text=labels.get(option, option)) for option in options],
        asked_when=_optional(ruleset.findings, question.asked_when),
        core=question.core,
        unit_text=texts.get("units", question.unit).patient,
    )


def evidence_message(evidence: Evidence) -> pb.Evidence:
    """The citation that supports a rule."""
    return pb.Evidence(
        id=evidence.id, citation=evidence.citation, strength=STRENGTHS[evidence.strength], url=evidence.url
    )


def place(span: Span) -> str:
    """Where something stands, such as `ruleset.yaml:41`; empty for what no author wrote."""
    return "" if span is NOWHERE else f"{PurePath(span.source.name).name}:{span.line}"


def condition_message(findings: Mapping[str, Finding], condition: Condition) -> pb.Condition:
    """A condition over answers, findings written out. Raises TypeError for one that reads more than answers."""
    match condition:
        case Compare(question, operator, operands):
            values = [_value(operand) for operand in operands]
            comparison = pb.Comparison(question=question, operator=OPERATORS[operator], values=values)
            return pb.Condition(comparison=comparison)
        case Unknown(question):
            return pb.Condition(unknown=question)
        case Answered(question):
            return pb.Condition(answered=question)
        case FindingIs(name):
            return condition_message(findings, findings[name].when)
        case All(members):
            return pb.Condition(all=_list(findings, members))
        case AnyOf(members):
            return pb.Condition(any=_list(findings, members))
        case Count(at_least, members):
            conditions = [condition_message(findings, each) for each in members]
            return pb.Condition(count=pb.CountCondition(at_least=at_least, conditions=conditions))
        case Not(member):
            # `not` is a word of Python, so the generated class takes it only by unpacking.
            negation: dict[str, Any] = {"not": condition_message(findings, member)}
            return pb.Condition(**negation)
        case Unless(member):
            return pb.Condition(unless=condition_message(findings, member))
        case Surely(member):
            return pb.Condition(surely=condition_message(findings, member))
        case _:
            raise TypeError(f"a condition on answers cannot hold {type(condition).__name__}")


def _list(findings: Mapping[str, Finding], members: tuple[Condition, ...]) -> pb.ConditionList:
    return pb.ConditionList(conditions=[condition_message(findings, each) for each in members])


def _optional(findings: Mapping[str, Finding], condition: Condition | None) -> pb.Condition | None:
    return None if condition is None else condition_message(findings, condition)


def _value(operand: Operand) -> str:
    if not isinstance(operand, int | Decimal | str):
        raise TypeError(f"a comparison on the wire cannot hold {type(operand).__name__}")
    return plain_number(operand)


def _rule(ruleset: Ruleset, texts: Texts, rule: Rule | Default) -> pb.RuleDescription:
    reason = texts.get("reasons", rule.because)
    return pb.RuleDescription(
        id=rule.id,
        disposition=DISPOSITIONS[rule.disposition],
        call=CALLS[rule.call],
        within_hours=rule.within_hours,
        because=rule.because,
        text=reason.patient,
        clinician_text=reason.clinician,
        when=condition_message(ruleset.findings, rule.when) if isinstance(rule, Rule) else None,
        evidence=rule.evidence,
        source=place(rule.span),
    )
