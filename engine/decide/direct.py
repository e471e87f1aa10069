"""What a condition means: the evaluator that walks the condition tree and *is* the meaning of a ruleset.

A condition has a set of outcomes that are still possible: a non-empty set of true, false and unknown. A value gives
one of true and false; an unknown answer gives unknown; a missing one leaves all three open; one that is not applicable
is false. `all`, `any`, `not` and `count` are strong Kleene logic lifted to these sets, each member varying on its own.

It explains decisions and says what is still to be asked. What decides is the same meaning written out as Python
(`writing.py`, `written.py`), which tests hold against this walk. Neither shares code with the inference network
(`literals.py`, `inputs.py`, `compile.py`, `rete.py`): on every decision it is held against what was written out, which
would prove nothing otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

from engine.decide.answers import Answers, GivenValue, Placed
from engine.decide.targets import Match, Standing, Targets
from engine.rules.condition import (
    All,
    Answered,
    AnyOf,
    Compare,
    Condition,
    Count,
    DispositionIn,
    FindingIs,
    Not,
    Operand,
    Operator,
    ProgrammeIn,
    RuleIs,
    Sum,
    Surely,
    Unknown,
    Unless,
)
from engine.rules.model import Ruleset
from engine.rules.scale import Disposition, Programme

TRUE, FALSE, UNKNOWN = 1, 2, 4
"""The outcomes, as bits: a set of outcomes is their sum."""
OPEN = TRUE | FALSE | UNKNOWN
UNDECIDED = TRUE | FALSE

# By set of outcomes, 0 to 7: what a negation makes of it.
_NOT = (0, FALSE, TRUE, OPEN & ~UNKNOWN, UNKNOWN, FALSE | UNKNOWN, TRUE | UNKNOWN, OPEN)
_UNLESS = (0, FALSE, TRUE, UNDECIDED, TRUE, UNDECIDED, TRUE, UNDECIDED)
_SURELY = (0, TRUE, FALSE, UNDECIDED, FALSE, UNDECIDED, FALSE, UNDECIDED)


def _both(one: int, other: int) -> int:
    """Kleene *and* of two sets: false before unknown before true."""
    result = (one | other) & FALSE
    if (one & UNKNOWN and other & (UNKNOWN | TRUE)) or (other & UNKNOWN and one & TRUE):
        result |= UNKNOWN
    if one & other & TRUE:
        result |= TRUE
    return result


_ALL = tuple(tuple(_both(one, other) for other in range(8)) for one in range(8))
_ANY = tuple(tuple(_NOT[_both(_NOT[one], _NOT[other])] for other in range(8)) for one in range(8))


_Word = TypeVar("_Word", Disposition, Programme)


class Reading:
    """One patient's answers, read against one ruleset. Each condition is evaluated once.

    INVARIANT: a condition on an earlier stage is read only when `standing` and `programmes` tell of that stage.
    """

    def __init__(self, ruleset: Ruleset, answers: Answers) -> None:
        self.ruleset = ruleset
        self.answers = answers
        self.standing: Standing | None = None
        self.programmes: frozenset[Programme] = frozenset()
        self._known: dict[int, tuple[Condition, int]] = {}  # by identity; kept with it, for an id can come again
        self._asked: dict[str, int] = {}

    def outcomes(self, condition: Condition) -> int:
        """The set of outcomes that `condition` can still have."""
        known = self._known.get(id(condition))
        if known is None:
            known = self._known[id(condition)] = (condition, self._evaluate(condition))
        return known[1]

    def _evaluate(self, condition: Condition) -> int:
        match condition:
            case Compare():
                return self._compare(condition)
            case All(members):
                result = TRUE
                for member in members:
                    result = _ALL[result][self.outcomes(member)]
                    if result == FALSE:
                        break
                return result
            case AnyOf(members):
                result = FALSE
                for member in members:
                    result = _ANY[result][self.outcomes(member)]
                    if result == TRUE:
                        break
                return result
            case FindingIs(name):
                return self.outcomes(self.ruleset.findings[name].when)
            case Not(member):
                return _NOT[self.outcomes(member)]
            case Unless(member):
                return _UNLESS[self.outcomes(member)]
            case Surely(member):
                return _SURELY[self.outcomes(member)]
            case Count(at_least, members):
                return _count(at_least, [self.outcomes(member) for member in members])
            case Unknown(question):
                return self._state(question, value=FALSE, unknown=TRUE, missing=UNDECIDED)
            case Answered(question):
                return self._state(question, value=TRUE, unknown=FALSE, missing=UNDECIDED)
            case RuleIs(rule):
                return self._standing_rule(rule)
            case DispositionIn(dispositions):
                return _within(self._require().dispositions, dispositions)
            case ProgrammeIn(programmes):
                return _within(self.programmes, programmes)

    def asked(self, question: str) -> int:
        """The outcomes of a question's `asked_when` and its group's; both must hold. {true} where there is none."""
        known = self._asked.get(question)
        if known is None:
            entry = self.ruleset.questions[question]
            gates = [entry.asked_when]
            if entry.group:
                gates.append(self.ruleset.groups[entry.group].asked_when)
            known = TRUE
            for gate in gates:
                if gate is not None:
                    known = _ALL[known][self.outcomes(gate)]
            self._asked[question] = known
        return known

    def _state(self, question: str, value: int, unknown: int, missing: int) -> int:
        """The outcomes for the state that the question's answer is in. A value that was given always counts."""
        if question in self.answers.values:
            return value
        outcomes = unknown if question in self.answers.unknown else missing
        asked = self.asked(question)
        if asked == FALSE:
            return FALSE
        return outcomes | FALSE if asked & FALSE else outcomes

    def _compare(self, condition: Compare) -> int:
        value = self.answers.values.get(condition.question)
        if value is None:
            return self._state(condition.question, value=OPEN, unknown=UNKNOWN, missing=OPEN)
        if condition.operator is Operator.IN:
            if isinstance(value, tuple):
                return FALSE if set(value).isdisjoint(condition.operands) else TRUE
            return TRUE if value in condition.operands else FALSE
        bound = self._bound(condition.operands[0])
        if bound is None:
            return UNKNOWN
        return TRUE if _holds(condition.operator, value, bound) else FALSE

    def _bound(self, operand: Operand) -> Decimal | int | None:
        """The number to compare with; None where it is made of answers of which one was not given."""
        if isinstance(operand, int | Decimal):
            return operand
        if not isinstance(operand, Sum):
            raise TypeError(f"operand `{operand}` was not checked")
        total = operand.constant
        for term in operand.terms:
            value = self.answers.values.get(term.question)
            if not isinstance(value, int | Decimal):
                return None
            total += term.times * value
        return total

    def _standing_rule(self, rule: str) -> int:
        rules = self._require().rules
        if rule in rules.certain:
            return TRUE
        return UNDECIDED if rule in rules.possible else FALSE

    def _require(self) -> Standing:
        if self.standing is None:
            raise TypeError("a condition on the disposition was read before the rules")
        return self.standing


