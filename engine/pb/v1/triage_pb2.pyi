import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class YesNo(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    YES_NO_UNSPECIFIED: _ClassVar[YesNo]
    YES_NO_YES: _ClassVar[YesNo]
    YES_NO_NO: _ClassVar[YesNo]

class Respondent(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESPONDENT_UNSPECIFIED: _ClassVar[Respondent]
    RESPONDENT_PATIENT: _ClassVar[Respondent]
    RESPONDENT_PROXY: _ClassVar[Respondent]
    RESPONDENT_THERAPIST: _ClassVar[Respondent]

class ResponseView(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESPONSE_VIEW_UNSPECIFIED: _ClassVar[ResponseView]
    RESPONSE_VIEW_BASIC: _ClassVar[ResponseView]
    RESPONSE_VIEW_FULL: _ClassVar[ResponseView]

class Disposition(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DISPOSITION_UNSPECIFIED: _ClassVar[Disposition]
    DISPOSITION_SELF_CARE: _ClassVar[Disposition]
    DISPOSITION_PHYSIO: _ClassVar[Disposition]
    DISPOSITION_GP_WITHIN_DAYS: _ClassVar[Disposition]
    DISPOSITION_SAME_DAY_GP: _ClassVar[Disposition]
    DISPOSITION_EMERGENCY: _ClassVar[Disposition]

class Call(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CALL_UNSPECIFIED: _ClassVar[Call]
    CALL_NONE: _ClassVar[Call]
    CALL_CLINIC: _ClassVar[Call]
    CALL_GP_APPOINTMENT: _ClassVar[Call]
    CALL_GP_TODAY: _ClassVar[Call]
    CALL_GP_OR_HAP_NOW: _ClassVar[Call]
    CALL_OPERATING_HOSPITAL: _ClassVar[Call]
    CALL_MIDWIFE: _ClassVar[Call]
    CALL_112: _ClassVar[Call]

class Guidance(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GUIDANCE_UNSPECIFIED: _ClassVar[Guidance]
    GUIDANCE_OFFERED: _ClassVar[Guidance]
    GUIDANCE_RECOMMENDED: _ClassVar[Guidance]

class Programme(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROGRAMME_UNSPECIFIED: _ClassVar[Programme]
    PROGRAMME_NONE_YET: _ClassVar[Programme]
    PROGRAMME_MEDICAL_FITNESS: _ClassVar[Programme]
    PROGRAMME_PILATES: _ClassVar[Programme]
    PROGRAMME_EITHER: _ClassVar[Programme]

class EvidenceStrength(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVIDENCE_STRENGTH_UNSPECIFIED: _ClassVar[EvidenceStrength]
    EVIDENCE_STRENGTH_GUIDELINE: _ClassVar[EvidenceStrength]
    EVIDENCE_STRENGTH_STUDY: _ClassVar[EvidenceStrength]
    EVIDENCE_STRENGTH_CONSENSUS: _ClassVar[EvidenceStrength]
    EVIDENCE_STRENGTH_POLICY: _ClassVar[EvidenceStrength]

class FeedbackVerdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FEEDBACK_VERDICT_UNSPECIFIED: _ClassVar[FeedbackVerdict]
    FEEDBACK_VERDICT_ACCEPTED: _ClassVar[FeedbackVerdict]
    FEEDBACK_VERDICT_OVERRIDDEN: _ClassVar[FeedbackVerdict]

class ContentState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTENT_STATE_UNSPECIFIED: _ClassVar[ContentState]
    CONTENT_STATE_READABLE: _ClassVar[ContentState]
    CONTENT_STATE_ERASED: _ClassVar[ContentState]
    CONTENT_STATE_SEALED: _ClassVar[ContentState]

class RulesetStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RULESET_STATUS_UNSPECIFIED: _ClassVar[RulesetStatus]
    RULESET_STATUS_DRAFT: _ClassVar[RulesetStatus]
    RULESET_STATUS_APPROVED: _ClassVar[RulesetStatus]
    RULESET_STATUS_RETIRED: _ClassVar[RulesetStatus]

class QuestionType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUESTION_TYPE_UNSPECIFIED: _ClassVar[QuestionType]
    QUESTION_TYPE_YES_NO: _ClassVar[QuestionType]
    QUESTION_TYPE_INTEGER: _ClassVar[QuestionType]
    QUESTION_TYPE_DECIMAL: _ClassVar[QuestionType]
    QUESTION_TYPE_CHOICE: _ClassVar[QuestionType]
    QUESTION_TYPE_SEVERAL: _ClassVar[QuestionType]

class ComparisonOperator(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPARISON_OPERATOR_UNSPECIFIED: _ClassVar[ComparisonOperator]
    COMPARISON_OPERATOR_IN: _ClassVar[ComparisonOperator]
    COMPARISON_OPERATOR_AT_LEAST: _ClassVar[ComparisonOperator]
    COMPARISON_OPERATOR_AT_MOST: _ClassVar[ComparisonOperator]
    COMPARISON_OPERATOR_ABOVE: _ClassVar[ComparisonOperator]
    COMPARISON_OPERATOR_BELOW: _ClassVar[ComparisonOperator]
YES_NO_UNSPECIFIED: YesNo
YES_NO_YES: YesNo
YES_NO_NO: YesNo
RESPONDENT_UNSPECIFIED: Respondent
RESPONDENT_PATIENT: Respondent
RESPONDENT_PROXY: Respondent
RESPONDENT_THERAPIST: Respondent
RESPONSE_VIEW_UNSPECIFIED: ResponseView
RESPONSE_VIEW_BASIC: ResponseView
RESPONSE_VIEW_FULL: ResponseView
DISPOSITION_UNSPECIFIED: Disposition
DISPOSITION_SELF_CARE: Disposition
DISPOSITION_PHYSIO: Disposition
DISPOSITION_GP_WITHIN_DAYS: Disposition
DISPOSITION_SAME_DAY_GP: Disposition
DISPOSITION_EMERGENCY: Disposition
CALL_UNSPECIFIED: Call
CALL_NONE: Call
CALL_CLINIC: Call
CALL_GP_APPOINTMENT: Call
CALL_GP_TODAY: Call
CALL_GP_OR_HAP_NOW: Call
CALL_OPERATING_HOSPITAL: Call
CALL_MIDWIFE: Call
CALL_112: Call
GUIDANCE_UNSPECIFIED: Guidance
GUIDANCE_OFFERED: Guidance
GUIDANCE_RECOMMENDED: Guidance
PROGRAMME_UNSPECIFIED: Programme
PROGRAMME_NONE_YET: Programme
PROGRAMME_MEDICAL_FITNESS: Programme
PROGRAMME_PILATES: Programme
PROGRAMME_EITHER: Programme
EVIDENCE_STRENGTH_UNSPECIFIED: EvidenceStrength
EVIDENCE_STRENGTH_GUIDELINE: EvidenceStrength
EVIDENCE_STRENGTH_STUDY: EvidenceStrength
EVIDENCE_STRENGTH_CONSENSUS: EvidenceStrength
EVIDENCE_STRENGTH_POLICY: EvidenceStrength
FEEDBACK_VERDICT_UNSPECIFIED: FeedbackVerdict
FEEDBACK_VERDICT_ACCEPTED: FeedbackVerdict
FEEDBACK_VERDICT_OVERRIDDEN: FeedbackVerdict
CONTENT_STATE_UNSPECIFIED: ContentState
CONTENT_STATE_READABLE: ContentState
CONTENT_STATE_ERASED: ContentState
CONTENT_STATE_SEALED: ContentState
RULESET_STATUS_UNSPECIFIED: RulesetStatus
RULESET_STATUS_DRAFT: RulesetStatus
RULESET_STATUS_APPROVED: RulesetStatus
RULESET_STATUS_RETIRED: RulesetStatus
QUESTION_TYPE_UNSPECIFIED: QuestionType
QUESTION_TYPE_YES_NO: QuestionType
QUESTION_TYPE_INTEGER: QuestionType
QUESTION_TYPE_DECIMAL: QuestionType
QUESTION_TYPE_CHOICE: QuestionType
QUESTION_TYPE_SEVERAL: QuestionType
COMPARISON_OPERATOR_UNSPECIFIED: ComparisonOperator
COMPARISON_OPERATOR_IN: ComparisonOperator
COMPARISON_OPERATOR_AT_LEAST: ComparisonOperator
COMPARISON_OPERATOR_AT_MOST: ComparisonOperator
COMPARISON_OPERATOR_ABOVE: ComparisonOperator
COMPARISON_OPERATOR_BELOW: ComparisonOperator

class Unknown(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Options(_message.Message):
    __slots__ = ("options",)
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    options: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, options: _Optional[_Iterable[str]] = ...) -> None: ...

class Answer(_message.Message):
    __slots__ = ("yes_no", "integer", "decimal", "choice", "several", "unknown")
    YES_NO_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    DECIMAL_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    SEVERAL_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    yes_no: YesNo
    integer: int
    decimal: str
    choice: str
    several: Options
    unknown: Unknown
    def __init__(self, yes_no: _Optional[_Union[YesNo, str]] = ..., integer: _Optional[int] = ..., decimal: _Optional[str] = ..., choice: _Optional[str] = ..., several: _Optional[_Union[Options, _Mapping]] = ..., unknown: _Optional[_Union[Unknown, _Mapping]] = ...) -> None: ...

class RequestContext(_message.Message):
    __slots__ = ("request_id", "subject_reference", "respondent", "on_behalf_of")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    RESPONDENT_FIELD_NUMBER: _ClassVar[int]
    ON_BEHALF_OF_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    subject_reference: str
    respondent: Respondent
    on_behalf_of: str
    def __init__(self, request_id: _Optional[str] = ..., subject_reference: _Optional[str] = ..., respondent: _Optional[_Union[Respondent, str]] = ..., on_behalf_of: _Optional[str] = ...) -> None: ...

class EvaluateRequest(_message.Message):
    __slots__ = ("ruleset", "ruleset_version", "language", "answers", "none_of", "context", "view", "validate_only")
    class AnswersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Answer
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Answer, _Mapping]] = ...) -> None: ...
    RULESET_FIELD_NUMBER: _ClassVar[int]
    RULESET_VERSION_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    NONE_OF_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    ruleset: str
    ruleset_version: str
    language: str
    answers: _containers.MessageMap[str, Answer]
    none_of: _containers.RepeatedScalarFieldContainer[str]
    context: RequestContext
    view: ResponseView
    validate_only: bool
    def __init__(self, ruleset: _Optional[str] = ..., ruleset_version: _Optional[str] = ..., language: _Optional[str] = ..., answers: _Optional[_Mapping[str, Answer]] = ..., none_of: _Optional[_Iterable[str]] = ..., context: _Optional[_Union[RequestContext, _Mapping]] = ..., view: _Optional[_Union[ResponseView, str]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("id", "citation", "strength", "url")
    ID_FIELD_NUMBER: _ClassVar[int]
    CITATION_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    id: str
    citation: str
    strength: EvidenceStrength
    url: str
    def __init__(self, id: _Optional[str] = ..., citation: _Optional[str] = ..., strength: _Optional[_Union[EvidenceStrength, str]] = ..., url: _Optional[str] = ...) -> None: ...

class AnswerReason(_message.Message):
    __slots__ = ("question", "value", "question_text", "value_text")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    QUESTION_TEXT_FIELD_NUMBER: _ClassVar[int]
    VALUE_TEXT_FIELD_NUMBER: _ClassVar[int]
    question: str
    value: str
    question_text: str
    value_text: str
    def __init__(self, question: _Optional[str] = ..., value: _Optional[str] = ..., question_text: _Optional[str] = ..., value_text: _Optional[str] = ...) -> None: ...

class RuleReason(_message.Message):
    __slots__ = ("id", "disposition", "because", "text", "clinician_text", "call", "within_hours", "answers", "evidence", "source")
    ID_FIELD_NUMBER: _ClassVar[int]
    DISPOSITION_FIELD_NUMBER: _ClassVar[int]
    BECAUSE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CLINICIAN_TEXT_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    WITHIN_HOURS_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    id: str
    disposition: Disposition
    because: str
    text: str
    clinician_text: str
    call: Call
    within_hours: int
    answers: _containers.RepeatedCompositeFieldContainer[AnswerReason]
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    source: str
    def __init__(self, id: _Optional[str] = ..., disposition: _Optional[_Union[Disposition, str]] = ..., because: _Optional[str] = ..., text: _Optional[str] = ..., clinician_text: _Optional[str] = ..., call: _Optional[_Union[Call, str]] = ..., within_hours: _Optional[int] = ..., answers: _Optional[_Iterable[_Union[AnswerReason, _Mapping]]] = ..., evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ..., source: _Optional[str] = ...) -> None: ...

class RuleObstacle(_message.Message):
    __slots__ = ("id", "because", "clinician_text", "answers", "open")
    ID_FIELD_NUMBER: _ClassVar[int]
    BECAUSE_FIELD_NUMBER: _ClassVar[int]
    CLINICIAN_TEXT_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    id: str
    because: str
    clinician_text: str
    answers: _containers.RepeatedCompositeFieldContainer[AnswerReason]
    open: bool
    def __init__(self, id: _Optional[str] = ..., because: _Optional[str] = ..., clinician_text: _Optional[str] = ..., answers: _Optional[_Iterable[_Union[AnswerReason, _Mapping]]] = ..., open: _Optional[bool] = ...) -> None: ...

class WhyNot(_message.Message):
    __slots__ = ("disposition", "rules")
    DISPOSITION_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    disposition: Disposition
    rules: _containers.RepeatedCompositeFieldContainer[RuleObstacle]
    def __init__(self, disposition: _Optional[_Union[Disposition, str]] = ..., rules: _Optional[_Iterable[_Union[RuleObstacle, _Mapping]]] = ...) -> None: ...

class Advice(_message.Message):
    __slots__ = ("id", "text", "clinician_text")
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CLINICIAN_TEXT_FIELD_NUMBER: _ClassVar[int]
    id: str
    text: str
    clinician_text: str
    def __init__(self, id: _Optional[str] = ..., text: _Optional[str] = ..., clinician_text: _Optional[str] = ...) -> None: ...

class SafetyNet(_message.Message):
    __slots__ = ("id", "text", "clinician_text")
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CLINICIAN_TEXT_FIELD_NUMBER: _ClassVar[int]
    id: str
    text: str
    clinician_text: str
    def __init__(self, id: _Optional[str] = ..., text: _Optional[str] = ..., clinician_text: _Optional[str] = ...) -> None: ...

class Wording(_message.Message):
    __slots__ = ("title", "text", "clinician_text")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CLINICIAN_TEXT_FIELD_NUMBER: _ClassVar[int]
    title: str
    text: str
    clinician_text: str
    def __init__(self, title: _Optional[str] = ..., text: _Optional[str] = ..., clinician_text: _Optional[str] = ...) -> None: ...

class ProgrammeChoice(_message.Message):
    __slots__ = ("choice", "row", "because", "text", "clinician_text", "title", "open", "open_questions")
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    BECAUSE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CLINICIAN_TEXT_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    OPEN_QUESTIONS_FIELD_NUMBER: _ClassVar[int]
    choice: Programme
    row: str
    because: str
    text: str
    clinician_text: str
    title: str
    open: bool
    open_questions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, choice: _Optional[_Union[Programme, str]] = ..., row: _Optional[str] = ..., because: _Optional[str] = ..., text: _Optional[str] = ..., clinician_text: _Optional[str] = ..., title: _Optional[str] = ..., open: _Optional[bool] = ..., open_questions: _Optional[_Iterable[str]] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("disposition", "disposition_text", "call", "call_text", "calls", "within_hours", "guidance", "guidance_text", "valid_days", "recheck_days", "rules", "advice", "safety_net", "programme", "why_not")
    DISPOSITION_FIELD_NUMBER: _ClassVar[int]
    DISPOSITION_TEXT_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    CALL_TEXT_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    WITHIN_HOURS_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_TEXT_FIELD_NUMBER: _ClassVar[int]
    VALID_DAYS_FIELD_NUMBER: _ClassVar[int]
    RECHECK_DAYS_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    ADVICE_FIELD_NUMBER: _ClassVar[int]
    SAFETY_NET_FIELD_NUMBER: _ClassVar[int]
    PROGRAMME_FIELD_NUMBER: _ClassVar[int]
    WHY_NOT_FIELD_NUMBER: _ClassVar[int]
    disposition: Disposition
    disposition_text: Wording
    call: Call
    call_text: str
    calls: _containers.RepeatedScalarFieldContainer[Call]
    within_hours: int
    guidance: Guidance
    guidance_text: str
    valid_days: int
    recheck_days: int
    rules: _containers.RepeatedCompositeFieldContainer[RuleReason]
    advice: _containers.RepeatedCompositeFieldContainer[Advice]
    safety_net: _containers.RepeatedCompositeFieldContainer[SafetyNet]
    programme: ProgrammeChoice
    why_not: WhyNot
    def __init__(self, disposition: _Optional[_Union[Disposition, str]] = ..., disposition_text: _Optional[_Union[Wording, _Mapping]] = ..., call: _Optional[_Union[Call, str]] = ..., call_text: _Optional[str] = ..., calls: _Optional[_Iterable[_Union[Call, str]]] = ..., within_hours: _Optional[int] = ..., guidance: _Optional[_Union[Guidance, str]] = ..., guidance_text: _Optional[str] = ..., valid_days: _Optional[int] = ..., recheck_days: _Optional[int] = ..., rules: _Optional[_Iterable[_Union[RuleReason, _Mapping]]] = ..., advice: _Optional[_Iterable[_Union[Advice, _Mapping]]] = ..., safety_net: _Optional[_Iterable[_Union[SafetyNet, _Mapping]]] = ..., programme: _Optional[_Union[ProgrammeChoice, _Mapping]] = ..., why_not: _Optional[_Union[WhyNot, _Mapping]] = ...) -> None: ...

class Question(_message.Message):
    __slots__ = ("id", "type", "text", "help", "group", "unit", "minimum", "maximum", "options", "asked_when", "core", "unit_text")
    ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    HELP_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    ASKED_WHEN_FIELD_NUMBER: _ClassVar[int]
    CORE_FIELD_NUMBER: _ClassVar[int]
    UNIT_TEXT_FIELD_NUMBER: _ClassVar[int]
    id: str
    type: QuestionType
    text: str
    help: str
    group: str
    unit: str
    minimum: str
    maximum: str
    options: _containers.RepeatedCompositeFieldContainer[Option]
    asked_when: Condition
    core: bool
    unit_text: str
    def __init__(self, id: _Optional[str] = ..., type: _Optional[_Union[QuestionType, str]] = ..., text: _Optional[str] = ..., help: _Optional[str] = ..., group: _Optional[str] = ..., unit: _Optional[str] = ..., minimum: _Optional[str] = ..., maximum: _Optional[str] = ..., options: _Optional[_Iterable[_Union[Option, _Mapping]]] = ..., asked_when: _Optional[_Union[Condition, _Mapping]] = ..., core: _Optional[bool] = ..., unit_text: _Optional[str] = ...) -> None: ...

class NextQuestion(_message.Message):
    __slots__ = ("id", "disposition", "question")
    ID_FIELD_NUMBER: _ClassVar[int]
    DISPOSITION_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    id: str
    disposition: Disposition
    question: Question
    def __init__(self, id: _Optional[str] = ..., disposition: _Optional[_Union[Disposition, str]] = ..., question: _Optional[_Union[Question, _Mapping]] = ...) -> None: ...

class NeedsAnswers(_message.Message):
    __slots__ = ("floor", "ceiling", "act_now", "next_questions", "floor_text", "call", "call_text", "calls", "within_hours", "guidance", "guidance_text", "valid_days", "recheck_days", "rules", "advice", "safety_net", "programme", "open_rules")
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    CEILING_FIELD_NUMBER: _ClassVar[int]
    ACT_NOW_FIELD_NUMBER: _ClassVar[int]
    NEXT_QUESTIONS_FIELD_NUMBER: _ClassVar[int]
    FLOOR_TEXT_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    CALL_TEXT_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    WITHIN_HOURS_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_TEXT_FIELD_NUMBER: _ClassVar[int]
    VALID_DAYS_FIELD_NUMBER: _ClassVar[int]
    RECHECK_DAYS_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    ADVICE_FIELD_NUMBER: _ClassVar[int]
    SAFETY_NET_FIELD_NUMBER: _ClassVar[int]
    PROGRAMME_FIELD_NUMBER: _ClassVar[int]
    OPEN_RULES_FIELD_NUMBER: _ClassVar[int]
    floor: Disposition
    ceiling: Disposition
    act_now: bool
    next_questions: _containers.RepeatedCompositeFieldContainer[NextQuestion]
    floor_text: Wording
    call: Call
    call_text: str
    calls: _containers.RepeatedScalarFieldContainer[Call]
    within_hours: int
    guidance: Guidance
    guidance_text: str
    valid_days: int
    recheck_days: int
    rules: _containers.RepeatedCompositeFieldContainer[RuleReason]
    advice: _containers.RepeatedCompositeFieldContainer[Advice]
    safety_net: _containers.RepeatedCompositeFieldContainer[SafetyNet]
    programme: ProgrammeChoice
    open_rules: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, floor: _Optional[_Union[Disposition, str]] = ..., ceiling: _Optional[_Union[Disposition, str]] = ..., act_now: _Optional[bool] = ..., next_questions: _Optional[_Iterable[_Union[NextQuestion, _Mapping]]] = ..., floor_text: _Optional[_Union[Wording, _Mapping]] = ..., call: _Optional[_Union[Call, str]] = ..., call_text: _Optional[str] = ..., calls: _Optional[_Iterable[_Union[Call, str]]] = ..., within_hours: _Optional[int] = ..., guidance: _Optional[_Union[Guidance, str]] = ..., guidance_text: _Optional[str] = ..., valid_days: _Optional[int] = ..., recheck_days: _Optional[int] = ..., rules: _Optional[_Iterable[_Union[RuleReason, _Mapping]]] = ..., advice: _Optional[_Iterable[_Union[Advice, _Mapping]]] = ..., safety_net: _Optional[_Iterable[_Union[SafetyNet, _Mapping]]] = ..., programme: _Optional[_Union[ProgrammeChoice, _Mapping]] = ..., open_rules: _Optional[_Iterable[str]] = ...) -> None: ...

class RulesetReference(_message.Message):
    __slots__ = ("id", "version", "digest")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    id: str
    version: str
    digest: str
    def __init__(self, id: _Optional[str] = ..., version: _Optional[str] = ..., digest: _Optional[str] = ...) -> None: ...

class Violation(_message.Message):
    __slots__ = ("field", "code", "description", "text")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    field: str
    code: str
    description: str
    text: str
    def __init__(self, field: _Optional[str] = ..., code: _Optional[str] = ..., description: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Validation(_message.Message):
    __slots__ = ("violations",)
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    violations: _containers.RepeatedCompositeFieldContainer[Violation]
    def __init__(self, violations: _Optional[_Iterable[_Union[Violation, _Mapping]]] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("writer", "sequence", "entry_hash")
    WRITER_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ENTRY_HASH_FIELD_NUMBER: _ClassVar[int]
    writer: str
    sequence: int
    entry_hash: str
    def __init__(self, writer: _Optional[str] = ..., sequence: _Optional[int] = ..., entry_hash: _Optional[str] = ...) -> None: ...

class EvaluateResponse(_message.Message):
    __slots__ = ("decision_id", "request_id", "decide_time", "ruleset", "language", "decision_digest", "decision", "needs_answers", "validation", "receipt")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    RULESET_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    DECISION_DIGEST_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    NEEDS_ANSWERS_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    request_id: str
    decide_time: _timestamp_pb2.Timestamp
    ruleset: RulesetReference
    language: str
    decision_digest: str
    decision: Decision
    needs_answers: NeedsAnswers
    validation: Validation
    receipt: Receipt
    def __init__(self, decision_id: _Optional[str] = ..., request_id: _Optional[str] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ruleset: _Optional[_Union[RulesetReference, _Mapping]] = ..., language: _Optional[str] = ..., decision_digest: _Optional[str] = ..., decision: _Optional[_Union[Decision, _Mapping]] = ..., needs_answers: _Optional[_Union[NeedsAnswers, _Mapping]] = ..., validation: _Optional[_Union[Validation, _Mapping]] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ...) -> None: ...

class EvaluateBatchRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[EvaluateRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[EvaluateRequest, _Mapping]]] = ...) -> None: ...

class EvaluateResult(_message.Message):
    __slots__ = ("response", "status")
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    response: EvaluateResponse
    status: _status_pb2.Status
    def __init__(self, response: _Optional[_Union[EvaluateResponse, _Mapping]] = ..., status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class EvaluateBatchResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[EvaluateResult]
    def __init__(self, results: _Optional[_Iterable[_Union[EvaluateResult, _Mapping]]] = ...) -> None: ...

class EvaluateStreamRequest(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: EvaluateRequest
    def __init__(self, request: _Optional[_Union[EvaluateRequest, _Mapping]] = ...) -> None: ...

class EvaluateStreamResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: EvaluateResult
    def __init__(self, result: _Optional[_Union[EvaluateResult, _Mapping]] = ...) -> None: ...

class DecisionRecord(_message.Message):
    __slots__ = ("decision_id", "request_id", "decide_time", "ruleset", "language", "decision_digest", "caller", "on_behalf_of", "respondent", "engine_version", "receipt")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    RULESET_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    DECISION_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    ON_BEHALF_OF_FIELD_NUMBER: _ClassVar[int]
    RESPONDENT_FIELD_NUMBER: _ClassVar[int]
    ENGINE_VERSION_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    request_id: str
    decide_time: _timestamp_pb2.Timestamp
    ruleset: RulesetReference
    language: str
    decision_digest: str
    caller: str
    on_behalf_of: str
    respondent: Respondent
    engine_version: str
    receipt: Receipt
    def __init__(self, decision_id: _Optional[str] = ..., request_id: _Optional[str] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ruleset: _Optional[_Union[RulesetReference, _Mapping]] = ..., language: _Optional[str] = ..., decision_digest: _Optional[str] = ..., caller: _Optional[str] = ..., on_behalf_of: _Optional[str] = ..., respondent: _Optional[_Union[Respondent, str]] = ..., engine_version: _Optional[str] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ...) -> None: ...

class Feedback(_message.Message):
    __slots__ = ("record_time", "verdict", "reason_code", "remark", "given_by", "receipt")
    RECORD_TIME_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    REMARK_FIELD_NUMBER: _ClassVar[int]
    GIVEN_BY_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    record_time: _timestamp_pb2.Timestamp
    verdict: FeedbackVerdict
    reason_code: str
    remark: str
    given_by: str
    receipt: Receipt
    def __init__(self, record_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., verdict: _Optional[_Union[FeedbackVerdict, str]] = ..., reason_code: _Optional[str] = ..., remark: _Optional[str] = ..., given_by: _Optional[str] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ...) -> None: ...

class GetDecisionRequest(_message.Message):
    __slots__ = ("decision_id",)
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    def __init__(self, decision_id: _Optional[str] = ...) -> None: ...

class GetDecisionResponse(_message.Message):
    __slots__ = ("record", "content", "answers", "outcome_json", "subject_reference", "feedback")
    class AnswersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Answer
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Answer, _Mapping]] = ...) -> None: ...
    RECORD_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_JSON_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    record: DecisionRecord
    content: ContentState
    answers: _containers.MessageMap[str, Answer]
    outcome_json: str
    subject_reference: str
    feedback: _containers.RepeatedCompositeFieldContainer[Feedback]
    def __init__(self, record: _Optional[_Union[DecisionRecord, _Mapping]] = ..., content: _Optional[_Union[ContentState, str]] = ..., answers: _Optional[_Mapping[str, Answer]] = ..., outcome_json: _Optional[str] = ..., subject_reference: _Optional[str] = ..., feedback: _Optional[_Iterable[_Union[Feedback, _Mapping]]] = ...) -> None: ...

class ListDecisionsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "start_time", "end_time", "ruleset", "ruleset_version", "request_id", "subject_reference", "caller")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    RULESET_FIELD_NUMBER: _ClassVar[int]
    RULESET_VERSION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    ruleset: str
    ruleset_version: str
    request_id: str
    subject_reference: str
    caller: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ruleset: _Optional[str] = ..., ruleset_version: _Optional[str] = ..., request_id: _Optional[str] = ..., subject_reference: _Optional[str] = ..., caller: _Optional[str] = ...) -> None: ...

class ListDecisionsResponse(_message.Message):
    __slots__ = ("decisions", "next_page_token")
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[DecisionRecord]
    next_page_token: str
    def __init__(self, decisions: _Optional[_Iterable[_Union[DecisionRecord, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RecordFeedbackRequest(_message.Message):
    __slots__ = ("decision_id", "verdict", "reason_code", "remark", "given_by")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    REMARK_FIELD_NUMBER: _ClassVar[int]
    GIVEN_BY_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    verdict: FeedbackVerdict
    reason_code: str
    remark: str
    given_by: str
    def __init__(self, decision_id: _Optional[str] = ..., verdict: _Optional[_Union[FeedbackVerdict, str]] = ..., reason_code: _Optional[str] = ..., remark: _Optional[str] = ..., given_by: _Optional[str] = ...) -> None: ...

class RecordFeedbackResponse(_message.Message):
    __slots__ = ("feedback",)
    FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    feedback: Feedback
    def __init__(self, feedback: _Optional[_Union[Feedback, _Mapping]] = ...) -> None: ...

class RulesetSummary(_message.Message):
    __slots__ = ("ruleset", "title", "status", "languages", "effective_from", "effective_until", "is_default")
    RULESET_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    IS_DEFAULT_FIELD_NUMBER: _ClassVar[int]
    ruleset: RulesetReference
    title: str
    status: RulesetStatus
    languages: _containers.RepeatedScalarFieldContainer[str]
    effective_from: str
    effective_until: str
    is_default: bool
    def __init__(self, ruleset: _Optional[_Union[RulesetReference, _Mapping]] = ..., title: _Optional[str] = ..., status: _Optional[_Union[RulesetStatus, str]] = ..., languages: _Optional[_Iterable[str]] = ..., effective_from: _Optional[str] = ..., effective_until: _Optional[str] = ..., is_default: _Optional[bool] = ...) -> None: ...

class ListRulesetsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "language")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    language: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., language: _Optional[str] = ...) -> None: ...

class ListRulesetsResponse(_message.Message):
    __slots__ = ("rulesets", "next_page_token")
    RULESETS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    rulesets: _containers.RepeatedCompositeFieldContainer[RulesetSummary]
    next_page_token: str
    def __init__(self, rulesets: _Optional[_Iterable[_Union[RulesetSummary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetRulesetRequest(_message.Message):
    __slots__ = ("ruleset", "ruleset_version", "language")
    RULESET_FIELD_NUMBER: _ClassVar[int]
    RULESET_VERSION_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    ruleset: str
    ruleset_version: str
    language: str
    def __init__(self, ruleset: _Optional[str] = ..., ruleset_version: _Optional[str] = ..., language: _Optional[str] = ...) -> None: ...

class RuleDescription(_message.Message):
    __slots__ = ("id", "disposition", "call", "within_hours", "because", "text", "clinician_text", "when", "evidence", "source")
    ID_FIELD_NUMBER: _ClassVar[int]
    DISPOSITION_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    WITHIN_HOURS_FIELD_NUMBER: _ClassVar[int]
    BECAUSE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CLINICIAN_TEXT_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    id: str
    disposition: Disposition
    call: Call
    within_hours: int
    because: str
    text: str
    clinician_text: str
    when: Condition
    evidence: _containers.RepeatedScalarFieldContainer[str]
    source: str
    def __init__(self, id: _Optional[str] = ..., disposition: _Optional[_Union[Disposition, str]] = ..., call: _Optional[_Union[Call, str]] = ..., within_hours: _Optional[int] = ..., because: _Optional[str] = ..., text: _Optional[str] = ..., clinician_text: _Optional[str] = ..., when: _Optional[_Union[Condition, _Mapping]] = ..., evidence: _Optional[_Iterable[str]] = ..., source: _Optional[str] = ...) -> None: ...

class ParameterDescription(_message.Message):
    __slots__ = ("id", "value", "unit")
    ID_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    id: str
    value: str
    unit: str
    def __init__(self, id: _Optional[str] = ..., value: _Optional[str] = ..., unit: _Optional[str] = ...) -> None: ...

class GetRulesetResponse(_message.Message):
    __slots__ = ("summary", "language", "description", "intended_use", "disclaimer", "authors", "parameters", "rules", "evidence")
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    INTENDED_USE_FIELD_NUMBER: _ClassVar[int]
    DISCLAIMER_FIELD_NUMBER: _ClassVar[int]
    AUTHORS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    summary: RulesetSummary
    language: str
    description: str
    intended_use: str
    disclaimer: str
    authors: _containers.RepeatedScalarFieldContainer[str]
    parameters: _containers.RepeatedCompositeFieldContainer[ParameterDescription]
    rules: _containers.RepeatedCompositeFieldContainer[RuleDescription]
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    def __init__(self, summary: _Optional[_Union[RulesetSummary, _Mapping]] = ..., language: _Optional[str] = ..., description: _Optional[str] = ..., intended_use: _Optional[str] = ..., disclaimer: _Optional[str] = ..., authors: _Optional[_Iterable[str]] = ..., parameters: _Optional[_Iterable[_Union[ParameterDescription, _Mapping]]] = ..., rules: _Optional[_Iterable[_Union[RuleDescription, _Mapping]]] = ..., evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ...) -> None: ...

class Option(_message.Message):
    __slots__ = ("id", "text")
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    id: str
    text: str
    def __init__(self, id: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class QuestionGroup(_message.Message):
    __slots__ = ("id", "title", "none_of_text", "asked_when")
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    NONE_OF_TEXT_FIELD_NUMBER: _ClassVar[int]
    ASKED_WHEN_FIELD_NUMBER: _ClassVar[int]
    id: str
    title: str
    none_of_text: str
    asked_when: Condition
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., none_of_text: _Optional[str] = ..., asked_when: _Optional[_Union[Condition, _Mapping]] = ...) -> None: ...

class Comparison(_message.Message):
    __slots__ = ("question", "operator", "values")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    question: str
    operator: ComparisonOperator
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, question: _Optional[str] = ..., operator: _Optional[_Union[ComparisonOperator, str]] = ..., values: _Optional[_Iterable[str]] = ...) -> None: ...

class ConditionList(_message.Message):
    __slots__ = ("conditions",)
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    conditions: _containers.RepeatedCompositeFieldContainer[Condition]
    def __init__(self, conditions: _Optional[_Iterable[_Union[Condition, _Mapping]]] = ...) -> None: ...

class CountCondition(_message.Message):
    __slots__ = ("at_least", "conditions")
    AT_LEAST_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    at_least: int
    conditions: _containers.RepeatedCompositeFieldContainer[Condition]
    def __init__(self, at_least: _Optional[int] = ..., conditions: _Optional[_Iterable[_Union[Condition, _Mapping]]] = ...) -> None: ...

class Condition(_message.Message):
    __slots__ = ("comparison", "unknown", "answered", "all", "any", "unless", "surely", "count")
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    ANY_FIELD_NUMBER: _ClassVar[int]
    NOT_FIELD_NUMBER: _ClassVar[int]
    UNLESS_FIELD_NUMBER: _ClassVar[int]
    SURELY_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    comparison: Comparison
    unknown: str
    answered: str
    all: ConditionList
    any: ConditionList
    unless: Condition
    surely: Condition
    count: CountCondition
    def __init__(self, comparison: _Optional[_Union[Comparison, _Mapping]] = ..., unknown: _Optional[str] = ..., answered: _Optional[str] = ..., all: _Optional[_Union[ConditionList, _Mapping]] = ..., any: _Optional[_Union[ConditionList, _Mapping]] = ..., unless: _Optional[_Union[Condition, _Mapping]] = ..., surely: _Optional[_Union[Condition, _Mapping]] = ..., count: _Optional[_Union[CountCondition, _Mapping]] = ..., **kwargs) -> None: ...

class GetQuestionnaireRequest(_message.Message):
    __slots__ = ("ruleset", "ruleset_version", "language")
    RULESET_FIELD_NUMBER: _ClassVar[int]
    RULESET_VERSION_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    ruleset: str
    ruleset_version: str
    language: str
    def __init__(self, ruleset: _Optional[str] = ..., ruleset_version: _Optional[str] = ..., language: _Optional[str] = ...) -> None: ...

class GetQuestionnaireResponse(_message.Message):
    __slots__ = ("ruleset", "language", "title", "groups", "questions", "yes_text", "no_text", "unknown_text")
    RULESET_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    QUESTIONS_FIELD_NUMBER: _ClassVar[int]
    YES_TEXT_FIELD_NUMBER: _ClassVar[int]
    NO_TEXT_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_TEXT_FIELD_NUMBER: _ClassVar[int]
    ruleset: RulesetReference
    language: str
    title: str
    groups: _containers.RepeatedCompositeFieldContainer[QuestionGroup]
    questions: _containers.RepeatedCompositeFieldContainer[Question]
    yes_text: str
    no_text: str
    unknown_text: str
    def __init__(self, ruleset: _Optional[_Union[RulesetReference, _Mapping]] = ..., language: _Optional[str] = ..., title: _Optional[str] = ..., groups: _Optional[_Iterable[_Union[QuestionGroup, _Mapping]]] = ..., questions: _Optional[_Iterable[_Union[Question, _Mapping]]] = ..., yes_text: _Optional[str] = ..., no_text: _Optional[str] = ..., unknown_text: _Optional[str] = ...) -> None: ...

class Release(_message.Message):
    __slots__ = ("id", "create_time", "rulesets")
    ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    RULESETS_FIELD_NUMBER: _ClassVar[int]
    id: str
    create_time: _timestamp_pb2.Timestamp
    rulesets: _containers.RepeatedCompositeFieldContainer[RulesetReference]
    def __init__(self, id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rulesets: _Optional[_Iterable[_Union[RulesetReference, _Mapping]]] = ...) -> None: ...

class RulesetProblem(_message.Message):
    __slots__ = ("source", "message")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    source: str
    message: str
    def __init__(self, source: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Worker(_message.Message):
    __slots__ = ("number", "release_id", "start_time", "restarts")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    number: int
    release_id: str
    start_time: _timestamp_pb2.Timestamp
    restarts: int
    def __init__(self, number: _Optional[int] = ..., release_id: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., restarts: _Optional[int] = ...) -> None: ...

class GetServerStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerStatusResponse(_message.Message):
    __slots__ = ("engine_version", "release", "earlier_release_ids", "problems", "workers")
    ENGINE_VERSION_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    EARLIER_RELEASE_IDS_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    engine_version: str
    release: Release
    earlier_release_ids: _containers.RepeatedScalarFieldContainer[str]
    problems: _containers.RepeatedCompositeFieldContainer[RulesetProblem]
    workers: _containers.RepeatedCompositeFieldContainer[Worker]
    def __init__(self, engine_version: _Optional[str] = ..., release: _Optional[_Union[Release, _Mapping]] = ..., earlier_release_ids: _Optional[_Iterable[str]] = ..., problems: _Optional[_Iterable[_Union[RulesetProblem, _Mapping]]] = ..., workers: _Optional[_Iterable[_Union[Worker, _Mapping]]] = ...) -> None: ...

class ReloadRulesetsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReloadRulesetsResponse(_message.Message):
    __slots__ = ("release", "problems")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    release: Release
    problems: _containers.RepeatedCompositeFieldContainer[RulesetProblem]
    def __init__(self, release: _Optional[_Union[Release, _Mapping]] = ..., problems: _Optional[_Iterable[_Union[RulesetProblem, _Mapping]]] = ...) -> None: ...

class RollbackRulesetsRequest(_message.Message):
    __slots__ = ("release_id",)
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    def __init__(self, release_id: _Optional[str] = ...) -> None: ...

class RollbackRulesetsResponse(_message.Message):
    __slots__ = ("release",)
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    release: Release
    def __init__(self, release: _Optional[_Union[Release, _Mapping]] = ...) -> None: ...
