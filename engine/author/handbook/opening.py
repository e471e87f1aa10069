"""The first pages: which ruleset this is, what it is for, and how the rest is to be read."""

from __future__ import annotations

from collections.abc import Iterator

from engine.author.handbook.content import Handbook, Section
from engine.author.handbook.markup import Markup, bullets, code, facts, join, listed, row, table, tag
from engine.author.handbook.words import Words
from engine.rules.model import Ruleset
from engine.rules.scale import Call, Disposition

OPS = ("all", "any", "count", "not", "unless", "surely")
STATES = ("value", "unknown", "missing", "not_applicable")


def title_page(book: Handbook) -> Markup:
    """The top of the page: title, identity, status and period."""
    words, ruleset = book.words, book.ruleset
    until = ruleset.effective_until
    period = words("identity.from", day=_day(ruleset.effective_from.isoformat()))
    if until is not None:
        period = join([period, ", ", words("identity.until", day=_day(until.isoformat()))])
    return join([
        tag("p", words("handbook"), class_="kicker"),
        tag("h1", words.text("ruleset", "title")),
        tag("p", words.text("ruleset", "summary")),
        facts([
            (words("identity.id"), code(ruleset.id, data_ruleset=ruleset.id)),
            (words("identity.version"), tag("span", ruleset.version, data_version=ruleset.version)),
            (words("identity.status"), _status(book)),
            (words("identity.period"), period),
            (words("identity.authors"), ", ".join(ruleset.authors)),
            (words("identity.digest"), code(book.checked.digest, class_="digest", data_digest=book.checked.digest)),
        ]),
        tag("p", words("identity.digest_means"), class_="aside"),
    ])  # fmt: skip


def _day(iso: str) -> Markup:
    return tag("time", iso, datetime=iso)


def _status(book: Handbook) -> Markup:
    names = listed(
        f"{each.statement.who} ({book.words('sign.role_' + each.statement.role.value)})" for each in book.signed
    )
    said = book.words(f"identity.{book.status.value}")
    return join([said, " ", book.words("identity.signed", names=names)]) if book.signed else said


def intended_use(book: Handbook) -> Section:
    """What it is for, and what it is not."""
    words = book.words
    body = join([
        words.both(words.texts.get("ruleset", "intended_use")),
        tag("h3", words("use.disclaimer")),
        words.both(words.texts.get("ruleset", "disclaimer")),
    ])  # fmt: skip
    return Section("use", words("use.title"), body)


def how_to_read(book: Handbook) -> Section:
    """The scale, the calls, the states of an answer, and the six words that join conditions."""
    words, ruleset = book.words, book.ruleset
    body = join([
        bullets(words.each("how.rules")),
        tag("h3", words("how.dispositions")),
        table(
            "dispositions",
            words("how.dispositions_caption"),
            [words(f"how.head_{key}") for key in ("disposition", "means", "within", "valid", "recheck")],
            (_disposition(words, ruleset, each) for each in sorted(ruleset.validity, reverse=True)),
        ),
        tag("h3", words("how.calls")),
        table(
            "calls",
            words("how.calls_caption"),
            [words("how.head_call"), words("how.head_says")],
            (row(code(each.word), words.both(words.texts.get("calls", each.word)), data_call_row=each.word)
             for each in calls_of(ruleset)),
        ),
        tag("h3", words("how.answers")),
        facts(
            (words(f"how.state_{state}"), words(f"how.state_{state}_means"))
            for state in STATES
        ),
        tag("h3", words("how.conditions")),
        tag("p", words("how.conditions_intro")),
        facts(
            (words(f"condition.{op}", n=words("how.number")), words(f"how.{op}"))
            for op in OPS
        ),
        tag("p", words("how.core")),
    ])  # fmt: skip
    return Section("how", words("how.title"), body)


def calls_of(ruleset: Ruleset) -> list[Call]:
    """The calls that a decision can name, most urgent first."""
    used = {ruleset.default.call, *(each.call for each in ruleset.rules.values())}
    return sorted(used, key=lambda each: (-each.rank, each.word))


def _disposition(words: Words, ruleset: Ruleset, disposition: Disposition) -> Markup:
    validity = ruleset.validity[disposition]
    title = join([words.text("disposition_titles", disposition.word), " ", code(disposition.word)])
    return row(
        title,
        words.both(words.texts.get("dispositions", disposition.word)),
        listed(_hours(words, ruleset, disposition)) or words("how.no_time"),
        words.counted("days", validity.valid_days),
        words.counted("after_days", validity.recheck_days),
        data_disposition_row=disposition.word,
    )


def _hours(words: Words, ruleset: Ruleset, disposition: Disposition) -> Iterator[str]:
    """How fast its rules want it, fastest first."""
    rules = (each for each in ruleset.rules.values() if each.disposition is disposition)
    for hours in sorted({each.within_hours for each in rules if each.within_hours is not None}):
        yield words.counted("hours", hours)