def _holds(operator: Operator, value: GivenValue, bound: Decimal | int) -> bool:
    if not isinstance(value, int | Decimal):
        raise TypeError(f"`{operator.value}` needs a number")
    match operator:
        case Operator.AT_LEAST:
            return value >= bound
        case Operator.AT_MOST:
            return value <= bound
        case Operator.ABOVE:
            return value > bound
        case Operator.BELOW:
            return value < bound
        case Operator.IN:
            raise TypeError("`in` has no bound")


def _count(at_least: int, members: list[int]) -> int:
    """At least n of the members: true with n true ones, false with too few that are not false, else unknown."""
    reachable = {(0, 0)}  # (members true, members unknown), over every way in which the members can turn out
    for outcomes in members:
        steps = [step for bit, step in ((TRUE, (1, 0)), (FALSE, (0, 0)), (UNKNOWN, (0, 1))) if outcomes & bit]
        reachable = {(sure + more, maybe + perhaps) for sure, maybe in reachable for more, perhaps in steps}
    result = 0
    for sure, maybe in reachable:
        result |= TRUE if sure >= at_least else UNKNOWN if sure + maybe >= at_least else FALSE
    return result


def _within(possible: frozenset[_Word], wanted: frozenset[_Word]) -> int:
    if possible <= wanted:
        return TRUE
    return UNDECIDED if possible & wanted else FALSE


class Direct:
    """The direct evaluator as a Matcher."""

    def __init__(self, ruleset: Ruleset, targets: Targets) -> None:
        self._ruleset = ruleset
        self._targets = targets

    def session(self, placed: Placed) -> DirectSession:
        return DirectSession(Reading(self._ruleset, placed.answers), self._targets)


class DirectSession:
    """A Reading that answers stage by stage and keeps the outcomes of every rule for explanations."""

    def __init__(self, reading: Reading, targets: Targets) -> None:
        self.reading = reading
        self._targets = targets

    def rules(self) -> Match:
        return self._match(self._targets.rules)

    def programme(self, standing: Standing) -> Match:
        self.reading.standing = standing
        return self._match(self._targets.programme)

    def texts(self, standing: Standing, programmes: frozenset[Programme]) -> Match:
        self.reading.standing = standing
        self.reading.programmes = programmes
        return self._match(self._targets.texts)

    def _match(self, conditions: Mapping[str, Condition]) -> Match:
        outcomes = {name: self.reading.outcomes(condition) for name, condition in conditions.items()}
        return Match(
            certain=frozenset(name for name, found in outcomes.items() if found == TRUE),
            possible=frozenset(name for name, found in outcomes.items() if found & TRUE),
        )
