"""What a scalar's text may say: numbers, dates, ids and versions, read strictly and without guessing."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

# The lengths are bounded so that no text turns into a number that is slow to build or to compare.
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_CODE = re.compile(r"[A-Z][A-Za-z0-9]{0,49}(-[A-Za-z0-9]{1,50}){0,9}")
_OPTION = re.compile(r"[a-z0-9][a-z0-9_]{0,99}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
_VERSION = re.compile(
    r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})"
    r"(-(0|[1-9][0-9]{0,8}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9][0-9]{0,8}|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?"
)


def integer(text: str) -> int | None:
    """The whole number that the text is, or None; `007`, `+1`, `1_000` and `1e3` are none.

    >>> integer("-12"), integer("012")
    (-12, None)
    """
    return int(text) if _INTEGER.fullmatch(text) else None


def decimal(text: str) -> Decimal | None:
    """The number that the text is, without exponent, or None.

    >>> decimal("1.50"), decimal("1e3")
    (Decimal('1.50'), None)
    """
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def iso_date(text: str) -> date | None:
    """The day that `YYYY-MM-DD` names, or None."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:  # a 31st of February
        return None


def is_name(text: str) -> bool:
    """Whether the text is a snake_case id."""
    return _NAME.fullmatch(text) is not None


def is_code(text: str) -> bool:
    """Whether the text is a capital code such as `E01` or `ADV-001`."""
    return _CODE.fullmatch(text) is not None


def is_option(text: str) -> bool:
    """Whether the text can be an option: snake_case, also starting with a digit."""
    return _OPTION.fullmatch(text) is not None


def is_language(text: str) -> bool:
    """Whether the text is a language code such as `nl` or `pt-BR`."""
    return _LANGUAGE.fullmatch(text) is not None


def is_version(text: str) -> bool:
    """Whether the text is a semantic version, without build metadata."""
    return _VERSION.fullmatch(text) is not None
