"""When a claim about one patient holds: for each kind, what the solver has to show. `pairs` has those about two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations

from engine.decide.answers import Given, plain_number
from engine.decide.direct import TRUE
from engine.decide.evaluate import Evaluated
from engine.prove import pairs
from engine.prove.logic import Formula, both, either, no
from engine.prove.obligations import Confirmed, Never, Obligation, Somebody, Subject
from engine.prove.outcome import SymbolicOutcome
from engine.prove.patient import pinned
from engine.rules.condition import FindingIs
from engine.rules.model import Claim, Question, QuestionType
from engine.rules.scale import Disposition, Programme

Holds = Callable[[Subject, Claim], Iterator[Obligation]]


def every(test: Callable[[Evaluated], bool]) -> Confirmed:
    """Confirmed where every patient got a decision and the test holds of it."""
    return lambda seen: all(each.evaluated is not None and test(each.evaluated) for each in seen)


def complete(subject: Subject, claim: Claim) -> Iterator[Obligation]:
    """Each accepted record gets exactly one disposition, settled when nothing is left to ask; no answer is shut out."""
    it, patients = subject.outcome, (subject.patient,)
    yield Never(
        "nothing is left to ask, and the disposition is still open",
        (it.accepted, it.complete, no(it.settled)),
        patients,
        every(lambda seen: not seen.outcome.settled and not seen.outcome.next_questions),
    )
    yield Never(
        "there is not exactly one disposition",
        (it.accepted, no(_one(it.floor.values()))),
        patients,
        lambda seen: all(each.failed for each in seen),
    )
    for question in subject.ruleset.questions.values():
        for told, given in telling_answers(question):
            # alone, for whoever is refused with it alone is refused whatever else is answered, and the other way round
            alone = pinned(subject.ruleset.questions, {question.id: given})
            yield Somebody(
                f"whoever answers `{question.id}` with {told} is refused, whatever else is answered",
                (SymbolicOutcome(subject.ruleset, alone).accepted,),
                (alone,),
                every(lambda seen: True),
                {question.id: given},
            )


def telling_answers(question: Question) -> Iterator[tuple[str, Given]]:
    """Answers between which no author may fail to see a difference: unknown, each option, the ends of the range."""
    yield "unknown", Given(None)
    if question.type.is_number:
        for end in (question.low, question.high):
            if end is not None:
                value = int(end) if question.type is QuestionType.INTEGER else end
                yield plain_number(value), Given(question.type, value)
    for option in question.options:
        yield option, Given(question.type, (option,) if question.type is QuestionType.SEVERAL else option)


def reachable(subject: Subject, claim: Claim) -> Iterator[Obligation]:
    """Each rule, finding, row and text decides for some patient of whom all is asked."""
    it, ruleset, patients = subject.outcome, subject.ruleset, (subject.patient,)
    asked = (it.accepted, it.complete)

    def decides(what: str, formula: Formula, test: Callable[[Evaluated], bool]) -> Somebody:
        return Somebody(f"{what} for nobody", (*asked, formula), patients, every(test))

    for rule in ruleset.rules.values():
        deciding = both((it.certain[rule.id], it.floor[rule.disposition]))
        told = f"rule `{rule.id}` is true and decides"
        yield decides(told, deciding, _has_rule(rule.id, rule.disposition))
    default = both(no(true) for true in it.certain.values())
    told = f"the default `{ruleset.default.id}` decides"
    yield decides(told, default, _has_rule(ruleset.default.id, ruleset.default.disposition))
    for name in ruleset.findings:
        leaf = FindingIs(name)
        yield decides(f"finding `{name}` holds", it.encoder.outcomes(leaf).certain, _reads(leaf))
    for name, formula in it.decisive_rows.items():
        yield decides(f"programme row `{name}` applies first", formula, _has_row(name))
    for name, formula in it.advice.items():
        yield decides(f"advice `{name}` is shown", formula, _has_text(name))
    for name, formula in it.safety_net.items():
        yield decides(f"safety net `{name}` is shown", formula, _has_text(name))


def _has_rule(name: str, disposition: Disposition) -> Callable[[Evaluated], bool]:
    return lambda seen: name in seen.outcome.rules and seen.outcome.floor is disposition


def _has_row(name: str) -> Callable[[Evaluated], bool]:
    return lambda seen: seen.outcome.programme.row == name


def _has_text(name: str) -> Callable[[Evaluated], bool]:
    return lambda seen: name in (*seen.outcome.advice, *seen.outcome.safety_net)


def _reads(leaf: FindingIs) -> Callable[[Evaluated], bool]:
    return lambda seen: seen.reading.outcomes(leaf) == TRUE


def red_flag_floor(subject: Subject, claim: Claim) -> Iterator[Obligation]:
    """Whoever has the finding gets at least that disposition; whoever may have it could still get it."""
    it, least, leaf = subject.outcome, claim.at_least or Disposition.EMERGENCY, FindingIs(claim.finding)
    finding = it.encoder.outcomes(leaf)
    yield Never(
        f"the finding `{claim.finding}` holds, and the disposition is below `{least.word}`",
        (it.accepted, finding.certain, no(it.floor_at_least[least])),
        (subject.patient,),
        every(lambda seen: seen.reading.outcomes(leaf) == TRUE and seen.outcome.floor < least),
    )
    yield Never(
        f"the finding `{claim.finding}` may still hold, and the disposition can no longer come to `{least.word}`",
        (it.accepted, finding.true, no(it.ceiling_at_least[least])),
        (subject.patient,),
        every(lambda seen: bool(seen.reading.outcomes(leaf) & TRUE) and seen.outcome.ceiling < least),
    )


def exclusive_programme(subject: Subject, claim: Claim) -> Iterator[Obligation]:
    """Exactly one programme is given once nothing is left to ask, and never more than one."""
    it, patients = subject.outcome, (subject.patient,)
    yield Never(
        "no row of the programme table applies",
        (it.accepted, no(either(certain for _, _, certain in it.rows))),
        patients,
        lambda seen: all(each.failed for each in seen),
    )
    yield Never(
        "two programmes are recommended at once",
        (it.accepted, either(both(pair) for pair in combinations(it.programme.values(), 2))),
        patients,
        lambda seen: all(each.failed for each in seen),
    )
    yield Never(
        "nothing is left to ask, and the programme is still open",
        (it.accepted, it.complete, no(either(it.programme.values()))),
        patients,
        every(lambda seen: seen.outcome.programme.open and not seen.outcome.programme.open_questions),
    )


def no_programme_when(subject: Subject, claim: Claim) -> Iterator[Obligation]:
    """No programme is recommended while the disposition is, or could still come to be, so urgent."""
    it, least = subject.outcome, claim.at_least or Disposition.GP_WITHIN_DAYS
    training = either(formula for each, formula in it.programme.items() if each is not Programme.NONE_YET)
    yield Never(
        f"a programme is recommended, and the disposition is or may become `{least.word}`",
        (it.accepted, it.ceiling_at_least[least], training),
        (subject.patient,),
        every(lambda seen: seen.outcome.ceiling >= least and seen.outcome.programme.choice is not Programme.NONE_YET),
    )


def safety_net_always(subject: Subject, claim: Claim) -> Iterator[Obligation]:
    """Every decision carries safety-net advice, also one that is not settled."""
    it = subject.outcome
    yield Never(
        "no safety net is shown",
        (it.accepted, no(either(it.safety_net.values()))),
        (subject.patient,),
        every(lambda seen: not seen.outcome.safety_net),
    )


def no_contradicting_advice(subject: Subject, claim: Claim) -> Iterator[Obligation]:
    """No two texts that contradict each other are shown together."""
    it = subject.outcome
    pairs_ = {tuple(sorted((item.id, other))) for item in subject.ruleset.advice.values() for other in item.contradicts}
    for one, other in sorted(pairs_):
        yield Never(
            f"the advice `{one}` and `{other}` contradict each other and are shown together",
            (it.accepted, it.advice[one], it.advice[other]),
            (subject.patient,),
            _shown_together(one, other),
        )


def _shown_together(one: str, other: str) -> Confirmed:
    return every(lambda seen: one in seen.outcome.advice and other in seen.outcome.advice)


def _one(formulas: Iterable[Formula]) -> Formula:
    """Whether exactly one of these holds."""
    found = list(formulas)
    return both((either(found), *(no(both(pair)) for pair in combinations(found, 2))))


CLAIMS: Mapping[str, Holds] = {
    "complete": complete,
    "reachable": reachable,
    "red_flag_floor": red_flag_floor,
    "monotone": pairs.monotone,
    "fail_safe": pairs.fail_safe,
    "exclusive_programme": exclusive_programme,
    "no_programme_when": no_programme_when,
    "safety_net_always": safety_net_always,
    "no_contradicting_advice": no_contradicting_advice,
    "threshold_matters": pairs.threshold_matters,
    "unknown_never_milder": pairs.unknown_never_milder,
    "unasked_changes_nothing": pairs.unasked_changes_nothing,
    "never_laxer": pairs.never_laxer,
}
"""Every kind of claim; `rules/shape.py` has the same words."""
