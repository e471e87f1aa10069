"""An issuer with its file of keys, and the settings that believe it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.serve.config import CallerSettings, Issuer, Right
from tests.serve.access.minting import AUDIENCE, ISSUER, SUBJECT, Mint, key_set


@pytest.fixture(scope="module")
def mint() -> Mint:
    return Mint()


@pytest.fixture(scope="module")
def keys(mint: Mint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return key_set(tmp_path_factory.mktemp("issuer") / "keys.json", mint.jwk)


@pytest.fixture(scope="module")
def issuer(keys: Path) -> Issuer:
    return believed(keys)


def believed(keys: Path | str, **settings: object) -> Issuer:
    """The settings of an issuer; RS256 is allowed too, so that a key can be of the wrong type."""
    asked = {"algorithms": ("ES256", "ES384", "RS256"), **settings}
    return Issuer.model_validate({"issuer": ISSUER, "audience": (AUDIENCE,), "keys": str(keys), **asked})


def caller(name: str = "clinic", subject: str = SUBJECT, *rights: Right, rate: float | None = None) -> CallerSettings:
    """A caller who is known by tokens; with every right where none is named."""
    return CallerSettings(name=name, issuer=ISSUER, subject=subject, rights=frozenset(rights or Right), rate=rate)
