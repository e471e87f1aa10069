"""The shape of each file: which keys, what kind of value at each; the only door to the schema library.

Conditions are `Any` here, their grammar is in `parse_condition`. Values come out typed (numbers, dates, members of the
scales). The library's own sentences never reach an author: `check_shape` says what is wrong in the author's words.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, model_validator

from engine.rules import document, values
from engine.rules.model import AdviceKind, QuestionType, Wording
from engine.rules.problem import Problem, error
from engine.rules.scale import Call, Disposition, Guidance, Programme, Strength
from engine.rules.source import Span
from engine.rules.suggest import did_you_mean

CLAIMS = (
    "complete",
    "reachable",
    "red_flag_floor",
    "monotone",
    "fail_safe",
    "exclusive_programme",
    "no_programme_when",
    "safety_net_always",
    "no_contradicting_advice",
    "threshold_matters",
    "unknown_never_milder",
    "unasked_changes_nothing",
    "never_laxer",
)
"""The properties that an author can claim; what each means is said where it is proved."""

Text = Annotated[str, PlainValidator(values.text)]
Positive = Annotated[int, PlainValidator(values.positive)]
Number = Annotated[Decimal, PlainValidator(values.number)]
Range = Annotated[tuple[Decimal, Decimal], PlainValidator(values.number_range)]
Day = Annotated[date, PlainValidator(values.day)]
Version = Annotated[str, PlainValidator(values.version)]
Language = Annotated[str, PlainValidator(values.language)]
Name = Annotated[str, PlainValidator(values.name)]
Code = Annotated[str, PlainValidator(values.code)]
Option = Annotated[str, PlainValidator(values.option)]
Truth = Annotated[
    bool, PlainValidator(values.Word("yes or no", {"yes": True, "no": False, "true": True, "false": False}))
]
Place = Annotated[Disposition, PlainValidator(values.Word("disposition", Disposition.words()))]
Whom = Annotated[Call, PlainValidator(values.Word("call", Call.words()))]
Plan = Annotated[Programme, PlainValidator(values.Word("programme", Programme.words()))]
Firmness = Annotated[Guidance, PlainValidator(values.Word("guidance", Guidance.words()))]
Support = Annotated[Strength, PlainValidator(values.Word("strength of evidence", Strength.words()))]
Type = Annotated[
    QuestionType, PlainValidator(values.Word("type of question", {each.value: each for each in QuestionType}))
]
Kind = Annotated[AdviceKind, PlainValidator(values.Word("kind of advice", {each.value: each for each in AdviceKind}))]
Property = Annotated[str, PlainValidator(values.Word("claim", values.same(CLAIMS)))]
IfUnknown = Annotated[str, PlainValidator(values.Word("way to treat unknown", values.same(("applies", "skips"))))]
Unlisted = Annotated[str, PlainValidator(values.Word("answer for what is not listed", values.same(("no", "unknown"))))]
Said = Annotated[Wording, PlainValidator(values.wording)]
Expected = Annotated[Disposition | None, PlainValidator(values.expected)]
ExpectedGuidance = Annotated[
    str | None, PlainValidator(values.Word("guidance", values.same((*Guidance.words(), values.NO_GUIDANCE))))
]
ExpectedTruth = Annotated[
    bool | None, PlainValidator(values.Word("yes or no", {"yes": True, "no": False, "true": True, "false": False}))
]
Answer = Annotated[str | tuple[str, ...], PlainValidator(values.answer)]
Denied = Annotated[tuple[str, ...], PlainValidator(values.denied)]


class Shape(BaseModel):
    """A mapping with a fixed list of keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Effective(Shape):
    from_: Day = Field(alias="from")
    until: Day | None = None


class Header(Shape):
    id: Name
    version: Version
    languages: list[Language] = Field(min_length=1)
    effective: Effective
    authors: list[Text] = Field(min_length=1)


class ParameterShape(Shape):
    value: Number
    unit: Text = ""
    range: Range | None = None


class GroupShape(Shape):
    asked_when: Any = None


class QuestionShape(Shape):
    type: Type
    options: list[Option] = []
    unit: Text = ""
    range: Range | None = None
    group: Name = ""
    asked_when: Any = None
    core: Truth = False
    yes_is_good: Truth = False


