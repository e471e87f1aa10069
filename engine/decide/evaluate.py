"""The one way from answers to a decision: match on both evaluators, hold them against each other, decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from engine.decide.answers import Answers, Given, field, read_answers
from engine.decide.compile import compile_ruleset
from engine.decide.decision import Outcome, choose_programme, decide, rows_that_could_apply, stand
from engine.decide.direct import TRUE, Direct, Reading
from engine.decide.explain import Explanation, explain, support
from engine.decide.missing import next_questions, programme_questions
from engine.decide.rete import Rete
from engine.decide.targets import Match, Matcher
from engine.errors import AnswersError, EvaluatorsDisagree, Violation
from engine.rules.model import CheckedRuleset


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

    def __init__(self, checked: CheckedRuleset) -> None:
        self.checked = checked
        self.compiled = compile_ruleset(checked)
        texts = checked.ruleset.advice.keys() | checked.ruleset.safety_net.keys()
        self._always = frozenset(texts - self.compiled.targets.texts.keys())
        self.rete = Rete(self.compiled)
        self.inference: Matcher = self.rete
        self.direct = Direct(checked.ruleset, self.compiled.targets)

    def read(self, answers: Mapping[str, Given], none_of: Iterable[str] = (), language: str = "") -> Answers:
        """Typed answers. Raises AnswersError with every violation, or else with every contradiction.

        With a `language` of the ruleset, contradictions carry the ruleset's own words for the person.
        """
        typed = read_answers(self.checked.ruleset, answers, none_of)
        contradictions = tuple(self._contradictions(typed, language))
        if contradictions:
            raise AnswersError(contradictions)
        return typed

    def close(self) -> None:
        """Frees the inference engine's memory."""
        self.rete.close()

    def _contradictions(self, answers: Answers, language: str) -> Iterable[Violation]:
        reading = Reading(self.checked.ruleset, answers)
        for name, refusal in self.checked.ruleset.refusals.items():
            if reading.outcomes(refusal.when) == TRUE:
                questions = support(reading, refusal.when, TRUE)
                texts = self.checked.ruleset.texts.get(language)
                text = texts.get("refuse", name).patient if texts is not None else ""
                told = " and ".join(f"`{question}` ({answers.word(question)})" for question in questions)
                message = f"{told} contradict each other (`{name}`)"
                for question in questions:
                    yield Violation(field(question), "contradiction", message, text, language if text else "")

    def evaluate(self, answers: Answers) -> Evaluated:
        """The outcome that follows from the answers.

        Raises EvaluatorsDisagree when the inference network and the direct evaluator differ anywhere, and EngineFault
        when the network deviates: then there is no decision.
        """
        ruleset = self.checked.ruleset
        direct, inference = self.direct.session(answers), self.inference.session(answers)
        rules = _agreed("rules", direct.rules(), inference.rules())
        standing = stand(ruleset, rules)
        rows = _agreed("programme rows", direct.programme(standing), inference.programme(standing))
        candidates = rows_that_could_apply(ruleset, rows)
        programmes = frozenset(row.choice for row in candidates)
        texts = _agreed("texts", direct.texts(standing, programmes), inference.texts(standing, programmes))
        texts = replace(texts, certain=texts.certain | self._always)
        settled = len(standing.dispositions) == 1
        asked = () if settled else next_questions(direct.reading, standing)
        unsettled = len(programmes) > 1
        open_questions = programme_questions(direct.reading, candidates, self.compiled.targets) if unsettled else ()
        programme = choose_programme(candidates, open_questions)
        return Evaluated(decide(ruleset, standing, programme, texts, asked), direct.reading)


def _agreed(what: str, direct: Match, inference: Match) -> Match:
    """The match that both evaluators gave. Names of rules are told where they differ, never answers."""
    if direct == inference:
        return direct
    certain = ", ".join(sorted(direct.certain ^ inference.certain))
    possible = ", ".join(sorted(direct.possible ^ inference.possible))
    raise EvaluatorsDisagree(f"{what}: certain [{certain}], possible [{possible}]")
