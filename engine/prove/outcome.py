"""Everything that a decision says about one patient, as formulas: disposition, calls, hours, programme and texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from engine.prove.conditions import TRUE, Encoder, Outcomes, Readers, Stage, conjunction, negation
from engine.prove.logic import Formula, both, either, no
from engine.prove.patient import Answer, Patient
from engine.rules.condition import Condition
from engine.rules.model import Advice, Default, ProgrammeRow, Rule, Ruleset
from engine.rules.scale import Call, Disposition, Guidance, Programme


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing that a decision says or does not say, such as `advice ADV-001`."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class SymbolicOutcome:
    """The decision of one patient of unknowns. Each part is encoded when it is first asked for."""

    def __init__(self, ruleset: Ruleset, patient: Patient) -> None:
        self._start(Encoder(ruleset, patient), {})

    def _start(self, encoder: Encoder, rules: dict[str, Outcomes]) -> None:
        self.encoder = encoder
        self.ruleset = encoder.ruleset
        self.patient = encoder.patient
        self._rules = rules

    def but(self, question: str, answer: Answer, readers: Readers) -> SymbolicOutcome:
        """The decision of the same patient with another answer; rules that do not read the question are kept."""
        other = SymbolicOutcome.__new__(SymbolicOutcome)
        kept = {name: found for name, found in self._rules.items() if question not in readers.rules[name]}
        other._start(self.encoder.but(question, answer, readers), kept)
        return other

    # -- answers ---------------------------------------------------------------------------------------------

    @cached_property
    def accepted(self) -> Formula:
        """The answers are answers, and none of them contradict each other."""
        refusals = (self.encoder.outcomes(refusal.when).certain for refusal in self.ruleset.refusals.values())
        return both((*self.patient.domain, *(no(refused) for refused in refusals)))

    @cached_property
    def complete(self) -> Formula:
        """Nothing is missing that could still be asked."""
        return both(
            either((no(answer.missing), self.encoder.asked(name).never))
            for name, answer in self.patient.answers.items()
        )

    # -- rules -----------------------------------------------------------------------------------------------

    def rule(self, name: str) -> Outcomes:
        """What a rule's condition can still come to."""
        if name not in self._rules:
            self._rules[name] = self.encoder.outcomes(self.ruleset.rules[name].when)
        return self._rules[name]

    @cached_property
    def certain(self) -> Mapping[str, Formula]:
        """The rules that are true."""
        return {name: self.rule(name).certain for name in self.ruleset.rules}

    @cached_property
    def possible(self) -> Mapping[str, Formula]:
        """The rules that are true or could be."""
        return {name: self.rule(name).true for name in self.ruleset.rules}

    @cached_property
    def floor_at_least(self) -> Mapping[Disposition, Formula]:
        """Whether what is known already comes to each disposition or a more urgent one."""
        return {
            least: either((*(self.certain[rule.id] for rule in self._rules_of(least)), self._default_is(least)))
            for least in Disposition
        }

    def _default_is(self, least: Disposition) -> Formula:
        """Whether the default comes to that; where no rule asks for less, no rule that is true can undo it."""
        default = self.ruleset.default.disposition
        if default < least:
            return False
        milder = (self.certain[rule.id] for rule in self.ruleset.rules.values() if rule.disposition < default)
        return both(no(certain) for certain in milder)

    @cached_property
    def ceiling_at_least(self) -> Mapping[Disposition, Formula]:
        """Whether it could still come to each disposition or a more urgent one."""
        return {
            least: either((self.floor_at_least[least], *(self.possible[rule.id] for rule in self._rules_of(least))))
            for least in Disposition
        }

    def _rules_of(self, least: Disposition) -> Iterable[Rule]:
        return (rule for rule in self.ruleset.rules.values() if rule.disposition >= least)

    @cached_property
    def floor(self) -> Mapping[Disposition, Formula]:
        """Whether the floor is each disposition."""
        return _steps(self.floor_at_least)

    @cached_property
    def ceiling(self) -> Mapping[Disposition, Formula]:
        """Whether the ceiling is each disposition."""
        return _steps(self.ceiling_at_least)

    @cached_property
    def settled(self) -> Formula:
        """Floor and ceiling are the same."""
        return both(either((no(self.ceiling_at_least[each]), self.floor_at_least[each])) for each in Disposition)

    @cached_property
    def dispositions(self) -> Mapping[Disposition, Formula]:
        """Whether each disposition is still possible: the floor, and those of open rules above it."""
        return {
            each: either(
                (
                    self.floor[each],
                    both(
                        (
                            no(self.floor_at_least[each]),
                            either(
                                self.possible[rule.id]
                                for rule in self.ruleset.rules.values()
                                if rule.disposition is each
                            ),
                        )
                    ),
                )
            )
            for each in Disposition
        }

    # -- what the winning rules say --------------------------------------------------------------------------

    @cached_property
    def _winning(self) -> tuple[tuple[Rule | Default, Formula], ...]:
        """The rules of the floor with when they hold; the default where none does."""
        default = self.ruleset.default
        rules = [
            (rule, both((self.certain[rule.id], self.floor[rule.disposition]))) for rule in self.ruleset.rules.values()
        ]
        none = both(
            (
                self.floor[default.disposition],
                *(no(self.certain[rule.id]) for rule, _ in rules if rule.disposition is default.disposition),
            )
        )
        return (*rules, (default, none))

    @cached_property
    def calls(self) -> Mapping[Call, Formula]:
        """Whether each call is among those of the winning rules."""
        return {call: either(won for rule, won in self._winning if rule.call is call) for call in Call}

    @cached_property
    def within(self) -> Mapping[int, Formula]:
        """By hours, every number that the ruleset names: whether some winning rule allows no longer than that."""
        hours = sorted({rule.within_hours for rule, _ in self._winning if rule.within_hours is not None})
        return {
            most: either(
                won for rule, won in self._winning if rule.within_hours is not None and rule.within_hours <= most
            )
            for most in hours
        }

    @cached_property
    def guidance(self) -> Mapping[Guidance, Formula]:
        """Whether guidance is put at least so firmly."""
        return {
            least: either(
                won
                for rule, won in self._winning
                if isinstance(rule, Rule) and rule.guidance is not None and rule.guidance >= least
            )
            for least in Guidance
        }

    # -- programme and texts ---------------------------------------------------------------------------------

    @cached_property
    def _after_rules(self) -> Stage:
        return Stage(self.certain, self.possible, self.dispositions, {})

    @cached_property
    def rows(self) -> tuple[tuple[ProgrammeRow, Formula, Formula], ...]:
        """Each row of the table: whether it could be the first to apply, and whether it certainly applies then."""
        found: list[tuple[ProgrammeRow, Formula, Formula]] = []
        earlier: list[Formula] = []
        for row in self.ruleset.programme:
            applies = TRUE if row.when is None else self._applies(row, row.when)
            reached = both(no(before) for before in earlier)
            found.append((row, both((reached, applies.true)), both((reached, applies.certain))))
            earlier.append(applies.certain)
        return tuple(found)

    def _applies(self, row: ProgrammeRow, when: Condition) -> Outcomes:
        it = self.encoder.outcomes(when, self._after_rules)
        if row.applies_unknown:
            return Outcomes(either((it.true, it.unknown)), it.false, False)
        return Outcomes(it.true, either((it.false, it.unknown)), False)

    @cached_property
    def candidates(self) -> Mapping[Programme, Formula]:
        """Whether a row that could apply gives each programme."""
        return {each: either(could for row, could, _ in self.rows if row.choice is each) for each in Programme}

    @cached_property
    def programme(self) -> Mapping[Programme, Formula]:
        """Whether each programme is the settled one; none of them while the table is open."""
        return {
            each: both((self.candidates[each], *(no(self.candidates[other]) for other in Programme if other != each)))
            for each in Programme
        }

    @cached_property
    def decisive_rows(self) -> Mapping[str, Formula]:
        """Whether each row is the one that gives the settled programme: the last that could apply."""
        settled = either(self.programme.values())
        return {row.id: both((certain, settled)) for row, _, certain in self.rows}

    @cached_property
    def _after_programme(self) -> Stage:
        return Stage(self.certain, self.possible, self.dispositions, self.candidates)

    @cached_property
    def advice(self) -> Mapping[str, Formula]:
        """Whether each advice item is shown."""
        return {item.id: self._shown(item) for item in self.ruleset.advice.values()}

    def _shown(self, item: Advice) -> Formula:
        hidden = [policy.hide_when for policy in self.ruleset.policies.values() if item.kind in policy.kinds]
        if item.hide_when is not None:
            hidden.append(item.hide_when)
        stage = self._after_programme
        parts = [negation(self.encoder.outcomes(each, stage)) for each in hidden]
        if item.when is not None:
            parts.append(self.encoder.outcomes(item.when, stage))
        return conjunction(parts).certain

    @cached_property
    def safety_net(self) -> Mapping[str, Formula]:
        """Whether each safety-net item is shown."""
        return {
            item.id: True if item.when is None else self.encoder.outcomes(item.when, self._after_programme).certain
            for item in self.ruleset.safety_net.values()
        }

    # -- all of it -------------------------------------------------------------------------------------------

    @cached_property
    def urgency(self) -> Mapping[Aspect, Formula]:
        """Floor and ceiling, by steps."""
        return {
            **{Aspect("floor", each.word): formula for each, formula in self.floor_at_least.items()},
            **{Aspect("ceiling", each.word): formula for each, formula in self.ceiling_at_least.items()},
        }

    @cached_property
    def said(self) -> Mapping[Aspect, Formula]:
        """What the person and the clinic get to read and do. Two outcomes say the same when all of it is equal."""
        return {
            **self.urgency,
            **{Aspect("call", each.word): formula for each, formula in self.calls.items()},
            **{Aspect("within_hours", str(each)): formula for each, formula in self.within.items()},
            **{Aspect("guidance", each.word): formula for each, formula in self.guidance.items()},
            **{Aspect("programme", each.word): formula for each, formula in self.programme.items()},
            **{Aspect("advice", name): formula for name, formula in self.advice.items()},
            **{Aspect("safety_net", name): formula for name, formula in self.safety_net.items()},
        }

    @cached_property
    def whole(self) -> Mapping[Aspect, Formula]:
        """What is said and why: also the rules that are true or open, and the row of the programme."""
        return {
            **self.said,
            **{Aspect("rule", name): formula for name, formula in self.certain.items()},
            **{Aspect("open rule", name): self._open(name) for name in self.ruleset.rules},
            **{Aspect("row", name): formula for name, formula in self.decisive_rows.items()},
        }

    def _open(self, name: str) -> Formula:
        above = no(self.floor_at_least[self.ruleset.rules[name].disposition])
        return both((self.possible[name], no(self.certain[name]), above))


def _steps(at_least: Mapping[Disposition, Formula]) -> dict[Disposition, Formula]:
    """From "at least so urgent" to "exactly so urgent"."""
    members = list(Disposition)
    above = {each: at_least[higher] for each, higher in pairwise(members)}
    return {each: both((at_least[each], no(above.get(each, False)))) for each in members}
