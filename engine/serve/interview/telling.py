"""What is told at the end, or before it when it cannot wait: the service is asked, and its answer set out for a page.

Everything that is told to act on is recorded first, as for every caller: also urgent advice in the middle, after which
a person may well stop. The screens in between are no answers, and are not recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from engine.decide.answers import Given
from engine.errors import RequestReused
from engine.pb.v1 import triage_pb2 as pb
from engine.serve.convert import answer_message
from engine.serve.registry import Served

HOURS_OF_A_DAY = 24


@dataclass(frozen=True, slots=True)
class Limit:
    """How soon: a number of hours, or of whole days where it is more than one."""

    unit: str
    number: int


@dataclass(frozen=True, slots=True)
class Titled:
    """A text with a title."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """A decision, or what holds already while more can be asked, in the words of the ruleset."""

    title: str
    text: str
    call: str
    within: Limit | None
    guidance: str
    reasons: tuple[str, ...]
    advice: tuple[str, ...]
    safety_net: tuple[str, ...]
    programme: Titled | None
    decided: datetime
    valid_until: datetime
    look_again: datetime
    decision_id: str
    receipt: str
    ruleset: str
    """Title and version."""


def ask(
    answer: Callable[[pb.EvaluateRequest], pb.EvaluateResponse],
    served: Served,
    language: str,
    answers: Mapping[str, Given],
    request_id: str,
) -> Told:
    """Lets the service decide and record. A page that was sent with other answers before is a request of its own."""
    request = pb.EvaluateRequest(
        ruleset=served.id,
        ruleset_version=served.version,
        language=language,
        answers={name: answer_message(given) for name, given in answers.items()},
        context=pb.RequestContext(request_id=request_id),
        view=pb.RESPONSE_VIEW_BASIC,
    )
    try:
        response = answer(request)
    except RequestReused:
        request.context.request_id = str(uuid4())
        response = answer(request)
    return _told(response, served.evaluator.checked.ruleset.texts[language].get("ruleset", "title").patient)


def _told(response: pb.EvaluateResponse, title: str) -> Told:
    settled = response.HasField("decision")
    told = response.decision if settled else response.needs_answers
    wording = response.decision.disposition_text if settled else response.needs_answers.floor_text
    programme, decided = told.programme, response.decide_time.ToDatetime()
    receipt = response.receipt
    return Told(
        title=wording.title,
        text=wording.text,
        call=told.call_text,
        within=_limit(told.within_hours) if told.HasField("within_hours") else None,
        guidance=told.guidance_text,
        # One reason may stand behind several rules; a person reads it once.
        reasons=tuple(dict.fromkeys(rule.text for rule in told.rules)),
        advice=tuple(each.text for each in told.advice),
        safety_net=tuple(each.text for each in told.safety_net),
        programme=None if programme.open else Titled(programme.title, programme.text),
        decided=decided,
        valid_until=decided + timedelta(days=told.valid_days),
        look_again=decided + timedelta(days=told.recheck_days),
        decision_id=response.decision_id,
        receipt=f"{receipt.writer}/{receipt.sequence} {receipt.entry_hash}" if receipt.entry_hash else "",
        ruleset=f"{title} {response.ruleset.version}",
    )


def _limit(hours: int) -> Limit:
    days, rest = divmod(hours, HOURS_OF_A_DAY)
    return Limit("hours", hours) if rest or days <= 1 else Limit("days", days)
