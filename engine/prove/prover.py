"""All claims of a ruleset, one after the other: proved, refuted with a patient, or undecided; and the certificate."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping

import engine
from engine.decide.evaluate import Evaluator
from engine.prove.claims import CLAIMS
from engine.prove.obligations import Never, Obligation, Somebody, Subject, Unclear
from engine.prove.patient import remarkable_last
from engine.prove.replay import replay
from engine.prove.solving import OutOfTime, Solver, version
from engine.prove.verdict import ClaimResult, Proved, Refuted, Undecided, Verdict, word
from engine.rules.certificate import Certificate, ClaimVerdict
from engine.rules.model import CheckedRuleset, Claim


def prove(
    checked: CheckedRuleset,
    claims: Iterable[Claim] | None = None,
    *,
    versions: Mapping[str, CheckedRuleset] | None = None,
    budget: float = 60.0,
) -> Iterator[ClaimResult]:
    """The verdict on each claim (all of the ruleset's by default), as soon as it is there.

    `budget` is in seconds and for all claims together; a claim that finds no time left is undecided. `versions` are
    other versions of the ruleset for claims that compare.
    """
    prover = Prover(checked, versions, budget)
    for claim in checked.ruleset.claims.values() if claims is None else claims:
        start = time.monotonic()
        verdict = prover.verdict(claim)
        yield ClaimResult(claim, verdict, time.monotonic() - start)


class Prover:
    """A ruleset in the solver, and its evaluator beside it."""

    def __init__(
        self, checked: CheckedRuleset, versions: Mapping[str, CheckedRuleset] | None = None, budget: float = 60.0
    ) -> None:
        self.checked = checked
        self._subject = Subject(checked, versions)
        self._evaluators = {"": Evaluator(checked)}
        self._solver = Solver(budget)

    def verdict(self, claim: Claim) -> Verdict:
        """What becomes of one claim. The first obligation that fails decides; a lack of time never proves."""
        shown = 0
        unclear = ""
        try:
            for obligation in CLAIMS[claim.kind](self._subject, claim):
                failed = self._failed(obligation)
                if isinstance(failed, Refuted):
                    return failed
                unclear = unclear or failed
                shown += 1
        except OutOfTime:
            return Undecided("the budget of time is used up")
        return Undecided(unclear) if unclear else Proved(shown)

    def _evaluator(self, version: str) -> Evaluator:
        if version not in self._evaluators:
            self._evaluators[version] = Evaluator(self._subject.versions[version])
        return self._evaluators[version]

    def _failed(self, obligation: Obligation) -> Refuted | str:
        """How an obligation fails; empty where it is met, and a text where that is not known."""
        match obligation:
            case Unclear(why):
                return why
            case Never():
                return self._search(obligation)
            case Somebody():
                return self._example(obligation)

    def _search(self, it: Never) -> Refuted | str:
        model = self._solver.simplest(remarkable_last(it.patients[0]), *it.formulas)
        if model is None:
            return ""
        patients = tuple(patient.read(model) for patient in it.patients)
        versions = it.versions or ("",) * len(patients)
        seen = tuple(replay(self._evaluator(by), each) for by, each in zip(versions, patients, strict=True))
        if not it.confirmed(seen):
            return f"the evaluators do not do what the solver says: {it.why}"
        return Refuted(it.why, patients)

    def _example(self, it: Somebody) -> Refuted | str:
        model = self._solver.find(*it.formulas)
        if model is None:
            return Refuted(it.why, () if it.instead is None else (it.instead,))
        seen = tuple(replay(self._evaluator(""), each.read(model)) for each in it.patients)
        return "" if it.confirmed(seen) else f"the evaluators do not do what the solver says: not so that {it.why}"


def certificate(checked: CheckedRuleset, results: Iterable[ClaimResult]) -> Certificate:
    """The verdicts as a file that says for which content they hold, and who reached them."""
    return Certificate(
        ruleset=checked.ruleset.id,
        version=checked.ruleset.version,
        digest=checked.digest,
        solver=version(),
        prover=f"pluis {engine.__version__}",
        claims=tuple(
            ClaimVerdict(each.claim.id, each.claim.kind, word(each.verdict), _why(each.verdict)) for each in results
        ),
    )


def _why(verdict: Verdict) -> str:
    return "" if isinstance(verdict, Proved) else verdict.why
