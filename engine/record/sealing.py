"""Who can read an entry: the key file, one data key per subject, and what is sealed with it.

The key file is not in the database: `mac` is the key of every entry's mac, `signing` signs checkpoints, and `masters`,
where there are any, wrap the data keys. Without a master key the data keys lie in the database as they are: erasing
works, but whoever holds the database can read it.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.errors import LogRefused
from engine.rules.canonical import canonical_json
from engine.rules.ed25519 import from_base64, to_base64

KEY_SIZE = 32
NONCE_SIZE = 12
_TAG_SIZE = 16
_FORMAT = "pluis log keys, version 1"
_FIELDS = {"format", "mac", "signing", "masters", "current"}


@dataclass(frozen=True, slots=True)
class Keys:
    """What the key file holds. `mac`, `signing` and each of `masters` are 32 bytes; `current` is "" without masters."""

    mac: bytes = field(repr=False)  # a key in a traceback is a key lost
    signing: bytes = field(repr=False)
    masters: Mapping[str, bytes] = field(repr=False)
    current: str


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A row of `subject_keys`: a data key as it is stored.

    `subject` is what `subject_lookup` makes of the subject, or "" for the key of an entry without one; `master` is the
    id of the master key that it is wrapped with, or "" when `wrapped` is the data key itself.
    """

    id: str
    subject: str
    master: str
    wrapped: bytes = field(repr=False)


def make_keys() -> Keys:
    """New keys, without a master key."""
    return Keys(secrets.token_bytes(KEY_SIZE), secrets.token_bytes(KEY_SIZE), {}, "")


def read_keys(path: Path) -> Keys:
    """The keys in a file; LogRefused when there is none, it is not one, or others may read it."""
    try:
        with path.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            text = opened.read()
    except FileNotFoundError:
        raise LogRefused(f"there is no key file `{path}`") from None
    except OSError as fault:
        raise LogRefused(f"the key file `{path}` cannot be read: {fault.strerror}") from None
    if mode & 0o077:
        raise LogRefused(f"the key file `{path}` is open to others: `chmod 600` it, and ask yourself who has read it")
    keys = _parse(text)
    if keys is None:
        raise LogRefused(f"`{path}` is not a key file of a decision log")
    return keys


