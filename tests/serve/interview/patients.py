"""A patient with low back pain for each disposition, for the page in process and in a browser."""

from __future__ import annotations

from collections.abc import Mapping

CALM = {
    "age": "40", "sex": "m", "duration_weeks": "0,5", "onset": "gradual", "course": "improving", "pain_nrs": "3",
    "activity_limitation": "mild", "current_pain": "yes", "exercise_warning_symptoms": "no",
}  # fmt: skip
PATIENTS: Mapping[str, Mapping[str, str]] = {
    "emergency": {**CALM, "saddle_numbness": "yes"},
    "same_day_gp": {**CALM, "fever": "yes"},
    "gp_within_days": {**CALM, "weight_loss_unexplained": "yes", "weight_loss_kg_6m": "4,5"},
    "physio": {**CALM, "duration_weeks": "3", "course": "stable"},
    "self_care": CALM,
}
"""As they type it. What is not said is denied."""


def said(answers: Mapping[str, str], question: str, offered: list[str]) -> str:
    """What a patient says, who denies what is not among the answers."""
    return answers.get(question, "no" if "no" in offered else "none" if "none" in offered else "unknown")
