"""From a folder to a Handbook: reads what stands beside a ruleset, and takes only what is about this content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from engine.author.coverage import Coverage, coverage
from engine.author.handbook.changelog import of_version
from engine.author.handbook.content import Change, Handbook, Mutated, NoHandbook
from engine.rules.approval import Kind, examine, status_of
from engine.rules.certificate import Certificate
from engine.rules.load import CASES, find_root, load, load_approvals, load_cases, load_certificate, load_trust
from engine.rules.model import CheckedRuleset

MUTATION = "mutation.json"
"""What `pluis mutate` writes beside a ruleset."""
CHANGELOG = "CHANGELOG.md"
BUDGET = 120.0
"""Seconds for comparing two versions; what is not decided by then is told as laxer."""
Compare = Callable[[CheckedRuleset, CheckedRuleset, str], tuple[Change, ...]]
"""Tells the differences in meaning from an older version to a newer one, in a language."""


def compare_versions(old: CheckedRuleset, new: CheckedRuleset, language: str) -> tuple[Change, ...]:
    """The differences for every possible patient, found by the solver; NoHandbook where it is not installed."""
    try:
        from engine.author.diff_report import rows
        from engine.prove.diff import diff
    except ModuleNotFoundError as error:
        if error.name != "z3":
            raise
        message = "versions are compared by a solver that is not installed: pip install 'pluis[prove]'"
        raise NoHandbook(message) from None
    return rows(diff(old, new, BUDGET), language)


def read_handbook(
    folder: Path,
    language: str = "",
    since: Path | None = None,
    compare: Compare = compare_versions,
    day: date = date.max,
) -> Handbook:
    """The handbook of the ruleset in a folder, in one of its languages (its first when none is named).

    `since` is the folder of an earlier version to compare with; approvals are judged as of `day`. Raises RulesetError
    where a file says something wrong, and NoHandbook where there is no such language.
    """
    checked = load(folder)
    ruleset = checked.ruleset
    signed = examine(load_approvals(folder), load_trust(find_root(folder)), checked.digest, Kind.RULESET, day).valid
    book = Handbook(
        checked,
        language or ruleset.languages[0],
        status_of(checked, signed, ruleset.effective_from),  # a period that ends is told, not judged
        signed,
        _certificate(folder, checked),
        _coverage(folder, checked),
        _mutated(folder, checked),
        _changelog(folder, ruleset.version),
    )
    if since is None:
        return book
    old = load(since)
    told = f"{old.ruleset.id} {old.ruleset.version}"
    return replace(book, since=told, changes=compare(old, checked, book.language))


def _certificate(folder: Path, checked: CheckedRuleset) -> Certificate | None:
    certificate = load_certificate(folder)
    return None if certificate is None or certificate.digest != checked.digest else certificate


def _coverage(folder: Path, checked: CheckedRuleset) -> Coverage | None:
    cases = load_cases(folder, checked)
    return coverage(checked, cases) if cases else None


def _mutated(folder: Path, checked: CheckedRuleset) -> Mutated | None:
    """The last whole mutation run, when it was on this content and on these cases."""
    file = folder / MUTATION
    if not file.exists():
        return None
    try:
        said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        cases = hashlib.sha256((folder / CASES).read_bytes()).hexdigest()
        if said["digest"] != checked.digest or said["cases_digest"] != cases or said["complete"] is not True:
            return None
        return Mutated(
            str(said["score"]),
            int(said["counts"]["killed"]),
            int(said["counts"]["equivalent"]),
            len(said["waived"]),
            tuple(f"{each['owner']}: {each['said']}" for each in said["survivors"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise NoHandbook(f"{file} is not what `pluis mutate` writes: {error}") from error


def _changelog(folder: Path, version: str) -> str:
    file = folder / CHANGELOG
    return of_version(file.read_text(encoding="utf-8"), version) if file.exists() else ""
