"""Mutated requests over the wire: a clear status that names what was changed, or the answer that `decide` gives.

What is right is worked out beside the service: the answers of the request are typed here, by hand, and evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import grpc
from hypothesis import strategies as st

from engine.client import Client, TriageError, to_error
from engine.decide import answers as typed
from engine.decide.answers import Given
from engine.decide.canonical import decision_digest
from engine.decide.cases import case_answers
from engine.decide.evaluate import Evaluator
from engine.errors import AnswersError
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.load import load, load_cases
from engine.rules.model import NO, YES, QuestionType
from engine.serve.config import Config
from tests.fuzz.tally import DECIDED, REFUSED, Tally
from tests.fuzz.trees import Draw

FOLDER = Path(__file__).parents[2] / "rulesets" / "low_back_pain"
LONGEST = 2**63 - 1
LIMITS = Config(rulesets=FOLDER)
OPAQUE = "6f1d9c1e-7a40-4c0e-9d52-0b5e3f7a7731"
NAMES = ("", "fevr", "FEVER", "answers", "*", 'a"]b', "a\nb", "\u202e", "é", "q" * 70_000, "none_of", "E01")
DECIMALS = ("", "0", "-0", "0.0", "1e3", "NaN", "inf", "0,7", "00", " 1", "unknown", "yes", "9" * 40, "9" * 41, "-0.1",
            "0." + "1" * 39, "5200", "5200.1", "1" * 100_000)  # fmt: skip
IDS = ("", "x" * 128, "x" * 129, "tab\there", "é", "ok")


@dataclass
class Draft:
    """A request on its way, and the fields that were changed: those that a refusal may name."""

    request: pb.EvaluateRequest
    touched: set[str] = field(default_factory=set)

    @property
    def wrong(self) -> set[str]:
        """What is wrong whatever the answers are, by the reason of its status."""
        return set(_wrong(self.request))


@cache
def evaluator() -> Evaluator:
    return Evaluator(load(FOLDER))


@cache
def patients() -> tuple[pb.EvaluateRequest, ...]:
    """The answers of the ruleset's own cases, as requests."""
    checked = evaluator().checked
    return tuple(
        pb.EvaluateRequest(
            ruleset=checked.ruleset.id,
            answers={name: _message(given) for name, given in case_answers(checked.ruleset, case).items()},
            none_of=case.none_of,
        )
        for case in load_cases(FOLDER, checked)
    )


def _message(given: Given) -> pb.Answer:
    value: Any = given.value
    match given.kind:
        case None:
            return pb.Answer(unknown=pb.Unknown())
        case QuestionType.YES_NO:
            return pb.Answer(yes_no=pb.YES_NO_YES if value == YES else pb.YES_NO_NO)
        case QuestionType.INTEGER:
            return pb.Answer(integer=value)
        case QuestionType.DECIMAL:
            return pb.Answer(decimal=format(value, "f"))
        case QuestionType.SEVERAL:
            return pb.Answer(several=pb.Options(options=value))
        case QuestionType.CHOICE:
            return pb.Answer(choice=value)


def one(draw: Draw, tally: Tally, client: Client) -> None:
    """One mutated request, and what must hold of its answer."""
    request = pb.EvaluateRequest()
    request.CopyFrom(draw(st.sampled_from(patients())))
    draft = Draft(request)
    # Most mistakes come alone; a request with many still has to be told of all of them.
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 3, 6)))):
        draw(st.sampled_from(CHANGES))(draw, draft)
    expected = _expected(draft)
    try:
        response = client.stub.Evaluate(request, timeout=20)
    except grpc.RpcError as error:
        _refused(to_error(error), draft, expected)
        tally.add(REFUSED)
        return
    assert request.validate_only or not draft.wrong, draft
    if request.validate_only:
        assert response.WhichOneof("outcome") is None and response.HasField("validation")
        found = {each.field for each in response.validation.violations}
        assert bool(found) is (expected is None)
        assert not found or found & draft.touched
        tally.add("validated")
        return
    assert expected is not None, draft.touched
    assert response.WhichOneof("outcome") in ("decision", "needs_answers")
    assert response.decision_digest == expected
    tally.add(DECIDED)


def _wrong(request: pb.EvaluateRequest) -> Iterator[str]:
    ruleset, context = evaluator().checked.ruleset, request.context
    if request.ruleset != ruleset.id:
        yield "RULESET_NOT_FOUND"
    elif request.ruleset_version not in ("", ruleset.version):
        yield "VERSION_NOT_FOUND"
    elif request.language not in ("", *ruleset.languages):
        yield "UNKNOWN_LANGUAGE"
    if (
        context.request_id not in ("", "ok", "x" * 128)
        or context.subject_reference not in ("", OPAQUE)
        or context.on_behalf_of not in ("", "é" * 128)
        or context.respondent not in (0, 1, 2, 3)
        or request.view not in (0, 1, 2)
        or max(len(request.none_of), len(request.answers)) > LIMITS.max_answers
        or request.ByteSize() > LIMITS.max_request_size
    ):
        yield "INVALID_ANSWERS"


