"""Signing from the terminal, end to end in a copy: keys, trust, approve, lint, verify, and every refusal."""

from __future__ import annotations

import io
import re
import secrets
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.author.signing import NotSigned, digest_of_files
from engine.cli import main
from engine.rules import ed25519
from engine.rules.certificate import CERTIFICATE, Certificate, ClaimVerdict, render_certificate
from engine.rules.load import load

MINIMAL = Path(__file__).parent / "data" / "minimal"
PASSPHRASE = "PLUIS_KEY_PASSPHRASE"
PEM = ed25519.to_pem(secrets.token_bytes(ed25519.SECRET_SIZE))
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process: its exit code, and what it said on both streams."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv(PASSPHRASE, raising=False)

    def _run(*arguments: object, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["pluis", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    return _run


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of rulesets with the bicycle in it."""
    root = tmp_path / "rulesets"
    shutil.copytree(MINIMAL, root / "bicycle")
    monkeypatch.setenv("PLUIS_RULESETS", str(root))
    return root


@pytest.fixture
def people(run: Run, root: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Two key files, both trusted."""
    files = tmp_path / "gp.pem", tmp_path / "pt.pem"
    for file, who, role in zip(files, ("A. Jansen", "Zoë de Vries"), ("gp", "physiotherapist"), strict=True):
        assert run("keys", "new", "--who", who, "--role", role, "--out", file)[0] == 0
        code, entry, _ = run("keys", "show", file)
        assert code == 0
        assert run("keys", "trust", "-", stdin=entry)[0] == 0
    return files


def replace_in(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) >= 1
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_ruleset_from_draft_to_approved_and_back(run: Run, root: Path, people: tuple[Path, Path]) -> None:
    folder = root / "bicycle"
    code, out, err = run("approve", folder, "--key", people[0], "--remarks", "Read with the team")
    assert (code, err) == (0, "")
    for said in ("bicycle 1.0.0", load(folder).digest, '"remarks": "Read with the team"', '"kind": "ruleset"', "draft"):
        assert said in out
    assert "it needs a valid approval of a physiotherapist" in out
    code, out, _ = run("approve", folder, "--key", people[1], "--remarks", "")
    assert code == 0 and "status   approved" in out

    code, out, _ = run("verify", folder)
    assert code == 0
    assert re.findall(r"holds  +(.*)", out)[0].startswith("`A. Jansen` (gp)") and "Zoë de Vries" in out
    assert run("lint", folder)[0] == 0

    replace_in(folder / "texts.nl.yaml", "Rijdt hij beter?", "Gaat hij beter?")
    code, out, _ = run("verify", folder)
    assert code == 2 and out.count("it was signed for another content") == 2
    code, out, _ = run("lint", folder)
    assert code == 0 and out.count("warning[approval-outdated]") == 2

    code, out, _ = run("approve", folder, "--key", people[0], "--remarks", "Read again")
    assert code == 0
    assert (folder / "approvals.json").read_text(encoding="utf-8").count('"who": "A. Jansen"') == 1
    code, out, _ = run("verify", folder)
    assert code == 2 and out.count("another content") == 1


def test_what_was_changed_after_signing_is_an_error_of_lint(run: Run, root: Path, people: tuple[Path, Path]) -> None:
    folder = root / "bicycle"
    run("approve", folder, "--key", people[0], "--remarks", "Not yet good")
    replace_in(folder / "approvals.json", "Not yet good", "Now yet good")
    code, out, _ = run("lint", folder)
    assert code == 2 and "error[approval-invalid]" in out and "does not fit its signature" in out
    assert run("verify", folder)[0] == 2


def test_a_revoked_key_counts_for_nothing(run: Run, root: Path, people: tuple[Path, Path]) -> None:
    folder = root / "bicycle"
    run("approve", folder, "--key", people[0], "--remarks", "")
    _, out, _ = run("keys", "list")
    (id,) = [line.split()[0] for line in out.splitlines() if "A. Jansen, gp" in line]
    assert len(out.splitlines()) == 2
    code, out, _ = run("keys", "revoke", id)
    assert code == 0 and "revoked on" in out
    code, out, _ = run("verify", folder)
    assert code == 2 and "a key that was revoked" in out
    assert run("keys", "revoke", id)[0] == 0
    code, _, err = run("keys", "revoke", id[:-1] + "?")
    assert code == 1 and "did you mean" in err


def test_a_key_that_nobody_trusts_signs_and_is_told_so(run: Run, root: Path, tmp_path: Path) -> None:
    run("keys", "new", "--who", "A", "--role", "gp", "--out", tmp_path / "key.pem")
    code, out, err = run("approve", root / "bicycle", "--key", tmp_path / "key.pem", "--remarks", "")
    assert code == 0 and "status   draft" in out and "is not in the trust list" in err
    code, out, _ = run("lint", root / "bicycle")
    assert code == 0 and "warning[approval-unknown-key]" in out


def test_what_cannot_be_approved(run: Run, root: Path, people: tuple[Path, Path]) -> None:
    folder = root / "bicycle"
    approval = ("approve", folder, "--key", people[0], "--remarks", "")
    before = (folder / "ruleset.yaml").read_text(encoding="utf-8")
    replace_in(folder / "ruleset.yaml", "{brakes_fail: yes}", "{brake_fails: yes}")
    code, _, err = run(*approval)
    assert code == 2 and "unknown-question" in err
    (folder / "ruleset.yaml").write_text(before, encoding="utf-8")
    replace_in(folder / "cases.yaml", "within_hours: 1", "within_hours: 2")
    code, _, err = run(*approval)
    assert code == 4 and "fails its own cases" in err
    (folder / "cases.yaml").unlink()
    code, _, err = run(*approval)
    assert code == 2 and "no cases" in err
    assert not (folder / "approvals.json").exists()


def test_remarks_are_one_line(run: Run, root: Path, people: tuple[Path, Path]) -> None:
    code, _, err = run("approve", root / "bicycle", "--key", people[0], "--remarks", "one\ntwo")
    assert code == 2 and "one line" in err
    assert not (root / "bicycle" / "approvals.json").exists()


def test_a_private_key_is_its_owner_s_alone(
    run: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key.pem"
    new = ("keys", "new", "--who", "A. B.: C", "--role", "operator", "--out", file)
    monkeypatch.setenv(PASSPHRASE, "correct horse")
    code, out, err = run(*new)
    assert code == 0 and err == ""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text(encoding="utf-8")
    assert "ENCRYPTED" in text
    code, _, err = run(*new)
    assert code == 1 and "never written over" in err
    assert file.read_text(encoding="utf-8") == text
    code, entry, _ = run("keys", "show", file)
    assert code == 0 and out.split()[0] in entry and '"who": "A. B.: C"' in entry
    for passphrase, told in (("wrong", "the passphrase is another"), ("", "is empty")):
        monkeypatch.setenv(PASSPHRASE, passphrase)
        code, _, err = run("keys", "show", file)
        assert code == 2 and told in err
    monkeypatch.delenv(PASSPHRASE)
    code, _, err = run("keys", "show", file)
    assert code == 2 and "needs a passphrase" in err
    code, _, err = run(*new[:-1], tmp_path / "open.pem")
    assert code == 0 and "is not encrypted" in err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no private key"),
        ("Who: A\nRole: gp\n", "no private key"),
        (PEM, "no key file"),
        (f"Who: A\n{PEM}", "no key file"),
        (f"Who: A\nRole: nurse\n{PEM}", "its role is none of gp, physiotherapist, operator"),
        (f"Who: A\u202e\nRole: gp\n{PEM}", "cannot be seen"),
    ],
)
def test_what_is_no_key_file(run: Run, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "key.pem").write_text(text, encoding="utf-8")
    code, _, err = run("keys", "show", tmp_path / "key.pem")
    assert code == 2 and told in err


def test_a_role_or_name_that_is_none(run: Run, tmp_path: Path) -> None:
    code, _, err = run("keys", "new", "--who", "A", "--role", "nurse", "--out", tmp_path / "a")
    assert code == 2 and "write one of `gp`, `physiotherapist`, `operator`" in err
    code, _, err = run("keys", "new", "--who", " ", "--role", "gp", "--out", tmp_path / "a")
    assert code == 2 and "needs the name" in err
    assert not (tmp_path / "a").exists()


def test_what_cannot_be_trusted(run: Run, root: Path, people: tuple[Path, Path]) -> None:
    before = (root / "keys.json").read_text(encoding="utf-8")
    _, entry, _ = run("keys", "show", people[0])
    code, _, err = run("keys", "trust", "-", stdin=entry)
    assert code == 2 and "in the list already" in err
    code, _, err = run("keys", "trust", "-", stdin=entry.replace("A. Jansen", " "))
    assert code == 2 and "nobody is named" in err
    code, _, err = run("keys", "trust", "-", stdin=entry.replace('"id": "', '"id": "0'))
    assert code == 2 and "is not the id of this key" in err
    assert (root / "keys.json").read_text(encoding="utf-8") == before


def test_a_key_is_trusted_for_a_period(run: Run, root: Path, tmp_path: Path) -> None:
    run("keys", "new", "--who", "A", "--role", "gp", "--out", tmp_path / "key.pem")
    _, entry, _ = run("keys", "show", tmp_path / "key.pem")
    period = ("--valid-from", "2026-01-01", "--valid-until")
    code, _, err = run("keys", "trust", "-", *period, "2026-01-01", stdin=entry)
    assert code == 2 and "never be valid" in err
    code, out, _ = run("keys", "trust", "-", *period, "2026-01-02", stdin=entry)
    assert code == 0 and "A, gp, from 2026-01-01 until 2026-01-02" in out
    run("approve", root / "bicycle", "--key", tmp_path / "key.pem", "--remarks", "")
    code, out, _ = run("verify", root / "bicycle")
    assert code == 2 and "its key was not valid any more" in out


def test_a_bundle_is_signed_and_every_change_shows(run: Run, tmp_path: Path, people: tuple[Path, Path]) -> None:
    folder = tmp_path / "bundle"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("a", encoding="utf-8")
    (folder / "deep" / "b.txt").write_text("b", encoding="utf-8")
    assert run("verify", folder)[0] == 2
    for key in people:
        assert run("sign", folder, "--key", key)[0] == 0
    code, out, _ = run("verify", folder)
    assert code == 0 and out.count("  holds") == 2 and "bundle" in out
    changes: list[Callable[[], object]] = [
        lambda: (folder / "a.txt").write_text("A", encoding="utf-8"),
        lambda: (folder / "a.txt").rename(folder / "c.txt"),
        (folder / "deep" / "b.txt").unlink,
        lambda: (folder / "deep" / "signatures.json").write_text("", encoding="utf-8"),
    ]
    for number, change in enumerate(changes):
        other = tmp_path / f"kept{number}"
        shutil.copytree(folder, other)
        change()
        code, out, _ = run("verify", folder)
        assert code == 2 and out.count("signed for another content") == 2
        shutil.rmtree(folder)
        shutil.move(other, folder)
    assert run("verify", folder)[0] == 0


def test_a_file_is_signed_beside_itself(run: Run, tmp_path: Path, people: tuple[Path, Path]) -> None:
    file = tmp_path / "handbook.html"
    file.write_text("<p>", encoding="utf-8")
    code, out, _ = run("verify", file)
    assert (code, out) == (2, "")
    run("sign", file, "--key", people[0], "--remarks", "As printed")
    code, out, _ = run("verify", file)
    assert code == 0 and "As printed" in out and (tmp_path / "handbook.html.sig.json").exists()
    file.write_text("<p>!", encoding="utf-8")
    assert run("verify", file)[0] == 2


def test_a_certificate_is_signed_as_one(run: Run, root: Path, people: tuple[Path, Path]) -> None:
    folder = root / "bicycle"
    checked = load(folder)
    claims = tuple(ClaimVerdict(each.id, each.kind, "proved") for each in checked.ruleset.claims.values())
    text = render_certificate(Certificate("bicycle", "1.0.0", checked.digest, "a solver", "pluis", claims))
    file = folder / CERTIFICATE
    file.write_text(text, encoding="utf-8")
    run("sign", file, "--key", people[0])
    for path in (file, folder):
        code, out, _ = run("verify", path)
        assert code == 0 and "certificate.json.sig.json: certificate" in out
    replace_in(folder / "ruleset.yaml", "{above: 10}", "{above: 11}")
    code, out, _ = run("verify", folder)
    assert code == 2 and "does not hold   it was made for another content" in out and "  holds" in out
    code, out, _ = run("lint", folder)
    assert code == 0 and "warning[certificate-invalid]" in out


def test_a_signature_for_one_thing_is_none_for_another(run: Run, root: Path, people: tuple[Path, Path]) -> None:
    """A bundle's signature put where approvals stand, with the digest of the ruleset, is still no approval."""
    folder = root / "bicycle"
    run("approve", folder, "--key", people[0], "--remarks", "")
    replace_in(folder / "approvals.json", '"kind": "ruleset"', '"kind": "bundle"')
    code, out, _ = run("verify", folder)
    assert code == 2 and "signed as a bundle, not as a ruleset" in out and "does not fit its signature" in out


def test_what_stands_elsewhere_cannot_be_signed(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    folder.mkdir()
    with pytest.raises(NotSigned, match="nothing in it"):
        digest_of_files(folder)
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(NotSigned, match="links"):
        digest_of_files(folder)


def test_serve_can_require_both(root: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from engine.cli import main; main()", "serve", "--port", "0", "--log", "off"]
    command += ["--rulesets", str(root), "--state", str(tmp_path / "state")]
    command += ["--require-approval", "--require-certificate"]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "bicycle: it has no certificate, and this server requires one; it is not approved by a gp" in done.stderr
