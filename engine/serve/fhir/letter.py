"""A referral letter as plain text, for a therapist to paste, complete and sign.

It holds what was answered, what follows and why, and where that comes from. Who the patient and the sender are is not
known here: those are gaps in square brackets. The fixed words stand in `letter.<language>.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from engine.decide.answers import Answers
from engine.decide.direct import FALSE, Reading
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.model import Question, Texts
from engine.rules.scale import Call, Disposition
from engine.serve.convert import CALLS, DISPOSITIONS
from engine.serve.describe import question_message
from engine.serve.fhir.names import is_denial
from engine.serve.registry import Served

LANGUAGES = ("nl", "en")
"""The languages in which a letter can be written."""
_DISPOSITIONS: Mapping[int, Disposition] = {number: each for each, number in DISPOSITIONS.items()}
_CALLS: Mapping[int, Call] = {number: each for each, number in CALLS.items()}


@cache
def words(language: str) -> Mapping[str, str]:
    """The fixed words of a language."""
    file = Path(__file__).with_name(f"letter.{language}.toml")
    said: dict[str, str] = tomllib.loads(file.read_text(encoding="utf-8"))
    return said


def referral_letter(served: Served, answers: Answers, response: pb.EvaluateResponse) -> str:
    """The letter for a response with its reasons; empty where nobody is referred, or the language has no words for it.

    Before anything is settled it says what holds already, and that it is not all.
    """
    settled = response.WhichOneof("outcome") == "decision"
    known = response.decision if settled else response.needs_answers
    if response.language not in LANGUAGES or known.call in (pb.CALL_NONE, pb.CALL_UNSPECIFIED) or not known.rules:
        return ""
    return "\n".join(_Letter(served, answers, response).lines()).strip() + "\n"


class _Letter:
    """One letter on its way."""

    def __init__(self, served: Served, answers: Answers, response: pb.EvaluateResponse) -> None:
        self._ruleset = served.evaluator.checked.ruleset
        self._texts: Texts = self._ruleset.texts[response.language]
        self._answers = answers
        self._response = response
        self._words = words(response.language)

    def lines(self) -> Iterator[str]:
        """The whole letter, line by line."""
        words, response = self._words, self._response
        title = self._texts.get("ruleset", "title").patient
        decided = response.decide_time.ToDatetime()
        yield words["heading"].format(title=title)
        yield ""
        yield words["date"].format(date=decided.date().isoformat(), time=decided.strftime("%H:%M"))
        yield from (words["to"], words["patient"], "", words["greeting"], "")
        yield words["opening"].format(title=title)
        yield from self._outcome()
        yield from self._told()
        yield from self._proposed()
        yield from self._provenance()
        yield from ("", words["closing"], words["sender"], words["practice"])

    def _outcome(self) -> Iterator[str]:
        words, response = self._words, self._response
        known: pb.Decision | pb.NeedsAnswers
        yield from ("", words["outcome"])
        if response.WhichOneof("outcome") == "decision":
            known, wording = response.decision, response.decision.disposition_text
        else:
            known, wording = response.needs_answers, response.needs_answers.floor_text
            ceiling = self._texts.get("disposition_titles", _DISPOSITIONS[response.needs_answers.ceiling].word).patient
            yield words["open"].format(ceiling=ceiling)
        yield wording.title
        yield wording.clinician_text or wording.text
        call = self._texts.get("calls", _CALLS[known.call].word)
        yield words["call"].format(call=call.clinician or call.patient)
        if known.HasField("within_hours"):
            yield words["within"].format(hours=known.within_hours)
        if known.guidance_text:
            yield words["guidance"].format(guidance=known.guidance_text)
        yield from ("", words["reasons"])
        for rule in known.rules:
            yield f"- {rule.id}: {rule.clinician_text or rule.text}"
            for each in rule.answers:
                yield f"    {each.question_text} {each.value_text}"
            for source in rule.evidence:
                citation = f"{source.citation} ({source.url})" if source.url else source.citation
                yield f"    {words['source'].format(citation=citation)}"

    def _told(self) -> Iterator[str]:
        """Every answer, what is there before what is not."""
        words, answers = self._words, self._answers
        yield from ("", words["answers"])
        reading = Reading(self._ruleset, answers)
        denied: list[Question] = []
        unknown: list[Question] = []
        missing: list[Question] = []
        for question in self._ruleset.questions.values():
            value = answers.values.get(question.id)
            asked = reading.asked(question.id)
            if value is not None and is_denial(question, value):
                if asked != FALSE:
                    denied.append(question)
            elif value is not None:
                yield f"- {self._text(question)} {self._said(question)}"
            elif question.id in answers.unknown and asked != FALSE:
                unknown.append(question)
            elif not asked & FALSE:
                missing.append(question)
        for heading, questions in (("unknown", unknown), ("missing", missing), ("denied", denied)):
            if questions:
                yield words[heading]
                yield from self._grouped(questions)

    def _grouped(self, questions: Iterable[Question]) -> Iterator[str]:
        """A line for each group, and for each question that is in none."""
        lines: dict[str, list[str]] = {}
        for question in questions:
            lines.setdefault(question.group or question.id, []).append(self._text(question))
        for name, texts in lines.items():
            title = self._texts.get("groups", name).patient if name in self._ruleset.groups else ""
            yield " ".join(filter(None, ("-", title and f"{title.rstrip('?.:')}:", *texts)))

    def _text(self, question: Question) -> str:
        return self._texts.get("questions", question.id).patient

    def _said(self, question: Question) -> str:
        """A value as a person would say it."""
        value = self._answers.values[question.id]
        message = question_message(self._ruleset, self._texts, question)
        if question.type.is_number:
            return f"{self._answers.word(question.id)} {message.unit_text}".rstrip()
        labels = self._texts.options.get(question.id, {})
        chosen = value if isinstance(value, tuple) else (str(value),)
        return ", ".join(labels.get(each) or self._texts.get("answers", each).patient or each for each in chosen)

    def _proposed(self) -> Iterator[str]:
        settled = self._response.WhichOneof("outcome") == "decision"
        known = self._response.decision if settled else self._response.needs_answers
        programme = known.programme
        if programme.choice not in (pb.PROGRAMME_NONE_YET, pb.PROGRAMME_UNSPECIFIED):
            yield from ("", self._words["programme"], programme.title, programme.clinician_text or programme.text)
        if known.safety_net:
            yield from ("", self._words["safety_net"])
            yield from (f"- {each.text}" for each in known.safety_net)

    def _provenance(self) -> Iterator[str]:
        words, response = self._words, self._response
        ruleset, receipt = response.ruleset, response.receipt
        yield from ("", words["provenance"])
        yield words["ruleset"].format(id=ruleset.id, version=ruleset.version, digest=ruleset.digest)
        yield words["decision"].format(id=response.decision_id, digest=response.decision_digest)
        if response.HasField("receipt"):
            yield words["receipt"].format(writer=receipt.writer, sequence=receipt.sequence, hash=receipt.entry_hash)
        yield self._texts.get("ruleset", "disclaimer").patient
