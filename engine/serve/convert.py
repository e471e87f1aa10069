"""Requests become answers, or all their violations at once; and words of the scales become enum numbers.

An answer without a kind, a yes_no without a value and a number that is none are violations: nothing here turns silence
into an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal

from engine.decide.answers import UNKNOWN, Answers, Given, field, given, plain_number, shown
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError, Violation
from engine.pb.v1 import triage_pb2 as pb
from engine.record.entry import Receipt
from engine.record.subject import subject_fault
from engine.rules.approval import Status
from engine.rules.condition import Operator
from engine.rules.model import NO, YES, QuestionType
from engine.rules.scale import Call, Disposition, Guidance, Programme, Strength
from engine.serve.config import Config

MAX_REQUEST_ID = 128
MAX_NAME = 128
INTEGER_BITS = 64

DISPOSITIONS: Mapping[Disposition, pb.Disposition] = {
    each: getattr(pb, f"DISPOSITION_{each.word.upper()}") for each in Disposition
}
CALLS: Mapping[Call, pb.Call] = {each: getattr(pb, f"CALL_{each.word.upper()}") for each in Call}
GUIDANCE: Mapping[Guidance, pb.Guidance] = {each: getattr(pb, f"GUIDANCE_{each.word.upper()}") for each in Guidance}
PROGRAMMES: Mapping[Programme, pb.Programme] = {
    each: getattr(pb, f"PROGRAMME_{each.word.upper()}") for each in Programme
}
STRENGTHS: Mapping[Strength, pb.EvidenceStrength] = {
    each: getattr(pb, f"EVIDENCE_STRENGTH_{each.word.upper()}") for each in Strength
}
QUESTION_TYPES: Mapping[QuestionType, pb.QuestionType] = {
    each: getattr(pb, f"QUESTION_TYPE_{each.value.upper()}") for each in QuestionType
}
OPERATORS: Mapping[Operator, pb.ComparisonOperator] = {
    each: getattr(pb, f"COMPARISON_OPERATOR_{each.value.upper()}") for each in Operator
}
STATUSES: Mapping[Status, pb.RulesetStatus] = {
    each: getattr(pb, f"RULESET_STATUS_{each.value.upper()}") for each in Status
}
RESPONDENTS: Mapping[pb.Respondent, str] = {
    pb.RESPONDENT_UNSPECIFIED: "",
    pb.RESPONDENT_PATIENT: "patient",
    pb.RESPONDENT_PROXY: "proxy",
    pb.RESPONDENT_THERAPIST: "therapist",
}
VIEWS = frozenset(pb.ResponseView.values())

_YES = Given(QuestionType.YES_NO, YES)
_NO = Given(QuestionType.YES_NO, NO)


def acceptable_request_id(request_id: str) -> bool:
    """Whether a caller's request id may be repeated in responses, headers and logs: printable ASCII, not too long."""
    return 0 < len(request_id) <= MAX_REQUEST_ID and request_id.isascii() and request_id.isprintable()


NAME = f"a name of who asks is printable and has at most {MAX_NAME} characters"


def acceptable_name(name: str) -> bool:
    """Whether a text may stand in the log as somebody who asked or judged; empty is nobody in particular."""
    return len(name) <= MAX_NAME and name.isprintable()


def read_answers(evaluator: Evaluator, request: pb.EvaluateRequest, limits: Config, language: str = "") -> Answers:
    """The typed answers of a request. Raises AnswersError with every violation of the request, contradictions too."""
    violations = [*out_of_bounds(request, limits)]
    too_much = any(each.code in ("too-large", "too-many") for each in violations)
    if too_much:  # what is out of all proportion is not read at all
        raise AnswersError(violations)
    answers: dict[str, Given] = {}
    for name, answer in request.answers.items():
        read = given_of(name, answer)
        if isinstance(read, Violation):
            violations.append(read)
            # Stands in for what could not be read, so that an unknown question is told as well; nothing is decided.
            read = UNKNOWN
        answers[name] = read
    try:
        typed = evaluator.read(answers, request.none_of, language)
    except AnswersError as error:
        violations.extend(error.violations)
        violations.extend(_contradictions(evaluator, answers, request.none_of, error.violations, language))
        raise AnswersError(violations) from None
    if violations:
        raise AnswersError(violations)
    return typed


def _contradictions(
    evaluator: Evaluator,
    answers: Mapping[str, Given],
    none_of: Iterable[str],
    found: tuple[Violation, ...],
    language: str,
) -> tuple[Violation, ...]:
    """The contradictions among the answers that are right, where others are wrong: the caller gets both at once."""
    ruleset = evaluator.checked.ruleset
    wrong = {each.field for each in found}
    # A wrong answer counts as unknown, not as missing: a denied group must not answer it instead.
    right = {
        name: UNKNOWN if field(name) in wrong else answer
        for name, answer in answers.items()
        if name in ruleset.questions
    }
    try:
        evaluator.read(right, [name for name in none_of if name in ruleset.groups or name == "*"], language)
    except AnswersError as error:
        return error.violations
    return ()