class Then(Shape):
    disposition: Place
    call: Whom
    within_hours: Positive | None = None


class RuleThen(Then):
    guidance: Firmness | None = None


class RuleShape(Shape):
    when: Any
    then: RuleThen
    because: Name
    evidence: list[Name] = []


class DefaultShape(Shape):
    id: Code
    then: Then
    because: Name
    evidence: list[Name] = []


class ValidityShape(Shape):
    valid_days: Positive
    recheck_days: Positive


class RowShape(Shape):
    id: Code
    when: Any = None
    then: Plan
    when_unknown: IfUnknown | None = None
    because: Name
    evidence: list[Name] = []

    @model_validator(mode="after")
    def _says_what_unknown_does(self) -> RowShape:
        if "when" in self.model_fields_set and self.when_unknown is None:
            help = "add `when_unknown: applies` or `when_unknown: skips`"
            values.refuse("when-unknown-missing", f"row `{self.id}` does not say what an unknown condition does", help)
        return self


class AdviceShape(Shape):
    kind: Kind
    when: Any = None
    hide_when: Any = None
    contradicts: list[Code] = []


class PolicyShape(Shape):
    kinds: list[Kind] = Field(min_length=1)
    hide_when: Any


class SafetyNetShape(Shape):
    when: Any = None


class EvidenceShape(Shape):
    citation: Text
    strength: Support
    url: Text = ""


class ClaimShape(Shape):
    claim: Property
    finding: Name = ""
    at_least: Place | None = None
    exempt: dict[Name, Text] = {}
    than: Version | None = None


class RulesetFile(Shape):
    """ruleset.yaml."""

    ruleset: Header
    parameters: dict[Name, ParameterShape] = {}
    groups: dict[Name, GroupShape] = {}
    questions: dict[Name, QuestionShape] = Field(min_length=1)
    findings: dict[Name, Any] = {}
    rules: dict[Code, RuleShape] = Field(min_length=1)
    default: DefaultShape
    dispositions: dict[Place, ValidityShape]
    refuse: dict[Name, Any] = {}
    programme: list[RowShape] = Field(min_length=1)
    advice: dict[Code, AdviceShape] = {}
    advice_policies: dict[Code, PolicyShape] = {}
    safety_net: dict[Code, SafetyNetShape] = Field(min_length=1)
    evidence: dict[Name, EvidenceShape] = {}
    claims: dict[Name, ClaimShape] = {}


class AboutTexts(Shape):
    title: Said
    summary: Said
    intended_use: Said
    disclaimer: Said


class AnswerTexts(Shape):
    """What people call the answers that belong to no question in particular."""

    yes: Said
    no: Said
    unknown: Said
    missing: Said


class GroupTexts(Shape):
    title: Said
    none_of: Said | None = None


class QuestionTexts(Shape):
    text: Said
    help: Said | None = None
    options: dict[Option, Text] = {}


class DispositionTexts(Shape):
    title: Said
    text: Said


class TextsFile(Shape):
    """texts.<language>.yaml."""

    language: Language
    ruleset: AboutTexts
    answers: AnswerTexts
    units: dict[Text, Said] = {}
    groups: dict[Name, GroupTexts] = {}
    questions: dict[Name, QuestionTexts] = {}
    findings: dict[Name, Said] = {}
    reasons: dict[Name, Said] = {}
    dispositions: dict[Place, DispositionTexts] = {}
    calls: dict[Whom, Said] = {}
    guidance: dict[Firmness, Said] = {}
    programmes: dict[Plan, Said] = {}
    advice: dict[Code, Said] = {}
    safety_net: dict[Code, Said] = {}
    refuse: dict[Name, Said] = {}


