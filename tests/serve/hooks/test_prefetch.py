"""What the EHR prefetched: absent, null, failed, a part, several, somebody else's; each has its own answer."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import AnswersError
from engine.serve.errors import InvalidRequest
from engine.serve.fhir.shape import MalformedResource
from engine.serve.hooks.prefetch import KEY, QUERY, Intake, Lack, NotObtained, find_intake
from tests.serve.fhir.conftest import BASE
from tests.serve.hooks.asking import NOBODY, NUMB, PATIENT, WELL, bundle, intake
from tests.serve.hooks.model import Json

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
OTHER = intake(NOBODY) | {"questionnaire": "https://other.example/Questionnaire/small|1.0.0"}
NEXT = {"link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": "y"}]}


def find(value: object) -> Any:
    return find_intake({KEY: value}, "small", BASE, PATIENT)


@pytest.mark.parametrize(
    "prefetch", [{}, {"other": bundle()}, {KEY: OUTCOME}, {KEY: "<html>504 Gateway Time-out</html>"}]
)
def test_what_was_not_obtained_says_nothing(prefetch: Json) -> None:
    assert isinstance(find_intake(prefetch, "small", BASE, PATIENT), NotObtained)


@pytest.mark.parametrize(
    "value",
    [None, bundle(), bundle(OTHER), bundle(intake(WELL, status="in-progress")),
     bundle(intake(WELL, status="entered-in-error")), OTHER, bundle(intake(WELL, ruleset="low_back_pain"))],
)  # fmt: skip
def test_there_is_nothing(value: object) -> None:
    assert find(value) is Lack.NOTHING


@pytest.mark.parametrize(
    "value",
    [
        bundle(OTHER, **NEXT),
        bundle(OTHER, total=6),
        bundle(OTHER, OUTCOME, total=1),
        bundle(total=1),
        bundle(*([OTHER] * 5), total=None),  # as many as were asked for, and no total
        bundle(OTHER) | {"entry": [{"fullUrl": "urn:x"}]},
    ],
)
def test_a_part_without_it_is_not_nothing(value: object) -> None:
    assert find(value) is Lack.PERHAPS_ELSEWHERE


def test_a_part_with_it_is_used_and_not_taken_for_the_whole() -> None:
    for members in (NEXT, {"total": 9}):
        found = find(bundle(OTHER, intake(NUMB), **members))
        assert isinstance(found, Intake)
        assert not found.whole
    whole = find(bundle(OTHER, intake(NUMB)))
    assert whole == Intake(intake(NUMB), "prefetch.intake.entry[1].resource", True)
    assert find(intake(NUMB)) == Intake(intake(NUMB), "prefetch.intake", True)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2026-11-01T10:00:00Z", "2026-11-01T10:00:01Z"),
        ("2026-11-01T12:00:00+02:00", "2026-11-01T11:30:00Z"),
        ("2026-11-01", "2026-11-04"),
        ("2026-09", "2026-11-04T10:00:00Z"),
        ("2024", "2026-11"),
    ],
)
def test_the_newest_counts_wherever_it_stands(older: str, newer: str) -> None:
    old, new = intake(WELL, authored=older), intake(NUMB, authored=newer)
    for value in (bundle(old, new), bundle(new, old)):
        assert find(value).response == new


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-11-01", "2026-11-01T10:00:00Z"),
        ("2026-11-01T10:00:00Z", "2026-11-01T12:00:00+02:00"),
        ("2026-11-01", "2026-11-02"),
        ("2026", "2026-11-02"),
        ("", "2026-11-02"),
        ("yesterday", "2026-11-02"),
        ("2026-11-02T10:00:00", "2026-11-03T10:00:00Z"),
        ("2026-02-31", "2026-11-03T10:00:00Z"),
        ("0001", "2026-11-03T10:00:00Z"),
    ],
)
def test_an_order_that_cannot_be_told_is_not_guessed(one: str, other: str) -> None:
    for value in (bundle(intake(WELL, authored=one), intake(NUMB, authored=other)),
                  bundle(intake(NUMB, authored=other), intake(WELL, authored=one))):  # fmt: skip
        assert find(value) is Lack.ORDER_UNKNOWN


def test_one_alone_needs_no_time() -> None:
    assert find(bundle(intake(NUMB), intake(WELL, status="in-progress", authored="2026-11-02"))).response == intake(
        NUMB
    )


@pytest.mark.parametrize("value", [3, [], {}, {"resourceType": "Patient"}, True])
def test_what_is_no_fhir_is_refused(value: object) -> None:
    with pytest.raises(MalformedResource) as refused:
        find(value)
    assert refused.value.violations[0].field == "prefetch.intake"


@pytest.mark.parametrize("entry", [{"entry": 3}, {"entry": [3, None, {"resource": 4}]}, {"link": 3}, {"link": [4]}])
def test_a_bundle_may_be_odd(entry: Json) -> None:
    assert find(bundle() | entry) in (Lack.NOTHING, Lack.PERHAPS_ELSEWHERE)


def test_a_response_is_checked_before_it_is_read() -> None:
    with pytest.raises(MalformedResource) as refused:
        find(bundle(OTHER, intake(NUMB, item=[{"linkId": 3}])))
    assert refused.value.violations[0].field.startswith("prefetch.intake.entry[1].resource")


@pytest.mark.parametrize("subject", ["Patient/2", "https://ehr.example/fhir/Patient/2", "urn:uuid:2", "Patient/"])
def test_somebody_elses_answers_are_refused(subject: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        find(bundle(intake(WELL), intake(NUMB, subject={"reference": subject})))
    assert [(each.field, each.code) for each in refused.value.violations] == [
        ("prefetch.intake.entry[1].resource.subject", "wrong-patient")
    ]
    assert isinstance(refused.value, AnswersError)


@pytest.mark.parametrize("subject", [f"https://ehr.example/fhir/Patient/{PATIENT}", f"urn:uuid:{PATIENT}", PATIENT])
def test_the_patient_may_be_written_in_many_ways(subject: str) -> None:
    assert isinstance(find(intake(NUMB, subject={"reference": subject})), Intake)


def test_the_query_gets_amended_responses_too() -> None:
    assert QUERY == (
        "QuestionnaireResponse?patient={{context.patientId}}&status=completed,amended&_sort=-authored&_count=5"
    )
