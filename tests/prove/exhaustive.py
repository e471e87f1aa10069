"""The verdict on every claim of a tiny ruleset, against trying every patient that there is.

Nothing here is shared with `engine/prove`: the claims are written down a second time, over a table of what the direct
evaluator decides on each patient. Numbers stand for all others where they are at the ends of the range, and at and on
either side of each bound.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations, product

from engine.decide.answers import Given
from engine.decide.decision import Outcome
from engine.decide.direct import FALSE, TRUE, Reading
from engine.decide.evaluate import Rehearsal
from engine.errors import AnswersError
from engine.rules.condition import Compare, FindingIs, Operator, leaves
from engine.rules.model import CheckedRuleset, Claim, Question, QuestionType, Ruleset
from engine.rules.scale import Disposition, Programme
from engine.rules.sites import Stage, sites
from tests.prove.made_up import alike

MOST_PATIENTS = 1500
Row = tuple[Given | None, ...]
"""One patient: an answer for every question, None where it is missing."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was decided on one patient."""

    outcome: Outcome
    reading: Reading

    @property
    def said(self) -> Outcome:
        """What the person and the clinic get to read: without the rules and the questions behind it."""
        it = self.outcome
        programme = it.programme._replace(row="", because="", open_questions=())
        return it._replace(programme=programme, rules=(), open_rules=(), next_questions=())


class World:
    """Every patient of a tiny ruleset, with what is decided; those who are refused are not in `told`.

    The numbers that stand for all others are those of this and of another version.
    """

    def __init__(self, checked: CheckedRuleset, other: CheckedRuleset) -> None:
        self.ruleset: Ruleset = checked.ruleset
        self.names = list(checked.ruleset.questions)
        both = checked.ruleset, other.ruleset
        self.points: list[list[Given | None]] = [
            [None, Given(None), *_points(both, each)] for each in checked.ruleset.questions.values()
        ]
        self._rehearsal = Rehearsal(checked)
        self.told: dict[Row, Told] = {}
        if self.size <= MOST_PATIENTS:
            self.told = {row: told for row in product(*self.points) if (told := self._decide(row)) is not None}

    @property
    def size(self) -> int:
        """How many patients there are."""
        count = 1
        for points in self.points:
            count *= len(points)
        return count

    def _decide(self, row: Row) -> Told | None:
        answers = {name: each for name, each in zip(self.names, row, strict=True) if each is not None}
        try:
            evaluated = self._rehearsal.evaluate(self._rehearsal.read(answers))
        except AnswersError:
            return None
        return Told(evaluated.outcome, evaluated.reading)

    def complete(self, row: Row) -> bool:
        """Whether nothing is left to ask."""
        reading = self.told[row].reading
        return all(each is not None or reading.asked(name) == FALSE for name, each in zip(self.names, row, strict=True))

    def changed(self, row: Row, question: str, answer: Given | None) -> Told | None:
        """What is decided with another answer to one question."""
        return self.told.get(self.row(row, question, answer))

    def row(self, row: Row, question: str, answer: Given | None) -> Row:
        """The patient with another answer to one question."""
        index = self.names.index(question)
        return (*row[:index], answer, *row[index + 1 :])

    def finished(self) -> Iterator[Told]:
        """Those of whom all is asked."""
        return (told for row, told in self.told.items() if self.complete(row))


def _points(rulesets: Iterable[Ruleset], question: Question) -> list[Given]:
    if question.type is QuestionType.SEVERAL:
        sizes = range(1, len(question.options) + 1)
        return [Given(question.type, each) for size in sizes for each in combinations(question.options, size)]
    if not question.type.is_number:
        return [Given(question.type, each) for each in question.options]
    assert question.low is not None and question.high is not None
    step = _step(question)
    bounds = {
        Decimal(operand)
        for ruleset in rulesets
        for site in sites(ruleset)
        for leaf in leaves(site.condition)
        if isinstance(leaf, Compare) and leaf.question == question.id
        for operand in leaf.operands
        if isinstance(operand, int | Decimal)
    }
    values = {question.low, question.high} | {bound + each for bound in bounds for each in (-step, Decimal(0), step)}
    return [_number(question, each) for each in sorted(values) if question.low <= each <= question.high]


