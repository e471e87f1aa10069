"""`pluis evaluate --server` against a server that wants to know who asks."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.cli import main
from engine.serve.config import Issuer
from tests.serve.access.conftest import caller
from tests.serve.access.minting import Authority, Mint
from tests.serve.access.test_wire import Secured, secured

PATIENT = json.dumps({"ruleset": "small", "answers": {"numb": True}}).encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("asking")


@pytest.fixture(scope="module")
def server(folder: Path, issuer: Issuer) -> Iterator[Secured]:
    authority = Authority()
    authority.file(folder).rename(folder / "authority.pem")
    with secured(folder, authority, issuers=(issuer,), callers=(caller(),)) as started:
        yield started


Evaluate = Callable[..., tuple[int, str, str]]


@pytest.fixture
def evaluate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Evaluate:
    """The command with these options, for one patient: its exit code, and what it says."""

    def run(*options: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["pluis", "evaluate", "-", "--json", *map(str, options)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PATIENT)))
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    return run


def test_a_token_of_a_file_gets_a_decision(evaluate: Evaluate, server: Secured, mint: Mint, folder: Path) -> None:
    token = folder / "token"
    token.write_text(f"{mint.token()}\n", encoding="ascii")
    asked = ("--server", server.address, "--tls-authority", folder / "authority.pem", "--token-file", token)
    code, out, err = evaluate(*asked)
    assert (code, err) == (0, "")
    assert json.loads(out)["decision"]["disposition"] == "DISPOSITION_EMERGENCY"
    code, out, err = evaluate(*asked)  # the same token again
    assert (code, json.loads(out)["error"]["code"]) == (1, "UNAUTHENTICATED")
    assert evaluate(*asked[:2])[0] == 1  # without TLS nobody answers


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--token-file", "TOKEN"), "need `--server`"),
        (("--certificate", "TOKEN"), "need `--server`"),
        (("--server", "127.0.0.1:1", "--certificate", "TOKEN"), "belong together"),
        (("--server", "127.0.0.1:1", "--key", "TOKEN"), "belong together"),
        (("--server", "127.0.0.1:1", "--token-file", "missing"), "missing: No such file"),
        (("--server", "127.0.0.1:1", "--token-file", "EMPTY"), "has no token"),
        (("--server", "127.0.0.1:1", "--tls-authority", "missing"), "missing: No such file"),
    ],
    ids=str,
)
def test_what_cannot_be_shown_is_told_before_anything_is_asked(
    evaluate: Evaluate, tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    (tmp_path / "TOKEN").write_text("token", encoding="ascii")
    (tmp_path / "EMPTY").write_text("\n", encoding="ascii")
    code, out, err = evaluate(*(tmp_path / each if each.isupper() else each for each in options))
    assert (code, out) == (1, "")
    assert told in " ".join(err.split())