def ensure_keys(path: Path) -> Keys:
    """The keys in a file, which is made (mode 0600) when there is none; of two processes at once both get the same."""
    if not path.exists():
        with _writing(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside = _write_beside(path, make_keys())
            with suppress(FileExistsError):  # all of the file or nothing, and never in place of one that is there
                os.link(beside, path)
            beside.unlink()
            _sync_folder(path.parent)
    return read_keys(path)


def write_keys(path: Path, keys: Keys) -> None:
    """Puts the keys in place of those in a file, durably and at once; LogRefused when that cannot be."""
    with _writing(path):
        _write_beside(path, keys).replace(path)
        _sync_folder(path.parent)


def add_master(keys: Keys) -> Keys:
    """The keys with a new master key, which is current from now on. The older ones still open what they wrapped."""
    id = uuid4().hex
    return replace(keys, masters={**keys.masters, id: secrets.token_bytes(KEY_SIZE)}, current=id)


def subject_lookup(keys: Keys, subject: str) -> str:
    """By what the rows of a subject are found, 64 hexadecimal digits; "" for no subject.

    It stands beside the data key only, and goes with it: what is left of an erased subject says nothing, also to those
    who hold the key file.
    """
    return _tag(keys.mac, b"pluis/lookup/v1", subject.encode()) if subject else ""


class DataKey:
    """The key that seals what is about one subject (or of one entry without a subject)."""

    def __init__(self, id: str, secret: bytes) -> None:
        self.id = id
        self._secret = secret

    def seal(self, payload: bytes, body: bytes) -> bytes:
        """The payload sealed (AES-256-GCM), bound to the clear part of its entry."""
        return _encrypt(self._secret, payload, b"pluis/payload/v1\n" + body)

    def unseal(self, sealed: bytes, body: bytes) -> bytes:
        """The payload that was sealed with this key beside this body; LogRefused when it was not."""
        payload = _decrypt(self._secret, sealed, b"pluis/payload/v1\n" + body)
        if payload is None:
            raise LogRefused("what was sealed is not what this key sealed beside this body")
        return payload

    def subject_tag(self, subject: str) -> str:
        """The trace of the subject in the clear part of an entry; says nothing once the key is destroyed. "" for ""."""
        return _tag(self._secret, b"pluis/subject/v1", subject.encode()) if subject else ""

    def answers_tag(self, answers: bytes) -> str:
        """By what the canonical answers of two calls are compared without keeping them, 64 hexadecimal digits."""
        return _tag(self._secret, b"pluis/answers/v1", answers)


def make_key(keys: Keys, subject: str) -> tuple[WrappedKey, DataKey]:
    """A new data key for a subject (or for one entry, when that is ""), and the row that keeps it."""
    id, secret = uuid4().hex, secrets.token_bytes(KEY_SIZE)
    return _wrap(keys, id, subject_lookup(keys, subject), secret), DataKey(id, secret)


def open_key(keys: Keys, wrapped: WrappedKey) -> DataKey:
    """The data key in a row; LogRefused when its master key is not in the key file, or it was changed."""
    return DataKey(wrapped.id, _unwrap(keys, wrapped))


def rewrap(keys: Keys, wrapped: WrappedKey) -> WrappedKey:
    """The same data key wrapped with the current master key (or as it is, where there is none)."""
    return _wrap(keys, wrapped.id, wrapped.subject, _unwrap(keys, wrapped))


def _wrap(keys: Keys, id: str, subject: str, secret: bytes) -> WrappedKey:
    if not keys.current:
        return WrappedKey(id, subject, "", secret)
    return WrappedKey(
        id, subject, keys.current, _encrypt(keys.masters[keys.current], secret, _row(id, subject, keys.current))
    )


def _unwrap(keys: Keys, wrapped: WrappedKey) -> bytes:
    if not wrapped.master:
        secret: bytes | None = wrapped.wrapped
    elif wrapped.master in keys.masters:
        row = _row(wrapped.id, wrapped.subject, wrapped.master)
        secret = _decrypt(keys.masters[wrapped.master], wrapped.wrapped, row)
    else:
        raise LogRefused(f"the key file has no master key `{wrapped.master}`")
    if secret is None or len(secret) != KEY_SIZE:
        raise LogRefused(f"the data key `{wrapped.id}` was changed")
    return secret


def _row(id: str, subject: str, master: str) -> bytes:
    """What a wrapped key is bound to: moved to the row of another subject it does not open."""
    return f"pluis/key/v1\n{id}\n{subject}\n{master}".encode()


def _encrypt(secret: bytes, plain: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_SIZE)
    return nonce + AESGCM(secret).encrypt(nonce, plain, bound)


def _decrypt(secret: bytes, sealed: bytes, bound: bytes) -> bytes | None:
    if len(sealed) < NONCE_SIZE + _TAG_SIZE:
        return None
    try:
        return AESGCM(secret).decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], bound)
    except InvalidTag:
        return None


def _tag(secret: bytes, purpose: bytes, content: bytes) -> str:
    """A code of a content under a key of its own for each purpose, 64 hexadecimal digits."""
    derived = hmac.digest(secret, purpose, "sha256")
    return hmac.digest(derived, content, "sha256").hex()


def _parse(text: bytes) -> Keys | None:
    try:
        content = json.loads(text)
    except ValueError:  # undecodable text is one too
        return None
    if not isinstance(content, dict) or content.keys() != _FIELDS or content["format"] != _FORMAT:
        return None
    masters, current = content["masters"], content["current"]
    if not isinstance(masters, dict) or not isinstance(current, str):
        return None
    if (current not in masters) if masters else current:  # masters without a current one would leave keys unwrapped
        return None
    found = [_secret(each) for each in (content["mac"], content["signing"], *masters.values())]
    read = [each for each in found if each is not None]
    if len(read) < len(found):
        return None
    return Keys(read[0], read[1], dict(zip(masters, read[2:], strict=True)), current)


def _secret(text: object) -> bytes | None:
    return from_base64(text, KEY_SIZE) if isinstance(text, str) else None


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise LogRefused(f"the key file `{path}` cannot be written: {fault.strerror}") from None


def _write_beside(path: Path, keys: Keys) -> Path:
    """A file beside the path, with the keys in it, durable and for its owner alone."""
    content = {
        "format": _FORMAT,
        "mac": to_base64(keys.mac),
        "signing": to_base64(keys.signing),
        "masters": {id: to_base64(each) for id, each in keys.masters.items()},
        "current": keys.current,
    }
    beside = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(canonical_json(content) + b"\n")
            opened.flush()
            os.fsync(opened.fileno())
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    return beside


def _sync_folder(folder: Path) -> None:
    """Makes a new name in a folder durable."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
