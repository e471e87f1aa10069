"""What a candidate's decision is called beside the one that was given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.decide.decision import Outcome
from engine.decide.evaluate import Evaluator
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.load import load
from engine.rules.scale import Disposition
from engine.serve.config import Config
from engine.serve.shadow.comparing import Compared, Offered, ask, compare
from tests.serve.conftest import SMALL

LIMITS = Config(rulesets=Path("rulesets"))
NUMB = {"numb": pb.Answer(yes_no=pb.YES_NO_YES)}


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return Evaluator(load(SMALL / "small"))


@pytest.fixture(scope="module")
def emergency(evaluator: Evaluator) -> Outcome:
    return evaluator.evaluate(evaluator.read({"numb": given_yes()})).outcome


def given_yes() -> Any:
    from engine.decide.answers import given

    return given("yes")


def offered(live: Outcome, **answers: pb.Answer) -> Offered:
    return Offered("small", pb.EvaluateRequest(answers=answers).SerializeToString(), live)


LOW, MIDDLE, HIGH = Disposition.SELF_CARE, Disposition.PHYSIO, Disposition.EMERGENCY


@pytest.mark.parametrize(
    ("live", "candidate", "called"),
    [
        ((MIDDLE, MIDDLE), (MIDDLE, MIDDLE), Compared.SAME),
        ((MIDDLE, MIDDLE), (HIGH, HIGH), Compared.STRICTER),
        ((MIDDLE, MIDDLE), (LOW, LOW), Compared.MILDER),
        ((MIDDLE, MIDDLE), (MIDDLE, HIGH), Compared.STRICTER),
        ((MIDDLE, HIGH), (MIDDLE, MIDDLE), Compared.MILDER),
        ((LOW, HIGH), (MIDDLE, MIDDLE), Compared.MILDER),
        ((LOW, HIGH), (MIDDLE, HIGH), Compared.STRICTER),
        ((MIDDLE, MIDDLE), (LOW, HIGH), Compared.MILDER),
    ],
)
def test_floor_and_ceiling_count(
    emergency: Outcome,
    live: tuple[Disposition, Disposition],
    candidate: tuple[Disposition, Disposition],
    called: Compared,
) -> None:
    one, other = (emergency._replace(floor=floor, ceiling=ceiling) for floor, ceiling in (live, candidate))
    assert compare(one, other) is called


@pytest.mark.parametrize("change", [{"rules": ("E02",)}, {"within_hours": 4}, {"advice": ()}, {"safety_net": ()}])
def test_as_urgent_and_not_the_same(emergency: Outcome, change: dict[str, Any]) -> None:
    assert compare(emergency, emergency._replace(**change)) is Compared.DIFFERENT


def test_a_candidate_reads_for_itself(evaluator: Evaluator, emergency: Outcome) -> None:
    assert ask(evaluator, offered(emergency, **NUMB), LIMITS) is Compared.SAME
    assert ask(evaluator, offered(emergency, numb=pb.Answer(yes_no=pb.YES_NO_NO)), LIMITS) is Compared.MILDER


def test_what_a_candidate_does_not_take_is_refused(evaluator: Evaluator, emergency: Outcome) -> None:
    assert ask(evaluator, offered(emergency, new_question=pb.Answer(integer=1)), LIMITS) is Compared.REFUSED


@pytest.mark.parametrize("request_bytes", [b"\xff", b"\x00" * 10])
def test_what_cannot_be_read_has_failed(evaluator: Evaluator, emergency: Outcome, request_bytes: bytes) -> None:
    assert ask(evaluator, Offered("small", request_bytes, emergency), LIMITS) is Compared.FAILED


def test_no_decision_is_a_failure(emergency: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        """A matcher that is always wrong."""

        def session(self, answers: object) -> object:
            raise RuntimeError("what the patient said")

    own = Evaluator(load(SMALL / "small"))
    monkeypatch.setattr(own, "inference", Silent())
    assert ask(own, offered(emergency, **NUMB), LIMITS) is Compared.FAILED
