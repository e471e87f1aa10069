"""A decision as a FHIR GuidanceResponse: what any EHR can read of it, and all of it for those who look.

All resources are contained: a RequestGroup with the referral (ServiceRequest), the advice and safety net
(CommunicationRequests) and the programme (CarePlan), all drafts and proposals, and Parameters with the decision as
data. Where answers are missing the status says so, `dataRequirement` names the questions, most urgent first, and what
holds already is there as it is in a decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

from engine.errors import Violation
from engine.pb.v1 import triage_pb2 as pb
from engine.serve.convert import CALLS, DISPOSITIONS, GUIDANCE, PROGRAMMES
from engine.serve.fhir import names
from engine.serve.fhir.names import CORE, PLAN, URI_SYSTEM, Codes, Coding, Json, canonical
from engine.serve.fhir.outcomes import Severity, of_violations, outcome

Known: TypeAlias = pb.Decision | pb.NeedsAnswers
"""What holds: a decision, or as much as is settled."""

WORDS: Mapping[str, Mapping[int, str]] = {
    names.DISPOSITION: {number: each.word for each, number in DISPOSITIONS.items()},
    names.CALL: {number: each.word for each, number in CALLS.items()},
    names.PROGRAMME: {number: each.word for each, number in PROGRAMMES.items()},
    names.GUIDANCE: {number: each.word for each, number in GUIDANCE.items()},
}
"""The words of the contract's scales, by code system and number."""
PRIORITIES: Mapping[int, str] = {pb.DISPOSITION_EMERGENCY: "stat", pb.DISPOSITION_SAME_DAY_GP: "urgent"}
"""The priority of a request; that of other dispositions is routine."""
NOBODY: Json = {"extension": [{"url": f"{CORE}/data-absent-reason", "valueCode": "unknown"}], "type": "Patient"}
"""A reference to a person about whom nothing was said."""


def guidance(
    response: pb.EvaluateResponse,
    base: str,
    letter: str = "",
    subject: Json | None = None,
    identifier: Json | None = None,
    warnings: Sequence[Violation] = (),
) -> Json:
    """The GuidanceResponse of a response with its reasons.

    `letter` is the referral letter, `subject` a Reference and `identifier` the Identifier of the request, as they came.
    """
    settled = response.WhichOneof("outcome") == "decision"
    known: Known = response.decision if settled else response.needs_answers
    maker = _Maker(response, known, base, subject)
    contained = [*maker.contained(letter), *_warnings(warnings)]
    found: Json = {
        "resourceType": "GuidanceResponse",
        "id": response.decision_id,
        "language": response.language,
        "contained": contained,
        "identifier": [{"system": URI_SYSTEM, "value": f"urn:uuid:{response.decision_id}"}],
        "moduleCanonical": f"{canonical(base, PLAN, response.ruleset.id)}|{response.ruleset.version}",
        "status": _status(known),
        "occurrenceDateTime": maker.time,
    }
    if subject:
        found["subject"] = subject
    if identifier or response.request_id:
        found["requestIdentifier"] = identifier or {"value": response.request_id}
    if warnings:
        found["evaluationMessage"] = [{"reference": "#warnings"}]
    if letter:
        found["note"] = [{"text": letter}]
    found["outputParameters"] = {"reference": "#parameters"}
    found["result"] = {"reference": "#plan"}
    if wanted := [*maker.wanted()]:
        found["dataRequirement"] = wanted
    return found


def _status(known: Known) -> str:
    """`data-requested`: decided, and answers that are missing could still settle the programme."""
    if isinstance(known, pb.NeedsAnswers):
        return "data-required"
    return "data-requested" if known.programme.open else "success"


def _warnings(warnings: Sequence[Violation]) -> Iterator[Json]:
    if warnings:
        yield outcome(of_violations(warnings, Severity.WARNING)) | {"id": "warnings"}


