"""Which right each rpc needs."""

from __future__ import annotations

from collections.abc import Mapping

from engine.serve.config import Right

RIGHT_OF: Mapping[str, Right] = {
    "Evaluate": Right.EVALUATE,
    "EvaluateBatch": Right.EVALUATE,
    "EvaluateStream": Right.EVALUATE,
    "RecordFeedback": Right.EVALUATE,
    "ListRulesets": Right.RULESETS,
    "GetRuleset": Right.RULESETS,
    "GetQuestionnaire": Right.RULESETS,
    "GetDecision": Right.AUDIT,
    "ListDecisions": Right.AUDIT,
    "ReloadRulesets": Right.ADMIN,
    "RollbackRulesets": Right.ADMIN,
    "GetServerStatus": Right.ADMIN,
}
"""By the name of the rpc, without its service. What is not here is refused to everybody."""
