"""What the server can do, as FHIR tells it: CapabilityStatement, PlanDefinitions, OperationDefinition, CodeSystems.

The PlanDefinition stands for a ruleset version: its `url|version` is in every GuidanceResponse. It does not hold the
rules themselves: a rule without its meaning would be another rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import engine
from engine.rules.model import QuestionType
from engine.serve.fhir import names
from engine.serve.fhir.guidance import WORDS
from engine.serve.fhir.names import PLAN, QUESTIONNAIRE, Codes, Json, Publication, canonical, fhir_id, system
from engine.serve.fhir.questionnaire import described
from engine.serve.registry import Served

FHIR_VERSION = "4.0.1"
FHIR_JSON = "application/fhir+json"
TRIAGE = "triage"
TITLES: Mapping[str, str] = {
    names.ANSWER: "Answers that every question has",
    names.DISPOSITION: "Where the person goes next, the least urgent first",
    names.CALL: "Whom to call",
    names.PROGRAMME: "The recommended programme",
    names.GUIDANCE: "How firmly guidance is put to the person",
}
"""The code systems of the program itself. Words of the scales have no display: rulesets say them in their languages."""
READS = ("read", "search-type")
VERSIONED = ("read", "vread", "search-type")


def capability_statement(base: str, day: date, authenticated: bool) -> Json:
    """What the server can do, as of the day when it was started."""
    rest: Json = {"mode": "server"}
    if authenticated:
        rest["security"] = {"description": "A bearer token (JWT) with each call, but for this statement."}
    rest["resource"] = [
        _resource("CodeSystem", READS),
        _resource("OperationDefinition", READS),
        {
            **_resource(PLAN, VERSIONED),
            "operation": [{"name": TRIAGE, "definition": f"{base}/OperationDefinition/{TRIAGE}"}],
        },
        _resource(QUESTIONNAIRE, VERSIONED),
    ]
    return {
        "resourceType": "CapabilityStatement",
        "url": f"{base}/metadata",
        "version": engine.__version__,
        "name": "Pluis",
        "title": "Pluis, decision support for referral",
        "status": Publication.ACTIVE.word,
        "date": day.isoformat(),
        "description": "Questionnaires out of rulesets, and decisions on what was answered.",
        "kind": "instance",
        "software": {"name": "Pluis", "version": engine.__version__},
        "implementation": {"description": "Pluis", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": [FHIR_JSON, "json"],
        "rest": [rest],
    }


def _resource(kind: str, interactions: Iterable[str]) -> Json:
    resource: Json = {"type": kind, "interaction": [{"code": each} for each in interactions]}
    parameters = [("_id", "token"), ("url", "uri"), ("version", "token")]
    return resource | {"searchParam": [{"name": name, "type": type_} for name, type_ in parameters]}


def plan_definition(served: Served, language: str, base: str, today: date) -> Json:
    """A ruleset version in one of its languages: what it is for, how far it is, on what evidence it rests."""
    ruleset = served.evaluator.checked.ruleset
    form = f"{canonical(base, QUESTIONNAIRE, served.id)}|{served.version}"
    evidence: list[Json] = [
        {"type": "citation", "label": each.id, "citation": each.citation} | ({"url": each.url} if each.url else {})
        for each in ruleset.evidence.values()
    ]
    kind = {"system": "http://terminology.hl7.org/CodeSystem/plan-definition-type", "code": "eca-rule"}
    texts = ruleset.texts[language]
    return {
        "resourceType": PLAN,
        "id": fhir_id(served.id),
        "meta": {"versionId": served.version},
        "language": language,
        "url": canonical(base, PLAN, served.id),
        **described(served, texts, today),
        "type": {"coding": [kind]},
        "relatedArtifact": [{"type": "depends-on", "resource": form}, *evidence],
        "action": [{"title": texts.get("ruleset", "title").patient, "definitionCanonical": form}],
    }


def operation_definition(base: str, day: date) -> Json:
    """`$triage`: what goes in and what comes out."""
    return {
        "resourceType": "OperationDefinition",
        "id": TRIAGE,
        "url": f"{base}/OperationDefinition/{TRIAGE}",
        "version": engine.__version__,
        "name": "Triage",
        "title": "Triage by a ruleset",
        "status": Publication.ACTIVE.word,
        "kind": "operation",
        "date": day.isoformat(),
        "description": "Gives the referral decision that follows from a response to the Questionnaire of a ruleset, or "
        "what is still needed. A bare QuestionnaireResponse is taken too. Where decisions are recorded, the same "
        "response with the same requestIdentifier gets the same decision again.",
        "affectsState": True,
        "code": TRIAGE,
        "resource": [PLAN],
        "system": False,
        "type": False,
        "instance": True,
        "parameter": [
            _parameter("questionnaireResponse", "in", "QuestionnaireResponse", 1, "Completed or amended."),
            _parameter("subject", "in", "Reference", 0, "The person; before the subject of the response."),
            _parameter("requestIdentifier", "in", "Identifier", 0, "Its value is the id of the request."),
            _parameter("language", "in", "code", 0, "Of the texts; before the language of the response."),
            _parameter("return", "out", "GuidanceResponse", 1, "With everything contained."),
        ],
    }


def _parameter(name: str, use: str, kind: str, least: int, documentation: str) -> Json:
    return {"name": name, "use": use, "min": least, "max": "1", "documentation": documentation, "type": kind}


def code_systems(base: str, day: date) -> Iterator[Json]:
    """The code systems of the program itself."""
    words: dict[str, list[str]] = {names.ANSWER: ["yes", "no", "none-of"]}
    words |= {name: [word for _, word in sorted(scale.items())] for name, scale in WORDS.items()}
    for name, codes in words.items():
        yield {
            "resourceType": "CodeSystem",
            "id": name,
            "url": system(base, name),
            "version": engine.__version__,
            "name": f"Pluis{name.capitalize()}",
            "title": TITLES[name],
            "status": Publication.ACTIVE.word,
            "date": day.isoformat(),
            "caseSensitive": True,
            "content": "complete",
            "count": len(codes),
            "concept": [{"code": code} for code in codes],
        }


def question_codes(served: Served, language: str, base: str, today: date) -> Json:
    """The questions of a ruleset version as codes, and their options below them; yes and no are those of all."""
    ruleset = served.evaluator.checked.ruleset
    texts = ruleset.texts[language]
    codes = Codes(base, served.id)
    concepts: list[Json] = []
    for question in ruleset.questions.values():
        concept: Json = {"code": question.id, "display": texts.get("questions", question.id).patient}
        if question.options and question.type is not QuestionType.YES_NO:
            labels = texts.options.get(question.id, {})
            concept["concept"] = [
                {"code": codes.option(question, each).code, "display": labels.get(each, each)}
                for each in question.options
            ]
        concepts.append(concept)
    told = described(served, texts, today)
    return {
        "resourceType": "CodeSystem",
        "id": f"{fhir_id(served.id)}-questions",
        "meta": {"versionId": served.version},
        "language": language,
        "url": codes.system,
        **{key: told[key] for key in ("identifier", "version", "title", "status", "date", "publisher")},
        "name": f"{told['name']}Questions",
        "caseSensitive": True,
        "hierarchyMeaning": "grouped-by",
        "content": "complete",
        "count": sum(1 + len(each.get("concept", ())) for each in concepts),
        "concept": concepts,
    }


def searchset(resources: Iterable[Json], base: str, link: str, most: int | None = None) -> Json:
    """What a search found, as a Bundle; `link` is the search itself. `total` also counts what is more than `most`."""
    entries = [
        {
            "fullUrl": f"{base}/{each['resourceType']}/{each['id']}",
            "resource": each,
            "search": {"mode": "match"},
        }
        for each in resources
    ]
    bundle: Json = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(entries),
        "link": [{"relation": "self", "url": link}],
    }
    return bundle | {"entry": entries[:most]} if entries[:most] else bundle
