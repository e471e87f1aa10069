"""The table from exception to status: well-formed, bounded, and silent about what is not the caller's business."""

from __future__ import annotations

import re
from dataclasses import dataclass

import grpc
import pytest
from google.rpc import error_details_pb2

from engine.errors import AnswersError, EngineFault, EvaluatorsDisagree, PluisError, Violation
from engine.serve.calls import ANYBODY, Call
from engine.serve.errors import (
    CONTRADICTION,
    LARGEST,
    TABLE,
    UNEXPECTED,
    CallCancelled,
    DeadlineExceeded,
    InvalidRequest,
    row_of,
    status_of,
)
from engine.serve.registry import NotEffective, UnknownLanguage, UnknownRuleset, UnknownVersion


def test_reasons_are_as_google_rpc_wants_them_and_no_code_is_unknown() -> None:
    rows = [*TABLE.values(), CONTRADICTION, UNEXPECTED]
    for row in rows:
        assert re.fullmatch(r"[A-Z][A-Z0-9_]{0,61}[A-Z0-9]", row.reason)
        assert row.code not in (grpc.StatusCode.OK, grpc.StatusCode.UNKNOWN)
        assert row.told or row.message or row.code is grpc.StatusCode.INVALID_ARGUMENT
    assert len({row.reason for row in rows}) == len(rows)


def test_the_nearest_class_of_the_table_counts_and_any_other_error_is_internal() -> None:
    class NewFault(EngineFault):
        pass

    assert row_of(NewFault("x")).reason == "ENGINE_FAULT"
    assert row_of(InvalidRequest([])).reason == "INVALID_REQUEST"
    assert row_of(PluisError("x")) == row_of(KeyError("x")) == UNEXPECTED


LONG = "\N{SNOWMAN}" * 10_000


@pytest.mark.parametrize(
    "error",
    [
        AnswersError([Violation("a" * 70, "wrong-type", LONG)]),
        AnswersError([Violation(f"{number}" + "\N{SNOWMAN}" * 70, "wrong-type", LONG) for number in range(1000)]),
        UnknownRuleset(LONG, {"ruleset": LONG}, ["long_name"] * 1000),
        UnknownVersion(LONG, {"ruleset": LONG, "version": LONG}, ["1.0.0"] * 1000),
        UnknownLanguage(LONG, {"ruleset": "x" * 100, "language": LONG}, ["nl"] * 1000),
        NotEffective(LONG, {"ruleset": "x" * 100, "version": LONG}, ["1.0.0"] * 1000),
        EvaluatorsDisagree(LONG),
        ValueError(LONG),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_status_stays_small_whatever_it_has_to_tell(error: Exception) -> None:
    status = status_of(error, "x" * 128)
    assert status.ByteSize() <= LARGEST
    info = error_details_pb2.ErrorInfo()
    assert sum(detail.Unpack(info) for detail in status.details) == 1
    assert all(re.fullmatch(r"[a-z][a-zA-Z0-9]{0,63}", key) for key in info.metadata)


@dataclass
class Waiting:
    """What a call tells of the caller."""

    remaining: float
    active: bool

    def time_remaining(self) -> float:
        return self.remaining

    def is_active(self) -> bool:
        return self.active


@pytest.mark.parametrize(
    ("context", "error"), [(Waiting(0.0, True), DeadlineExceeded), (Waiting(1.0, False), CallCancelled)]
)
def test_work_for_nobody_is_not_done(context: Waiting, error: type[Exception]) -> None:
    with pytest.raises(error):
        Call(ANYBODY, "1", context).check_wanted()
    Call(ANYBODY, "1", Waiting(1.0, True)).check_wanted()