def _expected(draft: Draft) -> str | None:
    """The digest of the decision that the answers lead to; None where they are to be refused."""
    given: dict[str, Given] = {}
    for name, answer in draft.request.answers.items():
        read = _typed(answer)
        if read is None:
            return None
        given[name] = read
    try:
        outcome = evaluator().evaluate(evaluator().read(given, draft.request.none_of)).outcome
    except AnswersError:
        return None
    return None if draft.wrong else decision_digest(evaluator().checked, outcome)


def _typed(answer: pb.Answer) -> Given | None:
    """An answer of the contract as the contract describes it; None where it says nothing certain."""
    match answer.WhichOneof("kind"):
        case "yes_no":
            word = {pb.YES_NO_YES: YES, pb.YES_NO_NO: NO}.get(answer.yes_no)
            return None if word is None else Given(QuestionType.YES_NO, word)
        case "integer":
            return Given(QuestionType.INTEGER, answer.integer)
        case "decimal":
            whole, point, rest = answer.decimal.removeprefix("-").partition(".")
            digits = (whole + rest).isascii() and whole.isdigit() and (rest.isdigit() or not point)
            plain = digits and (whole == "0" or not whole.startswith("0")) and len(answer.decimal) <= typed.MAX_DIGITS
            return Given(QuestionType.DECIMAL, Decimal(answer.decimal)) if plain else None
        case "choice":
            return Given(QuestionType.CHOICE, answer.choice)
        case "several":
            return Given(QuestionType.SEVERAL, tuple(answer.several.options))
        case "unknown":
            return Given(None)
        case _:
            return None


def _refused(error: TriageError, draft: Draft, expected: str | None) -> None:
    """A refusal says which field is at fault, and one that was changed is among them."""
    assert expected is None, (error, draft.touched)
    assert error.code.name in ("INVALID_ARGUMENT", "NOT_FOUND"), error
    assert error.reason, error
    if error.code.name == "NOT_FOUND" or error.reason == "UNKNOWN_LANGUAGE":
        assert error.reason in draft.wrong, (error, draft.touched)
        return
    fields = {each.field for each in error.violations}
    assert fields & draft.touched, (error, draft.touched)
    assert all(each.message and each.code for each in error.violations)


# ---- changes ----


def _some(draw: Draw, draft: Draft) -> str:
    """The name of an answer; one that is touched from now on."""
    names = sorted(draft.request.answers) or sorted(evaluator().checked.ruleset.questions)
    name: str = draw(st.sampled_from(names))
    draft.touched.add(typed.field(name))
    return name


def _drop(draw: Draw, draft: Draft) -> None:
    draft.request.answers.pop(_some(draw, draft), None)


def _drop_many(draw: Draw, draft: Draft) -> None:
    for name in sorted(draft.request.answers):
        if draw(st.booleans()):
            draft.touched.add(typed.field(name))
            del draft.request.answers[name]


def _swap(draw: Draw, draft: Draft) -> None:
    one, other = pb.Answer(), pb.Answer()
    first, second = _some(draw, draft), _some(draw, draft)
    one.CopyFrom(draft.request.answers[first])
    other.CopyFrom(draft.request.answers[second])
    draft.request.answers[first].CopyFrom(other)
    draft.request.answers[second].CopyFrom(one)


def _another_value(draw: Draw, draft: Draft) -> None:
    """An answer that the question takes: at its bounds, or any of its options."""
    name = _some(draw, draft)
    question = evaluator().checked.ruleset.questions.get(name)
    if question is None:
        return
    values: list[pb.Answer] = [pb.Answer(unknown=pb.Unknown())]
    if question.type.is_number and question.low is not None and question.high is not None:
        for bound in (question.low, question.high, question.low - 1, question.high + 1, question.high / 2):
            values.append(pb.Answer(integer=int(bound)))
            values.append(pb.Answer(decimal=format(bound, "f")))
    elif question.type is QuestionType.YES_NO:
        values += [pb.Answer(yes_no=pb.YES_NO_YES), pb.Answer(yes_no=pb.YES_NO_NO)]
    elif question.type is QuestionType.CHOICE:
        values += [pb.Answer(choice=option) for option in question.options]
    else:
        values.append(pb.Answer(several=pb.Options(options=question.options * 2)))
        values += [pb.Answer(several=pb.Options(options=[option])) for option in question.options]
    draft.request.answers[name].CopyFrom(draw(st.sampled_from(values)))


def _another_kind(draw: Draw, draft: Draft) -> None:
    draft.request.answers[_some(draw, draft)].CopyFrom(draw(KINDS))