class _Maker:
    """Makes the parts of one GuidanceResponse."""

    def __init__(self, response: pb.EvaluateResponse, known: Known, base: str, subject: Json | None) -> None:
        self._response = response
        self._known = known
        self._base = base
        self._subject = subject or NOBODY
        self._codes = Codes(base, response.ruleset.id)
        self._decided = response.decide_time.ToDatetime()
        self.time = _instant(response.decide_time)

    def contained(self, letter: str) -> Iterator[Json]:
        """Every contained resource; each is referred to by another or by the whole."""
        requests = [*self._requests(letter)]
        yield self._parameters()
        yield {
            "resourceType": "RequestGroup",
            "id": "plan",
            "status": "draft",
            "intent": "proposal",
            "priority": self._priority,
            "subject": self._subject,
            "authoredOn": self.time,
            "action": [self._action(each) for each in requests],
        }
        yield from requests

    @property
    def _disposition(self) -> int:
        return self._known.disposition if isinstance(self._known, pb.Decision) else self._known.floor

    @property
    def _wording(self) -> pb.Wording:
        return self._known.disposition_text if isinstance(self._known, pb.Decision) else self._known.floor_text

    @property
    def _priority(self) -> str:
        return PRIORITIES.get(self._disposition, "routine")

    def _requests(self, letter: str) -> Iterator[Json]:
        known = self._known
        if known.rules and known.call != pb.CALL_NONE:
            yield self._referral(letter)
        for name, texts in (("advice", known.advice), ("safety-net", known.safety_net)):
            if texts:
                yield self._communication(name, texts)
        if known.programme.choice not in (pb.PROGRAMME_NONE_YET, pb.PROGRAMME_UNSPECIFIED):
            yield self._programme()

    def _action(self, request: Json) -> Json:
        action: Json = {"id": f"do-{request['id']}", "resource": {"reference": f"#{request['id']}"}}
        if request["id"] == "referral":
            action |= {"title": self._wording.title, "description": self._wording.text}
            sources = {each.id: each for rule in self._known.rules for each in rule.evidence}
            action["documentation"] = [_citation(each) for each in sources.values()]
        return action

    def _referral(self, letter: str) -> Json:
        known = self._known
        referral: Json = {
            "resourceType": "ServiceRequest",
            "id": "referral",
            "status": "draft",
            "intent": "proposal",
            "priority": self._priority,
            "code": self._concept(names.DISPOSITION, self._disposition, self._wording.title),
            "subject": self._subject,
            "authoredOn": self.time,
            "performerType": self._concept(names.CALL, known.call, known.call_text),
            "reasonCode": [{"text": f"{each.id}: {each.clinician_text or each.text}"} for each in known.rules],
            "patientInstruction": self._wording.text,
        }
        if known.HasField("within_hours"):
            end = self._decided + timedelta(hours=known.within_hours)
            referral["occurrencePeriod"] = {"start": self.time, "end": f"{end.isoformat(timespec='milliseconds')}Z"}
        if letter:
            referral["note"] = [{"text": letter}]
        return referral

    def _communication(self, name: str, texts: Iterable[pb.Advice | pb.SafetyNet]) -> Json:
        return {
            "resourceType": "CommunicationRequest",
            "id": name,
            "status": "draft",
            "priority": self._priority,
            "subject": self._subject,
            "payload": [{"id": each.id, "contentString": each.text} for each in texts],
            "authoredOn": self.time,
        }

    def _programme(self) -> Json:
        programme = self._known.programme
        plan: Json = {
            "resourceType": "CarePlan",
            "id": "programme",
            "status": "draft",
            "intent": "proposal",
            "title": programme.title,
            "description": programme.text,
            "subject": self._subject,
            "created": self.time,
            "activity": [
                {
                    "detail": {
                        "code": self._concept(names.PROGRAMME, programme.choice, programme.title),
                        "status": "not-started",
                    }
                }
            ],
        }
        if programme.clinician_text:
            plan["note"] = [{"text": programme.clinician_text}]
        return plan

    def _parameters(self) -> Json:
        return {"resourceType": "Parameters", "id": "parameters", "parameter": [*self._values()]}

    def _values(self) -> Iterator[Json]:
        """The outcome as data: what is in a decision and its envelope, in the words of the contract."""
        response, known = self._response, self._known
        yield _value("decision_id", "String", response.decision_id)
        yield _value("decision_digest", "String", response.decision_digest)
        for name in ("id", "version", "digest"):
            yield _value("ruleset" if name == "id" else f"ruleset_{name}", "String", getattr(response.ruleset, name))
        if isinstance(known, pb.Decision):
            yield self._word("disposition", names.DISPOSITION, known.disposition, known.disposition_text.title)
        else:
            yield self._word("floor", names.DISPOSITION, known.floor, known.floor_text.title)
            yield self._word("ceiling", names.DISPOSITION, known.ceiling)
            yield _value("act_now", "Boolean", known.act_now)
        yield self._word("call", names.CALL, known.call, known.call_text)
        if known.HasField("within_hours"):
            yield _value("within_hours", "Integer", known.within_hours)
        if known.guidance:
            yield self._word("guidance", names.GUIDANCE, known.guidance, known.guidance_text)
        yield _value("valid_days", "Integer", known.valid_days)
        yield _value("recheck_days", "Integer", known.recheck_days)
        yield self._word("programme", names.PROGRAMME, known.programme.choice, known.programme.title)
        yield _value("programme_open", "Boolean", known.programme.open)
        for rule in known.rules:
            yield _parts("rule", self._rule(rule))
        if isinstance(known, pb.NeedsAnswers):
            yield from (_value("open_rule", "String", each) for each in known.open_rules)
            for question in known.next_questions:
                wanted = self._codes.question(question.id).said(question.question.text)
                parts = [_value("question", "Coding", wanted)]
                parts.append(self._word("disposition", names.DISPOSITION, question.disposition))
                yield _parts("next_question", parts)
        if response.HasField("receipt"):
            receipt = response.receipt
            parts = [_value("writer", "String", receipt.writer), _value("sequence", "String", str(receipt.sequence))]
            yield _parts("receipt", [*parts, _value("entry_hash", "String", receipt.entry_hash)])

    def _rule(self, rule: pb.RuleReason) -> Iterator[Json]:
        yield _value("id", "String", rule.id)
        yield self._word("disposition", names.DISPOSITION, rule.disposition)
        yield _value("because", "String", rule.because)
        yield _value("text", "String", rule.text)
        if rule.clinician_text:
            yield _value("clinician_text", "String", rule.clinician_text)
        for each in rule.answers:
            question = self._codes.question(each.question).said(each.question_text)
            yield _parts("answer", [_value("question", "Coding", question), _value("value", "String", each.value)])
        for source in rule.evidence:
            yield _value("evidence", "RelatedArtifact", _citation(source))

    def wanted(self) -> Iterator[Json]:
        """What is still needed, one question each, the most urgent first."""
        known = self._known
        if isinstance(known, pb.NeedsAnswers):
            questions = [(each.id, each.question.text) for each in known.next_questions]
        else:
            questions = [(each, "") for each in known.programme.open_questions]
        for name, text in questions:
            coding = self._codes.question(name).said(text)
            yield {"type": "QuestionnaireResponse", "codeFilter": [{"path": "item.linkId", "code": [coding]}]}

    def _coding(self, scale: str, number: int) -> Coding:
        return Coding(names.system(self._base, scale), WORDS[scale][number])

    def _concept(self, scale: str, number: int, text: str) -> Json:
        return {"coding": [self._coding(scale, number).said()], "text": text}

    def _word(self, name: str, scale: str, number: int, display: str = "") -> Json:
        return _value(name, "Coding", self._coding(scale, number).said(display))


def _value(name: str, kind: str, value: Any) -> Json:
    return {"name": name, f"value{kind}": value}


def _parts(name: str, parts: Iterable[Json]) -> Json:
    return {"name": name, "part": [*parts]}


def _citation(source: pb.Evidence) -> Json:
    artifact = {"type": "citation", "citation": source.citation}
    return artifact | {"url": source.url} if source.url else artifact


def _instant(time: Any) -> str:
    """A time as FHIR has it, to the millisecond and with its zone."""
    return f"{time.ToDatetime().isoformat(timespec='milliseconds')}Z"
