"""A ruleset's questions as a FHIR Questionnaire in one language, for whoever renders forms.

A group is a group item with "none of these" at its end. Yes and no, choices and *don't know* are Codings; a number has
*don't know* as an item beside it, because a number has no option for it. Nothing is `required`: an answer that is left
out is missing, and what is missing is told with the guidance, together with what holds already.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from engine.pb.v1 import triage_pb2 as pb
from engine.rules.approval import Status
from engine.rules.model import Question, QuestionType, Texts
from engine.serve.describe import question_message
from engine.serve.fhir.enabling import Clauses, Gates, enable_when, number
from engine.serve.fhir.names import (
    CORE,
    QUESTIONNAIRE,
    UNKNOWN,
    URI_SYSTEM,
    Codes,
    Json,
    Publication,
    canonical,
    denial_link,
    fhir_id,
    group_link,
    help_link,
    unknown_link,
)
from engine.serve.registry import Served

CONTROLS = "http://hl7.org/fhir/questionnaire-item-control"
STATUSES = {
    Status.DRAFT: Publication.DRAFT,
    Status.APPROVED: Publication.ACTIVE,
    Status.RETIRED: Publication.RETIRED,
}


def questionnaire(served: Served, language: str, base: str, today: date) -> Json:
    """The Questionnaire of a ruleset version in one of its languages; `url|version` is the same in all."""
    ruleset = served.evaluator.checked.ruleset
    texts = ruleset.texts[language]
    return {
        "resourceType": QUESTIONNAIRE,
        "id": fhir_id(served.id),
        "meta": {"versionId": served.version},
        "language": language,
        "url": canonical(base, QUESTIONNAIRE, served.id),
        **described(served, texts, today),
        "subjectType": ["Patient"],
        "item": _Form(served, texts, base).items(),
    }


def described(served: Served, texts: Texts, today: date) -> Json:
    """What every definition of a ruleset version says of it: its digest, version, status, texts and period."""
    ruleset = served.evaluator.checked.ruleset
    period = {"start": ruleset.effective_from.isoformat()}
    if ruleset.effective_until is not None:
        period["end"] = ruleset.effective_until.isoformat()
    return {
        "identifier": [{"system": URI_SYSTEM, "value": f"urn:sha256:{served.digest}"}],
        "version": served.version,
        "name": "".join(part.capitalize() for part in served.id.split("_")),
        "title": texts.get("ruleset", "title").patient,
        "status": STATUSES[served.status(today)].word,
        "date": ruleset.effective_from.isoformat(),
        "publisher": ", ".join(ruleset.authors),
        "description": _paragraphs(texts.get("ruleset", "summary").patient, texts.get("ruleset", "disclaimer").patient),
        "purpose": texts.get("ruleset", "intended_use").patient,
        "effectivePeriod": period,
    }


class _Form:
    """The items of one ruleset in one language."""

    def __init__(self, served: Served, texts: Texts, base: str) -> None:
        self._ruleset = served.evaluator.checked.ruleset
        self._texts = texts
        self._codes = Codes(base, served.id)
        self._gates = Gates(self._ruleset, self._codes)

    def items(self) -> list[Json]:
        """A group where its first question stands; what belongs to no group in its own place."""
        found: dict[str, list[Json]] = {}
        for question in self._ruleset.questions.values():
            if question.group:
                if question.group not in found:
                    found[question.group] = [self._group(question.group)]
            else:
                found[question.id] = [*self._question(question, ())]
        return [item for items in found.values() for item in items]

    def _group(self, name: str) -> Json:
        members, left = enable_when(self._gates.holds(self._ruleset.groups[name].asked_when))
        inside = [
            item
            for question in self._ruleset.questions.values()
            if question.group == name
            for item in self._question(question, left)
        ]
        if text := self._texts.get("group_none_of", name).patient:
            option = {"valueCoding": self._codes.denied.said(text)}
            inside.append(_checkbox(denial_link(name), text, option) | enable_when(left)[0])
        return {
            "linkId": group_link(name),
            "text": self._texts.get("groups", name).patient,
            "type": "group",
            **members,
            "item": inside,
        }

    def _question(self, question: Question, group: Clauses) -> Iterator[Json]:
        """The item of a question; of a number also "don't know". `group`: what its group's own item cannot say."""
        message = question_message(self._ruleset, self._texts, question)
        gate = (*group, *self._gates.holds(question.asked_when))
        item: Json = {
            "linkId": question.id,
            "code": [self._codes.question(question.id).said()],
            "text": message.text,
            **(self._number(question, message) if question.type.is_number else self._coded(question, message)),
            **enable_when(gate)[0],
        }
        if message.help:
            shown = {"linkId": help_link(question.id), "type": "display", "text": message.help}
            item["item"] = [{"extension": [_control("help")], **shown}]
        yield item
        if question.type.is_number:
            yield self._unknown_item(question.id) | enable_when(gate)[0]

    def _number(self, question: Question, message: pb.Question) -> Json:
        kind = "integer" if question.type is QuestionType.INTEGER else "decimal"
        value = f"value{kind.capitalize()}"
        extensions: list[Json] = [
            {"url": f"{CORE}/{name}", value: number(bound)}
            for name, bound in (("minValue", question.low), ("maxValue", question.high))
            if isinstance(bound, Decimal)
        ]
        if message.unit_text:
            extensions.append({"url": f"{CORE}/questionnaire-unit", "valueCoding": {"display": message.unit_text}})
        return {"extension": extensions, "type": kind} if extensions else {"type": kind}

    def _coded(self, question: Question, message: pb.Question) -> Json:
        labels = self._texts.options.get(question.id, {})
        options: list[Json] = [
            {"valueCoding": self._codes.option(question, each).said(labels.get(each) or self._said(each))}
            for each in question.options
        ]
        unknown: Json = {"valueCoding": UNKNOWN.said(self._said("unknown"))}
        if question.type is not QuestionType.SEVERAL:
            return {"extension": [_control("radio-button")], "type": "choice", "answerOption": [*options, unknown]}
        unknown = {"extension": [{"url": f"{CORE}/questionnaire-optionExclusive", "valueBoolean": True}], **unknown}
        return {
            "extension": [_control("check-box")],
            "type": "choice",
            "repeats": True,
            "answerOption": [*options, unknown],
        }

    def _unknown_item(self, question: str) -> Json:
        text = self._said("unknown")
        return _checkbox(unknown_link(question), text, {"valueCoding": UNKNOWN.said(text)})

    def _said(self, answer: str) -> str:
        return self._texts.get("answers", answer).patient or answer


def _checkbox(link: str, text: str, option: Json) -> Json:
    """One box to tick: a choice with one option that can be taken back."""
    return {
        "linkId": link,
        "extension": [_control("check-box")],
        "text": text,
        "type": "choice",
        "repeats": True,
        "answerOption": [option],
    }


def _control(code: str) -> Json:
    coding = {"system": CONTROLS, "code": code}
    return {"url": f"{CORE}/questionnaire-itemControl", "valueCodeableConcept": {"coding": [coding]}}


def _paragraphs(*texts: str) -> str:
    return "\n\n".join(filter(None, texts))
