"""The files of sign-off: lists of signed statements, the trust list, and a key as its owner hands it over.

Reading is strict, and says nothing about whether a signature counts: that is `approval.examine`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from engine.rules import ed25519
from engine.rules.approval import Kind, Signed, Statement, TrustedKey, TrustList
from engine.rules.fields import Field, Json, read_json, render_json
from engine.rules.model import Role
from engine.rules.problem import Problem
from engine.rules.source import Source

APPROVALS = "approvals.json"
"""Beside a ruleset: who approved it."""
SIGNATURES = "signatures.json"
"""In a folder that was signed as a bundle."""
SIGNATURES_OF = ".sig.json"
"""After the name of a file that was signed."""
KEYS = "keys.json"
"""In the folder of all rulesets: the trust list."""
FORMAT = 1
Word = TypeVar("Word", Kind, Role)


def render_signed(signed: Iterable[Signed]) -> str:
    """The text of a list of signed statements, in the order in which they were signed."""
    listed: list[Json] = [
        {"statement": {**each.statement.content()}, "key": each.key, "signature": each.signature} for each in signed
    ]
    return render_json({"format": FORMAT, "signatures": listed})


def read_signed(source: Source) -> tuple[tuple[Signed, ...], list[Problem]]:
    """The signed statements that a text says; with every problem."""
    whole, problems = read_json(source)
    if whole is None:
        return (), problems
    said = whole.members("format", "signatures")
    said["format"].exactly(FORMAT)
    signed = tuple(_signed(each) for each in said["signatures"].items())
    return ((), problems) if problems else (signed, [])


def _signed(field: Field) -> Signed:
    said = field.members("statement", "key", "signature")
    of = said["statement"].members("digest", "kind", "who", "role", "when", "remarks")
    statement = Statement(
        digest=of["digest"].sha256(),
        kind=_word(Kind, of["kind"]),
        who=of["who"].text(),
        role=_word(Role, of["role"]),
        when=of["when"].moment(),
        remarks=of["remarks"].text(),
    )
    return Signed(statement, said["key"].text(), said["signature"].text(), of["who"].node.span)


def render_trust(trust: TrustList) -> str:
    """The text of a trust list, by name, role and first day."""
    keys = sorted(trust.keys.values(), key=lambda key: (key.who, key.role.value, key.valid_from, key.id))
    listed: list[Json] = [
        {
            **_entry(key.public, key.who, key.role),
            "valid_from": key.valid_from.isoformat(),
            "valid_until": None if key.valid_until is None else key.valid_until.isoformat(),
            "revoked": None if key.revoked is None else key.revoked.isoformat(),
        }
        for key in keys
    ]
    return render_json({"format": FORMAT, "keys": listed})


def read_trust(source: Source) -> tuple[TrustList, list[Problem]]:
    """The trust list that a text says; with every problem. An id must be that of its key."""
    whole, problems = read_json(source)
    if whole is None:
        return TrustList(), problems
    said = whole.members("format", "keys")
    said["format"].exactly(FORMAT)
    keys: dict[str, TrustedKey] = {}
    for each in said["keys"].items():
        of = each.members("id", "public", "who", "role", "valid_from", "valid_until", "revoked")
        public = _public(of["id"], of["public"])
        key = TrustedKey(
            public,
            of["who"].text(),
            _word(Role, of["role"]),
            of["valid_from"].day(),
            of["valid_until"].optional_day(),
            of["revoked"].optional_day(),
        )
        if key.id in keys:
            of["id"].tell("duplicate-id", "this key is in the list already", "keep one of the two")
        if key.valid_until is not None and key.valid_until <= key.valid_from:
            of["valid_until"].tell("bad-period", "this period ends before it begins", "write a later day, or null")
        keys[key.id] = key
    return (TrustList(), problems) if problems else (TrustList(keys), [])


def render_entry(public: bytes, who: str, role: Role) -> str:
    """A public key as its owner hands it over to whoever keeps the trust list."""
    return render_json(_entry(public, who, role))


def read_entry(source: Source) -> tuple[tuple[bytes, str, Role] | None, list[Problem]]:
    """The public key, name and role that an owner handed over, or None; with every problem."""
    whole, problems = read_json(source)
    if whole is None:
        return None, problems
    of = whole.members("id", "public", "who", "role")
    entry = (_public(of["id"], of["public"]), of["who"].text(), _word(Role, of["role"]))
    if not entry[1].strip():
        of["who"].tell("missing-value", "nobody is named", "write who holds the key")
    return (None, problems) if problems else (entry, [])


def _entry(public: bytes, who: str, role: Role) -> dict[str, Json]:
    return {"id": ed25519.key_id(public), "public": ed25519.to_base64(public), "who": who, "role": role.value}


def _public(id: Field, written: Field) -> bytes:
    """The public key, of which the id must be the one that is written beside it."""
    said, text = id.text(), written.text()
    public = ed25519.from_base64(text, ed25519.PUBLIC_SIZE)
    if public is None:
        written.tell("wrong-type", "this is no public key", f"a public key is {ed25519.PUBLIC_SIZE} bytes in base64")
        return b""
    if said != ed25519.key_id(public):
        id.tell("outside-scale", f"`{said}` is not the id of this key", f"its id is `{ed25519.key_id(public)}`")
    return public


def _word(scale: type[Word], field: Field) -> Word:
    """The member of a scale that a word names; the first when it names none, which was told."""
    words = {str(member.value): member for member in scale}
    return words.get(field.word(*words), next(iter(scale)))
