"""What each problem code means to an author and to patients, with an example that is wrong and one that is right.

The texts stand in explanations.yaml beside this file, one entry for each code of `engine.rules.codes`; tests run the
examples. For example:

    Explanation(code="bad-date", title="a day that does not exist", means=..., wrong="from: 2026-02-30", ...)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.author.layout import Page, Role
from engine.errors import PluisError
from engine.rules.codes import CODES
from engine.rules.document import Mapping, plain, read
from engine.rules.load import MAIN
from engine.rules.source import Source
from engine.rules.suggest import did_you_mean

FILE = Path(__file__).with_name("explanations.yaml")


class NoSuchCode(PluisError):
    """There is no problem with this code."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One problem explained. `file` is where the examples stand, `at` the text whose place they take in tests."""

    code: str
    title: str
    means: str
    matters: str
    file: str
    at: str
    wrong: str
    right: str


@cache
def explanations() -> dict[str, Explanation]:
    """Every explanation by its code, in the order of the registry."""
    node, problems = read(Source(FILE.name, FILE.read_text(encoding="utf-8")))
    if not isinstance(node, Mapping) or problems:
        raise PluisError(f"{FILE.name} cannot be read: {problems[0].message if problems else 'no mapping'}")
    written = {key.text: _explanation(key.text, value) for key, value in node.entries if isinstance(value, Mapping)}
    return {code: written[code] for code in CODES}


def _explanation(code: str, node: Mapping) -> Explanation:
    said = {key.text: str(plain(value)) for key, value in node.entries}
    return Explanation(
        code=code,
        title=said["title"],
        means=said["means"],
        matters=said["matters"],
        file=said.get("file", MAIN),
        at=said.get("at", said["right"]),
        wrong=said["wrong"],
        right=said["right"],
    )


def list_codes(width: int) -> Page:
    """A line for each code."""
    page = Page(width)
    page.pairs((each.code, each.title) for each in explanations().values())
    return page


def render_explanation(code: str, width: int) -> Page:
    """The page of one code, also when it is written as lint shows it: `error[bad-date]`. Raises NoSuchCode."""
    code = code.partition("[")[2].rstrip("]") if "[" in code else code
    found = explanations().get(code)
    if found is None:
        help = did_you_mean(code, list(explanations())) or "`pluis explain` lists them all"
        raise NoSuchCode(f"no problem has the code `{code}`; {help}")
    page = Page(width)
    page.add(f"{found.code}: {found.title}", Role.TITLE)
    page.gap()
    page.add(found.means)
    page.heading("Why it matters")
    page.add(found.matters)
    for heading, example in (("Wrong", found.wrong), ("Right", found.right)):
        page.heading(f"{heading}, in {found.file}")
        page.verbatim("\n".join(f"  {line}" for line in (example or "(left out)").strip("\n").split("\n")))
    return page
