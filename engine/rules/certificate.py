"""The certificate: what a prover found out about every claim of one content; `pluis prove` writes it beside a ruleset.

It says of which content it speaks by its digest; `certificate_faults` tells why one does not hold for a ruleset. It
proves nothing by itself: who made it can be seen when it is signed.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.rules.fields import read_json, render_json
from engine.rules.model import CheckedRuleset
from engine.rules.problem import Problem
from engine.rules.source import Source

CERTIFICATE = "certificate.json"
"""The file in the folder of a ruleset."""
PROVED, REFUTED, UNDECIDED = "proved", "refuted", "undecided"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class ClaimVerdict:
    """What was found out about one claim. `verdict` is proved, refuted or undecided; `why` is for people."""

    id: str
    kind: str
    verdict: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The verdicts on the claims of the ruleset with this digest; `solver` and `prover` are names with versions."""

    ruleset: str
    version: str
    digest: str
    solver: str
    prover: str
    claims: tuple[ClaimVerdict, ...]


def render_certificate(certificate: Certificate) -> str:
    """The text of the file: the same for the same certificate, whatever the order of its claims."""
    return render_json(
        {
            "format": FORMAT,
            "ruleset": certificate.ruleset,
            "version": certificate.version,
            "digest": certificate.digest,
            "solver": certificate.solver,
            "prover": certificate.prover,
            "claims": [
                {"id": each.id, "kind": each.kind, "verdict": each.verdict, "why": each.why}
                for each in sorted(certificate.claims, key=lambda claim: claim.id)
            ],
        }
    )


def read_certificate(source: Source) -> tuple[Certificate | None, list[Problem]]:
    """The certificate that a text says, or None; with every problem."""
    whole, problems = read_json(source)
    if whole is None:
        return None, problems
    said = whole.members("format", "ruleset", "version", "digest", "solver", "prover", "claims")
    said["format"].exactly(FORMAT)
    claims: dict[str, ClaimVerdict] = {}
    for each in said["claims"].items():
        of = each.members("id", "kind", "verdict", "why")
        claim = ClaimVerdict(
            of["id"].text(), of["kind"].text(), of["verdict"].word(PROVED, REFUTED, UNDECIDED), of["why"].prose()
        )
        if claim.id in claims:
            of["id"].tell("duplicate-id", f"the claim `{claim.id}` has a verdict already", "keep one of the two")
        claims[claim.id] = claim
    certificate = Certificate(
        said["ruleset"].text(),
        said["version"].text(),
        said["digest"].sha256(),
        said["solver"].text(),
        said["prover"].text(),
        tuple(claims.values()),
    )
    return (None, problems) if problems else (certificate, [])


def certificate_faults(checked: CheckedRuleset, certificate: Certificate) -> tuple[str, ...]:
    """Why a certificate does not hold for a ruleset, in words; empty when every claim of this content is proved."""
    ruleset = checked.ruleset
    faults = []
    if certificate.digest != checked.digest:
        faults.append("it was made for another content")
    if (certificate.ruleset, certificate.version) != (ruleset.id, ruleset.version):
        faults.append(f"it is for `{certificate.ruleset}` {certificate.version}")
    verdicts: dict[str, list[ClaimVerdict]] = {}
    for verdict in certificate.claims:
        verdicts.setdefault(verdict.id, []).append(verdict)
    for claim in ruleset.claims.values():
        found = verdicts.pop(claim.id, [])
        if not found:
            faults.append(f"the claim `{claim.id}` is missing")
        for verdict in found:
            if verdict.kind != claim.kind:
                faults.append(f"the claim `{claim.id}` is `{verdict.kind}` in it, and `{claim.kind}` in the ruleset")
            if verdict.verdict != PROVED:
                faults.append(f"the claim `{claim.id}` is {verdict.verdict}, not proved")
    faults.extend(f"the ruleset has no claim `{name}`" for name in verdicts)
    return tuple(faults)
