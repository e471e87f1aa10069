"""From a folder to a CheckedRuleset: the one way in, and the only place in this room that touches files.

`build` is the pure part: texts in, ruleset and problems out. The other functions read the files and hand them to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.errors import RulesetError
from engine.rules import document
from engine.rules.cases import Case, parse_cases
from engine.rules.check import check
from engine.rules.document import Node
from engine.rules.model import CheckedRuleset
from engine.rules.parse import parse
from engine.rules.problem import Problem, Problems, error
from engine.rules.remainder import check_remainder
from engine.rules.source import Source, Span

MAIN = "ruleset.yaml"
"""The file that makes a folder a ruleset."""
CASES = "cases.yaml"
_TEXTS = ("texts.", ".yaml")


def build(sources: Mapping[str, Source]) -> tuple[CheckedRuleset | None, Problems]:
    """The ruleset that some texts say, or None; and every problem. Pure.

    `sources` are keyed by file name: `ruleset.yaml` and a `texts.<language>.yaml` for each language.
    """
    trees: dict[str, Node] = {}
    found: list[Problem] = []
    broken: set[str] = set()
    for name, source in sources.items():
        if name != MAIN and _language(name) is None:
            continue
        node, problems = document.read(source)
        found.extend(problems)
        if node is not None:
            trees[name] = node
        if problems:  # a tree with problems has holes, which would only cause more of them
            broken.add(name)
    if MAIN not in sources:
        found.append(error("file-missing", _beginning(Source(MAIN, "")), f"there is no {MAIN}"))
    main, texts = _apart({name: tree for name, tree in trees.items() if name not in broken})
    ruleset, problems = parse(main, texts)
    found.extend(problems)
    if ruleset is not None and not Problems(found):
        return check(ruleset)
    return None, Problems([*found, *check_remainder(*_apart(trees), found, all_read=broken <= trees.keys())])


def _apart(trees: Mapping[str, Node]) -> tuple[Node | None, dict[str, Node]]:
    """The tree of ruleset.yaml and those of the texts, by language."""
    texts = {language: tree for name, tree in trees.items() if (language := _language(name)) is not None}
    return trees.get(MAIN), texts


def load(path: str | Path) -> CheckedRuleset:
    """The ruleset in a folder (or of a path to its ruleset.yaml); RulesetError with every problem if there is none."""
    checked, problems = read_ruleset(path)
    if checked is None:
        raise RulesetError(problems)
    return checked


def read_ruleset(path: str | Path) -> tuple[CheckedRuleset | None, Problems]:
    """The ruleset in a folder, or None; with every problem, warnings too. Files that cannot be read are problems."""
    folder = _folder(path)
    paths = [folder / MAIN, *sorted(each for each in folder.glob("texts.*.yaml") if _language(each.name))]
    sources: dict[str, Source] = {}
    found: list[Problem] = []
    for each in paths:
        source, problems = _read(each)
        found.extend(problems)
        if not problems:
            sources[each.name] = source
    if not found:
        return build(sources)
    # What can be read is looked at all the same, so that its author sees everything at once; a text that seems missing
    # may stand in the file that cannot be read.
    rest = build(sources)[1] if MAIN in sources else Problems()
    return None, Problems([*found, *(problem for problem in rest if problem.code != "text-missing")])


def load_cases(path: str | Path, ruleset: CheckedRuleset) -> tuple[Case, ...]:
    """The cases in a ruleset's folder, in their order, empty without cases.yaml; RulesetError where one is wrong."""
    file = _folder(path) / CASES
    if not file.exists():
        return ()
    source, found = _read(file)
    node = None
    if not found:
        node, found = document.read(source)
    cases: tuple[Case, ...] = ()
    if node is not None and not found:
        cases, found = parse_cases(node, ruleset)
    problems = Problems(found)
    if problems:
        raise RulesetError(problems)
    return cases


def discover(root: str | Path) -> list[Path]:
    """The folders below `root` that hold a ruleset, sorted: `<name>/` and `<name>/<version>/`."""
    return sorted(file.parent for pattern in (f"*/{MAIN}", f"*/*/{MAIN}") for file in Path(root).glob(pattern))


def _folder(path: str | Path) -> Path:
    path = Path(path)
    return path.parent if path.name == MAIN else path


def _language(name: str) -> str | None:
    """The language in the name of a texts file; None for any other file."""
    before, after = _TEXTS
    return name[len(before) : -len(after)] or None if name.startswith(before) and name.endswith(after) else None


def _read(file: Path) -> tuple[Source, list[Problem]]:
    """The text of a file; no more of it is read than is allowed."""
    nothing = Source(str(file), "")
    try:
        with file.open("rb") as opened:
            return document.decode(str(file), opened.read(document.LARGEST + 1))
    except FileNotFoundError:
        help = f"a ruleset is a folder with {MAIN}"
        return nothing, [error("file-missing", _beginning(nothing), "there is no such file", help)]
    except OSError as fault:
        message = f"the file cannot be read: {fault.strerror or fault}".lower()
        return nothing, [error("file-unreadable", _beginning(nothing), message)]


def _beginning(source: Source) -> Span:
    return Span(source, 1, 1, 1, 1)