def _step(question: Question) -> Decimal:
    return Decimal(1) if question.type is QuestionType.INTEGER else Decimal("0.01")


def _number(question: Question, value: Decimal) -> Given:
    return Given(question.type, int(value) if question.type is QuestionType.INTEGER else value.normalize())


# -- when a claim does not hold: written from rulesets/README.md ------------------------------------------------------


def complete(world: World, claim: Claim) -> bool:
    """Somebody of whom all is asked has no disposition yet, or an answer is refused whatever else is answered."""
    if any(not told.outcome.settled for told in world.finished()):
        return True
    for index, question in enumerate(world.ruleset.questions.values()):
        telling = [Given(None)]
        if question.type.is_number:
            assert question.low is not None and question.high is not None
            telling += [_number(question, question.low), _number(question, question.high)]
        elif question.type is QuestionType.SEVERAL:
            telling += [Given(question.type, (each,)) for each in question.options]
        else:
            telling += [Given(question.type, each) for each in question.options]
        if not set(telling) <= {row[index] for row in world.told}:
            return True
    return False


def reachable(world: World, claim: Claim) -> bool:
    """Something decides for nobody of whom all is asked."""
    ruleset = world.ruleset
    seen: set[str] = set()
    for told in world.finished():
        it = told.outcome
        seen |= {name for name in it.rules if name == ruleset.default.id or ruleset.rules[name].disposition is it.floor}
        seen |= {*it.advice, *it.safety_net, it.programme.row}
        seen |= {name for name in ruleset.findings if told.reading.outcomes(FindingIs(name)) == TRUE}
    wanted = {*ruleset.rules, ruleset.default.id, *ruleset.findings, *(row.id for row in ruleset.programme)}
    return not wanted | {*ruleset.advice, *ruleset.safety_net} <= seen


def red_flag_floor(world: World, claim: Claim) -> bool:
    """Somebody has the finding and less than that, or may have it and can no longer come to that."""
    assert claim.at_least is not None
    for told in world.told.values():
        found = told.reading.outcomes(FindingIs(claim.finding))
        if (found == TRUE and told.outcome.floor < claim.at_least) or (
            found & TRUE and told.outcome.ceiling < claim.at_least
        ):
            return True
    return False


def monotone(world: World, claim: Claim) -> bool:
    """Somebody denies something, and would get less with another answer than the denial, or with unknown."""
    for question in world.ruleset.questions.values():
        denial = Given(question.type, "no" if question.type is QuestionType.YES_NO else "none")
        index = world.names.index(question.id)
        if question.yes_is_good or question.id in claim.exempt or denial not in world.points[index]:
            continue
        for row, told in world.told.items():
            if row[index] == denial:
                for other in world.points[index]:
                    said = world.changed(row, question.id, other)
                    if other not in (None, denial) and said is not None and _lower(said.outcome, told.outcome):
                        return True
    return False


def _lower(one: Outcome, other: Outcome) -> bool:
    return one.floor < other.floor or one.ceiling < other.ceiling


def fail_safe(world: World, claim: Claim) -> bool:
    """Answers that are added to a record leave what it said was possible."""
    for row, told in world.told.items():
        for later in product(*([each] if each is not None else world.points[i] for i, each in enumerate(row))):
            after = world.told.get(later)
            if after is None or any(
                before is None and now is not None and after.reading.asked(name) == FALSE
                for name, before, now in zip(world.names, row, later, strict=True)
            ):
                continue
            if after.outcome.floor < told.outcome.floor or after.outcome.ceiling > told.outcome.ceiling:
                return True
    return False


def exclusive_programme(world: World, claim: Claim) -> bool:
    """Somebody of whom all is asked has no programme yet."""
    return any(told.outcome.programme.open for told in world.finished())


def no_programme_when(world: World, claim: Claim) -> bool:
    """Somebody is or may become that urgent, and a programme is recommended."""
    assert claim.at_least is not None
    return any(
        told.outcome.ceiling >= claim.at_least and told.outcome.programme.choice is not Programme.NONE_YET
        for told in world.told.values()
    )


def safety_net_always(world: World, claim: Claim) -> bool:
    """Somebody is told nothing to watch for."""
    return any(not told.outcome.safety_net for told in world.told.values())


