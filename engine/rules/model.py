"""What a ruleset is once it has been read: frozen values, each with the place where its author wrote it.

`Ruleset` is the shape of the file. `CheckedRuleset` is the same content with its meaning established: names defined,
operands typed, parameters filled in, programme rows total; only `check.check` makes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Final

from engine.rules.condition import Condition
from engine.rules.scale import Call, Disposition, Guidance, Programme, Strength
from engine.rules.source import NOWHERE, Span


class QuestionType(Enum):
    """What kind of value a question takes."""

    YES_NO = "yes_no"
    INTEGER = "integer"
    DECIMAL = "decimal"
    CHOICE = "choice"
    SEVERAL = "several"

    @property
    def is_number(self) -> bool:
        return self in (QuestionType.INTEGER, QuestionType.DECIMAL)


YES, NO = "yes", "no"
"""The two options of every yes_no question."""
NOTHING = "none"
"""The option that a denied group gives to its missing choice questions."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `options` for yes_no, choice and several; `low`, `high` (inclusive) and `unit` for numbers."""

    id: str
    type: QuestionType
    options: tuple[str, ...] = ()
    unit: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    group: str = ""
    asked_when: Condition | None = None
    core: bool = False
    yes_is_good: bool = False
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that are asked together and can be denied together; `asked_when` is shared by all of them."""

    id: str
    asked_when: Condition | None = None
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """A number that a clinic may tune, named once; `value` lies in low..high."""

    id: str
    value: Decimal
    unit: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Finding:
    """A named clinical fact derived from answers and other findings."""

    id: str
    when: Condition
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Rule:
    """When `when` is true, the person needs at least `disposition`. `within_hours` is None where none is set."""

    id: str
    when: Condition
    disposition: Disposition
    call: Call
    within_hours: int | None
    because: str
    evidence: tuple[str, ...]
    guidance: Guidance | None = None
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Default:
    """What holds when no rule is true; reported as a rule of its own."""

    id: str
    disposition: Disposition
    call: Call
    within_hours: int | None
    because: str
    evidence: tuple[str, ...]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Validity:
    """How long a decision holds and when to look again, in days."""

    valid_days: int
    recheck_days: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Answers that contradict each other: when it is certainly true the request is refused."""

    id: str
    when: Condition
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class ProgrammeRow:
    """One row of the ordered programme table; the last has no `when` and always applies.

    `applies_unknown`: whether an unknown condition applies the row (True) or skips it (False).
    """

    id: str
    when: Condition | None
    choice: Programme
    applies_unknown: bool
    because: str
    evidence: tuple[str, ...] = ()
    span: Span = NOWHERE


class AdviceKind(Enum):
    """What an advice text does; the policies hide whole kinds."""

    REASSURANCE = "reassurance"
    ACTIVITY = "activity"
    INFORMATION = "information"
    REFERRAL = "referral"


@dataclass(frozen=True, slots=True)
class Advice:
    """A text to the person: shown where `when` is certainly true (None: always) and `hide_when` certainly false.

    `contradicts` names other advice that nobody may read beside it.
    """

    id: str
    kind: AdviceKind
    when: Condition | None = None
    hide_when: Condition | None = None
    contradicts: tuple[str, ...] = ()
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class AdvicePolicy:
    """A `hide_when` shared by every advice item of the named kinds."""

    id: str
    kinds: frozenset[AdviceKind]
    hide_when: Condition
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class SafetyNet:
    """What to watch for, how fast to act and whom to call; shown where `when` is certainly true (None: always)."""

    id: str
    when: Condition | None = None
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Evidence:
    """The citation that supports a rule."""

    id: str
    citation: str
    strength: Strength
    url: str = ""
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Claim:
    """A property that must hold for all patients; read and kept here, proved elsewhere.

    `finding` and `at_least` belong to a red-flag floor, `than` (a version) to a comparison; `exempt` names questions
    that the claim leaves out, each with the author's reason.
    """

    id: str
    kind: str
    finding: str = ""
    at_least: Disposition | None = None
    exempt: Mapping[str, str] = field(default_factory=dict)
    than: str = ""
    span: Span = NOWHERE


class Role(Enum):
    """As what a person signs. A ruleset is approved by a GP and a physiotherapist; an operator runs the service."""

    GP = "gp"
    PHYSIOTHERAPIST = "physiotherapist"
    OPERATOR = "operator"


APPROVING: Final = (Role.GP, Role.PHYSIOTHERAPIST)
"""Of each of these roles somebody must have signed before a ruleset is approved."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One text in one language, for the patient and, where it differs, for the clinician."""

    patient: str
    clinician: str = ""


@dataclass(frozen=True, slots=True)
class Texts:
    """Every text of one language. `of[section][id]` is a Wording; `options[question][option]` is a label.

    Sections: ruleset (title, summary, intended_use, disclaimer), answers (yes, no, unknown, missing), units, questions,
    question_help, groups (the title), group_none_of, findings (the name; all have one or none has), reasons,
    disposition_titles, dispositions (the text), calls, guidance, programmes, advice, safety_net, refuse. The ids of the
    scales are their words.
    """

    language: str
    of: Mapping[str, Mapping[str, Wording]]
    options: Mapping[str, Mapping[str, str]]

    def get(self, section: str, key: str) -> Wording:
        """The wording; empty when the section has no such text (check refuses that in a served ruleset)."""
        return self.of.get(section, {}).get(key, Wording(""))


@dataclass(frozen=True, slots=True)
class Ruleset:
    """A whole ruleset as its files say it. Mappings keep the order of the file; `texts` is keyed by language."""

    id: str
    version: str
    languages: tuple[str, ...]
    effective_from: date
    effective_until: date | None
    authors: tuple[str, ...]
    parameters: Mapping[str, ParameterValue]
    groups: Mapping[str, Group]
    questions: Mapping[str, Question]
    findings: Mapping[str, Finding]
    rules: Mapping[str, Rule]
    default: Default
    validity: Mapping[Disposition, Validity]
    refusals: Mapping[str, Refusal]
    programme: tuple[ProgrammeRow, ...]
    advice: Mapping[str, Advice]
    policies: Mapping[str, AdvicePolicy]
    safety_net: Mapping[str, SafetyNet]
    evidence: Mapping[str, Evidence]
    claims: Mapping[str, Claim]
    texts: Mapping[str, Texts]
    span: Span = NOWHERE
    places: Mapping[tuple[str | int, ...], Span] = field(default_factory=dict, compare=False, repr=False)
    """Where each part stands, by its path in the file (`document.places`); texts under `("texts", language, ...)`."""

    def place(self, *path: str | int) -> Span:
        """Where the part at a path stands or, where nothing is written, the nearest part around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, self.span)


@dataclass(frozen=True, slots=True)
class CheckedRuleset:
    """A ruleset whose meaning is established, with the digest of its content (64 hex digits of SHA-256).

    INVARIANT: in `ruleset` every name is defined, every Compare operand is a Value of its question's type (or, in
    refusals, a Sum), no Parameter or Text operand is left, findings and asked_when are free of circles, the last
    programme row and only the last has no `when`.
    """

    ruleset: Ruleset
    digest: str
