"""Who is let in: each caller to what it has a right to, as often as it may, by what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StateUnavailable
from engine.pb.v1 import triage_pb2 as pb
from engine.serve.access.guard import Guard, Presented
from engine.serve.access.rights import RIGHT_OF
from engine.serve.access.shared import FILE, SharedState
from engine.serve.calls import ANYBODY
from engine.serve.config import CallerSettings, Config, ConfigError, Issuer, Right, Tls, Use
from engine.serve.errors import Forbidden, RateExceeded, Unauthenticated
from tests.serve.access.conftest import believed, caller
from tests.serve.access.minting import SECONDS, Mint

RPCS = {
    method.name for name in ("TriageService", "AdminService") for method in pb.DESCRIPTOR.services_by_name[name].methods
}
NAMED = CallerSettings(name="gateway", certificate="gateway.example", rights=frozenset({Right.EVALUATE}))


@pytest.fixture
def state(tmp_path: Path) -> Iterator[SharedState]:
    made = SharedState(tmp_path / "state")
    yield made
    made.close()


class Hands:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = SECONDS

    def __call__(self) -> float:
        return self.now


def guard(state: SharedState, clock: Hands | None = None, **settings: Any) -> Guard:
    tls = Tls(certificate=Path("c"), key=Path("k"), client_authorities=Path("a"))
    return Guard(Config(rulesets=Path("rulesets"), tls=tls, **settings), state, clock or Hands())


def refused(guard: Guard, presented: Presented, method: str = "Evaluate") -> str:
    with pytest.raises(Unauthenticated) as caught:
        guard.admit(method, presented)
    return caught.value.why


def test_every_rpc_needs_a_right() -> None:
    assert set(RIGHT_OF) == RPCS


@pytest.mark.parametrize("method", sorted(RPCS))
@pytest.mark.parametrize("right", Right)
def test_one_right_opens_what_it_is_for(
    state: SharedState, issuer: Issuer, mint: Mint, method: str, right: Right
) -> None:
    asked = guard(state, issuers=(issuer,), callers=(caller("clinic", "clinic", right),))
    if RIGHT_OF[method] is right:
        assert asked.admit(method, Presented(mint.token())).name == "clinic"
    else:
        with pytest.raises(Forbidden, match=f"`clinic` has no right `{RIGHT_OF[method].value}`, which {method} needs"):
            asked.admit(method, Presented(mint.token()))


def test_a_method_that_nobody_thought_of_is_closed(state: SharedState, issuer: Issuer, mint: Mint) -> None:
    with pytest.raises(Forbidden):
        guard(state).admit("DeleteEverything", Presented())
    with pytest.raises(Forbidden):
        guard(state, issuers=(issuer,), callers=(caller(),)).admit("DeleteEverything", Presented(mint.token()))


def test_without_callers_anybody_may_do_everything(tmp_path: Path, state: SharedState) -> None:
    asked = guard(state)
    assert {asked.admit(method, Presented("whatever", ("anybody",))) for method in RPCS} == {ANYBODY}
    assert not (tmp_path / "state").exists()  # nothing to remember


def test_a_caller_shows_a_token_or_a_certificate(state: SharedState, issuer: Issuer, mint: Mint) -> None:
    asked = guard(state, issuers=(issuer,), callers=(caller(), NAMED))
    assert asked.admit("Evaluate", Presented(mint.token())).name == "clinic"
    assert asked.admit("Evaluate", Presented(mint.token(), ("proxy.example",))).name == "clinic"
    assert asked.admit("Evaluate", Presented(None, ("other.example", "gateway.example"))).name == "gateway"
    assert refused(asked, Presented()) == "nothing-shown"
    assert refused(asked, Presented("")) == "malformed"
    assert refused(asked, Presented(None, ("proxy.example",))) == "certificate-unknown"
    assert refused(asked, Presented(None, ("GATEWAY.example",))) == "certificate-unknown"
    assert refused(asked, Presented(mint.token(sub="somebody-else"))) == "subject-unknown"
    assert refused(asked, Presented(mint.token(sub="gateway.example"))) == "subject-unknown"


def test_what_is_shown_must_fit_together(state: SharedState, issuer: Issuer, mint: Mint) -> None:
    second = NAMED.model_copy(update={"name": "second", "certificate": "second.example"})
    asked = guard(state, issuers=(issuer,), callers=(caller(), NAMED, second))
    assert refused(asked, Presented(mint.token(), ("gateway.example",))) == "callers-differ"
    assert refused(asked, Presented(None, ("gateway.example", "second.example"))) == "callers-differ"
    assert refused(asked, Presented(mint.token(exp=1), ("gateway.example",))) == "expired"


def test_a_token_counts_once_for_all_workers(tmp_path: Path, issuer: Issuer, mint: Mint) -> None:
    states = [SharedState(tmp_path / "state") for _ in range(2)]
    first, second = (guard(state, issuers=(issuer,), callers=(caller(),)) for state in states)
    token = Presented(mint.token())
    assert first.admit("Evaluate", token).name == "clinic"
    assert refused(first, token) == refused(second, token) == "replayed"
    for state in states:
        state.close()


def test_a_caller_has_its_rate(state: SharedState, keys: Path, mint: Mint) -> None:
    issuer, clock = believed(keys, use=Use.UNTIL_EXPIRY), Hands()
    callers = (caller(rate=2), caller("other", "other"), caller("third", "third", Right.AUDIT))
    asked = guard(state, clock, issuers=(issuer,), callers=callers, rate=1)
    ours, other, third = (Presented(mint.token(sub=each)) for each in ("clinic", "other", "third"))
    asked.admit("Evaluate", ours)
    admitted = asked.admit("ListRulesets", ours)
    with pytest.raises(RateExceeded, match="more than 2 calls in a second") as caught:
        asked.admit("Evaluate", ours)
    assert caught.value.after == pytest.approx(0.5)
    assert asked.admit("Evaluate", other).rate == 1
    with pytest.raises(RateExceeded, match="more than 1 calls"):
        asked.admit("Evaluate", other)
    with pytest.raises(Forbidden):  # what is refused costs nothing
        asked.admit("Evaluate", third)
    asked.admit("GetDecision", third)
    clock.now += 0.5
    asked.spend(admitted)
    with pytest.raises(RateExceeded):
        asked.spend(admitted)


def test_a_slow_rate_still_lets_one_in(state: SharedState) -> None:
    clock = Hands()
    asked = guard(state, clock, rate=0.1)
    assert asked.admit("Evaluate", Presented()).name == ""
    with pytest.raises(RateExceeded) as caught:
        asked.admit("Evaluate", Presented())
    assert caught.value.after == pytest.approx(10)
    clock.now += 10
    asked.admit("Evaluate", Presented())


def test_without_the_state_nobody_is_let_in(tmp_path: Path, state: SharedState, issuer: Issuer, mint: Mint) -> None:
    asked = guard(state, issuers=(issuer,), callers=(caller(),))
    state.close()
    for path in (tmp_path / "state").iterdir():
        path.unlink()
    (tmp_path / "state" / FILE).mkdir()
    with pytest.raises(StateUnavailable):
        asked.admit("Evaluate", Presented(mint.token()))


def test_what_cannot_be_had_is_told_at_the_start(tmp_path: Path, state: SharedState, issuer: Issuer) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        guard(state, issuers=(believed(tmp_path / "missing.json"),), callers=(caller(),))
    (tmp_path / "state").write_text("a file", encoding="utf-8")
    for settings in ({"issuers": (issuer,), "callers": (caller(),)}, {"rate": 5}):
        with pytest.raises(StateUnavailable):
            guard(state, **settings)


def test_a_token_is_in_no_representation() -> None:
    assert "marker" not in repr(Presented("marker"))
