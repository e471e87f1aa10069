"""Outcomes become responses, in one language: texts, reasons and questions beside the ids.

Everything that does not depend on answers is built once per ruleset and language, and copied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.decide.answers import Answers
from engine.decide.decision import Outcome, ProgrammeOutcome
from engine.decide.evaluate import Evaluated
from engine.decide.explain import Explanation, Reason
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.model import CheckedRuleset, Default, ProgrammeRow, Rule
from engine.rules.scale import Call, Guidance, Programme
from engine.serve.convert import CALLS, DISPOSITIONS, GUIDANCE, PROGRAMMES
from engine.serve.describe import evidence_message, place, question_message

STATES = ("yes", "no", "unknown", "missing")
"""Answers that no question has labels for; their texts are in the section `answers`."""


class Responder:
    """Writes the outcomes of one ruleset in one language."""

    def __init__(self, checked: CheckedRuleset, language: str) -> None:
        self._ruleset = ruleset = checked.ruleset
        self._texts = texts = ruleset.texts[language]
        rules: tuple[Rule | Default, ...] = (*ruleset.rules.values(), ruleset.default)
        self._basic_rules = {rule.id: self._rule(rule) for rule in rules}
        self._full_rules = {rule.id: self._rule(rule) for rule in rules}
        for rule in rules:
            full = self._full_rules[rule.id]
            full.evidence.extend(evidence_message(ruleset.evidence[name]) for name in rule.evidence)
            full.source = place(rule.span)
        self._advice = {
            key: pb.Advice(id=key, text=said.patient, clinician_text=said.clinician)
            for key in ruleset.advice
            for said in (texts.get("advice", key),)
        }
        self._safety_net = {
            key: pb.SafetyNet(id=key, text=said.patient, clinician_text=said.clinician)
            for key in ruleset.safety_net
            for said in (texts.get("safety_net", key),)
        }
        self._questions = {
            key: question_message(ruleset, texts, question) for key, question in ruleset.questions.items()
        }
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
        self._rows = {row.id: self._row(row) for row in ruleset.programme}
        self._states = {word: texts.get("answers", word).patient for word in STATES}

    def write(self, response: pb.EvaluateResponse, evaluated: Evaluated, full: bool) -> None:
        """Puts the outcome into `response`; `full` with the answers behind it."""
        outcome = evaluated.outcome
        answers = evaluated.reading.answers
        explanation = evaluated.explain() if full else None
        if outcome.settled:
            decision = response.decision
            decision.disposition = DISPOSITIONS[outcome.floor]
            decision.disposition_text.CopyFrom(self._dispositions[outcome.floor])
            decision.call_text = self._calls[outcome.call]
            self._common(decision, outcome, answers, explanation)
            if explanation is not None and explanation.next_higher is not None:
                decision.why_not.disposition = DISPOSITIONS[explanation.next_higher]
                decision.why_not.rules.extend(self._obstacle(answers, each) for each in explanation.obstacles)
        else:
            needs = response.needs_answers
            needs.floor = DISPOSITIONS[outcome.floor]
            needs.ceiling = DISPOSITIONS[outcome.ceiling]
            needs.act_now = outcome.act_now
            if outcome.rules:  # the default's words reassure, and nothing is settled
                needs.floor_text.CopyFrom(self._dispositions[outcome.floor])
                needs.call_text = self._calls[outcome.call]
            needs.open_rules.extend(outcome.open_rules)
            for each in outcome.next_questions:
                next_question = needs.next_questions.add(id=each.question, disposition=DISPOSITIONS[each.disposition])
                next_question.question.CopyFrom(self._questions[each.question])
            self._common(needs, outcome, answers, explanation)

    def _common(
        self,
        message: pb.Decision | pb.NeedsAnswers,
        outcome: Outcome,
        answers: Answers,
        explanation: Explanation | None,
    ) -> None:
        """What a decision and a floor both carry."""
        message.call = CALLS[outcome.call]
        message.calls.extend(CALLS[call] for call in outcome.calls)
        if outcome.within_hours is not None:
            message.within_hours = outcome.within_hours
        if outcome.guidance is not None:
            message.guidance = GUIDANCE[outcome.guidance]
            message.guidance_text = self._guidance[outcome.guidance]
        message.valid_days = outcome.valid_days
        message.recheck_days = outcome.recheck_days
        if explanation is None:
            message.rules.extend(self._basic_rules[name] for name in outcome.rules)
        else:
            message.rules.extend(self._full_rules[reason.rule] for reason in explanation.reasons)
            for written, reason in zip(message.rules, explanation.reasons, strict=True):
                written.answers.extend(self._answers(answers, reason.questions))
        message.advice.extend(self._advice[name] for name in outcome.advice)
        message.safety_net.extend(self._safety_net[name] for name in outcome.safety_net)
        self._programme(message.programme, outcome.programme)

    def _programme(self, message: pb.ProgrammeChoice, programme: ProgrammeOutcome) -> None:
        if not programme.open:
            message.CopyFrom(self._rows[programme.row])
            return
        message.choice = PROGRAMMES[programme.choice]
        message.title = self._title(programme.choice)
        message.open = True
        message.open_questions.extend(programme.open_questions)

    def _obstacle(self, answers: Answers, obstacle: Reason) -> pb.RuleObstacle:
        known = self._basic_rules[obstacle.rule]
        return pb.RuleObstacle(
            id=known.id,
            because=known.because,
            clinician_text=known.clinician_text or known.text,
            answers=self._answers(answers, obstacle.questions),
            open=obstacle.open,
        )

    def _answers(self, answers: Answers, questions: Iterable[str]) -> list[pb.AnswerReason]:
        """Answers as reasons, in order."""
        return [
            pb.AnswerReason(
                question=name,
                value=(value := answers.word(name)),
                question_text=self._questions[name].text,
                value_text=self._said(answers, name, value),
            )
            for name in questions
        ]

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

    def _rule(self, rule: Rule | Default) -> pb.RuleReason:
        reason = self._texts.get("reasons", rule.because)
        return pb.RuleReason(
            id=rule.id,
            disposition=DISPOSITIONS[rule.disposition],
            because=rule.because,
            text=reason.patient,
            clinician_text=reason.clinician,
            call=CALLS[rule.call],
            within_hours=rule.within_hours,
        )

    def _row(self, row: ProgrammeRow) -> pb.ProgrammeChoice:
        reason = self._texts.get("reasons", row.because)
        return pb.ProgrammeChoice(
            choice=PROGRAMMES[row.choice],
            row=row.id,
            because=row.because,
            text=reason.patient,
            clinician_text=reason.clinician,
            title=self._title(row.choice),
        )

    def _title(self, programme: Programme) -> str:
        return self._texts.get("programmes", programme.word).patient
