"""What our things are called in FHIR: ids, canonical addresses, linkIds and codes.

`base` is where the server's FHIR is found, such as `https://pluis.example/fhir/R4`. The ids of rulesets and questions
are in snake_case, and FHIR's ids have no underscores; so a hyphen in an id or linkId is always ours, and nothing
collides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeAlias

from engine.decide.answers import plain_number
from engine.rules.condition import Value
from engine.rules.model import NO, NOTHING, Question, QuestionType

Json: TypeAlias = dict[str, Any]
"""A FHIR resource or a part of one."""

CORE = "http://hl7.org/fhir/StructureDefinition"
"""Where the extensions of R4 itself are defined."""
URI_SYSTEM = "urn:ietf:rfc:3986"
"""The system of identifiers that are URIs."""
QUESTIONNAIRE, PLAN = "Questionnaire", "PlanDefinition"
ANSWER, DISPOSITION, CALL, PROGRAMME, GUIDANCE = "answer", "disposition", "call", "programme", "guidance"
"""The code systems of the program itself; those of the rulesets' questions end in `-questions`."""


class Publication(Enum):
    """How far a definition is, as FHIR tells it."""

    DRAFT = auto()
    ACTIVE = auto()
    RETIRED = auto()

    @property
    def word(self) -> str:
        """As FHIR writes it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Coding:
    """A code and the system that it is of."""

    system: str
    code: str

    def said(self, display: str = "") -> Json:
        """As FHIR writes it, with the words that a person reads where there are any."""
        coding = {"system": self.system, "code": self.code}
        return coding | {"display": display} if display else coding


UNKNOWN = Coding("http://terminology.hl7.org/CodeSystem/data-absent-reason", "asked-unknown")
"""Asked, and the person does not know or declines to say."""


def fhir_id(name: str) -> str:
    """A name of ours as FHIR takes ids.

    >>> fhir_id("low_back_pain")
    'low-back-pain'
    """
    return name.replace("_", "-")


def own_name(fhir: str) -> str:
    """The name of ours that has this id."""
    return fhir.replace("-", "_")


def canonical(base: str, kind: str, ruleset: str) -> str:
    """The canonical address of what a ruleset is as a resource of this kind."""
    return f"{base}/{kind}/{fhir_id(ruleset)}"


def system(base: str, name: str) -> str:
    """The address of one of our code systems."""
    return f"{base}/CodeSystem/{name}"


def group_link(group: str) -> str:
    """The linkId of a group of questions."""
    return f"group-{group}"


def denial_link(group: str) -> str:
    """The linkId of "none of these" for a group."""
    return f"none-of-{group}"


def unknown_link(question: str) -> str:
    """The linkId of "don't know" beside a number: a number has no option for it."""
    return f"{question}-unknown"


def help_link(question: str) -> str:
    """The linkId of the help text of a question."""
    return f"{question}-help"


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of one ruleset's questions (their ids) and options (`question.option`)."""

    base: str
    ruleset: str

    @property
    def system(self) -> str:
        """The code system of the ruleset's questions and options."""
        return system(self.base, f"{fhir_id(self.ruleset)}-questions")

    @property
    def denied(self) -> Coding:
        """None of these."""
        return Coding(system(self.base, ANSWER), "none-of")

    def question(self, question: str) -> Coding:
        """A question."""
        return Coding(self.system, question)

    def option(self, question: Question, option: Value) -> Coding:
        """An option of a question; yes and no are the same for all."""
        if question.type is QuestionType.YES_NO:
            return Coding(system(self.base, ANSWER), str(option))
        return Coding(self.system, f"{question.id}.{plain_number(option)}")


def denial(question: Question) -> str:
    """The option that denying its group gives to a question; empty where it gives none."""
    if not question.group:
        return ""
    if question.type is QuestionType.YES_NO:
        return NO
    return NOTHING if question.type is QuestionType.CHOICE and NOTHING in question.options else ""


def is_denial(question: Question, value: object) -> bool:
    """Whether an answer says that there is nothing."""
    return value == (NO if question.type is QuestionType.YES_NO else NOTHING)
