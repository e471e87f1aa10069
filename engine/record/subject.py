"""What may refer to a person: a UUID, or an opaque token; nothing that names one.

It fails closed: what looks like a citizen number (BSN), a date, a telephone number, an e-mail address or a name is
refused, and so is what looks like nothing that is known to be opaque. A few tokens drawn by chance look like a name and
are refused too (letters only: about 3 of 100 with 22 characters of base64url); a UUID drawn by chance never is.
"""

from __future__ import annotations

import re
from datetime import date

SHORTEST, LONGEST = 16, 64
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_UUID_SHAPE = re.compile(r"[{(]?(urn:uuid:)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}[)}]?", re.I)
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_DIGITS = re.compile(r"[0-9](?:[-_. /]*[0-9])*")
"""A number as people write it: digits, with something between them or not."""
_REPEATED = re.compile(r"(.)\1{7}")
"""One character eight times: padding around something that is no secret. By chance 1 of 100 million UUIDs."""
_DATE = re.compile(r"(?<![0-9])([0-9]{1,4})[-_./ ]([0-9]{1,2})[-_./ ]([0-9]{1,4})(?![0-9])")
_SWITCH = re.compile(r"(?<=[a-z])[A-Z]|(?<=[0-9])[A-Za-z]|(?<=[A-Za-z])[0-9]")
"""Where the kind of character changes, but for the capital that a word begins with."""

OPAQUE_HEX = 24
"""So many hexadecimal digits are opaque whatever digits stand side by side among them."""
TELLING = 8
"""So many decimal digits in a row tell something: a date has 8, a BSN 8 or 9, telephone numbers 9 to 13."""
BSN_DIGITS, ELEVEN = 9, 11
TELEPHONE = range(9, 14)
"""Digits of a telephone number."""
LONG_DATE, SHORT_DATE, YEAR_DIGITS = 8, 6, 4
YEARS = range(1880, 2101)
"""Years in which something happens to a person."""
VARIETY = 6
"""Different characters that a token has at least."""
PER_SWITCH = 6
"""Characters to each switch, at most: words and a year have more."""


def subject_fault(subject: str) -> str:
    """Why a text may not be a subject reference, in words that do not repeat it; "" when it may.

    >>> subject_fault("7f3c1e52-9d04-4b6a-8f21-0c5d7e9ab134"), subject_fault("111222333")
    ('', 'it looks like a citizen number (BSN)')
    """
    digits = subject.replace("-", "")
    if _UUID.fullmatch(subject) and not digits.isdecimal() and not _REPEATED.search(digits):
        return ""
    return _personal(subject) or _not_opaque(subject)


def _personal(text: str) -> str:
    """What a text tells about a person, if it looks so."""
    if "@" in text:
        return "it looks like an e-mail address"
    if _HEX.fullmatch(text) and len(text) >= OPAQUE_HEX and not text.isdecimal():
        return ""
    numbers = ["".join(filter(str.isdecimal, found)) for found in _DIGITS.findall(text)]
    if any(is_bsn(number) for number in numbers):
        return "it looks like a citizen number (BSN)"
    if any(_is_date(number) for number in numbers) or any(map(_is_written_date, _DATE.findall(text))):
        return "it looks like a date"
    if any(number.startswith(("0", "31")) and len(number) in TELEPHONE for number in numbers):
        return "it looks like a telephone number"
    if not _HEX.fullmatch(text) and any(len(number) >= TELLING for number in numbers):
        return "it holds a number that may be known elsewhere"
    return ""


def _not_opaque(text: str) -> str:
    """Why a text cannot be told to be opaque, where it cannot."""
    if _UUID_SHAPE.fullmatch(text):
        if not _UUID.fullmatch(text):
            return "a UUID is written in lower case, in five groups, with a version of 1 to 8"
        return "it is a UUID that was not drawn by chance"
    if not _TOKEN.fullmatch(text):
        return "it is neither a UUID nor made of A-Z, a-z, 0-9, - and _ alone"
    if not SHORTEST <= len(text) <= LONGEST:
        return f"a token has {SHORTEST} to {LONGEST} characters"
    if text.isdecimal():
        return "it holds a number that may be known elsewhere"
    if not any(map(str.isdecimal, text)):
        return "it has no digit, and may be a name"
    if len(set(text)) < VARIETY or _REPEATED.search(text):
        return "it repeats itself too much to be a token drawn by chance"
    if _HEX.fullmatch(text) and len(text) >= OPAQUE_HEX:
        return ""
    if len(_SWITCH.findall(text.replace("-", "").replace("_", ""))) * PER_SWITCH < len(text):
        return "it looks like words, and may be a name"
    return ""


def is_bsn(digits: str) -> bool:
    """Whether digits can be a citizen number: 9 of them (8 without the zero in front) that pass the eleven-test.

    Times 9, 8, ... 2 and -1 they add up to a multiple of 11.
    """
    if not BSN_DIGITS - 1 <= len(digits) <= BSN_DIGITS or not digits.strip("0"):
        return False
    *front, last = map(int, digits.zfill(BSN_DIGITS))
    total = sum(factor * digit for factor, digit in zip(range(BSN_DIGITS, 1, -1), front, strict=True))
    return (total - last) % ELEVEN == 0


def _is_date(digits: str) -> bool:
    """19800115, 15011980, 800115 and 150180 are dates."""
    if len(digits) == LONG_DATE:
        return _is_day(digits[:4], digits[4:6], digits[6:]) or _is_day(digits[4:], digits[2:4], digits[:2])
    return len(digits) == SHORT_DATE and (
        _is_day("19" + digits[:2], digits[2:4], digits[4:]) or _is_day("19" + digits[4:], digits[2:4], digits[:2])
    )


def _is_written_date(parts: tuple[str, str, str]) -> bool:
    """1980-1-15, 15-1-1980 and 15-1-80 are dates, in either order of day and month."""
    first, middle, last = parts
    if len(first) == YEAR_DIGITS:
        return _is_day(first, middle, last)
    year = last if len(last) == YEAR_DIGITS else "19" + last.zfill(2)
    return len(first) <= 2 and (_is_day(year, middle, first) or _is_day(year, first, middle))


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        return date(int(year), int(month), int(day)).year in YEARS
    except ValueError:
        return False
