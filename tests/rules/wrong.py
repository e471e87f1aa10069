"""Ways of being wrong: the minimal ruleset with a piece of it replaced, read from a folder as `pluis lint` reads it."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from engine.author.lint_report import lint_folder
from engine.rules.problem import Problems
from tests.rules.bicycle import FOLDER, Change, valid

WHOLE = "*"
"""In the place of an old text: the whole file."""


def written(text: str) -> bytes:
    """The bytes that a text with signs stands for: `<U+2028>`, `<xFF>`, `<TAB>`, and `<9 * a>` for nine times a."""
    text = re.sub(r"<(\d+) \* ([^<>]+)>", lambda found: found[2] * int(found[1]), text)
    text = re.sub(r"<U\+([0-9A-F]{4})>", lambda found: chr(int(found[1], 16)), text).replace("<TAB>", "\t")
    return text.encode().replace(b"<xFF>", b"\xff")


def signed(text: str) -> str:
    """The text with `<digest>` and `<verdicts>` filled in: those of the minimal ruleset, every claim proved."""
    if "<digest>" not in text and "<verdicts>" not in text:
        return text
    checked = valid()
    claims = checked.ruleset.claims.values()
    verdicts = [{"id": each.id, "kind": each.kind, "verdict": "proved", "why": ""} for each in claims]
    return text.replace("<digest>", checked.digest).replace("<verdicts>", json.dumps(verdicts))


def lint(folder: Path, changes: Iterable[Change]) -> Problems:
    """The problems of a copy of the minimal ruleset in `folder` after changes (file, old text, new text).

    A whole text may also be that of a file which the minimal ruleset has not.
    """
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    for name, old, new in changes:
        file = folder / name
        text = file.read_bytes() if file.exists() or old != WHOLE else b""
        if moved := re.fullmatch(r"<(file|folder) (\S+)>", new):
            file.unlink()
            (folder / moved[2]).mkdir() if moved[1] == "folder" else (folder / moved[2]).write_bytes(text)
        elif old == WHOLE:
            file.write_bytes(written(signed(new)))
        else:
            assert text.count(old.encode()) == 1, f"{old!r} occurs {text.count(old.encode())} times in {name}"
            file.write_bytes(text.replace(old.encode(), written(new)))
    with contextlib.chdir(folder):  # so that the problems name the files alone
        return lint_folder(Path())
