"""What decides: the rules from the most urgent down, the default, the refusals, and the evidence for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.author.diagram import overview_svg, rule_svg
from engine.author.handbook.asked import part
from engine.author.handbook.conditions import Unanswered, questions_in, when_unknown
from engine.author.handbook.content import Handbook, Section
from engine.author.handbook.markup import Markup, bullets, code, entry, facts, join, listed, row, table, tag, to
from engine.author.handbook.words import Words
from engine.rules.model import Default, Rule, Ruleset
from engine.rules.scale import Disposition


def overview(book: Handbook) -> Section:
    """All rules in one picture."""
    words = book.words
    body = join(
        [
            tag("p", words("overview.intro")),
            _drawing(overview_svg(book.checked, book.language), words("overview.drawing")),
        ]
    )
    return Section("overview", words("overview.title"), body)


def _drawing(svg: str, name: str) -> Markup:
    """A picture that scrolls in a region of its own."""
    return tag("div", Markup(svg), class_="wide drawing", role="region", aria_label=name, tabindex="0")


def rules(book: Handbook) -> Section:
    """Every rule, from emergency to self-care, and inside a disposition in the order of the ids."""
    words, ruleset = book.words, book.ruleset
    parts = [tag("p", words("rules.intro"))]
    for disposition in sorted(Disposition, reverse=True):
        own = [each for each in ruleset.rules.values() if each.disposition is disposition]
        if own:
            parts.append(tag("h3", words.text("disposition_titles", disposition.word), " ", code(disposition.word)))
            parts.extend(_rule(book, each) for each in own)
    parts.append(tag("h3", words("rules.default")))
    parts.append(_default(words, ruleset))
    return Section("rules", words("rules.title"), join(parts))


def _rule(book: Handbook, rule: Rule) -> Markup:
    words, ruleset = book.words, book.ruleset
    return entry(
        "rule",
        rule.id,
        4,
        rule.id,
        because(words, rule.because),
        _then(words, rule),
        part(words, ruleset, "when", words("rules.when"), rule.when),
        _unanswered(words, ruleset, rule),
        supports(words, ruleset, rule.evidence),
        _drawing(rule_svg(book.checked, rule.id, book.language), words("rules.drawing", id=rule.id)),
        **_attributes(rule),
    )


def _default(words: Words, ruleset: Ruleset) -> Markup:
    default = ruleset.default
    return entry(
        "default",
        default.id,
        4,
        default.id,
        tag("p", words("rules.default_when")),
        because(words, default.because),
        _then(words, default),
        supports(words, ruleset, default.evidence),
        **_attributes(default),
    )


def _attributes(rule: Rule | Default) -> dict[str, str | None]:
    """Where the rule leads, for reading programs."""
    guidance = rule.guidance if isinstance(rule, Rule) else None
    return {
        "data_disposition": rule.disposition.word,
        "data_call": rule.call.word,
        "data_hours": None if rule.within_hours is None else str(rule.within_hours),
        "data_guidance": None if guidance is None else guidance.word,
    }


def because(words: Words, reason: str) -> Markup:
    """The reason as the person and the clinician read it."""
    return tag("div", words.both(words.texts.get("reasons", reason)), class_="because", data_because=reason)


def _then(words: Words, rule: Rule | Default) -> Markup:
    guidance = rule.guidance.word if isinstance(rule, Rule) and rule.guidance is not None else ""
    return facts([
        (words("rules.disposition"), words.text("disposition_titles", rule.disposition.word)),
        (words("rules.call"), words.text("calls", rule.call.word)),
        (words.label("within"), "" if rule.within_hours is None else words.counted("hours", rule.within_hours)),
        (words.label("guidance"), words.text("guidance", guidance) if guidance else ""),
    ])  # fmt: skip


def _unanswered(words: Words, ruleset: Ruleset, rule: Rule) -> Markup:
    """What an unknown answer does to the rule, question by question; and what it means that one is missing."""
    asked = questions_in(ruleset, rule.when)
    met = [each for each in asked if when_unknown(ruleset, rule.when, each) is Unanswered.MET]
    rest = [each for each in asked if each not in met]
    lines = [
        tag("li", words(f"rules.unknown_{key}", questions=listed(to("question", each) for each in found)))
        for key, found in (("met", met), ("rest", rest))
        if found
    ]
    lines.append(tag("li", words("rules.missing")))
    return join([tag("p", words("rules.unanswered"), class_="part"), tag("ul", *lines)])


def supports(words: Words, ruleset: Ruleset, evidence: Iterable[str]) -> Markup:
    """What supports it: citation, strength, address."""
    items = bullets(tag("span", *_cited(words, ruleset, each), data_supports=each) for each in evidence)
    return join([tag("p", words("rules.evidence"), class_="part"), items]) if items else items


def _cited(words: Words, ruleset: Ruleset, id: str) -> Iterator[str]:
    cited = ruleset.evidence[id]
    yield from (cited.citation, " (", words(f"evidence.{cited.strength.word}"), "; ", to("evidence", id), ")")
    if cited.url:
        yield from (" ", tag("span", cited.url, class_="url"))


def refusals(book: Handbook) -> Section:
    """Answers that cannot both be true."""
    words, ruleset = book.words, book.ruleset
    parts = [tag("p", words("refusals.intro" if ruleset.refusals else "refusals.none"))]
    for each in ruleset.refusals.values():
        said = words.both(words.texts.get("refuse", each.id))
        parts.append(
            entry(
                "refusal",
                each.id,
                3,
                code(each.id),
                said,
                part(words, ruleset, "when", words("refusals.when"), each.when),
            )
        )
    return Section("refusals", words("refusals.title"), join(parts))


def evidence(book: Handbook) -> Section:
    """Every source, how strong it is, and what it supports."""
    words, ruleset = book.words, book.ruleset
    heads = [words(f"evidence.head_{key}") for key in ("id", "citation", "strength", "url", "supports")]
    rows = (
        row(
            code(each.id),
            each.citation,
            words(f"evidence.{each.strength.word}"),
            tag("span", each.url, class_="url", data_url=each.url) if each.url else words("evidence.no_url"),
            listed(_supported(ruleset, each.id)),
            data_evidence=each.id,
            data_strength=each.strength.word,
            id=f"evidence-{each.id}",
        )
        for each in ruleset.evidence.values()
    )
    parts = [
        tag("p", words("evidence.intro")),
        facts(
            (words(f"evidence.{key}"), words(f"evidence.{key}_means"))
            for key in ("guideline", "study", "consensus", "policy")
        ),
        table("evidence", words("evidence.caption"), heads, rows),
    ]
    return Section("evidence", words("evidence.title"), join(parts))


def _supported(ruleset: Ruleset, evidence: str) -> Iterator[Markup]:
    for kind, owners in (("rule", ruleset.rules.values()), ("default", (ruleset.default,)), ("row", ruleset.programme)):
        yield from (to(kind, each.id) for each in owners if evidence in each.evidence)
