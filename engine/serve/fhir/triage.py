"""The operation `$triage` without its wire: what comes in as JSON, checked, decided by the service, out as guidance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from engine.decide.answers import shown
from engine.errors import AnswersError, Violation
from engine.pb.v1 import triage_pb2 as pb
from engine.serve.config import Config
from engine.serve.errors import InvalidRequest
from engine.serve.fhir.answers import RESPONSE, asked_for, placed, read_response
from engine.serve.fhir.guidance import guidance
from engine.serve.fhir.letter import referral_letter
from engine.serve.fhir.names import Json, own_name
from engine.serve.fhir.shape import resource
from engine.serve.registry import Snapshot

PARAMETERS = "Parameters"
TAKEN = {
    "questionnaireResponse": "resource",
    "subject": "valueReference",
    "requestIdentifier": "valueIdentifier",
    "language": "valueCode",
}
"""The parameters of the operation, and where each has its value."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of the operation: the response, and what was said beside it."""

    response: Json
    at: str = RESPONSE
    given: Json = field(default_factory=dict)
    places: Json = field(default_factory=dict)

    @property
    def subject(self) -> Json | None:
        """A Reference to the person, as it came; only the reference itself, so that no number or name comes along."""
        subject = self.given.get("subject") or self.response.get("subject") or {}
        return {"reference": subject["reference"]} if subject.get("reference") else None

    @property
    def identifier(self) -> Json | None:
        """The Identifier of the request."""
        identifier: Json | None = self.given.get("requestIdentifier")
        return identifier

    def language(self, languages: Sequence[str], accepted: Sequence[str]) -> str:
        """The language to answer in: that of the parameter; else the first that fits; else the ruleset's first."""
        if wanted := self.given.get("language"):
            return named(str(wanted), languages)
        return fitting([str(self.response.get("language", "")), *accepted], languages)


def named(wanted: str, languages: Sequence[str]) -> str:
    """A language asked for by name, without its region where it is not there with it; nothing else stands in for it."""
    general = wanted.partition("-")[0]
    return general if wanted not in languages and general in languages else wanted


def fitting(wanted: Sequence[str], languages: Sequence[str]) -> str:
    """The first language wanted that there is, in full or without its region; else the first there is.

    >>> fitting(["fr", "en-GB"], ["nl", "en"]), fitting([], ["nl", "en"])
    ('en', 'nl')
    """
    found = (named(each, languages) for each in wanted)
    return next((each for each in found if each in languages), languages[0])


def asked(body: object) -> Asked:
    """What a call asks: Parameters, or a bare QuestionnaireResponse. Raises MalformedResource or InvalidRequest."""
    whole = resource(body, PARAMETERS, RESPONSE)
    if whole["resourceType"] == RESPONSE:
        return Asked(whole)
    given: Json = {}
    places: Json = {}
    violations: list[Violation] = []
    for number, parameter in enumerate(whole.get("parameter", ())):
        place = f"{PARAMETERS}.parameter[{number}]"
        name = parameter.get("name", "")
        if name not in TAKEN:
            violations.append(Violation(place, "unknown-parameter", f"the operation has no parameter `{shown(name)}`"))
        elif name in given:
            violations.append(Violation(place, "duplicate", f"parameter `{name}` stands there twice"))
        elif TAKEN[name] not in parameter:
            violations.append(Violation(place, "wrong-type", f"parameter `{name}` has its value as {TAKEN[name]}"))
        elif name == "subject" and not parameter["valueReference"].get("reference"):
            violations.append(Violation(place, "missing", "`subject` refers to nobody: give a `reference`"))
        else:
            given[name], places[name] = parameter[TAKEN[name]], f"{place}.{TAKEN[name]}"
    if "questionnaireResponse" not in given and not violations:
        violations.append(Violation(PARAMETERS, "missing", "parameter `questionnaireResponse` is missing"))
    if violations:
        raise InvalidRequest(violations)
    at = places["questionnaireResponse"]
    return Asked(resource(given["questionnaireResponse"], RESPONSE, at=at), at, given, places)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where calls are answered: the rulesets of the moment, and the service that decides and records."""

    snapshot: Snapshot
    answer: Callable[[pb.EvaluateRequest], pb.EvaluateResponse]
    limits: Config
    base: str
    today: date

    def triage(self, body: object, module: str, accepted: Sequence[str] = ()) -> Json:
        """The GuidanceResponse for a call on the PlanDefinition `module`; `accepted` are the languages of the caller.

        Raises what the one table of errors has a status for; the fields of violations are FHIRPaths.
        """
        call = asked(body)
        ruleset, version = asked_for(call.response, self.base, call.at)
        if "_" in module or own_name(module) != ruleset:
            self.snapshot.find(own_name(module), "", self.today)
            message = f"the Questionnaire that was answered belongs to another PlanDefinition than `{shown(module)}`"
            raise InvalidRequest([Violation(f"{call.at}.questionnaire", "wrong-module", message)])
        served = self.snapshot.deciding(ruleset, version, self.today)
        language = served.language(call.language(served.languages, accepted))
        read = read_response(call.response, served, language, self.base, self.limits, call.at)
        request, warnings, places = read.request, [*read.warnings], {**read.places}
        request.context.request_id = str((call.identifier or {}).get("value", ""))
        places["context.request_id"] = call.places.get("requestIdentifier", call.at)
        if "subject" in call.given:
            said = str(call.given["subject"].get("reference", "")).rpartition("/")[2]
            request.context.subject_reference = said.removeprefix("urn:uuid:")
            places["context.subject_reference"] = call.places["subject"]
            warnings = [each for each in warnings if each.code != "bad-subject"]
        try:
            response = self.answer(request)
        except AnswersError as error:
            raise type(error)(placed(error.violations, places, call.at)) from None
        letter = ""
        if response.ruleset.digest == served.digest:  # else it was decided before the rulesets changed
            letter = referral_letter(served, read.answers, response)
        return guidance(response, self.base, letter, call.subject, call.identifier, warnings)