def out_of_bounds(request: pb.EvaluateRequest, limits: Config) -> Iterator[Violation]:
    """What is wrong with a request beside its answers, and where there is too much of it."""
    if request.ByteSize() > limits.max_request_size:
        yield Violation("answers", "too-large", f"a request has at most {limits.max_request_size} bytes")
    for name, number in (("answers", len(request.answers)), ("none_of", len(request.none_of))):
        if number > limits.max_answers:
            yield Violation(name, "too-many", f"`{name}` has {number} entries, at most {limits.max_answers} are taken")
    if request.view not in VIEWS:
        yield Violation("view", "unknown-value", f"no view has the number {request.view}")
    if not request.HasField("context"):
        return
    context = request.context
    if context.request_id and not acceptable_request_id(context.request_id):
        message = f"a request id is printable ASCII of at most {MAX_REQUEST_ID} characters"
        yield Violation("context.request_id", "bad-request-id", message)
    if context.subject_reference and (fault := subject_fault(context.subject_reference)):
        message = f"{fault}: use a UUID, or a random token of 16 to 64 characters of base64url"
        yield Violation("context.subject_reference", "bad-subject", message)
    if not acceptable_name(context.on_behalf_of):
        yield Violation("context.on_behalf_of", "bad-name", NAME)
    if context.respondent not in RESPONDENTS:
        yield Violation("context.respondent", "unknown-value", f"no respondent has the number {context.respondent}")


def given_of(name: str, answer: pb.Answer) -> Given | Violation:
    """What an answer says, not yet held against its question."""
    return _READERS[answer.WhichOneof("kind")](name, answer)


def _yes_no(name: str, answer: pb.Answer) -> Given | Violation:
    value = answer.yes_no
    if value == pb.YES_NO_NO:
        return _NO
    if value == pb.YES_NO_YES:
        return _YES
    if value == pb.YES_NO_UNSPECIFIED:
        message = f"`{shown(name)}` is neither yes nor no: say YES_NO_YES, YES_NO_NO or unknown, or leave it out"
        return Violation(field(name), "missing-kind", message)
    message = f"`{shown(name)}` has the number {value}, which is neither yes nor no"
    return Violation(field(name), "unknown-value", message)


def _decimal(name: str, answer: pb.Answer) -> Given | Violation:
    read = given(answer.decimal)
    if read.kind is None or not read.kind.is_number:
        message = f"`{shown(name)}` has `{shown(answer.decimal)}` as decimal: write a number such as 0.7"
        return Violation(field(name), "wrong-type", message)
    return Given(QuestionType.DECIMAL, Decimal(str(read.value)))


def _without_kind(name: str, answer: pb.Answer) -> Given | Violation:
    message = f"`{shown(name)}` has an answer of no kind: set one, or leave the question out"
    return Violation(field(name), "missing-kind", message)


_READERS: Mapping[str | None, Callable[[str, pb.Answer], Given | Violation]] = {
    "yes_no": _yes_no,
    "integer": lambda name, answer: Given(QuestionType.INTEGER, answer.integer),
    "decimal": _decimal,
    "choice": lambda name, answer: Given(QuestionType.CHOICE, answer.choice),
    "several": lambda name, answer: Given(QuestionType.SEVERAL, tuple(answer.several.options)),
    "unknown": lambda name, answer: UNKNOWN,
    None: _without_kind,
}


def answer_message(answer: Given) -> pb.Answer:
    """An answer as it is sent."""
    value = answer.value
    match answer.kind:
        case None:
            return pb.Answer(unknown=pb.Unknown())
        case QuestionType.YES_NO:
            return pb.Answer(yes_no=pb.YES_NO_YES if value == YES else pb.YES_NO_NO)
        case QuestionType.SEVERAL if isinstance(value, tuple):
            return pb.Answer(several=pb.Options(options=value))
        case QuestionType.INTEGER if isinstance(value, int) and value.bit_length() < INTEGER_BITS:
            return pb.Answer(integer=value)
        case QuestionType.INTEGER | QuestionType.DECIMAL if not isinstance(value, tuple):
            return pb.Answer(decimal=plain_number(value))
        case _:
            return pb.Answer(choice=str(value))


def is_full(view: int) -> bool:
    """Whether a view carries the whole explanation; not to say which is to ask for it."""
    return view != pb.RESPONSE_VIEW_BASIC


def reference(evaluator: Evaluator) -> pb.RulesetReference:
    """Which ruleset decided."""
    checked = evaluator.checked
    return pb.RulesetReference(id=checked.ruleset.id, version=checked.ruleset.version, digest=checked.digest)


def receipt_message(receipt: Receipt) -> pb.Receipt:
    """Where the log has an entry."""
    return pb.Receipt(writer=receipt.writer, sequence=receipt.sequence, entry_hash=receipt.hash)


def violation_messages(violations: Iterable[Violation]) -> list[pb.Violation]:
    """Every violation as `validate_only` gives it."""
    return [
        pb.Violation(field=each.field, code=each.code, description=each.message, text=each.text) for each in violations
    ]
