"""What is used on paper: the form for when the service is down, and the place where those who approve sign."""

from __future__ import annotations

from collections.abc import Iterator

from engine.author.handbook.asked import in_order
from engine.author.handbook.conditions import condition_list, questions_in
from engine.author.handbook.content import Handbook, Section
from engine.author.handbook.markup import Markup, bullets, code, facts, join, row, table, tag, to
from engine.author.handbook.words import Words
from engine.rules.condition import Condition
from engine.rules.model import APPROVING, Question, Ruleset
from engine.rules.scale import Disposition

BOX = tag("span", "", class_="box", aria_hidden="true")
LINE = tag("span", "", class_="line", aria_hidden="true")


def paper_form(book: Handbook) -> Section:
    """The questions with boxes to tick, danger first, and the way from them to a decision by hand."""
    words, ruleset = book.words, book.ruleset
    parts = [
        tag("p", words("paper.intro")),
        tag("ol", *(tag("li", step) for step in words.each("paper.steps"))),
        _blanks(words, ("patient", "moment", "filled_in_by")),
        tag("h3", words("paper.questions")),
    ]
    for disposition, asked in danger_first(ruleset):
        title = words.text("disposition_titles", disposition.word) if disposition else words("paper.rest")
        parts.append(tag("h4", words("paper.questions_for", title=title) if disposition else title))
        parts.append(bullets((_question(words, ruleset, each) for each in asked), class_="form"))
    parts.append(tag("h3", words("paper.findings")))
    parts.append(tag("p", words("paper.findings_intro")))
    states = [
        tag("span", BOX, " ", words(f"paper.{each}"), class_="tick") for each in ("holds", "holds_not", "not_known")
    ]
    heads = [words("paper.finding"), words("paper.tick_one")]
    parts.append(
        table(
            "form-findings",
            words("paper.findings"),
            heads,
            (row(words.finding(each), join(states)) for each in in_order(ruleset)),
        )
    )
    parts.append(tag("h3", words("paper.rules")))
    parts.append(tag("p", words("paper.rules_intro")))
    for disposition in sorted({each.disposition for each in ruleset.rules.values()}, reverse=True):
        parts.append(_rules(words, ruleset, disposition))
    parts.append(
        tag(
            "p",
            words(
                "paper.default",
                id=to("default", ruleset.default.id),
                title=words.text("disposition_titles", ruleset.default.disposition.word),
            ),
        )
    )
    parts.append(tag("h3", words("paper.decision")))
    parts.append(
        bullets(
            (
                join([BOX, " ", words.text("disposition_titles", each.word)])
                for each in sorted(Disposition, reverse=True)
            ),
            class_="form",
        )
    )
    parts.append(_blanks(words, ("call", "within", "rules_true", "decided_by")))
    return Section("paper", words("paper.title"), join(parts))


def danger_first(ruleset: Ruleset) -> Iterator[tuple[Disposition | None, list[Question]]]:
    """The questions by the most urgent disposition that reads them, with those that say whether they are asked.

    Last, with None, those that no rule reads.
    """
    told: set[str] = set()
    for disposition in sorted({each.disposition for each in ruleset.rules.values()}, reverse=True):
        wanted: set[str] = set()
        for rule in ruleset.rules.values():
            if rule.disposition is disposition:
                for question in questions_in(ruleset, rule.when):
                    _with_gates(ruleset, question, wanted)
        new = [each for each in ruleset.questions.values() if each.id in wanted - told]
        told |= wanted
        if new:
            yield disposition, new
    rest = [each for each in ruleset.questions.values() if each.id not in told]
    if rest:
        yield None, rest


def gates(ruleset: Ruleset, question: Question) -> list[Condition]:
    """When it is asked: its group's condition and its own."""
    group = ruleset.groups[question.group].asked_when if question.group else None
    return [each for each in (group, question.asked_when) if each is not None]


def _with_gates(ruleset: Ruleset, question: str, found: set[str]) -> None:
    if question not in found:
        found.add(question)
        for gate in gates(ruleset, ruleset.questions[question]):
            for each in questions_in(ruleset, gate):
                _with_gates(ruleset, each, found)


def _question(words: Words, ruleset: Ruleset, question: Question) -> Markup:
    said = [tag("p", words.text("questions", question.id), " (", to("question", question.id), ")")]
    for gate in gates(ruleset, question):
        said.append(tag("p", words("paper.only_when"), class_="part"))
        said.append(condition_list(words, ruleset, gate))
    ticks = [words.option(question, each) for each in question.options]
    if question.type.is_number:
        said.append(tag("p", LINE, " ", words.unit(question), " ", _tick(words.text("answers", "unknown"))))
    else:
        said.append(tag("p", *(_tick(each) for each in (*ticks, words.text("answers", "unknown")))))
    return tag("div", *said, data_form_question=question.id)


def _tick(label: str) -> Markup:
    return tag("span", BOX, " ", label, class_="tick")


def _rules(words: Words, ruleset: Ruleset, disposition: Disposition) -> Markup:
    heads = [words(f"paper.head_{key}") for key in ("rule", "reason", "call", "within", "true")]
    rows = (
        row(
            to("rule", each.id),
            words.texts.get("reasons", each.because).clinician or words.text("reasons", each.because),
            words.text("calls", each.call.word),
            "" if each.within_hours is None else words.counted("hours", each.within_hours),
            _tick(words("paper.true")),
            data_form_rule=each.id,
        )
        for each in ruleset.rules.values()
        if each.disposition is disposition
    )
    return table(f"form-{disposition.word}", words.text("disposition_titles", disposition.word), heads, rows)


def _blanks(words: Words, keys: tuple[str, ...]) -> Markup:
    return facts((words(f"paper.{key}"), LINE) for key in keys)


def signatures(book: Handbook) -> Section:
    """A GP and a physiotherapist sign for exactly this content."""
    words = book.words
    parts = [tag("p", words("sign.intro"))]
    for role in APPROVING:
        parts.append(tag("h3", words(f"sign.role_{role.value}")))
        blanks = [(words(f"sign.{key}"), LINE) for key in ("name", "date", "remarks", "key", "signature")]
        parts.append(facts([*blanks, (words("identity.digest"), code(book.checked.digest, class_="digest"))]))
    return Section("signatures", words("sign.title"), join(parts))
