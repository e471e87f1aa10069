"""The public keys of an issuer: from a file that may change, or from the one address that the settings name."""

from __future__ import annotations

import json
import logging
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Protocol

from joserfc.errors import JoseError
from joserfc.jwk import DictKey, Key, KeySet, import_key

from engine.errors import StateUnavailable
from engine.serve.access.files import Watched, read_file
from engine.serve.config import ConfigError, Issuer

LOG = logging.getLogger("pluis.access")
LARGEST = 256 * 1024
"""Bytes of a key set that are read."""
TIMEOUT = 5.0
"""Seconds that fetching may take in all."""
PAUSE = 60.0
"""Seconds between two fetches, however many tokens name a key that is not known."""
FIRST_PAUSE = 5.0
"""The same while there is no key set at all."""
KEPT = 600.0
"""Seconds after which a key set is fetched anew, so that a key that its issuer took back stops to count."""
SHORTEST_RSA = 342
"""Base64url digits of the smallest RSA modulus that is taken, 2048 bits."""
CURVES = {"EC": ("P-256", "P-384", "P-521"), "OKP": ("Ed25519", "Ed448")}
"""The curves of keys that sign, by type of key."""

WANTED = "public ones of the types EC, OKP or RSA from 2048 bits, that may sign"


class Keys(Protocol):
    """The keys of one issuer."""

    def current(self, kid: str) -> KeySet:
        """The keys that count now; where none has this id, they are looked for once more."""


def keys_of(issuer: Issuer, clock: Callable[[], float] = time.monotonic) -> Keys:
    """Where the settings say that they are. Raises ConfigError for a file that cannot be used, or a plain address."""
    if "://" not in issuer.keys:
        return FileKeys(Path(issuer.keys))
    if not issuer.keys.startswith("https://"):
        raise ConfigError(f"the keys of `{issuer.issuer}` are a file or an `https://` address, not `{issuer.keys}`")
    return FetchedKeys(issuer.keys, clock)


class FileKeys:
    """A key set in a file; it is read again when the file changed. What cannot be read changes nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._watched = Watched(path)
        self._keys = self._read()
        if not self._keys:
            raise ConfigError(f"`{path}` has no key that can be used: {WANTED}")

    def current(self, kid: str) -> KeySet:
        with self._lock:
            if self._watched.changed():
                try:
                    self._keys = self._read()
                    LOG.info("keys were read from %s: %d", self._path, len(self._keys.keys))
                except ConfigError as error:
                    LOG.error("the keys stay as they were: %s", error)
            return self._keys

    def _read(self) -> KeySet:
        return read_keys(read_file(self._path, LARGEST), str(self._path))


class FetchedKeys:
    """A key set at an address; fetched at the start, when it is old, and when a key is not in it.

    While it cannot be fetched the old one counts. Only one call at a time waits for the issuer; others go on with what
    there is.
    """

    def __init__(self, address: str, clock: Callable[[], float]) -> None:
        self._address = address
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._tried: float | None = None
        context = ssl.create_default_context()
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _NoRedirects)
        self._refresh(PAUSE)

    def current(self, kid: str) -> KeySet:
        """Raises StateUnavailable while the keys could not be fetched once."""
        keys = self._keys
        if keys is None or all(key.kid != kid for key in keys):
            self._refresh(PAUSE)
        elif self._is_due(KEPT):
            threading.Thread(target=self._refresh, args=(KEPT,), name="pluis-keys", daemon=True).start()
        if self._keys is None:
            raise StateUnavailable(f"the keys at {self._address} could not be fetched yet")
        return self._keys

    def _is_due(self, pause: float) -> bool:
        wanted = FIRST_PAUSE if self._keys is None else pause
        return self._tried is None or self._clock() - self._tried >= wanted

    def _refresh(self, pause: float) -> None:
        with self._lock:
            if not self._is_due(pause):
                return
            self._tried = self._clock()
        try:
            self._keys = read_keys(self._fetch(), self._address)
        except (OSError, HTTPException, ConfigError) as error:
            told = error if isinstance(error, ConfigError) else type(error).__name__
            LOG.error("the keys at %s could not be fetched: %s", self._address, told)

    def _fetch(self) -> bytes:
        ends = time.monotonic() + TIMEOUT
        content = b""
        with self._opener.open(self._address, timeout=TIMEOUT) as response:
            while chunk := response.read1(LARGEST + 1 - len(content)):
                content += chunk
                if len(content) > LARGEST or time.monotonic() > ends:
                    raise ConfigError(f"it is larger than {LARGEST} bytes, or takes longer than {TIMEOUT:g} seconds")
        return content


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An address that sends us elsewhere is not the address in the settings."""

    def redirect_request(self, *asked: object) -> None:
        return None


def read_keys(content: bytes, source: str) -> KeySet:
    """The keys of a key set that can verify; what else is in it is left out, and counted in the log.

    Raises ConfigError for what is no key set.
    """
    try:
        found = json.loads(content)["keys"]
        if not all(isinstance(each, dict) for each in found):
            raise TypeError
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ConfigError(f"`{source}` is no key set (JWKS)") from None
    keys = [key for each in found for key in [_key(each)] if key is not None]
    if len(keys) < len(found):
        LOG.warning("%d keys of %s are not used; these are: %s", len(found) - len(keys), source, WANTED)
    return KeySet(keys)


def _key(content: DictKey) -> Key | None:
    """The key, if it is one that we verify with. A private key is none: whoever published it must make another."""
    kind, modulus = content.get("kty"), content.get("n")
    if "d" in content or content.get("use", "sig") != "sig":
        return None
    if kind == "RSA" and not (isinstance(modulus, str) and len(modulus) >= SHORTEST_RSA):
        return None
    if kind != "RSA" and content.get("crv") not in CURVES.get(str(kind), ()):
        return None
    try:
        return import_key(content)
    except (JoseError, ValueError, TypeError):  # not a point of its curve, and the like
        return None
