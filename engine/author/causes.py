"""Why a case failed: the rules, rows and texts that made the difference, their lines, and the answers behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from engine.decide.cases import CaseResult
from engine.decide.decision import Outcome
from engine.decide.direct import FALSE, TRUE, UNKNOWN, Reading
from engine.decide.evaluate import Evaluated
from engine.decide.explain import support
from engine.decide.missing import undecided
from engine.rules.cases import ALL_GROUPS, Case
from engine.rules.condition import Condition
from engine.rules.model import Rule, Ruleset
from engine.rules.scale import Disposition, Programme
from engine.rules.source import Span

FEW = 3
"""Of rules that nobody named, so many are told: those that the fewest answers stand in the way of."""


@dataclass(frozen=True, slots=True)
class Behind:
    """One answer behind a cause, as the author wrote it; `origin` says where, when not among the case's `answers`."""

    question: str
    answer: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """A rule, row or text: what it is (`E01`), how it stands (`is true`), where it is written, and because of what."""

    id: str
    state: str
    place: str
    about: str = ""
    answers: tuple[Behind, ...] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """One reason for a failure: a sentence, and its causes. `more` were left out."""

    says: str
    causes: tuple[Cause, ...]
    more: int = 0


def why(ruleset: Ruleset, result: CaseResult, language: str = "") -> tuple[Why, ...]:
    """The reasons of a failed case, each rule, row and text once; none for a case that passed or was not evaluated."""
    if result.passed or result.evaluated is None:
        return ()
    return tuple(_Search(ruleset, result.case, result, result.evaluated, language).reasons())


