"""What people did with cards stands in the decision log once, whenever and however often it comes."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import LogUnavailable
from engine.pb.v1 import triage_pb2 as pb
from engine.rules.scale import Programme
from engine.serve.calls import ANYBODY, Call
from engine.serve.config import LOG_OFF
from engine.serve.hooks.identity import PROGRAMMES, Kind, accepted_programmes, card_id, decision_id, suggestion_id
from engine.serve.hooks.services import words
from tests.serve.fhir.conftest import BASE
from tests.serve.hooks.asking import NUMB, WELL, call, intake, kept
from tests.serve.hooks.conftest import Ehr, running
from tests.serve.hooks.model import Json, feedback_faults

SERVICE = "/small-patient-view/feedback"
SYSTEM = f"{BASE}/CodeSystem/override-reason"
TIME = "2026-12-01T12:30:00Z"


class Waiting:
    """A caller who waits."""

    def is_active(self) -> bool:
        return True

    def time_remaining(self) -> float:
        return 60.0


def overridden(card: Json, **members: Any) -> Json:
    reason = {"reason": {"code": "examined", "system": SYSTEM, "display": "x"}, "userComment": "normal reflexes"}
    return {"card": card["uuid"], "outcome": "overridden", "overrideReason": reason, "outcomeTimestamp": TIME} | members


def accepted(card: Json, number: int, **members: Any) -> Json:
    chosen = [{"id": card["suggestions"][number]["uuid"]}]
    return {
        "card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": chosen, "outcomeTimestamp": TIME,
    } | members  # fmt: skip


def give(ehr: Ehr, *entries: Json) -> None:
    message = {"feedback": [*entries]}
    assert feedback_faults(message) == []
    response = ehr.post(SERVICE, message)
    assert (response.status_code, response.text) == (200, "")


def recorded(ehr: Ehr, card: Json) -> list[pb.Feedback]:
    request = pb.GetDecisionRequest(decision_id=kept(card)["id"])
    return [*ehr.parts.service.GetDecision(request, Call(ANYBODY, "", Waiting())).feedback]


def fresh(**members: Any) -> Json:
    return call(intake(NUMB), hookInstance=str(uuid4()), **members)


def fresh_programme() -> Json:
    return call(intake(WELL, "*"), hookInstance=str(uuid4()))


def test_an_override_is_recorded_with_its_reason(ehr: Ehr) -> None:
    (card,) = ehr.cards(fresh())
    give(ehr, overridden(card))
    (found,) = recorded(ehr, card)
    assert found.verdict == pb.FEEDBACK_VERDICT_OVERRIDDEN
    assert (found.reason_code, found.remark) == ("examined", "normal reflexes")
    assert found.given_by == f"card {card['uuid']} 2026-12-01T12:30:00.000Z"


def test_the_same_feedback_is_recorded_once(ehr: Ehr) -> None:
    (card,) = ehr.cards(fresh())
    entry = overridden(card)
    give(ehr, entry, entry)
    give(ehr, entry | {"outcomeTimestamp": "2026-12-01T12:30:00.000+00:00"})
    assert len(recorded(ehr, card)) == 1
    give(ehr, entry | {"outcomeTimestamp": "2026-12-01T12:30:01Z"})
    assert len(recorded(ehr, card)) == 2


def test_the_same_feedback_at_the_same_moment_is_recorded_once(ehr: Ehr) -> None:
    (card,) = ehr.cards(fresh())
    threads = [threading.Thread(target=give, args=(ehr, overridden(card))) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(recorded(ehr, card)) == 1


def test_another_server_with_the_same_log_knows_the_cards(tmp_path: Path) -> None:
    with running(tmp_path) as before:
        (card,) = before.cards(fresh())
        settled, programme = before.cards(fresh_programme())
        give(before, overridden(card))
    with running(tmp_path) as after:
        give(after, overridden(card), accepted(programme, 1), overridden(settled))
        assert len(recorded(after, card)) == 1
        assert len(recorded(after, programme)) == 2


def test_the_choice_of_a_programme_is_recorded_apart(ehr: Ehr) -> None:
    settled, programme = ehr.cards(fresh_programme())
    assert kept(settled)["id"] == kept(programme)["id"]
    give(ehr, accepted(programme, 1))
    reason = {"reason": {"code": "preference", "system": SYSTEM}}
    give(ehr, overridden(programme, overrideReason=reason, outcomeTimestamp="2026-12-01T12:31:00Z"))
    one, other = recorded(ehr, programme)
    assert (one.verdict, one.reason_code, one.remark) == (
        pb.FEEDBACK_VERDICT_ACCEPTED, "programme_accepted", "pilates"
    )  # fmt: skip
    assert (other.verdict, other.reason_code) == (pb.FEEDBACK_VERDICT_OVERRIDDEN, "programme_preference")


@pytest.mark.parametrize(
    ("override", "code", "remark"),
    [
        ({"reason": {"code": "E7", "system": "https://ehr.example", "display": "Elders"}}, "another_reason", "Elders"),
        ({"reason": {"code": "E7", "system": "https://ehr.example"}, "userComment": "b"}, "another_reason", "E7; b"),
        ({"reason": {"code": "not of ours", "system": SYSTEM}}, "another_reason", ""),
        ({"userComment": "busy"}, "not_said", "busy"),
        (None, "not_said", ""),
    ],
)
def test_other_reasons_stay_readable(ehr: Ehr, override: Json | None, code: str, remark: str) -> None:
    (card,) = ehr.cards(fresh())
    entry = overridden(card)
    entry.pop("overrideReason")
    give(ehr, entry | ({"overrideReason": override} if override else {}))
    (found,) = recorded(ehr, card)
    assert (found.reason_code, found.remark) == (code, remark)


def test_good_feedback_is_recorded_beside_bad(ehr: Ehr) -> None:
    (card,) = ehr.cards(fresh())
    (other,) = ehr.cards(fresh())
    long = overridden(other, overrideReason={"userComment": "x" * 2001})
    bad = [{"outcome": "ignored"}, 3, overridden({"uuid": str(uuid4())}), long]
    response = ehr.post(SERVICE, {"feedback": [*bad, overridden(card)]})
    assert response.status_code == 422
    told = {(each["expression"][0], each["details"]["coding"][0]["code"]) for each in response.json()["issue"]}
    assert told == {
        ("feedback[0].card", "missing"),
        ("feedback[0].outcome", "unknown-value"),
        ("feedback[0].outcomeTimestamp", "missing"),
        ("feedback[1]", "wrong-type"),
        ("feedback[2].card", "unknown-card"),
        ("feedback[3].overrideReason.userComment", "too-large"),
    }
    assert len(recorded(ehr, card)) == 1
    assert recorded(ehr, other) == []


@pytest.mark.parametrize(
    "members",
    [
        {"outcome": "accepted"},
        {"acceptedSuggestions": [{"id": "x"}]},
        {"acceptedSuggestions": [3]},
        {"overrideReason": 3},
        {"overrideReason": {"reason": "examined"}},
        {"outcomeTimestamp": "yesterday"},
        {"outcomeTimestamp": "2026-12-01T12:30:00"},
        {"outcomeTimestamp": "0001-01-01T00:00:00+14:00"},
        {"card": "1"},
        {"card": None},
    ],
)
def test_what_is_no_feedback_is_refused(ehr: Ehr, members: Json) -> None:
    (card,) = ehr.cards(fresh())
    response = ehr.post(SERVICE, {"feedback": [overridden(card) | members]})
    assert response.status_code == 422, response.text
    assert response.json()["resourceType"] == "OperationOutcome"
    assert recorded(ehr, card) == []


@pytest.mark.parametrize("body", [{}, [], {"feedback": 3}, {"feedback": [{}] * 101}])
def test_a_body_that_is_no_feedback_is_refused(ehr: Ehr, body: Any) -> None:
    assert ehr.post(SERVICE, body).status_code == 422


def test_none_is_right(ehr: Ehr) -> None:
    assert ehr.post(SERVICE, {"feedback": []}).status_code == 200


def test_a_suggestion_must_be_one_of_this_decision(ehr: Ehr) -> None:
    settled, programme = ehr.cards(fresh_programme())
    _, other = ehr.cards(fresh_programme())
    entry = accepted(programme, 0, acceptedSuggestions=[{"id": other["suggestions"][0]["uuid"]}])
    response = ehr.post(SERVICE, {"feedback": [entry]})
    assert response.status_code == 422
    assert response.json()["issue"][0]["expression"] == ["feedback[0].acceptedSuggestions"]
    assert recorded(ehr, settled) == []


def test_an_unknown_card_or_service_is_not_found(ehr: Ehr) -> None:
    (card,) = ehr.cards(fresh())
    response = ehr.post(SERVICE, {"feedback": [overridden({"uuid": str(uuid4())})]})
    assert response.status_code == 404
    assert "feedback[0].card" in response.json()["issue"][0]["diagnostics"]
    assert ehr.post("/nothing/feedback", {"feedback": [overridden(card)]}).status_code == 404


def test_without_a_log_there_is_nowhere_to_record(tmp_path: Path) -> None:
    with running(tmp_path, log=LOG_OFF) as silent:
        (card,) = silent.cards(fresh())
        response = silent.post(SERVICE, {"feedback": [overridden(card)]})
    assert response.status_code == 400
    assert response.json()["issue"][0]["code"] == "business-rule"


def test_feedback_that_is_not_durable_is_not_accepted(ehr: Ehr, monkeypatch: pytest.MonkeyPatch) -> None:
    (card,) = ehr.cards(fresh())

    def away(*_: object) -> Any:
        raise LogUnavailable("the disk is full")

    monkeypatch.setattr(ehr.parts.recording, "record_feedback", away)
    response = ehr.post(SERVICE, {"feedback": [overridden(card)]})
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0


@given(st.uuids(version=4))
def test_a_card_leads_back_to_its_decision(decision: UUID) -> None:
    cards = {kind: card_id(decision, kind) for kind in Kind}
    suggestions = {each: suggestion_id(decision, each) for each in PROGRAMMES}
    assert len({decision, *cards.values(), *suggestions.values()}) == 1 + len(cards) + len(suggestions)
    for kind, card in cards.items():
        assert (card.version, card.variant) == (decision.version, decision.variant)
        assert decision_id(card, kind) == decision
        assert [each for each in Kind if decision_id(card, each) == decision] == [kind]
    assert accepted_programmes(decision, tuple(suggestions.values())) == PROGRAMMES
    assert accepted_programmes(decision, (decision,)) is None


def test_card_ids_never_change() -> None:
    """Feedback on a card that was shown before an upgrade must still find its decision."""
    decision = UUID("610dc83d-3b4a-420e-965a-3bac5ea035f5")
    assert [str(card_id(decision, kind)) for kind in Kind] == PINNED
    assert [str(suggestion_id(decision, each)) for each in (Programme.MEDICAL_FITNESS, Programme.PILATES)] == SUGGESTED


PINNED = [
    "59937440-a79d-4a68-a030-2573526d5ca2",
    "b8f05149-3dda-44b5-8281-fabb70493fd6",
    "aa31d8dd-c56d-4b8c-a1e0-01074c2a0de9",
    "31122cfd-001e-4f69-b36c-6f81bad5e311",
]
SUGGESTED = [
    "66e73478-ac90-45bc-8f22-2e5d2066b57a",
    "ad491e50-a654-4804-a25e-77aab46e7a37",
]


def test_every_reason_has_a_code_that_the_log_takes() -> None:
    for table in ("override_reasons", "programme_reasons"):
        assert "another_reason" in words("en")[table]
        assert all(code.replace("_", "").isalpha() and code.islower() for code in words("en")[table])
