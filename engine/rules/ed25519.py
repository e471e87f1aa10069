"""Signatures (Ed25519, RFC 8032) and the file of a private key; the only door to the library that computes them.

A secret is 32 bytes, which its caller brings: nothing here is drawn by chance but the salt of an encrypted key file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from engine.errors import PluisError

SECRET_SIZE = 32
PUBLIC_SIZE = 32
SIGNATURE_SIZE = 64
_ID_DIGITS = 32


class BadKeyFile(PluisError):
    """A file holds no private key that can be used; the message says why."""


def public_of(secret: bytes) -> bytes:
    """The public key of a secret, 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def sign(secret: bytes, message: bytes) -> bytes:
    """The signature of a message, 64 bytes; the same each time."""
    return Ed25519PrivateKey.from_private_bytes(secret).sign(message)


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the signature is that of the message by the owner of the public key. No input raises."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id(public: bytes) -> str:
    """The name of a public key: the first 32 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:_ID_DIGITS]


def to_base64(data: bytes) -> str:
    """Bytes as text."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str, size: int) -> bytes | None:
    """The bytes that a text stands for; None when it is not the one way to write so many bytes.

    >>> from_base64("AAAB", 3), from_base64("AAAB", 4), from_base64("AAAC=", 3)
    (b'\\x00\\x00\\x01', None, None)
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    # The last digit has bits that count for nothing: without this a changed text could still be the same signature.
    return data if len(data) == size and to_base64(data) == text else None


def to_pem(secret: bytes, passphrase: str = "") -> str:
    """The text of a private key file (PKCS #8); encrypted when there is a passphrase."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    key = Ed25519PrivateKey.from_private_bytes(secret)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode("ascii")


def from_pem(text: str, passphrase: str = "") -> bytes:
    """The secret in a private key file. Raises BadKeyFile."""
    try:
        key = serialization.load_pem_private_key(text.encode(), passphrase.encode() if passphrase else None)
    except TypeError:  # how the library says that a passphrase is missing, or that there is nothing to decrypt
        how = "is not encrypted, and a passphrase is given" if passphrase else "is encrypted, and needs a passphrase"
        raise BadKeyFile(f"it {how}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise BadKeyFile("it holds no private key" + (", or the passphrase is another" if passphrase else "")) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKeyFile("it holds a key of another kind than Ed25519")
    return key.private_bytes_raw()