class ExpectShape(Shape):
    disposition: Expected = None
    floor: Place | None = None
    ceiling: Place | None = None
    acceptable: list[Place] = []
    call: Whom | None = None
    within_hours: Positive | None = None
    programme: Plan | None = None
    rules: list[Code] | None = None
    advice: list[Code] | None = None
    safety_net: list[Code] | None = None
    guidance: ExpectedGuidance = None
    act_now: ExpectedTruth = None
    rules_include: list[Code] = Field(default=[], min_length=1)
    rules_exclude: list[Code] = Field(default=[], min_length=1)
    advice_include: list[Code] = Field(default=[], min_length=1)
    advice_exclude: list[Code] = Field(default=[], min_length=1)
    safety_net_include: list[Code] = Field(default=[], min_length=1)
    safety_net_exclude: list[Code] = Field(default=[], min_length=1)
    open_rules_include: list[Code] = Field(default=[], min_length=1)
    next_questions_first: list[Name] = Field(default=[], min_length=1)
    texts: dict[Code, Said] = {}


class CaseShape(Shape):
    title: Text = ""
    source: Text = ""
    url: Text = ""
    tags: list[Text] = []
    language: Language = ""
    answers: dict[Name, Answer] = {}
    none_of: Denied = ()
    unlisted: Unlisted = ""
    expect: ExpectShape


class CasesFile(Shape):
    """cases.yaml."""

    cases: dict[Code, CaseShape]


class WaiverShape(Shape):
    mutant: Text
    author: Text
    reason: Text
    expires: Day


class WaiversFile(Shape):
    """mutation_waivers.yaml."""

    waivers: list[WaiverShape]


File = TypeVar("File", bound=Shape)
Places = Mapping[document.Path, Span]


def check_shape(model: type[File], node: document.Node, places: Places, found: list[Problem]) -> File | None:
    """The file as `model`, or None; every problem goes to `found`. `places` is `document.places` of the node."""
    try:
        return model.model_validate(document.plain(node))
    except ValidationError as fault:
        for each in fault.errors(include_url=False, include_input=True):
            found.append(_translate(model, each, places))
        return None


# What the library calls the wrong kind of value, and what we call the right one.
_KINDS = {"model_type": "a mapping", "dict_type": "a mapping", "list_type": "a list"}


def _translate(model: type[Shape], fault: Any, places: Places) -> Problem:
    """One of the library's errors in the author's words, at the author's place."""
    loc, kind, value = fault["loc"], fault["type"], fault["input"]
    word = str(loc[-1]) if loc else ""
    span = _nearest(loc, places)
    if kind == "value_error" and isinstance(reason := fault["ctx"]["error"], values.Unreadable):
        if value == "" and isinstance(loc[-1], str):
            return error(reason.code, span, f"the value of `{word}` is missing", reason.help)
        # of a whole mapping that has an id, the id is the word to point at
        return error(reason.code, places.get((*loc, "id"), span), reason.message, reason.help)
    if kind == "missing":
        return error("missing-key", span, f"the key `{word}` is missing", f"add `{word}: ...`")
    if kind == "extra_forbidden":
        keys = _keys_at(model, loc[:-1])
        help = did_you_mean(word, keys) or f"the keys here are {', '.join(f'`{key}`' for key in keys)}"
        return error("unknown-key", _nearest((*loc, document.KEY), places), f"the key `{word}` is not known here", help)
    if kind == "too_short":
        return error("missing-value", span, f"`{word}` is empty", "give at least one")
    wanted = _KINDS.get(kind, "something else")
    if value == "":
        help = (
            f"write `{word}: []` for none"
            if kind == "list_type"
            else f"write `{word}: {{}}` when there is no more to say"
        )
        return error("missing-value", span, f"the value of `{word}` is missing", help)
    where = f"`{word}` is" if word else "the file is"
    return error("wrong-type", span, f"{where} {wanted}, not {values.kind_of(value)}")


def _nearest(loc: document.Path, places: Places) -> Span:
    """The place of a path or, where nothing is written, of the nearest thing around it."""
    while loc not in places and loc:
        loc = loc[:-1]
    return places[loc]


def _keys_at(model: type[Shape], loc: document.Path) -> list[str]:
    """The keys that the mapping at a path may have."""
    kind: Any = model
    for step in loc:
        if isinstance(kind, type) and issubclass(kind, Shape):
            field = next(each for name, each in kind.model_fields.items() if (each.alias or name) == step)
            kind = field.annotation
        else:  # a list or a dict: the last argument is what it holds
            kind = get_args(kind)[-1]
    return [each.alias or name for name, each in kind.model_fields.items()]
