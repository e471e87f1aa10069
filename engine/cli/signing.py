"""Commands for those who sign: approve, sign, verify, and keys."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.terminal import CASES_FAILED, FAILED, INVALID, RULESETS, Rulesets, complain, opened

if TYPE_CHECKING:
    from engine.author.signing import PrivateKey
    from engine.rules.approval import Signed, TrustedKey, TrustList

PASSPHRASE = "PLUIS_KEY_PASSPHRASE"
"""The environment variable with the passphrase of a key file; a key file without one is not encrypted."""

KeyFile = Annotated[Path, typer.Option("--key", metavar="FILE", help=f"Your private key; ${PASSPHRASE} opens it.")]
Remarks = Annotated[str, typer.Option(metavar="TEXT", help="What you want to say with it; it is signed too.")]
Day = typer.Option(metavar="DATE", formats=["%Y-%m-%d"])

keys = typer.Typer(no_args_is_help=True, help="Make keys, and keep the list of keys that count.")


def approve(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of a ruleset.")],
    key: KeyFile,
    remarks: Remarks,
    rulesets: Rulesets = RULESETS,
) -> None:
    """Sign what a ruleset says: 0 signed, 2 it has problems or no cases, 4 its cases fail."""
    from engine.author.signing import CasesFail, NotSigned
    from engine.author.signing import approve as approve_ruleset
    from engine.errors import RulesetError
    from engine.rules.approval import Kind, examine, missing_roles
    from engine.rules.load import load_approvals, load_trust
    from engine.rules.signed_files import APPROVALS

    trust = load_trust(rulesets)
    private = _private(key)
    try:
        checked, signed = approve_ruleset(folder, private, _now(), remarks)
    except CasesFail as error:
        complain(str(error))
        raise typer.Exit(CASES_FAILED) from None
    except (RulesetError, NotSigned) as error:
        complain(str(error))
        raise typer.Exit(INVALID) from None
    typer.echo(f"ruleset  {checked.ruleset.id} {checked.ruleset.version}")
    _show_signed(signed, folder / APPROVALS, trust)
    valid = examine(load_approvals(folder), trust, checked.digest, Kind.RULESET, _now().date()).valid
    missing = missing_roles(valid)
    typer.echo(f"status   {'draft' if missing else 'approved'}")
    if missing:
        typer.echo(f"         it needs a valid approval of a {' and a '.join(role.value for role in missing)}")


def sign(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder or a file; certificate.json is one too.")],
    key: KeyFile,
    remarks: Remarks = "",
    rulesets: Rulesets = RULESETS,
) -> None:
    """Sign a folder or a file as it is: its names and contents."""
    from engine.author.signing import sign_path
    from engine.rules.load import load_trust

    trust = load_trust(rulesets)
    file, signed = sign_path(path, _private(key), _now(), remarks)
    _show_signed(signed, file, trust)


def verify(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder or a file that was signed.")],
    rulesets: Rulesets = RULESETS,
) -> None:
    """Tell who signed what, and all that does not hold: 0 everything holds, 2 something does not, or nobody signed."""
    from engine.author.signing import NotSigned, verify_path
    from engine.errors import RulesetError
    from engine.rules.load import load_trust

    try:
        found = verify_path(path, load_trust(rulesets), _now().date())
    except (RulesetError, NotSigned) as error:
        complain(str(error))
        raise typer.Exit(INVALID) from None
    for each in found:
        typer.echo(f"{each.file}: {each.kind.value} {each.digest}")
        for signed in each.examined.valid:
            remarks = signed.statement.remarks
            typer.echo(f"  holds           {signed.statement}{f': {remarks}' if remarks else ''}")
        for refused in each.examined.refused:
            typer.echo(f"  does not count  {refused}")
        for fault in each.faults:
            typer.echo(f"  does not hold   {fault}")
    if not found:
        complain(f"{path}: nobody signed it")
    raise typer.Exit(0 if found and all(each.holds for each in found) else INVALID)


@keys.command("new")
def keys_new(
    who: Annotated[str, typer.Option(metavar="NAME", help="Who will sign with it.")],
    role: Annotated[str, typer.Option(metavar="ROLE", help="As what: gp, physiotherapist or operator.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The file to write; keep it to yourself.")],
) -> None:
    """Make a private key, in a new file that you alone can read; $PLUIS_KEY_PASSPHRASE encrypts it."""
    from engine.author.signing import new_key, write_key
    from engine.rules.model import Role
    from engine.rules.suggest import one_of

    roles = {each.value: each for each in Role}
    if role not in roles or not who.strip():
        complain(f"no role `{role}`; {one_of(role, roles)}" if who.strip() else "a key needs the name of its owner")
        raise typer.Exit(INVALID)
    key = new_key(who.strip(), roles[role])
    passphrase = _passphrase()
    write_key(key, out, passphrase)
    if not passphrase:
        complain(f"{out} is not encrypted: set {PASSPHRASE} before `pluis keys new` to encrypt it")
    typer.echo(f"{key.id}  {key.who}, {key.role.value}: {out}")


@keys.command("show")
def keys_show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Your private key.")],
) -> None:
    """Print the public part of a key, which you hand to whoever keeps the trust list."""
    from engine.rules.signed_files import render_entry

    key = _private(file)
    typer.echo(render_entry(key.public, key.who, key.role), nl=False)


@keys.command("trust")
def keys_trust(
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="What `pluis keys show` printed; `-`: from stdin.")],
    rulesets: Rulesets = RULESETS,
    valid_from: Annotated[datetime | None, Day] = None,
    valid_until: Annotated[datetime | None, Day] = None,
) -> None:
    """Add a key to the trust list of the rulesets, from today; hear its id from its owner first."""
    from engine.author.signing import save_trust
    from engine.rules import document
    from engine.rules.approval import TrustedKey, TrustList
    from engine.rules.load import load_trust
    from engine.rules.problem import Problems
    from engine.rules.signed_files import read_entry

    with opened(entry) as stream:
        source, problems = document.decode(entry, stream.read(document.LARGEST + 1))
    said = None
    if not problems:
        said, problems = read_entry(source)
    if said is None:
        complain(Problems(problems).render())
        raise typer.Exit(INVALID)
    first = (valid_from or _now()).date()
    key = TrustedKey(*said, valid_from=first, valid_until=valid_until.date() if valid_until else None)
    trust = load_trust(rulesets)
    if key.id in trust.keys:
        complain(f"{_described(trust.keys[key.id])}: it is in the list already")
        raise typer.Exit(INVALID)
    if key.valid_until is not None and key.valid_until <= first:
        complain("the key would never be valid: its last day must be after its first")
        raise typer.Exit(INVALID)
    save_trust(rulesets, TrustList({**trust.keys, key.id: key}))
    typer.echo(_described(key))


@keys.command("list")
def keys_list(rulesets: Rulesets = RULESETS) -> None:
    """Print the trust list: each key, whose it is, and when it counts."""
    from engine.rules.load import load_trust

    for key in load_trust(rulesets).keys.values():
        typer.echo(_described(key))


@keys.command("revoke")
def keys_revoke(
    id: Annotated[str, typer.Argument(metavar="ID", help="As `pluis keys list` shows it.")],
    rulesets: Rulesets = RULESETS,
) -> None:
    """Trust a key no more: from today nothing counts that was ever signed with it."""
    from dataclasses import replace

    from engine.author.signing import save_trust
    from engine.rules.approval import TrustList
    from engine.rules.load import load_trust
    from engine.rules.suggest import did_you_mean

    trust = load_trust(rulesets)
    key = trust.keys.get(id)
    if key is None:
        complain(
            f"no key `{id}` in the trust list; {did_you_mean(id, list(trust.keys)) or '`pluis keys list` shows them'}"
        )
        raise typer.Exit(FAILED)
    if key.revoked is None:
        key = replace(key, revoked=_now().date())
        save_trust(rulesets, TrustList({**trust.keys, id: key}))
    typer.echo(_described(key))


def _described(key: TrustedKey) -> str:
    until = f" until {key.valid_until}" if key.valid_until else ""
    revoked = f", revoked on {key.revoked}" if key.revoked else ""
    return f"{key.id}  {key.who}, {key.role.value}, from {key.valid_from}{until}{revoked}"


def _show_signed(signed: Signed, file: Path, trust: TrustList) -> None:
    typer.echo(f"signed   {json.dumps(signed.statement.content(), ensure_ascii=False, indent=2)}")
    typer.echo(f"with     {signed.key}")
    typer.echo(f"in       {file}")
    if signed.key not in trust.keys:
        complain(f"the key {signed.key} is not in the trust list, so this does not count: see `pluis keys trust`")


def _private(file: Path) -> PrivateKey:
    from engine.author.signing import NotSigned, read_key

    try:
        return read_key(file, _passphrase())
    except NotSigned as error:
        complain(str(error))
        raise typer.Exit(INVALID) from None


def _passphrase() -> str:
    """The passphrase of the environment. An empty one was meant to be one, and must not leave a key open."""
    passphrase = os.environ.get(PASSPHRASE)
    if passphrase == "":
        complain(f"{PASSPHRASE} is empty: set a passphrase, or unset it")
        raise typer.Exit(INVALID)
    return passphrase or ""


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
