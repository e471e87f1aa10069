"""Outcomes become responses, in one language: texts, reasons and questions beside the ids.

Everything that does not depend on answers is serialised once per ruleset and language. What follows from an outcome,
and why a rule is true or is not, is kept for a while: outcomes come again, and the answers that one rule reads do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.decide.answers import Answers, GivenValue
from engine.decide.decision import NextQuestion, Outcome, ProgrammeOutcome
from engine.decide.evaluate import Evaluated
from engine.decide.explain import Reason, next_higher, obstacle, reason
from engine.decide.missing import read_by
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.model import CheckedRuleset, Default, ProgrammeRow, Rule
from engine.rules.scale import Call, Guidance, Programme
from engine.serve.convert import CALLS, DISPOSITIONS, GUIDANCE, PROGRAMMES
from engine.serve.describe import evidence_message, place, question_message
from engine.serve.kept import Kept
from engine.serve.wire import framed, part, tag_of

STATES = ("yes", "no", "unknown", "missing")
"""Answers that no question has labels for; their texts are in the section `answers`."""
OUTCOMES = 512
"""Outcomes that are kept; each has some ten thousand bytes."""
REASONS = 4096
"""Reasons that are kept, and obstacles; each has some hundred bytes."""
Standing = tuple[GivenValue | None, ...]
"""The answers that a rule reads: a value, nothing chosen where it is unknown, None where it is missing."""
DONT_KNOW: GivenValue = ()

DECISION = tag_of(pb.EvaluateResponse, "decision")
NEEDS_ANSWERS = tag_of(pb.EvaluateResponse, "needs_answers")
WHY_NOT = tag_of(pb.Decision, "why_not")
OBSTACLES = tag_of(pb.WhyNot, "rules")
REASON_ANSWERS = tag_of(pb.RuleReason, "answers")
OBSTACLE_ANSWERS = tag_of(pb.RuleObstacle, "answers")
NEXT_QUESTIONS = tag_of(pb.NeedsAnswers, "next_questions")


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule in every form that it is told in; `questions` are those that its answers come from."""

    basic: pb.RuleReason
    full: bytes
    obstacle: bytes
    questions: tuple[str, ...]


class _Parts:
    """The parts of a decision or of a floor, with their tags."""

    def __init__(self, kind: type[pb.Decision] | type[pb.NeedsAnswers], responder: Responder) -> None:
        self.rules = {name: part(kind, rules=[each.basic]) for name, each in responder.rules.items()}
        self.advice = {each.id: part(kind, advice=[each]) for each in responder.advice}
        self.safety_net = {each.id: part(kind, safety_net=[each]) for each in responder.safety_net}
        self.rows = {each.row: part(kind, programme=each) for each in responder.rows}
        self.kind = kind
        self.rule = tag_of(kind, "rules")


@dataclass(frozen=True, slots=True)
class _Told:
    """What follows from an outcome alone, in bytes."""

    basic: bytes
    opening: bytes
    rule: bytes
    closing: bytes
    why_not: bytes
    obstacles: tuple[str, ...]


