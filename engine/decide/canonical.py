"""An outcome as canonical bytes and their digest: the one form that log, replay and impact compare."""

from __future__ import annotations

from engine.decide.decision import Outcome
from engine.rules.canonical import canonical_json, digest_of
from engine.rules.model import CheckedRuleset


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
    """The canonical bytes of an outcome."""
    return canonical_json(outcome_content(checked, outcome))


def decision_digest(checked: CheckedRuleset, outcome: Outcome) -> str:
    """SHA-256 of the canonical bytes, 64 hexadecimal digits."""
    return digest_of(outcome_content(checked, outcome))
