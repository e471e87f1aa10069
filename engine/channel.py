"""How a client gets to its server: TLS, its own certificate, its token, and which calls are tried again.

Apart from the client, for programs that speak the contract themselves: `connect` gives a plain gRPC channel.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import grpc

Token: TypeAlias = str | Callable[[], str]
"""A bearer token, or what gives one; it is asked for each call and each further attempt of it, in gRPC's threads."""

CALLS = ("Evaluate", "EvaluateBatch", "ListRulesets", "GetRuleset", "GetQuestionnaire", "GetDecision", "ListDecisions")
"""Calls that may be tried again when the server is not available: what comes twice does no harm."""
ATTEMPTS = 3
RECONNECT = 100
"""Milliseconds until a lost connection is made anew; with gRPC's own second a killed worker costs all attempts."""
LARGEST_RESPONSE = 64 * 1024 * 1024
"""Bytes; a batch of a thousand responses is larger than gRPC takes by itself."""


def tls(
    authority: Path | None = None, certificate: Path | None = None, key: Path | None = None
) -> grpc.ChannelCredentials:
    """TLS by files in PEM: the authority of the server's certificate (left out: those that browsers know), and the
    client's own certificate with its key, where the server wants one.

    Raises OSError for a file that cannot be read, ValueError for a certificate without its key.
    """
    if (certificate is None) != (key is None):
        raise ValueError("a certificate needs its key, and a key its certificate")
    roots, own, chain = (None if path is None else path.read_bytes() for path in (authority, key, certificate))
    return grpc.ssl_channel_credentials(roots, own, chain)


def connect(
    target: str, credentials: grpc.ChannelCredentials | None = None, token: Token | None = None
) -> grpc.Channel:
    """A channel that tries calls again. Raises ValueError for a token without TLS: others could read it."""
    options = (
        ("grpc.max_receive_message_length", LARGEST_RESPONSE),
        ("grpc.enable_retries", 1),
        ("grpc.initial_reconnect_backoff_ms", RECONNECT),
        ("grpc.service_config", json.dumps(_service_config())),
    )
    if token is not None:
        if credentials is None:
            raise ValueError("a token is only sent over TLS: give credentials too")
        credentials = grpc.composite_channel_credentials(credentials, grpc.metadata_call_credentials(_Bearer(token)))
    if credentials is None:
        return grpc.insecure_channel(target, options)
    return grpc.secure_channel(target, credentials, options)


class _Bearer(grpc.AuthMetadataPlugin):
    """Puts a token on each attempt of a call: a server may take each token once."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def __call__(self, context: grpc.AuthMetadataContext, callback: grpc.AuthMetadataPluginCallback) -> None:
        try:
            token = self._token if isinstance(self._token, str) else self._token()
        except Exception as error:  # gRPC fails the call; the text of the exception could quote the token
            callback((), RuntimeError(f"there is no token: {type(error).__name__}"))
        else:
            callback((("authorization", f"Bearer {token}"),), None)


def _service_config() -> dict[str, object]:
    """Which calls are tried again, how often, and after which pause."""
    policy = {
        "maxAttempts": ATTEMPTS,
        "initialBackoff": "0.1s",
        "maxBackoff": "1s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],  # a server that stops cancels what it has not taken up
    }
    names = [{"service": "triage.v1.TriageService", "method": method} for method in CALLS]
    return {"methodConfig": [{"name": names, "retryPolicy": policy}]}