def no_contradicting_advice(world: World, claim: Claim) -> bool:
    """Somebody reads two texts that contradict each other."""
    return any(
        item.id in told.outcome.advice and other in told.outcome.advice
        for told in world.told.values()
        for item in world.ruleset.advice.values()
        for other in item.contradicts
    )


def threshold_matters(world: World, claim: Claim) -> bool:
    """Some bound has nobody for whom it makes a difference on which side of it the answer is."""
    for site in sites(world.ruleset):
        for leaf in leaves(site.condition):
            if site.stage is Stage.REFUSE or not isinstance(leaf, Compare) or leaf.operator is Operator.IN:
                continue
            question, bound = world.ruleset.questions[leaf.question], leaf.operands[0]
            assert isinstance(bound, int | Decimal)
            below = leaf.operator in (Operator.AT_LEAST, Operator.BELOW)
            here = _number(question, Decimal(bound))
            beyond = _number(question, Decimal(bound) + _step(question) * (-1 if below else 1))
            index = world.names.index(leaf.question)
            if not any(
                other is not None
                and told.said != other.said
                and (
                    site.stage is not Stage.ANSWERS
                    or told.reading.outcomes(site.condition) != other.reading.outcomes(site.condition)
                )
                for row, told in world.told.items()
                if row[index] == here
                for other in [world.changed(row, leaf.question, beyond)]
            ):
                return True
    return False


def unknown_never_milder(world: World, claim: Claim) -> bool:
    """Somebody who does not know gets less than with every value that is not refused."""
    for index, question in enumerate(world.ruleset.questions.values()):
        for row, told in world.told.items():
            if question.id in claim.exempt or row[index] != Given(None):
                continue
            others = [world.changed(row, question.id, each) for each in world.points[index][2:]]
            floors: list[Disposition] = [each.outcome.floor for each in others if each is not None]
            if floors and told.outcome.floor < min(floors):
                return True
    return False


def unasked_changes_nothing(world: World, claim: Claim) -> bool:
    """Somebody answers what is certainly not asked, and something else is said."""
    for question in world.ruleset.questions.values():
        index = world.names.index(question.id)
        for row, told in world.told.items():
            silent = world.changed(row, question.id, None)
            if (
                question.id not in claim.exempt
                and row[index] is not None
                and silent is not None
                and silent.reading.asked(question.id) == FALSE
                and silent.said != told.said
            ):
                return True
    return False


def never_laxer(new: World, claim: Claim, old: World) -> bool:
    """Somebody gets less than by the old version."""
    common = [name for name, each in old.ruleset.questions.items() if alike(each, new.ruleset.questions.get(name))]
    by: dict[tuple[Given | None, ...], list[Outcome]] = {}
    for row, told in old.told.items():
        by.setdefault(tuple(row[old.names.index(name)] for name in common), []).append(told.outcome)
    return any(
        _lower(told.outcome, before)
        for row, told in new.told.items()
        for before in by.get(tuple(row[new.names.index(name)] for name in common), ())
    )


BROKEN: Mapping[str, Callable[[World, Claim], bool]] = {
    "complete": complete,
    "reachable": reachable,
    "red_flag_floor": red_flag_floor,
    "monotone": monotone,
    "fail_safe": fail_safe,
    "exclusive_programme": exclusive_programme,
    "no_programme_when": no_programme_when,
    "safety_net_always": safety_net_always,
    "no_contradicting_advice": no_contradicting_advice,
    "threshold_matters": threshold_matters,
    "unknown_never_milder": unknown_never_milder,
    "unasked_changes_nothing": unasked_changes_nothing,
}


def random_claim(rng: random.Random, kind: str, ruleset: Ruleset) -> Claim:
    """A claim of this kind about something in the ruleset."""
    exempt = {name: "as it is" for name in ruleset.questions if rng.random() < 0.3}
    least = rng.choice(list(Disposition)[1:])
    match kind:
        case "red_flag_floor":
            return Claim("claimed", kind, finding=rng.choice(list(ruleset.findings)), at_least=least)
        case "no_programme_when":
            return Claim("claimed", kind, at_least=least)
        case "monotone" | "unknown_never_milder" | "unasked_changes_nothing":
            return Claim("claimed", kind, exempt=exempt)
        case "never_laxer":
            return Claim("claimed", kind, than="0.9.0")
        case _:
            return Claim("claimed", kind)
