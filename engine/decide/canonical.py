"""An outcome as canonical bytes and their digest: the one form that log, replay and impact compare."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from json.encoder import encode_basestring as _text

from engine.decide.decision import Outcome
from engine.rules.model import CheckedRuleset

_BOOLEANS = ("false", "true")


def outcome_content(checked: CheckedRuleset, outcome: Outcome) -> dict[str, object]:
    """The outcome without texts: ids and scale words only, so that it is the same in every language."""
    programme = outcome.programme
    return {
        "ruleset": {"id": checked.ruleset.id, "version": checked.ruleset.version, "digest": checked.digest},
        "settled": outcome.settled,
        "floor": outcome.floor.word,
        "ceiling": outcome.ceiling.word,
        "act_now": outcome.act_now,
        "rules": list(outcome.rules),
        "open_rules": list(outcome.open_rules),
        "call": outcome.call.word,
        "calls": [call.word for call in outcome.calls],
        "within_hours": outcome.within_hours,
        "guidance": outcome.guidance.word if outcome.guidance else None,
        "valid_days": outcome.valid_days,
        "recheck_days": outcome.recheck_days,
        "programme": {
            "choice": programme.choice.word,
            "row": programme.row,
            "open": programme.open,
            "open_questions": list(programme.open_questions),
        },
        "advice": list(outcome.advice),
        "safety_net": list(outcome.safety_net),
        "next_questions": [
            {"question": each.question, "disposition": each.disposition.word} for each in outcome.next_questions
        ],
    }


def outcome_bytes(checked: CheckedRuleset, outcome: Outcome) -> bytes:
    """The canonical bytes of an outcome: those of `outcome_content`, written down key by key."""
    programme = outcome.programme
    questions = ",".join(
        f'{{"disposition":"{each.disposition.word}","question":{_text(each.question)}}}'
        for each in outcome.next_questions
    )
    return (
        f'{{"act_now":{_BOOLEANS[outcome.act_now]},"advice":{_list(outcome.advice)},"call":"{outcome.call.word}",'
        f'"calls":{_list(call.word for call in outcome.calls)},"ceiling":"{outcome.ceiling.word}",'
        f'"floor":"{outcome.floor.word}",'
        f'"guidance":{_text(outcome.guidance.word) if outcome.guidance else "null"},"next_questions":[{questions}],'
        f'"open_rules":{_list(outcome.open_rules)},"programme":{{"choice":"{programme.choice.word}",'
        f'"open":{_BOOLEANS[programme.open]},"open_questions":{_list(programme.open_questions)},'
        f'"row":{_text(programme.row)}}},"recheck_days":{outcome.recheck_days},"rules":{_list(outcome.rules)},'
        f'"ruleset":{{"digest":"{checked.digest}","id":{_text(checked.ruleset.id)},'
        f'"version":{_text(checked.ruleset.version)}}},"safety_net":{_list(outcome.safety_net)},'
        f'"settled":{_BOOLEANS[outcome.settled]},"valid_days":{outcome.valid_days},'
        f'"within_hours":{"null" if outcome.within_hours is None else outcome.within_hours}}}'
    ).encode()


def decision_digest(checked: CheckedRuleset, outcome: Outcome) -> str:
    """SHA-256 of the canonical bytes, 64 hexadecimal digits."""
    return hashlib.sha256(outcome_bytes(checked, outcome)).hexdigest()


def _list(texts: Iterable[str]) -> str:
    return f"[{','.join(map(_text, texts))}]"
