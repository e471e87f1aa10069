"""The one way from answers to a decision: match on both evaluators, hold them against each other, decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.decide.answers import Answers, Given, Order, field, read_answers
from engine.decide.compile import compile_ruleset
from engine.decide.decision import Outcome, Ranks, choose_programme, decide, rows_that_could_apply, stand
from engine.decide.direct import TRUE, Direct, Reading
from engine.decide.explain import Explanation, explain, support
from engine.decide.missing import Untouched, next_questions, programme_questions
from engine.decide.rete import Rete
from engine.decide.targets import Match, Matcher, Session, Standing, Targets, targets
from engine.decide.written import Written
from engine.errors import AnswersError, EvaluatorsDisagree, Violation
from engine.rules.load import collector_paused
from engine.rules.model import CheckedRuleset, Ruleset
from engine.rules.scale import Programme


@dataclass(frozen=True, slots=True)
class Evaluated:
    """An outcome and the reading on which it was reached, from which reasons are worked out when somebody asks."""

    outcome: Outcome
    reading: Reading

    def explain(self) -> Explanation:
        """The answers behind each true rule, and why not the next-higher disposition."""
        return explain(self.reading, self.outcome)


class Evaluator:
    """A ruleset that is ready to decide. Safe to share between threads; each process makes its own engine handles."""

    @collector_paused()
    def __init__(self, checked: CheckedRuleset) -> None:
        self.checked = checked
        self.order = Order(checked.ruleset.questions)
        self.compiled = compile_ruleset(checked, self.order)
        self.rete = Rete(self.compiled)
        self.inference: Matcher = self.rete
        self.written = Written(checked.ruleset, self.order, self.compiled.targets)
        self._deciding = _Deciding(checked.ruleset, self.compiled.targets)

    def read(self, answers: Mapping[str, Given], none_of: Iterable[str] = (), language: str = "") -> Answers:
        """Typed answers. Raises AnswersError with every violation, or else with every contradiction.

        With a `language` of the ruleset, contradictions carry the ruleset's own words for the person.
        """
        typed = read_answers(self.checked.ruleset, answers, none_of)
        self.check(typed, language)
        return typed

    def check(self, answers: Answers, language: str = "") -> None:
        """Raises AnswersError with every contradiction among typed answers."""
        if self.written.refused(self.order.place(answers)):
            _check(self.checked.ruleset, answers, language)

    def close(self) -> None:
        """Frees the inference engine's memory."""
        self.rete.close()

    def evaluate(self, answers: Answers) -> Evaluated:
        """The outcome that follows from the answers.

        Raises EvaluatorsDisagree when the inference network and the direct evaluator differ anywhere, and EngineFault
        when the network deviates: then there is no decision.
        """
        placed = self.order.place(answers)
        both = _Both(self.written.session(placed), self.inference.session(placed))
        return self._deciding.decide(both, Reading(self.checked.ruleset, answers))


class Rehearsal:
    """A ruleset on the direct evaluator alone, for tools that try thousands of variants. Never for a patient.

    Nothing is compiled, so that it is ready at once; and nothing holds its result against a second evaluator.
    """

    def __init__(self, checked: CheckedRuleset) -> None:
        self.checked = checked
        asked = targets(checked)
        self._direct = Direct(checked.ruleset, asked)
        self._deciding = _Deciding(checked.ruleset, asked)
        self._order = Order(checked.ruleset.questions)

    def read(self, answers: Mapping[str, Given], none_of: Iterable[str] = (), language: str = "") -> Answers:
        """As `Evaluator.read`."""
        typed = read_answers(self.checked.ruleset, answers, none_of)
        _check(self.checked.ruleset, typed, language)
        return typed

    def evaluate(self, answers: Answers) -> Evaluated:
        """What the direct evaluator says, unchecked."""
        direct = self._direct.session(self._order.place(answers))
        return self._deciding.decide(direct, direct.reading)


class _Both:
    """Two evaluators at work on one patient's answers as one that gives what they agree on."""

    def __init__(self, direct: Session, inference: Session) -> None:
        self._direct, self._inference = direct, inference

    def rules(self) -> Match:
        return _agreed("rules", self._direct.rules(), self._inference.rules())

    def programme(self, standing: Standing) -> Match:
        return _agreed("programme rows", self._direct.programme(standing), self._inference.programme(standing))

    def texts(self, standing: Standing, programmes: frozenset[Programme]) -> Match:
        direct, inference = self._direct.texts(standing, programmes), self._inference.texts(standing, programmes)
        return _agreed("texts", direct, inference)


def _check(ruleset: Ruleset, answers: Answers, language: str) -> None:
    contradictions = tuple(_contradictions(ruleset, answers, language))
    if contradictions:
        raise AnswersError(contradictions)


def _contradictions(ruleset: Ruleset, answers: Answers, language: str) -> Iterable[Violation]:
    reading = Reading(ruleset, answers)
    for name, refusal in ruleset.refusals.items():
        if reading.outcomes(refusal.when) == TRUE:
            questions = support(reading, refusal.when, TRUE)
            texts = ruleset.texts.get(language)
            text = texts.get("refuse", name).patient if texts is not None else ""
            told = " and ".join(f"`{question}` ({answers.word(question)})" for question in questions)
            message = f"{told} contradict each other (`{name}`)"
            for question in questions:
                yield Violation(field(question), "contradiction", message, text, language if text else "")


class _Deciding:
    """Stage by stage from what a session matches to the outcome, by one ruleset."""

    def __init__(self, ruleset: Ruleset, asked: Targets) -> None:
        self._ruleset = ruleset
        self._asked = asked
        self._ranks = Ranks(ruleset)
        self._untouched = Untouched(ruleset)
        self._always = (ruleset.advice.keys() | ruleset.safety_net.keys()) - asked.texts.keys()

    def decide(self, session: Session, reading: Reading) -> Evaluated:
        ruleset = self._ruleset
        standing = reading.standing = stand(ruleset, session.rules())
        candidates = rows_that_could_apply(ruleset, session.programme(standing))
        programmes = reading.programmes = frozenset([row.choice for row in candidates])
        texts = session.texts(standing, programmes)
        texts = Match(texts.certain | self._always, texts.possible)
        settled = len(standing.dispositions) == 1
        questions = () if settled else next_questions(reading, self._ranks, standing, self._untouched)
        unsettled = len(programmes) > 1
        open_questions = programme_questions(reading, candidates, self._asked) if unsettled else ()
        programme = choose_programme(candidates, open_questions)
        return Evaluated(decide(ruleset, self._ranks, standing, programme, texts, questions), reading)


def _agreed(what: str, direct: Match, inference: Match) -> Match:
    """The match that both evaluators gave. Names of rules are told where they differ, never answers."""
    if direct == inference:
        return direct
    certain = ", ".join(sorted(direct.certain ^ inference.certain))
    possible = ", ".join(sorted(direct.possible ^ inference.possible))
    raise EvaluatorsDisagree(f"{what}: certain [{certain}], possible [{possible}]")