class _Search:
    """Looks for the causes of one failure, and remembers which were told."""

    def __init__(self, ruleset: Ruleset, case: Case, result: CaseResult, evaluated: Evaluated, language: str) -> None:
        self.ruleset = ruleset
        self.case = case
        self.outcome: Outcome = evaluated.outcome
        self.reading: Reading = evaluated.reading
        self.texts = ruleset.texts[
            next(each for each in (case.language, language, *ruleset.languages) if each in ruleset.texts)
        ]
        self.differences = {each.key: each for each in result.differences}
        self.told: set[str] = set()

    def reasons(self) -> Iterator[Why]:
        yield from self._dispositions()
        yield from self._rules()
        if self.differences.keys() & {"call", "within_hours", "guidance"}:
            floor = self.outcome.floor
            winners = [name for name in self.outcome.rules if self._disposition(name) is floor]
            yield from self._why("call, hours and guidance come from the true rules of the disposition", winners)
        if self.differences.keys() & {"act_now", "open_rules_include", "next_questions_first"}:
            yield from self._why("these rules could still become true", self.outcome.open_rules, FEW)
        if "programme" in self.differences:
            yield from self._programme()
        yield from self._shown()

    def _dispositions(self) -> Iterator[Why]:
        expect, floor, ceiling = self.case.expect, self.outcome.floor, self.outcome.ceiling
        wanted = expect.disposition or expect.floor
        if "disposition" in self.differences or "floor" in self.differences:
            if wanted is not None and floor > wanted:
                higher = [name for name in self.outcome.rules if self._disposition(name) > wanted]
                yield from self._why(f"higher than {wanted.word}, because of what is true", higher)
            elif wanted is not None and floor < wanted:
                yield from self._too_low(wanted)
            if expect.needs_answers:
                says = f"settled at {floor.word}: no missing answer can raise it"
                yield from self._why(says, [name for name in self.outcome.rules if self._disposition(name) is floor])
            elif expect.disposition is not None and ceiling is not floor:
                yield from self._why(
                    "not settled, because of what could still become true", self.outcome.open_rules, FEW
                )
        if "ceiling" in self.differences and expect.ceiling is not None:
            if ceiling > expect.ceiling:
                higher = [name for name in self.outcome.open_rules if self._disposition(name) > expect.ceiling]
                yield from self._why(f"the ceiling is higher than {expect.ceiling.word}", higher, FEW)
            else:
                yield from self._too_low(expect.ceiling)

    def _too_low(self, wanted: Disposition) -> Iterator[Why]:
        """The rules that the author named or, where there are none, those that are nearest."""
        named = [name for name in self._of("missing", "rules") if self._disposition(name) >= wanted]
        others = [rule.id for rule in self.ruleset.rules.values() if rule.disposition is wanted]
        says = f"lower than {wanted.word}, because of what is not true"
        if named:
            yield from self._why(says, named)
        else:
            nearest = sorted(set(others) - set(self.outcome.rules), key=self._distance)
            yield from self._why(says, nearest, FEW)

    def _distance(self, name: str) -> tuple[int, int, str]:
        """An answer that the author wrote is nearer to what was meant than one that was left to `unlisted`."""
        answers = self._rule(name).answers
        return sum(bool(each.origin) for each in answers), len(answers), name

    def _rules(self) -> Iterator[Why]:
        yield from self._why("expected, and not true", self._of("missing", "rules"))
        yield from self._why("true, and not expected", self._of("surplus", "rules"))

    def _programme(self) -> Iterator[Why]:
        programme, wanted = self.outcome.programme, self.case.expect.programme
        if programme.open:
            answers = self._behind(programme.open_questions)
            cause = Cause("programme", "is open", "", Programme.NONE_YET.word, answers)
            yield Why("the programme is open until these are answered", (cause,))
            return
        above: list[Cause] = []
        for row in self.ruleset.programme:
            accept = TRUE | UNKNOWN if row.applies_unknown else TRUE
            place, about = _line(row.span), f"{row.choice.word}: {self._reason(row.because)}"
            if row.id == programme.row:
                answers = () if row.when is None else self._behind(support(self.reading, row.when, accept))
                first = Cause(row.id, "applies", place, about, answers)
                yield Why("the first row that applies", (first,))
                break
            if row.choice is wanted and row.when is not None:
                above.append(Cause(row.id, "does not apply", place, about, self._against(row.when)))
        if above:
            yield Why("expected, and does not apply", tuple(above))

    def _shown(self) -> Iterator[Why]:
        frozen = [key.split()[1] for key in self.differences if key.startswith("texts ")]
        hidden = [name for name in frozen if name in self.ruleset.advice and name not in self.outcome.advice]
        hidden += [name for name in frozen if name in self.ruleset.safety_net and name not in self.outcome.safety_net]
        missing = [*self._of("missing", "advice"), *self._of("missing", "safety_net"), *hidden]
        surplus = [*self._of("surplus", "advice"), *self._of("surplus", "safety_net")]
        yield from self._why("expected, and not shown", missing, tell=self._hidden)
        yield from self._why("shown, and not expected", surplus, tell=self._visible)

    def _of(self, which: str, section: str) -> list[str]:
        keys = (section, f"{section}_include", f"{section}_exclude")
        found = (name for key in keys if key in self.differences for name in getattr(self.differences[key], which))
        return [*dict.fromkeys(found)]

    def _why(
        self, says: str, names: Iterable[str], most: int | None = None, tell: Callable[[str], Cause] | None = None
    ) -> Iterator[Why]:
        """What was not told before; with `most`, no more than so many."""
        fresh = [name for name in dict.fromkeys(names) if name not in self.told]
        kept = fresh[:most]
        self.told.update(kept)
        if kept:
            yield Why(says, tuple((tell or self._rule)(name) for name in kept), len(fresh) - len(kept))

    def _rule(self, name: str) -> Cause:
        rule = self.ruleset.rules.get(name, self.ruleset.default)
        about = ", ".join([rule.disposition.word, rule.call.word, *_hours(rule.within_hours)])
        about = f"{about}: {self._reason(rule.because)}"
        if not isinstance(rule, Rule):
            state = "is true, as no rule is" if name in self.outcome.rules else "is true only where no rule is"
            return Cause(name, state, _line(rule.span), about)
        outcomes = self.reading.outcomes(rule.when)
        if outcomes == TRUE:
            return Cause(name, "is true", _line(rule.span), about, self._behind(support(self.reading, rule.when, TRUE)))
        state = "could still become true" if outcomes & TRUE else "is not true"
        return Cause(name, state, _line(rule.span), about, self._against(rule.when))

    def _hidden(self, name: str) -> Cause:
        """A text that is not shown: its `when` does not hold, or something hides it."""
        item = self.ruleset.advice.get(name) or self.ruleset.safety_net[name]
        if item.when is not None and self.reading.outcomes(item.when) != TRUE:
            state = "is not shown, its `when` does not hold"
            return Cause(name, state, _line(item.span), self._standing(), self._against(item.when))
        for source, hide, span in self._hiding(name):
            if self.reading.outcomes(hide) != FALSE:
                answers = self._behind(support(self.reading, hide, TRUE | UNKNOWN))
                return Cause(name, f"is hidden by {source}", _line(span), self._standing(), answers)
        return Cause(name, "is not shown", _line(item.span), self._standing())

    def _visible(self, name: str) -> Cause:
        item = self.ruleset.advice.get(name) or self.ruleset.safety_net[name]
        answers = () if item.when is None else self._behind(support(self.reading, item.when, TRUE))
        state = "is shown always" if item.when is None else "is shown, its `when` holds"
        return Cause(name, state, _line(item.span), self._standing(), answers)

    def _hiding(self, name: str) -> Iterator[tuple[str, Condition, Span]]:
        item = self.ruleset.advice.get(name)
        if item is None:
            return
        if item.hide_when is not None:
            yield "its `hide_when`", item.hide_when, item.span
        for policy in self.ruleset.policies.values():
            if item.kind in policy.kinds:
                yield f"`{policy.id}`", policy.hide_when, policy.span

    def _standing(self) -> str:
        """What conditions of texts look at besides answers."""
        found = self.outcome.disposition
        disposition = "the disposition is open" if found is None else f"the disposition is {found.word}"
        return f"{disposition}, the programme {self.outcome.programme.choice.word}"

    def _against(self, condition: Condition) -> tuple[Behind, ...]:
        """The answers that keep a condition from being true, or that it still waits for."""
        if self.reading.outcomes(condition) & TRUE:
            return self._behind(undecided(self.reading, condition))
        return self._behind(support(self.reading, condition, FALSE | UNKNOWN))

    def _behind(self, questions: Iterable[str]) -> tuple[Behind, ...]:
        return tuple(Behind(name, self.reading.answers.word(name), self._origin(name)) for name in questions)

    def _origin(self, name: str) -> str:
        answers, group = self.reading.answers, self.ruleset.questions[name].group
        if name in self.case.answers or not (name in answers.values or name in answers.unknown):
            return ""
        if group and (group in self.case.none_of or self.case.none_of == (ALL_GROUPS,)):
            return "none_of"
        return "unlisted"

    def _disposition(self, name: str) -> Disposition:
        return self.ruleset.rules.get(name, self.ruleset.default).disposition

    def _reason(self, because: str) -> str:
        wording = self.texts.get("reasons", because)
        return wording.clinician or wording.patient


def _hours(hours: int | None) -> list[str]:
    return [] if hours is None else [f"within {hours} hour{'' if hours == 1 else 's'}"]


def _line(span: Span) -> str:
    """The file and the line: where in the line a rule begins says nothing."""
    return f"{span.source.name}:{span.line}"
