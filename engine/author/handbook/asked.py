"""What is asked and what it is made into: questions by group, parameters, findings."""

from __future__ import annotations

from graphlib import TopologicalSorter

from engine.author.handbook.conditions import Unanswered, condition_list, questions_in, when_unknown
from engine.author.handbook.content import Handbook, Section
from engine.author.handbook.markup import Markup, bullets, code, entry, facts, join, listed, row, table, tag, to
from engine.author.handbook.words import Words
from engine.decide.answers import plain_number
from engine.rules.condition import Condition, FindingIs, leaves
from engine.rules.model import ParameterValue, Question, QuestionType, Ruleset


def questions(book: Handbook) -> Section:
    """Every question, below the heading of its group."""
    words, ruleset = book.words, book.ruleset
    headings = by_heading(ruleset)
    parts = [tag("p", words("questions.intro"))]
    for group, asked in headings.items():
        parts.append(_group(words, ruleset, group) if group else tag("h3", words("questions.no_group")))
        parts.extend(_question(words, ruleset, each) for each in asked)
    return Section("questions", words("questions.title"), join(parts))


def by_heading(ruleset: Ruleset) -> dict[str, list[Question]]:
    """The questions by group, "" for none. One without a group that is asked only sometimes follows the one before it.

    A group that nobody asks a question of comes last.
    """
    headings: dict[str, list[Question]] = {"": []}
    current = ""
    for question in ruleset.questions.values():
        if question.group or question.asked_when is None:
            current = question.group
        headings.setdefault(current, []).append(question)
    headings |= {group: [] for group in ruleset.groups if group not in headings}
    return {group: asked for group, asked in headings.items() if group or asked}


def _group(words: Words, ruleset: Ruleset, group: str) -> Markup:
    said = [tag("h3", words.text("groups", group), " ", code(group))]
    none_of = words.texts.get("group_none_of", group).patient
    if none_of:
        said.append(tag("p", words("questions.none_of", label=tag("q", none_of))))
    gate = ruleset.groups[group].asked_when
    if gate is not None:
        said.append(part(words, ruleset, "asked-when", words("questions.group_asked_when"), gate))
    return tag("div", *said, data_group=group)


def part(words: Words, ruleset: Ruleset, name: str, title: str, condition: Condition) -> Markup:
    """A condition below what it is for; `name` tells a reading program the same."""
    return tag("div", tag("p", title, class_="part"), condition_list(words, ruleset, condition), data_part=name)


def _question(words: Words, ruleset: Ruleset, question: Question) -> Markup:
    said = [
        facts([
            (words("questions.id"), code(question.id)),
            (words("questions.type"), _type(words, question)),
            (words("questions.options"), _options(words, question)),
            (words("questions.unit"), words.unit(question)),
            (words("questions.range"), _range(words, question)),
            (words("questions.help"), words.texts.get("question_help", question.id).patient),
            (words("questions.core"), words.label("core") if question.core else ""),
            (words("questions.yes_is_good"), words("questions.yes_is_good_means") if question.yes_is_good else ""),
            (words("questions.unknown_counts"), _unknown_counts(ruleset, question)),
        ])
    ]  # fmt: skip
    if question.asked_when is not None:
        said.append(part(words, ruleset, "asked-when", words("questions.asked_when"), question.asked_when))
    return entry(
        "question",
        question.id,
        4,
        words.text("questions", question.id),
        *said,
        data_type=question.type.value,
        data_in_group=question.group,
        data_core="yes" if question.core else None,
    )


def _type(words: Words, question: Question) -> str:
    """What it takes; of a yes-or-no question that is also what its answers are called."""
    if question.type is not QuestionType.YES_NO:
        return words.label(question.type.value)
    answers = (tag("span", words.option(question, each), data_option=each) for each in question.options)
    return listed(answers, f" {words.label('or')} ")


def _options(words: Words, question: Question) -> Markup:
    if question.type is QuestionType.YES_NO:
        return Markup("")
    return bullets(
        tag("span", words.option(question, each), " (", code(each), ")", data_option=each) for each in question.options
    )


def _range(words: Words, question: Question) -> Markup:
    if question.low is None or question.high is None:
        return Markup("")
    return words(
        "questions.from_to",
        low=tag("span", words.number(question.low), data_low=plain_number(question.low)),
        high=tag("span", words.number(question.high), data_high=plain_number(question.high)),
    )


def _unknown_counts(ruleset: Ruleset, question: Question) -> Markup:
    """The rules that take an unknown answer as if it were the alarming one."""
    return listed(
        to("rule", rule.id)
        for rule in ruleset.rules.values()
        if question.id in questions_in(ruleset, rule.when)
        and when_unknown(ruleset, rule.when, question.id) is Unanswered.MET
    )


def parameters(book: Handbook) -> Section:
    """The numbers that a clinic may tune."""
    words, ruleset = book.words, book.ruleset
    if not ruleset.parameters:
        return Section("parameters", words("parameters.title"), tag("p", words("parameters.none")))
    heads = [words(f"parameters.{key}") for key in ("id", "value", "range")]
    rows = (_parameter(words, each) for each in ruleset.parameters.values())
    body = join([tag("p", words("parameters.intro")), table("parameter", words("parameters.caption"), heads, rows)])
    return Section("parameters", words("parameters.title"), body)


def _parameter(words: Words, parameter: ParameterValue) -> Markup:
    unit = words.text("units", parameter.unit) if parameter.unit else ""
    between = ""
    if parameter.low is not None and parameter.high is not None:
        between = words("questions.from_to", low=words.number(parameter.low), high=words.number(parameter.high))
    value = tag("b", words.number(parameter.value), data_value=plain_number(parameter.value))
    return row(code(parameter.id), join([value, " ", unit]), between, data_parameter=parameter.id)


def findings(book: Handbook) -> Section:
    """The named facts; those that others are made of come first."""
    words, ruleset = book.words, book.ruleset
    if not ruleset.findings:
        return Section("findings", words("findings.title"), tag("p", words("findings.none")))
    parts = [tag("p", words("findings.intro"))]
    for name in in_order(ruleset):
        said = part(words, ruleset, "when", words("findings.when"), ruleset.findings[name].when)
        called = words.texts.get("findings", name)
        title = join([called.patient, " ", code(name)]) if called.patient else code(name)
        clinicians = facts([(words("reader.clinician"), called.clinician)]) if called.clinician else ""
        parts.append(entry("finding", name, 3, title, clinicians, said))
    return Section("findings", words("findings.title"), join(parts))


def in_order(ruleset: Ruleset) -> tuple[str, ...]:
    """The findings, each after those that it is made of."""
    made_of = {
        name: [leaf.finding for leaf in leaves(finding.when) if isinstance(leaf, FindingIs)]
        for name, finding in ruleset.findings.items()
    }
    return tuple(TopologicalSorter(made_of).static_order())