class Responder:
    """Writes the outcomes of one ruleset in one language. Safe to share between threads."""

    def __init__(self, checked: CheckedRuleset, language: str) -> None:
        self._ruleset = ruleset = checked.ruleset
        self._texts = texts = ruleset.texts[language]
        rules: tuple[Rule | Default, ...] = (*ruleset.rules.values(), ruleset.default)
        self.rules = {rule.id: self._rule(rule) for rule in rules}
        self.advice = [
            pb.Advice(id=key, text=said.patient, clinician_text=said.clinician)
            for key in ruleset.advice
            for said in (texts.get("advice", key),)
        ]
        self.safety_net = [
            pb.SafetyNet(id=key, text=said.patient, clinician_text=said.clinician)
            for key in ruleset.safety_net
            for said in (texts.get("safety_net", key),)
        ]
        self.rows = [self._row(row) for row in ruleset.programme]
        self._questions = {
            key: question_message(ruleset, texts, question) for key, question in ruleset.questions.items()
        }
        self._next: dict[NextQuestion, bytes] = {}
        self._dispositions = {
            each: pb.Wording(
                title=texts.get("disposition_titles", each.word).patient,
                text=texts.get("dispositions", each.word).patient,
                clinician_text=texts.get("dispositions", each.word).clinician,
            )
            for each in DISPOSITIONS
        }
        self._calls = {each: texts.get("calls", each.word).patient for each in Call}
        self._guidance = {each: texts.get("guidance", each.word).patient for each in Guidance}
        self._states = {word: texts.get("answers", word).patient for word in STATES}
        self._decision, self._needs = _Parts(pb.Decision, self), _Parts(pb.NeedsAnswers, self)
        self._told: Kept[Outcome, _Told] = Kept(OUTCOMES)
        self._reasons: Kept[tuple[str, Standing], bytes] = Kept(REASONS)
        self._obstacles: Kept[tuple[str, Standing], bytes] = Kept(REASONS)
        self._answers: Kept[tuple[str, GivenValue | None], bytes] = Kept(REASONS)

    def basic(self, evaluated: Evaluated) -> bytes:
        """The part of a response that tells an outcome."""
        return self._tell(evaluated.outcome).basic

    def full(self, evaluated: Evaluated, answers: Answers) -> bytes:
        """The same with the answers behind it, which are those that were evaluated."""
        outcome = evaluated.outcome
        told = self._tell(outcome)
        state = {**answers.values, **dict.fromkeys(answers.unknown, DONT_KNOW)}.get
        parts = [told.opening]
        for name in outcome.rules:
            key = (name, tuple(map(state, self.rules[name].questions)))
            parts += (told.rule, self._reasons.get(key) or self._reason(key, evaluated))
        parts.append(told.closing)
        if told.why_not:
            why_not = [told.why_not]
            for name in told.obstacles:
                key = (name, tuple(map(state, self.rules[name].questions)))
                why_not += (OBSTACLES, self._obstacles.get(key) or self._obstacle(key, evaluated))
            parts.append(framed(WHY_NOT, b"".join(why_not)))
        return framed(DECISION if outcome.settled else NEEDS_ANSWERS, b"".join(parts))

    def _tell(self, outcome: Outcome) -> _Told:
        return self._told.get(outcome) or self._told.keep(outcome, self._work_out(outcome))

    def _work_out(self, outcome: Outcome) -> _Told:
        parts = self._decision if outcome.settled else self._needs
        opening = self._settled(outcome) if outcome.settled else self._open(outcome)
        closing = b"".join(
            (
                *(parts.advice[name] for name in outcome.advice),
                *(parts.safety_net[name] for name in outcome.safety_net),
                self._programme(parts, outcome.programme),
            )
        )
        target, obstacles = next_higher(self._ruleset, outcome) if outcome.settled else (None, ())
        basic = b"".join((opening, *(parts.rules[name] for name in outcome.rules), closing))
        return _Told(
            basic=framed(DECISION if outcome.settled else NEEDS_ANSWERS, basic),
            opening=opening,
            rule=parts.rule,
            closing=closing,
            why_not=b"" if target is None else part(pb.WhyNot, disposition=DISPOSITIONS[target]),
            obstacles=obstacles,
        )

    def _settled(self, outcome: Outcome) -> bytes:
        decision = pb.Decision(
            disposition=DISPOSITIONS[outcome.floor],
            disposition_text=self._dispositions[outcome.floor],
            call_text=self._calls[outcome.call],
        )
        self._common(decision, outcome)
        return decision.SerializeToString()

    def _open(self, outcome: Outcome) -> bytes:
        needs = pb.NeedsAnswers(
            floor=DISPOSITIONS[outcome.floor],
            ceiling=DISPOSITIONS[outcome.ceiling],
            act_now=outcome.act_now,
            open_rules=outcome.open_rules,
        )
        if outcome.rules:  # the default's words reassure, and nothing is settled
            needs.floor_text.CopyFrom(self._dispositions[outcome.floor])
            needs.call_text = self._calls[outcome.call]
        self._common(needs, outcome)
        questions = (self._next.get(each) or self._ask(each) for each in outcome.next_questions)
        return b"".join((needs.SerializeToString(), *questions))

    def _ask(self, next_question: NextQuestion) -> bytes:
        """A question to ask, with its tag: at most one for each question and disposition are kept."""
        question, disposition = next_question
        message = pb.NextQuestion(
            id=question, disposition=DISPOSITIONS[disposition], question=self._questions[question]
        )
        asked = self._next[next_question] = framed(NEXT_QUESTIONS, message.SerializeToString())
        return asked

    def _common(self, message: pb.Decision | pb.NeedsAnswers, outcome: Outcome) -> None:
        """What a decision and a floor both carry, beside lists of texts."""
        message.call = CALLS[outcome.call]
        message.calls.extend(CALLS[call] for call in outcome.calls)
        if outcome.within_hours is not None:
            message.within_hours = outcome.within_hours
        if outcome.guidance is not None:
            message.guidance = GUIDANCE[outcome.guidance]
            message.guidance_text = self._guidance[outcome.guidance]
        message.valid_days = outcome.valid_days
        message.recheck_days = outcome.recheck_days

    def _programme(self, parts: _Parts, programme: ProgrammeOutcome) -> bytes:
        if not programme.open:
            return parts.rows[programme.row]
        choice = pb.ProgrammeChoice(
            choice=PROGRAMMES[programme.choice],
            title=self._title(programme.choice),
            open=True,
            open_questions=programme.open_questions,
        )
        return part(parts.kind, programme=choice)

    def _reason(self, key: tuple[str, Standing], evaluated: Evaluated) -> bytes:
        """A rule that is true, with its length before it."""
        name, _ = key
        behind = self._behind(REASON_ANSWERS, reason(evaluated.reading, name), key)
        return self._reasons.keep(key, framed(b"", self.rules[name].full + behind))

    def _obstacle(self, key: tuple[str, Standing], evaluated: Evaluated) -> bytes:
        """A rule that is not, with its length before it."""
        name, _ = key
        found = obstacle(evaluated.reading, name)
        behind = self._behind(OBSTACLE_ANSWERS, found, key) + part(pb.RuleObstacle, open=found.open)
        return self._obstacles.keep(key, framed(b"", self.rules[name].obstacle + behind))

    def _behind(self, tag: bytes, found: Reason, key: tuple[str, Standing]) -> bytes:
        """The answers of a reason, in its order."""
        name, standing = key
        state = dict(zip(self.rules[name].questions, standing, strict=True))
        return b"".join(tag + self._answer(question, state[question]) for question in found.questions)

    def _answer(self, question: str, state: GivenValue | None) -> bytes:
        """An answer as a reason, with its length before it."""
        known = self._answers.get((question, state))
        if known is not None:
            return known
        unknown = state == DONT_KNOW
        answers = Answers(
            {} if state is None or unknown else {question: state}, frozenset({question} if unknown else ())
        )
        value = answers.word(question)
        message = pb.AnswerReason(
            question=question,
            value=value,
            question_text=self._questions[question].text,
            value_text=self._said(answers, question, value),
        )
        return self._answers.keep((question, state), framed(b"", message.SerializeToString()))

    def _said(self, answers: Answers, name: str, value: str) -> str:
        """The answer as a person would say it: the options' labels, or the number with its unit."""
        question = self._ruleset.questions[name]
        given = answers.values.get(name)
        if given is None or (isinstance(given, str) and given in self._states and name not in self._texts.options):
            return self._states[value]
        if isinstance(given, str | tuple):
            labels: Mapping[str, str] = self._texts.options.get(name, {})
            return ", ".join(labels.get(option, option) for option in ((given,) if isinstance(given, str) else given))
        return f"{value} {self._texts.get('units', question.unit).patient}".rstrip()

    def _rule(self, rule: Rule | Default) -> _Rule:
        said = self._texts.get("reasons", rule.because)
        basic = pb.RuleReason(
            id=rule.id,
            disposition=DISPOSITIONS[rule.disposition],
            because=rule.because,
            text=said.patient,
            clinician_text=said.clinician,
            call=CALLS[rule.call],
            within_hours=rule.within_hours,
        )
        evidence = [evidence_message(self._ruleset.evidence[name]) for name in rule.evidence]
        return _Rule(
            basic=basic,
            full=basic.SerializeToString() + part(pb.RuleReason, evidence=evidence, source=place(rule.span)),
            obstacle=part(
                pb.RuleObstacle, id=rule.id, because=rule.because, clinician_text=said.clinician or said.patient
            ),
            questions=read_by(self._ruleset, rule.when) if isinstance(rule, Rule) else (),
        )

    def _row(self, row: ProgrammeRow) -> pb.ProgrammeChoice:
        said = self._texts.get("reasons", row.because)
        return pb.ProgrammeChoice(
            choice=PROGRAMMES[row.choice],
            row=row.id,
            because=row.because,
            text=said.patient,
            clinician_text=said.clinician,
            title=self._title(row.choice),
        )

    def _title(self, programme: Programme) -> str:
        return self._texts.get("programmes", programme.word).patient
