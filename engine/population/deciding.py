"""Decides every row by one ruleset: a flat record for each, or every reason why there is no decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.decide.answers import EVERY_GROUP, UNKNOWN, field
from engine.decide.canonical import decision_digest
from engine.decide.decision import Outcome
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError, RulesetError, Violation
from engine.population.rows import Cell, Done, Rejected, Row
from engine.rules.canonical import canonical_json
from engine.rules.load import build
from engine.rules.model import CheckedRuleset
from engine.rules.source import Source

OPEN = "needs_answers"
"""In the tally: a row for which missing answers could still raise the disposition."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A row and what follows from it; `groups` are its columns that are no answers."""

    row: Row
    outcome: Outcome
    digest: str


class Decider:
    """A ruleset, given by its texts, that decides rows. Picklable: what decides is made where it is first used."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = dict(texts)
        self._evaluator: Evaluator | None = None

    def __getstate__(self) -> dict[str, str]:
        return self._texts

    def __setstate__(self, texts: dict[str, str]) -> None:
        self._texts = texts
        self._evaluator = None

    @property
    def evaluator(self) -> Evaluator:
        """What decides. RulesetError where the texts are no ruleset."""
        if self._evaluator is None:
            checked, problems = build({name: Source(name, text) for name, text in self._texts.items()})
            if checked is None:
                raise RulesetError(problems)
            self._evaluator = Evaluator(checked)
        return self._evaluator

    @property
    def checked(self) -> CheckedRuleset:
        """The ruleset."""
        return self.evaluator.checked

    def decide(self, row: Row) -> Decided | Rejected:
        """What follows from a row. Raises EngineError, which is no fault of the row: nothing may be decided then."""
        evaluator = self.evaluator
        try:
            answers = evaluator.read(row.answers, row.none_of)
            violations: tuple[Violation, ...] = ()
        except AnswersError as error:
            violations = (*error.violations, *self._contradictions(row, error.violations))
        if row.faults or violations:
            told = (f"{each.field}: {each.message} ({each.code})" for each in violations)
            return Rejected(row.number, row.id, (*row.faults, *told), row.raw)
        outcome = evaluator.evaluate(answers).outcome
        return Decided(row, outcome, decision_digest(evaluator.checked, outcome))

    def _contradictions(self, row: Row, found: tuple[Violation, ...]) -> tuple[Violation, ...]:
        """The contradictions among the answers of a row that are right, where others are wrong."""
        ruleset = self.checked.ruleset
        wrong = {each.field for each in found}
        # A wrong answer counts as unknown, not as missing: a denied group must not answer it instead.
        right = {
            name: UNKNOWN if field(name) in wrong else answer
            for name, answer in row.answers.items()
            if name in ruleset.questions
        }
        try:
            self.evaluator.read(right, [name for name in row.none_of if name == EVERY_GROUP or name in ruleset.groups])
        except AnswersError as error:
            return error.violations
        return ()


class Batch:
    """The task of `pluis batch`: a record for each row that can be decided."""

    name = "batch"
    columns: Mapping[str, type] = {
        "number": int,
        "id": str,
        "disposition": str,
        "call": str,
        "settled": bool,
        "floor": str,
        "ceiling": str,
        "rules": list,
        "advice": list,
        "programme": str,
        "decision_digest": str,
        "ruleset_digest": str,
        "groups": str,
    }
    """`disposition` is null where it is not settled; `groups` is a JSON object, null where the input has none."""

    def __init__(self, decider: Decider) -> None:
        self._decider = decider
        self.fingerprint = decider.checked.digest

    def do(self, rows: Iterator[Row]) -> Done:
        """A record or a reject for each row, and how many ended in which disposition."""
        records: list[tuple[Cell, ...]] = []
        rejected: list[Rejected] = []
        tally: Counter[str] = Counter()
        for row in rows:
            decided = self._decider.decide(row)
            if isinstance(decided, Rejected):
                rejected.append(decided)
                continue
            record = self._record(decided)
            tally[f"disposition/{record[2] or OPEN}"] += 1
            records.append(record)
        return Done(records, rejected, tally)

    def _record(self, decided: Decided) -> tuple[Cell, ...]:
        row, outcome = decided.row, decided.outcome
        return (
            row.number,
            row.id,
            outcome.disposition.word if outcome.disposition else None,
            outcome.call.word,
            outcome.settled,
            outcome.floor.word,
            outcome.ceiling.word,
            [*outcome.rules],
            [*outcome.advice],
            outcome.programme.choice.word,
            decided.digest,
            self.fingerprint,
            canonical_json(dict(row.groups)).decode() if row.groups else None,
        )