def _another_question(draw: Draw, draft: Draft) -> None:
    """An answer goes to another question, or to one that does not exist."""
    name = _some(draw, draft)
    other: str = draw(st.sampled_from((*NAMES, *evaluator().checked.ruleset.questions)))
    draft.touched.add(typed.field(other))
    draft.request.answers[other].CopyFrom(draft.request.answers[name])
    if draw(st.booleans()) and other != name:
        del draft.request.answers[name]


def _many_answers(draw: Draw, draft: Draft) -> None:
    draft.touched |= {"answers", *(typed.field(f"q{number}") for number in range(501))}
    for number in range(draw(st.sampled_from((1, 60, 400, 501)))):
        draft.request.answers[f"q{number}"].CopyFrom(draw(KINDS) if number < 3 else pb.Answer())


def _deny(draw: Draw, draft: Draft) -> None:
    groups = tuple(evaluator().checked.ruleset.groups)
    names = st.sampled_from((*groups, *groups, "*", "", "legs ", "age", "x" * 200, "\u202e"))
    draft.request.none_of.extend(draw(st.lists(names, max_size=4)) * draw(st.sampled_from((1, 1, 2, 200))))
    # Denying a group answers its questions: those may then contradict what was given.
    denied = {q.id for q in evaluator().checked.ruleset.questions.values() if q.group}
    draft.touched |= {"none_of", *map(typed.field, denied)}


def _twice(draw: Draw, draft: Draft) -> None:
    """The bytes of two requests, one after the other, are one request: the later answer counts."""
    other = draw(st.sampled_from(patients()))
    draft.request.MergeFromString(other.SerializeToString())
    draft.touched |= {typed.field(name) for name in (*other.answers, *draft.request.answers)} | {"none_of"}


def _strange_bytes(draw: Draw, draft: Draft) -> None:
    """Fields that this contract does not have: of a newer one. They change nothing."""
    tag = draw(st.sampled_from((b"\xfa\x01", b"\xa2\x06")))
    inside = draft.request.SerializeToString()[:100]
    draft.request.MergeFromString(tag + bytes([len(inside)]) + inside)


def _context(draw: Draw, draft: Draft) -> None:
    context = draft.request.context
    context.request_id = draw(st.sampled_from(IDS))
    context.subject_reference = draw(st.sampled_from(("", OPAQUE, "x" * 65, "a\nb", "111222333")))
    context.on_behalf_of = draw(st.sampled_from(("", "é" * 128, "x" * 129, "a\nb")))
    context.respondent = draw(st.sampled_from((0, 1, 2, 3, 4, -1, 2**31 - 1)))
    draft.touched |= {f"context.{each.name}" for each in pb.RequestContext.DESCRIPTOR.fields}


def _view(draw: Draw, draft: Draft) -> None:
    draft.request.view = draw(st.sampled_from((0, 1, 2, 3, -1, 2**31 - 1)))
    draft.touched.add("view")


def _which(draw: Draw, draft: Draft) -> None:
    """Another ruleset, version or language."""
    ruleset = evaluator().checked.ruleset
    name, value = draw(
        st.sampled_from(
            (
                ("ruleset", ""),
                ("ruleset", "neck" * 9_000),
                ("ruleset_version", "99.0.0"),
                ("ruleset_version", "\u202e"),
                ("ruleset_version", ruleset.version),
                ("language", "fr"),
                ("language", ruleset.languages[0].upper()),
                *(("language", each) for each in ruleset.languages),
            )
        )
    )
    setattr(draft.request, name, value)
    draft.touched.add(name)


def _only_validate(draw: Draw, draft: Draft) -> None:
    draft.request.validate_only = draw(st.booleans())


KINDS = st.one_of(
    st.builds(pb.Answer),
    st.sampled_from((0, 1, 2, 3, -1, 2**31 - 1)).map(lambda number: pb.Answer(yes_no=number)),
    st.sampled_from((0, 1, -1, 40, LONGEST, -LONGEST - 1)).map(lambda number: pb.Answer(integer=number)),
    st.sampled_from(DECIMALS).map(lambda text: pb.Answer(decimal=text)),
    st.sampled_from(("", "none", "yes", "unknown", "minor", "x" * 70_000, "a\nb")).map(
        lambda text: pb.Answer(choice=text)
    ),
    st.lists(st.sampled_from(("none", "strength", "", "x" * 5_000)), max_size=3).map(
        lambda options: pb.Answer(several=pb.Options(options=options))
    ),
    st.builds(lambda: pb.Answer(unknown=pb.Unknown())),
)

Change = Callable[[Draw, Draft], None]
CHANGES: tuple[Change, ...] = (
    *(_another_value,) * 5, _drop, _drop_many, _swap, _another_kind, _another_question, _many_answers, _deny, _twice,
    _strange_bytes, _context, _view, _which, _only_validate,
)  # fmt: skip
