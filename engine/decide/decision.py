"""What follows from the rules that are true: the whole clinical meaning of a decision, on two screens.

All rules count; the highest true one wins, and every true rule is reported. While missing answers could still raise the
disposition nothing is settled, but what is known already counts: the floor carries all that a decision carries.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from engine.decide.targets import Match, Standing
from engine.rules.model import Default, ProgrammeRow, Rule, Ruleset
from engine.rules.scale import Call, Disposition, Guidance, Programme

_CALLS = {call: (-call.rank, call.word) for call in Call}
_ALONE = {each: frozenset({each}) for each in Disposition}


class ProgrammeOutcome(NamedTuple):
    """The recommended programme. While `open` it is NONE_YET, without a row, and `open_questions` would settle it."""

    choice: Programme
    row: str
    because: str
    open: bool
    open_questions: tuple[str, ...]


class NextQuestion(NamedTuple):
    """A question that can be asked now, with the most urgent disposition that hangs on it."""

    question: str
    disposition: Disposition


class Outcome(NamedTuple):
    """A decision, or what is known while answers are still needed. A pure function of ruleset content and answers.

    `rules`: every true rule, the most urgent first, then by id; the default's id where it is settled that none is true.
    `open_rules`: those above the floor that missing answers could make true. `within_hours`: hours, None where no time
    is set.
    """

    floor: Disposition
    ceiling: Disposition
    rules: tuple[str, ...]
    open_rules: tuple[str, ...]
    call: Call
    calls: tuple[Call, ...]
    within_hours: int | None
    guidance: Guidance | None
    valid_days: int
    recheck_days: int
    programme: ProgrammeOutcome
    advice: tuple[str, ...]
    safety_net: tuple[str, ...]
    next_questions: tuple[NextQuestion, ...]

    @property
    def settled(self) -> bool:
        """Whether no missing answer can raise the disposition."""
        return self.floor is self.ceiling

    @property
    def disposition(self) -> Disposition | None:
        """The referral decision; None while it is not settled."""
        return self.floor if self.settled else None

    @property
    def act_now(self) -> bool:
        """Not settled, but what is known already sends the person to a doctor today: act on it at once."""
        return not self.settled and self.floor >= Disposition.SAME_DAY_GP


class Ranks:
    """In which order the parts of a ruleset stand in an outcome: worked out once, for all decisions."""

    def __init__(self, ruleset: Ruleset) -> None:
        by_urgency = sorted(ruleset.rules, key=lambda name: (-ruleset.rules[name].disposition, name))
        self._rules = {name: rank for rank, name in enumerate(by_urgency)}
        self._advice, self._safety_net = (*ruleset.advice,), (*ruleset.safety_net,)

    def rules(self, names: Iterable[str]) -> tuple[str, ...]:
        """Rule ids, the most urgent disposition first, then by id: the order of the file never counts."""
        return tuple(sorted(names, key=self._rules.__getitem__))

    def advice(self, texts: frozenset[str]) -> tuple[str, ...]:
        """The advice among these texts, in the order of the file."""
        return tuple(filter(texts.__contains__, self._advice))

    def safety_net(self, texts: frozenset[str]) -> tuple[str, ...]:
        """The safety net among these texts, in the order of the file."""
        return tuple(filter(texts.__contains__, self._safety_net))


def stand(ruleset: Ruleset, rules: Match) -> Standing:
    """The dispositions that are still possible: the floor, and those of open rules above it."""
    floor = max([ruleset.rules[name].disposition for name in rules.certain], default=ruleset.default.disposition)
    if rules.certain is rules.possible:
        return Standing(_ALONE[floor], rules)
    reachable = {ruleset.rules[name].disposition for name in rules.possible}
    return Standing(frozenset({floor} | {each for each in reachable if each > floor}), rules)


def rows_that_could_apply(ruleset: Ruleset, rows: Match) -> tuple[ProgrammeRow, ...]:
    """The rows that could be the first to apply, up to and with the first that certainly does."""
    found: list[ProgrammeRow] = []
    for row in ruleset.programme:
        if row.when is None or row.id in rows.certain:
            return (*found, row)
        if row.id in rows.possible:
            found.append(row)
    raise TypeError("the programme table is not total")


def choose_programme(rows: tuple[ProgrammeRow, ...], open_questions: tuple[str, ...]) -> ProgrammeOutcome:
    """The programme of the rows that could apply: settled where they all give the same, else none yet and open."""
    if len({row.choice for row in rows}) > 1:
        return ProgrammeOutcome(Programme.NONE_YET, "", "", open=True, open_questions=open_questions)
    certain = rows[-1]
    return ProgrammeOutcome(certain.choice, certain.id, certain.because, open=False, open_questions=())


def winners(ruleset: Ruleset, standing: Standing) -> tuple[Rule | Default, ...]:
    """The true rules of the floor, by id; the default where no rule is true."""
    floor = min(standing.dispositions)
    rules = [ruleset.rules[name] for name in sorted(standing.rules.certain)]
    return tuple([rule for rule in rules if rule.disposition is floor]) or (ruleset.default,)


def decide(
    ruleset: Ruleset,
    ranks: Ranks,
    standing: Standing,
    programme: ProgrammeOutcome,
    texts: Match,
    next_questions: tuple[NextQuestion, ...],
) -> Outcome:
    """The outcome: the highest true disposition, with its highest call and its smallest number of hours."""
    floor, ceiling = min(standing.dispositions), max(standing.dispositions)
    deciding = winners(ruleset, standing)
    calls = sorted({rule.call for rule in deciding}, key=_CALLS.__getitem__)
    hours = [rule.within_hours for rule in deciding if rule.within_hours is not None]
    guidance = [rule.guidance for rule in deciding if isinstance(rule, Rule) and rule.guidance is not None]
    # While rules are open it is not settled that nothing holds, so the default and its reason stay unsaid.
    nothing_holds = (ruleset.default.id,) if floor is ceiling else ()
    still_open = standing.rules.possible - standing.rules.certain
    return Outcome(
        floor=floor,
        ceiling=ceiling,
        rules=ranks.rules(standing.rules.certain) or nothing_holds,
        open_rules=ranks.rules([name for name in still_open if ruleset.rules[name].disposition > floor]),
        call=calls[0],
        calls=tuple(calls),
        within_hours=min(hours, default=None),
        guidance=max(guidance, default=None),
        valid_days=ruleset.validity[floor].valid_days,
        recheck_days=ruleset.validity[floor].recheck_days,
        programme=programme,
        advice=ranks.advice(texts.certain),
        safety_net=ranks.safety_net(texts.certain),
        next_questions=next_questions,
    )
