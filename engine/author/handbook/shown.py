"""What the person reads beside the decision: the programme, advice and the safety net, and when each is shown."""

from __future__ import annotations

from engine.author.handbook.asked import part
from engine.author.handbook.content import Handbook, Section
from engine.author.handbook.deciding import because, supports
from engine.author.handbook.markup import Markup, entry, facts, join, listed, tag, to
from engine.author.handbook.words import Words
from engine.rules.model import Advice, AdvicePolicy, ProgrammeRow, Ruleset, SafetyNet


def programme(book: Handbook) -> Section:
    """The ordered table: the first row that applies."""
    words, ruleset = book.words, book.ruleset
    parts = [tag("p", words("programme.intro"))]
    parts.extend(_row(words, ruleset, number, each) for number, each in enumerate(ruleset.programme, 1))
    return Section("programme", words("programme.title"), join(parts))


def _row(words: Words, ruleset: Ruleset, number: int, row: ProgrammeRow) -> Markup:
    said = [
        facts([(words("programme.choice"), words.text("programmes", row.choice.word))]),
        because(words, row.because),
    ]
    if row.when is None:
        said.append(tag("p", words("programme.otherwise")))
    else:
        effect = "applies" if row.applies_unknown else "skips"
        said.append(part(words, ruleset, "when", words("programme.when"), row.when))
        said.append(tag("p", words(f"programme.unknown_{effect}")))
    said.append(supports(words, ruleset, row.evidence))
    return entry(
        "row",
        row.id,
        3,
        words("programme.row", number=str(number), id=row.id),
        *said,
        data_choice=row.choice.word,
        data_when_unknown="applies" if row.applies_unknown else "skips",
    )


def advice(book: Handbook) -> Section:
    """Every advice text with when it is shown and when hidden, and what hides whole kinds."""
    words, ruleset = book.words, book.ruleset
    parts = [tag("p", words("advice.intro"))]
    if ruleset.policies:
        parts.append(tag("h3", words("advice.policies")))
        parts.extend(_policy(words, ruleset, each) for each in ruleset.policies.values())
        parts.append(tag("h3", words("advice.texts")))
    level = 4 if ruleset.policies else 3
    parts.extend(_advice(words, ruleset, level, each) for each in ruleset.advice.values())
    return Section("advice", words("advice.title"), join(parts))


def _policy(words: Words, ruleset: Ruleset, policy: AdvicePolicy) -> Markup:
    kinds = sorted(each.value for each in policy.kinds)
    said = tag("p", words("advice.policy", kinds=listed(words(f"advice.kind_{each}") for each in kinds)))
    hides = part(words, ruleset, "hide-when", words("advice.hidden"), policy.hide_when)
    return entry("policy", policy.id, 4, policy.id, said, hides, data_kinds=" ".join(kinds))


def _advice(words: Words, ruleset: Ruleset, level: int, item: Advice) -> Markup:
    policies = [each.id for each in ruleset.policies.values() if item.kind in each.kinds]
    said = [
        tag("div", words.both(words.texts.get("advice", item.id)), class_="said"),
        facts([
            (words("advice.kind"), words(f"advice.kind_{item.kind.value}")),
            (words("advice.hidden_by"), listed(to("policy", each) for each in policies)),
            (words("advice.contradicts"), listed(to("advice", each) for each in item.contradicts)),
        ]),
        _shown(words, ruleset, item),
    ]  # fmt: skip
    if item.hide_when is not None:
        said.append(part(words, ruleset, "hide-when", words("advice.hidden"), item.hide_when))
    return entry("advice", item.id, level, item.id, *said, data_kind=item.kind.value)


def _shown(words: Words, ruleset: Ruleset, item: Advice | SafetyNet) -> Markup:
    if item.when is None:
        return tag("p", words("advice.always"))
    return part(words, ruleset, "when", words("advice.shown"), item.when)


def safety_net(book: Handbook) -> Section:
    """What to watch for, how fast to act, whom to call."""
    words, ruleset = book.words, book.ruleset
    parts = [tag("p", words("safety_net.intro"))]
    for item in ruleset.safety_net.values():
        said = tag("div", words.both(words.texts.get("safety_net", item.id)), class_="said")
        parts.append(entry("safety-net", item.id, 3, item.id, said, _shown(words, ruleset, item)))
    return Section("safety-net", words("safety_net.title"), join(parts))
