"""Signing and verifying on disk: the file of a private key, what a folder or file comes to, and where signatures stand.

What counts is decided in `engine.rules.approval`; here files are read and written for it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from engine.author.format import write_text
from engine.decide.cases import CaseResult, run_cases
from engine.decide.evaluate import Evaluator
from engine.errors import PluisError
from engine.rules import ed25519
from engine.rules.approval import Examined, Kind, Signed, Statement, TrustList, bundle_digest, examine, sign
from engine.rules.certificate import CERTIFICATE, certificate_faults
from engine.rules.load import MAIN, load, load_approvals, load_cases, load_certificate, load_signed
from engine.rules.model import CheckedRuleset, Role
from engine.rules.signed_files import APPROVALS, KEYS, SIGNATURES, SIGNATURES_OF, render_signed, render_trust

_BEGIN = "-----BEGIN "
_WHO, _ROLE = "Who: ", "Role: "


class NotSigned(PluisError):
    """Something cannot be signed, or a key cannot be used; the message says why."""


class CasesFail(PluisError):
    """A ruleset fails its own cases, so it cannot be approved; `failed` are these."""

    def __init__(self, failed: Sequence[CaseResult]) -> None:
        named = ", ".join(result.case.id for result in failed)
        super().__init__(f"it fails its own cases, and cannot be approved: {named}; `pluis test` says how")
        self.failed = tuple(failed)


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A secret and whose it is, as the key file says; the trust list decides whether that is believed."""

    secret: bytes
    who: str
    role: Role

    @property
    def public(self) -> bytes:
        return ed25519.public_of(self.secret)

    @property
    def id(self) -> str:
        return ed25519.key_id(self.public)


def new_key(who: str, role: Role) -> PrivateKey:
    """A key that nobody had before."""
    return PrivateKey(secrets.token_bytes(ed25519.SECRET_SIZE), one_line(who), role)


def one_line(text: str) -> str:
    """The text, if it can be signed: one line, with nothing that cannot be seen. Raises NotSigned."""
    if not text.isprintable():
        raise NotSigned("a name or remark must be one line, without characters that cannot be seen")
    return text


def write_key(key: PrivateKey, file: Path, passphrase: str) -> None:
    """Writes a private key that its owner alone may read; never over another file."""
    text = f"{_WHO}{key.who}\n{_ROLE}{key.role.value}\n{ed25519.to_pem(key.secret, passphrase)}"
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise NotSigned(f"{file} is there already, and a key is never written over") from None
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(text)


def read_key(file: Path, passphrase: str) -> PrivateKey:
    """The private key in a file that `write_key` wrote. Raises NotSigned."""
    try:
        text = file.read_text(encoding="utf-8")
        before, begin, pem = text.partition(_BEGIN)
        said = {line.partition(": ")[0]: line.partition(": ")[2] for line in before.splitlines()}
        return PrivateKey(ed25519.from_pem(begin + pem, passphrase), one_line(said["Who"]), Role(said["Role"]))
    except (KeyError, UnicodeDecodeError):
        raise NotSigned(f"{file}: it is no key file of `pluis keys new`") from None
    except ValueError:
        raise NotSigned(f"{file}: its role is none of {', '.join(role.value for role in Role)}") from None
    except (ed25519.BadKeyFile, NotSigned) as fault:
        raise NotSigned(f"{file}: {fault}") from None


def approve(folder: Path, key: PrivateKey, when: datetime, remarks: str) -> tuple[CheckedRuleset, Signed]:
    """Signs what the ruleset in a folder says, beside it, in place of an earlier approval with the same key.

    Raises RulesetError for one with problems, NotSigned for one without cases, CasesFail for one that fails them.
    """
    checked = load(folder)
    cases = load_cases(folder, checked)
    if not cases:
        raise NotSigned(f"{folder}: it has no cases, and nobody knows what it does")
    evaluator = Evaluator(checked)
    failed = [result for result in run_cases(evaluator, cases) if not result.passed]
    evaluator.rete.close()
    if failed:
        raise CasesFail(failed)
    signed = _signed(Kind.RULESET, checked.digest, key, when, remarks)
    add(folder / APPROVALS, signed)
    return checked, signed


def sign_path(path: Path, key: PrivateKey, when: datetime, remarks: str) -> tuple[Path, Signed]:
    """Signs a folder or a file as it is; the file with the signatures, and the new one."""
    kind, file = _kept(path)
    signed = _signed(kind, digest_of_files(path), key, when, remarks)
    add(file, signed)
    return file, signed


def _signed(kind: Kind, digest: str, key: PrivateKey, when: datetime, remarks: str) -> Signed:
    return sign(Statement(digest, kind, key.who, key.role, when, one_line(remarks)), key.secret)


def add(file: Path, signed: Signed) -> None:
    """Puts a signature into a file, in place of an earlier one with the same key."""
    others = [each for each in load_signed(file) if each.key != signed.key]
    replace(file, render_signed([*others, signed]))


def save_trust(root: Path, trust: TrustList) -> None:
    """Writes the trust list of a folder of rulesets."""
    replace(root / KEYS, render_trust(trust))


def replace(file: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    if not file.exists():
        file.touch()
    write_text(file, text)


def digest_of_files(path: Path) -> str:
    """The digest of a file, or of all files of a folder but the signatures of the folder itself. Raises NotSigned."""
    if not path.is_dir():
        return bundle_digest({path.name: hashlib.sha256(path.read_bytes()).hexdigest()})
    hashes = {}
    for each in path.rglob("*"):
        name = each.relative_to(path).as_posix()
        if each.is_symlink() or not (each.is_file() or each.is_dir()):
            raise NotSigned(f"{each}: a folder with links or devices cannot be signed")
        if not name.isprintable():
            raise NotSigned(f"{path}: the name of a file has a character that cannot be seen")
        if each.is_file() and name != SIGNATURES:
            hashes[name] = hashlib.sha256(each.read_bytes()).hexdigest()
    if not hashes:
        raise NotSigned(f"{path}: there is nothing in it to sign")
    return bundle_digest(hashes)


def _kept(path: Path) -> tuple[Kind, Path]:
    """As what a path is signed, and where its signatures stand."""
    if path.is_dir():
        return Kind.BUNDLE, path / SIGNATURES
    kind = Kind.CERTIFICATE if path.name == CERTIFICATE else Kind.BUNDLE
    return kind, path.with_name(path.name + SIGNATURES_OF)


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found in one file with signatures; `faults` are of what was signed, not of the signatures."""

    file: Path
    kind: Kind
    digest: str
    examined: Examined
    faults: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.examined.refused and not self.faults


def verify_path(path: Path, trust: TrustList, day: date) -> list[Verified]:
    """Every signature that stands beside or in a path. Raises RulesetError for a ruleset that cannot be read."""
    found = []
    if (path / MAIN).is_file():
        checked = load(path)
        approvals = load_approvals(path)
        if approvals:
            examined = examine(approvals, trust, checked.digest, Kind.RULESET, day)
            found.append(Verified(path / APPROVALS, Kind.RULESET, checked.digest, examined))
        certificate = load_certificate(path)
        if certificate is not None:
            found.append(_verified(path / CERTIFICATE, trust, day, certificate_faults(checked, certificate)))
    found.append(_verified(path, trust, day, ()))
    return [each for each in found if each.examined.valid or not each.holds]


def _verified(path: Path, trust: TrustList, day: date, faults: tuple[str, ...]) -> Verified:
    kind, file = _kept(path)
    signed = load_signed(file)
    digest = digest_of_files(path) if signed else ""
    return Verified(file, kind, digest, examine(signed, trust, digest, kind, day), faults)
