"""Why it may be trusted: claims with their verdicts, what the cases reach, planted mistakes, and what has changed."""

from __future__ import annotations

from collections.abc import Sequence

from engine.author.handbook.changelog import changelog_markup
from engine.author.handbook.content import Change, Handbook, Section
from engine.author.handbook.markup import Markup, bullets, code, entry, facts, join, row, table, tag, to
from engine.author.handbook.words import Words
from engine.rules.certificate import ClaimVerdict
from engine.rules.model import Claim


def claims(book: Handbook) -> Section:
    """What must hold for every patient, and whether that was proved for exactly this content."""
    words, ruleset, certificate = book.words, book.ruleset, book.certificate
    verdicts = {} if certificate is None else {each.id: each for each in certificate.claims}
    parts = [tag("p", words("claims.intro"))]
    if certificate is None:
        parts.append(tag("p", words("claims.no_certificate"), class_="warning"))
    else:
        parts.append(tag("p", words("claims.certificate", prover=certificate.prover, solver=certificate.solver)))
    parts.extend(_claim(words, each, verdicts.get(each.id)) for each in ruleset.claims.values())
    if not ruleset.claims:
        parts.append(tag("p", words("claims.none")))
    return Section("claims", words("claims.title"), join(parts))


def _claim(words: Words, claim: Claim, verdict: ClaimVerdict | None) -> Markup:
    found = "none" if verdict is None else verdict.verdict
    at_least = "" if claim.at_least is None else words.text("disposition_titles", claim.at_least.word)
    finding = words.finding(claim.finding) if claim.finding else ""
    said = [
        tag("p", words(f"claims.{claim.kind}", finding=finding, at_least=at_least, than=claim.than)),
        facts([
            (words("claims.verdict"), tag("strong", words(f"claims.verdict_{found}"))),
            (words("claims.why"), "" if verdict is None else verdict.why),
        ]),
    ]  # fmt: skip
    if claim.exempt:
        exempt = (join([to("question", each), ": ", why]) for each, why in claim.exempt.items())
        said.append(join([tag("p", words("claims.exempt"), class_="part"), bullets(exempt)]))
    return entry("claim", claim.id, 3, code(claim.id), *said, data_claim_kind=claim.kind, data_verdict=found)


def checks(book: Handbook) -> Section:
    """What the authors' cases reach, and how many planted mistakes they notice."""
    words, coverage, mutated = book.words, book.coverage, book.mutated
    parts = [tag("h3", words("checks.coverage"))]
    if coverage is None:
        parts.append(tag("p", words("checks.no_coverage"), class_="warning"))
    else:
        heads = [words(f"checks.head_{key}") for key in ("kind", "covered", "total")]
        rows = (
            row(
                words(f"checks.kind_{each.kind.value}"),
                str(each.covered),
                str(each.total),
                data_covered=each.kind.value,
            )
            for each in coverage.summary()
        )
        parts.append(tag("p", words("checks.coverage_means", cases=str(coverage.cases))))
        parts.append(table("coverage", words("checks.coverage_caption"), heads, rows))
    parts.append(tag("h3", words("checks.mutation")))
    if mutated is None:
        parts.append(tag("p", words("checks.no_mutation"), class_="warning"))
    else:
        counts = {
            "score": mutated.score,
            "killed": str(mutated.killed),
            "survived": str(len(mutated.survivors)),
            "equivalent": str(mutated.equivalent),
            "waived": str(mutated.waived),
        }
        parts.append(tag("p", words("checks.mutation_means", **counts)))
        if mutated.survivors:
            parts.append(join([tag("p", words("checks.survivors"), class_="part"), bullets(mutated.survivors)]))
    return Section("checks", words("checks.title"), tag("div", join(parts), data_measured="yes"))


def changes(book: Handbook) -> Section:
    """What is new in this version: in the authors' words and, where an earlier version is given, by comparison."""
    words = book.words
    parts = [tag("p", words("changes.none"))]
    if book.changelog:
        parts = [
            tag("p", words("changes.intro")),
            tag("div", changelog_markup(book.changelog, 3, words("changes.table")), data_verbatim="CHANGELOG.md"),
        ]
    parts.append(tag("h3", words("changes.compared")))
    parts.append(
        tag("p", words("changes.not_compared")) if book.changes is None else compared(words, book.since, book.changes)
    )
    return Section("changes", words("changes.title"), join(parts))


def compared(words: Words, since: str, found: Sequence[Change]) -> Markup:
    """The differences in meaning from an earlier version, each with its direction and an example patient."""
    if not found:
        return tag("p", words("changes.same", since=since))
    heads = [words(f"changes.head_{key}") for key in ("direction", "text", "example")]
    rows = (
        row(words(f"changes.{each.direction}"), each.text, each.example, data_change=each.direction) for each in found
    )
    content = join(
        [tag("p", words("changes.since", since=since)), table("changes", words("changes.caption"), heads, rows)]
    )
    return tag("div", content, data_verbatim="changes")
