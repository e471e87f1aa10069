"""A QuestionnaireResponse becomes a request, exactly, or all that is wrong with it at once.

A value, *unknown* (the coding `asked-unknown`), *missing* (no answer) and a denied group stay apart. What a response
says counts as on every other wire: also an answer to an item that the form would have disabled, for a value that was
given always counts; it comes with a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from engine.decide.answers import MAX_DIGITS, Answers, field, plain_number, shown
from engine.decide.direct import FALSE, Reading
from engine.errors import AnswersError, Violation
from engine.pb.v1 import triage_pb2 as pb
from engine.record.subject import subject_fault
from engine.rules.model import YES, Question, QuestionType, Ruleset
from engine.serve.config import Config
from engine.serve.convert import read_answers
from engine.serve.errors import InvalidRequest
from engine.serve.fhir.names import (
    QUESTIONNAIRE,
    UNKNOWN,
    Codes,
    Coding,
    Json,
    canonical,
    denial_link,
    group_link,
    help_link,
    own_name,
    unknown_link,
)
from engine.serve.registry import Served

RESPONSE = "QuestionnaireResponse"
FINISHED = ("completed", "amended")
"""What is evaluated; nobody stands by a response in any other status."""
INTEGER_BITS = 31
"""Of a FHIR integer, without its sign."""
RESPONDENTS: Mapping[str, pb.Respondent] = {
    "Patient": pb.RESPONDENT_PATIENT,
    "RelatedPerson": pb.RESPONDENT_PROXY,
    "Practitioner": pb.RESPONDENT_THERAPIST,
    "PractitionerRole": pb.RESPONDENT_THERAPIST,
}
"""Who answered, by the type of resource that `source` refers to."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a response says.

    `answers` are those of `request`, typed. `places` has the FHIRPath of each by its field in the request, and the
    fields of `warnings` are FHIRPaths.
    """

    request: pb.EvaluateRequest
    answers: Answers
    places: Mapping[str, str]
    warnings: tuple[Violation, ...]


def placed(violations: Iterable[Violation], places: Mapping[str, str], whole: str) -> Iterator[Violation]:
    """Violations of a request as violations of what it was read from.

    `places` has FHIRPaths by field of the request; what has no place of its own is told of the `whole`.
    """
    return (replace(each, field=places.get(each.field, whole)) for each in violations)


def asked_for(response: Json, base: str, at: str = RESPONSE) -> tuple[str, str]:
    """The ruleset and version whose Questionnaire was answered. Raises InvalidRequest where it is not told exactly."""
    url, _, version = str(response.get("questionnaire", "")).partition("|")
    head = canonical(base, QUESTIONNAIRE, "")
    place = f"{at}.questionnaire"
    if not url:
        message = "a response names the Questionnaire that was answered, as `url|version`"
        raise InvalidRequest([Violation(place, "missing", message)])
    if not url.startswith(head) or len(url) == len(head) or "_" in url[len(head) :]:
        message = f"`{shown(url)}` is no Questionnaire of this server: theirs begin with {head}"
        raise InvalidRequest([Violation(place, "unknown-questionnaire", message)])
    if not version:
        message = "the version of the Questionnaire is missing: write `url|version`, as the Questionnaire has them"
        raise InvalidRequest([Violation(place, "missing", message)])
    return own_name(url[len(head) :]), version


def read_response(response: Json, served: Served, language: str, base: str, limits: Config, at: str = RESPONSE) -> Read:
    """The request, in `language`, that a response to the Questionnaire of `served` is.

    The shape of the response must have been checked. Raises AnswersError with every violation, its place as field:
    status, linkIds, types, options, ranges, contradictions.
    """
    reader = _Reader(served.evaluator.checked.ruleset, Codes(base, served.id))
    status = response.get("status")
    if status not in FINISHED:
        message = f"a response with status `{shown(str(status))}` is not evaluated: only {' and '.join(FINISHED)}"
        reader.violations.append(Violation(f"{at}.status", "not-completed", message))
    reader.read(response, at)
    request = pb.EvaluateRequest(
        ruleset=served.id,
        ruleset_version=served.version,
        language=language,
        answers=reader.answers,
        none_of=reader.denied,
    )
    places = {field(question): place for question, place in reader.places.items()}
    warnings = [*_context(request.context, response, at)]
    try:
        typed = read_answers(served.evaluator, request, limits, language)
    except AnswersError as error:
        raise AnswersError([*reader.violations, *placed(error.violations, places, at)]) from None
    if reader.violations:
        raise AnswersError(reader.violations)
    warnings.extend(_not_asked(served.evaluator.checked.ruleset, typed, reader))
    return Read(request, typed, places, tuple(warnings))


def _context(context: pb.RequestContext, response: Json, at: str) -> Iterator[Violation]:
    """Puts who answered, and about whom, into the context; what cannot be kept is told."""
    source = str(response.get("source", {}).get("reference", ""))
    context.respondent = RESPONDENTS.get(source.split("/")[-2] if "/" in source else "", pb.RESPONDENT_UNSPECIFIED)
    if "subject" not in response:
        return
    subject = str(response["subject"].get("reference", "")).rpartition("/")[2].removeprefix("urn:uuid:")
    if fault := subject_fault(subject):
        message = f"the reference to the person is not recorded: {fault}; a UUID is"
        yield Violation(f"{at}.subject", "bad-subject", message)
    else:
        context.subject_reference = subject


def _not_asked(ruleset: Ruleset, answers: Answers, reader: _Reader) -> Iterator[Violation]:
    """A warning for each value that was given although the question is certainly not asked of this person."""
    reading = Reading(ruleset, answers)
    for question, place in reader.places.items():
        if question in answers.values and reading.asked(question) == FALSE:
            message = f"`{question}` is not asked with these answers, and its answer counts as it was given"
            yield Violation(place, "not-asked", message)


class _Reader:
    """Collects the answers of one response and what is wrong with them."""

    def __init__(self, ruleset: Ruleset, codes: Codes) -> None:
        self._codes = codes
        self.answers: dict[str, pb.Answer] = {}
        self.denied: list[str] = []
        self.places: dict[str, str] = {}
        self.violations: list[Violation] = []
        self._seen: set[str] = set()
        self._links: dict[str, Callable[[Json, str], None]] = {}
        for question in ruleset.questions.values():
            self._links[question.id] = self._for(question)
            self._links[help_link(question.id)] = self._nothing
            if question.type.is_number:
                self._links[unknown_link(question.id)] = self._unknown_for(question)
        for group in ruleset.groups:
            self._links[group_link(group)] = self._nothing
            self._links[denial_link(group)] = self._denial_for(group)

    def read(self, response: Json, at: str) -> None:
        """Reads every item, however deep it stands."""
        waiting = [*_items(response, at)][::-1]
        while waiting:
            item, place = waiting.pop()
            self._item(item, place)
            inside = [*_items(item, place)]
            for number, answer in enumerate(item.get("answer", ())):
                inside.extend(_items(answer, f"{place}.answer[{number}]"))
            waiting.extend(inside[::-1])

    def _item(self, item: Json, place: str) -> None:
        link = str(item.get("linkId", ""))
        read = self._links.get(link)
        if read is None:
            self._wrong(place, "unknown-question", f"no item `{shown(link)}` in this version of the Questionnaire")
        elif link in self._seen:
            self._wrong(place, "duplicate", f"item `{link}` stands there twice")
        else:
            self._seen.add(link)
            read(item, place)

    def _wrong(self, place: str, code: str, message: str) -> None:
        self.violations.append(Violation(place, code, message))

    def _nothing(self, item: Json, place: str) -> None:
        if item.get("answer"):
            self._wrong(f"{place}.answer", "wrong-type", f"item `{item['linkId']}` takes no answer")

    def _for(self, question: Question) -> Callable[[Json, str], None]:
        def read(item: Json, place: str) -> None:
            given = [*enumerate(item.get("answer", ()))]
            if not given:  # missing
                return
            self.places.setdefault(question.id, place)
            at = [(answer, f"{place}.answer[{number}]") for number, answer in given]
            if len(at) > 1 and question.type is not QuestionType.SEVERAL:
                self._wrong(f"{place}.answer", "too-many", f"`{question.id}` takes one answer")
                self._keep(question, None)
            elif question.type.is_number:
                self._keep(question, self._number(question, *at[0]))
            else:
                self._keep(question, self._coded(question, at))

        return read

    def _keep(self, question: Question, answer: pb.Answer | None) -> None:
        """None stands for what cannot be read: as unknown, so that a denied group does not answer in its place."""
        if question.id in self.answers:
            place = self.places[question.id]
            self._wrong(place, "unknown-and-value", f"`{question.id}` has a number, and is unknown as well")
        self.answers[question.id] = answer or pb.Answer(unknown=pb.Unknown())

    def _number(self, question: Question, answer: Json, place: str) -> pb.Answer | None:
        kind = "valueInteger" if question.type is QuestionType.INTEGER else "valueDecimal"
        value = self._value(answer, place, kind, question.id)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            if value is not None:
                self._wrong(place, "wrong-type", f"`{question.id}` takes a number as {kind}")
            return None
        if isinstance(value, Decimal):
            digits = value.as_tuple()
            if not isinstance(digits.exponent, int) or len(digits.digits) + abs(digits.exponent) > MAX_DIGITS:
                self._wrong(place, "out-of-range", f"`{question.id}` has a number that is out of all proportion")
                return None
            return pb.Answer(decimal=plain_number(value))
        if value.bit_length() > INTEGER_BITS:
            self._wrong(place, "out-of-range", f"`{question.id}` has a number that is out of all proportion")
            return None
        return pb.Answer(integer=value)

    def _coded(self, question: Question, answers: list[tuple[Json, str]]) -> pb.Answer | None:
        chosen: list[str] = []
        options = {self._codes.option(question, each): each for each in question.options}
        for answer, place in answers:
            coding = self._coding(answer, place, question.id)
            if coding is None:
                return None
            if coding == UNKNOWN:
                if len(answers) > 1:
                    self._wrong(place, "unknown-and-value", f"`{question.id}` has options, and is unknown as well")
                return pb.Answer(unknown=pb.Unknown())
            option = options.get(coding)
            if option is None:
                message = f"`{question.id}` has no option `{shown(coding.code)}` of the system `{shown(coding.system)}`"
                self._wrong(place, "unknown-option", message)
                return None
            if option in chosen:
                self._wrong(place, "duplicate", f"`{question.id}` has the same option twice")
            chosen.append(option)
        match question.type:
            case QuestionType.SEVERAL:
                return pb.Answer(several=pb.Options(options=chosen))
            case QuestionType.YES_NO:
                return pb.Answer(yes_no=pb.YES_NO_YES if chosen == [YES] else pb.YES_NO_NO)
            case _:
                return pb.Answer(choice=chosen[0])

    def _unknown_for(self, question: Question) -> Callable[[Json, str], None]:
        def read(item: Json, place: str) -> None:
            if self._ticked(item, place, UNKNOWN):
                self.places.setdefault(question.id, place)
                self._keep(question, None)

        return read

    def _denial_for(self, group: str) -> Callable[[Json, str], None]:
        def read(item: Json, place: str) -> None:
            if self._ticked(item, place, self._codes.denied):
                self.denied.append(group)

        return read

    def _ticked(self, item: Json, place: str, wanted: Coding) -> bool:
        """Whether the one box of an item is ticked."""
        answers = item.get("answer", ())
        link = item["linkId"]
        if len(answers) > 1:
            self._wrong(f"{place}.answer", "too-many", f"`{link}` takes one answer")
        for number, answer in enumerate(answers):
            at = f"{place}.answer[{number}]"
            coding = self._coding(answer, at, link)
            if coding is not None and coding != wanted:
                message = f"`{link}` has no option `{shown(coding.code)}` of the system `{shown(coding.system)}`"
                self._wrong(at, "unknown-option", message)
        return bool(answers)

    def _coding(self, answer: Json, place: str, link: str) -> Coding | None:
        value = self._value(answer, place, "valueCoding", link)
        if value is None:
            return None
        return Coding(str(value.get("system", "")), str(value.get("code", "")))

    def _value(self, answer: Json, place: str, kind: str, link: str) -> Any:
        """The value of an answer that is of this kind; None, and a violation, where it is not."""
        if kind in answer:
            return answer[kind]
        if any(key.startswith(("value", "_value")) for key in answer):
            self._wrong(place, "wrong-type", f"`{link}` takes its answer as {kind}")
        else:
            self._wrong(
                place, "missing-kind", f"`{link}` has an answer without a value: leave it out, or say `unknown`"
            )
        return None


def _items(parent: Json, place: str) -> Iterator[tuple[Json, str]]:
    for number, item in enumerate(parent.get("item", ())):
        yield item, f"{place}.item[{number}]"
