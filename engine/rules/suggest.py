"""The word that an author probably meant, as a line of help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from engine.rules.source import NOWHERE, Span

FEW = 12
"""So many words are listed when none is close."""
LONGEST = 100
MOST = 2000
"""Comparing is slow, so a longer word, or one among more words, gets no suggestion."""


def did_you_mean(word: str, known: Mapping[str, Span] | Iterable[str]) -> str:
    """A question that names the closest known word, with its line where that is known; empty when none is close.

    >>> did_you_mean("saddel", ["saddle", "wheel"])
    'did you mean `saddle`?'
    """
    words = list(known)
    fits = len(word) <= LONGEST and len(words) <= MOST
    close = get_close_matches(word, words, n=1, cutoff=0.7) if fits else []
    if not close:
        return ""
    span = known.get(close[0], NOWHERE) if isinstance(known, Mapping) else NOWHERE
    where = "" if span is NOWHERE else f" (line {span.line})"
    return f"did you mean `{close[0]}`{where}?"


def one_of(word: str, allowed: Iterable[str]) -> str:
    """The closest allowed word as a question or, when none is close, the allowed words if they are few.

    >>> one_of("blue", ["red", "green"])
    'write one of `red`, `green`'
    """
    words = list(allowed)
    listed = f"write one of {', '.join(f'`{each}`' for each in words)}" if 0 < len(words) <= FEW else ""
    return did_you_mean(word, words) or listed
